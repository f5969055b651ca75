# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What ZIA says when it does not do what was asked. (Marked "unverified": the words or the status are a guess.)"""

from __future__ import annotations

from ansible_collections.egress.allowlist.tests.emulators.server import Answer, json_answer


class Refused(Exception):  # noqa: N818  # an answer, and an error only for the client
    def __init__(self, status: int, code: str = "", message: str = "", **headers: str) -> None:
        super().__init__(message or code)
        self.status, self.code, self.message, self.headers = status, code, message, headers

    def answer(self) -> Answer:
        named = (("code", self.code), ("message", self.message))
        return json_answer({name: text for name, text in named if text}, self.status, **self.headers)


def bad_body() -> Refused:
    """What a field that is not known, or of the wrong type, gets (recorded)."""
    return Refused(400, message="Request body is invalid.")


def bad_input(message: str) -> Refused:
    return Refused(400, "INVALID_INPUT_ARGUMENT", message)


def duplicate() -> Refused:
    """Seen for network services (troubleshooting guide of Zscaler's Terraform provider); for others unverified."""
    return Refused(400, "DUPLICATE_ITEM", "DUPLICATE_ITEM")


def not_found(what: str) -> Refused:
    """The code is recorded, the words are unverified."""
    return Refused(404, "RESOURCE_NOT_FOUND", f"{what} is not found")


def in_use(rules: int) -> Refused:
    """The code is known from Zscaler's Terraform provider; the status is unverified.

    409 on purpose: a client must not take every 409 for the edit lock and wait.
    """
    return Refused(409, "RESOURCE_IN_USE", f"The resource is associated with {rules} rule(s)")


def limit_reached(message: str) -> Refused:
    """Status and code: Zscaler's Go SDK, IsLimitExceeded."""
    return Refused(403, "LIMIT_EXCEEDED", message)
