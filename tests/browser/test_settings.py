"""Settings and people in a browser: axe, widths, targets, and the journeys with and without script."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from accounts.domain import invitations, letters, profiles
from accounts.models import Invitation, Merchant
from accounts.permissions import Preset
from core.actor import Actor
from tests.accounts.authenticator import code, turn_on
from tests.browser.test_accessibility import _violations
from tests.browser.test_looks import RUNS_OUT, TOO_SMALL, TOO_WIDE
from tests.factories import PASSWORD, MembershipFactory
from tests.pictures import png

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

LONG = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamter"


@pytest.fixture
def people(cast):
    """A member with a long name, an invitation, and one for a new person."""
    shop, alice = cast
    Merchant.objects.filter(pk=shop.pk).update(
        name=LONG, address_1=LONG * 2, notification_emails=[f"{'o' * 60}@shop.example"]
    )
    jo = MembershipFactory(
        merchant=shop,
        preset=Preset.FULFILMENT,
        user__name=LONG[:68],
        user__email=f"{'j' * 60}@shop.example",
    )
    by = Actor("form", alice.name, user_id=alice.pk, owner=True)
    written = dict.fromkeys(profiles.POLICIES, f"{LONG}\n\n<ul><li>One</li></ul>")
    profiles.change_policies(merchant_id=shop.pk, values=written, seen=0, by=by)
    profiles.change_logo(merchant_id=shop.pk, upload=png(1200, 200), seen=1, by=by)
    for email in (f"{'p' * 60}@shop.example", "pat@shop.example"):
        invitations.invite(merchant_id=shop.pk, email=email, preset=Preset.FINANCE, by=by)
    return jo


@pytest.fixture
def paths(people):
    key = letters.key_of_invitation(Invitation.objects.get(email="pat@shop.example"))
    blocks = ("business", "address", "contact", "notifications", "orders")
    return [
        "/settings/account/",
        *(f"/settings/account/{block}/" for block in blocks),
        "/settings/login/",
        *(
            f"/settings/login/{page}/"
            for page in ("name", "email", "password", "questions", "two-step")
        ),
        "/settings/permissions/",
        f"/settings/permissions/?member={people.pk}",
        f"/settings/permissions/remove/?member={people.pk}",
        *(f"/settings/policies/{page}" for page in ("", "texts/", "logo/")),
        "/settings/audit-trail/",
        "/sellers/harbour-hearth/",
        f"/invitation/{key}/",
        "/invitation/x/",
    ]


@pytest.mark.req("IMPL-23", "IMPL-24")
@pytest.mark.parametrize(
    ("width", "dark"), [(1440, False), (1440, True), (390, False), (390, True)]
)
def test_axe_finds_nothing_and_nothing_runs_out(open_page, paths, width, dark):
    page = open_page("/settings/account/", width=width, dark=dark)
    found = {}
    for path in paths:
        page.goto(path)
        problems = [*_violations(page), *page.evaluate(RUNS_OUT), *page.evaluate(TOO_SMALL)]
        if problems or page.evaluate(TOO_WIDE):
            found[path] = problems
    assert found == {}


@pytest.mark.req("IMPL-24")
@pytest.mark.parametrize("width", [320, 360, 720, 1024])
def test_no_page_scrolls_sideways(open_page, paths, width):
    page = open_page("/settings/account/", width=width)
    wide = []
    for path in paths:
        page.goto(path)
        if page.evaluate(TOO_WIDE):
            wide.append(path)
    assert wide == []


@pytest.mark.req("IMPL-23", "IMPL-25")
def test_axe_finds_nothing_on_forms_with_errors(open_page, people):
    page = open_page("/settings/account/business/")
    page.fill("#name", "")
    page.get_by_role("button", name="Save").click()
    assert page.locator("[data-error-summary]").evaluate("e => e === document.activeElement")
    assert _violations(page) == []
    page.goto("/settings/permissions/")
    page.get_by_role("button", name="Send invitation").click()
    assert page.get_by_text("Enter an e-mail address").first.is_visible()
    assert _violations(page) == []
    page.goto("/settings/login/two-step/")
    page.get_by_role("button", name="Turn on").click()
    assert _violations(page) == []


@pytest.mark.req("SETTINGS-04", "SD-09", "TH-23", "TECH-05")
@pytest.mark.parametrize("script", [True, False])
def test_a_second_step_is_set_up_and_used(open_page, cast, script):
    _shop, alice = cast
    page = open_page("/settings/login/", script=script)
    page.get_by_role("link", name="Set up").click()
    secret = page.locator(".secret").inner_text().replace(" ", "")
    page.fill("#code", code(secret=secret))
    page.fill("#current", PASSWORD)
    page.get_by_role("button", name="Turn on").click()
    shown = page.locator(".code-block").inner_text().split()
    assert len(shown) == 10
    if script:
        assert _violations(page) == []
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert download.value.suggested_filename == "recovery-codes.txt"
    assert Path(download.value.path()).read_text().split() == shown
    page.get_by_role("link", name="I have kept them").click()
    assert page.get_by_text("10 recovery codes are left").is_visible()

    other = open_page("/login/", user=None, script=script)
    other.fill("#login", alice.email)
    other.fill("#password", PASSWORD)
    other.get_by_role("button", name="Sign in").click()
    assert other.url.endswith("/login/second-step/")
    if script:
        assert _violations(other) == []
    other.fill("#code", shown[0])
    other.get_by_role("button", name="Sign in").click()
    assert other.locator("h1").first.is_visible()
    assert not re.search("/login/", other.url)


@pytest.mark.req("PERMISSION-01", "PERMISSION-02", "PERMISSION-05", "TECH-05")
@pytest.mark.parametrize("script", [True, False])
def test_a_person_is_invited_joins_is_changed_and_removed(open_page, cast, script):
    page = open_page("/settings/permissions/", script=script)
    page.fill("#invite-email", "new@shop.example")
    page.select_option("#invite-preset", "fulfilment")
    page.get_by_role("button", name="Send invitation").click()
    assert page.get_by_text("Invitation sent to new@shop.example").is_visible()

    key = letters.key_of_invitation(Invitation.objects.get(email="new@shop.example"))
    guest = open_page(f"/invitation/{key}/", user=None, script=script)
    guest.fill("#name", "Nia New")
    guest.fill("#password1", PASSWORD + "!")
    guest.fill("#password2", PASSWORD + "!")
    guest.get_by_role("button", name="Join").click()
    assert guest.locator("nav[aria-label=Main]").is_visible()

    page.goto("/settings/permissions/")
    page.get_by_role("link", name="Edit permissions of Nia New").click()
    page.select_option("#preset", "finance")
    page.get_by_role("button", name="Fill", exact=True).click()
    assert page.get_by_label("Bank information: View", exact=True).is_checked()
    page.get_by_label("Messages: View", exact=True).check()
    page.get_by_role("button", name="Save permissions").click()
    assert page.get_by_text("Finance, changed").is_visible()
    page.get_by_role("link", name="Remove Nia New").click()
    page.get_by_role("button", name="Remove").click()
    assert page.get_by_text("Nia New has no access any more").is_visible()
    guest.reload()
    assert guest.url.split("?")[0].endswith("/login/")


@pytest.mark.req("IMPL-23")
def test_the_second_step_can_be_read_by_phone_and_in_the_dark(open_page, cast):
    _shop, alice = cast
    turn_on(alice)
    page = open_page("/login/", user=None, width=390, dark=True)
    page.fill("#login", alice.email)
    page.fill("#password", PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    assert _violations(page) == []
    assert not page.evaluate(TOO_WIDE)


@pytest.mark.req("SETTINGS-13", "BUYER-06", "TECH-05", "IMPL-23")
@pytest.mark.parametrize("script", [True, False])
def test_policies_and_a_logo_are_published(open_page, cast, tmp_path, script):
    (tmp_path / "shop.png").write_bytes(png(300, 100))
    (tmp_path / "shop.svg").write_text("<svg/>")
    page = open_page("/settings/policies/", script=script)
    page.get_by_role("link", name="Edit Policies").click()
    page.fill("#returns", "Within <b>30 days</b>.<script>document.title = 'taken'</script>")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("link", name="Edit Logo").click()
    page.set_input_files("#logo", tmp_path / "shop.svg")
    page.get_by_role("button", name="Save").click()
    assert page.get_by_text("This file is no PNG or JPG picture").first.is_visible()
    if script:
        assert _violations(page) == []
    page.set_input_files("#logo", tmp_path / "shop.png")
    page.get_by_role("button", name="Save").click()
    assert page.get_by_text("Logo saved").is_visible()
    page.get_by_role("link", name="Seller profile").click()
    assert page.get_by_text("Within 30 days.").is_visible()
    assert page.title().startswith("Seller profile")
    drawn = page.get_by_role("img", name="Logo of Harbour & Hearth")
    assert drawn.evaluate("image => image.naturalWidth" if script else "image => image.width") > 0
