# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the options of Microsoft's endpoint web service."""

from __future__ import annotations


class ModuleDocFragment:
    """The options of the catalog ``microsoft_365``; they have a meaning for no other."""

    DOCUMENTATION = r"""
options:
  instance:
    description:
      - The cloud whose list the catalog V(microsoft_365) holds.
    type: str
    choices:
      worldwide: Microsoft 365 and GCC.
      usgov_dod: Microsoft 365 of the United States' Department of Defense.
      usgov_gcc_high: Microsoft 365 GCC High.
      china: Microsoft 365 operated by 21Vianet.
    default: worldwide
    version_added: 0.2.0
    env:
      - name: EGRESS_INSTANCE
    ini:
      - section: egress
        key: instance
    vars:
      - name: egress_instance
  service_areas:
    description:
      - >-
        The service areas of the catalog V(microsoft_365), all where nothing is said, V(MEM), the rows of Intune, among
        them. V(Common) is always there.
    type: list
    elements: str
    default: []
    version_added: 0.2.0
    env:
      - name: EGRESS_SERVICE_AREAS
    ini:
      - section: egress
        key: service_areas
    vars:
      - name: egress_service_areas
  categories:
    description:
      - >-
        The categories of the catalog V(microsoft_365), all where nothing is said. Of a name in several sets the
        strongest counts. Names of other catalogs are not touched.
    type: list
    elements: str
    choices:
      optimize: Few endpoints, and most of the traffic.
      allow: Sensitive to the way that is taken, but less so.
      default: All others.
    default: []
    version_added: 0.2.0
    env:
      - name: EGRESS_CATEGORIES
    ini:
      - section: egress
        key: categories
    vars:
      - name: egress_categories
  web_service_url:
    description:
      - The web service; plain http is taken for this machine itself only, C(127.0.0.1), C(::1) and C(localhost).
    type: str
    default: https://endpoints.office.com
    version_added: 0.2.0
    env:
      - name: EGRESS_WEB_SERVICE_URL
    ini:
      - section: egress
        key: web_service_url
    vars:
      - name: egress_web_service_url
  cache_dir:
    description:
      - Where the answers of the web service and the id of this control node are kept, for all plays.
      - With C(--check) it is read and never written.
    type: path
    default: ~/.cache/egress.allowlist
    version_added: 0.2.0
    env:
      - name: EGRESS_CACHE_DIR
    ini:
      - section: egress
        key: cache_dir
    vars:
      - name: egress_cache_dir
  max_age:
    description:
      - >-
        How old an answer may be while the web service cannot confirm it: a number and one of C(s), C(m), C(h) and
        C(d).
    type: str
    default: 7d
    version_added: 0.2.0
    env:
      - name: EGRESS_MAX_AGE
    ini:
      - section: egress
        key: max_age
    vars:
      - name: egress_max_age
  stale:
    description:
      - What to do when the web service cannot be asked and the kept answer is older than O(max_age).
    type: str
    choices:
      error: Fail.
      allow: Use it, and warn.
    default: error
    version_added: 0.2.0
    env:
      - name: EGRESS_STALE
    ini:
      - section: egress
        key: stale
    vars:
      - name: egress_stale
  offline:
    description:
      - >-
        Ask nobody, and use the list that comes with the collection. A warning tells its date.
    type: bool
    default: false
    version_added: 0.2.0
    env:
      - name: EGRESS_OFFLINE
    ini:
      - section: egress
        key: offline
    vars:
      - name: egress_offline
  max_shrink:
    description:
      - >-
        How many percent of its names and networks the list may lose with one version. A list that lost more is not
        used, and the one before it stays. What the new list covers is not lost, and fewer than five never count.
    type: int
    default: 25
    version_added: 0.2.0
    env:
      - name: EGRESS_MAX_SHRINK
    ini:
      - section: egress
        key: max_shrink
    vars:
      - name: egress_max_shrink
  max_growth:
    description:
      - How many percent of new names and networks the list may gain with one version; see O(accept_new).
    type: int
    default: 25
    version_added: 0.2.0
    env:
      - name: EGRESS_MAX_GROWTH
    ini:
      - section: egress
        key: max_growth
    vars:
      - name: egress_max_growth
  accept_new:
    description:
      - >-
        Whether a list of the web service that grew by more than O(max_growth), or has a new wildcard under which anyone
        can put content, is used. Where not, it waits for a person, and the one before it stays.
    type: bool
    default: false
    version_added: 0.2.0
    env:
      - name: EGRESS_ACCEPT_NEW
    ini:
      - section: egress
        key: accept_new
    vars:
      - name: egress_accept_new
  grace:
    description:
      - >-
        How many days what Microsoft removed stays in the list, counted from the version that removed it; V(0) for
        none. It is marked in RV(egress.allowlist.endpoints#lookup:_raw[].sources).
    type: int
    default: 30
    version_added: 0.2.0
    env:
      - name: EGRESS_GRACE
    ini:
      - section: egress
        key: grace
    vars:
      - name: egress_grace
  check_interval:
    description:
      - >-
        How many seconds to wait before the web service is asked again whether its version moved. Microsoft asks for an
        hour at least.
    type: int
    default: 3600
    version_added: 0.2.0
    env:
      - name: EGRESS_CHECK_INTERVAL
    ini:
      - section: egress
        key: check_interval
    vars:
      - name: egress_check_interval
  web_service_timeout:
    description:
      - How many seconds the web service may be silent.
    type: float
    default: 10
    version_added: 0.2.0
    env:
      - name: EGRESS_WEB_SERVICE_TIMEOUT
    ini:
      - section: egress
        key: web_service_timeout
    vars:
      - name: egress_web_service_timeout
  web_service_ca_path:
    description:
      - >-
        A file of certificate authorities in PEM, where the control node's own way out is inspected. By default those of
        the Python library C(requests), or of its environment variable C(REQUESTS_CA_BUNDLE).
    type: path
    version_added: 0.2.0
    env:
      - name: EGRESS_WEB_SERVICE_CA_PATH
    ini:
      - section: egress
        key: web_service_ca_path
    vars:
      - name: egress_web_service_ca_path
  read_only:
    description:
      - Whether the cache is only read. With C(--check) it always is.
    type: bool
    default: false
    version_added: 0.2.0
    env:
      - name: EGRESS_READ_ONLY
    ini:
      - section: egress
        key: read_only
    vars:
      - name: egress_read_only
requirements:
  - requests, for the catalog C(microsoft_365) unless O(offline)
"""
