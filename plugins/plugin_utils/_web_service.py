# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which list of Microsoft's endpoint web service counts now: when it is asked, and when the answer of last time does.

The version is asked for at most once in *check_interval*, the list only when the version moved. An answer that is
damaged is refused, one that shrank or grew too much waits for a person; meanwhile the list in use stays in use. Nothing
is ever silently empty: without any list there is an error.
"""

from __future__ import annotations

import datetime as dt
import multiprocessing
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError
from ansible_collections.egress.allowlist.plugins.module_utils._http import HttpSession, checked_url
from ansible_collections.egress.allowlist.plugins.plugin_utils import _ws_snapshot
from ansible_collections.egress.allowlist.plugins.plugin_utils._changes import (
    announced,
    for_tenant,
    lately_removed,
    rewind,
    rows,
)
from ansible_collections.egress.allowlist.plugins.plugin_utils._risks import RiskTable
from ansible_collections.egress.allowlist.plugins.plugin_utils._ws_answer import (
    Answer,
    Change,
    read_changes,
    read_endpoints,
    read_versions,
)
from ansible_collections.egress.allowlist.plugins.plugin_utils._ws_cache import Cache, checked_folder, name_of
from ansible_collections.egress.allowlist.plugins.plugin_utils._ws_client import (
    HOUR,
    LONGEST_WAIT,
    MICROSOFT,
    Client,
    ThrottledError,
)
from ansible_collections.egress.allowlist.plugins.plugin_utils._ws_trust import Limits, objection

# Additions are announced 30 days ahead; what is older by much and still not in the list went again.
WINDOW = 90
_SAME_RUN = 600
_KEPT_CHANGES = 2
_ATTEMPTS = 3


@dataclass(frozen=True)
class Settings:
    """The options of the lookup; *max_age* and *check_interval* in seconds, *grace* in days.

    *scratch*: a folder that ends with the run, for what must not be written to the cache.
    """

    instance: str = "worldwide"
    tenant: str | None = None
    url: str = MICROSOFT
    folder: str = "~/.cache/egress.allowlist"
    max_age: int = 7 * 86400
    stale: str = "error"
    offline: bool = False
    limits: Limits = field(default_factory=Limits)
    grace: int = 30
    check_interval: int = HOUR
    timeout: float = 10
    ca_path: str | None = None
    writes: bool = True
    scratch: str | None = None


@dataclass(frozen=True)
class Served:
    """The list that counts; *older* are earlier ones, the oldest first, as far as *grace* goes back."""

    answer: Answer
    changes: tuple[Change, ...] = ()
    older: tuple[Answer, ...] = ()
    date: str | None = None
    warnings: tuple[str, ...] = ()


class WebService:
    """The service as one lookup sees it.

    *risks* say what shared hosting is; *now* gives the time in seconds, *connect* the client, both for tests.
    """

    def __init__(
        self,
        settings: Settings,
        risks: RiskTable,
        now: Callable[[], float] = time.time,
        connect: Callable[[Settings, str], Client] | None = None,
    ) -> None:
        url = checked_url(settings.url, "web_service_url")
        if settings.check_interval < HOUR and url == MICROSOFT:
            raise AllowlistError(
                f"check_interval: Microsoft asks for at most one check an hour, so expected {HOUR} or more"
            )
        self._settings = settings
        self._risks = risks
        self._now = now
        self._connect = connect or _connect
        self._warnings: list[str] = []
        name = name_of(settings.instance, settings.tenant, url, MICROSOFT)
        folder = checked_folder(settings.folder)
        self._cache = Cache(folder, name, writes=settings.writes, scratch=settings.scratch)

    def serve(self) -> Served:
        """The list that counts now. AllowlistError when there is none that may be used."""
        if self._settings.offline:
            return self._embedded()
        if not self._is_due():
            return self._in_use()
        with self._cache.locked(self._settings.timeout * 4):
            if self._is_due():  # another play may have asked meanwhile
                self._ask()
            # Judged before the next play looks, which would take a list that waits for none.
            return self._in_use()

    def at(self, version: str) -> Answer:
        """The list as it was at *version*: as it was kept here, or as the service's own records lead back to it."""
        served = self.serve()
        latest = served.answer.version or ""
        if version == latest:
            return served.answer
        kept = self._kept("endpoints", version) or self._kept("held", version)
        if kept is not None:
            return kept
        if served.changes and self._is_told_of(version, served.changes) and version < latest:
            return rewind(served.answer, served.changes, version)
        known = ", ".join(self._cache.versions("endpoints")[-5:]) or "none"
        raise AllowlistError(
            f"the list of version {version} is not known: it was not kept here, and the service's records of changes "
            f"do not lead back to it. In use is {latest or 'one without a version'}; kept in {self._cache.folder}: "
            f"{known}"
        )

    def _is_told_of(self, version: str, changes: tuple[Change, ...]) -> bool:
        """Whether the service's records reach back to *version*; its first one has none."""
        return changes[0].version <= version or version in (self._cache.state().get("versions") or ())

    def before(self, version: str | None) -> str:
        """The version before *version*, as far as one is known."""
        told = {change.version for change in self._changes_of(self.serve().answer.version)}
        told |= {*self._cache.versions("endpoints"), *(self._cache.state().get("versions") or ())}
        earlier = [one for one in told if version and one < version]
        if not earlier:
            raise AllowlistError(f"since: no version before {version or 'this one'} is known; name one, or a file")
        return max(earlier)

    # Asking

    def _is_due(self) -> bool:
        state, now = self._cache.state(), self._now()
        # A clock that was set back is no reason to wait for years.
        if 0 < _number(state, "not_before") - now <= LONGEST_WAIT or _failed_in_this_run(state, now):
            return False
        known = self._known()
        if known is None or known.version != state.get("version"):
            return True  # there is none, or the file of the one in use was damaged
        return not 0 <= now - _number(state, "checked_at") < self._settings.check_interval

    def _ask(self) -> None:
        """Brings the cache up to date, or writes down why that could not be."""
        self._cache.forget_drafts()
        client = self._connect(self._settings, self._cache.client_id())
        state, now = self._cache.state(), self._now()
        try:
            versions = read_versions(client.version(self._settings.instance), self._settings.instance)
            latest, known = versions.latest, self._known()
            if known is not None and known.version == latest:
                state |= {"confirmed_at": now, "version": latest, "held": None}
            else:
                if self._kept("held", latest) is None:
                    text = client.endpoints(self._settings.instance, self._settings.tenant)
                    parse_endpoints(text, self._settings.instance, latest)
                    self._cache.write("held", latest, text)
                if known is None or known.version != state.get("version"):
                    state |= {"version": known and known.version, "confirmed_at": 0}
                state["held"] = latest
            if self._records(latest) is None:
                self._ask_for_changes(client, latest)
            state |= {"versions": list(versions.known), "checked_at": now, "failed": None, "not_before": 0}
        except AllowlistError as error:
            pause = error.seconds if isinstance(error, ThrottledError) else 0
            state |= {"failed": {"at": now, "run": _run(), "reason": str(error)}, "not_before": now + pause}
        self._cache.write_state(state)

    def _ask_for_changes(self, client: Client, version: str) -> None:
        """Without them the list is right all the same; only what is announced is missing."""
        try:
            text = client.changes(self._settings.instance)
            read_changes(text)
            self._cache.write("changes", version, text)
        except AllowlistError as error:
            self._warnings.append(f"what Microsoft announces is not known, and the list is used without it: {error}")

    # Judging

    def _in_use(self) -> Served:
        """The list that counts, after the one that waits was judged, and why it is not a newer one."""
        state, known, held, fresh = self._looked_at()
        if fresh is not None:
            reason = None if known is None else self._objection(known, fresh)
            if reason is None:
                return self._served(self._accept(fresh))
            self._warnings.append(
                f"version {held} of the web service's list is not used, {known and known.version} stays in use: "
                f"{reason}"
            )
        failed = state.get("failed")
        if isinstance(failed, dict):
            self._check_age(state, known, str(failed.get("reason")))
        if known is None:
            raise AllowlistError(f"there is no list of the web service in {self._cache.folder}, and none could be kept")
        return self._served(known)

    def _looked_at(self) -> tuple[dict[str, Any], Answer | None, str | None, Answer | None]:
        """State, list in use, and the one that waits; again where another play accepted that one meanwhile."""
        for _attempt in range(_ATTEMPTS):
            state, known = self._cache.state(), self._known()
            held = state.get("held")
            if not isinstance(held, str):
                return state, known, None, None
            fresh = self._kept("held", held)
            if fresh is not None:
                return state, known, held, fresh
        return state, known, None, None

    def _objection(self, known: Answer, fresh: Answer) -> str | None:
        old, new = ([*rows(one), *announced(one, self._changes_of(one.version), WINDOW)] for one in (known, fresh))
        changes = self._changes_of(fresh.version)
        today = dt.datetime.fromtimestamp(self._now(), dt.UTC).date()
        kept = lately_removed(self._older(fresh, changes), fresh, changes, self._settings.grace, today)
        return objection(old, new, self._settings.limits, self._risks, kept)

    def _accept(self, fresh: Answer) -> Answer:
        """The list that waited is the one in use; a newer one, which another play fetched meanwhile, waits instead."""
        version = str(fresh.version)
        with self._cache.locked(self._settings.timeout * 4):
            state, text = self._cache.state(), self._cache.read("held", version)
            waits = state.get("held")
            if waits is not None and text is not None:  # else another play has accepted it, or a newer one
                newer = waits if waits != version else None
                self._cache.write("endpoints", version, text)
                accepted = {"version": version, "held": newer, "confirmed_at": self._now()}
                self._cache.write_state(state | accepted)
                self._cache.forget_old("held", 0, but=newer)
                self._cache.forget_old("endpoints", but=version)
                self._cache.forget_old("changes", _KEPT_CHANGES, but=version)
        return fresh

    def _check_age(self, state: dict[str, Any], known: Answer | None, reason: str) -> None:
        """A list that nobody could confirm for long is used only where the user says so."""
        if known is None:
            raise AllowlistError(
                f"{reason}. There is no earlier list in {self._cache.folder}. Mend the way to the service, or use the "
                f"list of {_ws_snapshot.about(self._settings.instance)['date']} that comes with the collection: "
                "offline=true"
            )
        confirmed = _number(state, "confirmed_at") if state.get("version") == known.version else 0
        age = self._now() - confirmed
        since = f"last confirmed {_moment(confirmed)} ({_words(age)} ago)" if confirmed else "of unknown age"
        # A clock that was set right by a little is no reason to fail.
        if not -HOUR <= age <= self._settings.max_age and self._settings.stale != "allow":
            raise AllowlistError(
                f"{reason}. The list in the cache, version {known.version}, is {since}, and max_age is "
                f"{_words(self._settings.max_age)}. Mend the way to the service, or use that list with stale=allow, or "
                "the one that comes with the collection with offline=true"
            )
        self._warnings.append(f"{reason}. Version {known.version} is used, {since}")

    # What is kept

    def _known(self) -> Answer | None:
        """The list in use; where its file was damaged, the newest that is whole."""
        wanted = self._cache.state().get("version")
        versions = [*([wanted] if isinstance(wanted, str) else []), *reversed(self._cache.versions("endpoints"))]
        found = (self._kept("endpoints", version) for version in dict.fromkeys(versions))
        return next((answer for answer in found if answer is not None), None)

    def _kept(self, kind: str, version: str) -> Answer | None:
        text = self._cache.read(kind, version)
        try:
            return None if text is None else parse_endpoints(text, self._settings.instance, version)
        except AllowlistError:
            return None

    def _changes_of(self, version: str | None) -> tuple[Change, ...]:
        return (self._records(version) if version else None) or ()

    def _records(self, version: str) -> tuple[Change, ...] | None:
        """The service's records of changes as kept with that version; None where they are not known."""
        text = self._cache.read("changes", version)
        try:
            return None if text is None else _parse_changes(text, self._settings.tenant)
        except AllowlistError:
            return None

    def _embedded(self) -> Served:
        about = _ws_snapshot.about(self._settings.instance)
        version = f"version {about['version']}, " if about["version"] else ""
        self._warnings.append(
            f"offline: the list of {self._settings.instance} that comes with the collection is used, {version}answer "
            f"of {about['date']}; what Microsoft changed since is not in it"
        )
        return Served(_ws_snapshot.load(self._settings.instance), date=about["date"], warnings=tuple(self._warnings))

    def _served(self, answer: Answer) -> Served:
        changes = self._changes_of(answer.version)
        return Served(
            answer=answer,
            changes=changes,
            older=self._older(answer, changes),
            date=_moment(_number(self._cache.state(), "confirmed_at")),
            warnings=(*self._warnings, *answer.notes, *self._cache.problems),
        )

    def _older(self, answer: Answer, changes: tuple[Change, ...]) -> tuple[Answer, ...]:
        """The list before *grace* began, as it was kept here, else by the service's records; and what was in use since.

        What came with one version and went with the next stays only where it was in use: a list that waited for a
        person, and was withdrawn, leaves nothing.
        """
        if not answer.version or self._settings.grace <= 0:
            return ()
        now = dt.datetime.fromtimestamp(self._now(), dt.UTC)
        first = f"{now - dt.timedelta(days=self._settings.grace + 1):%Y%m%d}99"
        if answer.version <= first:
            return ()
        used = self._cache.versions("endpoints")
        told = {*used, *(change.version for change in changes)}
        before = [max((version for version in told if version <= first), default=first)]
        found = (
            self._kept("endpoints", version) or (rewind(answer, changes, version) if changes else None)
            for version in [*before, *(version for version in used if first < version < answer.version)]
        )
        return tuple(one for one in found if one is not None)


@lru_cache(maxsize=16)
def parse_endpoints(text: str, instance: str, version: str | None) -> Answer:
    """As ``read_endpoints``, once per process."""
    return read_endpoints(text, instance, version)


@lru_cache(maxsize=4)
def _parse_changes(text: str, tenant: str | None) -> tuple[Change, ...]:
    changes = read_changes(text)
    return changes if tenant is None else tuple(for_tenant(change, tenant) for change in changes)


def _connect(settings: Settings, client_id: str) -> Client:
    session = HttpSession(timeout=settings.timeout, ca_path=settings.ca_path)
    return Client(session, checked_url(settings.url, "web_service_url"), client_id)


def _failed_in_this_run(state: dict[str, Any], now: float) -> bool:
    """A service that is down is asked once in a run, not once for each host of it."""
    failed = state.get("failed")
    if not isinstance(failed, dict) or not 0 <= now - _number(failed, "at") < _SAME_RUN:
        return False
    return failed.get("run") == _run()


def _run() -> str:
    """Ansible evaluates lookups in short-lived children of one process for each run.

    Its number alone does not tell one run from the next: in a container each has the same.
    """
    process = os.getpid() if multiprocessing.parent_process() is None else os.getppid()
    try:
        with open(f"/proc/{process}/stat", encoding="ascii", errors="replace") as file:
            started = file.read().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        started = "-"
    return f"{process} {started}"


def _number(data: dict[str, Any], name: str) -> float:
    value = data.get(name)
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else 0


def _moment(seconds: float) -> str:
    return f"{dt.datetime.fromtimestamp(seconds, dt.UTC):%Y-%m-%d %H:%M} UTC"


def _words(seconds: float) -> str:
    for unit, length in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if abs(seconds) >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} seconds"
