"""Error pages in the frame: calm, without detail, and there even when the database is not."""

from __future__ import annotations

import threading

import pytest
from django.db import InterfaceError, OperationalError, connection, connections, transaction
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.urls import path

from core.views import errors
from orders.models import Order
from sellercentral import urls
from tests.factories import MembershipFactory, unshipped_order
from tests.pages import form_of, words

handler400, handler403 = urls.handler400, urls.handler403
handler404, handler500 = urls.handler404, urls.handler500


def broken(request):
    raise RuntimeError("secret: hunter2")


def away(request):
    raise OperationalError("could not connect to server: host db.internal")


def unplugged(request):
    raise InterfaceError("connection already closed")


def slow(request):
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 50; SELECT pg_sleep(5)")
    return HttpResponse()


urlpatterns = [
    path("broken/", broken),
    path("away/", away),
    path("unplugged/", unplugged),
    path("slow/", slow),
    *urls.urlpatterns,
]


@pytest.fixture
def calm(client):
    """A client that gets the error page, as a browser does."""
    client.raise_request_exception = False
    return client


@pytest.mark.req("IMPL-26")
@pytest.mark.urls("tests.core.test_error_pages")
def test_a_broken_page_shows_a_reference_that_is_in_the_log(calm, alice, caplog):
    calm.force_login(alice)
    answer = calm.get("/broken/")
    assert answer.status_code == 500
    assert "Something went wrong" in words(answer)
    assert "hunter2" not in answer.content.decode()
    assert "Traceback" not in answer.content.decode()
    [reference] = [getattr(r, "reference", "") for r in caplog.records if r.name == errors.__name__]
    assert reference == answer["X-Request-ID"]
    assert reference in words(answer)


@pytest.mark.req("IMPL-26")
@pytest.mark.urls("tests.core.test_error_pages")
@pytest.mark.parametrize("address", ["/away/", "/unplugged/", "/slow/"])
def test_a_database_that_does_not_answer_gets_a_calm_page(calm, alice, address):
    calm.force_login(alice)
    answer = calm.get(address)
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert "The system is busy" in words(answer)
    assert "db.internal" not in answer.content.decode()


@pytest.mark.req("IMPL-26")
@pytest.mark.urls("tests.core.test_error_pages")
def test_what_was_typed_can_be_sent_again_but_no_password(calm, alice):
    calm.force_login(alice)
    answer = calm.post("/away/", {"token": "t-1", "memo": '<b>"5"', "merchant": "7"})
    assert answer.status_code == 503
    html = answer.content.decode()
    assert '<input type="hidden" name="token" value="t-1">' in html
    assert "&lt;b&gt;&quot;5&quot;" in html
    assert 'action="/away/"' in html
    answer = calm.post("/away/", {"login": "alice@shop.example", "password": "hunter2"})
    assert "hunter2" not in answer.content.decode()
    assert "alice@shop.example" not in answer.content.decode()


@pytest.mark.req("IMPL-26")
def test_the_page_comes_when_not_even_the_session_can_be_read(calm, alice):
    """The whole request fails before any view; the page is made without the database."""
    calm.force_login(alice)
    with connection.cursor() as cursor, transaction.atomic():
        cursor.execute("ALTER TABLE accounts_session RENAME TO away")
        answer = calm.get("/orders/")
        transaction.set_rollback(True)
    assert answer.status_code == 500
    assert "Something went wrong" in words(answer)


@pytest.mark.req("IMPL-26", "IMPL-02")
@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_a_row_that_stays_locked_gets_a_calm_page_and_changes_nothing():
    owner = MembershipFactory(is_owner=True)
    order = unshipped_order(owner.merchant)
    client = Client()
    client.force_login(owner.user)
    address = f"/orders/{order.number}/cancel/"
    fields = form_of(client, address) | {"reason": "NoInventory"}
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            Order.objects.select_for_update().get(pk=order.pk)
            held.set()
            done.wait(20)
        connections.close_all()

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(10)
    try:
        answer = client.post(address, fields)
    finally:
        done.set()
        thread.join()
    assert answer.status_code == 503
    assert "Nothing was changed. Try again in a moment." in words(answer)
    order.refresh_from_db()
    assert order.status == "unshipped"
    assert client.post(address, fields).status_code == 302  # sent again, as it was
    order.refresh_from_db()
    assert order.status == "cancelled"


@pytest.mark.req("IMPL-26")
def test_not_found_stands_in_the_members_own_frame(client, alice):
    client.force_login(alice)
    answer = client.get("/nowhere/")
    assert answer.status_code == 404
    page = answer.content.decode()
    assert "<h1>Page not found</h1>" in page
    assert "<title>Page not found – Harbour &amp; Hearth – Seller Central</title>" in page
    assert '<a class="btn btn--primary" href="/orders/">Manage Orders</a>' in page
    assert "Sign out" in page


@pytest.mark.req("IMPL-26")
def test_not_found_for_a_stranger_says_as_little(client, db):
    answer = client.get("/nowhere/")
    assert answer.status_code == 404
    assert "Sign out" not in answer.content.decode()
    assert "<title>Page not found – Seller Central</title>" in answer.content.decode()


@pytest.mark.req("IMPL-26")
def test_the_api_answers_in_its_own_shape(client, db):
    answer = client.get("/api/v1/nowhere/")
    assert answer.status_code == 404
    assert answer.json()["code"] == "NOT_FOUND"
    assert set(answer.json()) == {"code", "message", "field", "facts", "remedy"}


def test_a_fault_of_our_own_is_not_called_busy():
    for code, told in (("23505", ""), ("42P01", ""), ("55P03", "55P03"), ("57P01", "57P01")):
        cause = type("Cause", (Exception,), {"pgcode": code})()
        error = OperationalError("x")
        error.__cause__ = cause
        assert errors.trouble_of(error) == told
    assert errors.trouble_of(OperationalError("x")) == "away"


def test_the_page_for_busy_keeps_no_files_and_no_endless_forms():
    request = RequestFactory().post("/x/", {f"f{n}": "1" for n in range(300)})
    assert errors._posted(request) == []
    assert errors._posted(RequestFactory().get("/x/?a=1")) == []
