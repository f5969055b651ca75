# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Probe many targets at once: the mirror of _probe_run.py. For Windows PowerShell 5.1 and later, with nothing added.
#AnsibleRequires -PowerShell ansible_collections.egress.allowlist.plugins.module_utils.EgressProbeHttp
#AnsibleRequires -PowerShell ansible_collections.egress.allowlist.plugins.module_utils.EgressProbeJudge
#AnsibleRequires -PowerShell ansible_collections.egress.allowlist.plugins.module_utils.EgressProbeNative
#AnsibleRequires -PowerShell ansible_collections.egress.allowlist.plugins.module_utils.EgressProbeNet
#AnsibleRequires -PowerShell ansible_collections.egress.allowlist.plugins.module_utils.EgressProbeRules
#AnsibleRequires -PowerShell ansible_collections.egress.allowlist.plugins.module_utils.EgressProbeScene
#AnsibleRequires -PowerShell ansible_collections.egress.allowlist.plugins.module_utils.EgressProbeTarget
#AnsibleRequires -PowerShell ansible_collections.egress.allowlist.plugins.module_utils.EgressProbeTls
#AnsibleRequires -PowerShell ansible_collections.egress.allowlist.plugins.module_utils.EgressProbeWalk
#AnsibleRequires -PowerShell ansible_collections.egress.allowlist.plugins.module_utils.EgressProbeWays

# One answer for each target, in their order, and how long it took. $Options as the module has them; what cannot be
# asked for is thrown as a text.
function Invoke-Probe {
    param($Options)
    Assert-Option $Options
    $targets = @(Get-Target $Options)
    Import-Native
    $run = New-Run $Options $targets
    Start-Worker $run ([Math]::Min([int]$Options.threads, $targets.Count))
    $scene = New-Scene $run @($run.seen | Where-Object { $null -ne $_ -and $null -eq $_.own_failure })
    $results = @(for ($index = 0; $index -lt $targets.Count; $index++) {
            Get-Answer $targets[$index] $run.seen[$index] $scene
        })
    return @{ results = $results; seconds = [Math]::Round($run.clock.Elapsed.TotalSeconds, 3) }
}

function Assert-Option {
    param($Options)
    foreach ($name in @('timeout', 'deadline', 'threads')) {
        if ($Options[$name] -le 0) { throw ($name + ': expected more than 0, got ' + [string]$Options[$name]) }
    }
    if ($Options.retries -lt 0) { throw ('retries: expected 0 or more, got ' + [string]$Options.retries) }
    if ($Options.proxy_settings -ne 'none' -and ($Options.proxy -or $Options.pac)) {
        throw 'proxy_settings: only one of proxy, pac and proxy_settings says which way to go'
    }
    if ($Options.proxy -and (@($Options.families) -join ' ') -ne 'any') {
        throw 'families: through a proxy it is the proxy that chooses between IPv4 and IPv6'
    }
}

function Get-Target {
    param($Options)
    $index = 0
    foreach ($text in $Options.targets) {
        foreach ($family in $Options.families) {
            ConvertTo-Target $text ('targets[' + [string]$index + ']') $family
        }
        $index = $index + 1
    }
}

# What all targets of a run share.
function New-Run {
    param($Options, $Targets)
    $queue = New-Object 'System.Collections.Concurrent.ConcurrentQueue[int]'
    for ($index = 0; $index -lt $Targets.Count; $index++) { $queue.Enqueue($index) }
    return @{
        targets = $Targets
        queue = $queue
        seen = [object[]]::new($Targets.Count)
        names = New-Object 'System.Collections.Concurrent.ConcurrentDictionary[string,object]'
        trust = New-Trust $Options
        ways = New-WaySource $Options
        ranged = Get-Ranged $Options
        control = Get-ControlName $Options
        protocols = Get-Protocol
        min_tls = $Options.min_tls
        retries = $Options.retries
        timeout = [double]$Options.timeout
        deadline = [double]$Options.deadline
        clock = [Diagnostics.Stopwatch]::StartNew()
    }
}

# URLs of which one byte is asked for.
function Get-Ranged {
    param($Options)
    $found = @{}
    $index = 0
    foreach ($text in $Options.range_targets) {
        $target = ConvertTo-Target $text ('range_targets[' + [string]$index + ']')
        $found[$target.url] = $true
        $index = $index + 1
    }
    return $found
}

# RFC 6761: nobody has a name below .invalid.
function Get-ControlName {
    param($Options)
    if ($Options.control_name) { return (ConvertTo-Control $Options.control_name) }
    return 'egress-probe-' + [Guid]::NewGuid().ToString('N').Substring(0, 12) + '.invalid'
}

# TLS 1.2, and 1.3 where Schannel has it for clients (Windows 11 and Server 2022 on).
function Get-Protocol {
    if ([Environment]::OSVersion.Version.Build -ge 20348) { return 3072 + 12288 }
    return 3072
}

# The functions that look at one target, for the runspaces of the workers; what they call is among them.
function Get-WorkerFunction {
    return @(
        'Add-PlainAnswer', 'Clear-Name', 'Close-Channel', 'Connect-First', 'ConvertFrom-Head', 'ConvertTo-Fault',
        'ConvertTo-SettingProxy', 'ConvertTo-StepFault', 'Find-Address', 'Find-Fact', 'Find-FirstWay', 'Format-Bracketed',
        'Format-Name', 'Format-Quoted', 'Format-Shown', 'Get-Agent', 'Get-Anchor', 'Get-CertificateFact',
        'Get-ConnectRequest', 'Get-Datagram', 'Get-DirectWay', 'Get-Fingerprint', 'Get-Header', 'Get-Left', 'Get-PacUrl',
        'Get-PageRequest', 'Get-Part', 'Get-Problem', 'Get-Resolution', 'Get-ResolverFault', 'Get-SocketWord',
        'Get-SortedText', 'Get-StepTime', 'Get-TaskFault', 'Get-TellingFault', 'Get-TlsFact', 'Get-TlsFault',
        'Get-TlsVersion', 'Get-Voucher', 'Get-Way', 'Invoke-Walk', 'Invoke-Worker', 'New-Expiry', 'New-Fact', 'New-Fault',
        'New-Proxy', 'Open-Channel', 'Open-Connection', 'Open-Tls', 'Read-Answer', 'Read-Body', 'Read-Datagram',
        'Read-Greeting', 'Read-Head', 'Resolve-Name', 'Select-Family', 'Select-Way', 'Set-Time', 'Start-Attempt',
        'Start-Tls', 'Step-Datagram', 'Step-Http', 'Step-Https', 'Step-Page', 'Step-Port', 'Test-Address', 'Test-Bypass',
        'Test-Nowhere', 'Test-Passing', 'Wait-Attempt'
    )
}

# Looks at targets until none is left, or no time.
function Invoke-Worker {
    param($Run)
    $index = 0
    while ((Get-Left $Run) -gt 0 -and $Run.queue.TryDequeue([ref]$index)) {
        $Run.seen[$index] = Find-Fact $Run $Run.targets[$index]
    }
}

# Workers in runspaces of their own; one that hangs must not hold the end up.
function Start-Worker {
    param($Run, $Count)
    if ($Count -lt 1) { return }
    # The resolver and the connections wait on threads of the process, which grow by two a second from here on.
    [void][Threading.ThreadPool]::SetMinThreads(2 * $Count + 8, 2 * $Count + 8)
    $pool = [RunspaceFactory]::CreateRunspacePool((New-WorkerState))
    [void]$pool.SetMaxRunspaces($Count)
    $pool.Open()
    $workers = @(for ($number = 0; $number -lt $Count; $number++) { Start-OneWorker $Run $pool })
    foreach ($worker in $workers) {
        [void]$worker.handle.AsyncWaitHandle.WaitOne([int](1000 * (Get-Left $Run) + 1000))
    }
    foreach ($worker in $workers) { Stop-OneWorker $worker }
    [void]$pool.BeginClose($null, $null)
}

function New-WorkerState {
    $state = [Management.Automation.Runspaces.InitialSessionState]::CreateDefault2()
    foreach ($name in Get-WorkerFunction) {
        $text = (Get-Command -Name $name -CommandType Function).Definition
        $state.Commands.Add((New-Object Management.Automation.Runspaces.SessionStateFunctionEntry($name, $text)))
    }
    return $state
}

function Start-OneWorker {
    param($Run, $Pool)
    $shell = [PowerShell]::Create()
    $shell.RunspacePool = $Pool
    [void]$shell.AddCommand('Invoke-Worker').AddArgument($Run)
    return @{ shell = $shell; handle = $shell.BeginInvoke() }
}

function Stop-OneWorker {
    param($Worker)
    if (-not $Worker.handle.IsCompleted) {
        [void]$Worker.shell.BeginStop($null, $null)
        return
    }
    # An error of the worker itself leaves its targets unanswered, which is told as not probed.
    try { [void]$Worker.shell.EndInvoke($Worker.handle) } catch { Write-Verbose $_.Exception.Message }
    $Worker.shell.Dispose()
}

# The answer for one target as plain data; what was not seen is left out of its steps.
function Get-Answer {
    param($Target, $Facts, $Scene)
    $verdict = @{ outcome = 'not_probed'; blame = $null; allowed = $null; uninspected = $null; unauthenticated = $null; tls12 = $null }
    $steps = @{ seconds = @{} }
    if ($null -eq $Facts) { $verdict.evidence = 'the deadline of the run passed before its turn came' }
    elseif ($null -ne $Facts.own_failure) {
        $verdict.blame = 'unknown'
        $verdict.evidence = 'the probe itself failed: ' + (Format-Shown $Facts.own_failure)
    }
    else {
        $verdict = Get-Verdict $Facts $Scene
        $steps = Get-Steps $Facts
    }
    $verdict.target = $Target.label
    $verdict.steps = $steps
    return $verdict
}

function Get-Steps {
    param($Facts)
    $steps = @{ seconds = $Facts.seconds }
    if ($Facts.proxy -ne '') { $steps.proxy = $Facts.proxy }
    if ($Facts.addresses.Count -gt 0) { $steps.addresses = $Facts.addresses }
    if ($Facts.canonical -ne '') { $steps.canonical_name = $Facts.canonical }
    if ($null -ne $Facts.fault) {
        $steps.failed = $Facts.fault.step
        $steps.fault = $Facts.fault.word
    }
    if ($null -ne $Facts.tunnel) { $steps.connect = Get-ResponseStep $Facts.tunnel }
    if ($null -ne $Facts.tls) { $steps.tls = Get-TlsStep $Facts.tls }
    if ($null -ne $Facts.response) { $steps.http = Get-ResponseStep $Facts.response }
    elseif ($null -ne $Facts.plain) { $steps.http = Get-ResponseStep $Facts.plain }
    if ($Facts.tries -gt 1) { $steps.tries = $Facts.tries }
    return $steps
}

function Get-ResponseStep {
    param($Response)
    $step = @{ status = $Response.status }
    foreach ($name in @('server', 'via', 'x-squid-error', 'proxy-status', 'proxy-authenticate', 'location', 'content-range')) {
        if ($Response.headers.ContainsKey($name)) { $step[$name] = $Response.headers[$name] }
    }
    return $step
}

function Get-TlsStep {
    param($Tls)
    $step = @{
        version = $Tls.version
        cipher = $Tls.cipher
        trust = $Tls.trust
        problem = $null
        name_matches = $null
        subject = $Tls.certificate.subject
        issuer = $Tls.certificate.issuer
        not_after = $Tls.certificate.not_after
        chain = $Tls.chain
    }
    if ($Tls.problem -ne '') { $step.problem = $Tls.problem }
    # Known only where the chain could be verified first.
    if ($Tls.trust -eq 'public') { $step.name_matches = $Tls.problem -ne 'wrong_name' }
    return $step
}

Export-ModuleMember -Function *
