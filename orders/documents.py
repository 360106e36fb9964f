"""Shipping label and packing slip: facts of an order, to HTML, to PDF (SLIP-02 to SLIP-10).

The renderer opens nothing: no address, no file but the packaged style sheet (reliability 2.5). A
logo is handed to it with the sheets.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from babel import Locale
from barcode.codex import Code128
from django.conf import settings
from django.contrib.staticfiles import finders
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.domain import profiles
from accounts.models import Logo, Merchant
from core import markup, pdf
from core.bounded import Bounded
from orders.domain.contacts import Address, ContactView
from orders.enums import COMPONENT_LABELS, COMPONENTS, ServiceLevel
from orders.models import Item, Order
from orders.models.order import sign_of

STYLE = "css/packing-slip.css"
A4, LETTER = "a4", "letter"
MOST_ORDERS = 25  # in one request; more is work for a job
MOST_LINES = 1200  # in one file; more do not come through the renderer in time
MOST_MEGABYTES = 512  # for the process that renders
QUIET_MODULES = 10
_EAST_ASIAN = "\u2e80"  # where their letters begin; those before are in the first face
MOST_ABOUT_RETURNS = 140  # letters of a policy that a slip prints; the rest is at its address


class PdfUnavailable(Exception):
    """The libraries that make PDF files are not on this machine; ``str()`` says what to install."""


class TooLong(Exception):
    """An order has more lines than the renderer is given; ``str()`` says so."""


@dataclass(frozen=True, slots=True)
class Seller:
    """What sheets say of a merchant beside its name and address (SLIP-04).

    logo: its facts, without the picture. returns: the beginning of the policy. address: of the
    profile that anybody may read.
    """

    logo: Logo | None
    returns: str
    address: str

    @property
    def picture_name(self) -> str:
        """Under which the renderer finds the logo: it asks no address (reliability 2.5)."""
        return f"picture:{self.logo.digest}" if self.logo else ""


@dataclass(frozen=True, slots=True)
class Slip:
    """Everything one sheet shows."""

    order: Order
    seller: Seller
    items: Sequence[dict[str, Any]]
    label_lines: Sequence[str]
    postal_code: str
    sender: Sequence[str]  # two lines: street; town and country
    address_lines: Sequence[str]
    gift_message: str
    barcode: str
    barcode_width: int
    service: str
    rush: bool
    units: int
    paper: str

    @property
    def is_long(self) -> bool:
        return len(self.label_lines) > 6

    @property
    def has_cjk(self) -> bool:
        """Whether any word needs the second face, which has the letters of East Asia."""
        words = [self.order.merchant.name, self.order.buyer_name, self.service, self.gift_message]
        words += [*self.label_lines, *self.sender, self.seller.returns]
        for line in self.items:
            words += [line["item"].title, line["item"].sku, line["item"].customisation]
        return any(max(text) >= _EAST_ASIAN for text in words if text)


def seller(merchant: Merchant) -> Seller:
    """Read what sheets of a merchant's orders say of it; once for all of them."""
    path = reverse("seller_profile", args=[merchant.slug])
    return Seller(
        logo=profiles.logo_of(merchant.pk),
        returns=markup.as_line(profiles.of(merchant.pk).returns, MOST_ABOUT_RETURNS),
        address=f"{settings.SITE_URL}{path}",
    )


def slip(
    order: Order, items: Sequence[Item], contact: ContactView, paper: str, told: Seller
) -> Slip:
    """Collect what a sheet shows. order: with merchant and marketplace; items with listing."""
    if len(items) > MOST_LINES:
        raise TooLong(_("A packing slip has at most %d lines.") % MOST_LINES)
    path, width = _barcode(order.number)
    return Slip(
        order=order,
        seller=told,
        items=[_line(item, order.is_gift) for item in items],
        label_lines=address_lines(contact.address),
        postal_code=contact.address.postal_code,
        sender=sender_lines(order.merchant),
        address_lines=address_lines(contact.address),
        gift_message=contact.gift_message,
        barcode=path,
        barcode_width=width,
        service=str(ServiceLevel(order.ship_service_level).label),
        rush=order.ship_service_level in (ServiceLevel.SECOND_DAY, ServiceLevel.PRIORITY),
        units=order.quantity_purchased,
        paper=paper,
    )


def render_html(slips: Sequence[Slip]) -> str:
    """Return the sheets as one HTML document that PDFs are made of; pages show the same sheets."""
    order = slips[0].order
    context = {
        "slips": slips,
        "marketplace": order.marketplace,
        "merchant": order.merchant,
        "in_file": True,
    }
    return render_to_string("documents/packing_slips.html", context)


def render_pdf(slips: Sequence[Slip]) -> bytes:
    """Return one PDF; each order is rendered on its own, so that page n of m counts its pages.

    Raises PdfUnavailable, TooLong, and Unfinished when a text makes it endless.
    """
    if sum(len(one.items) for one in slips) > MOST_LINES:
        raise TooLong(
            _("One file holds at most %d lines. Select fewer orders at once.") % MOST_LINES
        )
    title = f"Packing slips, {len(slips)} orders"
    pictures = {
        told.picture_name: profiles.picture_of(told.logo.merchant_id)
        for told in {one.seller for one in slips}
        if told.logo
    }
    lines = sum(len(one.items) for one in slips)
    return print_html(
        [render_html([one]) for one in slips], STYLE, title, lines=lines, pictures=pictures
    )


def print_html(
    pages: Sequence[str],
    style: str,
    title: str,
    *,
    lines: int,
    pictures: Mapping[str, bytes] = MappingProxyType({}),
) -> bytes:
    """Return one PDF of HTML documents of so many lines. style: the packaged style sheet.

    pictures: PNG files by the names that the documents give them.
    Raises PdfUnavailable, TooLong, and Unfinished when a text makes it endless.
    """
    if lines > MOST_LINES:
        raise TooLong(_("One file holds at most %d lines.") % MOST_LINES)
    try:
        return _renderer.run(pdf.make, pages, _style(style), title, dict(pictures))
    except OSError as missing:
        raise PdfUnavailable(
            "Pango is not installed on the server:"
            " install libpango-1.0-0, libpangoft2-1.0-0 and libharfbuzz-subset0."
        ) from missing


_renderer = Bounded(
    preload=["core.pdf", "weasyprint"], seconds=20, wait=3, megabytes=MOST_MEGABYTES
)


def address_lines(address: Address, language: str = "en") -> list[str]:
    """Return an address line by line, in the order of its country, with the country's name.

    language: of that name, two letters.
    """
    street = [address.address_1, address.address_2, address.address_3]
    if address.country in _LARGEST_FIRST:
        town = f"{address.region}{address.city}"
        lines = [address.postal_code, town, *street, address.recipient_name]
    else:
        place = [address.city, address.region, address.postal_code]
        lines = [address.recipient_name, *street, *place]
    return [*(line for line in lines if line.strip()), country_name(address.country, language)]


_LARGEST_FIRST = frozenset(
    {"CN", "JP", "KR", "TW"}
)  # countries that write the town before the street


@lru_cache(maxsize=256)
def country_name(code: str, language: str = "en") -> str:
    return str(Locale(language).territories.get(code, code))


def _line(item: Item, is_gift: bool) -> dict[str, Any]:
    """One row: a gift shows no prices (SETTINGS-14)."""
    parts = [
        (COMPONENT_LABELS[component], sign_of(component) * item.paid(component))
        for component in COMPONENTS
        if item.paid(component)
    ]
    return {"item": item, "parts": [] if is_gift else parts, "total": item.paid_total}


def sender_lines(shop: Merchant, language: str = "en") -> list[str]:
    """Return a seller's address on two lines, written as in its country.

    language: of the country's name, two letters.
    """
    street = [part for part in (shop.address_1, shop.address_2) if part]
    if shop.country in _LARGEST_FIRST:
        place = [f"{shop.postal_code} {shop.region}{shop.city}{''.join(street)}".strip()]
        return [*place, country_name(shop.country, language)]
    town = ", ".join(part for part in (shop.city, shop.region) if part)
    place = [f"{town} {shop.postal_code}".strip(), country_name(shop.country, language)]
    lines = (", ".join(street), ", ".join(part for part in place if part))
    return [line for line in lines if line]


@lru_cache(maxsize=512)
def _barcode(text: str) -> tuple[str, int]:
    """Return Code 128 as the path of an SVG ten units high, and its width in modules."""
    modules = Code128(text).build()[0]
    path, start = [], 0
    while start < len(modules):
        end = start
        while end < len(modules) and modules[end] == modules[start]:
            end += 1
        if modules[start] == "1":
            width = end - start
            path.append(f"M{start + QUIET_MODULES} 0h{width}v10h-{width}z")
        start = end
    return "".join(path), len(modules) + 2 * QUIET_MODULES


@lru_cache(maxsize=2)
def _style(name: str) -> str:
    found = finders.find(name)
    assert isinstance(found, str)
    with open(found, encoding="utf-8") as file:
        return file.read()
