# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The two pages for people beside the published files: an index, and checksums. Pure."""

from __future__ import annotations

from html import escape
from typing import List, Mapping
from urllib.parse import quote

from ansible_collections.egress.allowlist.plugins.module_utils._publish_record import Published

_KINDS = ("exact", "broader", "narrower", "impossible")
_STYLE = """
:root { color-scheme: light dark; --paper: #fff; --ink: #1b1f24; --dim: #57606a; --line: #d0d7de; --link: #0550ae; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #0d1117; --ink: #e6edf3; --dim: #9da7b3; --line: #30363d; --link: #79c0ff; }
}
body { margin: 0 auto; padding: 1rem 1.5rem 3rem; max-width: 90rem; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
a { color: var(--link); } a:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
.wide { overflow-x: auto; } table { border-collapse: collapse; }
.dim { color: var(--dim); } time { white-space: nowrap; }
th, td { padding: .3rem .7rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
code { font-size: .85em; overflow-wrap: anywhere; } td code { display: inline-block; min-width: 11rem; }
""".strip()
_HEADINGS = ("<th scope=col>file", "<th scope=col>what it is", "<th scope=col class=number>entries",
             *(f"<th scope=col class=number>{kind}" for kind in _KINDS),
             "<th scope=col class=number>bytes", "<th scope=col>version of (UTC)", "<th scope=col>SHA-256")  # fmt: skip


def checksums(files: Mapping[str, Published]) -> bytes:
    """What ``sha256sum -c`` reads."""
    return "".join(f"{files[name].sha256}  {name}\n" for name in sorted(files)).encode("ascii")


def index(list_name: str, files: Mapping[str, Published], checksums_name: str) -> bytes:
    """The page that lists what is there. It needs no script and no other resource."""
    title = f"Allowlist {escape(list_name)}"
    rows = "\n".join(_row(name, files[name]) for name in sorted(files))
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
{_STYLE}
</style>
</head>
<body>
<main>
<h1>{title}</h1>
<p class="dim" id="about">Files for browsers and appliances to fetch. Broader, narrower and impossible count entries
that the format of a file cannot express as they are. A file is as it was since the time that is shown.</p>
<div class="wide" tabindex="0" role="region" aria-label="Files" aria-describedby="about">
<table>
<thead><tr>{"".join(heading + "</th>" for heading in _HEADINGS)}</tr></thead>
<tbody>
{rows}
</tbody>
</table>
</div>
{_how_to_check(files, checksums_name)}
</main>
</body>
</html>
""".encode()


def _row(name: str, file: Published) -> str:
    link = f'<a href="{quote(name)}">{escape(name)}</a>'
    if file.signature:
        link += f' (<a href="{quote(file.signature)}" aria-label="signature of {escape(name)}">signature</a>)'
    cells: List[str] = [f"<th scope=row>{link}</th>", f"<td>{escape(_kind(file.dialect))}</td>"]
    counts = [len(file.entries), *(file.counts.get(kind, "") for kind in _KINDS)]
    cells += [f"<td class=number>{escape(str(count))}</td>" for count in [*counts, file.size]]
    since = escape(file.since)
    shown = since.replace("T", " ").rstrip("Z")
    cells += [f'<td><time datetime="{since}">{shown}</time></td>', f"<td><code>{escape(file.sha256)}</code></td>"]
    return f"<tr>{''.join(cells)}</tr>"


def _kind(dialect: str) -> str:
    return "PAC file" if dialect == "pac" else dialect


def _how_to_check(files: Mapping[str, Published], checksums_name: str) -> str:
    if not checksums_name:
        return ""
    name = escape(checksums_name)
    signed = any(file.signature for file in files.values())
    who = " It does not prove who wrote them: the signatures do, with the key of whoever runs this site."
    more = who if signed else ""
    return f"""<h2>Check a download</h2>
<p>Fetch <a href="{quote(checksums_name)}">{name}</a> into the same folder, then
<code>sha256sum --ignore-missing -c {name}</code>. It proves that the files arrived as they lie here.{more}</p>"""
