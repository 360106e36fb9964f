"""How amounts are read, shared and given back: properties over random prices and refunds."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from core.money import AmountError, parse_amount, round_half_up, split, unit_of
from core.refusal import Refusal
from orders.domain import amounts
from orders.domain.amounts import Boxes, Components, Everything, Plan, maximum
from orders.enums import BOXES, COMPONENTS, PROMOTIONS
from orders.models import Item
from orders.models.order import sign_of

ZERO = Decimal(0)
CURRENCIES = st.sampled_from(["GBP", "JPY"])
# In smallest units: nothing, one penny, prices of a shop, and what the columns can hold.
UNITS = st.one_of(st.sampled_from([0, 1, 2, 3]), st.integers(0, 20_000), st.integers(0, 10**10))


@st.composite
def an_item(draw: st.DrawFn, currency: str, pk: int = 1) -> Item:
    """An item with possible amounts: no promotion above what it is taken off."""
    units = {c: draw(UNITS) for c in COMPONENTS if c not in PROMOTIONS}
    for components in BOXES.values():
        paid = sum(units[c] for c in components if c not in PROMOTIONS)
        promotion = next(c for c in components if c in PROMOTIONS)
        units[promotion] = draw(st.sampled_from([0, 1, paid // 10, paid // 3, paid]))
        units[promotion] = min(units[promotion], paid)
    smallest = unit_of(currency)
    return Item(
        pk=pk, number=f"item-{pk}", currency=currency, **{c: u * smallest for c, u in units.items()}
    )


@st.composite
def part_of(draw: st.DrawFn, most: Decimal, currency: str) -> Decimal:
    """An amount from nothing to the most, often one smallest unit away from either."""
    smallest = unit_of(currency)
    units = int(most / smallest)
    near = st.sampled_from([0, 1, units - 1, units]).filter(lambda u: 0 <= u <= units)
    return draw(st.one_of(near, st.integers(0, units))) * smallest


def give_back(items: list[Item], plan: Plan) -> None:
    """Apply a plan to items in memory, as the verb applies it to rows."""
    known = {item.pk: item for item in items}
    for pk, row in plan.amounts.items():
        for component, amount in row.items():
            counted = known[pk].refunded(component) + amount
            setattr(known[pk], f"refunded_{component}", counted)


def within_limits(item: Item) -> bool:
    each = all(ZERO <= item.refunded(c) <= item.paid(c) for c in COMPONENTS)
    boxes = all(
        ZERO
        <= sum(sign_of(c) * item.refunded(c) for c in components)
        <= sum(sign_of(c) * item.paid(c) for c in components)
        for components in BOXES.values()
    )
    return each and boxes


@pytest.mark.req("MONEY-07", "MONEY-08")
@given(data=st.data(), currency=CURRENCIES)
def test_shares_add_up_and_none_is_above_its_weight(data, currency):
    smallest = unit_of(currency)
    weights = [units * smallest for units in data.draw(st.lists(UNITS, min_size=1, max_size=8))]
    assume(sum(weights))
    amount = data.draw(part_of(sum(weights, ZERO), currency))

    parts = split(amount, weights, currency)

    assert sum(parts) == amount
    assert all(ZERO <= part <= weight for part, weight in zip(parts, weights, strict=True))
    exact = [amount * weight / sum(weights) for weight in weights]
    assert all(abs(part - share) < smallest for part, share in zip(parts, exact, strict=True))


@pytest.mark.req("MONEY-08")
@given(count=st.integers(1, 9), over=st.integers(0, 9), weight=st.integers(1, 1000))
def test_left_over_pennies_go_to_the_first_lines(count, over, weight):
    parts = split(Decimal(over) / 100, [Decimal(weight)] * count, "GBP")
    assert parts == sorted(parts, reverse=True)
    assert parts[0] - parts[-1] <= Decimal("0.01")


@pytest.mark.req("MONEY-08")
@given(amount=st.integers(1, 1000), count=st.integers(0, 4))
def test_nothing_can_be_shared_over_nothing(amount, count):
    with pytest.raises(ValueError, match="Nothing to share"):
        split(Decimal(amount), [ZERO] * count, "GBP")
    assert split(ZERO, [ZERO] * count, "GBP") == [ZERO] * count


@pytest.mark.req("MONEY-06", "MONEY-07", "INV-01")
@pytest.mark.parametrize("box", BOXES)
@given(data=st.data(), currency=CURRENCIES)
def test_the_parts_of_a_box_sum_to_what_was_typed(data, currency, box):
    item = data.draw(an_item(currency))
    amount = data.draw(part_of(maximum(item, box), currency))

    parts = amounts.share(item, box, amount, currency)

    assert set(parts) == set(BOXES[box])
    assert sum(sign_of(c) * part for c, part in parts.items()) == amount
    for component, part in parts.items():
        assert ZERO <= part <= item.remaining(component)
        assert part == round_half_up(part, currency)


@pytest.mark.req("MONEY-07")
def test_the_example_of_the_rules():
    item = Item(
        pk=1,
        item_price=Decimal("100.00"),
        item_tax=Decimal("20.00"),
        gift_wrap_price=Decimal("5.00"),
        gift_wrap_tax=Decimal("1.00"),
        item_promotion=Decimal("10.00"),
    )
    assert maximum(item, "item_cost") == Decimal("116.00")
    assert amounts.share(item, "item_cost", Decimal("58.00"), "GBP") == {
        "item_price": Decimal("50.00"),
        "item_tax": Decimal("10.00"),
        "gift_wrap_price": Decimal("2.50"),
        "gift_wrap_tax": Decimal("0.50"),
        "item_promotion": Decimal("5.00"),
    }


@pytest.mark.req("MONEY-05", "MONEY-07", "MONEY-10", "INV-01")
@settings(max_examples=200)
@given(data=st.data(), currency=CURRENCIES)
def test_any_refunds_stay_within_what_was_paid_and_a_full_one_leaves_nothing(data, currency):
    items = [data.draw(an_item(currency, pk)) for pk in range(1, data.draw(st.integers(1, 3)) + 1)]
    paid = sum((item.paid_total for item in items), ZERO)
    given_back = ZERO
    for _step in range(data.draw(st.integers(0, 5))):
        item = data.draw(st.sampled_from(items))
        typed = tuple(data.draw(part_of(maximum(item, box), currency)) for box in BOXES)
        plan = amounts.plan(items, Boxes({item.pk: typed}), currency)
        if isinstance(plan, Refusal):
            assert (plan.code, sum(typed)) == ("INVALID_INPUT", ZERO)
            continue
        assert plan.total == sum(typed)
        give_back(items, plan)
        given_back += plan.total
        assert all(within_limits(one) for one in items)

    rest = amounts.plan(items, Everything(), currency)

    if isinstance(rest, Refusal):
        assert paid == given_back
        return
    assert rest.total == paid - given_back
    give_back(items, rest)
    assert all(item.remaining(c) == ZERO for item in items for c in COMPONENTS)
    again = amounts.plan(items, Everything(), currency)
    assert isinstance(again, Refusal)


@pytest.mark.req("MONEY-06", "MONEY-10", "F10")
@given(data=st.data(), currency=CURRENCIES, over=st.integers(1, 10**6))
def test_more_than_a_box_holds_is_refused_with_its_maximum(data, currency, over):
    item = data.draw(an_item(currency))
    box = data.draw(st.sampled_from(sorted(BOXES)))
    most = maximum(item, box)
    above = most + over * unit_of(currency)
    typed = (above, ZERO) if box == "item_cost" else (ZERO, above)

    refusal = amounts.plan([item], Boxes({1: typed}), currency)

    assert isinstance(refusal, Refusal)
    assert (refusal.code, refusal.status, refusal.field) == ("REFUND_LIMIT", 422, f"{box}_1")
    assert Decimal(str(refusal.facts["maximum"])) == most


@pytest.mark.req("MONEY-09", "INV-01")
@given(data=st.data(), currency=CURRENCIES)
def test_components_are_given_back_as_asked_or_not_at_all(data, currency):
    item = data.draw(an_item(currency))
    asked = {c: data.draw(part_of(item.paid(c), currency)) for c in COMPONENTS}
    net = {box: sum(sign_of(c) * asked[c] for c in BOXES[box]) for box in BOXES}
    fits = all(ZERO <= net[box] <= maximum(item, box) for box in BOXES)

    plan = amounts.plan([item], Components({1: asked}), currency)

    if isinstance(plan, Refusal):
        assert plan.code == ("INVALID_INPUT" if fits else "REFUND_LIMIT")
        assert not fits or sum(net.values()) == ZERO
    else:
        assert fits
        assert plan.amounts[1] == {c: amount for c, amount in asked.items() if amount}
        give_back([item], plan)
        assert within_limits(item)


@pytest.mark.req("MONEY-09", "F10")
def test_a_price_without_its_promotion_is_more_than_was_paid():
    item = Item(pk=1, number="1", item_price=Decimal(100), item_promotion=Decimal(10))
    alone = amounts.plan([item], Components({1: {"item_price": Decimal(100)}}), "GBP")
    both = {"item_price": Decimal(100), "item_promotion": Decimal(10)}
    together = amounts.plan([item], Components({1: both}), "GBP")
    assert isinstance(alone, Refusal)
    assert alone.code == "REFUND_LIMIT"
    assert isinstance(together, Plan)
    assert together.total == Decimal(90)


@pytest.mark.req("MONEY-01", "MONEY-12", "INV-03")
@given(units=st.integers(0, 10**9 - 1), currency=CURRENCIES)
def test_what_is_written_as_an_amount_is_read_as_it(units, currency):
    amount = units * unit_of(currency)
    assert parse_amount(f" {amount}\t", currency) == amount


@pytest.mark.req("MONEY-01", "MONEY-12", "INV-03", "TH-02")
@given(text=st.text(alphabet="0123456789.,-+eE_ NaInf١１£¥", max_size=14), currency=CURRENCIES)
def test_any_text_is_an_exact_amount_or_refused(text, currency):
    try:
        amount = parse_amount(text, currency)
    except AmountError:
        return
    assert set(text.strip()) <= set("0123456789.")
    assert amount.is_finite()
    assert amount == Decimal(text.strip())
    assert amount == round_half_up(amount, currency)


@pytest.mark.req("MONEY-12", "MONEY-01", "INV-03")
@pytest.mark.parametrize(
    ("text", "currency"),
    [
        ("", "GBP"),
        ("1,000", "GBP"),
        ("12.505", "GBP"),
        ("10.5", "JPY"),
        ("-1", "GBP"),
        ("NaN", "GBP"),
        ("Infinity", "GBP"),
        ("1e3", "GBP"),
        ("1_000", "GBP"),
        ("１２", "GBP"),
        ("١٢", "GBP"),
        ("£5", "GBP"),
        (".5", "GBP"),
        ("5.", "GBP"),
        ("1234567890", "GBP"),
        ("1\n2", "GBP"),
    ],
)
def test_what_is_no_amount_is_refused(text, currency):
    with pytest.raises(AmountError):
        parse_amount(text, currency)


@pytest.mark.req("MONEY-15")
@pytest.mark.parametrize(
    ("exact", "currency", "rounded"),
    [("0.005", "GBP", "0.01"), ("0.015", "GBP", "0.02"), ("2.5", "JPY", "3"), ("0.4", "JPY", "0")],
)
def test_halves_round_up(exact, currency, rounded):
    assert round_half_up(Decimal(exact), currency) == Decimal(rounded)
