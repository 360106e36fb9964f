"""The matrix: filled from presets, changed at will, effective at once, never above one's own."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.domain import members
from accounts.forms.people import ROWS
from accounts.models import Grant, Membership
from accounts.permissions import MOST, PRESETS, Function, Level, Preset
from audit.models import Entry
from core.actor import Actor
from tests.factories import MembershipFactory, unshipped_order
from tests.letters import told
from tests.outsiders import everything
from tests.pages import fields_in, form_of, words

PAGE = "/settings/permissions/"
CHANGE = f"{PAGE}change/"
F = Function


@pytest.fixture
def jo(shop):
    return MembershipFactory(
        merchant=shop,
        preset=Preset.FULFILMENT,
        user__name="Jo Adair",
        user__email="jo@shop.example",
    )


@pytest.fixture
def signed_in(client, alice):
    client.force_login(alice)
    return client


def matrix(client, member):
    return form_of(client, f"{PAGE}?member={member.pk}", CHANGE)


def levels(member):
    return members.levels_of(Membership.objects.get(pk=member.pk))


@pytest.mark.req("SETTINGS-12", "PERMISSION-02")
def test_the_page_lists_people_with_access_two_steps_and_last_sign_in(signed_in, jo, alice):
    Grant.objects.filter(membership=jo, function=F.RMA).update(level=Level.VIEW)
    page = words(signed_in.get(PAGE))
    assert "2 people" in page
    assert (
        "Alice Owner alice@shop.example Access Owner Two-step sign-in Off Last signed in Now"
        in page
    )
    assert "Account owner" in page
    assert "Jo Adair jo@shop.example Access Fulfilment, changed" in page
    assert "Last signed in Never" in page


@pytest.mark.req("PERMISSION-02", "SETTINGS-12")
def test_the_matrix_has_every_function_that_can_be_given(signed_in, jo):
    given = {each for row in ROWS for each in row.functions}
    assert set(Function) - given == {F.ACCESS_KEY, F.LOGIN_SETTINGS}
    fields = matrix(signed_in, jo)
    assert {name: fields[name] for name in fields if name in Function.values} == {
        row.name: str(int(PRESETS[Preset.FULFILMENT][row.functions[0]])) for row in ROWS
    }
    html = signed_in.get(f"{PAGE}?member={jo.pk}").content.decode()
    for row in ROWS:
        offered = [
            f'name="{row.name}"' in html
            and f"{row.label}: {level.label}".replace("&", "&amp;") in html
            for level in Level
        ]
        assert offered == [level <= MOST[row.functions[0]] for level in Level], row.name


@pytest.mark.req("PERMISSION-02", "PERMISSION-07", "SETTINGS-17", "N28", "INV-18")
def test_a_change_counts_with_the_next_request_is_audited_and_told(signed_in, jo, alice, shop):
    order = unshipped_order(shop)
    hers = Client()
    hers.force_login(jo.user)
    refund = f"/orders/{order.number}/confirm-shipment/"
    assert hers.get(refund).status_code == 200
    answer = signed_in.post(
        CHANGE, matrix(signed_in, jo) | {"confirm_shipments": "0", "policies": "1"}
    )
    assert (answer.status_code, answer["Location"]) == (302, PAGE)
    assert "Permissions saved: Jo Adair" in words(signed_in.get(PAGE))
    assert hers.get(refund).status_code == 403
    now = levels(jo)
    assert (now[F.CONFIRM_SHIPMENTS], now[F.POLICIES], now[F.PIPELINE]) == (0, 1, 1)
    assert (now[F.MANAGE_ORDERS], now[F.LOGIN_SETTINGS]) == (2, 2)
    [entry] = Entry.objects.filter(event="member.permissions_changed")
    assert (entry.user, entry.merchant) == (alice, shop)
    assert entry.before == {
        "user": jo.user_id,
        "confirm_shipments": 2,
        "policies": 0,
        "pipeline": 0,
    }
    assert entry.after == {"user": jo.user_id, "confirm_shipments": 0, "policies": 1, "pipeline": 1}
    assert told("jo@shop.example") == ["What you may see and change was changed by Alice Owner."]
    assert told("alice@shop.example") == []


@pytest.mark.req("PERMISSION-02")
@pytest.mark.parametrize("preset", Preset)
def test_filling_from_a_preset_saves_nothing_until_it_is_saved(signed_in, jo, preset):
    fields = matrix(signed_in, jo)
    before = everything()
    answer = signed_in.post(CHANGE, fields | {"fill": "1", "preset": preset})
    assert (answer.status_code, everything() == before) == (200, True)
    filled = fields_in(answer.content.decode(), CHANGE)
    assert signed_in.post(CHANGE, filled).status_code == 302
    expected = {f: min(level, MOST[f]) for f, level in PRESETS[preset].items()}
    assert levels(jo) == expected
    assert Membership.objects.get(pk=jo.pk).preset == preset


@pytest.mark.req("PERMISSION-07")
def test_saving_without_a_change_tells_nobody(signed_in, jo):
    before = everything()
    assert signed_in.post(CHANGE, matrix(signed_in, jo)).status_code == 302
    assert everything() == before


@pytest.mark.req("INV-08", "F16", "IMPL-02")
def test_a_stale_matrix_is_refused_and_keeps_what_was_chosen(signed_in, jo, shop):
    other = Client()
    other.force_login(MembershipFactory(merchant=shop, is_owner=True).user)
    mine = matrix(signed_in, jo) | {"refund_orders": "2"}
    assert other.post(CHANGE, matrix(other, jo) | {"messages": "0"}).status_code == 302
    before = everything()
    answer = signed_in.post(CHANGE, mine)
    assert (answer.status_code, "Someone else changed these permissions" in words(answer)) == (
        409,
        True,
    )
    assert everything() == before
    again = fields_in(answer.content.decode(), CHANGE)
    assert (again["refund_orders"], again["seen"]) == ("2", "2")
    assert signed_in.post(CHANGE, again).status_code == 302


@pytest.mark.req("PERMISSION-04", "INV-18", "TH-19", "BI-ACC")
def test_nobody_gives_more_than_they_hold_not_even_to_themselves(client, shop, alice, jo):
    manager = MembershipFactory(merchant=shop, preset=Preset.MANAGER)
    client.force_login(manager.user)
    for member in (jo, manager):
        fields = matrix(client, member)
        before = everything()
        answer = client.post(CHANGE, fields | {"bank_information": "1"})
        assert answer.status_code == 403, member
        assert "You cannot give more than you have: Bank information." in words(answer)
        assert everything() == before
    assert client.post(CHANGE, matrix(client, jo) | {"refund_orders": "2"}).status_code == 302
    assert levels(jo)[F.REFUND_ORDERS] == Level.EDIT


@pytest.mark.req("PERMISSION-04")
def test_a_right_above_ones_own_may_stay_or_be_taken(client, shop, alice, jo):
    Grant.objects.create(membership=jo, function=F.BANK_INFORMATION, level=Level.VIEW)
    manager = MembershipFactory(merchant=shop, preset=Preset.MANAGER)
    client.force_login(manager.user)
    assert client.post(CHANGE, matrix(client, jo) | {"messages": "0"}).status_code == 302
    assert levels(jo)[F.BANK_INFORMATION] == Level.VIEW
    assert client.post(CHANGE, matrix(client, jo) | {"bank_information": "0"}).status_code == 302
    assert levels(jo)[F.BANK_INFORMATION] == Level.NONE


@pytest.mark.req("PERMISSION-04", "IMPL-25", "TH-18")
@pytest.mark.parametrize(
    "changes",
    [{"packing_slips": "2"}, {"seller_performance": "2"}, {"bank_information": "2"}, {"refund_orders": "3"},
     {"refund_orders": "-1"}, {"refund_orders": "x"}, {"refund_orders": ""}, {"seen": "x"}, {"filled": "owner"}],
)  # fmt: skip
def test_levels_that_there_are_not_are_refused(signed_in, jo, changes):
    fields = matrix(signed_in, jo)
    before = everything()
    assert signed_in.post(CHANGE, fields | changes).status_code == 422
    assert everything() == before


@pytest.mark.req("TH-18", "PERMISSION-04")
def test_fields_that_are_not_in_the_matrix_give_nothing(signed_in, jo):
    more = {"access_key": "2", "login_settings": "0", "is_owner": "on", "owner": "1", "user": "1"}
    before = everything()
    assert signed_in.post(CHANGE, matrix(signed_in, jo) | more).status_code == 302
    assert everything() == before


@pytest.mark.req("PERMISSION-04", "PERMISSION-05")
def test_the_owner_cannot_be_reduced(signed_in, alice, shop, jo):
    owner = alice.memberships.get()
    assert "Permissions of" not in words(signed_in.get(f"{PAGE}?member={owner.pk}"))
    fields = matrix(signed_in, jo) | {"member": owner.pk, "manage_orders": "0"}
    before = everything()
    answer = signed_in.post(CHANGE, fields)
    assert (answer.status_code, "always keeps every right" in words(answer)) == (403, True)
    assert everything() == before
    assert signed_in.get("/orders/").status_code == 200


@pytest.mark.req("IMPL-03", "INV-16", "BI-ACC")
def test_people_of_other_accounts_are_like_none_at_all(signed_in, charlie, jo):
    theirs = charlie.memberships.get().pk
    fields = matrix(signed_in, jo)
    before = everything()
    for which in (theirs, "0", "-1", "x", "", "9" * 30, "１"):
        assert signed_in.post(CHANGE, fields | {"member": which}).status_code == 404
        page = signed_in.get(PAGE, {"member": which})
        assert (page.status_code, "Charlie" in words(page)) == (200, False)
        assert signed_in.get(f"{PAGE}remove/", {"member": which}).status_code == 404
        assert signed_in.post(f"{PAGE}remove/", {"member": which}).status_code == 404
    assert everything() == before


@pytest.mark.req("PERMISSION-02", "PERMISSION-03", "NAV-03")
def test_who_may_only_view_sees_the_matrix_and_no_buttons(client, shop, jo):
    viewer = MembershipFactory(merchant=shop, preset=Preset.READ_ONLY)
    Grant.objects.create(membership=viewer, function=F.USER_PERMISSIONS, level=Level.VIEW)
    client.force_login(viewer.user)
    page = client.get(f"{PAGE}?member={jo.pk}")
    html = page.content.decode()
    assert "Permissions of Jo Adair" in words(page)
    assert html.count("disabled") == html.count('class="radio"')
    assert not {"Save permissions", "Remove", "Send invitation"} & {
        w for w in ("Save permissions", "Remove", "Send invitation") if w in words(page)
    }
    before = everything()
    for address in (CHANGE, f"{PAGE}remove/", f"{PAGE}invite/", f"{PAGE}invitations/"):
        assert client.post(address, {"member": jo.pk, "merchant": shop.pk}).status_code == 403
    assert everything() == before


@pytest.mark.req("INV-18", "PERMISSION-05")
def test_the_rights_of_who_acts_are_read_when_they_act(shop, alice, jo):
    """A request that began before a removal has no effect after it."""
    manager = MembershipFactory(merchant=shop, preset=Preset.MANAGER)
    by = Actor("form", "Max", user_id=manager.user_id, levels=dict(PRESETS[Preset.MANAGER]))
    owner = Actor("form", "Alice", user_id=alice.pk, owner=True)
    members.remove(merchant_id=shop.pk, member_id=manager.pk, by=owner)
    before = everything()
    wanted = members.Wanted(jo.pk, {F.MESSAGES: Level.NONE}, Preset.FULFILMENT, jo.version)
    for act in (
        lambda: members.change_levels(merchant_id=shop.pk, wanted=wanted, by=by),
        lambda: members.remove(merchant_id=shop.pk, member_id=jo.pk, by=by),
    ):
        with pytest.raises(members.Refused) as refused:
            act()
        assert refused.value.code == "PERMISSION_DENIED"
    assert everything() == before
