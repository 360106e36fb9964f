"""Letters to persons: owed once, written when they leave, without values and without lines to add."""

from __future__ import annotations

import re

import pytest

from accounts.domain import invitations, members
from accounts.domain import letters as writing
from accounts.models import Membership
from accounts.permissions import Preset
from core.actor import Actor
from notifications.domain.letters import READERS
from notifications.models import Outbox
from tests.factories import MembershipFactory, UserFactory
from tests.letters import letters


@pytest.mark.req("N27", "N28", "N29", "NOTIF-01")
def test_each_kind_has_a_writer_and_leaves_by_the_way_of_persons(shop, alice):
    assert {"N27", "N28", "N29"} <= set(READERS)
    writing.owe_reset(alice)
    writing.owe_change(user=alice, what="password")
    rows = Outbox.objects.order_by("pk")
    assert [(row.kind, row.channel, row.merchant, row.state) for row in rows] == [
        ("N29", "person_email", shop, "queued"),
        ("N28", "person_email", shop, "queued"),
    ]


@pytest.mark.req("N28", "NOTIF-02", "NOTIF-04")
@pytest.mark.parametrize("what", sorted(writing.CHANGES["en"]))
def test_a_note_says_what_and_when_and_no_value(alice, shop, bob, what):
    writing.owe_change(user=alice, what=what, by=bob.pk, merchant=shop)
    [letter] = letters("N28")
    [row] = Outbox.objects.all()
    assert letter.to == (alice.email,)
    assert letter.subject == "A change to your access to Harbour & Hearth"
    sentence = writing.CHANGES["en"][what] % {"by": "Bob Reader"}
    assert sentence in letter.body
    local = row.created_at.astimezone(shop.marketplace.zone)
    assert f"When: {local.day} {local:%b %Y, %H:%M} {local.tzname()}" in letter.body
    assert "http://localhost:8000/settings/login/" in letter.body
    assert alice.email not in letter.body
    assert all(isinstance(v, int | str | None) for v in row.payload.values())
    assert "@" not in str(row.payload)


@pytest.mark.req("NOTIF-08", "N27", "N28", "N29")
def test_people_of_a_japanese_marketplace_read_japanese(japanese_shop, kenji):
    kenji.name = "北野 健二"
    kenji.save()
    assert set(writing.CHANGES["ja"]) == set(writing.CHANGES["en"])
    owner = Actor("form", kenji.name, user_id=kenji.pk, owner=True)
    invitations.invite(
        merchant_id=japanese_shop.pk, email="new@kita.example", preset=Preset.FINANCE, by=owner
    )
    writing.owe_reset(kenji)
    for what in writing.CHANGES["ja"]:
        writing.owe_change(user=kenji, what=what, by=kenji.pk, merchant=japanese_shop)
    written = letters()
    assert len(written) == 2 + len(writing.CHANGES["ja"])
    for letter in written:
        text = re.sub(r"https?://\S+|Seller Central|JST", "", f"{letter.subject} {letter.body}")
        assert re.findall("[A-Za-z]{2,}", text) == []
        assert "\n" not in letter.subject
    assert written[0].subject == "北野 健二 さんから 北の暮らし株式会社 への招待"
    moment = Outbox.objects.get(kind="N29").created_at.astimezone(japanese_shop.marketplace.zone)
    assert f"日時: {moment:%Y/%m/%d}" in written[-1].body


@pytest.mark.req("NOTIF-02")
def test_two_changes_are_two_letters_and_one_is_never_two(alice):
    for _time in range(2):
        writing.owe_change(user=alice, what="password")
    keys = list(Outbox.objects.values_list("event_key", flat=True))
    assert len(set(keys)) == 2


@pytest.mark.req("NOTIF-09", "TH-30")
def test_names_with_markup_come_as_they_are_and_break_no_line(shop, alice):
    user = UserFactory(name="Pat & Co")
    member = MembershipFactory(merchant=shop, user=user)
    owner = Actor("form", alice.name, user_id=alice.pk, owner=True)
    members.remove(merchant_id=shop.pk, member_id=member.pk, by=owner)
    [letter] = letters("N28")
    assert "Hello Pat & Co," in letter.body
    assert "\n" not in letter.subject
    assert "&amp;" not in letter.body + letter.subject


@pytest.mark.req("N28")
def test_the_letters_of_who_works_for_none_have_no_merchant(db):
    user = UserFactory()
    writing.owe_change(user=user, what="password")
    row = Outbox.objects.get()
    assert (row.merchant, row.order) == (None, None)
    [letter] = letters()
    assert letter.subject == "A change to your access to Seller Central"
    assert "UTC" in letter.body


@pytest.mark.req("PERMISSION-07")
def test_adding_by_a_command_is_not_told(shop, db):
    user = UserFactory()
    by = Actor("operator", "command line")
    members.add_member(merchant=shop, user=user, preset=Preset.FINANCE, by=by)
    assert Membership.objects.filter(user=user, merchant=shop).exists()
    assert letters() == []
