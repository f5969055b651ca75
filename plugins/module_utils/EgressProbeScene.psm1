# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# What one target alone cannot show, and the run as a whole can: the mirror of _probe_scene.py. A name that does not
# exist is asked for only when some answer needs it, so that a healthy network sees no odd questions.
#AnsibleRequires -PowerShell ansible_collections.egress.allowlist.plugins.module_utils.EgressProbeHttp
#AnsibleRequires -PowerShell ansible_collections.egress.allowlist.plugins.module_utils.EgressProbeNet
#AnsibleRequires -PowerShell ansible_collections.egress.allowlist.plugins.module_utils.EgressProbeTarget
#AnsibleRequires -PowerShell ansible_collections.egress.allowlist.plugins.module_utils.EgressProbeWalk

# The scene in which the targets were seen.
function New-Scene {
    param($Run, $Seen)
    $scene = @{
        min_tls = $Run.min_tls
        control = $Run.control
        control_addresses = @()
        control_pages = @{}
        control_issuer = ''
        issuers = Get-SigningForMany $Seen
        portal = ''
    }
    if (Test-AnyUntrusted $Seen) {
        $control = Find-FirstWay $Run (New-Target 'https' $Run.control 443 '/' 'any')
        $scene.control_issuer = Get-IssuerOfMadeUp $control
        Add-ControlPage $scene $control
    }
    if (Test-AnyPage $Seen) {
        Add-ControlPage $scene (Find-FirstWay $Run (New-Target 'http' $Run.control 80 '/' 'any'))
    }
    $scene.control_addresses = @(Get-ControlAddress $Run $Seen)
    $scene.portal = Get-Portal $Run $Seen
    return $scene
}

function Test-AnyUntrusted {
    param($Seen)
    foreach ($facts in $Seen) {
        if (Test-Untrusted $facts) { return $true }
    }
    return $false
}

function Test-Untrusted {
    param($Facts)
    return ($null -ne $Facts.tls -and $Facts.tls.trust -eq 'none')
}

function Test-Proven {
    param($Facts)
    return ($null -ne $Facts.tls -and $Facts.tls.trust -eq 'public' -and $Facts.tls.problem -eq '')
}

# A page, or a refusal, over plain http: did the server say it?
function Test-AnyPage {
    param($Seen)
    foreach ($facts in $Seen) {
        if (Test-NeedsPage $facts) { return $true }
    }
    return $false
}

function Test-NeedsPage {
    param($Facts)
    $response = $Facts.response
    if ($null -eq $response -or $Facts.scheme -eq 'https' -or $response.status -ge 500) { return $false }
    if ((Get-Maker $response) -ne '') { return $false }
    return ((Test-Page $response) -or ($Facts.proxy -ne '' -and $response.status -ge 400))
}

# A control that is proven to exist by a public certificate is none.
function Add-ControlPage {
    param($Scene, $Control)
    if ($null -ne $Control.response -and -not (Test-Proven $Control)) {
        $Scene.control_pages[$Control.scheme] = $Control.response
    }
}

# Who signed a certificate that names what does not exist.
function Get-IssuerOfMadeUp {
    param($Control)
    $tls = $Control.tls
    if ($null -ne $tls -and $tls.mentions -and $tls.trust -ne 'public') { return $tls.certificate.issuer }
    return ''
}

# Where a made-up name leads, unless all names lead there: then that is how this network is made.
function Get-ControlAddress {
    param($Run, $Seen)
    $suspects = @($Seen | Where-Object { $_.addresses.Count -gt 0 -and -not (Test-Proven $_) })
    if ($suspects.Count -eq 0) { return @() }
    try {
        $resolved = Resolve-Name $Run $Run.control
        $found = @(Get-SortedText $resolved.addresses)
    }
    catch {
        return @()
    }
    foreach ($facts in $Seen) {
        foreach ($address in $facts.addresses) {
            if ($found -notcontains $address) { return $found }
        }
    }
    return @()
}

# Where a captive portal sends this host, as far as it sends targets there too. What Windows itself asks is asked.
function Get-Portal {
    param($Run, $Seen)
    $away = @($Seen | Where-Object { Test-LedAway $_ })
    if ($away.Count -eq 0) { return '' }
    $check = Find-FirstWay $Run (New-Target 'http' 'www.msftconnecttest.com' 80 '/connecttest.txt' 'any')
    if ($null -eq $check.response -or -not (Test-LeadsAway $check.response $check.host)) { return '' }
    return (Get-Location $check.response).Split('?')[0]
}

function Test-LedAway {
    param($Facts)
    $response = $Facts.response
    if ($null -eq $response -or (Get-Maker $response) -ne '') { return $false }
    return (Test-LeadsAway $response $Facts.host)
}

# Issuers that nobody knows and that sign for three sites or more, with how many names and sites those are.
function Get-SigningForMany {
    param($Seen)
    $names = @{}
    $sites = @{}
    foreach ($facts in $Seen) {
        if (-not (Test-Untrusted $facts)) { continue }
        $issuer = $facts.tls.certificate.issuer
        if ($issuer -eq '') { continue }
        if (-not $names.ContainsKey($issuer)) {
            $names[$issuer] = @{}
            $sites[$issuer] = @{}
        }
        $names[$issuer][$facts.host] = $true
        $sites[$issuer][(Get-Site $facts.host)] = $true
    }
    $found = @{}
    foreach ($issuer in $names.Keys) {
        if ($sites[$issuer].Count -ge 3) {
            $found[$issuer] = [string]$names[$issuer].Count + ' names of ' + [string]$sites[$issuer].Count + ' sites'
        }
    }
    return $found
}

Export-ModuleMember -Function *
