"""The product works whole as the role it has on a server, which owns nothing (SD-13).

Other tests sign in as the owner of the tables; a right that is missing would be found here, or by
``tests/failures``, whose processes sign in so, too.
"""

from __future__ import annotations

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection

from accounts.access import SECOND_STEP
from accounts.models import Membership, Merchant
from audit.models import HistoryDigest, OperatorEntry
from core import clock, jobs
from core.jobs import JOBS
from core.models import JobRun
from notifications.models import Outbox
from orders.models import Order
from orders.models.contact import Contact
from payments.models import Payment, SandboxEntry
from tests import buyers
from tests.accounts.authenticator import turn_on
from tests.accounts.test_sign_in import sign_in
from tests.factories import (
    ListingFactory,
    MerchantFactory,
    UserFactory,
    confirm,
    refund,
    shipped_order,
    unshipped_order,
)
from tests.orders.test_place_order import COLUMNS, body, key, line, post  # noqa: F401  a fixture
from tests.outsiders import ABOUT_NOTHING, OPEN, OPERATOR, PAGES, SIGNED, at, forms_ready, stocked

pytestmark = [
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
    pytest.mark.usefixtures("as_the_application"),
]


@pytest.fixture(autouse=True)
def _really(as_the_application, application_sign_in):
    """What a guard of the database refuses fails a test; this one is for the test itself."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT session_user")
        assert cursor.fetchone()[0] == application_sign_in["USER"]
        with pytest.raises(DatabaseError, match="permission denied"):
            cursor.execute("UPDATE audit_entry SET actor = 'nobody'")


@pytest.mark.req("SD-13", "INV-10", "IMPL-04")
def test_every_page_opens_and_every_form_is_carried_out(client, alice, shop):
    orders = stocked(shop).orders
    assert sign_in(client).status_code == 302
    for address, page in PAGES.items():
        if "GET" in page.methods:
            for order in orders.values() if "<str:number>" in address else [orders["shipped"]]:
                answer = client.get(at(address, order.number))
                shown = {200, 302, 409, ABOUT_NOTHING.get(address)}
                assert answer.status_code in shown, (address, order.status)
    forms = forms_ready(client, shop)
    for address, fields in forms.items():
        assert client.post(address, fields).status_code == 302, address
    changing = {address for address, page in PAGES.items() if "POST" in page.methods}
    assert len(forms) > len(changing) / 2
    client.logout()
    for address, status in OPEN.items():
        assert client.get(at(address)).status_code in (status, 503), address  # no beat ticks here


@pytest.mark.req("SD-13", "INV-10", "BUYER-01")
def test_buyers_see_change_and_cancel_their_orders(client, shop):
    order, doomed = (unshipped_order(shop, age=timedelta(0), quantity=2) for _ in range(2))
    for address, methods in SIGNED.items():
        if "GET" in methods:
            act = address.partition("<str:signed>/")[2]
            assert client.get(buyers.page_of(order, act)).status_code in (200, 302, 404, 409), act
    item = order.items.get()
    assert buyers.post(client, order, "change/", **{f"quantity_{item.pk}": "1"}).status_code == 302
    assert buyers.post(client, doomed, "cancel/").status_code == 302
    assert set(Order.objects.values_list("status", flat=True)) == {"unshipped", "cancelled"}


@pytest.mark.req("SD-13", "INV-10", "IMPL-20", "IMPL-21")
def test_an_order_lives_from_its_placing_to_its_end(client, shop, key, settings):  # noqa: F811
    """By program and by jobs: the gateway has its own connection, the sweeps write by sets."""
    settings.SANDBOX_VERIFICATION_DELAY = timedelta(0)
    Merchant.objects.filter(pk=shop.pk).update(is_sandbox=True)
    for number in range(3):
        placed = post(
            client, key, body(ListingFactory(merchant=shop), merchant_order_number=f"W{number}")
        )
        assert placed.status_code == 201
    Payment.objects.update(next_check_at=clock.now())
    jobs.run("check-payments")
    shipped, given_back, left = Order.objects.order_by("pk")
    assert {order.status for order in (shipped, given_back, left)} == {"unshipped"}
    for order in (shipped, given_back):
        confirm(order)
    refund(given_back)
    assert set(SandboxEntry.objects.values_list("act", flat=True)) == {"capture", "refund"}

    for _on_page_then_by_mail in range(2):
        call_command("move_clock", merchant=shop.slug, to_warning=True, stdout=StringIO())
    jobs.run("confirmation-warnings")
    call_command("move_clock", merchant=shop.slug, to_deadline=True, stdout=StringIO())
    for _year in range(2):
        call_command("move_clock", merchant=shop.slug, days=400, stdout=StringIO())
    for name in sorted(JOBS):
        jobs.run(name)

    assert dict(JobRun.objects.exclude(error="").values_list("job", "error")) == {}
    assert set(JobRun.objects.values_list("job", flat=True)) == set(JOBS)
    left.refresh_from_db()
    shipped.refresh_from_db()
    assert (left.status, shipped.delivered_at is not None) == ("cancelled", True)
    assert not Contact.objects.filter(merchant=shop, blanked_at=None).exists()
    assert HistoryDigest.objects.filter(merchant=shop).exists()
    call_command("reconcile", stdout=StringIO())
    for name in ("verified", "warned"):
        assert shop.history.filter(event__contains=name).exists(), name


@pytest.mark.req("SD-13", "PLATFORM-03")
def test_the_console_s_buttons_work(client, shop):
    operator = UserFactory(email="olive@platform.example", is_operator=True)
    turn_on(operator)
    client.force_login(operator)
    session = client.session
    session[SECOND_STEP] = True
    session.save()
    shipped_order(shop)
    mail, other = Outbox.objects.filter(kind__in=("N05", "N02"))[:2]
    Outbox.objects.filter(pk__in=[mail.pk, other.pk]).update(state="failed", attempts=8)
    acts = {"send-again": mail.pk, "give-up": other.pk}
    done = 0
    for address, method in OPERATOR.items():
        where = at(address)
        for act, pk in acts.items():
            where = where.replace(f"messages/1/{act}", f"messages/{pk}/{act}")
        answer = getattr(client, method)(where, {"note": "why"} if method == "post" else {})
        assert answer.status_code in (200, 302), address
        done += method == "post"
    assert OperatorEntry.objects.count() >= done - 1  # there is no operation to be asked about


@pytest.mark.req("SD-13", "IMPL-27", "MWS-14")
def test_commands_need_no_more(client, tmp_path):
    shop = MerchantFactory(slug="another")
    out = StringIO()
    call_command("demo", stdout=out)
    assert "maya@" in out.getvalue()
    call_command("create_key", merchant=shop.slug, stdout=out)
    call_command("create_operator", email="o@platform.example", name="Olive", stdout=out)
    file = tmp_path / "orders.txt"
    file.write_text("\n".join([COLUMNS, line("A1"), line("A2"), ""]))
    call_command("import_orders", file, merchant=shop.slug, stdout=out)
    assert Order.objects.for_merchant(shop).count() == 2
    year = tmp_path / "year.csv"
    head = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
    sold = "{},85123A,Holder,6,2010-12-01 08:26:00,2.55,17850,United Kingdom\n"
    year.write_text(head + "".join(sold.format(536365 + n) for n in range(60)))
    call_command("replay_retail", year, merchant="retail-year", stdout=out)
    call_command("verify_invariants", stdout=out)
    assert "VIOLATED" not in out.getvalue()
    with clock.stopped(clock.now()):
        call_command("run_job", "history-digest", stdout=out)
    assert Membership.objects.exists()
