"""What may stand before or after a number: currencies, per cent, units of measurement."""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

UnitKind = Literal["currency", "unit", "word"]

# ISO 4217, those in use, and those of crypto currencies that are met most
_CODES = """
AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD
CAD CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD
GNF GTQ GYD HKD HNL HRK HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD
KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK
NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD
SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VED VES VND VUV WST XAF
XCD XOF XPF YER ZAR ZMW ZWL BTC ETH USDT USDC
"""
_WORDS = """
kr kr. Kr Kr. zł Kč Ft lei Lei лв лв. руб руб. р. грн Rs Rs. RM Rp Rp. TL Fr Fr. SFr SFr.
euro euros Euro Euros EURO dollar dollars Dollar Dollars 元 円 원
"""
_UNITS = """
% ‰ bp bps pct kg g mg µg t lb lbs oz km m cm mm mi ft yd in m² m³ km² l L ml mL cl
s sec secs ms µs min mins h hr hrs d day days w week weeks mo month months y yr yrs year years
hour hours minute minutes second seconds °C °F ° B kB KB MB GB TB kW kWh MW Hz kHz MHz GHz
km/h mph pt pts pcs pc x k K M Mio Mio. mn bn Mrd Mrd. tsd Tsd.
"""
CURRENCIES = frozenset(_CODES.split() + _WORDS.split())
UNITS = frozenset(_UNITS.split())
_DOLLARS = re.compile(r"[A-Z]{1,3}\$|\$[A-Z]{1,3}")


def is_currency(word: str) -> bool:
    """Return whether a word is a currency's sign, code or usual abbreviation."""
    if len(word) == 1 and unicodedata.category(word) == "Sc":
        return True
    return word in CURRENCIES or bool(_DOLLARS.fullmatch(word))


def kind_of_unit(word: str, *, stands_apart: bool) -> UnitKind | None:
    """Return what a word behind a number is; None for one that makes it no number (``12A``).

    Parameters
    ----------
    word : str
    stands_apart : bool
        Whether white space is between the number and the word.
    """
    if is_currency(word):
        return "currency"
    if word in UNITS:
        return "unit"
    return "word" if stands_apart and word.replace(" ", "").isalpha() else None
