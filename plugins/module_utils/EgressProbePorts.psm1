# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Ports that speak neither http nor https: what can be known of them, and no more: the mirror of _probe_ports.py.
#AnsibleRequires -PowerShell ansible_collections.egress.allowlist.plugins.module_utils.EgressProbeHttp
#AnsibleRequires -PowerShell ansible_collections.egress.allowlist.plugins.module_utils.EgressProbeNet

# What the other end says by itself, as some do (SMTP, SSH); empty when it waits to be spoken to.
function Read-Greeting {
    param($Run, $Channel)
    $Channel.timed.Allow([Math]::Min(1000, (Get-StepTime $Run)))
    $buffer = [byte[]]::new(200)
    try {
        $got = $Channel.stream.Read($buffer, 0, $buffer.Length)
    }
    catch {
        $fault = ConvertTo-Fault $Run $_
        if ($fault.word -eq 'timeout') { return '' }
        throw $fault
    }
    if ($got -le 0) { throw (New-Fault 'closed') }
    $text = [Text.Encoding]::GetEncoding(28591).GetString($buffer, 0, $got).Trim()
    return 'it greets with ' + (Format-Quoted (Format-Shown $text))
}

# Send one datagram to the first address, and tell what came back.
function Read-Datagram {
    param($Run, $Address, $Port)
    $question = Get-Datagram $Port
    $client = [Net.Sockets.UdpClient]::new($Address.AddressFamily)
    try {
        $client.Client.ReceiveTimeout = Get-StepTime $Run
        $client.Connect($Address, $Port)
        [void]$client.Send($question.bytes, $question.bytes.Length)
        $far = $null
        $got = $client.Receive([ref]$far)
        return [string]$got.Length + ' bytes came back (' + $question.name + ')'
    }
    catch {
        $fault = ConvertTo-Fault $Run $_
        # Windows tells of ICMP's "port unreachable" as a reset of the socket.
        if ($fault.word -eq 'reset') { $fault.word = 'refused' }
        throw $fault
    }
    finally {
        $client.Close()
    }
}

# A question in the tongue of the port: STUN (RFC 8489), NTP (RFC 5905), QUIC (RFC 9000), else an empty datagram.
function Get-Datagram {
    param($Port)
    if ($Port -ge 3478 -and $Port -le 3481) {
        $bytes = [byte[]](@(0, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42) + [Guid]::NewGuid().ToByteArray()[0..11])
        return @{ name = 'asked in STUN'; bytes = $bytes }
    }
    if ($Port -eq 123) {
        $bytes = [byte[]]::new(48)
        $bytes[0] = 0x23
        return @{ name = 'asked in NTP'; bytes = $bytes }
    }
    if ($Port -eq 443) {
        $bytes = [byte[]]::new(1200)
        $some = [Guid]::NewGuid().ToByteArray()
        $head = @(0xC0, 0x1A, 0x2A, 0x3A, 0x4A, 8) + $some[0..7] + @(8) + $some[8..15]
        [Array]::Copy([byte[]]$head, $bytes, $head.Count)
        return @{ name = 'asked in QUIC'; bytes = $bytes }
    }
    return @{ name = 'asked with an empty datagram'; bytes = [byte[]]::new(0) }
}

Export-ModuleMember -Function *
