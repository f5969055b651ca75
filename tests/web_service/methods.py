# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The three methods of the service: their parameters, and what it says to wrong ones.

Exact texts: that about ClientRequestId from microsoft-365-docs#6509, that about the tenant from
Office365NetworkTools#3. Those of other errors are not documented.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from . import answers
from .faults import Reply
from .published import Published, instance_of

if TYPE_CHECKING:
    from .wire import Request

DOCUMENTED = "Documentation is available at http://aka.ms/ipurlws"
NO_GUID = f"Valid ClientRequestId Guid is required in the query string. {DOCUMENTED}"
NO_TENANT = f"Tenant Name, if specified, should be a valid alphanumeric string with up to 27 characters. {DOCUMENTED}"
NO_VERSION = f"Version should contain exactly 10 digits. {DOCUMENTED}"
NO_FORMAT = f"Format is not supported. {DOCUMENTED}"
_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_CACHED = {"Cache-Control": "public, max-age=3600"}


class Refused(Exception):  # noqa: N818  # not an error of ours: it is what the service answers
    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


def answer(request: Request, published: Published, url: str) -> Reply:
    try:
        if request.method not in ("GET", "HEAD"):
            raise Refused(405, "The requested resource does not support this method.")
        words = [word for word in request.path.split("/") if word]
        if words:
            words[0] = words[0].lower()
        if _GUID.fullmatch(request.parameter("ClientRequestId") or "") is None:
            raise Refused(400, NO_GUID)
        if words[:1] == ["version"] and len(words) <= 2:
            return _version(request, published, words[1:], url)
        if words[:1] == ["endpoints"] and len(words) == 2:
            return _endpoints(request, published, words[1])
        if words[:1] == ["changes"] and len(words) == 3:
            return _changes(request, published, words[1], words[2])
        raise Refused(404, "Not Found")
    except Refused as refused:
        return Reply(refused.status, str(refused).encode(), "text/plain; charset=utf-8")


def _version(request: Request, published: Published, words: list[str], url: str) -> Reply:
    told = words[0] if words else request.parameter("Instance")
    instances = [_known(told, published)] if told else published.instances()
    is_all = _is_true(request, "AllVersions")
    found = [answers.version(one, published.versions(one), is_all) for one in instances]
    form = _format(request, "json", "csv", "rss")
    if form == "csv":
        return _text(answers.version_csv(found), "text/csv", _CACHED)
    if form == "rss":
        guid = request.parameter("ClientRequestId") or ""
        text = answers.version_rss(found, lambda one, number: published.changes(one, number, only=True), url, guid)
        return _text(text, "application/rss+xml", _CACHED)
    return _json(found[0] if told else found, _CACHED)


def _endpoints(request: Request, published: Published, word: str) -> Reply:
    instance = _known(word, published)
    tenant = request.parameter("TenantName")
    if tenant is not None and re.fullmatch(r"[A-Za-z0-9]{1,27}", tenant) is None:
        raise Refused(400, NO_TENANT)
    areas = [area.strip() for area in (request.parameter("ServiceAreas") or "").split(",") if area.strip()]
    found = answers.endpoints(
        published.records(instance), areas=areas, tenant=tenant, ipv6=not _is_true(request, "NoIPv6")
    )
    if _format(request, "json", "csv") == "csv":
        return _text(answers.endpoints_csv(found), "text/csv")
    return _json(found)


def _changes(request: Request, published: Published, word: str, since: str) -> Reply:
    instance = _known(word, published)
    if re.fullmatch(r"[0-9]{10}", since) is None:
        raise Refused(400, NO_VERSION)
    _format(request, "json")
    return _json(published.changes(instance, since, only=request.parameter("singleVersion") is not None))


def _known(word: str, published: Published) -> str:
    name = instance_of(word)
    if name is None or not published.has(name) or "_" in word:
        raise Refused(404, "Not Found")
    return name


def _is_true(request: Request, name: str) -> bool:
    return (request.parameter(name) or "").lower() == "true"


def _format(request: Request, *known: str) -> str:
    form = (request.parameter("Format") or "json").lower()
    if form not in known:
        raise Refused(400, NO_FORMAT)
    return form


def _json(data: object, headers: dict[str, str] | None = None) -> Reply:
    return Reply(200, json.dumps(data, ensure_ascii=False).encode(), headers=dict(headers or {}))


def _text(text: str, kind: str, headers: dict[str, str] | None = None) -> Reply:
    return Reply(200, text.encode(), f"{kind}; charset=utf-8", dict(headers or {}))
