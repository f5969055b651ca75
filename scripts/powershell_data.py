# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes what the Windows side of the probe takes over from the Python side, which is the original.

    .venv/bin/python scripts/powershell_data.py           write
    .venv/bin/python scripts/powershell_data.py --check   only compare; 1 where something differs

The table of rules and the known certificate authorities go into EgressProbeRules.psm1, the documentation of the
options and return values into win_probe.yml, with the words of scripts/win_probe_words.yml where Windows differs."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.egress.allowlist.plugins.module_utils._probe_microsoft import MICROSOFT_FINGERPRINTS
from ansible_collections.egress.allowlist.plugins.module_utils._probe_rules import RULES
from ansible_collections.egress.allowlist.plugins.modules import probe

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / "plugins" / "module_utils" / "EgressProbeRules.psm1"
PAGE = ROOT / "plugins" / "modules" / "win_probe.yml"
WORDS = ROOT / "scripts" / "win_probe_words.yml"
HEADER = """\
# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
---
# Written by scripts/powershell_data.py from the documentation of the module probe and scripts/win_probe_words.yml.
"""


def data(text: str) -> str:
    """The file with what stands between the marks replaced: ASCII, one row a line, so that no line ends the text."""
    rows = ",\n".join(json.dumps(rule, sort_keys=True) for rule in RULES)
    known = ",\n".join(f"{json.dumps(key)}: {json.dumps(name)}" for key, name in MICROSOFT_FINGERPRINTS.items())
    for name, block in {"RULES": f"[\n{rows}\n]\n", "MICROSOFT": f"{{\n{known}\n}}\n"}.items():
        head, begin, rest = text.partition(f"# BEGIN {name}\n")
        _old, end, tail = rest.partition(f"# END {name}\n")
        if not begin or not end:
            raise SystemExit(f"{DATA}: the marks of {name} are missing")
        text = head + begin + block + end + tail
    return text


def page() -> str:
    """The documentation of win_probe."""
    words = yaml.safe_load(WORDS.read_text(encoding="utf-8"))
    ours = yaml.safe_load(probe.DOCUMENTATION)
    options: dict[str, Any] = {}
    for name, option in ours["options"].items():
        kept = {key: value for key, value in option.items() if key != "version_added"}
        options[name] = {**kept, **words["options"].get(name, {})}
    unknown = set(words["options"]) - set(options)
    if unknown:
        raise SystemExit(f"{WORDS}: the module probe has no option {', '.join(sorted(unknown))}")
    documentation = {"module": "win_probe", **words["documentation"], "options": options, "seealso": words["seealso"]}
    whole = {
        "DOCUMENTATION": documentation,
        "EXAMPLES": words["examples"],
        "RETURN": yaml.safe_load(probe.RETURN),
    }
    return HEADER + yaml.dump(whole, Dumper=Indented, width=118, sort_keys=False, allow_unicode=True)


class Indented(yaml.SafeDumper):
    """Lists stand deeper than their key, and a text of several lines keeps them."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002
        super().increase_indent(flow, False)


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


Indented.add_representer(str, _text)


def main(words: list[str]) -> int:
    wanted = {DATA: data(DATA.read_text(encoding="utf-8")), PAGE: page()}
    differs = [path for path, text in wanted.items() if not path.is_file() or path.read_text(encoding="utf-8") != text]
    if words == ["--check"]:
        print(*(f"not up to date: {path.relative_to(ROOT)}" for path in differs), sep="\n")
        return int(bool(differs))
    for path in differs:
        path.write_text(wanted[path], encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
