# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# The little of HTTP/1.1 that a probe speaks, and who made an answer: the mirror of _probe_http.py. Pure.
# A response is a hashtable: status, headers (names in lower case), body (the beginning of it, where it was asked for).

# Who asks, and for what: anything.
function Get-Agent {
    return "User-Agent: egress.allowlist probe`r`nAccept: */*`r`n"
}

# Products that name themselves in Server when they answer instead of the server that was asked.
function Get-Intermediary {
    return 'squid|zscaler|blue ?coat|proxysg|mcafee web gateway|skyhigh|forti(gate|proxy|guard)|websense|forcepoint' +
    '|sophos|barracuda|ironport|cisco umbrella|netskope|checkpoint|palo ?alto|privoxy|tinyproxy'
}

function Get-Header {
    param($Response, $Name)
    if ($Response.headers.ContainsKey($Name)) { return $Response.headers[$Name] }
    return ''
}

function Get-Location {
    param($Response)
    return (Get-Header $Response 'location')
}

# The name of the error page of Squid, or the error of RFC 9209.
function Get-ProxyError {
    param($Response)
    $squid = Get-Header $Response 'x-squid-error'
    if ($squid -ne '') { return $squid }
    $status = Get-Header $Response 'proxy-status'
    if ($status.Contains('error=')) { return $status }
    return ''
}

# What shows that something before the server made this answer; empty when nothing shows it.
function Get-Maker {
    param($Response)
    $headers = $Response.headers
    if ($headers.ContainsKey('x-squid-error')) { return 'X-Squid-Error: ' + $headers['x-squid-error'] }
    if ($headers.ContainsKey('proxy-status') -and (Get-ProxyError $Response) -ne '') {
        return 'Proxy-Status: ' + $headers['proxy-status']
    }
    if ($headers.ContainsKey('proxy-authenticate')) { return 'Proxy-Authenticate: ' + $headers['proxy-authenticate'] }
    $server = Get-Header $Response 'server'
    if ($server -match (Get-Intermediary)) { return 'Server: ' + $server }
    return ''
}

# A page for people: HTML, or a redirect to one.
function Test-Page {
    param($Response)
    if ($Response.status -ge 300 -and $Response.status -lt 400) { return $true }
    return (Get-Header $Response 'content-type').ToLowerInvariant().Contains('html')
}

# The same page, apart from the names, numbers and addresses in it that tell who asked for what.
function Test-SamePage {
    param($Response, $Other)
    if ($Response.status -ne $Other.status -or (Test-Page $Response) -ne (Test-Page $Other)) { return $false }
    if ($Response.status -ge 300 -and $Response.status -lt 400) {
        return ((Get-WithoutQuery (Get-Location $Response)) -ceq (Get-WithoutQuery (Get-Location $Other)))
    }
    return ((Get-Gist $Response.body) -ceq (Get-Gist $Other.body))
}

# True for a redirect to another site: an address of the same domain, or https, is the server's own.
function Test-LeadsAway {
    param($Response, $HostName)
    $location = Get-Location $Response
    if ($Response.status -lt 300 -or $Response.status -ge 400 -or $location -eq '') { return $false }
    $found = [regex]::Match($location, '^(?:[A-Za-z][A-Za-z0-9+.-]*:)?//(?:[^/?#]*@)?(\[[^\]/?#]*\]|[^/?#:]*)')
    if (-not $found.Success -or $found.Groups[1].Value -eq '') { return $false }
    return ((Get-Site $found.Groups[1].Value) -cne (Get-Site $HostName))
}

function Get-WithoutQuery {
    param($Location)
    return $Location.Split('?')[0].Split('#')[0]
}

# A page without what differs from one request to the next: names, addresses, numbers.
function Get-Gist {
    param($Page)
    return [regex]::Replace($Page, '[\w.-]+\.[\w-]+|[0-9a-fA-F]{8,}|\d+|\s+', ' ').Trim()
}

# The last two labels: roughly who runs a name.
function Get-Site {
    param($HostName)
    $labels = $HostName.ToLowerInvariant().TrimEnd('.').Split('.')
    if ($labels.Count -lt 2) { return $labels[0] }
    return $labels[$labels.Count - 2] + '.' + $labels[$labels.Count - 1]
}

# Foreign text made fit for one line of a terminal.
function Format-Shown {
    param($Text)
    $clean = [regex]::Replace($Text, '[\x00-\x1f\x7f-\xa0\xad\u200b-\u200f\u2028-\u202f\u2060-\u206f\ue000-\uf8ff\ufeff]', '?')
    if ($clean.Length -gt 160) { return $clean.Substring(0, 160) + [char]0x2026 }
    return $clean
}

# A text in quotes, as Python writes it.
function Format-Quoted {
    param($Text)
    if ($Text.Contains("'") -and -not $Text.Contains('"')) { return '"' + $Text.Replace('\', '\\') + '"' }
    return "'" + $Text.Replace('\', '\\').Replace("'", "\'") + "'"
}

# Ask a proxy for a tunnel. No credentials, ever.
function Get-ConnectRequest {
    param($Target)
    $authority = $Target.authority
    return "CONNECT $authority HTTP/1.1`r`nHost: $authority`r`n" + (Get-Agent) + "`r`n"
}

# HEAD is enough where the certificate shows who answers; GET elsewhere, since block pages are made for it.
function Get-PageRequest {
    param($Target, $ThroughProxy, $Verb, $Ranged)
    $site = $Target.url.Substring($Target.scheme.Length + 3).Split('/')[0]
    $where = $Target.path
    if ($Target.scheme -ne 'https' -and $ThroughProxy) { $where = "http://$site" + $Target.path }
    $part = ''
    if ($Ranged) { $part = "Range: bytes=0-0`r`n" }
    return "$Verb $where HTTP/1.1`r`nHost: $site`r`n" + (Get-Agent) + $part + "Connection: close`r`n`r`n"
}

# Read status line and headers; anything else is a fault.
function ConvertFrom-Head {
    param($Head)
    $lines = $Head -split "`r`n"
    $found = [regex]::Match($lines[0], '^HTTP/\d(?:\.\d)? (\d{3})(?: |$)')
    if (-not $found.Success) {
        throw (New-Fault 'not_http' ('the answer begins with ' + (Format-Quoted (Format-Shown $lines[0]))))
    }
    $headers = @{}
    foreach ($line in $lines) {
        $colon = $line.IndexOf(':')
        if ($line -ceq $lines[0] -or $colon -lt 0) { continue }
        $key = $line.Substring(0, $colon).Trim().ToLowerInvariant()
        $value = Format-Shown ($line.Substring($colon + 1).Trim())
        if ($headers.ContainsKey($key)) { $value = $headers[$key] + ', ' + $value }
        $headers[$key] = $value
    }
    return @{ status = [int]$found.Groups[1].Value; headers = $headers; body = '' }
}

# A step that did not succeed: a word for the judge, the error's own text, and which step it was.
function New-Fault {
    param($Word, $Detail = '', $Step = '')
    return @{ word = $Word; detail = $Detail; step = $Step; is_fault = $true }
}

Export-ModuleMember -Function *
