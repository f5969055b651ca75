# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A PAC file: which proxies would a desktop use for this URL?

The file comes from somewhere else, so it is run by an interpreter of our own that counts its steps: it ends, it takes
no more memory than it may, and it reaches nothing but the functions that are made for PAC files.
"""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import Any, Callable, Iterator, List

from ansible_collections.egress.allowlist.plugins.module_utils._errors import shown
from ansible_collections.egress.allowlist.plugins.module_utils._pac_compile_statements import compile_file
from ansible_collections.egress.allowlist.plugins.module_utils._pac_errors import PacError, PacLimitError, Thrown
from ansible_collections.egress.allowlist.plugins.module_utils._pac_functions import Addresses, Resolve, pac_functions
from ansible_collections.egress.allowlist.plugins.module_utils._pac_library import furnish
from ansible_collections.egress.allowlist.plugins.module_utils._pac_operators import to_text
from ansible_collections.egress.allowlist.plugins.module_utils._pac_realm import Realm
from ansible_collections.egress.allowlist.plugins.module_utils._pac_syntax import parse
from ansible_collections.egress.allowlist.plugins.module_utils._pac_values import UNDEFINED, JsObject, Scripted, Value

MOST_CHARACTERS = 1 << 20
# As in browsers, what a script leaves behind may be seen by its next call, or not: there is more than one of it.
_MOST_REALMS = 8
_ENTRY = "FindProxyForURL"


class PacFile:
    """A PAC file that was read; *where* it comes from goes into the errors. Safe to be asked by many threads."""

    def __init__(
        self,
        text: str,
        where: str,
        resolve: Resolve,
        my_addresses: Addresses,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.where = where
        self._now = now
        self._functions = pac_functions(resolve, my_addresses)
        self._free: List[Realm] = []
        self._places = threading.Semaphore(_MOST_REALMS)
        self._given_up = ""
        with self._told():
            if len(text) > MOST_CHARACTERS:
                raise PacLimitError(f"more than {MOST_CHARACTERS} characters")
            self._file = compile_file(parse(text.lstrip("\ufeff")))
            self._free.append(self._realm())

    def find(self, url: str, host: str) -> List[str]:
        """What the file says of a URL, such as [PROXY p:8080, DIRECT]; PacError where it fails."""
        if self._given_up:
            raise PacError(self._given_up)
        with self._places, self._told():
            realm = self._free.pop() if self._free else self._realm()
            answer = self._ask(realm, url, host)
            if not realm.is_worn:
                self._free.append(realm)
            return answer

    @staticmethod
    def _ask(realm: Realm, url: str, host: str) -> List[str]:
        realm.renew()
        answer = realm.call(realm.outer.get(_ENTRY), realm.outer, [url, host])
        # Where the function ends without an answer, browsers go the direct way.
        if answer is None or answer is UNDEFINED or answer == "":
            return ["DIRECT"]
        if not isinstance(answer, str):
            raise PacError(f"{_ENTRY} did not return a text")
        ways = [" ".join(way.split()) for way in answer.split(";")]
        return [way for way in ways if way] or ["DIRECT"]

    def _realm(self) -> Realm:
        realm = Realm(self._now)
        furnish(realm)
        for name, code in self._functions.items():
            realm.outer.properties[name] = realm.native(name, code)
        realm.run(self._file)
        if not isinstance(realm.outer.get(_ENTRY), Scripted):
            raise PacError(f"it has no function {_ENTRY}")
        return realm

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Errors of all kinds with the name of the file; limits end its use, so that they are paid for once."""
        try:
            yield
        except PacLimitError as error:
            self._given_up = str(self._error(str(error)))
            raise PacError(self._given_up) from None
        except PacError as error:
            raise self._error(str(error)) from None
        except Thrown as thrown:
            raise self._error(str(PacError(_thrown_text(thrown.value), thrown.line))) from None
        except RecursionError:
            raise self._error("nested too deep") from None
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            raise self._error(f"it cannot be run: {type(error).__name__}: {error}") from error

    def _error(self, text: str) -> PacError:
        return PacError(f"PAC file {self.where}: {text}")


def _thrown_text(value: Value) -> str:
    """What a script threw, for the user; its own toString is not asked."""
    if isinstance(value, JsObject):
        texts: List[Any] = [value.get(name) for name in ("name", "message")]
        return ": ".join(text for text in texts if isinstance(text, str) and text)[:200] or "it threw an object"
    return f"it threw {shown(to_text(None, value))}"
