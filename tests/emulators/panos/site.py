# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the site has configured before anybody runs this collection."""

from __future__ import annotations

_ANY = "".join(f"<{tag}><member>any</member></{tag}>" for tag in ("source", "destination", "source-user", "category"))


def _rule(name: str, kind: str, more: str, zones: tuple[str, str] = ("trust", "untrust")) -> str:
    where = f"<from><member>{zones[0]}</member></from><to><member>{zones[1]}</member></to>"
    application = "<application><member>any</member></application>" if kind == "security" else ""
    return f'<entry name="{name}">{where}{_ANY}<service><member>any</member></service>{application}{more}</entry>'


_OBJECTS = """
<address>
  <entry name="Desktops"><ip-netmask>10.20.0.0/16</ip-netmask></entry>
  <entry name="Printers"><ip-netmask>10.21.0.0/24</ip-netmask></entry>
</address>
<address-group><entry name="Staff"><static><member>Desktops</member></static></entry></address-group>
<service><entry name="odd"><protocol><tcp><port>8081</port></tcp></protocol></entry></service>
<profiles><custom-url-category>
  <entry name="Blocked sites"><list><member>bad.example/</member></list><type>URL List</type></entry>
</custom-url-category></profiles>
<profile-group><entry name="Strict"/></profile-group>
"""


def _rulebase() -> str:
    security = [
        _rule("Block bad sites", "security", "<action>deny</action>").replace(
            "<category><member>any</member></category>", "<category><member>Blocked sites</member></category>"
        ),
        _rule("Printers stay inside", "security", "<action>deny</action>").replace(
            "<source><member>any</member></source>", "<source><member>Printers</member></source>"
        ),
        _rule("Block the rest", "security", "<action>deny</action>"),
    ]
    decryption = [_rule("Inspect", "decryption", "<action>decrypt</action><type><ssl-forward-proxy/></type>")]
    enforced = "<authentication-enforcement>default-web-form</authentication-enforcement>"
    authentication = [_rule("Log in", "authentication", enforced)]
    bases = {"security": security, "decryption": decryption, "authentication": authentication}
    return "".join(f"<{kind}><rules>{''.join(rules)}</rules></{kind}>" for kind, rules in bases.items())


def firewall(panorama: str = "") -> str:
    managed = f"<panorama><local-panorama><panorama-server>{panorama}</panorama-server></local-panorama></panorama>"
    return f"""<config version="11.1.0"><shared><address>
<entry name="Branch"><ip-netmask>10.40.0.0/16</ip-netmask></entry></address></shared>
<devices><entry name="localhost.localdomain">
<deviceconfig><system><hostname>fw1</hostname>{managed if panorama else ""}</system></deviceconfig>
<vsys><entry name="vsys1">{_OBJECTS}
<zone><entry name="trust"/><entry name="untrust"/></zone>
<rulebase>{_rulebase()}</rulebase></entry></vsys></entry></devices></config>"""


def panorama() -> str:
    return f"""<config version="11.1.0"><shared/><devices><entry name="localhost.localdomain">
<deviceconfig><system><hostname>panorama</hostname></system></deviceconfig>
<device-group><entry name="Branches"><devices><entry name="0001A"/><entry name="0002B"/></devices>{_OBJECTS}
<pre-rulebase>{_rulebase()}</pre-rulebase></entry></device-group></entry></devices></config>"""
