# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names that every PAN-OS knows."""

from __future__ import annotations

SERVICES = frozenset({"any", "application-default", "service-http", "service-https"})
ENFORCEMENTS = frozenset({"default-no-captive-portal", "default-web-form", "default-browser-challenge"})
# Of PAN-DB; not all of them.
URL_CATEGORIES = frozenset("""
    abortion abused-drugs adult advertising alcohol-and-tobacco artificial-intelligence auctions business-and-economy
    command-and-control computer-and-internet-info content-delivery-networks copyright-infringement cryptocurrency
    dating dynamic-dns educational-institutions encrypted-dns entertainment-and-arts extremism financial-services
    gambling games government grayware hacking health-and-medicine high-risk home-and-garden hunting-and-fishing
    insufficient-content internet-communications-and-telephony internet-portals job-search legal low-risk malware
    medium-risk military motor-vehicles music news newly-registered-domain not-resolved nudity
    online-storage-and-backup parked peer-to-peer personal-sites-and-blogs phishing proxy-avoidance-and-anonymizers
    questionable ransomware real-estate recreation-and-hobbies reference-and-research religion search-engines
    sex-education shareware-and-freeware shopping social-networking society sports stock-advice-and-tools
    streaming-media swimsuits-and-intimate-apparel training-and-tools translation travel unknown weapons
    web-advertisements web-based-email web-hosting
""".split())
