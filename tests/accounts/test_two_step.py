"""Two-step sign-in: setting it up, being asked, codes that count once, and turning it off."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from qrcode import QRCode

from accounts.domain import account_info, totp
from accounts.models import Grant, Merchant, RecoveryCode, SecondFactor, Session
from accounts.permissions import Level
from audit.models import Entry
from core import clock
from core.actor import Actor
from tests.accounts.authenticator import SECRET, code, turn_on
from tests.factories import PASSWORD, MembershipFactory
from tests.letters import told
from tests.outsiders import everything
from tests.pages import form_of, words

SET_UP = "/settings/login/two-step/"
OFF = "/settings/login/two-step/off/"
CODES = "/settings/login/two-step/recovery-codes/"
STEP = "/login/second-step/"
WRONG = "That code is not right, or it was used already."


@pytest.fixture
def signed_in(client, alice):
    client.force_login(alice)
    return client


def set_up(client, typed=None, **more):
    """Scan the picture's secret and answer with its code."""
    fields = form_of(client, SET_UP) | {"current": PASSWORD} | more
    secret = secret_on(client.get(SET_UP)) if typed is None else ""
    if typed is None:  # the secret of the very form that is sent
        page = client.get(SET_UP)
        secret = secret_on(page)
        fields["begun"] = begun_on(page)
        typed = code(secret=secret)
    return client.post(SET_UP, fields | {"code": typed} | more)


def secret_on(page) -> str:
    return re.search(r'<code class="secret">([A-Z2-7 ]+)</code>', page.content.decode())[1].replace(
        " ", ""
    )


def begun_on(page) -> str:
    return re.search(r'name="begun" value="([^"]+)"', page.content.decode())[1]


def codes_on(page) -> list[str]:
    return re.findall(r"^([0-9a-f]{8}(?:-[0-9a-f]{8}){3})$", text_of_codes(page), re.MULTILINE)


def text_of_codes(page) -> str:
    return re.search(r"<pre[^>]*>(.*?)</pre>", page.content.decode(), re.DOTALL)[1]


def sign_in(client, typed=None, **more):
    """The first step, and the second one if a code is given."""
    answer = client.post("/login/", {"login": "alice@shop.example", "password": PASSWORD} | more)
    return answer if typed is None else client.post(STEP, {"code": typed})


def is_in(client) -> bool:
    return client.get("/orders/").status_code == 200


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")],
)
def test_codes_are_those_of_the_standard(seconds, expected):
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"  # RFC 6238, appendix B
    assert totp.code_of(secret, seconds // 30) == expected


@pytest.mark.req("SETTINGS-04", "SD-09", "TH-23", "PERMISSION-07", "SETTINGS-17")
def test_setting_it_up_shows_ten_codes_once_and_asks_from_then_on(signed_in, alice, shop):
    old = signed_in.session.session_key
    page = signed_in.get(SET_UP)
    assert 'role="img"' in page.content.decode()
    answer = set_up(signed_in)
    assert answer.status_code == 200
    codes = codes_on(answer)
    assert len(set(codes)) == 10
    assert "%0A".join(codes) in answer.content.decode()  # the file to be downloaded
    assert "no-store" in answer["Cache-Control"]
    assert signed_in.session.session_key != old
    assert not Session.objects.filter(session_key=old).exists()
    assert signed_in.get(SET_UP)["Location"] == "/settings/login/"
    assert not any(each in signed_in.get("/settings/login/").content.decode() for each in codes)
    [entry] = Entry.objects.filter(event="member.two_step_on")
    assert (entry.merchant, entry.after) == (shop, {"user": alice.pk})
    assert told(alice.email) == ["Two-step sign-in was turned on."]
    answer = sign_in(Client())
    assert answer["Location"] == STEP


@pytest.mark.req("SD-18", "TH-23")
def test_neither_secret_nor_codes_lie_open_in_the_database(signed_in, alice):
    page = signed_in.get(SET_UP)
    secret, fields = secret_on(page), {"begun": begun_on(page), "current": PASSWORD}
    codes = codes_on(signed_in.post(SET_UP, fields | {"code": code(secret=secret)}))
    row = SecondFactor.objects.get(user=alice)
    digests = [bytes(each.digest) for each in row.recovery_codes.all()]
    assert secret not in row.secret
    assert {len(digest) for digest in digests} == {32}
    assert not any(each.replace("-", "").encode() in b"".join(digests) for each in codes)
    stored = " ".join(Session.objects.values_list("session_data", flat=True))
    assert secret not in stored


@pytest.mark.req("SETTINGS-04", "TH-23", "IMPL-25")
@pytest.mark.parametrize(
    ("typed", "changes", "message"),
    [
        ("000000", {}, "That code is not right. Enter the code that the app shows now."),
        ("", {}, "Enter the code that the app shows"),
        (None, {"current": "wrong"}, "The current password is not right."),
        (None, {"current": ""}, "Enter your current password"),
        (None, {"begun": "altered"}, "This page was open too long."),
    ],
)
def test_it_is_on_only_with_the_right_code_and_password(signed_in, alice, typed, changes, message):
    before = everything()
    answer = set_up(signed_in, typed, **changes)
    assert (answer.status_code, message in words(answer)) == (422, True)
    assert everything() == before


@pytest.mark.req("TH-23")
def test_a_secret_made_for_another_person_or_long_ago_is_refused(signed_in, shop):
    other = Client()
    other.force_login(MembershipFactory(merchant=shop).user)
    page = other.get(SET_UP)
    fields = {"begun": begun_on(page), "code": code(secret=secret_on(page)), "current": PASSWORD}
    answer = signed_in.post(SET_UP, fields)
    assert (answer.status_code, "open too long" in words(answer)) == (422, True)
    assert not SecondFactor.objects.exists()


@pytest.mark.req("SD-09", "TH-23", "TH-25", "IMPL-12")
def test_the_session_begins_after_the_second_step_under_a_new_key(client, alice):
    turn_on(alice)
    assert sign_in(client, next="/orders/?status=all")["Location"] == STEP
    assert not is_in(client)
    between = client.session.session_key
    page = client.get(STEP)
    assert "Two-step sign-in" in words(page)
    answer = client.post(STEP, {"code": code()})
    assert (answer.status_code, answer["Location"]) == (302, "/orders/?status=all")
    assert client.session.session_key != between
    assert is_in(client)


@pytest.mark.req("SD-09")
def test_without_the_first_step_there_is_no_second(client, alice):
    turn_on(alice)
    for answer in (client.get(STEP), client.post(STEP, {"code": code()})):
        assert (answer.status_code, answer["Location"]) == (302, "/login/")
    assert not is_in(client)


@pytest.mark.req("TH-23", "BI-ACC")
def test_a_code_counts_once(client, alice):
    turn_on(alice)
    at = clock.now()
    with clock.stopped(at):
        assert sign_in(client, code(at)).status_code == 302
        again = sign_in(Client(), code(at))
    assert (again.status_code, WRONG in words(again)) == (422, True)


@pytest.mark.req("TH-23", "SD-09", "BI-ACC")
@pytest.mark.parametrize(("steps", "tolerance", "status"), [
    (-1, 0, 422), (1, 0, 422), (0, 0, 302), (-1, 1, 302), (-2, 1, 422), (1, 1, 422),
])  # fmt: skip
def test_codes_of_other_times_do_not_count(client, alice, settings, steps, tolerance, status):
    settings.TOTP_TOLERANCE_STEPS = tolerance
    turn_on(alice)
    at = clock.now()
    with clock.stopped(at):
        assert sign_in(client, code(at, steps)).status_code == status


@pytest.mark.req("TH-23")
def test_with_a_step_of_tolerance_an_older_code_is_used_up_too(client, alice, settings):
    settings.TOTP_TOLERANCE_STEPS = 1
    turn_on(alice)
    at = clock.now()
    with clock.stopped(at):
        assert sign_in(client, code(at)).status_code == 302
        assert sign_in(Client(), code(at, -1)).status_code == 422


@pytest.mark.req("BI-ACC", "IMPL-25")
@pytest.mark.parametrize(
    "typed",
    ["", "   ", "12345", "1234567", "１２３４５６", "abcdef", "-12345", "12.456", "0x1234", "' OR 1=1 --",
     "<script>alert(1)</script>", "x" * 61, "\u0661\u0662\u0663\u0664\u0665\u0666", "null"],
)  # fmt: skip
def test_what_is_no_code_is_refused(client, alice, typed):
    turn_on(alice)
    answer = sign_in(client, typed)
    assert answer.status_code == 422
    assert "<script>alert" not in answer.content.decode()
    assert not is_in(client)


@pytest.mark.req("BI-ACC")
def test_blanks_within_a_code_do_not_matter(client, alice):
    turn_on(alice)
    typed = code()
    assert sign_in(client, f" {typed[:3]} {typed[3:]} ").status_code == 302


@pytest.mark.req("TH-23", "BI-ACC", "IMPL-12")
def test_five_wrong_codes_then_each_must_wait_wherever_it_comes_from(client, alice):
    turn_on(alice)
    now = clock.now()
    with clock.stopped(now):
        sign_in(client)
        answers = [client.post(STEP, {"code": "000000"}) for _ in range(5)]
        assert [answer.status_code for answer in answers] == [422] * 5
        assert "Wait 1 minute, then try again." in words(answers[-1])
        elsewhere = Client(REMOTE_ADDR="203.0.113.9")
        answer = sign_in(elsewhere, code(now))
        assert (answer.status_code, answer["Retry-After"]) == (429, "60")
        assert not is_in(elsewhere)
    with clock.stopped(now + timedelta(minutes=1)):
        assert client.post(STEP, {"code": code(now, 2)}).status_code == 302
        assert [sign_in(Client(), "000000").status_code for _ in range(4)] == [422] * 4


@pytest.mark.req("TH-23", "BI-ACC")
def test_a_thousand_guesses_get_few_tries(client, alice):
    turn_on(alice)
    now = clock.now()
    with clock.stopped(now):
        sign_in(client)
        codes = [client.post(STEP, {"code": "000000"}).status_code for _ in range(1000)]
    assert codes == [422] * 5 + [429] * 995


@pytest.mark.req("TH-23", "N28")
def test_a_recovery_code_stands_for_a_code_once(client, alice):
    first, second, *_others = turn_on(alice)
    assert sign_in(client, first.upper().replace("-", " ")).status_code == 302
    again = sign_in(Client(), first)
    assert (again.status_code, WRONG in words(again)) == (422, True)
    assert sign_in(Client(), second).status_code == 302
    assert "8 recovery codes are left" in words(client.get("/settings/login/"))
    assert told(alice.email).count("A recovery code was used instead of a code of your app.") == 2


@pytest.mark.req("TH-23")
def test_a_recovery_code_is_of_one_person(client, alice, bob):
    turn_on(alice)
    [code_of_bob, *_others] = turn_on(bob)
    assert sign_in(client, code_of_bob).status_code == 422
    assert RecoveryCode.objects.filter(used_at=None).count() == 20


@pytest.mark.req("TH-23", "SETTINGS-04")
def test_new_recovery_codes_replace_the_old_ones(signed_in, alice):
    [old, *_others] = turn_on(alice)
    answer = signed_in.post(CODES, {"current": PASSWORD, "code": code()})
    [new, *_more] = codes_on(answer)
    assert SecondFactor.objects.get().recovery_codes.count() == 10
    assert sign_in(Client(), old).status_code == 422
    assert sign_in(Client(), new).status_code == 302


@pytest.mark.req("TH-23", "SETTINGS-04", "N28")
@pytest.mark.parametrize("address", [OFF, CODES])
@pytest.mark.parametrize(
    ("current", "typed", "message"),
    [
        ("wrong", None, "The current password is not right."),
        (PASSWORD, "000000", WRONG),
        ("", None, "Enter your current password"),
        (PASSWORD, "", "Enter a code"),
    ],
)
def test_a_thief_of_the_session_cannot_take_it_away(
    signed_in, alice, address, current, typed, message
):
    turn_on(alice)
    before = everything()
    fields = {"current": current, "code": code() if typed is None else typed}
    answer = signed_in.post(address, fields)
    assert (answer.status_code, message in words(answer)) == (422, True)
    assert everything() == before


@pytest.mark.req("TH-23", "SETTINGS-04", "N28")
def test_with_password_and_code_it_is_turned_off(signed_in, alice):
    turn_on(alice)
    assert "Turn off two-step sign-in" in words(signed_in.get(OFF))
    answer = signed_in.post(OFF, {"current": PASSWORD, "code": code()})
    assert answer["Location"] == "/settings/login/"
    assert not SecondFactor.objects.exists()
    assert not RecoveryCode.objects.exists()
    assert told(alice.email)[-1] == "Two-step sign-in was turned off."
    assert sign_in(Client())["Location"] == "/home/"


@pytest.mark.req("TH-23")
def test_a_lost_app_is_turned_off_with_a_recovery_code(signed_in, alice):
    [first, *_others] = turn_on(alice)
    assert signed_in.post(OFF, {"current": PASSWORD, "code": first}).status_code == 302
    assert not SecondFactor.objects.exists()


@pytest.mark.req("TH-22", "TH-23")
def test_guesses_at_the_current_password_are_counted(signed_in, alice):
    turn_on(alice)
    with clock.stopped(clock.now()):
        answers = [signed_in.post(OFF, {"current": "wrong", "code": "1"}) for _ in range(6)]
        assert [answer.status_code for answer in answers] == [422] * 5 + [429]
        right = signed_in.post(OFF, {"current": PASSWORD, "code": code(clock.now())})
    assert (right.status_code, right["Retry-After"]) == (429, "60")
    assert SecondFactor.objects.exists()


@pytest.mark.req("IMPL-22", "TH-09")
def test_neither_codes_nor_secrets_come_into_the_log(client, alice, caplog):
    [first, *_others] = turn_on(alice)
    with caplog.at_level("DEBUG"):
        sign_in(client, "000000")
        client.post(STEP, {"code": first})
    assert is_in(client)
    assert first not in caplog.text
    assert SECRET not in caplog.text


def test_nothing_to_turn_off_leads_back(signed_in):
    assert signed_in.get(OFF)["Location"] == "/settings/login/"
    assert signed_in.get(CODES)["Location"] == SET_UP


@pytest.mark.req("SETTINGS-04")
def test_the_picture_tells_the_app_secret_name_and_site(signed_in, alice, settings):
    """Each dark square of the picture is one of the code for exactly this address."""
    settings.SITE_NAME = "Docket & Co"
    html = signed_in.get(SET_UP).content.decode()
    secret = re.search(r'class="secret">([A-Z2-7 ]+)<', html)[1].replace(" ", "")
    address = (
        f"otpauth://totp/Docket%20%26%20Co%3Aalice%40shop.example?secret={secret}"
        "&issuer=Docket%20%26%20Co&digits=6&period=30"
    )
    code_of_address = QRCode(border=4)
    code_of_address.add_data(address)
    matrix = code_of_address.get_matrix()
    path = re.search(r'class="qr__ink" d="([^"]+)"', html)[1]
    drawn = {(int(x), int(y)) for x, y in re.findall(r"M(\d+) (\d+)h1v1h-1z", path)}
    assert drawn == {(x, y) for y, row in enumerate(matrix) for x, dark in enumerate(row) if dark}
    assert f'viewBox="0 0 {len(matrix)} {len(matrix)}"' in html


@pytest.mark.req("SD-09", "TH-23")
def test_an_owner_asks_everybody_of_the_account_for_a_second_step(client, alice, shop):
    """SD-09: whoever has none sets it up before the next page opens."""
    member = MembershipFactory(merchant=shop)
    client.force_login(member.user)
    assert client.get("/home/").status_code == 200
    by = Actor("form", "Alice", user_id=alice.pk, owner=True)
    wanted = {"second_step_required": True}
    account_info.change(merchant_id=shop.pk, values=wanted, seen=shop.version, by=by)

    answer = client.get("/home/", follow=True)

    assert answer.redirect_chain == [("/settings/login/two-step/", 302)]
    assert "An owner of this account asks everybody for a second step." in words(answer)
    page = client.get("/settings/login/two-step/")
    assert set_up(client).status_code == 200, page
    assert client.get("/home/").status_code == 200


@pytest.mark.req("SD-09")
def test_a_session_without_the_second_step_signs_in_again_when_all_need_it(client, alice, shop):
    turn_on(alice)
    client.force_login(alice)
    assert client.get("/home/").status_code == 200
    Merchant.objects.filter(pk=shop.pk).update(second_step_required=True)
    assert client.get("/home/")["Location"] == "/login/?next=/home/"


@pytest.mark.req("SD-09", "PERMISSION-03")
def test_only_an_owner_decides_how_everybody_signs_in(client, shop):
    member = MembershipFactory(merchant=shop)
    Grant.objects.filter(membership=member, function="account_info").update(level=Level.EDIT)
    client.force_login(member.user)
    address = "/settings/account/security/"
    answer = client.post(address, form_of(client, address) | {"second_step_required": "on"})
    assert answer.status_code == 403
    assert "Only an owner decides how everybody signs in" in words(answer)
    assert not Merchant.objects.get(pk=shop.pk).second_step_required
