"""Sent mail on a page, where people try things out."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
from django.core.checks import run_checks
from django.urls import clear_url_caches

from notifications.checks import letters_are_not_copied_on_a_server
from notifications.models import LetterCopy
from orders.domain import buyer_links
from sellercentral import urls
from tests.factories import MembershipFactory, cancelled_order, shipped_order, unshipped_order
from tests.pages import words


@pytest.mark.req("NOTIF-01", "TECH-03")
def test_sent_mail_is_listed_newest_first_and_read_as_plain_text(client, alice, shop, send):
    order = shipped_order(shop)
    send()
    client.force_login(alice)
    page = client.get("/mail/")
    rows = LetterCopy.objects.order_by("-pk")
    subjects = [row.subject for row in rows]
    assert len(subjects) == 3
    text = words(page)
    assert [text.index(subject) for subject in subjects] == sorted(
        text.index(subject) for subject in subjects
    )
    assert order.number in text
    letter = client.get(f"/mail/{rows[0].pk}/")
    assert rows[0].body.split("\n")[0] in words(letter)
    link = buyer_links.link_for(order)
    assert f'href="{link}"' in letter.content.decode()
    assert '<a href="/mail/">' in client.get("/orders/").content.decode()


@pytest.mark.req("NOTIF-01", "REFUND-11")
def test_what_somebody_wrote_is_no_markup_here(client, alice, shop, send):
    unshipped_order(shop, title="<script>alert(1)</script>")
    send()
    client.force_login(alice)
    for row in LetterCopy.objects.all():
        page = client.get(f"/mail/{row.pk}/").content.decode()
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


@pytest.mark.req("IMPL-03", "INV-16", "NOTIF-01")
def test_mail_of_another_merchant_does_not_exist(client, charlie, shop, send):
    unshipped_order(shop)
    send()
    client.force_login(charlie)
    assert "No mail has left yet" in words(client.get("/mail/"))
    for row in LetterCopy.objects.all():
        assert client.get(f"/mail/{row.pk}/").status_code == 404
    assert client.get("/mail/999999999999999999/").status_code == 404


@pytest.mark.req("PERMISSION-02")
def test_who_may_not_see_orders_may_not_read_mail(client, shop, send):
    member = MembershipFactory(merchant=shop)
    member.grants.all().delete()
    client.force_login(member.user)
    assert client.get("/mail/").status_code == 403
    assert client.get("/mail/1/").status_code == 403


def test_a_long_list_goes_page_by_page(client, alice, shop, send, monkeypatch):
    monkeypatch.setattr("notifications.views.mail.PAGE", 2)
    for _ in range(2):
        unshipped_order(shop)
    send()
    client.force_login(alice)
    first = client.get("/mail/")
    oldest = LetterCopy.objects.order_by("-pk")[1].pk
    assert f"/mail/?before={oldest}" in first.content.decode()
    second = client.get(f"/mail/?before={oldest}")
    assert "Older" not in words(second)
    assert "Newest" in words(second)
    for nonsense in ("x", "-1", "٣", "9" * 40, ""):
        assert client.get("/mail/", {"before": nonsense}).status_code == 200


@pytest.mark.req("IMPL-18")
@pytest.mark.parametrize("orders", [1, 3])
def test_query_budget(client, alice, shop, send, orders, django_assert_num_queries):
    for _ in range(orders):
        cancelled_order(shop)
    send()
    client.force_login(alice)
    client.get("/mail/")
    with django_assert_num_queries(3):  # session and user, membership, letters
        client.get("/mail/")


def test_without_a_mail_server_copies_lie_where_the_readme_says(settings):
    folder = Path(settings.EMAIL_FILE_PATH)
    assert (folder, folder.is_absolute()) == (settings.BASE_DIR / ".runtime" / "mail", True)


@pytest.mark.req("PENDING-04", "INV-17")
def test_a_server_that_trades_has_no_mail_viewer(settings):
    assert [each for each in run_checks() if each.id == "notifications.E001"] == []
    settings.SANDBOX_SIGN_INS = False
    assert [each.id for each in letters_are_not_copied_on_a_server()] == ["notifications.E001"]
    settings.MAIL_VIEWER = False
    assert letters_are_not_copied_on_a_server() == []
    try:
        clear_url_caches()
        found = {str(each.pattern) for each in importlib.reload(urls).urlpatterns}
        assert "mail/" not in found
    finally:
        settings.MAIL_VIEWER = True
        importlib.reload(urls)
        clear_url_caches()
