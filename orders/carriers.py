"""Carriers and methods per marketplace country, and where their parcels can be followed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

OTHER = "Other"
METHODS = ("Standard", "Expedited", "Ground", "Second Day")  # SHIP-05


@dataclass(frozen=True, slots=True)
class Carrier:
    """code: as in forms, files and the API; tracking: address of a parcel, with one ``{}``."""

    code: str
    tracking: str = ""


_UK = (
    Carrier("Royal Mail", "https://www.royalmail.com/track-your-item#/tracking-results/{}"),
    Carrier("Parcelforce", "https://www.parcelforce.com/track-trace?trackNumber={}"),
    Carrier("DHL", "https://www.dhl.com/gb-en/home/tracking.html?tracking-id={}"),
    Carrier("UPS", "https://www.ups.com/track?tracknum={}"),
    Carrier("FedEx", "https://www.fedex.com/fedextrack/?trknbr={}"),
    Carrier("TNT"),
    Carrier("Hermes"),
    Carrier("DPD", "https://track.dpd.co.uk/parcels/{}"),
    Carrier("City Link"),
)
_JP = (
    Carrier("Yamato", "https://toi.kuronekoyamato.co.jp/cgi-bin/tneko?number01={}"),
    Carrier("Sagawa", "https://k2k.sagawa-exp.co.jp/p/web/okurijosearch.do?okurijoNo={}"),
    Carrier("Japan Post", "https://trackings.post.japanpost.jp/services/srv/search?requestNo1={}"),
    Carrier("Nippon Express"),
)
CARRIERS: Mapping[str, tuple[Carrier, ...]] = {"GB": _UK, "JP": _JP}  # by country (SHIP-04)

_BY_CODE = {carrier.code: carrier for carriers in CARRIERS.values() for carrier in carriers}


def codes_for(country: str) -> tuple[str, ...]:
    """Return the carriers offered in a marketplace's country; "Other" is always the last."""
    return (*(carrier.code for carrier in CARRIERS.get(country, ())), OTHER)


def tracking_url(carrier: str, tracking_id: str) -> str:
    """Return where a parcel can be followed, or an empty string."""
    known = _BY_CODE.get(carrier)
    if known is None or not known.tracking or not tracking_id:
        return ""
    return known.tracking.format(quote(tracking_id, safe=""))
