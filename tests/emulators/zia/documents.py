# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Answers that nothing here changes, and short forms of rows."""

from __future__ import annotations

from typing import Any

from ansible_collections.egress.allowlist.tests.emulators.zia import kinds
from ansible_collections.egress.allowlist.tests.emulators.zia.kinds import Kind
from ansible_collections.egress.allowlist.tests.emulators.zia.reader import Reader
from ansible_collections.egress.allowlist.tests.emulators.zia.tenant import Row
from ansible_collections.egress.allowlist.tests.emulators.zia.urls import Target, parts

AUTH_SETTINGS_LITE = {
    "orgAuthType": "SAFECHANNEL_DIR", "oneTimeAuth": "OTP_DISABLED", "samlEnabled": False, "kerberosEnabled": False,
    "kerberosPwd": "", "passwordStrength": "STRONG", "passwordExpiry": "NEVER", "mobileAdminSamlIdpEnabled": False,
    "autoProvision": False, "directorySyncMigrateToScimEnabled": False,
}  # fmt: skip
SWITCHES = (
    "enableDynamicContentCat considerEmbeddedSites enforceSafeSearch enableOffice365 enableMsftO365 enableUcaasZoom "
    "enableUcaasLogMeIn enableUcaasRingCentral enableUcaasWebex enableChatGptPrompt enableMicrosoftCoPilotPrompt "
    "enableGeminiPrompt enablePOEPrompt enableMetaPrompt enablePerPlexityPrompt enableDeepSeekPrompt "
    "enableWriterPrompt enableGrokPrompt enableMistralAIPrompt enableClaudePrompt enableGrammarlyPrompt "
    "enableNewlyRegisteredDomains enableBlockOverrideForNonAuthUser enableCIPACompliance enableUcaasTalkdesk "
    "zveloDbLookupDisabled enableCreativeCommonsSearchResults"
).split()
FIXED: dict[str, Any] = {
    "/authSettings": {**AUTH_SETTINGS_LITE, "authFrequency": "PERMANENT_COOKIE"},
    "/authSettings/lite": AUTH_SETTINGS_LITE,
    "/eusaStatus/latest": {"id": 3183, "version": {"id": 7, "name": "SLA"}, "acceptedStatus": True},
    "/advancedUrlFilterAndCloudAppSettings": {**dict.fromkeys(SWITCHES, False), "safeSearchApps": []},
}


def lite(kind: Kind, row: Row) -> Row:
    """Number and name; for locations the keys that a client here reads (recorded: there are more)."""
    names = ("id", "name", "parentId", "tz") if kind is kinds.LOCATIONS else ("id", "name")
    return {name: row[name] for name in names if name in row}


def looked_up(url: str, reader: Reader) -> Row:
    host, port, path = parts(url)
    found = reader.categories_of(Target(host, int(port or 443), path))
    return {"url": url, "urlClassifications": sorted(found), "urlClassificationsWithSecurityAlert": []}
