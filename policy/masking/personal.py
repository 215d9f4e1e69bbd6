"""Personal data that can be told for certain: by a check digit, by a numbering plan, or by a fixed shape."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from types import ModuleType

import phonenumbers
from stdnum import iban, luhn
from stdnum.br import cpf
from stdnum.cn import ric
from stdnum.de import idnr
from stdnum.es import dni, nie
from stdnum.fr import nir
from stdnum.it import codicefiscale
from stdnum.jp import in_ as my_number
from stdnum.kr import rrn
from stdnum.pl import pesel

from policy.masking.pattern import Pattern

# Word edges in ASCII: Chinese and Japanese put no blanks around a number.
_EDGE, _END = r"(?<![A-Za-z0-9_.@/-])", r"(?![A-Za-z0-9_@-]|\.\d)"
_PHONE_EDGE, _PHONE_END = r"(?<![A-Za-z0-9_.+-])", r"(?![A-Za-z0-9_-])"
_CALL = (
    r"(?:tel(?:efon|efone|\u00e9fono)?|phone|mobile|cell|call|fax|handy|mobil|rufen|anruf|celular|whats ?app|"
    "\u7535\u8bdd|\u96fb\u8a71|\u624b\u673a|\u624b\u6a5f|\u643a\u5e2f|\uc804\ud654)"
)
_ID_WORDS = (
    "\u30de\u30a4\u30ca\u30f3\u30d0\u30fc|"  # my number
    "\u500b\u4eba\u756a\u53f7|my ?number|steuer-?id(?:entifikationsnummer)?|idnr|pesel|cpf"
)
_TO_ID = "[\\s\u306f:\uff1a.=nro\u00ba#]{0,8}"
_NATIONAL_PHONES: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"1[3-9]\d[ -]?\d{4}[ -]?\d{4}", ("CN",)),
    (r"[0\uff10]\d{1,3}[-\uff0d\u2010]\d{2,4}[-\uff0d\u2010]\d{4}", ("JP", "KR")),
    (r"(?:\(\d{3}\) ?|\d{3}[-.])\d{3}[-.]\d{4}", ("US",)),
    (r"\(\d{2}\) ?9?\d{4}-\d{4}", ("BR",)),
)
"""Shapes that are told apart from other numbers without a word beside them, and whose numbers they are."""

_REGIONS = ("US", "GB", "DE", "FR", "ES", "IT", "BR", "CN", "JP", "KR", "IN")


def _valid_phone(*regions: str | None) -> Callable[[str], bool]:
    def accept(text: str) -> bool:
        for region in regions:
            try:
                number = phonenumbers.parse(text, region)
            except phonenumbers.NumberParseException:
                continue
            if phonenumbers.is_valid_number(number):
                return True
        return False

    return accept


def _valid(*modules: ModuleType) -> Callable[[str], bool]:
    return lambda text: any(module.is_valid(text) for module in modules)


def _card(text: str) -> bool:
    """A payment card: a known issuer's first digits, its length, and Luhn's check digit."""
    digits = re.sub(r"\D", "", text)
    issuer = re.fullmatch(
        r"4\d{12}(?:\d{3}){0,2}|5[1-5]\d{14}|2(?:2[2-9]|[3-6]\d|7[01])\d{13}|3[47]\d{13}|3(?:0[0-5]|[689]\d)\d{11}|"
        r"6(?:011|5\d\d|4[4-9]\d)\d{12}|62\d{14,17}|35(?:2[89]|[3-8]\d)\d{12}",
        digits,
    )
    return issuer is not None and luhn.is_valid(digits)


def _address(text: str) -> bool:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return not (address.is_loopback or address.is_unspecified)


PERSONAL: tuple[Pattern, ...] = (
    Pattern(
        "email",
        re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@(?:[\w-]+\.)+[^\W\d_]{2,24}(?![\w-])"),
        words=("@",),
    ),
    Pattern(
        "iban",
        re.compile(
            rf"{_EDGE}[A-Z]{{2}}\d{{2}}(?:[A-Z0-9]{{11,30}}|(?: [A-Z0-9]{{4}}){{2,7}}(?: [A-Z0-9]{{1,3}})?){_END}"
        ),
        accept=iban.is_valid,
        words=tuple("0123456789"),
    ),
    Pattern("card", re.compile(rf"{_EDGE}\d(?:[ -]?\d){{12,18}}{_END}"), accept=_card, number=True),
    Pattern("national_id", re.compile(rf"{_EDGE}\d{{17}}[\dXx]{_END}"), accept=_valid(ric), number=True),
    Pattern("national_id", re.compile(rf"{_EDGE}\d{{6}}-[1-8]\d{{6}}{_END}"), accept=_valid(rrn), number=True),
    Pattern(
        "national_id", re.compile(rf"{_EDGE}\d{{3}}\.\d{{3}}\.\d{{3}}-\d\d{_END}"), accept=_valid(cpf), number=True
    ),
    Pattern(
        "national_id",
        re.compile(rf"{_EDGE}(?:\d{{8}}-?[A-Z]|[XYZ]-?\d{{7}}-?[A-Z]){_END}"),
        accept=_valid(dni, nie),
        number=True,
    ),
    Pattern(
        "national_id",
        re.compile(rf"{_EDGE}[12] ?\d\d ?\d\d ?\d[\dAB] ?\d{{3}} ?\d{{3}} ?\d\d{_END}"),
        accept=_valid(nir),
        number=True,
    ),
    Pattern(
        "national_id",
        re.compile(rf"{_EDGE}[A-Z]{{6}}\d\d[A-EHLMPRST]\d\d[A-Z]\d{{3}}[A-Z]{_END}"),
        accept=_valid(codicefiscale),
        words=tuple("0123456789"),
    ),
    Pattern(
        "national_id",
        # One check digit is met by one number of ten: only where a word says what it is.
        re.compile(rf"(?:{_ID_WORDS}){_TO_ID}(?P<value>\d(?:[ -]?\d){{10,11}})(?!\d)", re.IGNORECASE),
        accept=_valid(my_number, idnr, pesel, cpf),
        number=True,
    ),
    Pattern(
        "phone",
        re.compile(rf"(?<![A-Za-z0-9_+])(?:\+|\uff0b|00)\d(?:[ ().-]{{0,2}}\d){{6,14}}{_PHONE_END}"),
        accept=lambda text: _valid_phone(None)(re.sub(r"^00", "+", text)),
        number=True,
    ),
    *(
        Pattern("phone", re.compile(_PHONE_EDGE + shape + _PHONE_END), accept=_valid_phone(*regions), number=True)
        for shape, regions in _NATIONAL_PHONES
    ),
    Pattern(
        "phone",
        re.compile(rf"{_CALL}[^\d\n]{{0,12}}(?P<value>\d(?:[ /().-]{{0,2}}\d){{6,13}}){_PHONE_END}", re.IGNORECASE),
        accept=_valid_phone(*_REGIONS),
        number=True,
    ),
    Pattern(
        "ip_address",
        re.compile(r"(?<![A-Za-z0-9_.@-])(?<!version )(?<!Version )\d{1,3}(?:\.\d{1,3}){3}(?![A-Za-z0-9_-]|\.\d)"),
        accept=_address,
        words=(".",),
    ),
    Pattern(
        "ip_address",
        re.compile(
            r"(?<![A-Za-z0-9_:.])(?:[0-9A-Fa-f]{1,4}:){2,7}(?::?[0-9A-Fa-f]{1,4}){0,6}(?:::)?(?![A-Za-z0-9_:])|(?<![A-Za-z0-9_:.])[0-9A-Fa-f]{1,4}::(?:[0-9A-Fa-f]{1,4}:?){1,6}(?![A-Za-z0-9_:])"
        ),
        accept=lambda text: ":" in text and _address(text),
        words=(":",),
    ),
)
"""In the order in which they are looked for: numbers with check digits before those without."""
