# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is expected of an endpoint, and whether an answer is as expected. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Dict, FrozenSet, Mapping, Optional, Sequence

from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError

INTENTS = ("allow", "bypass_tls_inspection", "bypass_content_inspection", "bypass_authentication")
RISKS = ("shared_hosting", "third_party", "retired")


@dataclass(frozen=True)
class Expectation:
    """The intents that should have come true, and those for entries of a risk."""

    intents: FrozenSet[str] = frozenset(INTENTS)
    by_risk: Mapping[str, FrozenSet[str]] = field(default_factory=dict)

    def of(self, risk: Optional[str]) -> FrozenSet[str]:
        """What is expected of an entry of this risk."""
        return self.by_risk.get(risk or "", self.intents)


def expectation(intents: Sequence[str], by_risk: Optional[Mapping[str, Any]]) -> Expectation:
    """Read the options *intents* and *intents_by_risk*."""
    special: Dict[str, FrozenSet[str]] = {}
    for risk, chosen in (by_risk or {}).items():
        where = f"intents_by_risk[{risk!r}]"
        if risk not in RISKS:
            raise AllowlistError(f"{where}: expected one of {', '.join(RISKS)}")
        if not isinstance(chosen, (list, tuple)):
            raise AllowlistError(f"{where}: expected a list of intents, got {chosen!r}")
        for index, one in enumerate(chosen):
            if one not in INTENTS:
                raise AllowlistError(f"{where}[{index}]: expected one of {', '.join(INTENTS)}, got {one!r}")
        special[risk] = frozenset(chosen)
    return Expectation(frozenset(intents), special)


def status(answer: Mapping[str, Any], intents: FrozenSet[str]) -> str:
    """Is an answer as intended: C(ok), C(failed) or C(not_provable)?"""
    outcome = answer["outcome"]
    if outcome == "tls_inspected" and "bypass_tls_inspection" not in intents:
        return _of_accepted_inspection(answer)
    if outcome == "content_inspected" and "bypass_content_inspection" not in intents:
        return "ok"
    if outcome == "proxy_auth_required" and "bypass_authentication" not in intents:
        return "not_provable"  # the probe has no credentials, so what is behind stays unknown
    return {"reachable": "ok", "not_provable": "not_provable"}.get(outcome, "failed")


def _of_accepted_inspection(answer: Mapping[str, Any]) -> str:
    """An inspector that this host does not trust breaks what it inspects."""
    if answer["steps"].get("tls", {}).get("trust") != "known":
        return "failed"
    return "ok" if answer["allowed"] else "not_provable"
