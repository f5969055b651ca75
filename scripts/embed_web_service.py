# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes a saved answer of Microsoft's endpoint web service as the list that comes with the collection.

A maintainer refreshes it, for each instance (Worldwide, USGOVDoD, USGOVGCCHigh, China), with

  curl -o answer.json 'https://endpoints.office.com/endpoints/Worldwide?ServiceAreas=Common,Exchange,SharePoint,Skype,MEM&ClientRequestId=GUID'
  .venv/bin/python scripts/embed_web_service.py answer.json --instance worldwide --date 2026-11-23 --version 2026110100 \\
      --source "https://endpoints.office.com/endpoints/Worldwide"

(a GUID of your own). The same answer gives the same bytes.
"""  # noqa: E501  a command is one line

from __future__ import annotations

import argparse
import datetime as dt
import sys
from collections.abc import Iterator
from pathlib import Path

import yaml
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError
from ansible_collections.egress.allowlist.plugins.plugin_utils._ws_answer import (
    INSTANCES,
    Answer,
    EndpointSet,
    is_version,
    read_endpoints,
)

FOLDER = Path(__file__).resolve().parents[1] / "plugins" / "plugin_utils" / "catalogs" / "microsoft_365"
HEADER = """\
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The egress.allowlist authors
#
# The list of Microsoft's endpoint web service for {name}, as it was on {date}. Written by scripts/embed_web_service.py.
#
# The facts are from Microsoft's web service, described in "Office 365 IP Address and URL web service",
#   https://learn.microsoft.com/microsoft-365/enterprise/microsoft-365-ip-web-service, (c) Microsoft Corporation; its
#   documentation is licensed under CC BY 4.0 (https://creativecommons.org/licenses/by/4.0/). Changed: made into data of
#   another form. This project is not affiliated with Microsoft.
---
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("answer", type=Path, help="the saved answer of /endpoints, as JSON")
    parser.add_argument("--instance", required=True, choices=INSTANCES)
    parser.add_argument("--date", required=True, type=dt.date.fromisoformat, help="the day of the answer")
    parser.add_argument("--version", help="ten digits, where known")
    parser.add_argument("--source", required=True, help="where the answer is from")
    parser.add_argument("--to", type=Path, default=FOLDER, help="the folder to write to")
    words = parser.parse_args()
    if words.version is not None and not is_version(words.version):
        parser.error(f"--version: expected ten digits such as 2025120100, got {words.version}")
    try:
        answer = read_endpoints(words.answer.read_text(encoding="utf-8-sig"), words.instance, words.version)
    except (AllowlistError, OSError) as error:
        print(f"{words.answer}: {error}", file=sys.stderr)
        return 1
    words.to.mkdir(parents=True, exist_ok=True)
    path = words.to / f"{words.instance}.yml"
    path.write_text(embedded(answer, words.date, words.source), encoding="utf-8")
    names, networks = ({value for one in answer.sets for value in getattr(one, kind)} for kind in ("urls", "ips"))
    print(f"{path}: {len(answer.sets)} sets, {len(names)} names, {len(networks)} networks")
    return 0


def embedded(answer: Answer, date: dt.date, source: str) -> str:
    """The text of the file."""
    about = {
        "instance": answer.instance, "version": answer.version, "date": date.isoformat(), "source": source,
        "licence": "CC-BY-4.0",
    }  # fmt: skip
    sets = [dict(_fields(one)) for one in sorted(answer.sets, key=lambda one: (one.id, one.category or ""))]
    body = yaml.safe_dump({"answer": about, "sets": sets}, sort_keys=False, width=116, indent=2)
    return HEADER.format(name=INSTANCES[answer.instance], date=date.isoformat()) + _indented(body)


def _fields(one: EndpointSet) -> Iterator[tuple[str, object]]:
    yield from (("id", one.id), ("area", one.area), ("service", one.service), ("category", one.category))
    yield from (("required", one.required), ("express_route", one.express_route))
    for name in ("tcp", "udp", "urls", "ips"):
        values = getattr(one, name)
        if values:
            yield name, list(values)
    if one.notes:
        yield "notes", one.notes


def _indented(body: str) -> str:
    """Lists indented as the project's YAML is; PyYAML leaves them at their key."""
    lines, inside = [], False
    for line in body.splitlines():
        inside = inside or line == "sets:"
        if inside and line.startswith("- "):
            lines.append("  " + line)
        elif inside and line.startswith("  - "):
            lines.append("    " + line)
        else:
            lines.append("  " + line if inside and line != "sets:" else line)
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
