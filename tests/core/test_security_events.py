"""What somebody may not do leaves a line of a known name, with ids and without personal data."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import IntegrityError, connection, transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import path

from accounts.domain import invitations
from accounts.domain.keys import create_key, revoke_key
from accounts.models import Membership
from accounts.permissions import Preset
from core import clock, jobs, throttle
from core.actor import Actor
from core.jobs import JOBS, Done
from core.security import Event
from orders.models import Order
from sellercentral import urls
from tests.accounts.authenticator import SECRET, code, turn_on
from tests.buyers import page_of
from tests.factories import PASSWORD, STAFF, MembershipFactory, UserFactory, unshipped_order
from tests.log_lines import Kept, Line, lines
from tests.orders.test_gateway_callback import report, send
from tests.pages import form_of

pytestmark = [pytest.mark.req("TH-09", "IMPL-22"), pytest.mark.urls(__name__)]

handler400, handler403 = urls.handler400, urls.handler403
handler404, handler500 = urls.handler404, urls.handler500
ROOT = Path(__file__).parents[2]
WRONG, BIRD = "Canary-wrong-password", "Canary Bird"
# Nothing of these may stand in a line, whatever was tried.
PERSONAL = ("alice", "bob@", "charlie", "canary", "harbour", PASSWORD, SECRET, "sc_", "127.0.0.1")


def violates(request):
    """A page with a fault that only the database notices, outside any verb."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE orders_order SET total = -1, buyer_name = %s", [BIRD])
    return HttpResponse()


urlpatterns = [path("violates/", violates), *urls.urlpatterns]


class Scene:
    """Somebody at a browser, in a shop of two, beside another shop."""

    def __init__(self, client, alice, bob, charlie, order) -> None:
        self.client, self.alice, self.bob, self.charlie = client, alice, bob, charlie
        self.order = order
        self.shop, self.other = order.merchant, Membership.objects.get(user=charlie).merchant
        client.raise_request_exception = False

    def sign_in(self, password: str = PASSWORD) -> None:
        self.client.post("/login/", {"login": self.alice.email, "password": password})

    def as_(self, user) -> Client:
        self.client.force_login(user)
        return self.client

    def with_key(self, key: str, where: str = "/api/v1/orders/"):
        return self.client.get(where, headers={"Authorization": f"Bearer {key}"})

    def revoked_key(self) -> str:
        key, secret = create_key(merchant=self.shop, name="till", by=STAFF)
        revoke_key(key_id=key.pk, by=STAFF)
        return secret

    def live_key(self, shop) -> str:
        return create_key(merchant=shop, name="till", by=STAFF)[1]


@pytest.fixture
def scene(client, alice, bob, charlie, order) -> Scene:
    return Scene(client, alice, bob, charlie, order)


def wrong_code(scene: Scene) -> None:
    turn_on(scene.alice)
    scene.sign_in()
    scene.client.post("/login/second-step/", {"code": "000000"})


def wrong_first_code(scene: Scene) -> None:
    where = "/settings/login/two-step/"
    client = scene.as_(scene.alice)
    client.post(where, form_of(client, where) | {"current": PASSWORD, "code": "000000"})


def wrong_password_again(scene: Scene) -> None:
    turn_on(scene.alice)
    scene.as_(scene.alice).post(
        "/settings/login/two-step/recovery-codes/", {"current": WRONG, "code": code()}
    )


def too_many_sign_ins(scene: Scene) -> None:
    for _ in range(throttle.FREE_TRIES + 1):
        scene.sign_in(WRONG)


def too_many_requests(scene: Scene) -> None:
    key = scene.live_key(scene.shop)
    throttled = [scene.with_key(key).status_code for _ in range(3)]
    assert throttled == [200, 200, 429]


def forged_form(scene: Scene) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(scene.alice)
    strict.post(f"/orders/{scene.order.number}/cancel/", {"reason": "NoInventory"})


def form_of_another_account(scene: Scene) -> None:
    other = scene.other.pk
    scene.as_(scene.alice).post(
        f"/orders/{scene.order.number}/cancel/", {"reason": "NoInventory", "merchant": other}
    )


def form_of_another_person(scene: Scene) -> None:
    where = f"/orders/{scene.order.number}/cancel/"
    typed = form_of(scene.as_(scene.alice), where) | {"reason": "NoInventory"}
    scene.client.post(where, typed)
    second = MembershipFactory(merchant=scene.shop, is_owner=True).user
    scene.as_(second).post(where, typed)


def item_of_another_order(scene: Scene) -> None:
    other = unshipped_order(scene.shop).items.get().pk
    scene.as_(scene.alice).post(
        f"/orders/{scene.order.number}/confirm-shipment/", {f"quantity_{other}": "1"}
    )


def member_of_another_merchant(scene: Scene) -> None:
    member = Membership.objects.get(user=scene.charlie).pk
    scene.as_(scene.alice).post("/settings/permissions/remove/", {"member": member})


def invitation_of_another_merchant(scene: Scene) -> None:
    other = invitations.invite(
        merchant_id=scene.other.pk,
        email="canary@mail.example",
        preset=Preset.READ_ONLY,
        by=Actor("form", "Charlie", user_id=scene.charlie.pk, owner=True),
    )
    scene.as_(scene.alice).post(
        "/settings/permissions/invitations/", {"invitation": other.pk, "act": "withdraw"}
    )


def job_against_a_guard(scene: Scene) -> None:
    def work() -> Done:
        violates(None)
        return Done()

    job = JOBS["resume-jobs"]
    JOBS["resume-jobs"] = jobs.Job(job.name, job.task, work, job.plan)
    try:
        with pytest.raises(IntegrityError):
            jobs.run("resume-jobs")
    finally:
        JOBS["resume-jobs"] = job


def theirs(scene: Scene) -> Order:
    return unshipped_order(scene.other)


Tried = Callable[[Scene], object]
# Which event and code each way of trying leaves, once for each line.
WAYS: dict[str, tuple[Event, list[str], Tried]] = {
    "a sign-in": (Event.SIGNED_IN, [""], lambda s: s.sign_in()),
    "a wrong password": (Event.SIGN_IN_FAILED, [""], lambda s: s.sign_in(WRONG)),
    "signing out": (Event.SIGNED_OUT, [""], lambda s: s.as_(s.alice).post("/logout/")),
    "a wrong password, asked for again": (Event.PASSWORD_REFUSED, [""], wrong_password_again),
    "a wrong code": (Event.CODE_REFUSED, [""], wrong_code),
    "a wrong first code": (Event.CODE_REFUSED, [""], wrong_first_code),
    "no permission": (
        Event.PERMISSION_REFUSED,
        ["cancel_orders"],
        lambda s: s.as_(s.bob).get(f"/orders/{s.order.number}/cancel/"),
    ),
    "no account": (
        Event.PERMISSION_REFUSED,
        ["no account"],
        lambda s: s.as_(UserFactory()).get("/orders/"),
    ),
    "the console": (
        Event.OPERATOR_REFUSED,
        [""],
        lambda s: s.as_(s.alice).get("/operator/work/"),
    ),
    "another merchant's order": (
        Event.SCOPE_REFUSED,
        ["order"],
        lambda s: s.as_(s.alice).get(f"/orders/{theirs(s).number}/"),
    ),
    "another merchant's order, by program": (
        Event.SCOPE_REFUSED,
        ["order"],
        lambda s: s.with_key(s.live_key(s.shop), f"/api/v1/orders/{theirs(s).number}/"),
    ),
    "another merchant's slips": (
        Event.SCOPE_REFUSED,
        ["order"],
        lambda s: s.as_(s.alice).get(f"/orders/packing-slips.pdf?order={theirs(s).number}"),
    ),
    "an item of another order": (Event.SCOPE_REFUSED, ["item"], item_of_another_order),
    "a member of another merchant": (
        Event.SCOPE_REFUSED,
        ["member"],
        member_of_another_merchant,
    ),
    "an invitation of another merchant": (
        Event.SCOPE_REFUSED,
        ["invitation"],
        invitation_of_another_merchant,
    ),
    "a form of another account": (Event.FORM_REFUSED, ["account"], form_of_another_account),
    "a form of another person": (Event.FORM_REFUSED, ["person"], form_of_another_person),
    "too many sign-ins": (Event.LIMIT_REFUSED, ["sign-in"], too_many_sign_ins),
    "too many requests": (Event.LIMIT_REFUSED, ["api"], too_many_requests),
    "a form without a token": (Event.CSRF_REFUSED, [""], forged_form),
    "a path that is no text": (
        Event.INPUT_REFUSED,
        ["path"],
        lambda s: s.client.get("/orders/%00/"),
    ),
    "a query that is no text": (
        Event.INPUT_REFUSED,
        ["query"],
        lambda s: s.client.get("/orders/?q=%FF"),
    ),
    "an unknown key": (Event.KEY_REFUSED, ["unknown"], lambda s: s.with_key("sc_canary_1")),
    "a revoked key": (Event.KEY_REFUSED, ["revoked"], lambda s: s.with_key(s.revoked_key())),
    "a forged report": (
        Event.SIGNATURE_REFUSED,
        [""],
        lambda s: send(report(s.order), key="canary" * 8),
    ),
    "a forged link of a buyer": (
        Event.LINK_REFUSED,
        ["buyer"],
        lambda s: s.client.get(page_of(s.order).replace(":", ":x")),
    ),
    "a forged invitation": (
        Event.LINK_REFUSED,
        ["invitation"],
        lambda s: s.client.get("/invitation/canary:x/"),
    ),
    "a forged link to a password": (
        Event.LINK_REFUSED,
        ["reset"],
        lambda s: s.client.get("/password-reset/key/canary-x/"),
    ),
    "a write that a guard stops": (
        Event.GUARD_VIOLATED,
        ["order_refunds_no_more_than_paid"],
        lambda s: s.client.get("/violates/"),
    ),
    "a job that a guard stops": (
        Event.GUARD_VIOLATED,
        ["order_refunds_no_more_than_paid"],
        job_against_a_guard,
    ),
    "a page against its policy": (
        Event.POLICY_VIOLATED,
        ["script-src"],
        lambda s: s.client.post(
            "/csp-report/",
            '{"csp-report": {"effective-directive": "script-src"}}',
            content_type="application/csp-report",
        ),
    ),
}
# Of production's middleware alone: tests/quickstart/test_headers.py.
ELSEWHERE = {Event.KEY_EXPOSED}


def security(log: Kept) -> list[Line]:
    return [line for line in log.named(*Event) if line["logger"] == "security"]


@pytest.mark.parametrize("way", WAYS)
def test_each_is_told_by_its_name_and_tells_nobody_who(scene, monkeypatch, way):
    event, codes, tried = WAYS[way]
    monkeypatch.setattr("orders.api.throttling.PER_MINUTE", 2)
    with lines() as log:
        tried(scene)
    told = [line for line in security(log) if line["event"] == event]
    assert [line.get("code", "") for line in told] == codes
    level = {Event.GUARD_VIOLATED: "ERROR", Event.SIGNED_IN: "INFO", Event.SIGNED_OUT: "INFO"}
    assert {line["level"] for line in told} == {level.get(event, "WARNING")}
    assert all(line["request"] for line in told)
    written = "\n".join(log.text).lower()
    assert [word for word in PERSONAL if word.lower() in written] == []


def test_each_event_of_the_list_is_tried_and_none_is_told_elsewhere():
    assert {event for event, _codes, _tried in WAYS.values()} | ELSEWHERE == set(Event)
    names = "|".join(re.escape(event) for event in Event)
    apps = ("accounts", "audit", "catalog", "checkout", "core", "notifications", "operators")
    code_ = [
        file
        for app in (*apps, "orders", "payments")
        for file in (ROOT / app).rglob("*.py")
        if file.name != "security.py" and "migrations" not in file.parts
    ]
    told = re.compile(rf"log\.\w+\(\s*\"({names})\"")
    assert [file.name for file in code_ if told.search(file.read_text(encoding="utf-8"))] == []


@pytest.mark.req("TH-13")
def test_the_line_of_another_merchants_order_says_who_and_which(scene):
    other = theirs(scene)
    with lines() as log:
        answer = scene.as_(scene.alice).get(f"/orders/{other.number}/")
    [line] = security(log)
    assert answer.status_code == 404
    assert (line["user"], line["merchant"], line["order"]) == (
        scene.alice.pk, scene.shop.pk, other.pk,
    )  # fmt: skip


def test_an_order_that_nobody_has_is_no_event(scene):
    with lines() as log:
        assert scene.as_(scene.alice).get("/orders/203-0000000-0000000/").status_code == 404
    assert security(log) == []


def test_somebody_who_does_what_they_may_leaves_no_event(scene):
    client = scene.as_(scene.alice)
    with lines() as log:
        where = f"/orders/{scene.order.number}/cancel/"
        client.post(where, form_of(client, where) | {"reason": "NoInventory"})
    assert security(log) == []
    assert Order.objects.get(pk=scene.order.pk).status == "cancelled"


def test_a_limit_of_somebody_is_counted_where_it_is_told(db):
    me = Actor("form", "me")
    with lines() as log:
        waits = [throttle.use("tea", me.name, limit=1, seconds=60, at=clock.now()) for _ in "ab"]
    assert waits[0] == 0
    assert waits[1] > 0
    assert [(line["event"], line["code"]) for line in security(log)] == [("limit.refused", "tea")]
