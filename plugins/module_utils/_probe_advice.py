# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What to do about an outcome: one sentence for whoever has to open the ticket. Data."""

from __future__ import annotations

from typing import Dict, Optional, Tuple

_ADVICE: Dict[Tuple[str, Optional[str]], str] = {
    ("dns_failure", None): (
        "Ask the resolver that this host uses for the name, and compare with another one; a DNS filter has "
        "to exempt it."
    ),
    ("dns_sinkhole", None): "Exempt the name on the resolver or DNS filter, and look at this host's hosts file.",
    ("refused", None): (
        "Ask from another network. Refused there too: the service does not listen on this port. Otherwise a firewall "
        "rejects: give it this destination."
    ),
    ("refused", "firewall"): "A firewall on the way rejects: give it this destination, or apply the allowlist to it.",
    ("unreachable", "client"): "Look at this host's routes, address families and own firewall.",
    ("unreachable", "firewall"): "A router or firewall on the way forbids it: apply the allowlist there.",
    ("timeout", "firewall"): (
        "Apply the allowlist to the firewall on the way, and let this host use the resolver that the "
        "firewall learns from."
    ),
    ("timeout", "unknown"): (
        "Ask the proxy's log for this request: either it waits for the server, or something behind "
        "drops."
    ),
    ("timeout", "server"): (
        "The service is silent for others too: nothing to do on this network; look at its status "
        "page."
    ),
    ("reset", "firewall"): (
        "Something cuts the connection once it sees the name: exempt the name from filtering by SNI or by category."
    ),
    ("reset", "proxy"): "Look into the proxy's log: it cuts this connection.",
    ("reset", "unknown"): "Look into the proxy's log for this name: it tells whether the server or a rule cut it.",
    ("proxy_unreachable", "client"): "Look at this host's route and firewall towards the proxy.",
    ("proxy_unreachable", "proxy"): "Look whether the proxy runs, and whether the address and port are right.",
    ("proxy_denied", None): "Apply the allowlist to this proxy, and look for a rule above it that denies first.",
    ("proxy_denied", "firewall"): "A device on the way denies it: apply the allowlist there.",
    ("proxy_auth_required", None): (
        "Exempt the name from authentication on this proxy: services ask without a user. Apply the allowlist with the "
        "intent bypass_authentication."
    ),
    ("block_page", None): "A filter answers in place of the server: exempt the name from its category or rule.",
    ("captive_portal", None): (
        "This network wants a login first: log in, or move the host to a network without a "
        "portal."
    ),
    ("range_stripped", None): (
        "Let the Range header pass for this name, and do not cache or scan it: Delivery Optimization "
        "downloads in parts."
    ),
    ("tls_inspected", None): (
        "Exempt the name from TLS inspection, and see that the allowlist has reached the inspecting appliance."
    ),
    ("content_inspected", None): "Exempt the name from content inspection (ICAP, antivirus, DLP).",
    ("tls_too_old", None): (
        "If it is the service itself: nothing to do here. If something before it ends TLS, let that one speak TLS 1.2."
    ),
    ("tls_untrusted", None): (
        "Compare the issuer with what another network sees (option reference). The same: a private CA of the service, "
        "name it in public_fingerprints. Another one: TLS is inspected."
    ),
    ("tls_untrusted", "server"): "The service has this certificate everywhere: name its CA in public_fingerprints.",
    ("tls_expired", None): "Look at this host's clock. If it is right, the service has to renew its certificate.",
    ("tls_expired", "client"): "Set this host's clock.",
    ("tls_wrong_name", None): (
        "Something answers in place of the service, or the service is misconfigured: compare with another network."
    ),
    ("tls_failure", None): "Look what ends TLS on this way; compare with another network.",
    ("upstream_failure", "firewall"): "Look at the firewall behind the proxy: the proxy itself was willing.",
    ("upstream_failure", "server"): "The proxy was willing and got no good answer: look at the service's status page.",
    ("upstream_failure", "unknown"): (
        "Look into the proxy's log: either its resolver does not know the name, or the way behind the proxy is closed."
    ),
    ("gone", None): "The name does not exist any more: take it out of your own lists.",
    ("not_probed", None): "Raise the deadline, or ask for fewer entries at a time.",
}


def advice(outcome: str, blame: Optional[str]) -> Optional[str]:
    """What to do; None where nothing has to be done, or nothing more can be said."""
    return _ADVICE.get((outcome, blame)) or _ADVICE.get((outcome, None))
