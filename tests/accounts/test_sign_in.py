"""Signing in: the way back, one message for every mistake, and tries that are counted."""

from __future__ import annotations

import logging
import threading
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import connections
from django.test import Client
from django.utils import timezone

from accounts.models import Membership, Session
from core import breaker, clock, throttle
from tests.factories import PASSWORD, MembershipFactory, MerchantFactory
from tests.pages import form_of, words

WRONG = "E-mail or password is not right."


def sign_in(client, email="alice@shop.example", password=PASSWORD, **more):
    data = {"login": email, "password": password} | more.pop("data", {})
    return client.post("/login/", data, **more)


def is_in(client) -> bool:
    return client.get("/orders/").status_code == 200


@pytest.mark.req("NAV-04", "IMPL-28")
def test_a_stranger_signs_in_and_returns_to_the_wanted_page(client, alice):
    wanted = "/orders/?status=shipped&range=30d"
    answer = client.get(wanted)
    assert answer.status_code == 302
    assert answer["Location"] == "/login/?next=/orders/%3Fstatus%3Dshipped%26range%3D30d"
    fields = form_of(client, answer["Location"], "/login/")
    assert fields["next"] == wanted
    answer = sign_in(client, data={"next": fields["next"]})
    assert (answer.status_code, answer["Location"]) == (302, wanted)


@pytest.mark.req("NAV-04")
def test_a_fragment_of_a_stranger_leads_the_whole_page_to_sign_in(client, db):
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/orders/?range=7d"}
    answer = client.get("/orders/?range=30d", headers=headers)
    assert answer["HX-Redirect"] == "/login/?next=/orders/%3Frange%3D7d"


@pytest.mark.req("NAV-04", "IMPL-11")
@pytest.mark.parametrize("where", ["http://[", "//evil.example/x", "http://evil.example/orders/"])
def test_a_fragment_of_no_page_of_ours_leads_to_itself(client, db, where):
    headers = {"HX-Request": "true", "HX-Current-URL": where}
    answer = client.get("/orders/?range=30d", headers=headers)
    assert answer["HX-Redirect"] == "/login/?next=/orders/%3Frange%3D30d"


@pytest.mark.req("IMPL-11")
@pytest.mark.parametrize(
    "elsewhere",
    [
        "//evil.example",
        "https://evil.example/",
        "http:evil.example",
        "http:///evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "javascript:alert(1)",
        "data:text/html,x",
        " //evil.example",
        "https:/\\evil.example",
        "evil.example@testserver://x",
        "http://testserver@evil.example",
        "//testserver.evil.example",
        "http://testserver.evil.example/",
    ],
)
def test_next_never_leads_elsewhere(client, alice, elsewhere):
    answer = sign_in(client, data={"next": elsewhere})
    assert (answer.status_code, answer["Location"]) == (302, "/home/")


@pytest.mark.req("IMPL-12", "IMPL-25")
@pytest.mark.parametrize(
    ("email", "password"),
    [("alice@shop.example", "wrong"), ("nobody@shop.example", PASSWORD)],
)
def test_one_message_for_a_wrong_address_and_a_wrong_password(client, alice, email, password):
    answer = sign_in(client, email, password)
    assert answer.status_code == 422
    assert WRONG in words(answer)
    assert "<title>Error: Sign in" in answer.content.decode()
    assert form_of(client, "/login/") | {"login": ""} == {"login": "", "password": ""}
    assert not is_in(client)


@pytest.mark.req("IMPL-25")
def test_empty_fields_are_named(client, db):
    answer = sign_in(client, "", "")
    assert answer.status_code == 422
    assert "Enter your e-mail address" in words(answer)
    assert "Enter your password" in words(answer)
    page = answer.content.decode()
    assert 'aria-describedby="login-error"' in page
    assert 'id="login-error"' in page


@pytest.mark.req("IMPL-12")
def test_somebody_switched_off_is_refused_like_a_wrong_password(client, alice):
    alice.is_active = False
    alice.save()
    assert WRONG in words(sign_in(client))
    assert not is_in(client)


@pytest.mark.req("IMPL-12")
def test_a_letters_case_does_not_matter_in_the_address(client, alice):
    assert sign_in(client, "ALICE@Shop.Example").status_code == 302


@pytest.mark.req("IMPL-12", "IMPL-30")
def test_after_five_failures_each_try_waits_longer(client, alice):
    """1, 2, 4, 8 and at last 15 minutes; the right password waits as well, then passes."""
    now = clock.now()
    for number in range(1, 6):
        with clock.stopped(now):
            answer = sign_in(client, password="wrong")
        assert answer.status_code == 422
        assert ("Wait 1 minute, then try again." in words(answer)) == (number == 5)
    for minutes, told in ((1, "1 minute"), (2, "2 minutes"), (4, "4 minutes"), (8, "8 minutes")):
        with clock.stopped(now):
            answer = sign_in(client)
        assert (answer.status_code, answer["Retry-After"]) == (429, str(minutes * 60))
        assert f"Wait {told}, then try again." in words(answer)
        assert WRONG not in words(answer)
        now += timedelta(minutes=minutes)
        with clock.stopped(now):
            assert sign_in(client, password="wrong").status_code == 422
    for _ in range(2):
        with clock.stopped(now):
            assert sign_in(client)["Retry-After"] == "900"
        now += timedelta(minutes=15)
        with clock.stopped(now):
            assert sign_in(client, password="wrong").status_code == 422
    now += timedelta(minutes=15)
    with clock.stopped(now):
        assert sign_in(client).status_code == 302
        client.logout()
        for _ in range(4):  # forgotten: five are free again
            assert "Wait" not in words(sign_in(client, password="wrong"))


@pytest.mark.req("IMPL-12")
def test_failures_elsewhere_do_not_lock_the_owner_out(client, alice):
    attacker = Client(REMOTE_ADDR="203.0.113.9")
    for _ in range(8):
        sign_in(attacker, password="wrong")
    assert sign_in(attacker).status_code == 429
    assert sign_in(client).status_code == 302


@pytest.mark.req("IMPL-12")
def test_a_forged_header_is_not_another_address(client, alice):
    for number in range(6):
        answer = sign_in(client, password="wrong", headers={"X-Forwarded-For": f"10.0.0.{number}"})
    assert answer.status_code == 429


@pytest.mark.req("IMPL-30")
def test_an_address_has_a_hundred_tries_an_hour(client, db):
    with clock.stopped(clock.now().replace(minute=30)):
        codes = [sign_in(client, f"{n}@shop.example", "wrong").status_code for n in range(101)]
    assert codes == [422] * 100 + [429]


@pytest.mark.race
@pytest.mark.req("IMPL-12")
@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_tries_at_the_same_instant_do_not_slip_by():
    """Of 24 wrong passwords at once exactly five are looked at."""
    codes: list[int] = []
    gate = threading.Barrier(24)

    def guess() -> None:
        gate.wait()
        codes.append(sign_in(Client(), password="wrong").status_code)
        connections.close_all()

    threads = [threading.Thread(target=guess) for _ in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == [422] * 5 + [429] * 19


@pytest.mark.req("IMPL-12", "IMPL-30")
def test_without_redis_the_limit_is_stricter_and_nobody_is_signed_out(client, alice, settings):
    settings.CACHES = {
        "default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/0"}
    }
    throttle._redis.cache_clear()
    try:
        assert sign_in(client).status_code == 302
        assert is_in(client)
        assert breaker.redis.is_open
        codes = [sign_in(Client(), password="wrong").status_code for _ in range(4)]
        assert codes == [422, 422, 429, 429]
    finally:
        breaker.redis.reset()
        throttle._redis.cache_clear()


@pytest.mark.req("IMPL-12")
def test_a_new_session_key_at_sign_in_and_at_the_switch(client, alice):
    client.get("/login/")
    client.cookies["sessionid"] = "fixedbysomebodyelse0000000000000"
    sign_in(client)
    first = client.cookies["sessionid"].value
    assert first != "fixedbysomebodyelse0000000000000"
    other = MembershipFactory(user=alice, is_owner=True).merchant
    client.post("/account/switch/", {"to": other.slug})
    assert client.cookies["sessionid"].value != first
    assert not Session.objects.filter(session_key=first).exists()


@pytest.mark.req("IMPL-12")
def test_a_sign_in_ends_after_twelve_idle_hours_and_after_a_week(client, alice):
    sign_in(client)
    stored = Session.objects.get()
    assert stored.expire_date - timezone.now() == pytest.approx(
        timedelta(hours=12), abs=timedelta(minutes=1)
    )
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    assert client.get("/orders/").status_code == 302
    sign_in(client)
    session = client.session
    session["started"] = (timezone.now() - timedelta(days=7, seconds=1)).timestamp()
    session.save()
    assert client.get("/orders/")["Location"] == "/login/?next=/orders/"


@pytest.mark.req("IMPL-12")
def test_use_keeps_a_sign_in_alive(client, alice):
    sign_in(client)
    session = client.session
    session["seen"] = (timezone.now() - timedelta(hours=6)).timestamp()
    session.save()
    Session.objects.update(expire_date=timezone.now() + timedelta(hours=6))
    assert is_in(client)
    assert Session.objects.get().expire_date > timezone.now() + timedelta(hours=11, minutes=58)


@pytest.mark.req("IMPL-12")
def test_keeping_signed_in_is_a_choice(client, alice):
    sign_in(client)
    assert client.cookies["sessionid"]["max-age"] == ""
    client.logout()
    sign_in(client, data={"remember": "on"})
    assert client.cookies["sessionid"]["max-age"] == 12 * 3600


@pytest.mark.req("IMPL-12")
def test_an_emptied_cache_signs_nobody_out(client, alice):
    sign_in(client)
    cache.clear()
    assert is_in(client)


@pytest.mark.req("IMPL-11")
def test_signing_out_takes_a_form_with_a_token(alice):
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    assert client.post("/logout/").status_code == 403
    assert client.get("/logout/").status_code == 200
    assert is_in(client)
    token = client.cookies["csrftoken"].value
    assert client.post("/logout/", {"csrfmiddlewaretoken": token}).status_code == 302
    assert not is_in(client)


@pytest.mark.req("IMPL-11")
def test_sign_in_takes_a_token(alice):
    client = Client(enforce_csrf_checks=True)
    answer = sign_in(client)
    assert answer.status_code == 403
    assert "This form cannot be accepted" in words(answer)


@pytest.mark.req("IMPL-22", "IMPL-12")
def test_every_try_is_logged_without_personal_data(client, alice, caplog):
    with caplog.at_level(logging.INFO, logger="security"):
        sign_in(client, password="wrong")
        sign_in(client)
        client.post("/logout/")
    told = [(line.name, line.getMessage(), getattr(line, "user", None)) for line in caplog.records]
    assert [line for line in told if line[0] == "security"] == [
        ("security", "sign_in.failed", None),
        ("security", "sign_in.succeeded", alice.pk),
        ("security", "sign_out", alice.pk),
    ]
    assert "alice" not in caplog.text.lower()
    assert PASSWORD not in caplog.text


@pytest.mark.req("PERMISSION-06", "IMPL-03")
def test_switching_account_shows_only_the_chosen_one(client, alice, charlie):
    second = MerchantFactory(name="Second Shop Ltd", slug="second")
    MembershipFactory(user=alice, merchant=second, is_owner=True)
    client.force_login(alice)
    page = words(client.get("/orders/"))
    assert "Switch to Second Shop" in page
    assert "Switch to Other Shop" not in page
    answer = client.post("/account/switch/", {"to": "second"}, follow=True)
    assert answer.redirect_chain[-1] == ("/home/", 302)
    assert answer.wsgi_request.member.merchant == second
    assert "Switch to Harbour & Hearth" in words(answer)
    client.post("/account/switch/", {"to": "other-shop"})  # not hers
    assert client.get("/orders/").wsgi_request.member.merchant == second


@pytest.mark.req("PERMISSION-05")
def test_a_removed_member_is_refused_with_the_next_request(client, bob):
    client.force_login(bob)
    assert is_in(client)
    Membership.objects.filter(user=bob).update(removed_at=timezone.now())
    answer = client.get("/orders/")
    assert answer.status_code == 403
    assert "You belong to no account." in words(answer)
