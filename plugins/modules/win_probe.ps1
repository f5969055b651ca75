#!powershell

# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

#AnsibleRequires -CSharpUtil Ansible.Basic
#AnsibleRequires -PowerShell ansible_collections.egress.allowlist.plugins.module_utils.EgressProbe

$intents = @('allow', 'bypass_tls_inspection', 'bypass_content_inspection', 'bypass_authentication')
$spec = @{
    options = @{
        entries = @{ type = 'list'; elements = 'raw' }
        targets = @{ type = 'list'; elements = 'str' }
        proxy = @{ type = 'str' }
        proxy_settings = @{ type = 'str'; choices = @('none', 'system', 'user'); default = 'none' }
        pac = @{ type = 'str' }
        families = @{ type = 'list'; elements = 'str'; choices = @('any', 'ipv4', 'ipv6'); default = @('any') }
        retries = @{ type = 'int'; default = 1 }
        timeout = @{ type = 'float'; default = 5 }
        deadline = @{ type = 'float'; default = 60 }
        threads = @{ type = 'int'; default = 64 }
        min_tls = @{ type = 'str'; choices = @('1.2', '1.3'); default = '1.2' }
        intents = @{ type = 'list'; elements = 'str'; choices = $intents; default = $intents }
        intents_by_risk = @{ type = 'dict' }
        public_ca_path = @{ type = 'path' }
        public_fingerprints = @{ type = 'list'; elements = 'str' }
        inspection_ca_path = @{ type = 'path' }
        witnesses = @{ type = 'dict' }
        witnesses_per_wildcard = @{ type = 'int'; default = 2 }
        made_up_witnesses = @{ type = 'bool'; default = $false }
        range_targets = @{ type = 'list'; elements = 'str' }
        control_name = @{ type = 'str' }
        reference = @{ type = 'list'; elements = 'path' }
        results_dir = @{ type = 'path' }
        previous_dir = @{ type = 'path' }
        mark = @{ type = 'str'; default = '' }
    }
    mutually_exclusive = @(@('entries', 'targets'), @('proxy', 'pac'))
    required_one_of = @(, @('entries', 'targets'))
    supports_check_mode = $true
}
$module = [Ansible.Basic.AnsibleModule]::Create($args, $spec)

# What was thrown as a text is the user's to mend; all else is a failure of the probe with its place.
try {
    $answer = Invoke-Probe $module.Params
    $module.Result.results = $answer.results
    $module.Result.seconds = $answer.seconds
}
catch {
    if ($_.TargetObject -is [string]) { $module.FailJson($_.TargetObject) }
    $module.FailJson('the probe itself failed: ' + $_.Exception.Message, $_)
}
$module.Result.changed = $false
$module.ExitJson()
