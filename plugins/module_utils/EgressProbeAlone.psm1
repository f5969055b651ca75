# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# A probe on a host that Ansible does not reach: the answers become a file, which the control node judges later: the
# mirror of _probe_alone.py.
#AnsibleRequires -PowerShell ansible_collections.egress.allowlist.plugins.module_utils.EgressProbe

# Ask, and write the file. 0: the file is written, whatever it says. 1: it is not, and one line says why.
function Invoke-Alone {
    param($Text, $ResultsPath)
    try {
        $options = ConvertTo-Option (ConvertFrom-Json $Text)
        $computer = [Environment]::MachineName.ToLowerInvariant()
        $path = [Environment]::ExpandEnvironmentVariables($ResultsPath).Replace('{host}', $computer)
        $json = ConvertTo-Json (Get-RawResult $options $computer) -Depth 12 -Compress
        Write-Whole $path $json
    }
    catch {
        $reason = $_.Exception.Message
        if ($_.TargetObject -is [string]) { $reason = $_.TargetObject }
        [Console]::Error.WriteLine('egress probe: ' + $reason)
        return 1
    }
    [Console]::Out.WriteLine('egress probe: ' + [string]@($options.targets).Count + ' targets asked, the answers are in ' + $path)
    return 0
}

# What ConvertFrom-Json reads, as the hashtable that the module would have.
function ConvertTo-Option {
    param($Read)
    $options = @{}
    foreach ($one in $Read.PSObject.Properties) { $options[$one.Name] = $one.Value }
    return $options
}

# What the file holds: the answers as they are, without a judgement.
function Get-RawResult {
    param($Options, $Computer)
    $answer = Invoke-Probe $Options
    $way = $null
    if ($Options.proxy_settings -ne 'none') { $way = $Options.proxy_settings + ' settings' }
    if ($Options.pac) { $way = $Options.pac }
    if ($Options.proxy) { $way = $Options.proxy }
    return @{
        format = 2
        raw = $true
        host = $Computer
        system = 'windows'
        time = [DateTime]::UtcNow.ToString('yyyy-MM-ddTHH:mm:ss') + '+00:00'
        proxy = $way
        seconds = $answer.seconds
        answers = @($answer.results)
    }
}

# A reader sees the old file or the new one.
function Write-Whole {
    param($Path, $Text)
    $folder = [IO.Path]::GetDirectoryName([IO.Path]::GetFullPath($Path))
    [void][IO.Directory]::CreateDirectory($folder)
    $draft = [IO.Path]::Combine($folder, '.' + [Guid]::NewGuid().ToString('N') + '.tmp')
    try {
        [IO.File]::WriteAllText($draft, $Text + "`n", [Text.UTF8Encoding]::new($false))
        if ([IO.File]::Exists($Path)) { [IO.File]::Replace($draft, $Path, [NullString]::Value) }
        else { [IO.File]::Move($draft, $Path) }
    }
    finally {
        if ([IO.File]::Exists($draft)) { [IO.File]::Delete($draft) }
    }
}

Export-ModuleMember -Function *
