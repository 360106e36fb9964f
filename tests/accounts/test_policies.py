"""Your Info & Policies: texts and logo shown, edited, refused, audited, never overwritten unseen."""

from __future__ import annotations

import re

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.domain import profiles
from accounts.models import Grant, Logo, Profile
from accounts.models.profile import MOST_LETTERS
from accounts.permissions import Function, Preset
from audit.models import Entry
from core.actor import Actor
from tests.bad_input.strings import COMMON
from tests.factories import MembershipFactory, tell_buyers
from tests.outsiders import everything
from tests.pages import fields_in, form_of, words
from tests.pictures import bomb, jpg, of_format, png, read

PAGE = "/settings/policies/"
TEXTS, LOGO = f"{PAGE}texts/", f"{PAGE}logo/"
SELLER = "/sellers/harbour-hearth/"
WRITTEN = {
    "about": "We make mugs.",
    "returns": "Within 30 days.\n\n<strong>Unused.</strong>",
    "shipping": "Two days.",
    "gift_services": "We wrap.",
    "privacy": "We keep it to ourselves.",
    "faq": "<h3>Dishwasher?</h3>\n\nYes.",
}
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


@pytest.fixture
def signed_in(client, alice):
    client.force_login(alice)
    return client


def save(client, **typed):
    return client.post(TEXTS, form_of(client, TEXTS) | typed)


def send(client, data: bytes, name: str = "logo.png", **typed):
    file = SimpleUploadedFile(name, data, "image/png")
    return client.post(LOGO, form_of(client, LOGO) | {"logo": file} | typed)


def address_in(response) -> str:
    return re.search(r'<img class="logo" src="([^"]+)"', response.content.decode())[1]


@pytest.mark.req("SETTINGS-13")
def test_what_is_written_is_stored_as_typed_and_shown_marked_up(signed_in, shop):
    assert "Nothing written yet" in words(signed_in.get(PAGE))
    answer = save(signed_in, **WRITTEN)
    assert (answer.status_code, answer["Location"]) == (302, PAGE)
    assert Profile.objects.filter(pk=shop.pk).values(*WRITTEN, "version").get() == {
        **WRITTEN,
        "version": 1,
    }
    html = signed_in.get(PAGE).content.decode()
    for shown in ("<p>Within 30 days.</p><p><strong>Unused.</strong></p>", "<h3>Dishwasher?</h3>"):
        assert shown in html
    assert {name: form_of(signed_in, TEXTS)[name].strip() for name in WRITTEN} == WRITTEN


@pytest.mark.req("SETTINGS-13", "INV-20", "BI-ACC")
def test_a_script_in_a_text_is_removed_wherever_it_is_shown(signed_in):
    for name in WRITTEN:
        save(
            signed_in, **{name: f"Kind words <script>alert('{name}')</script><img src=x onerror=y>"}
        )
    for address in (PAGE, SELLER):
        page = signed_in.get(address)
        assert page.content.decode().count("<p>Kind words ") == 6
        assert "alert(" not in page.content.decode()
        assert "onerror" not in page.content.decode()
    assert "<script>alert" not in signed_in.get(TEXTS).content.decode()


@pytest.mark.req("SETTINGS-17", "IMPL-04")
def test_each_change_is_in_the_history_with_old_and_new_value(signed_in, shop, alice):
    save(signed_in, faq="Old")
    save(signed_in, faq="New")
    save(signed_in)  # nothing changed
    send(signed_in, png(300, 100))
    send(signed_in, png(60, 20))
    signed_in.post(LOGO, form_of(signed_in, LOGO) | {"remove": "on"})
    entries = list(Entry.objects.filter(event="policies.changed").order_by("number"))
    assert {(entry.user, entry.door, entry.merchant) for entry in entries} == {
        (alice, "form", shop)
    }
    assert [entry.after["version"] for entry in entries] == [1, 2, 3, 4, 5]
    assert (entries[1].before, entries[1].after) == ({"faq": "Old"}, {"faq": "New", "version": 2})
    logos = [(entry.before["logo"][:16], entry.after["logo"][:16]) for entry in entries[2:]]
    assert logos == [
        ("", "300 × 100 pixels"),
        ("300 × 100 pixels", "60 × 20 pixels, "),
        ("60 × 20 pixels, ", ""),
    ]


@pytest.mark.req("INV-08", "IMPL-02", "F16")
@pytest.mark.parametrize("address", [TEXTS, LOGO])
def test_a_stale_form_is_refused_and_keeps_what_was_typed(signed_in, shop, address):
    tell_buyers(shop, logo=png())
    other = Client()
    other.force_login(MembershipFactory(merchant=shop, user__name="Bea Second", is_owner=True).user)
    fields = form_of(signed_in, address) | (
        {"faq": "Mine"} if address == TEXTS else {"remove": "on"}
    )
    save(other, shipping="Bea ships slowly")
    before = everything()
    answer = signed_in.post(address, fields)
    assert answer.status_code == 409
    page = words(answer)
    assert "Someone else changed this page" in page
    assert "Changed by Bea Second" in page
    assert "Shipping: Bea ships slowly" in page
    assert everything() == before
    again = fields_in(answer.content.decode(), address)
    kept = {name: str(value).strip() for name, value in (fields | {"seen": "2"}).items()}
    assert {name: value.strip() for name, value in again.items()} == kept
    assert signed_in.post(address, again).status_code == 302


@pytest.mark.req("SETTINGS-13")
@pytest.mark.parametrize(("data", "name"), [(png(1200, 600), "l.png"), (jpg(900, 900), "l.jpg")])
def test_a_logo_is_drawn_anew_and_served_so_that_nothing_can_be_made_of_it(
    signed_in, client, shop, data, name
):
    assert send(signed_in, data, name).status_code == 302
    address = address_in(signed_in.get(PAGE))
    answer = Client().get(address)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "image/png"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Cache-Control"] == "private, max-age=31536000, immutable"
    assert answer["Content-Security-Policy"] == "sandbox; default-src 'none'"
    picture = read(answer.content)
    assert picture.format == "PNG"
    assert picture.width <= 600
    assert picture.height == 200
    send(signed_in, png(10, 10))
    assert Client().get(address).status_code == 404  # another picture has another address
    assert address_in(signed_in.get(PAGE)) != address
    assert Client().get(address.replace("harbour-hearth", "other-shop")).status_code == 404


@pytest.mark.req("SETTINGS-13")
def test_a_logo_can_be_taken_away(signed_in, shop):
    assert "Remove the logo" not in words(signed_in.get(LOGO))
    send(signed_in, png())
    assert "Remove the logo" in words(signed_in.get(LOGO))
    answer = signed_in.post(LOGO, form_of(signed_in, LOGO) | {"remove": "on"})
    assert (answer.status_code, answer["Location"]) == (302, PAGE)
    assert not Logo.objects.exists()
    page = signed_in.get(PAGE)
    assert "Logo removed" in words(page)
    assert "No logo yet." in words(page)


LIMITS = "Choose a PNG or JPG of up to 1 MB and 4,000 × 4,000 pixels."


@pytest.mark.req("SETTINGS-13", "BI-ACC", "INV-20", "IMPL-25")
@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (SVG, "This file is no PNG or JPG picture, or it is damaged."),
        (b"", "This file is no PNG or JPG picture, or it is damaged."),
        (of_format("GIF"), "This file is no PNG or JPG picture, or it is damaged."),
        (png()[:150], "This file is no PNG or JPG picture, or it is damaged."),
        (bomb(20_000, 20_000), "The picture has more than 4,000 × 4,000 pixels."),
        (bomb(4_001, 10), "The picture has more than 4,000 × 4,000 pixels."),
        (png() + b"\0" * 1024 * 1024, "The file is larger than 1 MB."),
        (b"\0" * 3 * 1024 * 1024, "The file is larger than 1 MB."),
    ],
    ids=["svg", "empty", "gif", "cut", "bomb", "wide", "heavy", "very heavy"],
)
def test_a_bad_picture_is_refused_with_the_limits(signed_in, shop, data, sentence):
    tell_buyers(shop, logo=png(), faq="Yes")
    before = everything()
    answer = send(signed_in, data)
    assert answer.status_code == 422
    assert f"{sentence} {LIMITS}" in words(answer)
    html = answer.content.decode()
    assert 'href="#logo"' in html
    assert 'id="logo-error"' in html
    assert "<title>Error: " in html
    assert everything() == before


@pytest.mark.req("SETTINGS-13", "IMPL-25")
def test_a_form_without_a_picture_asks_for_one(signed_in):
    answer = signed_in.post(LOGO, form_of(signed_in, LOGO))
    assert answer.status_code == 422
    assert "Choose a picture" in words(answer)
    answer = signed_in.post(LOGO, form_of(signed_in, LOGO) | {"logo": "no file at all"})
    assert answer.status_code == 422


@pytest.mark.req("SETTINGS-13", "FT-37")
def test_a_picture_that_takes_too_long_is_refused(signed_in, monkeypatch):
    monkeypatch.setattr(profiles._reader, "_seconds", 0.0)
    answer = send(signed_in, png())
    assert answer.status_code == 422
    assert "This picture could not be read in time." in words(answer)


@pytest.mark.req("SETTINGS-13", "BI-ACC", "IMPL-25")
@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("x" * (MOST_LETTERS + 1), "FAQ must be 10,000 characters or fewer"),
        ("a\x00b", "Remove control characters"),
        ("a\x1bb", "Remove control characters"),
    ],
)
def test_a_bad_text_is_refused_and_nothing_typed_is_lost(signed_in, typed, message):
    before = everything()
    answer = save(signed_in, faq=typed, about="Kept words")
    assert answer.status_code == 422
    assert message in words(answer)
    html = answer.content.decode()
    assert 'href="#faq"' in html
    assert fields_in(html, TEXTS)["about"].strip() == "Kept words"
    assert everything() == before


@pytest.mark.req("BI-ACC", "G-5", "INV-20", "TH-27")
def test_any_text_in_any_field_ends_nowhere_in_a_fault(signed_in):
    for field in WRITTEN:
        for text in COMMON:
            answer = save(signed_in, **{field: text})
            assert answer.status_code in (302, 422), (field, text[:20])
            if answer.status_code == 302:  # else the pages are as they were
                for address in (PAGE, SELLER):
                    assert "<script>alert" not in signed_in.get(address).content.decode()


@pytest.mark.req("PERMISSION-02", "PERMISSION-03", "NAV-01", "NAV-03", "SETTINGS-13")
def test_who_may_only_view_sees_no_edit_and_who_may_not_nothing(client, shop):
    member = MembershipFactory(merchant=shop, preset=Preset.CUSTOMER_SERVICE)
    client.force_login(member.user)
    page = words(client.get(PAGE))
    assert "Your Info & Policies" in page
    assert "Edit" not in page
    before = everything()
    for address in (TEXTS, LOGO):
        assert client.get(address).status_code == 403
        assert client.post(address, {"merchant": shop.pk, "seen": 0}).status_code == 403
    assert everything() == before
    Grant.objects.filter(membership=member, function=Function.POLICIES).delete()
    assert client.get(PAGE).status_code == 403
    assert "Your Info & Policies" not in words(client.get("/settings/login/"))


@pytest.mark.req("IMPL-03", "INV-16")
@pytest.mark.parametrize("address", [TEXTS, LOGO])
def test_another_merchants_policies_are_out_of_reach(client, charlie, shop, address):
    tell_buyers(shop, faq="Theirs", logo=png())
    client.force_login(charlie)
    own = form_of(client, address)
    before = everything()
    typed = {"merchant": shop.pk, "seen": "1", "faq": "Taken over", "remove": "on"}
    assert client.post(address, own | typed).status_code == 409
    assert everything() == before
    assert "Theirs" not in words(client.get(PAGE))


@pytest.mark.req("SETTINGS-13")
@pytest.mark.parametrize("written", [False, True])
def test_the_page_costs_two_queries_more_than_its_frame(
    signed_in, shop, written, django_assert_num_queries
):
    if written:
        tell_buyers(shop, logo=png(), **WRITTEN)
    signed_in.get(PAGE)  # the first one writes the session
    # session, member with person; profile, logo
    with django_assert_num_queries(4):
        signed_in.get(PAGE)


@pytest.mark.req("SETTINGS-13")
def test_texts_that_are_no_policies_are_a_mistake_of_the_caller(shop):
    with pytest.raises(ValueError, match="no policies"):
        profiles.change_policies(
            merchant_id=shop.pk, values={"version": "9"}, seen=0, by=Actor("form", "x")
        )


def test_pictures_come_within_what_the_proxy_lets_through():
    assert settings.DATA_UPLOAD_MAX_MEMORY_SIZE > profiles.MOST_MEGABYTES * 1024 * 1024
