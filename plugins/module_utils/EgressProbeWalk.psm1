# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# The way to one target, step by step: resolve, connect, the tunnel of a proxy, TLS, one HTTP request: the mirror of
# _probe_walk.py, and of the part of _probe_run.py that looks at one target.
#AnsibleRequires -PowerShell ansible_collections.egress.allowlist.plugins.module_utils.EgressProbeHttp
#AnsibleRequires -PowerShell ansible_collections.egress.allowlist.plugins.module_utils.EgressProbeNet
#AnsibleRequires -PowerShell ansible_collections.egress.allowlist.plugins.module_utils.EgressProbePorts
#AnsibleRequires -PowerShell ansible_collections.egress.allowlist.plugins.module_utils.EgressProbeTls
#AnsibleRequires -PowerShell ansible_collections.egress.allowlist.plugins.module_utils.EgressProbeWays

# What was seen on the way to one target, filled step by step.
function New-Fact {
    param($Target, $Proxy, $Ranged)
    return @{
        scheme = $Target.scheme
        host = $Target.host
        port = $Target.port
        path = $Target.path
        family = $Target.family
        url = $Target.url
        label = $Target.label
        authority = $Target.authority
        proxy = $Proxy.url
        ranged = $Ranged
        addresses = @()
        canonical = ''
        nowhere = $false
        fault = $null
        tunnel = $null
        plain = $null
        tls = $null
        response = $null
        port_said = $null
        seconds = @{}
        tries = 1
        own_failure = $null
    }
}

# See one target, again where that may help; an error of the probe itself is an answer too, and never a good one.
function Find-Fact {
    param($Run, $Target)
    $facts = New-Fact $Target (Get-DirectWay) $false
    try {
        for ($tries = 1; $tries -le $Run.retries + 1; $tries++) {
            $clock = [Diagnostics.Stopwatch]::StartNew()
            $facts = Find-FirstWay $Run $Target
            $facts.tries = $tries
            # What took long to fail is not a passing trouble, and would take as long again.
            $lasting = $clock.Elapsed.TotalSeconds -gt $Run.timeout / 4
            if ($lasting -or -not (Test-Passing $facts) -or (Get-Left $Run) -le 0) { break }
            Clear-Name $Run $Target.host
        }
    }
    catch {
        $facts.own_failure = $_.Exception.GetType().Name + ': ' + $_.Exception.Message
    }
    return $facts
}

# As desktops do: the next proxy is asked where one cannot be reached.
function Find-FirstWay {
    param($Run, $Target)
    $facts = New-Fact $Target (Get-DirectWay) $false
    try {
        $ways = @(Get-Way $Run $Target)
    }
    catch {
        $facts.fault = ConvertTo-Fault $Run $_
        $facts.fault.step = 'way'
        return $facts
    }
    foreach ($proxy in $ways) {
        $facts = Invoke-Walk $Run $Target $proxy ($Run.ranged.ContainsKey($Target.url))
        if ($null -eq $facts.fault -or $facts.fault.step -ne 'proxy_connect') { break }
    }
    return $facts
}

# What a second try may mend. Silence is not among it: it would last as long again.
function Test-Passing {
    param($Facts)
    if ($null -ne $Facts.fault) { return (@('reset', 'closed', 'resolver_failed') -contains $Facts.fault.word) }
    $answer = $Facts.response
    if ($null -ne $Facts.tunnel -and $Facts.tunnel.status -ge 300) { $answer = $Facts.tunnel }
    return ($Facts.proxy -ne '' -and $null -ne $answer -and @(502, 503, 504) -contains $answer.status)
}

function Invoke-Walk {
    param($Run, $Target, $Proxy, $Ranged)
    $facts = New-Fact $Target $Proxy $Ranged
    try {
        if ($Target.scheme -eq 'https') { Step-Https $Run $facts $Proxy }
        elseif ($Target.scheme -eq 'http') { Step-Http $Run $facts $Proxy }
        elseif ($Target.scheme -eq 'tcp') { Step-Port $Run $facts $Proxy }
        else { Step-Datagram $Run $facts }
    }
    catch {
        $fault = ConvertTo-Fault $Run $_
        # Not a fault: a proxy that did not open the tunnel, or an answer in the clear, is in the facts.
        if ($fault.word -ne 'denied' -and $null -eq $facts.plain) { $facts.fault = $fault }
    }
    return $facts
}

function Step-Https {
    param($Run, $Facts, $Proxy)
    $open = Open-Tls $Run $Facts $Proxy
    if ($null -eq $open) { return }
    $Facts.tls = $open.tls
    $verb = 'GET'
    $most = 8192
    if ($open.tls.trust -eq 'public') {
        $verb = 'HEAD'
        $most = 0
    }
    Step-Page $Run $Facts $open.channel (Get-PageRequest $Facts ($Proxy.url -ne '') $verb $false) $most
}

function Step-Http {
    param($Run, $Facts, $Proxy)
    $channel = Open-Connection $Run $Facts $Proxy
    Step-Page $Run $Facts $channel (Get-PageRequest $Facts ($Proxy.url -ne '') 'GET' $Facts.ranged) 8192
}

function Step-Page {
    param($Run, $Facts, $Channel, $Request, $Most)
    $clock = [Diagnostics.Stopwatch]::StartNew()
    try {
        $Facts.response = Read-Answer $Run $Channel $Request $Most
    }
    catch {
        throw (ConvertTo-StepFault $Run $_ 'http')
    }
    finally {
        Set-Time $Facts 'http' $clock
        Close-Channel $Channel
    }
}

function Step-Port {
    param($Run, $Facts, $Proxy)
    $channel = Open-Channel $Run $Facts $Proxy
    $clock = [Diagnostics.Stopwatch]::StartNew()
    try {
        $said = ''
        if ($Proxy.url -ne '') { $said = Read-Greeting $Run $channel }
        $Facts.port_said = $said
    }
    catch {
        throw (ConvertTo-StepFault $Run $_ 'talk')
    }
    finally {
        Set-Time $Facts 'talk' $clock
        Close-Channel $channel
    }
}

# UDP passes no HTTP proxy, so it always goes the direct way.
function Step-Datagram {
    param($Run, $Facts)
    $Facts.proxy = ''
    $addresses = @(Find-Address $Run $Facts (Get-DirectWay))
    $clock = [Diagnostics.Stopwatch]::StartNew()
    try {
        $Facts.port_said = Read-Datagram $Run $addresses[0] $Facts.port
    }
    catch {
        throw (ConvertTo-StepFault $Run $_ 'datagram')
    }
    finally {
        Set-Time $Facts 'datagram' $clock
    }
}

# A connection on which the two ends can talk.
function Open-Channel {
    param($Run, $Facts, $Proxy)
    $channel = Open-Connection $Run $Facts $Proxy
    if ($Proxy.url -eq '') { return $channel }
    $clock = [Diagnostics.Stopwatch]::StartNew()
    try {
        $Facts.tunnel = Read-Answer $Run $channel (Get-ConnectRequest $Facts)
    }
    catch {
        Close-Channel $channel
        throw (ConvertTo-StepFault $Run $_ 'proxy')
    }
    finally {
        Set-Time $Facts 'proxy' $clock
    }
    if ($Facts.tunnel.status -lt 200 -or $Facts.tunnel.status -ge 300) {
        Close-Channel $channel
        throw (New-Fault 'denied')
    }
    return $channel
}

# An open TLS connection, whatever its certificate is, with what is known about it.
function Open-Tls {
    param($Run, $Facts, $Proxy)
    try {
        return (Start-Tls $Run $Facts (Open-Channel $Run $Facts $Proxy) $Run.protocols)
    }
    catch {
        $modern = ConvertTo-Fault $Run $_
        if ($modern.step -ne 'tls' -or @('tls', 'closed', 'reset', 'tls_too_old') -notcontains $modern.word) { throw $modern }
    }
    if ($null -ne $Facts.plain) { return $null }
    try {
        # TLS 1.0 and 1.1, where this Windows still has them.
        return (Start-Tls $Run $Facts (Open-Channel $Run $Facts $Proxy) (192 + 768))
    }
    catch {
        throw $modern
    }
}

# A connection to the target, or to the proxy.
function Open-Connection {
    param($Run, $Facts, $Proxy)
    $addresses = @(Find-Address $Run $Facts $Proxy)
    $step = 'connect'
    $port = $Facts.port
    if ($Proxy.url -ne '') {
        $step = 'proxy_connect'
        $port = $Proxy.port
    }
    $clock = [Diagnostics.Stopwatch]::StartNew()
    try {
        $client = Connect-First $Run $addresses $port
        $timed = [EgressAllowlist.TimedStream]::new($client.GetStream(), (Get-StepTime $Run))
        return @{ client = $client; timed = $timed; stream = $timed }
    }
    catch {
        throw (ConvertTo-StepFault $Run $_ $step)
    }
    finally {
        Set-Time $Facts $step $clock
    }
}

function Find-Address {
    param($Run, $Facts, $Proxy)
    $step = 'resolve'
    $name = $Facts.host
    if ($Proxy.url -ne '') {
        $step = 'proxy_connect'
        $name = $Proxy.host
    }
    $clock = [Diagnostics.Stopwatch]::StartNew()
    try {
        $found = Resolve-Name $Run $name
        if ($Proxy.url -ne '') { return $found.addresses }
        $Facts.addresses = @(Get-SortedText $found.addresses)
        $Facts.canonical = $found.canonical
        $isName = -not (Test-Address $name ($name.Contains(':'))) -and $name -ne 'localhost'
        $Facts.nowhere = $isName -and (Test-Nowhere $found.addresses)
        return (Select-Family $found.addresses $Facts.family)
    }
    catch {
        throw (ConvertTo-StepFault $Run $_ $step)
    }
    finally {
        Set-Time $Facts $step $clock
    }
}

function ConvertTo-StepFault {
    param($Run, $Thrown, $Step)
    $fault = ConvertTo-Fault $Run $Thrown
    $fault.step = $Step
    return $fault
}

function Set-Time {
    param($Facts, $Step, $Clock)
    $Facts.seconds[$Step] = [Math]::Round($Clock.Elapsed.TotalSeconds, 3)
}

Export-ModuleMember -Function *
