# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# What one probe asks for: a scheme, a host, a port and, for plain http, a path: the mirror of _probe_target.py. Pure.
# What cannot be asked for is thrown as a text.
#AnsibleRequires -PowerShell ansible_collections.egress.allowlist.plugins.module_utils.EgressProbeHttp

# A target as a hashtable: scheme, host, port, path, url, authority, family, label.
function ConvertTo-Target {
    param($Text, $Where = 'targets', $Family = 'any')
    $problem = $Where + ': ' + (Format-Quoted $Text) + ' cannot be probed: '
    $parts = Split-Address $Text $problem
    $scheme = $parts.scheme
    if (@('http', 'https', 'tcp', 'udp') -cnotcontains $scheme) {
        throw ($problem + 'expected http://, https://, tcp:// or udp:// at the beginning')
    }
    $path = $parts.path
    if ($path -eq '') { $path = '/' }
    if ($scheme -ne 'http' -and $path -ne '/') {
        throw ($problem + 'a path is only visible to the network in plain http; leave it out')
    }
    if ($parts.rest) { throw ($problem + 'a query or fragment does not belong here') }
    $far = Get-Authority $parts $problem
    if ($null -eq $far.port -and @('tcp', 'udp') -ccontains $scheme) {
        throw ($problem + 'the port is missing, expected ' + $scheme + '://host:port')
    }
    $port = $far.port
    if ($null -eq $port) { $port = Get-DefaultPort $scheme }
    return New-Target $scheme $far.host $port $path $Family
}

function New-Target {
    param($Scheme, $HostName, $Port, $Path, $Family)
    $name = Format-Bracketed $HostName
    $url = $Scheme + '://' + $name
    if ($Port -ne (Get-DefaultPort $Scheme)) { $url = $url + ':' + [string]$Port }
    if ($Path -ne '/') { $url = $url + $Path }
    $label = $url
    if ($Family -eq 'ipv4') { $label = $url + ' (IPv4)' }
    if ($Family -eq 'ipv6') { $label = $url + ' (IPv6)' }
    return @{
        scheme = $Scheme
        host = $HostName
        port = $Port
        path = $Path
        family = $Family
        url = $url
        label = $label
        authority = $name + ':' + [string]$Port
    }
}

function Get-DefaultPort {
    param($Scheme)
    if ($Scheme -eq 'http') { return 80 }
    if ($Scheme -eq 'https') { return 443 }
    return 0
}

# The proxy to go through; credentials are refused, since sending none is what shows the bypass.
function ConvertTo-Proxy {
    param($Text)
    $shown = [regex]::Replace($Text, '^[^/@]*@|(?<=//)[^/@]*@', '')
    $problem = 'proxy: ' + (Format-Quoted $shown) + ' cannot be used: '
    $whole = $Text
    if (-not $Text.Contains('://')) { $whole = 'http://' + $Text }
    $parts = Split-Address $whole $problem
    if ($parts.scheme -cne 'http') {
        throw ($problem + 'expected http://host:port, the probe speaks plain http to the proxy')
    }
    if (($parts.path -ne '' -and $parts.path -ne '/') -or $parts.rest) {
        throw ($problem + 'expected http://host:port and nothing after it')
    }
    $far = Get-Authority $parts $problem
    if ($null -eq $far.port) { throw ($problem + 'the port is missing, expected http://host:port') }
    return New-Proxy $far.host $far.port
}

function New-Proxy {
    param($HostName, $Port)
    return @{ host = $HostName; port = $Port; url = 'http://' + (Format-Bracketed $HostName) + ':' + [string]$Port }
}

# A plain name that does not exist.
function ConvertTo-Control {
    param($Text)
    $name = $Text.ToLowerInvariant().TrimEnd('.')
    if (-not (Test-HostName $name) -or -not $name.Contains('.')) {
        throw ('control_name: expected a name that does not exist, such as none.example.com, got ' + (Format-Quoted $Text))
    }
    return $name
}

# Scheme, authority, path, and whether a query or fragment follows.
function Split-Address {
    param($Text, $Problem)
    if ($Text -cnotmatch '^[!-~]+$') {
        throw ($Problem + 'expected visible ASCII without blanks (write the xn-- form of a name)')
    }
    $found = [regex]::Match($Text, '^([A-Za-z][A-Za-z0-9+.-]*)://([^/?#]*)([^?#]*)(.*)$')
    if (-not $found.Success) { return @{ scheme = ''; authority = ''; path = ''; rest = $false } }
    $rest = $found.Groups[4].Value
    return @{
        scheme = $found.Groups[1].Value.ToLowerInvariant()
        authority = $found.Groups[2].Value
        path = $found.Groups[3].Value
        rest = ($rest -ne '' -and $rest -ne '?' -and $rest -ne '#' -and $rest -ne '?#')
    }
}

# Host and port; the port is null where none is written.
function Get-Authority {
    param($Parts, $Problem)
    $authority = $Parts.authority
    if ($authority.Contains('@')) {
        throw ($Problem + 'user and password do not belong here, the probe sends none to anybody')
    }
    $found = [regex]::Match($authority, '^(?:\[([^\[\]]*)\]|([^:\[\]]*))(?::(.*))?$')
    if (-not $found.Success) { throw ($Problem + (Format-Quoted $authority) + ' is neither a host name nor an address') }
    $name = ($found.Groups[1].Value + $found.Groups[2].Value).ToLowerInvariant()
    $port = Get-Port $found.Groups[3].Value $Problem
    $bracketed = $found.Groups[1].Success
    if (-not ((Test-Address $name $bracketed) -or (-not $bracketed -and (Test-HostName $name)))) {
        throw ($Problem + (Format-Quoted $name) + ' is neither a host name nor an address')
    }
    return @{ host = $name; port = $port }
}

function Get-Port {
    param($Text, $Problem)
    if ($Text -eq '') { return $null }
    if ($Text -cnotmatch '^[0-9]{1,9}$') {
        throw ($Problem + 'Port could not be cast to integer value as ' + (Format-Quoted $Text))
    }
    $port = [int]$Text
    if ($port -gt 65535) { throw ($Problem + 'Port out of range 0-65535') }
    if ($port -eq 0) { throw ($Problem + 'port 0 is none') }
    return $port
}

# An address instead of a name: IPv4 as four numbers, IPv6 in brackets.
function Test-Address {
    param($Text, $Bracketed)
    if ($Bracketed) {
        return ($Text -cmatch '^[0-9a-f:]+(:[0-9]{1,3}(\.[0-9]{1,3}){3})?$' -and $Text.Contains(':'))
    }
    return ($Text -cmatch '^((25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])(\.|$)){4}$')
}

function Test-HostName {
    param($Text)
    $label = '[a-z0-9_]([a-z0-9_-]{0,62})?'
    return ($Text.Length -le 253 -and $Text -cmatch ('^' + $label + '(\.' + $label + ')*$'))
}

function Format-Bracketed {
    param($HostName)
    if ($HostName.Contains(':')) { return '[' + $HostName + ']' }
    return $HostName
}

Export-ModuleMember -Function *
