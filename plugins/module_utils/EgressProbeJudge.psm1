# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# From what was seen to what it means: the mirror of _probe_judge.py, function by function. Pure.
#AnsibleRequires -PowerShell ansible_collections.egress.allowlist.plugins.module_utils.EgressProbeRules
#AnsibleRequires -PowerShell ansible_collections.egress.allowlist.plugins.module_utils.EgressProbeHttp

# The verdict on one target: outcome, blame, evidence and the four promises.
function Get-Verdict {
    param($Facts, $Scene)
    $seen = Get-Sign $Facts $Scene
    $rule = Find-Rule $seen
    $verdict = @{ outcome = $rule.outcome; blame = $rule.blame }
    foreach ($name in @('allowed', 'uninspected', 'unauthenticated', 'tls12')) {
        $verdict[$name] = $rule.promises[$name]
    }
    if ($null -eq $verdict.tls12 -and $seen.modern -ne '') {
        $verdict.tls12 = $seen.modern -eq 'yes'
    }
    $verdict.evidence = Expand-Evidence $rule.evidence (Get-Word $Facts $Scene)
    return $verdict
}

# What was seen, as the words that the rules know.
function Get-Sign {
    param($Facts, $Scene)
    $stage = Get-Stage $Facts
    $answer = Get-DecidingAnswer $Facts $stage
    $said = Get-Said $Facts $stage $answer
    $signs = @{
        stage = $stage
        way = 'direct'
        fault = ''
        step = ''
        addresses = Get-AddressSign $Facts $Scene
        reached = 'no'
        said = $said
        maker = ''
        trust = ''
        problem = ''
        named = ''
        minted = ''
        modern = Get-Modern $Facts.tls $Scene
        answer = 'no'
        page = ''
    }
    if ($Facts.proxy -ne '') { $signs.way = 'proxy' }
    if ($stage -eq 'fault') {
        $signs.fault = $Facts.fault.word
        $signs.step = $Facts.fault.step
    }
    if ($said -ne '') { $signs.maker = Get-MakerSign $Facts $answer }
    if ($said -eq '') { $signs.page = Get-PageSign $Facts $stage $Scene }
    if ($null -ne $Facts.response -or ($null -ne $Facts.port_said -and $Facts.port_said -ne '')) { $signs.answer = 'yes' }
    if ($stage -eq 'tls') { Add-TlsSign $signs $Facts $Scene }
    return $signs
}

function Add-TlsSign {
    param($Signs, $Facts, $Scene)
    $tls = $Facts.tls
    $Signs.trust = 'none'
    if ($tls.trust -ne '') { $Signs.trust = $tls.trust }
    $Signs.problem = $tls.problem
    if ($tls.trust -eq 'public' -and $tls.problem -eq '') { $Signs.reached = 'yes' }
    if ($tls.named) { $Signs.named = 'yes' }
    $Signs.minted = Get-Minted $Facts $Scene
}

# What decides.
function Get-Stage {
    param($Facts)
    if ($null -ne $Facts.fault) {
        # A finished handshake has shown already who is at the other end.
        if ($Facts.fault.step -eq 'http' -and $null -ne $Facts.tls) { return 'tls' }
        return 'fault'
    }
    if ($null -ne $Facts.tunnel -and ($Facts.tunnel.status -lt 200 -or $Facts.tunnel.status -ge 300)) { return 'tunnel' }
    if ($null -ne $Facts.plain) { return 'plain' }
    if ($null -ne $Facts.tls) { return 'tls' }
    if ($null -ne $Facts.response) { return 'page' }
    if ($null -ne $Facts.port_said) { return 'port' }
    return 'nothing'
}

function Get-DecidingAnswer {
    param($Facts, $Stage)
    if ($Stage -eq 'tunnel') { return $Facts.tunnel }
    if ($Stage -eq 'plain') { return $Facts.plain }
    if ($Stage -eq 'tls' -or $Stage -eq 'page') { return $Facts.response }
    return $null
}

function Get-AddressSign {
    param($Facts, $Scene)
    if ($Facts.nowhere) { return 'nowhere' }
    if ($Facts.addresses.Count -eq 0) { return '' }
    foreach ($address in $Facts.addresses) {
        if ($Scene.control_addresses -notcontains $address) { return '' }
    }
    return 'control'
}

# The kind of an answer that was made on the way; empty for one that the server itself may have given.
function Get-Said {
    param($Facts, $Stage, $Answer)
    if ($null -eq $Answer) { return '' }
    if (-not (Test-MadeOnTheWay $Facts $Stage $Answer)) { return '' }
    if ($Answer.status -eq 407) { return 'auth' }
    if ($Answer.status -eq 511) { return 'portal' }
    if ($Answer.status -ge 300 -and $Answer.status -lt 400) { return 'redirect' }
    if ($Answer.status -ge 500 -and -not (Get-ProxyError $Answer).Contains('DENIED')) { return Get-Upstream $Answer }
    return 'denied'
}

function Test-MadeOnTheWay {
    param($Facts, $Stage, $Answer)
    $status = $Answer.status
    $notPublic = $null -ne $Facts.tls -and $Facts.tls.trust -ne 'public'
    if ($Stage -eq 'tunnel' -or $status -eq 407 -or $status -eq 511) {
        return ($Stage -ne 'tls' -or $notPublic)
    }
    $maker = Get-Maker $Answer
    if ($Stage -eq 'plain') {
        return ($maker -ne '' -or $status -eq 403 -or ($status -ge 300 -and $status -lt 400) -or $status -ge 500)
    }
    if ($Stage -eq 'tls') { return ($notPublic -and $maker -ne '') }
    return ($maker -ne '' -and $status -ge 300)
}

# Squid's error and errno, and what they point at. An errno of 0 is Squid's own trouble, above all with the name.
function Get-Upstream {
    param($Answer)
    $text = (Get-ProxyError $Answer) + ' '
    if ($text.Contains('DNS_FAIL')) { return 'dns' }
    if ($text.Contains('READ_ERROR 0 ') -or $text.Contains('CANNOT_FORWARD 0 ')) { return 'unclear' }
    if ($text.Contains('CONNECT_FAIL 13 ') -or $text.Contains('CONNECT_FAIL 113 ')) { return 'forbidden' }
    if ($text.Contains('CONNECT_FAIL 110 ')) { return 'silent' }
    if ($text.Contains('_FAIL') -or $text.Contains('READ_ERROR') -or $text.Contains('ZERO_SIZE')) { return 'failed' }
    return 'error'
}

function Get-MakerSign {
    param($Facts, $Answer)
    if ($Facts.proxy -ne '' -or (Get-Maker $Answer).ToLowerInvariant().Contains('squid')) { return 'proxy' }
    return 'other'
}

# Does the issuer sign whatever is asked for?
function Get-Minted {
    param($Facts, $Scene)
    $issuer = $Facts.tls.certificate.issuer
    if ($issuer -ne '' -and $issuer -ceq $Scene.control_issuer) { return 'control' }
    if ($Scene.issuers.ContainsKey($issuer)) { return 'many' }
    return ''
}

# TLS as new as it has to be? Empty where no version is known.
function Get-Modern {
    param($Tls, $Scene)
    if ($null -eq $Tls -or $Tls.version -eq '') { return '' }
    if ($Tls.version -eq 'TLSv1.3') { return 'yes' }
    if ($Tls.version -eq 'TLSv1.2' -and $Scene.min_tls -eq '1.2') { return 'yes' }
    return 'no'
}

# What an answer shows of itself that carries no name of who made it.
function Get-PageSign {
    param($Facts, $Stage, $Scene)
    $response = $Facts.response
    if ($null -eq $response -or ($Stage -ne 'page' -and $Stage -ne 'tls')) { return '' }
    $likeControl = Test-LikeControl $Facts $response $Scene
    if ($Stage -eq 'tls') {
        if ($likeControl) { return 'control' }
        return ''
    }
    $ledAway = Test-LeadsAway $response $Facts.host
    if ($ledAway -and (Get-Location $response).Split('?')[0] -ceq $Scene.portal) { return 'portal' }
    if ($likeControl -and $response.status -lt 400) { return 'control' }
    if ($likeControl) { return 'refusal' }
    if ($ledAway) { return 'away' }
    $marked = $response.headers.ContainsKey('via') -or $response.headers.ContainsKey('x-cache')
    if ($Facts.proxy -ne '' -and $response.status -ge 400 -and -not $marked) { return 'unsure' }
    if ((Get-Header $response 'via').ToLowerInvariant().Contains('icap/')) { return 'icap' }
    if ($Facts.ranged -and (Test-Whole $response)) { return 'whole' }
    return ''
}

# A name that does not exist gets the same, so no server said it. An error is no page, but the proxy's own.
function Test-LikeControl {
    param($Facts, $Response, $Scene)
    if (-not $Scene.control_pages.ContainsKey($Facts.scheme)) { return $false }
    if ($Response.status -ge 500 -or -not (Test-SamePage $Response $Scene.control_pages[$Facts.scheme])) { return $false }
    return ((Test-Page $Response) -or ($Facts.proxy -ne '' -and $Response.status -ge 400))
}

# All of it, although one byte was asked for.
function Test-Whole {
    param($Response)
    $length = Get-Header $Response 'content-length'
    return ($Response.status -eq 200 -and $length -cne '0' -and $length -cne '1')
}

# What an evidence may tell, each fit for one line.
function Get-Word {
    param($Facts, $Scene)
    $stage = Get-Stage $Facts
    $answer = Get-DecidingAnswer $Facts $stage
    if ($null -eq $answer) { $answer = @{ status = 0; headers = @{}; body = '' } }
    $words = @{
        host = $Facts.host
        where = $Facts.authority
        url = $Facts.url
        proxy = 'something on the way (a transparent proxy or firewall)'
        addresses = $Facts.addresses -join ', '
        control = $Scene.control
        status = [string]$answer.status
        location = 'nowhere'
        location_too = ''
        via = Get-Header $answer 'via'
        min_tls = $Scene.min_tls
    }
    if ($Facts.proxy -ne '') { $words.proxy = 'the proxy ' + $Facts.proxy }
    $location = Get-Location $answer
    if ($location -ne '') {
        $words.location = $location
        $words.location_too = ', a redirect to ' + $location
    }
    Add-FaultWord $words $Facts
    Add-TlsWord $words $Facts $Scene
    $words.said = Get-Told $Facts $stage $answer $words
    return $words
}

function Add-FaultWord {
    param($Words, $Facts)
    $fault = $Facts.fault
    if ($null -eq $fault) { $fault = @{ word = ''; detail = ''; step = '' } }
    $Words.fault = $fault.word
    $Words.step = $fault.step
    $Words.detail = 'no reason given'
    if ($fault.detail -ne '') { $Words.detail = $fault.detail }
    if ($null -ne $Facts.port_said -and $Facts.port_said -ne '') { $Words.detail = $Facts.port_said }
    $Words.during = 'instead of answering'
    if ($fault.step -eq 'tls') { $Words.during = 'in the TLS handshake' }
    $Words.cut = 'reset'
    if ($fault.word -eq 'closed') { $Words.cut = 'closed' }
}

function Add-TlsWord {
    param($Words, $Facts, $Scene)
    $tls = $Facts.tls
    if ($null -eq $tls) {
        $tls = @{ version = ''; detail = ''; certificate = @{ subject = ''; issuer = ''; not_after = '' } }
    }
    $issuer = $tls.certificate.issuer
    $Words.issuer = Format-Quoted 'an unknown issuer'
    if ($issuer -ne '') { $Words.issuer = Format-Quoted $issuer }
    $Words.signed = ''
    if ($Scene.issuers.ContainsKey($issuer)) { $Words.signed = $Scene.issuers[$issuer] }
    $Words.subject = 'another name'
    if ($tls.certificate.subject -ne '') { $Words.subject = $tls.certificate.subject }
    $Words.ends = 'unknown'
    if ($tls.certificate.not_after -ne '') { $Words.ends = $tls.certificate.not_after }
    $Words.problem = $tls.detail
    $Words.by = $tls.version + ', certificate by ' + $Words.issuer
}

function Get-Told {
    param($Facts, $Stage, $Answer, $Words)
    $did = 'answered inside TLS under a certificate of ' + $Words.issuer
    if ($Stage -eq 'tunnel') { $did = 'answered CONNECT with' }
    if ($Stage -eq 'plain') { $did = 'answered the TLS handshake in plain text with' }
    if ($Stage -eq 'page') { $did = 'answered' }
    $maker = Get-Maker $Answer
    $mark = ''
    if ($maker -ne '') { $mark = ' (' + $maker + ')' }
    return $Words.proxy + ' ' + $did + ' ' + [string]$Answer.status + ' for ' + $Facts.url + $mark
}

Export-ModuleMember -Function *
