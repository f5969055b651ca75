# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Publishing a set of files: read, plan, write, in an order in which a run may be killed anywhere."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, replace
from typing import Any, Dict, List, Mapping, Optional, Set, Tuple

from ansible_collections.egress.allowlist.plugins.module_utils import _publish_page as page
from ansible_collections.egress.allowlist.plugins.module_utils._entry import effective_ports
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError, ApplianceError
from ansible_collections.egress.allowlist.plugins.module_utils._plan import Holding, require_no_collapse
from ansible_collections.egress.allowlist.plugins.module_utils._publish_folder import (
    RECORD_MODE,
    Folder,
    Found,
    Rights,
    rights,
)
from ansible_collections.egress.allowlist.plugins.module_utils._publish_record import Published, Record, read_record
from ansible_collections.egress.allowlist.plugins.module_utils._publish_wanted import Offer, Wanted, as_entries, wanted

LONGEST_SHOWN = 1024 * 1024


@dataclass(frozen=True)
class Plan:
    """What the folder shall hold, beside what it holds."""

    present: Mapping[str, Found]
    after: Mapping[str, bytes]  # in the order in which they become visible
    rights: Rights
    record: Optional[Record]  # None: nothing of ours stays
    recorded: bool  # whether the record says so already
    leftovers: Tuple[str, ...]

    @property
    def written(self) -> List[str]:
        return [name for name, data in self.after.items() if self.present[name].data != data]

    @property
    def corrected(self) -> List[str]:
        same = [name for name in self.after if name not in self.written]
        return [name for name in same if not self.present[name].has(self.rights)]

    @property
    def removed(self) -> List[str]:
        return sorted(name for name, found in self.present.items() if found.there and name not in self.after)

    @property
    def changed(self) -> bool:
        return bool(self.written or self.corrected or self.removed or self.leftovers or not self.recorded)


def publish(options: Mapping[str, Any], check_mode: bool, with_diff: bool = False) -> Dict[str, Any]:
    """What the module returns."""
    asked, wished = wanted(options), rights(options)
    folder = Folder(options["directory"], options["name"])
    folder.lock()
    try:
        record, text = _read(folder, options)
        plan = _plan(folder, record, text, asked, wished, options)
        if plan.changed and not check_mode:
            _write(folder, record, plan)
    finally:
        folder.unlock()
    answer = {"changed": plan.changed, "files": _told(folder, asked, plan), "removed": plan.removed}
    return dict(answer, diff=_diff(folder, plan)) if with_diff else answer


# Reading


def _read(folder: Folder, options: Mapping[str, Any]) -> Tuple[Record, str]:
    """The record, empty where there is none, and its text."""
    found = folder.look(folder.record)
    if found.there and found.data is None:
        raise ApplianceError(f"{folder.at(folder.record)} is a link and not our record; take it away")
    text = (found.data or b"").decode("utf-8", "replace")
    if not found.there:
        return Record(options["name"]), ""
    try:
        return read_record(text, options["name"]), text
    except AllowlistError as error:
        if options["adopt"]:
            return Record(options["name"]), text
        raise ApplianceError(f"{folder.at(folder.record)}: {error}") from error


# Planning


def _plan(
    folder: Folder, record: Record, text: str, asked: Wanted, wished: Rights, options: Mapping[str, Any]
) -> Plan:
    leftovers = tuple(folder.leftovers())
    if options["state"] == "absent":
        ours = record.names | (set(_all_names(asked)) if options["adopt"] else set())
        present = {name: folder.look(name) for name in sorted(ours)}
        return Plan(present, {}, wished, None, not text, leftovers)
    _require_no_collapse(record, asked, options["max_shrink"])
    present = {name: folder.look(name) for name in sorted(record.names | set(_all_names(asked)))}
    after, new = _after(record, asked, present, options["name"])
    strangers = {name for name in set(present) - record.names if present[name].there and name in after}
    _refuse_strangers(folder, strangers, options["adopt"])
    unasked = set(present) - record.names - set(after)  # a signature's place that is not used: whose it is, who knows
    present = {name: found for name, found in present.items() if name not in unasked}
    return Plan(present, after, wished, new, new.text() == text, leftovers)


def _all_names(asked: Wanted) -> List[str]:
    return [*asked.names, *(offer.name + asked.suffix for offer in asked.offers)]


def _after(
    record: Record, asked: Wanted, present: Mapping[str, Found], name: str
) -> Tuple[Dict[str, bytes], Record]:
    """Every file in the order in which they go live, and the record of them."""
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    after: Dict[str, bytes] = {}
    files: Dict[str, Published] = {}
    for offer in asked.offers:
        after[offer.name] = offer.data
        since = record.since(offer.name, offer.sha256) or now
        published = Published(offer.sha256, len(offer.data), since, offer.dialect, offer.entries, offer.counts)
        signature = _signature(record, offer, offer.name + asked.suffix, present)
        if signature:  # right behind its file: a reader that meets only one of them new tries again
            after[offer.name + asked.suffix] = signature
            digest = hashlib.sha256(signature).hexdigest()
            published = replace(published, signature=offer.name + asked.suffix, signature_sha256=digest)
        files[offer.name] = published
    if asked.checksums:
        after[asked.checksums] = page.checksums(files)
    if asked.index:
        after[asked.index] = page.index(name, files, asked.checksums)
    return after, Record(name, files, asked.pages)


def _signature(record: Record, offer: Offer, name: str, present: Mapping[str, Found]) -> bytes:
    """The signature that belongs to this content: the one given, or the one that lies there and is known to."""
    if offer.signature is not None:
        return offer.signature
    known, data = record.files.get(offer.name), present[name].data
    if known is None or data is None or known.signature != name or known.sha256 != offer.sha256:
        return b""
    return data if hashlib.sha256(data).hexdigest() == known.signature_sha256 else b""


def _refuse_strangers(folder: Folder, strangers: Set[str], adopt: bool) -> None:
    if not strangers:
        return
    for other in folder.others():
        try:
            text = (folder.look(other).data or b"").decode("utf-8")
            theirs = read_record(text, other[len(".egress_") : -len(".json")])
        except (AllowlistError, UnicodeDecodeError):
            continue  # whoever runs that list will be told
        both = sorted(strangers & theirs.names)
        if both:
            raise ApplianceError(
                f"{', '.join(both)} in {folder.path} belongs to our list {theirs.name}. Nothing was written. Use "
                "another directory, or other file names, `index` and `checksums`"
            )
    if not adopt:
        raise ApplianceError(
            f"{folder.path} holds files with our names that we did not write: {', '.join(sorted(strangers))}. "
            "Nothing was written. Move them away, or take them over with adopt: true (look at --check --diff first)"
        )


def _require_no_collapse(record: Record, asked: Wanted, max_shrink: int) -> None:
    """For each file, and for all of them together."""
    old: Set[str] = set()
    new: Set[str] = set()
    for offer in asked.offers:
        before = record.files[offer.name].entries if offer.name in record.files else ()
        _compare(before, offer.entries, max_shrink, offer.name)
        new.update(offer.entries)
    for published in record.files.values():
        old.update(published.entries)
    _compare(tuple(sorted(old)), tuple(sorted(new)), max_shrink, "the folder")


def _compare(before: Tuple[str, ...], after: Tuple[str, ...], max_shrink: int, holder: str) -> None:
    if set(before) - set(after):
        require_no_collapse(_holdings(before), _holdings(after), max_shrink, holder)


def _holdings(texts: Tuple[str, ...]) -> List[Holding]:
    entries = as_entries(texts, "the record's entries")
    return [Holding(replace(entry, ports=effective_ports(entry, ("tcp/443",))), ("allow",)) for entry in entries]


# Writing


def _write(folder: Folder, record: Record, plan: Plan) -> None:
    """Aside first, then the record of what is about to come, the files, what goes, and the record of what is there.

    Killed before the first rename nothing has changed; after it, the next run knows from the record what is ours and
    ends in the same state.
    """
    if not folder.exists and plan.record is not None:
        folder.make()
        folder.lock()
    for name in plan.leftovers:
        folder.remove(name)
    staged = folder.stage({name: plan.after[name] for name in plan.written}, plan.rights)
    try:
        _stage_records(folder, record, plan, staged)
        folder.switch(staged.pop("_pending"), folder.record)
        folder.sync()
        _switch(folder, plan, staged)
    except ApplianceError:
        folder.drop(staged.values())
        raise
    folder.sync()


def _stage_records(folder: Folder, record: Record, plan: Plan, staged: Dict[str, str]) -> None:
    files = plan.record.files if plan.record else {}  # no file can be called _pending or _record
    coming = dict.fromkeys([*plan.after, *plan.removed], ("", ""))
    coming.update({name: (files[name].sha256, files[name].since) for name in files})
    texts = {"_pending": replace(record, pending=dict(record.pending, **coming)).text()}
    if plan.record is not None:
        texts["_record"] = plan.record.text()
    own = Rights(RECORD_MODE, None, None)
    staged.update(folder.stage({key: text.encode("utf-8") for key, text in texts.items()}, own))


def _switch(folder: Folder, plan: Plan, staged: Mapping[str, str]) -> None:
    for name in plan.after:
        if name in plan.written:
            folder.switch(staged[name], name)
        elif name in plan.corrected:
            folder.correct(name, plan.rights)
    for name in plan.removed:
        folder.remove(name)
    folder.sync()
    if plan.record is None:
        folder.remove(folder.record)
    else:
        folder.switch(staged["_record"], folder.record)


# Telling


def _told(folder: Folder, asked: Wanted, plan: Plan) -> List[Dict[str, Any]]:
    if plan.record is None:
        return []
    touched = {*plan.written, *plan.corrected}
    files = plan.record.files
    return [
        {
            "name": offer.name,
            "path": folder.at(offer.name),
            "sha256": offer.sha256,
            "size": len(offer.data),
            "since": files[offer.name].since,
            "changed": bool(touched & {offer.name, offer.name + asked.suffix}),
            "signed": bool(files[offer.name].signature),
        }
        for offer in asked.offers
    ]


def _diff(folder: Folder, plan: Plan) -> List[Dict[str, str]]:
    """One element for each file whose content or rights change."""
    found = []
    for name in [*plan.after, *plan.removed]:
        before, after = plan.present[name], plan.after.get(name)
        if name in plan.corrected:
            texts = (_rights(before.rights, plan.rights), _rights(plan.rights, plan.rights))
        else:
            texts = (_shown(before.data, before.there), _shown(after, after is not None))
        if texts[0] != texts[1]:
            path = folder.at(name)
            found.append({"before_header": path, "after_header": path, "before": texts[0], "after": texts[1]})
    return found


def _shown(data: Optional[bytes], there: bool) -> str:
    if data is None:
        return "(a link)\n" if there else ""
    try:
        text = data.decode("utf-8") if len(data) <= LONGEST_SHOWN else ""
    except UnicodeDecodeError:
        text = ""
    return text or f"({len(data)} bytes, SHA-256 {hashlib.sha256(data).hexdigest()})\n"


def _rights(real: Rights, wished: Rights) -> str:
    owner = "" if wished.uid is None else f"owner {real.uid}\n"
    group = "" if wished.gid is None else f"group {real.gid}\n"
    return f"mode {real.mode:04o}\n{owner}{group}"
