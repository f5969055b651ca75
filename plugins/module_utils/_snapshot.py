# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The return value ``snapshot`` on its way out of a module, and back into one. Pure.

Ansible masks a secret option's value wherever it occurs in what a module returns: with the password ``example`` the
name ``www.example.com`` would be lost. A text that holds a secret is therefore returned as a list of pieces, none of
which holds it.
"""

from __future__ import annotations

from typing import Any, Dict, Iterable, List, Mapping

from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError, shown

SNAPSHOT_FORMAT = 1
_LONGEST_KEY = 1000
_MASK = "********"


def sealed(snapshot: Mapping[str, Any], secrets: Iterable[str]) -> Dict[str, Any]:
    """The snapshot in a form that masking leaves as it is."""
    known = [secret for secret in secrets if len(secret) > 1]  # one character cannot be cut
    objects = {name: _cut(text, known) for name, text in snapshot["objects"].items()}
    return dict({name: _cut(value, known) for name, value in snapshot.items()}, objects=objects)


def opened(snapshot: Mapping[str, Any], name: str) -> Dict[str, Any]:
    """The snapshot as the driver gave it, refused where it cannot be ours or was masked on its way."""
    objects = snapshot.get("objects")
    snapshot = {key: _joined(value) for key, value in snapshot.items()}
    if snapshot.get("format") != SNAPSHOT_FORMAT or not isinstance(objects, dict):
        raise AllowlistError(
            f"snapshot: expected the `snapshot` value of an earlier run (format {SNAPSHOT_FORMAT}), "
            f"got format {shown(snapshot.get('format'))}"
        )
    if snapshot.get("name") != name:
        theirs = shown(snapshot.get("name"))
        raise AllowlistError(f"snapshot: it is of name {theirs}, and this run has name {shown(name)}")
    for key in objects:
        if not isinstance(key, str) or len(key) > _LONGEST_KEY:
            raise AllowlistError(f"snapshot: {shown(key)} is not the name of an object of ours")
    whole = {key: _joined(value) for key, value in objects.items()}
    if any(_MASK in text for text in whole.values() if isinstance(text, str)):
        raise AllowlistError(f"snapshot: Ansible has masked parts of it ({_MASK}), so it cannot be written back")
    return dict(snapshot, objects=whole)


def _cut(text: Any, secrets: Iterable[str]) -> Any:
    if not isinstance(text, str):
        return text
    pieces = [text]
    for secret in secrets:
        pieces = [part for piece in pieces for part in _without(piece, secret)]
    return pieces if len(pieces) > 1 else text


def _without(text: str, secret: str) -> List[str]:
    """The text in pieces that end in the middle of the secret."""
    pieces = []
    at = text.find(secret)
    while at >= 0:
        end = at + len(secret) // 2
        pieces.append(text[:end])
        text = text[end:]
        at = text.find(secret)
    return [*pieces, text]


def _joined(value: Any) -> Any:
    is_cut = isinstance(value, list) and all(isinstance(piece, str) for piece in value)
    return "".join(value) if is_cut else value
