# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the tests of the emulator of PAN-OS share: two clients of others, connected."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pan.xapi
import pytest
from ansible_collections.egress.allowlist.tests.emulators.panos.emulator import PanosEmulator
from panos.base import PanDevice

VSYS = "/config/devices/entry[@name='localhost.localdomain']/vsys/entry[@name='vsys1']"
ADDRESS = f"{VSYS}/address/entry[@name='{{}}']"
CATEGORY = f"{VSYS}/profiles/custom-url-category/entry[@name='mmd']"
RULES = f"{VSYS}/rulebase/security/rules"
IP = "<ip-netmask>192.0.2.1/32</ip-netmask>"
RULE = (
    "<from><member>trust</member></from><to><member>untrust</member></to><source><member>Desktops</member></source>"
    "<destination><member>any</member></destination><service><member>service-https</member></service>"
    "<application><member>any</member></application><category><member>{}</member></category><action>allow</action>"
)


def key_of(emulator: PanosEmulator, name: str = "egress") -> str:
    client = connected(emulator, "", name)
    client.keygen()
    return str(client.api_key)


def connected(emulator: PanosEmulator, key: str, name: str = "egress") -> pan.xapi.PanXapi:
    url = urlsplit(emulator.url)
    login = {"api_key": key} if key else {"api_username": name, "api_password": emulator.admins[name]}
    return pan.xapi.PanXapi(hostname=url.hostname, port=url.port, use_http=True, timeout=20, **login)


def device_of(device: PanDevice, emulator: PanosEmulator, name: str) -> Any:
    """The SDK knows https alone; the client below it knows both."""
    url = urlsplit(emulator.url)
    words = {"hostname": url.hostname, "port": url.port, "use_http": True, "timeout": 20}
    device._api_key = key_of(emulator, name)
    device._xapi_private = PanDevice.XapiWrapper(api_key=device._api_key, pan_device=device, **words)
    device.interval = 0
    device.refresh_system_info()
    return device


def refused(call: Callable[..., object], *args: object, **words: object) -> str:
    with pytest.raises(pan.xapi.PanXapiError) as error:
        call(*args, **words)
    return str(error.value)


def members(api: pan.xapi.PanXapi, xpath: str) -> list[str]:
    api.get(xpath)
    return [one.text or "" for one in api.element_root.iter("member")]


def committed(api: pan.xapi.PanXapi, admin: str = "egress") -> str:
    api.commit(
        cmd=f"<commit><partial><admin><member>{admin}</member></admin></partial></commit>", action="partial",
        sync=True, interval=0,
    )  # fmt: skip
    return str(api.status_detail)


def multi_config(api: pan.xapi.PanXapi, *actions: str, strict: bool = True) -> list[str]:
    """What came of each action: status, code, identity and text, as pan-python tells it from 0.20 on.

    pan-os-python asks for 0.17, which does not know the request yet, but sends what it is told.
    """
    more = {"action": "multi-config", "strict-transactional": "yes" if strict else "no"}
    document = f"<multi-config>{''.join(actions)}</multi-config>"
    failed = None
    try:
        api.set(None, document, extra_qs=more)
    except pan.xapi.PanXapiError as error:
        failed = error
    answers = api.element_root.findall("response")
    if failed is not None and not answers:
        raise failed
    assert (failed is not None) == any(one.get("status") == "error" for one in answers)
    told = [*(" ".join(f'{word}="{text}"' for word, text in one.attrib.items()) for one in answers)]
    return [f"{begin} {''.join(one.find('msg').itertext())}" for begin, one in zip(told, answers, strict=True)]
