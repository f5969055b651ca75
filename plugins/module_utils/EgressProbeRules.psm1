# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# The table by which every probe judges, and who counts as genuine: the same data as _probe_rules.py and
# _probe_microsoft.py, written between the marks by scripts/powershell_data.py. A test compares them.

$script:RulesJson = @'
# BEGIN RULES
[
{"blame": null, "evidence": "the deadline of the run passed at the step '{step}'", "outcome": "not_probed", "when": {"fault": "deadline"}},
{"blame": "resolver", "evidence": "{host} resolves to {addresses}, where nothing can be: the resolver (or the hosts file) withholds it", "outcome": "dns_sinkhole", "when": {"addresses": "nowhere", "reached": "no"}},
{"blame": "resolver", "evidence": "{host} resolves to {addresses}, as a made-up name does ({control}): the resolver sends it astray", "outcome": "dns_sinkhole", "when": {"addresses": "control", "reached": "no"}},
{"blame": "resolver", "evidence": "{host} does not resolve: {detail}", "outcome": "dns_failure", "when": {"fault": "no_such_name", "step": "resolve"}},
{"blame": "resolver", "evidence": "the resolver has no answer for {host}: {detail}", "outcome": "dns_failure", "when": {"fault": "resolver_failed", "step": "resolve"}},
{"blame": "resolver", "evidence": "the resolver gave no answer for {host} in time", "outcome": "dns_failure", "when": {"fault": "resolver_silent", "step": "resolve"}},
{"blame": null, "evidence": "{host} has no address of this kind: {detail}", "outcome": "not_provable", "when": {"fault": "other_family", "step": "resolve"}},
{"blame": "unknown", "evidence": "{where} cannot be asked as the host would: {detail}", "outcome": "not_provable", "when": {"fault": "proxy_kind", "step": "way"}},
{"blame": "client", "evidence": "which way leads to {where} could not be found out: {detail}", "outcome": "not_probed", "when": {"step": "way"}},
{"blame": "client", "evidence": "{proxy} cannot be reached: {fault}, {detail}", "outcome": "proxy_unreachable", "when": {"fault": ["no_route", "forbidden_here"], "step": "proxy_connect"}},
{"blame": "proxy", "evidence": "{proxy} cannot be reached: refused", "outcome": "proxy_unreachable", "when": {"fault": "refused", "step": "proxy_connect"}},
{"blame": "proxy", "evidence": "{proxy} cannot be reached: silent", "outcome": "proxy_unreachable", "when": {"fault": "timeout", "step": "proxy_connect"}},
{"blame": "proxy", "evidence": "{proxy} cannot be reached: its name does not resolve", "outcome": "proxy_unreachable", "when": {"fault": "no_such_name", "step": "proxy_connect"}},
{"blame": "proxy", "evidence": "{proxy} cannot be reached: {fault}, {detail}", "outcome": "proxy_unreachable", "when": {"step": "proxy_connect"}},
{"blame": "server", "evidence": "{where} refused the connection (the server itself, or a firewall that rejects)", "outcome": "refused", "when": {"fault": "refused", "step": ["connect", "datagram"]}},
{"blame": "unknown", "evidence": "nothing came back from {where} over UDP in time, and a server need not answer", "outcome": "not_provable", "when": {"fault": "timeout", "step": "datagram"}},
{"blame": "firewall", "evidence": "{where} is silent: no answer to the connection in time (dropped on the way? A firewall that learns addresses from its own resolver knows none that this host was told elsewhere, over HTTPS for instance)", "outcome": "timeout", "when": {"fault": "timeout", "step": "connect"}},
{"blame": "firewall", "evidence": "{where} reset the connection", "outcome": "reset", "when": {"fault": "reset", "step": "connect"}},
{"blame": "firewall", "evidence": "a router or firewall on the way says that {where} is unreachable", "outcome": "unreachable", "when": {"fault": "unreachable", "step": ["connect", "datagram"]}},
{"blame": "client", "evidence": "this host has no route to {where}: {detail}", "outcome": "unreachable", "when": {"fault": "no_route", "step": ["connect", "datagram"]}},
{"blame": "client", "evidence": "this host's own firewall forbids the way to {where}: {detail}", "outcome": "unreachable", "when": {"fault": "forbidden_here", "step": ["connect", "datagram"]}},
{"blame": "unknown", "evidence": "{proxy} took the request for {where}, and nothing came back in time", "outcome": "timeout", "when": {"fault": "timeout", "stage": "fault", "way": "proxy"}},
{"blame": "unknown", "evidence": "{proxy} opened the tunnel to {where} and {cut} it {during} (the proxy ended it, or the server behind refused or reset)", "outcome": "reset", "when": {"fault": ["reset", "closed"], "step": ["tls", "talk"], "way": "proxy"}},
{"blame": "proxy", "evidence": "{proxy} {cut} the connection instead of answering for {where}", "outcome": "reset", "when": {"fault": ["reset", "closed"], "step": ["proxy", "http"], "way": "proxy"}},
{"blame": "proxy", "evidence": "{proxy} does not answer in HTTP: {detail}", "outcome": "proxy_unreachable", "when": {"fault": "not_http", "step": ["proxy", "http"], "way": "proxy"}},
{"blame": "firewall", "evidence": "{where} took the connection and then said nothing in time", "outcome": "timeout", "when": {"fault": "timeout", "stage": "fault"}},
{"blame": "firewall", "evidence": "{where} took the connection and {cut} it {during}", "outcome": "reset", "when": {"fault": ["reset", "closed"], "stage": "fault"}},
{"blame": "server", "evidence": "{where} does not speak TLS 1.2 or better: {detail}", "outcome": "tls_too_old", "tls12": false, "when": {"fault": "tls_too_old"}},
{"blame": "server", "evidence": "the TLS handshake with {where} failed: {detail}", "outcome": "tls_failure", "when": {"fault": "tls"}},
{"blame": "unknown", "evidence": "{where} answers, but not in HTTP: {detail}", "outcome": "not_provable", "when": {"fault": "not_http"}},
{"blame": "client", "evidence": "the system of this host says: {detail}", "outcome": "unreachable", "when": {"stage": "fault"}},
{"blame": "proxy", "evidence": "{said}: it asks for credentials", "outcome": "proxy_auth_required", "unauthenticated": false, "when": {"said": "auth"}},
{"allowed": false, "blame": "firewall", "evidence": "{said}: this network wants a login first", "outcome": "captive_portal", "when": {"said": "portal"}},
{"allowed": false, "blame": "proxy", "evidence": "{said}, a redirect to {location}", "outcome": "block_page", "when": {"maker": "proxy", "said": "redirect"}},
{"allowed": false, "blame": "firewall", "evidence": "{said}, a redirect to {location}", "outcome": "block_page", "when": {"said": "redirect"}},
{"allowed": true, "blame": "resolver", "evidence": "{said}: the name does not resolve there", "outcome": "dns_failure", "unauthenticated": true, "when": {"said": "dns"}},
{"allowed": true, "blame": "unknown", "evidence": "{said}: as for a name that does not resolve there", "outcome": "upstream_failure", "unauthenticated": true, "when": {"said": "unclear"}},
{"allowed": true, "blame": "firewall", "evidence": "{said}: something behind the proxy forbids it", "outcome": "upstream_failure", "unauthenticated": true, "when": {"said": "forbidden"}},
{"allowed": true, "blame": "firewall", "evidence": "{said}: what is behind the proxy is silent", "outcome": "upstream_failure", "unauthenticated": true, "when": {"said": "silent"}},
{"allowed": true, "blame": "server", "evidence": "{said}: it got no good answer itself", "outcome": "upstream_failure", "unauthenticated": true, "when": {"said": "failed"}},
{"allowed": true, "blame": "unknown", "evidence": "{said}: it got no good answer itself", "outcome": "upstream_failure", "unauthenticated": true, "when": {"said": "error"}},
{"allowed": false, "blame": "proxy", "evidence": "{said}: denied", "outcome": "proxy_denied", "when": {"maker": "proxy", "said": "denied"}},
{"allowed": false, "blame": "firewall", "evidence": "{said}: denied", "outcome": "proxy_denied", "when": {"said": "denied"}},
{"blame": "server", "evidence": "{where} does not speak TLS: it answered the handshake with HTTP {status}", "outcome": "tls_failure", "when": {"stage": "plain"}},
{"allowed": true, "blame": "inspection", "evidence": "the certificate of {host} is by {issuer}, the CA that was named as one that inspects, although it stands among the public roots: TLS is inspected", "outcome": "tls_inspected", "unauthenticated": true, "uninspected": false, "when": {"named": "yes", "trust": "public"}},
{"blame": "server", "evidence": "the certificate is for {subject} and not for {host} ({by})", "outcome": "tls_wrong_name", "unauthenticated": true, "when": {"problem": "wrong_name", "trust": "public"}},
{"allowed": true, "blame": "server", "evidence": "the certificate of {host} is out of date by this host's clock: {problem}, ends {ends} ({by})", "outcome": "tls_expired", "unauthenticated": true, "uninspected": true, "when": {"problem": "expired", "trust": "public"}},
{"allowed": true, "blame": "server", "evidence": "{host} speaks no TLS {min_tls}, only {by}", "outcome": "tls_too_old", "unauthenticated": true, "uninspected": true, "when": {"modern": "no", "trust": "public"}},
{"allowed": true, "blame": null, "evidence": "the TLS handshake is complete over {by}, the server then gave no HTTP answer", "outcome": "reachable", "unauthenticated": true, "uninspected": true, "when": {"answer": "no", "trust": "public"}},
{"allowed": true, "blame": null, "evidence": "the server answered {status} over {by}", "outcome": "reachable", "unauthenticated": true, "uninspected": true, "when": {"trust": "public"}},
{"allowed": false, "blame": "inspection", "evidence": "a made-up name gets the same page as {host} (status {status}{location_too}), under a certificate of {issuer}: a block page", "outcome": "block_page", "uninspected": false, "when": {"page": "control", "stage": "tls"}},
{"allowed": true, "blame": "inspection", "evidence": "the certificate of {host} is by {issuer}, no public CA but one that only this company's hosts trust: TLS is inspected", "outcome": "tls_inspected", "unauthenticated": true, "uninspected": false, "when": {"answer": "yes", "trust": "known"}},
{"blame": "inspection", "evidence": "the certificate of {host} is by {issuer}, no public CA but one that only this company's hosts trust: TLS is inspected", "outcome": "tls_inspected", "uninspected": false, "when": {"trust": "known"}},
{"blame": "inspection", "evidence": "the certificate of {host} is by {issuer}, which nobody vouches for, and which also signs for a name that does not exist ({control}): TLS is inspected, and this host does not trust the inspector", "outcome": "tls_inspected", "uninspected": false, "when": {"minted": "control", "stage": "tls"}},
{"blame": "inspection", "evidence": "the certificate of {host} is by {issuer}, which nobody vouches for, and which signs for {signed} of this run: TLS is inspected, and this host does not trust the inspector", "outcome": "tls_inspected", "uninspected": false, "when": {"minted": "many", "stage": "tls"}},
{"blame": "unknown", "evidence": "the certificate of {host} is by {issuer}, which nobody vouches for: {problem}", "outcome": "tls_untrusted", "when": {"stage": "tls"}},
{"allowed": false, "blame": "firewall", "evidence": "{url} leads to {location}, and so does the check for a captive portal: this network wants a login first", "outcome": "captive_portal", "when": {"page": "portal"}},
{"allowed": false, "blame": "proxy", "evidence": "{proxy} gives a made-up name the same page as {url} (status {status}{location_too}): a block page", "outcome": "block_page", "when": {"page": "control", "way": "proxy"}},
{"allowed": false, "blame": "firewall", "evidence": "a made-up name gets the same page as {url} (status {status}{location_too}): a block page", "outcome": "block_page", "when": {"page": "control"}},
{"allowed": false, "blame": "proxy", "evidence": "{proxy} gives a made-up name the same answer as {url}, {status}: it is the proxy's own denial", "outcome": "proxy_denied", "when": {"page": "refusal"}},
{"blame": "unknown", "evidence": "{url} redirects to another site, {location}: the server's own doing or a block page, plain http does not show which", "outcome": "not_provable", "unauthenticated": true, "when": {"page": "away"}},
{"blame": "unknown", "evidence": "HTTP {status} for {url}: nothing shows whether server or proxy said it", "outcome": "not_provable", "when": {"page": "unsure"}},
{"allowed": true, "blame": "inspection", "evidence": "{url} was sent through content inspection (Via: {via})", "outcome": "content_inspected", "unauthenticated": true, "uninspected": false, "when": {"page": "icap"}},
{"allowed": true, "blame": "proxy", "evidence": "{url} was asked for one byte (Range) and answered {status} with all of it, not 206: what downloads in parts gets the whole each time. {proxy} took the range away", "outcome": "range_stripped", "unauthenticated": true, "when": {"page": "whole", "way": "proxy"}},
{"allowed": true, "blame": "unknown", "evidence": "{url} was asked for one byte (Range) and answered {status} with all of it, not 206: what downloads in parts gets the whole each time. Something on the way took the range away, or the server does not know it", "outcome": "range_stripped", "unauthenticated": true, "when": {"page": "whole"}},
{"allowed": true, "blame": null, "evidence": "the server answered {status} in plain http", "outcome": "reachable", "unauthenticated": true, "when": {"stage": "page"}},
{"allowed": true, "blame": null, "evidence": "{where} answered: {detail}", "outcome": "reachable", "unauthenticated": true, "when": {"answer": "yes", "stage": "port"}},
{"blame": "unknown", "evidence": "{proxy} opened a tunnel to {where}, and nothing came out of it: whether the server is behind it is not shown", "outcome": "not_provable", "unauthenticated": true, "when": {"stage": "port", "way": "proxy"}},
{"allowed": true, "blame": null, "evidence": "{where} took the connection; more cannot be asked on such a port", "outcome": "reachable", "when": {"stage": "port"}},
{"blame": null, "evidence": "nothing was tried", "outcome": "not_probed", "when": {}}
]
# END RULES
'@

$script:MicrosoftJson = @'
# BEGIN MICROSOFT
{
"caca93b9d23d2b6fa76e8b8471931e0df3ec6f63af3cdbb936c41954a1872326": "Microsoft ECC Product Root Certificate Authority 2018",
"21158ad4dce10197239a87ebeb4d8d47e9e9be716ad497a2e036774caf5072cf": "Microsoft ECC Update Secure Server CA 2.1",
"df545bf919a2439c36983b54cdfc903dfa4f37d3996d8d84b4c31eec6f3c163e": "Microsoft Root Certificate Authority 2010",
"847df6a78497943f27fc72eb93f9a637320a02b561d0a91b09e87a7807ed7c61": "Microsoft Root Certificate Authority 2011",
"61799e3594f6fa6c9f619031e4a3c9f643fda38c083704a5075e5709a21b1ab7": "Microsoft TLS ECC Root G2",
"6a170583db584151e1c454eeca2a64cc5d8e484a5bd1156e720b4458654ee9e5": "Microsoft TLS RSA Root G2",
"ddcd1e8a20638d4aaff7201bb1d56452acd2c759f1686bdc38f73dd15732bdc2": "Microsoft TLS RSA Root G2",
"6139e2df97dc93bf7e90a303f75b3968fd06c57316b45e94dcff773707cf2754": "Microsoft Update Secure Server CA 2.1"
}
# END MICROSOFT
'@

$script:Rules = $null

# The rows as hashtables: when, outcome, blame, evidence, promises.
function Get-Rule {
    if ($null -eq $script:Rules) {
        $rows = ConvertFrom-Json (Get-Data $script:RulesJson)
        $script:Rules = @(foreach ($row in $rows) { ConvertTo-Rule $row })
    }
    return $script:Rules
}

function ConvertTo-Rule {
    param($Row)
    $when = @{}
    foreach ($condition in $Row.when.PSObject.Properties) {
        $when[$condition.Name] = @($condition.Value)
    }
    $promises = @{ allowed = $null; uninspected = $null; unauthenticated = $null; tls12 = $null }
    foreach ($name in @($promises.Keys)) {
        $property = $Row.PSObject.Properties[$name]
        if ($null -ne $property) { $promises[$name] = $property.Value }
    }
    return @{ when = $when; outcome = $Row.outcome; blame = $Row.blame; evidence = $Row.evidence; promises = $promises }
}

# The first row of which all conditions hold; the last one of the table fits everything.
function Find-Rule {
    param($Signs)
    foreach ($rule in Get-Rule) {
        if (Test-Rule $rule $Signs) { return $rule }
    }
}

# Do all conditions hold? A sign that is not there is the empty word.
function Test-Rule {
    param($Rule, $Signs)
    foreach ($name in $Rule.when.Keys) {
        $word = ''
        if ($Signs.ContainsKey($name)) { $word = $Signs[$name] }
        if ($Rule.when[$name] -cnotcontains $word) { return $false }
    }
    return $true
}

# The evidence of a row with its words in the places of the braces.
function Expand-Evidence {
    param($Text, $Words)
    $result = ''
    $at = 0
    foreach ($found in [regex]::Matches($Text, '\{(\w+)\}')) {
        $result = $result + $Text.Substring($at, $found.Index - $at) + $Words[$found.Groups[1].Value]
        $at = $found.Index + $found.Length
    }
    return $result + $Text.Substring($at)
}

# SHA-256 of Microsoft's own certificate authorities, which stand in no public set.
function Get-MicrosoftFingerprint {
    $known = ConvertFrom-Json (Get-Data $script:MicrosoftJson)
    return @($known.PSObject.Properties | ForEach-Object { $_.Name })
}

# The JSON of a block, without the marks around it.
function Get-Data {
    param($Block)
    return [regex]::Replace($Block, '(?m)^#.*$', '')
}

Export-ModuleMember -Function *
