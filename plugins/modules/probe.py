# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: probe
short_description: Ask from a managed host whether endpoints are reachable as intended
description:
  - Runs on the managed host and asks each endpoint, all of them at once, what a desktop would ask.
    Name resolution, connection, the tunnel of a proxy, the TLS handshake and one HTTP request.
  - For each it says what happened, who is to blame and by what evidence, and whether four promises hold.
    The endpoint is allowed, TLS is not inspected, no proxy asks for credentials, and TLS is 1.2 or better.
  - TLS inspection is recognised by who signed the certificate, not by whether the host trusts it.
    The trust store of a managed host holds the company's own CA, so trust shows nothing.
  - A tunnel that a proxy opens proves nothing either, since many proxies open it and deny inside.
    The answer inside the tunnel is read, and what the proxy itself said is told from what the server said.
  - Where an answer leaves it open who gave it, a name that does not exist is asked for as well. Who answers for that
    one makes answers up.
  - Any HTTP status of the server itself counts as reached, V(403), V(404) and V(500) included.
  - With O(entries), the control node chooses what to ask for each entry, and judges each entry by the answers.
    With O(results_dir), the full answer becomes a file there and only numbers and failures come back.
  - Needs nothing but Python on the managed host.
version_added: 0.1.0
author:
  - The egress.allowlist authors (@egress-allowlist)
extends_documentation_fragment:
  - egress.allowlist.attributes.read_only
options:
  entries:
    description:
      - What should be reachable, as the lookup P(egress.allowlist.endpoints#lookup) returns it; a text stands for a
        name, a wildcard or a network.
      - A name is asked on the ports of its entry. Where the source states none, V(tcp/443) and V(tcp/80) are asked,
        and one of them as intended is enough, provided that nothing on the other one shows interference.
      - A wildcard is asked through names that it contains. These are those of O(witnesses), then names known to
        the collection's catalogs and names that are entries themselves, in turns. A wildcard without any is
        C(not_provable).
      - V(tcp/80) and V(tcp/8080) are asked in http, V(tcp/443) and V(tcp/8443) in https. Of other TCP ports only the
        connection can be known, and of UDP ports an answer, to a question in STUN, NTP or QUIC where the port is
        theirs. Silence over UDP is C(not_provable), and so are ranges of more than eight ports, and networks of more
        than one address.
      - Exactly one of O(entries) and O(targets) is needed.
    type: list
    elements: raw
  targets:
    description:
      - What to ask as it is, as URLs such as V(https://login.example.com), V(https://login.example.com:8443) or
        V(http://www.example.com/ncsi.txt), or bare ports as V(tcp://relay.example.com:5671) and
        V(udp://turn.example.com:3478).
    type: list
    elements: str
  proxy:
    description:
      - The proxy to go through, as V(http://proxy.example.com:3128). Without it, O(pac) and O(proxy_settings) the
        probe goes the direct way.
      - No credentials are ever sent, since doing without is what has to be shown. Credentials in it are refused.
    type: str
  proxy_settings:
    description:
      - Take the proxy from what the host is set to. V(none) looks at no setting.
      - On Linux V(system) is what F(/etc/environment) says, and V(user) the environment of the user that the module
        runs as. On Windows V(system) is WinHTTP and V(user) is WinINET, PAC file included, for the account that
        the module runs as.
      - Credentials that stand in a setting are not sent.
    type: str
    choices: [none, system, user]
    default: none
    version_added: 0.2.0
  pac:
    description:
      - A PAC file, as desktops use it, in place of a fixed proxy. A path on the managed host, or a URL that the host
        reads the direct way.
      - Where the file names several proxies, the next one is asked when one cannot be reached, as desktops do.
    type: str
    version_added: 0.2.0
  families:
    description:
      - Ask over V(ipv4) and V(ipv6) separately, each target once for each. V(any) asks over whatever answers first.
      - A name without an address of the kind is C(not_provable) there, and no failure.
      - Through a proxy it is the proxy that chooses, so it has to be V(any) there.
    type: list
    elements: str
    choices: [any, ipv4, ipv6]
    default: [any]
    version_added: 0.2.0
  retries:
    description:
      - How often a target is asked again when that may help. After a reset, a failure of the resolver, and an
        answer of 502, 503 or 504 through a proxy. Silence is not asked again, since that lasts too long.
    type: int
    default: 1
    version_added: 0.2.0
  timeout:
    description:
      - Seconds that each step of each endpoint may take.
    type: float
    default: 5
  deadline:
    description:
      - Seconds that the whole run may take. What was not reached in time is C(not_probed), never as intended.
      - Critical entries are asked first, optional ones last.
    type: float
    default: 60
  threads:
    description:
      - How many endpoints are asked at once.
    type: int
    default: 64
  min_tls:
    description:
      - The least version of TLS that counts as intended.
    type: str
    choices: ["1.2", "1.3"]
    default: "1.2"
    version_added: 0.2.0
  intents:
    description:
      - What is expected of each entry. C(allow), that it is reached at all, is always expected.
      - Without V(bypass_tls_inspection), TLS inspection by a CA that the host trusts is as intended. Without
        V(bypass_content_inspection), so are marks of content inspection. Without V(bypass_authentication), so is a
        proxy that asks for credentials, and nothing more is known of the entry then.
    type: list
    elements: str
    choices: [allow, bypass_tls_inspection, bypass_content_inspection, bypass_authentication]
    default: [allow, bypass_tls_inspection, bypass_content_inspection, bypass_authentication]
    version_added: 0.2.0
  intents_by_risk:
    description:
      - What is expected instead of entries of a risk, for example V({"shared_hosting":["allow"]}), as it was given
        to the appliance.
    type: dict
    version_added: 0.2.0
  public_ca_path:
    description:
      - File or folder on the managed host with the root certificates that count as public, in PEM form.
        It must not contain the CA of your own inspection.
      - Default is the set of Mozilla as the distribution ships it, without local additions
        (F(/usr/share/ca-certificates/mozilla) on Debian and Ubuntu, the corresponding place on Red Hat, SUSE,
        Alpine and Arch).
      - Microsoft's own certificate authorities, which sign Windows Update among others and stand in no public set,
        are known to the collection and count as public as well.
    type: path
  public_fingerprints:
    description:
      - SHA-256 fingerprints of further CA certificates that count as public, such as the private root of a
        partner's service.
      - The server has to send the certificate along, and must really be signed by it. On the managed host this needs
        Python 3.10 or newer.
    type: list
    elements: str
    version_added: 0.2.0
  inspection_ca_path:
    description:
      - File or folder on the managed host with the CA certificates that are known to inspect, in addition to what the
        host's trust store holds. Needed only where a host does not trust its company's CA.
      - What one of these signed is inspected, also where somebody put it among the public roots.
    type: path
  witnesses:
    description:
      - Names to ask in place of a wildcard, for example V({"*.update.example.com":["fe2.update.example.com"]}).
        They come before all other names.
    type: dict
  witnesses_per_wildcard:
    description:
      - How many names are asked in place of each wildcard.
    type: int
    default: 2
  made_up_witnesses:
    description:
      - Ask a made-up name in place of a wildcard that has no known one. It does not exist, so on a real network
        it can show that the path interferes, and seldom that it does not. Meant for laboratories where any name
        answers.
    type: bool
    default: false
  range_targets:
    description:
      - URLs over plain http of which one byte is asked for with C(Range), to be answered with 206. An answer with all
        of it is C(range_stripped).
      - With O(entries), those of the group C(delivery_optimization) are asked like that by themselves.
    type: list
    elements: str
    version_added: 0.2.0
  control_name:
    description:
      - A name that does not exist, asked for where an answer may have been made up on the way.
      - Default is a random name below C(.invalid), which nobody can have. Some networks treat that one
        specially, then name one of your own domain that does not exist.
    type: str
    version_added: 0.2.0
  reference:
    description:
      - Result files on the control node, of this module run elsewhere (on the control node, in another branch, at
        home), with the same O(entries). What was seen there tells more of what is seen here.
      - An endpoint that answers there is held up on the way here. One that is dead there too is the server's own
        trouble, and C(gone) when its name does not exist there either. A certificate that is public there and not
        public here is inspected here.
    type: list
    elements: path
    version_added: 0.2.0
  results_dir:
    description:
      - Folder on the control node for the full answer, in a file named after the host, mode V(0600).
        The folder is made with mode V(0700) when it is missing.
      - Without it, or in check mode, no file is written. Without it RV(results) holds the full answer.
    type: path
  previous_dir:
    description:
      - Folder on the control node to which the result file of an earlier run is moved before it is replaced, so that
        the two can be compared.
    type: path
    version_added: 0.2.0
  mark:
    description:
      - A text that comes back in the answer, so that who reads it can tell this run from an earlier one.
    type: str
    default: ''
seealso:
  - plugin: egress.allowlist.endpoints
    plugin_type: lookup
  - module: egress.allowlist.probe_summary
"""

EXAMPLES = r"""
- name: Ask for the groups that every managed desktop needs
  egress.allowlist.probe:
    entries: "{{ query('egress.allowlist.endpoints', 'managed_desktop', 'get_help', 'quick_assist') }}"
    results_dir: ./results

- name: Ask through the proxy, which must not want credentials
  egress.allowlist.probe:
    entries:
      - login.microsoftonline.com
      - "*.update.microsoft.com"
    proxy: http://proxy.example.com:3128
    inspection_ca_path: /usr/local/share/ca-certificates/company-inspection.crt

- name: Ask for two URLs and read the full answers
  egress.allowlist.probe:
    targets:
      - https://login.microsoftonline.com
      - http://www.msftncsi.com/ncsi.txt
  register: probed

- name: Show who is to blame
  ansible.builtin.debug:
    msg: "{{ probed.failures | map(attribute='evidence') }}"
"""

RETURN = r"""
answered:
  description: Whether the host answered at all. Always true where the module succeeds.
  returned: always
  type: bool
  sample: true
counts:
  description: How many entries (or targets) were judged how. C(gone) are names that do not exist any more.
  returned: success
  type: dict
  sample: {"total": 62, "ok": 59, "failed": 1, "not_provable": 2, "gone": 0}
by_severity:
  description:
    - The same for C(critical), C(required) and C(optional) entries. Third-party and retired ones are optional
      unless they are critical.
  returned: success
  type: dict
  sample: {"critical": {"total": 3, "ok": 3, "failed": 0, "not_provable": 0, "gone": 0}}
by_group:
  description: The same for each group. An entry of several groups counts in each of them.
  returned: success
  type: dict
  sample: {"quick_assist": {"total": 6, "ok": 5, "failed": 1, "not_provable": 0, "gone": 0}}
critical_failed:
  description: How many critical entries are not as intended.
  returned: success
  type: int
  sample: 0
required_failed:
  description: How many required entries, without the critical ones, are not as intended.
  returned: success
  type: int
  sample: 1
by_outcome:
  description: How often what happened, and the first suspect, among what is not as intended.
  returned: success
  type: dict
  sample: {"proxy_auth_required, suspect: proxy": 2}
failures:
  description: What is not as intended, the most severe first, at most 20.
  returned: success
  type: list
  elements: dict
  contains:
    entry:
      description: The entry.
      type: str
      sample: "*.lync.com"
    severity:
      description: C(critical), C(required) or C(optional).
      type: str
      sample: required
    target:
      description: What was asked and decided it.
      type: str
      sample: https://webdir.online.lync.com
    outcome:
      description:
        - What happened. One of C(reachable), C(dns_failure), C(dns_sinkhole), C(refused), C(unreachable), C(timeout),
          C(reset), C(proxy_unreachable), C(proxy_denied), C(proxy_auth_required), C(block_page), C(captive_portal),
          C(range_stripped), C(tls_inspected), C(content_inspected), C(tls_too_old), C(tls_untrusted),
          C(tls_expired), C(tls_wrong_name), C(tls_failure), C(upstream_failure), C(gone), C(not_probed) and
          C(not_provable).
      type: str
      sample: tls_inspected
    blame:
      description:
        - The first suspect. One of C(client), C(resolver), C(firewall), C(proxy), C(inspection), C(server) and
          C(unknown), or null where nobody is.
      type: str
      sample: inspection
    evidence:
      description: By what this is known, in one line.
      type: str
      sample: >-
        the certificate of webdir.online.lync.com is by 'CN=Example Inspection CA, O=Example', no public CA but one
        that only this company's hosts trust: TLS is inspected
failures_more:
  description: How many more are not as intended than RV(failures) shows.
  returned: success
  type: int
  sample: 0
not_provable:
  description: Entries that could not be asked, at most 20.
  returned: success
  type: list
  elements: str
  sample: ["*.example.net"]
gone:
  description: Entries whose names do not exist any more, at most 20. News about the list, not about the network.
  returned: success
  type: list
  elements: str
  sample: []
wildcards:
  description: How many wildcards were asked for, and how many of them some known name could show.
  returned: success
  type: dict
  sample: {"total": 86, "provable": 71}
results_file:
  description: The file with the full answer on the control node, or null when none was written.
  returned: success
  type: str
  sample: /home/admin/results/desktop1.json
results:
  description:
    - The full answer, one element for each target. The same is in the file, as C(answers).
    - The promises C(allowed), C(uninspected), C(unauthenticated) and C(tls12) are true, false, or null where the
      probe cannot know or, with plain http, where they do not apply.
  returned: without O(results_dir)
  type: list
  elements: dict
  sample:
    - target: https://login.microsoftonline.com
      outcome: reachable
      blame: null
      evidence: the server answered 200 over TLSv1.3, certificate by 'CN=DigiCert SHA2 Secure Server CA, O=DigiCert Inc'
      allowed: true
      uninspected: true
      unauthenticated: true
      tls12: true
      steps: {"seconds": {"resolve": 0.01, "connect": 0.02, "tls": 0.05, "http": 0.04}}
seconds:
  description: How long the run took on the managed host.
  returned: success
  type: float
  sample: 4.7
mark:
  description: The text of O(mark).
  returned: success
  type: str
  sample: ''
"""

from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.egress.allowlist.plugins.module_utils import _probe_ask
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError
from ansible_collections.egress.allowlist.plugins.module_utils._probe_expect import INTENTS
from ansible_collections.egress.allowlist.plugins.module_utils._probe_target import FAMILIES

ARGUMENT_SPEC: Dict[str, Any] = {
    "entries": {"type": "list", "elements": "raw"},
    "targets": {"type": "list", "elements": "str"},
    "proxy": {"type": "str"},
    "proxy_settings": {"type": "str", "choices": ["none", "system", "user"], "default": "none"},
    "pac": {"type": "str"},
    "families": {"type": "list", "elements": "str", "choices": list(FAMILIES), "default": ["any"]},
    "retries": {"type": "int", "default": 1},
    "timeout": {"type": "float", "default": 5},
    "deadline": {"type": "float", "default": 60},
    "threads": {"type": "int", "default": 64},
    "min_tls": {"type": "str", "choices": ["1.2", "1.3"], "default": "1.2"},
    "intents": {"type": "list", "elements": "str", "choices": list(INTENTS), "default": list(INTENTS)},
    "intents_by_risk": {"type": "dict"},
    "public_ca_path": {"type": "path"},
    "public_fingerprints": {"type": "list", "elements": "str"},
    "inspection_ca_path": {"type": "path"},
    "witnesses": {"type": "dict"},
    "witnesses_per_wildcard": {"type": "int", "default": 2},
    "made_up_witnesses": {"type": "bool", "default": False},
    "range_targets": {"type": "list", "elements": "str"},
    "control_name": {"type": "str"},
    "reference": {"type": "list", "elements": "path"},
    "results_dir": {"type": "path"},
    "previous_dir": {"type": "path"},
    "mark": {"type": "str", "default": ""},
}
RULES: Dict[str, Any] = {
    "mutually_exclusive": [("entries", "targets"), ("proxy", "pac")],
    "required_one_of": [("entries", "targets")],
}


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True, **RULES)
    try:
        module.exit_json(**_probe_ask.run(module.params))
    except AllowlistError as error:
        module.fail_json(msg=str(error))


if __name__ == "__main__":
    main()
