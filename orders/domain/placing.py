"""Placing orders (T01): a buyer completed checkout, and goods are set aside for the order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db.models.functions import Lower
from django.utils.translation import gettext as _

from accounts.domain import calendar
from accounts.models import Marketplace, Merchant
from accounts.permissions import Function
from audit.domain import submissions
from audit.domain.submissions import Once
from catalog.domain import listings as listing_verbs
from catalog.domain import stock
from catalog.models import Listing, ListingTitle
from core.actor import Actor
from core.refusal import Refusal, Refused
from core.transactions import unit_of_work
from orders.domain import contacts, drafts, lifecycle, numbers
from orders.domain.drafts import OrderDraft
from orders.domain.promises import Promise, promise_of
from orders.enums import COMPONENTS, OrderEvent, OrderStatus, PaymentState
from orders.models import Item, Order
from orders.models.contact import Contact
from orders.models.order import sign_of
from payments.domain import instructions
from payments.models import Payment

_VERIFICATION_CHECK = timedelta(minutes=1)


def place_order(
    *, merchant_id: int, draft: OrderDraft, by: Actor, once: Once | None = None
) -> Order:
    """Place one order. Raises Refused, see ``place_orders``. Source: T01, PENDING-01."""
    outcome = place_orders(merchant_id=merchant_id, wanted=[draft], by=by, once=once)[0]
    if isinstance(outcome, Refusal):
        raise Refused(outcome)
    return outcome


@unit_of_work
def place_orders(
    *,
    merchant_id: int,
    wanted: Sequence[OrderDraft],
    by: Actor,
    once: Once | None = None,
    replayed: bool = False,
) -> list[Order | Refusal]:
    """Place orders of one merchant; each stands alone and is answered in its place.

    replayed: it happened when the drafts were purchased, not now.
    Stock leaves at once, in the pending state (INVENTORY-02); verification of the payment starts.
    Refusals: PERMISSION_DENIED, ACCOUNT_SUSPENDED, INVALID_INPUT (with field), LISTING_INACTIVE,
        OUT_OF_STOCK, ALREADY_KNOWN (fact ``order_id``); raises Refused: TOKEN_REUSED.
    Source: T01, PENDING-01, PENDING-13, SHIP-18, AUTO-01, INVENTORY-02, INVENTORY-04.
    """
    merchant = Merchant.objects.select_related("marketplace").get(pk=merchant_id)
    at = calendar.now_for(merchant)
    first = submissions.claim(once, merchant_id=merchant_id, action="place", by=by, at=at)
    if first is not None:
        return [Order.objects.get(merchant_id=merchant_id, number=first["order"])]
    outcomes = _outcomes(merchant, wanted, None if replayed else at, by, at)
    number = next((outcome.number for outcome in outcomes if isinstance(outcome, Order)), "")
    if number:
        submissions.conclude(once, merchant_id=merchant_id, result={"order": number})
    else:
        submissions.withdraw(once, merchant_id=merchant_id)
    return outcomes


def _outcomes(
    merchant: Merchant,
    wanted: Sequence[OrderDraft],
    placed_at: datetime | None,
    by: Actor,
    at: datetime,
) -> list[Order | Refusal]:
    if (refusal := _account_problem(merchant, by)) is not None:
        return [refusal for _draft in wanted]
    outcomes = _checked(merchant, wanted, at)
    listings = _locked_listings(merchant.pk, wanted)
    placed = _accepted(wanted, outcomes, listings)
    orders = _write(merchant, placed, listings, placed_at, by)
    for index, order in orders.items():
        outcomes[index] = order
    return [outcome for outcome in outcomes if outcome is not None]


def _account_problem(merchant: Merchant, by: Actor) -> Refusal | None:
    if merchant.state in (Merchant.State.SUSPENDED, Merchant.State.CLOSED):
        return Refusal("ACCOUNT_SUSPENDED", _("This account takes no new orders."))
    if not by.may_edit(Function.MANAGE_ORDERS):
        return Refusal(
            "PERMISSION_DENIED",
            _("You do not have the permission “%(function)s”.")
            % {"function": Function.MANAGE_ORDERS.label},
            remedy=_("Ask the account owner."),
        )
    return None


def _checked(
    merchant: Merchant, wanted: Sequence[OrderDraft], at: datetime
) -> list[Order | Refusal | None]:
    """Return a refusal in the place of each draft that is wrong or known already."""
    known = dict(
        Order.objects.for_merchant(merchant)
        .filter(merchant_order_number__in=[d.merchant_order_number for d in wanted] or [""])
        .exclude(merchant_order_number="")
        .values_list("merchant_order_number", "number")
    )
    met: set[str] = set()
    outcomes: list[Order | Refusal | None] = []
    for draft in wanted:
        number = draft.merchant_order_number
        if (refusal := drafts.problem(draft, merchant.marketplace, at=at)) is not None:
            outcomes.append(refusal)
        elif number and (number in known or number in met):
            outcomes.append(
                Refusal(
                    "ALREADY_KNOWN",
                    _("Order %s of the shop has already come in.") % number,
                    {"order_id": known.get(number, "")},
                    field="merchant_order_number",
                )
            )
        else:
            outcomes.append(None)
            met.add(number)
    return outcomes


def _locked_listings(merchant_id: int, wanted: Sequence[OrderDraft]) -> dict[str, Listing]:
    """Lock the listings the drafts name and return them by SKU, as the drafts write it."""
    keys = listing_verbs.keys_of(item.sku for draft in wanted for item in draft.items)
    there = dict(
        Listing.objects.for_merchant(merchant_id)
        .annotate(key=Lower("sku"))
        .filter(key__in=set(keys.values()))
        .values_list("key", "pk")
    )
    locked = stock.lock(there.values())
    return {sku: locked[there[key]] for sku, key in keys.items() if key in there}


def _accepted(
    wanted: Sequence[OrderDraft],
    outcomes: list[Order | Refusal | None],
    listings: Mapping[str, Listing],
) -> dict[int, OrderDraft]:
    """Return the drafts that find active listings with units left; the others get a refusal."""
    left = {listing.pk: listing.quantity_available for listing in listings.values()}
    accepted = {}
    for index, draft in enumerate(wanted):
        if outcomes[index] is not None:
            continue
        refusal = next(
            (
                _unavailable(f"items.{place}", item.sku, listings.get(item.sku))
                for place, item in enumerate(draft.items)
                if not _offered(listings.get(item.sku))
            ),
            None,
        )
        if refusal is None:
            units = Counter[int]()
            for item in draft.items:
                units[listings[item.sku].pk] += item.quantity
            for place, item in enumerate(draft.items):
                listing = listings[item.sku]
                if units[listing.pk] > left[listing.pk]:
                    refusal = Refusal(
                        "OUT_OF_STOCK",
                        _("Only %(left)d of SKU %(sku)s are left.")
                        % {"left": left[listing.pk], "sku": listing.sku},
                        {"sku": listing.sku, "available": left[listing.pk]},
                        field=f"items.{place}.quantity",
                    )
                    break
            else:
                for pk, count in units.items():
                    left[pk] -= count
        if refusal is not None:
            outcomes[index] = refusal
        else:
            accepted[index] = draft
    return accepted


def _offered(listing: Listing | None) -> bool:
    return listing is not None and listing.is_active


def _unavailable(place: str, sku: str, listing: Listing | None) -> Refusal:
    message = _("SKU %s is not offered.") if listing else _("There is no listing with SKU %s.")
    return Refusal("LISTING_INACTIVE", message % sku, {"sku": sku}, field=f"{place}.sku")


def _write(
    merchant: Merchant,
    accepted: Mapping[int, OrderDraft],
    listings: Mapping[str, Listing],
    at: datetime | None,
    by: Actor,
) -> dict[int, Order]:
    """Write the orders with all that belongs to them; at None: when each was purchased."""
    if not accepted:
        return {}
    marketplace = merchant.marketplace
    holidays = calendar.holidays_of(marketplace)
    orders = {
        index: _order(merchant, draft, _promise(merchant, draft, listings, holidays))
        for index, draft in accepted.items()
    }
    Order.objects.bulk_create(orders.values(), batch_size=500)
    pairs = [(orders[index], draft) for index, draft in accepted.items()]
    titles = listing_verbs.titles_for(
        merchant.pk,
        [
            (listing.pk, item.title or listing.title)
            for _order_, draft in pairs
            for item in draft.items
            for listing in [listings[item.sku]]
        ],
    )
    Item.objects.bulk_create(
        (
            _item(order, line, item, listings[item.sku], titles)
            for order, draft in pairs
            for line, item in enumerate(draft.items, start=1)
        ),
        batch_size=1000,
    )
    contacts.keep({order.pk: _contact(order, draft) for order, draft in pairs})
    Payment.objects.bulk_create(
        _payment(order, draft, marketplace, at or order.purchased_at) for order, draft in pairs
    )
    stock.move(
        {listing.pk: listing for listing in listings.values()},
        [
            stock.Movement(listing_id, order.pk, -units, stock.Cause.ORDER)
            for order, draft in pairs
            for listing_id, units in stock.units_by_listing(
                (listings[item.sku].pk, item.quantity) for item in draft.items
            ).items()
        ],
        at=at or max(order.purchased_at for order in orders.values()),
    )
    lifecycle.remember(
        [
            lifecycle.Change(
                order,
                OrderEvent.PLACED,
                by,
                at or order.purchased_at,
                after={"status": order.status, "items": order.item_count},
            )
            for order, _draft in pairs
        ]
    )
    return orders


def _promise(
    merchant: Merchant,
    draft: OrderDraft,
    listings: Mapping[str, Listing],
    holidays: frozenset[date],
) -> Promise:
    return promise_of(
        draft.purchased_at,
        merchant=merchant,
        own_days=[listings[item.sku].handling_business_days for item in draft.items],
        service_level=draft.ship_service_level,
        holidays=holidays,
    )


def _order(merchant: Merchant, draft: OrderDraft, promise: Promise) -> Order:
    marketplace = merchant.marketplace
    in_advance = draft.payment_method == Payment.Method.CONVENIENCE_STORE
    return Order(
        merchant=merchant,
        marketplace=marketplace,
        number=numbers.draw(),
        merchant_order_number=draft.merchant_order_number,
        status=OrderStatus.PENDING,
        payment_state=PaymentState.AWAITING_PAYMENT if in_advance else PaymentState.UNVERIFIED,
        purchased_at=draft.purchased_at,
        ship_by_at=promise.ship_by_at,
        deadline_at=promise.deadline_at,
        page_warning_at=promise.deadline_at - timedelta(days=marketplace.page_warning_lead_days),
        email_warning_at=promise.deadline_at - timedelta(days=marketplace.email_warning_lead_days),
        deliver_from_date=promise.deliver_from,
        deliver_to_date=promise.deliver_to,
        currency=marketplace.currency,
        total=sum(
            (sign_of(c) * item.amount(c) for item in draft.items for c in COMPONENTS), Decimal(0)
        ),
        item_count=len(draft.items),
        quantity_purchased=sum(item.quantity for item in draft.items),
        buyer_name=draft.buyer_name,
        ship_service_level=draft.ship_service_level,
        is_business=draft.is_business,
        is_prime=draft.is_prime,
        is_gift=draft.is_gift,
        is_test=draft.is_test,
        purchase_order_number=draft.purchase_order_number,
        sales_channel=draft.sales_channel,
        fulfilment_channel=draft.fulfilment_channel,
    )


def _item(
    order: Order,
    line: int,
    draft: drafts.ItemDraft,
    listing: Listing,
    titles: Mapping[tuple[int, str], ListingTitle],
) -> Item:
    title = draft.title or listing.title
    return Item(
        merchant_id=order.merchant_id,
        order=order,
        line=line,
        number=numbers.draw(),
        listing=listing,
        sold_as=titles[listing.pk, title],
        sku=listing.sku,
        title=title,
        purchased_at=order.purchased_at,
        currency=order.currency,
        quantity_purchased=draft.quantity,
        customisation=draft.customisation,
        **{component: draft.amount(component) for component in COMPONENTS},
    )


def _contact(order: Order, draft: OrderDraft) -> Contact:
    contact = draft.contact
    relay = order.marketplace.buyer_email_mode == Marketplace.ContactMode.RELAY
    return Contact(
        order=order,
        merchant_id=order.merchant_id,
        purchased_at=order.purchased_at,
        buyer_email=contact.buyer_email,
        relay_email=f"{order.number}@relay.invalid" if relay else "",
        buyer_phone=contact.buyer_phone,
        recipient_name=contact.recipient_name,
        address_1=contact.address_1,
        address_2=contact.address_2,
        address_3=contact.address_3,
        city=contact.city,
        region=contact.region,
        postal_code=contact.postal_code,
        country=contact.country,
        gift_message=contact.gift_message,
    )


def _payment(order: Order, draft: OrderDraft, marketplace: Marketplace, at: datetime) -> Payment:
    term = marketplace.advance_payment_days
    in_advance = draft.payment_method == Payment.Method.CONVENIENCE_STORE and term is not None
    return Payment(
        order=order,
        merchant_id=order.merchant_id,
        method=draft.payment_method,
        token=draft.payment_token,
        number=instructions.draw_number() if in_advance else "",
        started_at=draft.purchased_at,
        next_check_at=at + _VERIFICATION_CHECK,
        pay_by_at=draft.purchased_at + timedelta(days=term or 0) if in_advance else None,
    )
