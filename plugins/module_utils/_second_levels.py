# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Second levels under which countries register names (``co.uk``): a wildcard right above one allows everybody there.

Compiled by hand, larger countries only; all but a handful stand in the Public Suffix List (https://publicsuffix.org).
It guards against slips; it is not a list of all public suffixes. A name under one of them, also a wildcard
(``*.example.co.uk``), is fine.
"""

from __future__ import annotations

# These mean the same wherever a country uses them, so they are refused under every two-letter country.
_EVERYWHERE = frozenset(("ac", "co", "com", "edu", "gov", "mil", "net", "org"))

_BY_COUNTRY = {
    "ae": "sch",
    "ar": "bet coop gob int musica mutual senasa seg tur",
    "at": "gv or",
    "au": "asn id act nsw nt qld sa tas vic wa",
    "bd": "info",
    "br": (
        "adm adv agr am app arq art ato bio blog bmd cim cng cnt coop dev eco ecn emp eng esp etc eti far flog fm fnd "
        "fot fst g12 ggf imb ind inf jor jus leg lel mat med mus not ntr odo ong ppg pro psc psi qsl rec slg srv tec "
        "tmp trd tur tv vet vlog wiki zlg"
    ),
    "ca": "ab bc gc mb nb nf nl ns nt nu on pe qc sk yk",
    "cl": "gob",
    "cn": "ah bj cq fj gd gs gx gz ha hb he hi hl jl js jx ln nm nx qh sc sd sh sn sx tj xj xz yn zj",
    "co": "nom",
    "cr": "ed fi go or sa",
    "do": "art gob sld web",
    "ec": "fin gob info k12 med pro",
    "eg": "eun name sci",
    "es": "gob nom",
    "fr": "asso gouv nom prd tm",
    "hk": "idv",
    "hu": "info",
    "id": "biz desa go mil my or ponpes sch web",
    "il": "idf k12 muni",
    "in": "firm gen ind nic res",
    "ir": "id sch",
    "jp": (
        "ad ed go gr lg ne or aichi akita aomori chiba ehime fukui fukuoka fukushima gifu gunma hiroshima hokkaido "
        "hyogo ibaraki ishikawa iwate kagawa kagoshima kanagawa kochi kumamoto kyoto mie miyagi miyazaki nagano "
        "nagasaki nara niigata oita okayama okinawa osaka saga saitama shiga shimane shizuoka tochigi tokushima "
        "tokyo tottori toyama wakayama yamagata yamaguchi yamanashi"
    ),
    "ke": "go info me mobi ne or sc",
    "kr": "es go hs kg ms ne or pe re sc",
    "lk": "assn grp hotel int ltd ngo sch soc web",
    "mx": "gob",
    "my": "name",
    "ng": "i mobi name sch",
    "nz": "cri geek gen govt health iwi kiwi maori parliament school",
    "pe": "gob nom",
    "ph": "i ngo",
    "pk": "biz fam gob gok gon gop gos info web",
    "pl": (
        "biz gmina info miasta nieruchomosci nom pc powiat priv shop sklep sos szkola targi tm tourism travel "
        "turystyka waw"
    ),
    "pt": "int nome publ",
    "ro": "arts firm info nom nt rec store tm www",
    "rs": "in",
    "ru": "int msk spb",
    "sa": "med pub sch",
    "sg": "per",
    "th": "go in mi or",
    "tr": "av bbs bel biz dr gen info k12 kep name pol tel tsk tv web",
    "tw": "club ebiz game idv",
    "tz": "go hotel info me mobi ne or sc tv",
    "ua": "in kharkov kharkiv kiev kyiv lviv odessa odesa dnipro",
    "ug": "go ne or sc",
    "uk": "bl british-library ltd me nhs plc police sch",
    "us": "dni fed isa kids nsn",
    "uy": "gub",
    "ve": "firm gob info int nom rec store web",
    "vn": "biz health info int name pro",
    "za": "agric alt law ngo nic nis nom school tm web",
    "zm": "info sch",
}
SECOND_LEVELS = frozenset(f"{label}.{country}" for country, labels in _BY_COUNTRY.items() for label in labels.split())


def is_second_level(name: str) -> bool:
    """Whether *name* is a second level under which a country registers names."""
    label, dot, country = name.partition(".")
    return name in SECOND_LEVELS or (bool(dot) and label in _EVERYWHERE and len(country) == 2 and country.isalpha())
