# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Sockets with a time budget: name resolution, connections, questions: the mirror of _probe_net.py.
# $Run is what all targets share. A step that does not succeed throws a fault (see New-Fault).
#AnsibleRequires -PowerShell ansible_collections.egress.allowlist.plugins.module_utils.EgressProbeHttp

# Seconds until the deadline, never negative.
function Get-Left {
    param($Run)
    return [Math]::Max(0.0, $Run.deadline - $Run.clock.Elapsed.TotalSeconds)
}

# Milliseconds that the next step may take.
function Get-StepTime {
    param($Run)
    $left = Get-Left $Run
    if ($left -le 0) { throw (New-Fault 'deadline') }
    return [int][Math]::Max(1, 1000 * [Math]::Min($Run.timeout, $left))
}

# A step ran out of time: because the network is silent, or because the whole run ended?
function New-Expiry {
    param($Run)
    if ((Get-Left $Run) -le 0) { return (New-Fault 'deadline') }
    return (New-Fault 'timeout')
}

# The judge's word for an error of Windows Sockets.
function Get-SocketWord {
    param($Code)
    $words = @{
        '10061' = 'refused'
        '10054' = 'reset'
        '10053' = 'reset'
        '10052' = 'reset'
        '10065' = 'unreachable'
        '10013' = 'forbidden_here'
        '10051' = 'no_route'
        '10049' = 'no_route'
        '10047' = 'no_route'
    }
    if ($words.ContainsKey([string]$Code)) { return $words[[string]$Code] }
    return 'system'
}

# The fault in whatever was thrown: our own, or one of .NET with its inner reasons.
function ConvertTo-Fault {
    param($Run, $Thrown)
    $own = $Thrown.TargetObject
    if ($own -is [hashtable] -and $own.ContainsKey('is_fault')) { return $own }
    $one = $Thrown.Exception
    $last = $one
    while ($null -ne $one) {
        if ($one -is [Net.Sockets.SocketException]) {
            # WSAETIMEDOUT, and what other systems say of a read that took too long.
            if (@(10060, 10035) -contains [int]$one.SocketErrorCode) { return (New-Expiry $Run) }
            return (New-Fault (Get-SocketWord ([int]$one.SocketErrorCode)) $one.Message)
        }
        $last = $one
        $one = $one.InnerException
    }
    return (New-Fault 'system' $last.Message)
}

# The addresses of a name, asked for once in a run, and the end of its chain of aliases.
function Resolve-Name {
    param($Run, $HostName)
    $address = $null
    if ([Net.IPAddress]::TryParse($HostName, [ref]$address)) { return @{ addresses = @($address); canonical = '' } }
    $task = Get-Resolution $Run $HostName
    try {
        $done = $task.Wait((Get-StepTime $Run))
    }
    catch {
        throw (Get-ResolverFault $_.Exception)
    }
    if (-not $done) {
        if ((Get-Left $Run) -le 0) { throw (New-Fault 'deadline') }
        throw (New-Fault 'resolver_silent')
    }
    $canonical = $task.Result.HostName.TrimEnd('.').ToLowerInvariant()
    if ($canonical -ceq $HostName) { $canonical = '' }
    $addresses = @($task.Result.AddressList)
    if ($addresses.Count -eq 0) { throw (New-Fault 'no_such_name' 'no address') }
    return @{ addresses = $addresses; canonical = $canonical }
}

function Get-Resolution {
    param($Run, $HostName)
    $task = $null
    if (-not $Run.names.TryGetValue($HostName, [ref]$task)) {
        $task = [Net.Dns]::GetHostEntryAsync([string]$HostName)
        [void]$Run.names.TryAdd($HostName, $task)
    }
    return $task
}

# Ask anew next time.
function Clear-Name {
    param($Run, $HostName)
    $task = $null
    [void]$Run.names.TryRemove($HostName, [ref]$task)
}

function Get-ResolverFault {
    param($Thrown)
    $one = $Thrown
    while ($null -ne $one) {
        if ($one -is [Net.Sockets.SocketException]) {
            # WSAHOST_NOT_FOUND and WSANO_DATA: the name, or an address of it, does not exist.
            if (@(11001, 11004) -contains [int]$one.ErrorCode) { return (New-Fault 'no_such_name' $one.Message) }
            return (New-Fault 'resolver_failed' $one.Message)
        }
        if ($one -is [Management.Automation.RuntimeException] -and $one.ErrorRecord.TargetObject -is [hashtable]) {
            return $one.ErrorRecord.TargetObject
        }
        $one = $one.InnerException
    }
    return (New-Fault 'resolver_failed' $Thrown.Message)
}

# Only addresses that no server in the world has: the usual answers of a resolver that withholds a name.
function Test-Nowhere {
    param($Addresses)
    foreach ($address in $Addresses) {
        if (@('0.0.0.0', '::', '127.0.0.1', '::1') -notcontains $address.ToString()) { return $false }
    }
    return ($Addresses.Count -gt 0)
}

# Those of one family; any takes all.
function Select-Family {
    param($Addresses, $Family)
    if ($Family -eq 'any') { return $Addresses }
    $wanted = [Net.Sockets.AddressFamily]::InterNetwork
    if ($Family -eq 'ipv6') { $wanted = [Net.Sockets.AddressFamily]::InterNetworkV6 }
    $chosen = @($Addresses | Where-Object { $_.AddressFamily -eq $wanted })
    if ($chosen.Count -eq 0) {
        throw (New-Fault 'other_family' ('it has ' + (@(Get-SortedText $Addresses) -join ', ')))
    }
    return $chosen
}

# Texts of whatever it is, each once, in order.
function Get-SortedText {
    param($Items)
    $texts = @{}
    foreach ($item in $Items) { $texts[$item.ToString()] = $true }
    $sorted = [string[]]@($texts.Keys)
    [Array]::Sort($sorted, [StringComparer]::Ordinal)
    return $sorted
}

# At most $Count items from $Start on.
function Get-Part {
    param($Items, $Start, $Count)
    $index = 0
    foreach ($item in $Items) {
        if ($index -ge $Start -and $index -lt $Start + $Count) { $item }
        $index = $index + 1
    }
}

# Connect to the first address that answers, the next one starting a quarter of a second later (RFC 8305).
function Connect-First {
    param($Run, $Addresses, $Port)
    $race = @{ waiting = @(Get-Part $Addresses 0 8); running = @(); faults = @(); port = $Port }
    $clock = [Diagnostics.Stopwatch]::StartNew()
    $most = Get-StepTime $Run
    try {
        while ($race.waiting.Count -gt 0 -or $race.running.Count -gt 0) {
            if ($race.waiting.Count -gt 0) { Start-Attempt $race }
            $winner = Wait-Attempt $Run $race $clock $most
            if ($null -ne $winner) { return $winner }
        }
        throw (Get-TellingFault $race.faults)
    }
    finally {
        foreach ($other in $race.running) { $other.client.Close() }
    }
}

function Start-Attempt {
    param($Race)
    $address = $Race.waiting[0]
    $Race.waiting = @(Get-Part $Race.waiting 1 8)
    $client = [Net.Sockets.TcpClient]::new($address.AddressFamily)
    $Race.running += @{ client = $client; task = $client.ConnectAsync($address, [int]$Race.port) }
}

# The next connection that stands, or null when it is time to start one more or to give up.
function Wait-Attempt {
    param($Run, $Race, $Clock, $Most)
    $until = $Most
    if ($Race.waiting.Count -gt 0) { $until = [Math]::Min($Most, $Clock.ElapsedMilliseconds + 250) }
    while ($Race.running.Count -gt 0) {
        $left = [int]($until - $Clock.ElapsedMilliseconds)
        $index = -1
        if ($left -gt 0) {
            $tasks = [Threading.Tasks.Task[]]@($Race.running | ForEach-Object { $_.task })
            $index = [Threading.Tasks.Task]::WaitAny($tasks, $left)
        }
        if ($index -lt 0) {
            if ($until -ge $Most) { throw (New-Expiry $Run) }
            return $null
        }
        $one = $Race.running[$index]
        $Race.running = @($Race.running | Where-Object { $_.client -ne $one.client })
        if (-not $one.task.IsFaulted) { return $one.client }
        $one.client.Close()
        $Race.faults += (Get-TaskFault $Run $one.task)
    }
    return $null
}

function Get-TaskFault {
    param($Run, $Task)
    return (ConvertTo-Fault $Run @{ TargetObject = $null; Exception = $Task.Exception })
}

# Of several failures the one that says most: an answer of the far end before a local one.
function Get-TellingFault {
    param($Faults)
    foreach ($word in @('refused', 'reset', 'unreachable', 'no_route')) {
        foreach ($fault in $Faults) {
            if ($fault.word -eq $word) { return $fault }
        }
    }
    if ($Faults.Count -gt 0) { return $Faults[0] }
    return (New-Fault 'no_route' 'no address to connect to')
}

# A channel: its client, stream is what to speak on, timed what lies below it.
function Close-Channel {
    param($Channel)
    $Channel.stream.Dispose()
    $Channel.client.Close()
}

# Send a request and read the head of its answer, and at most $Most bytes of what follows.
function Read-Answer {
    param($Run, $Channel, $Request, $Most = 0)
    $Channel.timed.Allow((Get-StepTime $Run))
    $latin = [Text.Encoding]::GetEncoding(28591)
    $bytes = $latin.GetBytes($Request)
    try {
        $Channel.stream.Write($bytes, 0, $bytes.Length)
        $Channel.stream.Flush()
        return (Read-Head $Channel.stream $latin $Most)
    }
    catch {
        throw (ConvertTo-Fault $Run $_)
    }
}

function Read-Head {
    param($Stream, $Latin, $Most)
    $buffer = [byte[]]::new(4096)
    $data = ''
    while ($true) {
        $end = $data.IndexOf("`r`n`r`n", [StringComparison]::Ordinal)
        if ($end -ge 0) {
            $response = ConvertFrom-Head ($data.Substring(0, $end))
            $data = $data.Substring($end + 4)
            if ($response.status -ge 200 -or $response.status -eq 101) { break }
            continue
        }
        if ($data.Length -gt 32768) { throw (New-Fault 'not_http' 'no end of the headers within 32768 bytes') }
        $got = $Stream.Read($buffer, 0, $buffer.Length)
        if ($got -le 0) { throw (New-Fault 'closed' (Format-Shown $data)) }
        $data += $Latin.GetString($buffer, 0, $got)
    }
    if ($Most -gt 0) { $response.body = Read-Body $Stream $Latin $data $Most $response }
    return $response
}

# The beginning of the body; the head has been read, so a body that breaks off is no failure.
function Read-Body {
    param($Stream, $Latin, $Data, $Most, $Response)
    $wanted = $Most
    $length = Get-Header $Response 'content-length'
    if ($length -cmatch '^[0-9]{1,15}$') { $wanted = [Math]::Min([long]$Most, [long]$length) }
    $buffer = [byte[]]::new(4096)
    try {
        while ($Data.Length -lt $wanted) {
            $got = $Stream.Read($buffer, 0, $buffer.Length)
            if ($got -le 0) { break }
            $Data += $Latin.GetString($buffer, 0, $got)
        }
    }
    catch [IO.IOException] {
        $wanted = [Math]::Min($wanted, $Data.Length)
    }
    return $Data.Substring(0, [Math]::Min($Data.Length, $wanted))
}

Export-ModuleMember -Function *
