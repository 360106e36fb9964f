"""Exact money: one amount, one currency, one rounding rule."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

DECIMALS: Mapping[str, int] = {"GBP": 2, "EUR": 2, "USD": 2, "JPY": 0}
LARGEST = Decimal("999999999.99")  # what the columns and the parser take; NaN is above it


class CurrencyMismatch(ValueError):
    """Two currencies met in one sum."""


class AmountError(ValueError):
    """A text is no amount of the currency; ``str()`` says what is wrong with it."""


def unit_of(currency: str) -> Decimal:
    """Return the smallest unit of a currency: 0.01 of a pound, 1 yen."""
    return Decimal(1).scaleb(-DECIMALS[currency])


def parse_amount(text: str, currency: str) -> Decimal:
    """Read an amount as typed: ASCII digits and a point (MONEY-12, INV-03).

    Decimal's own parser is not asked, because it takes NaN, 1e3, 1_000 and other scripts' digits.
    Raises AmountError.
    """
    text = text.strip(" \t\r\n\u00a0\u3000")
    places = DECIMALS[currency]
    pattern = r"[0-9]{1,9}(\.[0-9]{1,%d})?" % places if places else r"[0-9]{1,9}"
    if re.fullmatch(pattern, text, re.ASCII):
        return Decimal(text).quantize(unit_of(currency))
    if not text:
        raise AmountError("empty")
    if re.fullmatch(r"[0-9]{1,9}\.[0-9]+", text, re.ASCII):
        raise AmountError("decimals")
    raise AmountError("malformed")


def round_half_up(amount: Decimal, currency: str) -> Decimal:
    """Round to the currency's smallest unit, halves up: the one place that rounds (MONEY-15)."""
    return amount.quantize(unit_of(currency), rounding=ROUND_HALF_UP)


def split(amount: Decimal, weights: Sequence[Decimal], currency: str) -> list[Decimal]:
    """Share an amount in proportion to ``weights`` so that the parts add up exactly (MONEY-08).

    Left-over smallest units go to the largest remainders, earliest first. With an amount of at most
    the sum of the weights no part exceeds its weight. Raises ValueError when nothing has weight.
    """
    smallest = unit_of(currency)
    units = int(amount / smallest)
    shares = [int(weight / smallest) for weight in weights]
    total = sum(shares)
    if total == 0:
        if units == 0:
            return [Decimal(0) * smallest for _ in weights]
        raise ValueError("Nothing to share the amount over.")
    parts = [units * share // total for share in shares]
    by_remainder = sorted(range(len(shares)), key=lambda i: -(units * shares[i] % total))
    for i in by_remainder[: units - sum(parts)]:
        parts[i] += 1
    return [part * smallest for part in parts]


def for_units(amount: Decimal, units: int, wanted: int, currency: str) -> Decimal:
    """Return what ``wanted`` units cost when so many cost ``amount``, each unit as it was.

    An amount that does not divide has units that differ by one smallest unit, the dearer first
    (``split``): those of the first round are taken in turn. Source: BUYERCANCEL-01.
    """
    smallest = unit_of(currency)
    each, dearer = divmod(int(amount / smallest), units)
    rounds, rest = divmod(wanted, units)
    return (wanted * each + rounds * dearer + min(rest, dearer)) * smallest


@dataclass(frozen=True, slots=True)
class Money:
    """An exact amount in one currency.

    amount: major units (``Decimal("12.34")`` is twelve pounds thirty-four pence).
    currency: ISO 4217 code.
    """

    amount: Decimal
    currency: str

    def __add__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.amount + other.amount, self.currency)

    def __sub__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.amount - other.amount, self.currency)

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"

    def _same(self, other: Money) -> None:
        if other.currency != self.currency:
            raise CurrencyMismatch(f"{self.currency} with {other.currency}")
