# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Which way leads to a target: direct, a proxy that was named, or what this Windows is set to (WinHTTP, WinINET, PAC).
# A way is a list of proxies in the order to be tried; one with an empty url is the direct way.
#AnsibleRequires -PowerShell ansible_collections.egress.allowlist.plugins.module_utils.EgressProbeHttp
#AnsibleRequires -PowerShell ansible_collections.egress.allowlist.plugins.module_utils.EgressProbeNative
#AnsibleRequires -PowerShell ansible_collections.egress.allowlist.plugins.module_utils.EgressProbeTarget

# Where the ways of a run come from.
function New-WaySource {
    param($Options)
    $source = @{ kind = 'direct'; proxy = $null; text = ''; bypass = ''; script = ''; detect = $false }
    if ($Options.proxy) {
        $source.kind = 'fixed'
        $source.proxy = ConvertTo-Proxy $Options.proxy
    }
    elseif ($Options.pac) {
        if ($Options.pac -notmatch '^https?://') {
            throw ('pac: ' + (Format-Quoted $Options.pac) + ' cannot be used: expected http:// or https://, WinHTTP reads no other')
        }
        $source.kind = 'settings'
        $source.script = $Options.pac
    }
    elseif ($Options.proxy_settings -eq 'system') { Add-MachineSetting $source }
    elseif ($Options.proxy_settings -eq 'user') { Add-AccountSetting $source $Options.timeout }
    return $source
}

# WinHTTP, as "netsh winhttp show proxy" tells it; what services and Windows Update use.
function Add-MachineSetting {
    param($Source)
    $found = [EgressAllowlist.WinHttp]::Machine()
    $Source.kind = 'settings'
    $Source.text = $found[0]
    $Source.bypass = $found[1]
}

# WinINET, of the account that this runs as. Detection is tried once, since it takes long where there is nothing.
function Add-AccountSetting {
    param($Source, $Timeout)
    $found = [EgressAllowlist.WinHttp]::Account()
    $Source.kind = 'settings'
    $Source.text = $found[0]
    $Source.bypass = $found[1]
    $Source.script = $found[2]
    if ($found[3] -eq 'yes') {
        try {
            [void][EgressAllowlist.WinHttp]::Ask('http://www.msftconnecttest.com/', '', [int](1000 * $Timeout))
            $Source.detect = $true
        }
        catch {
            $Source.detect = $false
        }
    }
}

# The way of one target. Datagrams pass no proxy.
function Get-Way {
    param($Run, $Target)
    $source = $Run.ways
    if ($Target.scheme -eq 'udp' -or $source.kind -eq 'direct') { return (Get-DirectWay) }
    if ($source.kind -eq 'fixed') { return $source.proxy }
    if (-not $source.detect -and $source.script -eq '') { return (Select-Way $Target $source.text $source.bypass) }
    $script = $source.script
    if ($source.detect) { $script = '' }
    try {
        $found = [EgressAllowlist.WinHttp]::Ask((Get-PacUrl $Target), $script, [int](1000 * $Run.timeout))
    }
    catch {
        $reason = $_.Exception.GetBaseException().Message
        throw (New-Fault 'system' $reason 'way')
    }
    return (Select-Way $Target $found[0] $found[1])
}

function Get-DirectWay {
    return @{ host = ''; port = 0; url = '' }
}

# What a PAC file is shown of a target: as in browsers, of https no path; and a bare port looks like https.
function Get-PacUrl {
    param($Target)
    if ($Target.scheme -eq 'http') { return $Target.url }
    if ($Target.port -eq 443) { return 'https://' + (Format-Bracketed $Target.host) + '/' }
    return 'https://' + $Target.authority + '/'
}

# The proxies that a text of WinHTTP or WinINET names for a target: "p:80", "p:80;q:80", "http=p:80;https=q:80".
function Select-Way {
    param($Target, $Text, $Bypass)
    if ($Text -eq '' -or (Test-Bypass $Target $Bypass)) { return (Get-DirectWay) }
    $kind = 'https'
    if ($Target.scheme -eq 'http') { $kind = 'http' }
    $ours = @()
    $socks = ''
    foreach ($part in ($Text -split '[;\s]+')) {
        $pair = [regex]::Match($part, '^(?:([A-Za-z]+)=)?(.+)$')
        $name = $pair.Groups[1].Value.ToLowerInvariant()
        if (-not $pair.Success) { continue }
        if ($name -eq 'socks') { $socks = $part }
        if ($name -eq '' -or $name -eq $kind) { $ours = $ours + @(ConvertTo-SettingProxy $pair.Groups[2].Value) }
    }
    if ($ours.Count -gt 0) { return $ours }
    if ($socks -ne '') { throw (New-Fault 'not_spoken' $socks 'way') }
    return (Get-DirectWay)
}

# "http://p.example.com:80" or "p.example.com"; credentials that stand there are not sent.
function ConvertTo-SettingProxy {
    param($Text)
    $found = [regex]::Match($Text, '^(?:([A-Za-z0-9]+)://)?(?:[^/@]*@)?(?:\[([0-9A-Fa-f:]+)\]|([^:/\[\]]+))(?::([0-9]{1,5}))?/?$')
    $kind = $found.Groups[1].Value.ToLowerInvariant()
    if (-not $found.Success) { throw (New-Fault 'system' ('the settings name no proxy that is understood: ' + (Format-Shown $Text)) 'way') }
    if ($kind -ne '' -and $kind -ne 'http') { throw (New-Fault 'not_spoken' (Format-Shown $Text) 'way') }
    $port = 80
    if ($found.Groups[4].Value -ne '') { $port = [int]$found.Groups[4].Value }
    $name = ($found.Groups[2].Value + $found.Groups[3].Value).ToLowerInvariant()
    return (New-Proxy $name $port)
}

# Does the bypass list hold the target? "<local>" stands for names without a dot, and * for any run of characters.
function Test-Bypass {
    param($Target, $Bypass)
    foreach ($part in ($Bypass -split '[;\s]+')) {
        $pattern = [regex]::Replace($part.ToLowerInvariant(), '^[a-z]+://', '')
        if ($pattern -eq '') { continue }
        if ($pattern -eq '<local>') {
            if (-not $Target.host.Contains('.') -and -not $Target.host.Contains(':')) { return $true }
            continue
        }
        $wanted = '^' + [regex]::Escape($pattern).Replace('\*', '.*') + '$'
        if ($Target.host -match $wanted -or $Target.authority -match $wanted) { return $true }
    }
    return $false
}

Export-ModuleMember -Function *
