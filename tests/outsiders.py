"""The table of addresses with who may come, and shops whose every word can be found again."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, NamedTuple

from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client

from accounts.domain import invitations
from accounts.models import Grant
from accounts.permissions import PRESETS, Function, Level, Preset
from core.actor import Actor
from orders.domain import notes
from orders.models import Order
from tests.buyers import file_request
from tests.factories import (
    BY_STATUS,
    PASSWORD,
    PLAIN,
    STAFF,
    ContactDraft,
    ItemDraft,
    ListingFactory,
    MembershipFactory,
    checked_upload,
    failed_report,
    order_in,
    refund,
    shipped_order,
    unshipped_order,
)
from tests.pages import form_of
from uploads.enums import Feed

F, EDIT, VIEW = Function, Level.EDIT, Level.VIEW
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
ONE = "orders/<str:number>/"
REPORTS = "orders/reports/"
UPLOADS = "orders/uploads/"
BATCH = UPLOADS + "<int:number>/"
NEW = "a much longer secret"
CLOCK = "settings/clock/"  # of a sandbox; there is none for a merchant that trades
NOWHERE = "203-0000000-0000000"


class Page(NamedTuple):
    """A page of a merchant: its methods, and the permission that every member needs for it."""

    methods: str
    function: Function | None = None
    level: Level = VIEW


PAGES = {
    "home/": Page("GET HEAD"),
    "account/switch/": Page("POST"),
    CLOCK: Page("GET HEAD POST", F.ACCOUNT_INFO, EDIT),
    "help/shortcuts/": Page("GET HEAD POST"),
    "mail/": Page("GET HEAD", F.MANAGE_ORDERS),
    "mail/<int:pk>/": Page("GET HEAD", F.MANAGE_ORDERS),
    "orders/": Page("GET HEAD", F.MANAGE_ORDERS),
    "orders/preferences/": Page("POST", F.MANAGE_ORDERS),
    "orders/packing-slips.pdf": Page("GET HEAD", F.PACKING_SLIPS),
    UPLOADS: Page("GET HEAD", F.UPLOADS),
    **{UPLOADS + f"{feed.value}/": Page("GET HEAD POST", F.UPLOADS) for feed in Feed},
    **{UPLOADS + f"{feed.value}/history/": Page("GET HEAD", F.UPLOADS) for feed in Feed},
    **{
        BATCH + page: Page("GET HEAD", F.UPLOADS)
        for page in ("", "row/", "processing-report.txt", "failed-records.txt", "original/")
    },
    BATCH + "apply/": Page("POST", F.UPLOADS),
    "help/templates/<str:feed>/": Page("GET HEAD", F.UPLOADS),
    "help/templates/<str:feed>/template.xlsx": Page("GET HEAD", F.UPLOADS),
    "help/error-codes/": Page("GET HEAD"),
    REPORTS: Page("GET HEAD", F.ORDER_REPORTS),
    REPORTS + "unshipped/": Page("GET HEAD", F.ORDER_REPORTS),
    REPORTS + "request/": Page("POST", F.ORDER_REPORTS, EDIT),
    REPORTS + "schedule/": Page("GET HEAD POST", F.ORDER_REPORTS, EDIT),
    REPORTS + "columns/": Page("GET HEAD POST", F.ORDER_REPORTS, EDIT),
    REPORTS + "<int:number>/": Page("GET HEAD", F.ORDER_REPORTS),
    REPORTS + "<int:number>/download/": Page("GET HEAD", F.ORDER_REPORTS),
    REPORTS + "<int:number>/again/": Page("POST", F.ORDER_REPORTS, EDIT),
    "settings/account/": Page("GET HEAD", F.ACCOUNT_INFO),
    **{
        f"settings/account/{block}/": Page("GET HEAD POST", F.ACCOUNT_INFO, EDIT)
        for block in ("business", "address", "contact", "notifications", "orders", "security")
    },
    "settings/login/": Page("GET HEAD", F.LOGIN_SETTINGS, EDIT),
    **{
        f"settings/login/{page}/": Page("GET HEAD POST", F.LOGIN_SETTINGS, EDIT)
        for page in (
            *("name", "email", "email/confirm", "password", "questions", "questions/off"),
            *("two-step", "two-step/recovery-codes", "two-step/off"),
        )
    },
    "settings/login/sign-ins/": Page("POST", F.LOGIN_SETTINGS, EDIT),
    "settings/permissions/": Page("GET HEAD", F.USER_PERMISSIONS),
    "settings/permissions/change/": Page("POST", F.USER_PERMISSIONS, EDIT),
    "settings/permissions/remove/": Page("GET HEAD POST", F.USER_PERMISSIONS, EDIT),
    "settings/permissions/invite/": Page("POST", F.USER_PERMISSIONS, EDIT),
    "settings/permissions/invitations/": Page("POST", F.USER_PERMISSIONS, EDIT),
    "settings/audit-trail/": Page("GET HEAD", F.AUDIT_TRAIL),
    "settings/audit-trail/export/": Page("GET HEAD", F.AUDIT_TRAIL),
    "settings/policies/": Page("GET HEAD", F.POLICIES),
    "settings/policies/texts/": Page("GET HEAD POST", F.POLICIES, EDIT),
    "settings/policies/logo/": Page("GET HEAD POST", F.POLICIES, EDIT),
    ONE: Page("GET HEAD", F.MANAGE_ORDERS),
    ONE + "notes/": Page("POST", F.MANAGE_ORDERS, EDIT),
    ONE + "confirm-shipment/": Page("GET HEAD POST", F.CONFIRM_SHIPMENTS, EDIT),
    ONE + "cancel/": Page("GET HEAD POST", F.CANCEL_ORDERS, EDIT),
    ONE + "cancellation-request/": Page("GET HEAD POST", F.CANCEL_ORDERS, EDIT),
    ONE + "refund/": Page("GET HEAD POST", F.REFUND_ORDERS, EDIT),
    ONE + "dates/": Page("GET HEAD POST", F.MANAGE_ORDERS, EDIT),
    ONE + "delivered/": Page("POST", F.CONFIRM_SHIPMENTS, EDIT),
    ONE + "packing-slip/": Page("GET HEAD", F.PACKING_SLIPS),
    ONE + "packing-slip.pdf": Page("GET HEAD", F.PACKING_SLIPS),
}
# What a page about something answers to who may come, but names nothing.
ABOUT_NOTHING = {
    "settings/permissions/remove/": 404,
    "settings/login/email/confirm/": 410,
    "mail/<int:pk>/": 404,
    **{
        BATCH + page: 404
        for page in ("", "row/", "processing-report.txt", "failed-records.txt", "original/")
    },
    REPORTS + "<int:number>/": 404,
    REPORTS + "<int:number>/download/": 404,
    CLOCK: 404,
}
API = {
    "api/v1/orders/": "GET POST",
    "api/v1/orders/<str:number>/": "GET",
    "api/v1/orders/<str:number>/delivery/": "POST",
}
OPEN = {  # what a stranger's GET is answered with
    "": 302,
    "login/": 200,
    "login/second-step/": 302,
    "invitation/<str:key>/": 410,
    "logout/": 302,
    "password-reset/": 200,
    "password-reset/sent/": 200,
    "^password-reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$": 200,
    "password-reset/done/": 200,
    "health/live/": 200,
    "health/ready/": 200,
    "metrics/": 200,  # from inside; to strangers it is not there (tests/core/test_metrics.py)
    "sellers/<slug:slug>/": 200,
    "sellers/<slug:slug>/logo/<slug:digest>.png": 404,
    "csp-report/": 405,
    "api/gateway/callback/": 401,
    "api/schema/": 401,
}
OPERATOR = {  # by method; tried in tests/operators/test_console.py
    "operator/": "get",
    "operator/work/": "get",
    "operator/work/jobs/<slug:name>/run/": "post",
    "operator/work/messages/<int:message_id>/send-again/": "post",
    "operator/work/messages/<int:message_id>/give-up/": "post",
    "operator/work/operations/<int:operation_id>/ask/": "post",
    "operator/integrity/": "get",
    "operator/integrity/check/": "post",
}
SIGNED = {  # a buyer's pages, by methods: a stranger's link is like none
    "buyer/<str:signed>/": "GET HEAD",
    "buyer/<str:signed>/change/": "GET HEAD POST",
    "buyer/<str:signed>/cancel/": "GET HEAD POST",
    "buyer/<str:signed>/customer-service/": "POST",
    "buyer/<str:signed>/payment/": "GET HEAD POST",
    "buyer/<str:signed>/receipt/": "GET HEAD",
    "buyer/<str:signed>/receipt.pdf": "GET HEAD",
}
EXAMPLES = {
    "operator/work/jobs/<slug:name>/run/": "operator/work/jobs/expiry/run/",
    "operator/work/messages/<int:message_id>/send-again/": "operator/work/messages/1/send-again/",
    "operator/work/messages/<int:message_id>/give-up/": "operator/work/messages/1/give-up/",
    "operator/work/operations/<int:operation_id>/ask/": "operator/work/operations/1/ask/",
    "mail/<int:pk>/": "mail/1/",
    "help/templates/<str:feed>/": "help/templates/adjustments/",
    "help/templates/<str:feed>/template.xlsx": "help/templates/adjustments/template.xlsx",
    **{
        BATCH + page: f"{UPLOADS}999999/{page}"
        for page in (
            *("", "row/", "processing-report.txt", "failed-records.txt", "original/"),
            "apply/",
        )
    },
    **{
        f"{REPORTS}<int:number>/{page}": f"{REPORTS}999999/{page}"
        for page in ("", "download/", "again/")
    },
    "sellers/<slug:slug>/": "sellers/harbour-hearth/",
    "sellers/<slug:slug>/logo/<slug:digest>.png": "sellers/harbour-hearth/logo/0.png",
    "invitation/<str:key>/": "invitation/WzEsMV0:x/",
    "^password-reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$": "password-reset/key/1-x/",
}
OF_AN_ORDER = [address for address in PAGES if address.startswith(ONE)]


def at(address: str, number: str = NOWHERE) -> str:
    return "/" + EXAMPLES.get(address, address).replace("<str:number>", number)


def said(response: Any) -> str:
    """Everything an answer holds, a file that is streamed, too."""
    whole = response.getvalue() if response.streaming else response.content
    return str(whole.decode("latin-1"))


def ask(client: Client, method: str, address: str, fields: Mapping[str, Any] | None = None) -> Any:
    if method == "POST":
        return client.post(address, fields or {})
    return client.generic(method, address)


def everything() -> dict[str, str]:
    """A digest of the rows of every table but the sessions."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
            " AND tablename NOT IN ('accounts_session', 'django_session') ORDER BY 1"
        )
        tables = [name for (name,) in cursor.fetchall()]
        one = "SELECT '{0}', md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {0} t"
        cursor.execute(" UNION ALL ".join(one.format(name) for name in tables))
        return dict(cursor.fetchall())


class Shop(NamedTuple):
    """A merchant whose every order, item and person has a word of its own to be found again."""

    orders: dict[str, Order]
    secrets: list[str]

    def told(self, response: Any) -> list[str]:
        text = said(response).lower()
        return [word for word in self.secrets if word.lower() in text]


def stocked(shop: Any) -> Shop:
    orders, secrets = {}, []
    for status in BY_STATUS:
        word = f"canary{status.replace('_', '')}"
        contact = ContactDraft(
            buyer_email=f"{word}@mail.example",
            buyer_phone=f"07700 9001{len(orders):02d}",
            recipient_name=f"R {word}",
            address_1=f"1 {word} Row",
            city=word,
            postal_code="PA75 6NU",
            country="GB",
            gift_message=f"Love from {word}",
        )
        listing = ListingFactory(merchant=shop, sku=f"{word}-sku", title=f"Mug {word}")
        order = order_in(
            status,
            shop,
            lines=[ItemDraft(listing.sku, 3, PLAIN, customisation=word)],
            contact=contact,
            buyer_name=f"B {word}",
            purchase_order_number=f"PO {word}",
            merchant_order_number=f"W-{word}",
        )
        notes.add_note(order_id=order.pk, text=f"Note {word}", by=STAFF)
        orders[status] = order
        secrets += [word, order.number, contact.buyer_phone]
    refund(orders["shipped"], "1.00", memo="canaryshipped memo")
    return Shop(orders, secrets)


def word_of(status: str) -> str:
    return f"canary{status.replace('_', '')}"


def forms_ready(client: Client, shop: Any) -> dict[str, dict[str, Any]]:
    """A form for each changing address, filled in so that it would be carried out."""
    parcel, doomed = unshipped_order(shop, quantity=2), unshipped_order(shop)
    paid, noted, later = shipped_order(shop), unshipped_order(shop), unshipped_order(shop)
    asked, arrived = unshipped_order(shop), shipped_order(shop)
    file_request(asked)

    def of(order: Order, act: str, **typed: Any) -> tuple[str, dict[str, Any]]:
        address = f"/orders/{order.number}/{act}/"
        here = order.get_absolute_url()
        page = {"refund": address + "?tab=full", "notes": here, "delivered": here}.get(act, address)
        return address, form_of(client, page, address) | typed

    return dict(
        [
            *settings_ready(client, shop),
            *people_ready(client, shop),
            of(parcel, "confirm-shipment", carrier="Royal Mail"),
            of(doomed, "cancel", reason="NoInventory"),
            of(asked, "cancellation-request", answer="decline", text="It is packed."),
            of(paid, "refund", reason="CustomerReturn", confirmed="1"),
            of(noted, "notes", note="A note"),
            of(later, "dates", deliver_to=_far(later)),
            of(arrived, "delivered"),
            *reports_ready(client, shop),
            *uploads_ready(shop),
            ("/orders/preferences/", {"per_page": "50", "next": "/orders/", "merchant": shop.pk}),
            ("/help/shortcuts/", {"on": "1", "merchant": shop.pk}),
            ("/account/switch/", {"to": shop.slug, "merchant": shop.pk}),
        ]
    )


def settings_ready(client: Client, shop: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """A change for each block, to be sent in this order, and for a person's own sign-in."""
    changes = {
        "business": {"name": "Harbour Ltd"},
        "address": {"address_1": "1 Quay", "city": "Falmouth", "postal_code": "TR11 3LH"},
        "contact": {"contact_phone": "01632 960417"},
        "notifications": {"claim_email": "claims@shop.example"},
        "orders": {"handling_business_days": "3"},
    }
    for number, (block, typed) in enumerate(changes.items()):
        address = f"/settings/account/{block}/"
        yield address, form_of(client, address) | typed | {"seen": shop.version + number}
    for version, (page, typed) in enumerate(
        [("texts", {"faq": "Yes."}), ("logo", {"remove": "on"})]
    ):
        address = f"/settings/policies/{page}/"
        yield address, form_of(client, address) | typed | {"seen": version}
    own = {
        "name": {"name": "Alice Renamed", "current": PASSWORD},
        "questions": {
            "question1": "teacher",
            "answer1": "Frank",
            "question2": "first_pet",
            "answer2": "Minka",
            "current": PASSWORD,
        },
        "questions/off": {"current": PASSWORD},
        "email": {"email": "alice2@shop.example", "current": PASSWORD},
        "password": {"current": PASSWORD, **dict.fromkeys(("password1", "password2"), NEW)},
    }
    for page, typed in own.items():
        yield f"/settings/login/{page}/", {"merchant": shop.pk, **typed}
    yield "/settings/login/sign-ins/", {"merchant": shop.pk, "end": "others"}


def reports_ready(client: Client, shop: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """A report to be requested, one that failed, a schedule and columns."""
    yield f"/{REPORTS}request/", {"merchant": shop.pk, "days": "3"}
    yield f"/{REPORTS}{failed_report(shop).pk}/again/", {"merchant": shop.pk}
    schedule = f"/{REPORTS}schedule/"
    yield schedule, form_of(client, schedule) | {"kind": "orders", "frequency": "60"}
    columns = f"/{REPORTS}columns/"
    yield columns, form_of(client, columns) | {"columns": "currency"}


def uploads_ready(shop: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """A file of each kind, and one that was checked and may be applied."""
    for feed in Feed:
        file = SimpleUploadedFile("day.txt", f"order-id\n{feed.value}\n".encode())
        yield f"/{UPLOADS}{feed.value}/", {"merchant": shop.pk, "file": file}
    yield f"/{UPLOADS}{checked_upload(shop).pk}/apply/", {"merchant": shop.pk}


def people_ready(client: Client, shop: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Changes for two members and two invitations."""
    kept, leaving = (MembershipFactory(merchant=shop, user__name=name) for name in ("Kim", "Lee"))
    owner = shop.memberships.filter(is_owner=True).first().user
    by = Actor("form", owner.name, user_id=owner.pk, owner=True)
    invited = invitations.invite(
        merchant_id=shop.pk, email="first@shop.example", preset=Preset.FINANCE, by=by
    )
    base, mine = "/settings/permissions/", {"merchant": shop.pk}
    matrix = form_of(client, f"{base}?member={kept.pk}", f"{base}change/")
    yield f"{base}change/", matrix | {"refund_orders": "0"}
    yield f"{base}remove/", mine | {"member": leaving.pk}
    yield f"{base}invite/", mine | {"email": "new@shop.example", "preset": "finance"}
    yield f"{base}invitations/", mine | {"invitation": invited.pk, "act": "again"}


def _far(order: Order) -> str:
    return (order.deliver_to_date + timedelta(days=9)).isoformat()


def expected_of(address: str) -> Page:
    address = re.sub(r"/[0-9]{3}-[0-9]{7}-[0-9]{7}/", "/<str:number>/", address)
    return PAGES[re.sub(r"/(reports|uploads)/[0-9]+/", r"/\1/<int:number>/", address)[1:]]


def members_of(shop: Any) -> Iterator[tuple[str, Any, Mapping[Function, int]]]:
    """Every preset, and an all-powerful one with each single right of these pages taken or cut."""
    for preset in Preset:
        yield preset, MembershipFactory(merchant=shop, preset=preset).user, PRESETS[preset]
    for function in sorted({page.function for page in PAGES.values() if page.function}):
        for level in (Level.NONE, Level.VIEW):
            levels = dict.fromkeys(Function, Level.EDIT) | {function: level}
            member = MembershipFactory(merchant=shop)
            Grant.objects.filter(membership=member).delete()
            Grant.objects.bulk_create(
                Grant(membership=member, function=each, level=given)
                for each, given in levels.items()
                if given
            )
            yield f"{function} {level.name}", member.user, levels
