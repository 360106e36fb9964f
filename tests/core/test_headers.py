"""What every answer carries, and what no request may hold."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.factories import unshipped_order
from tests.pages import words


@pytest.fixture
def signed_in(client, alice):
    client.force_login(alice)
    return client


@pytest.mark.req("IMPL-11")
@pytest.mark.parametrize(
    "address",
    ["/login/", "/orders/", "/nowhere/", "/password-reset/", "/help/shortcuts/", "/health/live/"],
)
def test_every_answer_tells_the_browser_to_be_careful(signed_in, address):
    answer = signed_in.get(address)
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["Referrer-Policy"] == "same-origin"
    assert answer["Cross-Origin-Opener-Policy"] == "same-origin"
    assert answer["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "camera=()" in answer["Permissions-Policy"]
    rules = dict(rule.strip().partition(" ")[::2] for rule in _policy(answer).split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == rules["style-src"] == "'self'"
    assert rules["frame-ancestors"] == rules["base-uri"] == rules["object-src"] == "'none'"
    assert "unsafe" not in _policy(answer)


def _policy(answer) -> str:
    return answer["Content-Security-Policy"]


@pytest.mark.req("IMPL-11")
def test_pages_hold_no_inline_script_or_style(signed_in, shop):
    order = unshipped_order(shop)
    for address in ("/orders/", f"/orders/{order.number}/", "/login/", "/help/shortcuts/", "/x/"):
        html = signed_in.get(address).content.decode()
        assert "<style" not in html
        assert " style=" not in html
        assert " onclick=" not in html
        assert "javascript:" not in html
        assert all("src=" in tag for tag in html.split("<script")[1:])


@pytest.mark.req("IMPL-11")
def test_cookies_are_out_of_reach_of_scripts_and_other_sites(client, alice):
    client.get("/login/")
    client.post("/login/", {"login": alice.email, "password": "correct horse battery"})
    for name in ("sessionid", "csrftoken"):
        cookie = client.cookies[name]
        assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/")
        assert cookie["domain"] == ""


@pytest.mark.req("IMPL-26")
def test_each_answer_has_an_id_of_ours(client, db):
    first = client.get("/login/", headers={"X-Request-ID": "theirs"})
    second = client.get("/login/")
    assert len({first["X-Request-ID"], second["X-Request-ID"], "theirs"}) == 3


@pytest.mark.req("SEARCH-05", "IMPL-26")
@pytest.mark.parametrize(
    "address",
    [
        "/orders/?q=a%00b",
        "/orders/?q=%1b[31m",
        "/orders/?q=%ff%fe",
        "/orders/?q=%c0%af",  # an overlong slash
        "/orders/?q=%ed%a0%80",  # a lone surrogate
        "/orders/?q=%c2%85",
        "/orders/?%00=1",
        "/orders/%00/",
        "/orders/a%0ab/",
        "/orders/%ff/",
        "/orders/%c0%af/",
        "/orders/%ed%a0%80/",
    ],
)
def test_unreadable_addresses_get_a_page_that_says_so(signed_in, address):
    answer = signed_in.get(address)
    assert answer.status_code == 400
    assert "This address cannot be read" in words(answer)


@pytest.mark.parametrize("address", ["/orders/?q=caf%C3%A9+%F0%9F%99%82", "/orders/?q=a%09b"])
def test_readable_addresses_are_read(signed_in, address):
    assert signed_in.get(address).status_code == 200


def test_raw_bytes_that_are_no_text_are_refused_too(signed_in):
    answer = signed_in.get("/orders/", QUERY_STRING="q=\xff")
    assert answer.status_code == 400


@pytest.mark.req("IMPL-26")
@pytest.mark.parametrize("method", ["put", "delete", "patch", "options", "trace"])
def test_a_wrong_method_gets_a_page_in_the_frame(signed_in, method):
    answer = getattr(signed_in, method)("/orders/")
    assert (answer.status_code, answer["Allow"]) == (405, "GET, HEAD")
    assert "This page cannot do that" in words(answer)


@pytest.mark.req("IMPL-11")
def test_a_method_cannot_be_overridden(signed_in, order):
    headers = {"X-HTTP-Method-Override": "POST"}
    before = order.version
    signed_in.get(f"/orders/{order.number}/cancel/", headers=headers)
    order.refresh_from_db()
    assert (order.version, order.status) == (before, "unshipped")


@pytest.mark.req("IMPL-11")
@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "127.0.0.1:x", "a b"])
def test_a_forged_host_is_refused(db, host):
    assert Client().get("/login/", headers={"Host": host}).status_code == 400


def test_many_fields_are_refused(signed_in):
    answer = signed_in.post("/orders/preferences/", {f"f{n}": "1" for n in range(2100)})
    assert answer.status_code == 413
