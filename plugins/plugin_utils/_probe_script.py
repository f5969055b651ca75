# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The probe as one file, with the targets and options inside, for hosts that Ansible does not reach. Pure but for
reading the collection's own files.

Options are data: JSON in ASCII on one line. In Python it stands as a literal that repr() wrote. In PowerShell it stands
in a here-string in single quotes, where nothing is expanded and which only a line that begins with '@ can end.
"""

from __future__ import annotations

import ast
import base64
import json
import re
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

PLUGINS = Path(__file__).resolve().parents[1]
PACKAGE = "ansible_collections.egress.allowlist.plugins"
_ENTRY = f"{PACKAGE}.module_utils._probe_alone"
# What the script on the host works by; the rest is the control node's own business.
FOR_THE_HOST = (
    "targets", "range_targets", "proxy", "proxy_settings", "pac", "families", "retries", "timeout", "deadline",
    "threads", "min_tls", "public_ca_path", "public_fingerprints", "inspection_ca_path", "control_name",
)
_LICENCE = """\
# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""
_WORDS = """\
#
# Asks from this host for the endpoints below, and writes what it saw to the file below. It changes nothing else, and
# sends no credentials. Exit code 0: the file is written, whatever it says. 1: it is not, and one line says why.
# Whether all is well is judged where the files are collected, by the role egress.allowlist.verify.
"""
_PYTHON = '''\
#!/usr/bin/env python3
{licence}{words}
import base64, importlib.abc, importlib.util, json, sys, zlib

OPTIONS = json.loads({options!r})
RESULTS = {results!r}
# Files of the collection egress.allowlist by their names, as JSON, compressed.
FILES = json.loads(zlib.decompress(base64.b64decode("""
{files}
""")).decode("utf-8"))


class Inside(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Imports from this file."""

    def find_spec(self, name, path=None, target=None):
        return importlib.util.spec_from_loader(name, self) if name in FILES else None

    def is_package(self, name):
        return any(other.startswith(name + ".") for other in FILES)

    def get_source(self, name):
        return FILES[name]


sys.meta_path.insert(0, Inside())
from {entry} import main

if __name__ == "__main__":
    sys.exit(main(OPTIONS, RESULTS))
'''
_POWERSHELL = """\
{licence}{words}
$ErrorActionPreference = 'Stop'
$OptionText = @'
{options}
'@
$Results = @'
{results}
'@

{functions}
exit (Invoke-Alone $OptionText (ConvertFrom-Json $Results))
"""


def render(kind: str, options: Mapping[str, Any], results_path: str) -> str:
    """The text of the script; *kind* is V(powershell) or V(python)."""
    data = {name: options[name] for name in FOR_THE_HOST}
    return {"powershell": _powershell, "python": _python}[kind](data, results_path)


def _python(data: Mapping[str, Any], results_path: str) -> str:
    files = json.dumps(_python_files(), sort_keys=True).encode("utf-8")
    packed = base64.b64encode(zlib.compress(files, 9)).decode("ascii")
    return _PYTHON.format(
        licence=_LICENCE,
        words=_WORDS,
        options=json.dumps(data, sort_keys=True),
        results=results_path,
        files="\n".join(re.findall(".{1,120}", packed)),
        entry=_ENTRY,
    )


def _powershell(data: Mapping[str, Any], results_path: str) -> str:
    return _POWERSHELL.format(
        licence=_LICENCE,
        words=_WORDS,
        options=json.dumps(data, sort_keys=True),
        results=json.dumps(results_path),
        functions="\n".join(_functions(path) for path in _powershell_files()),
    )


def _python_files() -> dict[str, str]:
    """The modules that the entry imports, directly or not, and their packages, which are empty."""
    found: dict[str, str] = {}
    waiting = [_ENTRY]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = _source(name)
            waiting += [other for other in _imports(found[name]) if _file_of(other).is_file()]
    for name in list(found):
        parts = name.split(".")
        found.update({".".join(parts[:count]): "" for count in range(1, len(parts))})
    return found


def _imports(source: str) -> Iterator[str]:
    """Names of ours that a source imports; of `from a import b` both, since b may be a module."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(PACKAGE):
            yield str(node.module)
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _file_of(name: str) -> Path:
    return PLUGINS.joinpath(*name[len(PACKAGE) + 1 :].split(".")).with_suffix(".py")


def _source(name: str) -> str:
    return _file_of(name).read_text(encoding="utf-8")


def _powershell_files() -> list[Path]:
    return sorted((PLUGINS / "module_utils").glob("EgressProbe*.psm1"))


def _functions(path: Path) -> str:
    """A file without its head and without what only a module may say."""
    lines = path.read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines[3:] if not line.startswith(("#AnsibleRequires", "Export-ModuleMember"))]
    return "\n".join([f"# {path.name}", *kept]).rstrip() + "\n"
