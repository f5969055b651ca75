# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# The TLS handshake, and who signed the certificate that came back: the mirror of _probe_tls.py and _probe_trust.py.
# The handshake takes any certificate. Who vouches for it is decided afterwards, by the chain that Windows builds.
#AnsibleRequires -PowerShell ansible_collections.egress.allowlist.plugins.module_utils.EgressProbeHttp
#AnsibleRequires -PowerShell ansible_collections.egress.allowlist.plugins.module_utils.EgressProbeNet
#AnsibleRequires -PowerShell ansible_collections.egress.allowlist.plugins.module_utils.EgressProbeRules

# Whom a probe trusts, as sets of SHA-256: public, known (this host's own roots), inspection.
# Windows keeps the roots of its public programme in AuthRoot, and what a company adds in Root.
function New-Trust {
    param($Options)
    $trust = @{ public = @{}; known = @{}; inspection = @{}; inspectors = @{}; extra = @() }
    $public = @()
    if ($Options.public_ca_path) { $public = @(Read-Certificate $Options.public_ca_path 'public_ca_path') }
    else { $public = @(Get-StoreCertificate 'AuthRoot' 'LocalMachine') }
    foreach ($one in $public) { $trust.public[(Get-Fingerprint $one)] = $true }
    foreach ($one in Get-MicrosoftFingerprint) { $trust.public[$one] = $true }
    foreach ($one in Get-GivenFingerprint $Options.public_fingerprints) { $trust.public[$one] = $true }
    foreach ($place in @('LocalMachine', 'CurrentUser')) {
        foreach ($one in Get-StoreCertificate 'Root' $place) { $trust.known[(Get-Fingerprint $one)] = $true }
    }
    if ($Options.public_ca_path) { $trust.extra += $public }
    if ($Options.inspection_ca_path) { Add-Inspection $trust $Options.inspection_ca_path }
    if ($trust.public.Count -eq 0) {
        throw 'public_ca_path: this host has no public roots in its store AuthRoot; name a file or folder that holds them'
    }
    return $trust
}

function Add-Inspection {
    param($Trust, $Path)
    foreach ($one in Read-Certificate $Path 'inspection_ca_path') {
        $Trust.inspection[(Get-Fingerprint $one)] = $true
        $Trust.inspectors[(Format-Name $one.SubjectName)] = $true
        $Trust.extra += $one
    }
}

function Get-StoreCertificate {
    param($Name, $Place)
    $store = [Security.Cryptography.X509Certificates.X509Store]::new($Name, $Place)
    try {
        $store.Open('ReadOnly, OpenExistingOnly')
        return @($store.Certificates)
    }
    catch {
        return @()
    }
    finally {
        $store.Close()
    }
}

# The certificates of a file or folder, in PEM form.
function Read-Certificate {
    param($Path, $Option)
    try {
        $files = @($Path)
        if ([IO.Directory]::Exists($Path)) {
            $files = @([IO.Directory]::GetFiles($Path) | Where-Object { $_ -match '\.(crt|pem|cer)$' } | Sort-Object)
        }
        $found = @(foreach ($file in $files) { ConvertFrom-Pem ([IO.File]::ReadAllText($file)) })
    }
    catch {
        throw ($Option + ': cannot read ' + (Format-Quoted $Path) + ' on this host: ' + $_.Exception.Message)
    }
    if ($found.Count -eq 0) {
        throw ($Option + ': ' + (Format-Quoted $Path) + ' on this host holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)')
    }
    return $found
}

function ConvertFrom-Pem {
    param($Text)
    foreach ($found in [regex]::Matches($Text, '-----BEGIN CERTIFICATE-----([^-]+)-----END CERTIFICATE-----')) {
        $raw = [Convert]::FromBase64String($found.Groups[1].Value)
        [Security.Cryptography.X509Certificates.X509Certificate2]::new([byte[]]$raw)
    }
}

# SHA-256 of certificates as people copy them: with or without colons, in any case.
function Get-GivenFingerprint {
    param($Texts)
    $index = 0
    foreach ($text in $Texts) {
        $plain = [regex]::Replace($text, '[\s:]', '').ToLowerInvariant()
        if ($plain -cnotmatch '^[0-9a-f]{64}$') {
            throw ('public_fingerprints[' + [string]$index + ']: expected the SHA-256 of a certificate, 64 hexadecimal ' +
                'digits, got ' + (Format-Quoted $text))
        }
        $plain
        $index = $index + 1
    }
}

function Get-Fingerprint {
    param($Certificate)
    $sha = [Security.Cryptography.SHA256]::Create()
    return [BitConverter]::ToString($sha.ComputeHash($Certificate.RawData)).Replace('-', '').ToLowerInvariant()
}

# A distinguished name, most telling part first: 'CN=Example CA, O=Example'.
function Format-Name {
    param($Name)
    # One part a line, without quotes.
    $lines = $Name.Decode('UseNewLines, DoNotUseQuotes') -split "`r?`n"
    $parts = @()
    foreach ($kind in @('CN', 'O', 'OU', 'C')) {
        foreach ($line in $lines) {
            if ($line.StartsWith($kind + '=')) { $parts += Format-Shown $line }
        }
    }
    return $parts -join ', '
}

function Get-CertificateFact {
    param($Certificate)
    return @{
        subject = Format-Name $Certificate.SubjectName
        issuer = Format-Name $Certificate.IssuerName
        not_after = $Certificate.NotAfter.ToUniversalTime().ToString('yyyy-MM-ddTHH:mm:ssZ')
        sha256 = Get-Fingerprint $Certificate
    }
}

# One handshake, with what it showed.
function Start-Tls {
    param($Run, $Facts, $Channel, $Protocols)
    $Channel.timed.Forget()
    $Channel.timed.Allow((Get-StepTime $Run))
    $clock = [Diagnostics.Stopwatch]::StartNew()
    $handshake = [EgressAllowlist.Handshake]::new()
    try {
        $stream = $handshake.Open($Channel.timed, $Facts.host, [int]$Protocols)
    }
    catch {
        $fault = Get-TlsFault $Run $_
        $fault.step = 'tls'
        if ($fault.word -eq 'tls') { Add-PlainAnswer $Facts $Channel }
        Close-Channel $Channel
        throw $fault
    }
    $Channel.stream = $stream
    $tls = Get-TlsFact $Run $Facts $handshake $stream
    $Facts.seconds['tls'] = [Math]::Round($clock.Elapsed.TotalSeconds, 3)
    return @{ channel = $Channel; tls = $tls }
}

# Where a TLS record was due, an HTTP answer in the clear came back: its beginning was read by the handshake, which the
# stream remembers, and the rest of its head is read here.
function Add-PlainAnswer {
    param($Facts, $Channel)
    $latin = [Text.Encoding]::GetEncoding(28591)
    $text = $latin.GetString($Channel.timed.Seen)
    if (-not $text.StartsWith('HTTP/', [StringComparison]::Ordinal)) { return }
    $buffer = [byte[]]::new(4096)
    try {
        while ($text.IndexOf("`r`n`r`n", [StringComparison]::Ordinal) -lt 0 -and $text.Length -lt 32768) {
            $got = $Channel.timed.Read($buffer, 0, $buffer.Length)
            if ($got -le 0) { break }
            $text += $latin.GetString($buffer, 0, $got)
        }
        $Facts.plain = ConvertFrom-Head (($text -split "`r`n`r`n")[0])
    }
    catch {
        $Facts.plain = $null
    }
}

function Get-TlsFault {
    param($Run, $Thrown)
    $fault = ConvertTo-Fault $Run $Thrown
    if ($fault.word -ne 'system') { return $fault }
    $one = $Thrown.Exception
    while ($null -ne $one) {
        if ($one -is [ComponentModel.Win32Exception]) {
            # SEC_E_UNSUPPORTED_FUNCTION and SEC_E_ALGORITHM_MISMATCH: what Schannel says where no version fits both.
            $old = @('80090302', '80090331') -contains $one.NativeErrorCode.ToString('x8')
            if ($old) { return (New-Fault 'tls_too_old' $one.Message) }
            return (New-Fault 'tls' $one.Message)
        }
        if ($one -is [IO.EndOfStreamException] -or $one.Message -match 'EOF|0 bytes|transport stream') {
            return (New-Fault 'closed')
        }
        $one = $one.InnerException
    }
    return (New-Fault 'tls' $fault.detail)
}

# What a handshake showed: version, cipher, who vouches for the certificate, and what is wrong with it.
function Get-TlsFact {
    param($Run, $Facts, $Handshake, $Stream)
    $sent = @(foreach ($raw in $Handshake.Sent) { [Security.Cryptography.X509Certificates.X509Certificate2]::new([byte[]]$raw) })
    $read = @(foreach ($one in $sent) { Get-CertificateFact $one })
    $verdict = Get-Voucher $Run.trust $sent
    $problem = Get-Problem $verdict $Handshake.NameFits
    $named = @($read | Where-Object { $Run.trust.inspectors.ContainsKey($_.issuer) }).Count -gt 0
    $latin = [Text.Encoding]::GetEncoding(28591)
    return @{
        trust = $verdict.trust
        problem = $problem
        detail = $verdict.detail
        version = Get-TlsVersion ([int]$Stream.SslProtocol)
        cipher = [string]$Stream.CipherAlgorithm + ' ' + [string]$Stream.CipherStrength
        certificate = $read[0]
        chain = $read
        named = $named
        mentions = $latin.GetString($Handshake.Sent[0]).Contains($Facts.host)
    }
}

function Get-TlsVersion {
    param($Number)
    $names = @{ '12288' = 'TLSv1.3'; '3072' = 'TLSv1.2'; '768' = 'TLSv1.1'; '192' = 'TLSv1' }
    if ($names.ContainsKey([string]$Number)) { return $names[[string]$Number] }
    return [string]$Number
}

# A name that is wrong is said before a date that is; with a CA of the company only the date counts.
function Get-Problem {
    param($Verdict, $NameFits)
    if ($Verdict.trust -eq 'none') { return 'untrusted' }
    if ($Verdict.trust -eq 'public' -and -not $NameFits) { return 'wrong_name' }
    if ($Verdict.expired) { return 'expired' }
    return ''
}

# Who vouches for a chain: public, known or none; with what Windows says against it, and whether it is out of date.
function Get-Voucher {
    param($Trust, $Sent)
    $chain = [Security.Cryptography.X509Certificates.X509Chain]::new()
    $chain.ChainPolicy.RevocationMode = 'NoCheck'
    $chain.ChainPolicy.UrlRetrievalTimeout = [TimeSpan]::FromSeconds(2)
    foreach ($one in @(Get-Part $Sent 1 99) + $Trust.extra) { [void]$chain.ChainPolicy.ExtraStore.Add($one) }
    [void]$chain.Build($Sent[0])
    $words = @()
    $expired = $false
    $broken = $false
    $prints = @()
    foreach ($element in $chain.ChainElements) {
        $prints += Get-Fingerprint $element.Certificate
        foreach ($status in $element.ChainElementStatus) {
            $words += ([string]$status.StatusInformation).Trim()
            if ($status.Status -eq 'NotTimeValid') { $expired = $true }
            if (@('NotSignatureValid', 'InvalidBasicConstraints', 'NotValidForUsage', 'Cyclic') -contains $status.Status) {
                $broken = $true
            }
        }
    }
    $chain.Reset()
    $who = Get-Anchor $Trust $prints $broken
    return @{ trust = $who; expired = $expired; detail = Format-Shown (@(Get-SortedText $words) -join '; ') }
}

# The kind of the CA at which a chain can stop. The server's own certificate, the first one, vouches for nobody.
function Get-Anchor {
    param($Trust, $Prints, $Broken)
    if ($Broken) { return 'none' }
    $authorities = @(Get-Part $Prints 1 99)
    foreach ($print in $authorities) {
        if ($Trust.public.ContainsKey($print)) { return 'public' }
    }
    foreach ($print in $authorities) {
        if ($Trust.known.ContainsKey($print) -or $Trust.inspection.ContainsKey($print)) { return 'known' }
    }
    return 'none'
}

Export-ModuleMember -Function *
