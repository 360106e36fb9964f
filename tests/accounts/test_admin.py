"""The admin site: for looking, by staff who signed in as everybody does."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.test import RequestFactory

from accounts.domain import keys
from accounts.models import ApiKey, Merchant, User
from tests.factories import STAFF


@pytest.fixture
def operator(db) -> User:
    return User.objects.create_superuser(
        email="op@platform.example", password="x" * 20, name="Operator"
    )


@pytest.mark.req("IMPL-29", "INV-04")
def test_nothing_can_be_changed_in_the_admin_site(operator):
    request = RequestFactory().get("/admin/")
    request.user = operator
    assert len(admin.site._registry) >= 6
    for model, page in admin.site._registry.items():
        allowed = page.get_model_perms(request)
        assert allowed == {"add": False, "change": False, "delete": False, "view": True}, model


@pytest.mark.req("IMPL-29")
def test_a_post_to_the_admin_site_changes_nothing(client, operator, shop):
    client.force_login(operator)
    page = f"/admin/accounts/merchant/{shop.pk}/change/"
    assert client.get(page).status_code == 200
    assert client.post(page, {"state": "closed"}).status_code == 403
    assert client.post(f"/admin/accounts/merchant/{shop.pk}/delete/").status_code == 403
    assert client.get("/admin/accounts/merchant/add/").status_code == 403
    assert Merchant.objects.get(pk=shop.pk).state == "active"


@pytest.mark.req("PERMISSION-03")
def test_members_and_strangers_do_not_come_in(client, alice):
    assert client.get("/admin/").status_code == 302
    assert "/login/?next=" in client.get("/admin/login/")["Location"]
    client.force_login(alice)
    assert client.get("/admin/", follow=True).status_code == 403


@pytest.mark.req("IMPL-13")
def test_secrets_are_not_shown(client, operator, shop):
    key, secret = keys.create_key(merchant=shop, name="Till", by=STAFF)
    client.force_login(operator)
    page = client.get(f"/admin/accounts/apikey/{key.pk}/change/").content.decode()
    assert key.prefix in page
    assert secret not in page
    assert ApiKey.objects.get().digest.hex() not in page
    page = client.get(f"/admin/accounts/user/{operator.pk}/change/").content.decode()
    assert operator.password not in page
    assert "md5$" not in page
