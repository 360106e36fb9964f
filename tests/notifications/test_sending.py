"""Mails leave by SMTP: once, in order, whatever the server does; orders never wait for them."""

from __future__ import annotations

import re
from datetime import timedelta
from functools import partial
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from core import breaker, clock, jobs
from core.actor import Actor
from notifications.domain import dispatch, letters, outbox
from notifications.domain.letters import Letter
from notifications.domain.mail_server import MailServer
from notifications.models import LetterCopy, Outbox
from orders.domain import cancellations, verification
from orders.enums import CancelCause
from tests.factories import (
    GATEWAY,
    ContactDraft,
    MembershipFactory,
    MerchantFactory,
    cancelled_order,
    confirm,
    marketplace,
    pending_order,
    refund,
    shipped_order,
    unshipped_order,
)
from tests.races import racers
from tests.sinks.smtp import CUT, CUT_EARLY, LATER, NEVER, REFUSE_TEXT, silent_server

BUYER = "Eilidh.MacLeod@mail.example"


def contact(email: str) -> ContactDraft:
    return ContactDraft(
        buyer_email=email,
        recipient_name="R",
        address_1="1 Row",
        city="Leeds",
        postal_code="LS6 2AB",
        country="GB",
    )


def states(order, *, kind: str | None = None) -> dict[str, str]:
    rows = Outbox.objects.filter(order=order).exclude(channel="notification")
    return {row.kind: row.state for row in rows if kind in (None, row.kind)}


def row(order, kind: str) -> Outbox:
    return Outbox.objects.get(order=order, kind=kind)


def later(step: timedelta):
    return clock.stopped(clock.now() + step)


def kinds_taken(sink) -> list[str]:
    """Kinds of what arrived, in order, by their Message-ID."""
    by_id = dict(LetterCopy.objects.values_list("message_id", "outbox__kind"))
    return [by_id[each] for each in sink.ids()]


@pytest.fixture
def shop(shop):
    shop.notification_emails = ["orders@shop.example"]
    shop.save()
    return shop


# How they look ----------------------------------------------------------------------------------


@pytest.mark.req("NOTIF-01", "NOTIF-07", "NOTIF-06", "SD-20", "INV-09")
def test_a_mail_is_one_plain_text_with_an_id_of_its_own(shop, sink, send):
    order = unshipped_order(shop)
    assert send() == {"mails sent": 2}
    [first, second] = sink.taken
    assert (first.sender, first.to) == ("no-reply@sellercentral.example", [BUYER])
    message = first.message
    assert sorted(message.keys()) == sorted(
        ["Content-Type", "MIME-Version", "Content-Transfer-Encoding", "Subject", "From", "To",
         "Date", "Message-ID", "Auto-Submitted"]
    )  # fmt: skip
    assert message["From"] == "Seller Central <no-reply@sellercentral.example>"
    assert message["Subject"] == f"Order confirmation: {order.number}"
    assert message["Auto-Submitted"] == "auto-generated"
    assert (message.get_content_type(), message.is_multipart()) == ("text/plain", False)
    assert message.get_content_charset() == "utf-8"
    assert re.fullmatch(r"<[0-9a-f]{40}@sellercentral\.example>", first.id)
    assert first.id != second.id
    assert second.to == ["orders@shop.example"]
    assert states(order) == {"N01": "sent", "N02": "sent"}


@pytest.mark.req("NOTIF-08", "IMPL-27", "BI-MSG")
def test_any_script_arrives_unchanged_in_lines_that_mail_may_have(japanese_shop, sink, send):
    title = "益子焼 湯呑み 青磁 🍵 Zoë " + "長" * 100
    order = unshipped_order(japanese_shop, title=title, buyer_name="山田 花子")
    send()
    [mail] = [one for one in sink.taken if one.to == [BUYER]]
    assert title in mail.body
    assert mail.body.startswith("山田 花子 様\n")
    assert mail.message["Subject"] == f"ご注文の確認: {order.number}"
    assert max(len(line) for line in mail.raw.split(b"\r\n")) <= 78
    assert mail.raw.isascii()


@pytest.mark.req("NOTIF-09", "TH-30")
@pytest.mark.parametrize("ending", ["\r\n", "\n", "\r", "\u2028", "\x85", "\x0b"])
def test_nobody_writes_headers(shop, sink, send, settings, ending):
    evil = f"Ann{ending}Bcc: all@evil.example{ending}{ending}<b>Free</b>"
    shop.display_name = evil
    shop.save()
    settings.SITE_NAME = f"Shop{ending}Bcc: all@evil.example"
    order = unshipped_order(shop, title="Mug")
    order.items.update(title=evil)
    type(order).objects.filter(pk=order.pk).update(buyer_name=evil)
    send()
    assert len(sink.taken) == 2
    for mail in sink.taken:
        assert mail.to in ([BUYER], ["orders@shop.example"])
        assert "Bcc" not in mail.message
        assert len(mail.message.keys()) == 9
        name = '"Shop Bcc: all@evil.example"'
        assert mail.message.get_all("From") == [f"{name} <no-reply@sellercentral.example>"]
    [mail] = [one for one in sink.taken if one.to == [BUYER]]
    assert "Ann Bcc: all@evil.example <b>Free</b>" in mail.body


@pytest.mark.req("NOTIF-10", "BI-ACC")
@pytest.mark.parametrize(
    "address",
    ["two@a.example, b@b.example", "no address", "a@b.example\r\nBcc: c@d.example", "ü@x.example"],
)
def test_what_is_no_address_fails_for_good_and_alone(shop, sink, send, address):
    shop.notification_emails = [address]
    shop.save()
    order = unshipped_order(shop)
    assert send() == {"mails sent": 1, "mails failed": 1}
    assert (row(order, "N02").state, row(order, "N02").last_error) == ("failed", "no address")
    assert sink.taken[0].to == [BUYER]


@pytest.mark.req("NOTIF-10")
def test_a_domain_in_other_letters_travels_in_ascii(shop, sink, send):
    shop.notification_emails = ["orders@bücher.example"]
    shop.save()
    unshipped_order(shop)
    send()
    assert sink.taken[1].to == ["orders@xn--bcher-kva.example"]


# Once, in order ---------------------------------------------------------------------------------


@pytest.mark.req("NOTIF-02", "FT-15", "IMPL-20")
def test_the_job_may_run_as_often_as_it_likes(shop, sink, send):
    order = shipped_order(shop)
    for _again in range(5):
        send()
    assert len(sink.taken) == len(set(sink.ids())) == 3
    assert states(order) == {"N01": "sent", "N02": "sent", "N05": "sent"}


@pytest.mark.req("INV-09", "NOTIF-01")
def test_a_batch_goes_over_one_connection(shop, sink, send):
    for _ in range(5):
        unshipped_order(shop)
    assert send() == {"mails sent": 10}
    assert {one.session for one in sink.taken} == {1}


@pytest.mark.req("INV-09", "FT-32")
def test_mails_of_an_order_leave_in_its_order_while_others_go_by(shop, sink, send):
    sink.behaviours["slow@mail.example"] = LATER
    order = shipped_order(shop, contact=contact("slow@mail.example"))
    other = shipped_order(shop)
    assert send() == {"mails sent": 4, "mails put off": 1}
    assert states(order) == {"N01": "queued", "N02": "sent", "N05": "queued"}
    assert states(other) == {"N01": "sent", "N02": "sent", "N05": "sent"}
    del sink.behaviours["slow@mail.example"]
    with later(timedelta(seconds=59)):
        assert send() == {}
    with later(timedelta(seconds=61)):
        assert send() == {"mails sent": 2}
    assert kinds_taken(sink)[-2:] == ["N01", "N05"]


@pytest.mark.req("INV-09")
def test_instant_notifications_are_left_to_their_sender_and_block_no_mail(shop, sink, send):
    order = unshipped_order(shop)
    send()
    waiting = Outbox.objects.filter(order=order, channel="notification")
    assert {(w.kind, w.state, w.attempts, w.claim, w.lease_until) for w in waiting} == {
        ("NewOrderNotification", "queued", 0, 0, None),
        ("OrderReadyToShipNotification", "queued", 0, 0, None),
    }


@pytest.mark.req("INV-09")
def test_rows_that_commit_out_of_their_order_are_found_by_state(shop, sink, send):
    order, earlier = unshipped_order(shop), unshipped_order(shop)
    Outbox.objects.filter(order=earlier).update(available_at=clock.now() + timedelta(hours=1))
    send()
    assert states(order) == {"N01": "sent", "N02": "sent"}
    Outbox.objects.filter(order=earlier).update(available_at=clock.now())
    send()
    assert states(earlier) == {"N01": "sent", "N02": "sent"}


@pytest.mark.req("NOTIF-01")
def test_a_kind_of_a_newer_version_waits_for_it(shop, sink, send):
    order = unshipped_order(shop)
    Outbox.objects.filter(order=order, kind="N01").update(kind="N99")
    assert send() == {"mails sent": 1}
    assert states(order) == {"N99": "queued", "N02": "sent"}


# The server ---------------------------------------------------------------------------------------


@pytest.mark.req("FT-30", "NOTIF-01", "IMPL-15")
@pytest.mark.parametrize("how", ["refuses", "never answers"])
def test_a_server_away_for_three_days_costs_no_attempt(shop, sink, send, settings, how):
    sink.stop()
    with silent_server() as port:
        if how == "never answers":
            settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = port, 0.2
        orders = [unshipped_order(shop)]
        for hours in range(0, 72, 6):
            with later(timedelta(hours=hours)):
                assert send() == {}
        orders.append(shipped_order(shop))
        refund(orders[1], "1.00")
    waiting = Outbox.objects.exclude(channel="notification")
    assert set(waiting.values_list("state", "attempts", "lease_until")) == {("queued", 0, None)}
    settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = sink.port, 5
    sink.start()
    with later(timedelta(hours=72)):
        send()
    assert len(sink.taken) == len(set(sink.ids())) == 6
    to_buyer = [kind for kind in kinds_taken(sink) if kind != "N02"]
    assert [k for k in to_buyer if k != "N01"] == ["N05", "N10"]
    assert states(orders[1]) == {"N01": "sent", "N02": "sent", "N05": "sent", "N10": "sent"}


@pytest.mark.req("FT-30", "FT-33")
def test_a_server_that_was_away_is_left_alone_for_half_a_minute(shop, sink, send):
    unshipped_order(shop)
    sink.stop()
    assert send() == {}
    sink.start()
    assert breaker.mail.is_open
    assert jobs.run("send-outbox") == {}  # as a nudge would
    assert (sink.taken, Outbox.objects.filter(claim__gt=1).count()) == ([], 0)
    assert send() == {"mails sent": 2}


@pytest.mark.req("FT-32", "NOTIF-01", "NOTIF-11", "TH-09")
def test_an_address_refused_for_good_fails_at_once_and_alone(shop, sink, send):
    sink.behaviours["gone@mail.example"] = NEVER
    order = unshipped_order(shop, contact=contact("gone@mail.example"))
    other = unshipped_order(shop)
    assert send() == {"mails sent": 3, "mails failed": 1}
    failed = row(order, "N01")
    assert (failed.state, failed.attempts, failed.last_error) == ("failed", 1, "550 5.1.1")
    with later(timedelta(days=9)):
        assert send() == {}
    assert states(other) == {"N01": "sent", "N02": "sent"}
    confirm(order)
    assert send() == {"mails failed": 1}  # the next one is tried, and told apart


@pytest.mark.req("FT-32", "NOTIF-01")
def test_a_text_refused_for_good_fails_and_the_connection_lives(shop, sink, send):
    sink.behaviours[BUYER] = REFUSE_TEXT
    order = unshipped_order(shop)
    assert send() == {"mails sent": 1, "mails failed": 1}
    assert row(order, "N01").last_error == "554 5.7.1"
    assert sink.connections == 1


@pytest.mark.req("NOTIF-01", "FT-32")
def test_what_is_put_off_is_tried_eight_times_over_three_days(shop, sink, send):
    sink.behaviours[BUYER] = LATER
    order = unshipped_order(shop)
    pauses, at = [], clock.now()
    for number in range(1, 9):
        with clock.stopped(at):
            send()
            tried = row(order, "N01")
            assert tried.attempts == number
            if tried.state == "queued":
                pauses.append((tried.available_at - at).total_seconds() // 60)
                at = tried.available_at + timedelta(seconds=1)
    assert pauses == [1, 5, 30, 120, 360, 960, 2880]
    assert (tried.state, tried.last_error) == ("failed", "451 4.7.1")
    assert sum(pauses) >= 72 * 60


@pytest.mark.req("FT-31", "INV-09", "NOTIF-02")
def test_a_connection_cut_after_the_data_doubles_at_most_once_under_one_id(shop, sink, send):
    sink.behaviours[BUYER] = CUT
    order = unshipped_order(shop)
    assert send() == {"mails put off": 1, "mails sent": 1}
    assert row(order, "N01").attempts == 1
    del sink.behaviours[BUYER]
    with later(timedelta(seconds=61)):
        assert send() == {"mails sent": 1}
    to_buyer = [one.id for one in sink.taken if one.to == [BUYER]]
    assert len(to_buyer) == 2
    assert len(set(to_buyer)) == 1


@pytest.mark.req("FT-31", "FT-32")
def test_a_mail_that_makes_the_server_hang_up_stops_no_other(shop, sink, send):
    sink.behaviours["poison@mail.example"] = CUT_EARLY
    order = unshipped_order(shop, contact=contact("poison@mail.example"))
    other = unshipped_order(shop)
    assert send() == {"mails sent": 3, "mails put off": 1}
    assert (row(order, "N01").state, row(order, "N01").attempts) == ("queued", 1)
    assert states(other) == {"N01": "sent", "N02": "sent"}


@pytest.mark.req("FT-33", "FT-31")
def test_a_slow_server_gets_each_mail_once_and_does_not_hold_the_worker(
    shop, sink, send, settings, monkeypatch
):
    settings.EMAIL_TIMEOUT, sink.delay = 0.2, 0.5  # a receipt may take longer than an answer
    monkeypatch.setattr(dispatch, "SENDING", timedelta(seconds=0.7))
    for _ in range(2):
        unshipped_order(shop)
    assert dispatch.send_due().counts == {"mails sent": 2}
    left = Outbox.objects.filter(state="queued").exclude(channel="notification")
    assert set(left.values_list("attempts", "lease_until")) == {(0, None)}
    sink.delay = 0
    send()
    assert len(sink.taken) == len(set(sink.ids())) == 4


@pytest.mark.req("FT-33", "FT-31", "NOTIF-01")
def test_a_receipt_that_never_comes_is_an_attempt(shop, sink, send, settings):
    settings.MAIL_ANSWER_SECONDS, sink.delay = 0.2, 1
    order = unshipped_order(shop)
    assert send() == {"mails put off": 2}
    assert row(order, "N01").last_error == "SMTPServerDisconnected after the data"


@pytest.mark.req("NOTIF-03", "FT-32")
def test_of_two_addresses_the_good_one_is_written_to(shop, sink, send):
    shop.notification_emails = []
    shop.save()
    for name in ("ann", "ben"):
        MembershipFactory(merchant=shop, is_owner=True, user__email=f"{name}@shop.example")
    sink.behaviours["ben@shop.example"] = NEVER
    order = unshipped_order(shop)
    assert send() == {"mails sent": 2}
    assert sink.taken[1].to == ["ann@shop.example"]
    assert row(order, "N02").last_error == "550 5.1.1"


# The letter -----------------------------------------------------------------------------------------


@pytest.fixture
def poor_writer(monkeypatch):
    """A letter that cannot be written."""

    def fail(row):
        raise LookupError("something personal")

    monkeypatch.setitem(letters.READERS, "N01", lambda rows: fail)


@pytest.mark.req("IMPL-15", "IMPL-22")
def test_a_letter_that_cannot_be_written_leaves_the_others_alone(shop, sink, send, poor_writer):
    order = unshipped_order(shop)
    assert send() == {"mails put off": 1, "mails sent": 1}
    assert (row(order, "N01").attempts, row(order, "N01").last_error) == (1, "LookupError")


@pytest.mark.req("IMPL-15")
def test_a_batch_whose_facts_cannot_be_read_leaves_the_others_alone(shop, sink, send, monkeypatch):
    def fail(rows):
        raise LookupError("something personal")

    monkeypatch.setitem(letters.READERS, "N01", fail)
    unshipped_order(shop)
    assert send() == {"mails put off": 1, "mails sent": 1}


@pytest.mark.req("NOTIF-10")
def test_an_answer_goes_where_the_letter_says(shop, sink, send, monkeypatch):
    letter = Letter((BUYER,), "Subject", "Text\n", reply_to="answers@shop.example")
    monkeypatch.setitem(letters.READERS, "N01", lambda rows: lambda row: letter)
    unshipped_order(shop)
    send()
    assert sink.taken[0].message["Reply-To"] == "answers@shop.example"


@pytest.mark.req("NOTIF-01", "FT-05", "FT-08")
def test_a_letter_that_kills_its_workers_is_given_up(shop, sink, send, monkeypatch):
    def die(server, message):
        raise MemoryError

    order = unshipped_order(shop)
    whole = MailServer.hand_over
    monkeypatch.setattr(MailServer, "hand_over", die)
    at = clock.now()
    for _death in range(8):
        with clock.stopped(at), pytest.raises(MemoryError):
            send()
        at += timedelta(seconds=61)
    monkeypatch.setattr(MailServer, "hand_over", whole)
    with clock.stopped(at):
        assert send() == {"mails failed": 1, "mails sent": 1}
    assert (row(order, "N01").state, row(order, "N01").last_error) == ("failed", "given up")


# With the fact ---------------------------------------------------------------------------------------


@pytest.mark.req("INV-09", "NOTIF-01")
def test_what_is_rolled_back_is_told_to_nobody(shop, sink, send):
    with transaction.atomic():
        unshipped_order(shop)
        transaction.set_rollback(True)
    assert send() == {}
    assert sink.taken == []


@pytest.mark.req("NOTIF-01", "IMPL-15", "G-8")
def test_a_commit_asks_a_worker_at_once(shop, sink, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        unshipped_order(shop)
        assert sink.taken == []
    assert len(sink.taken) == 2


@pytest.mark.req("IMPL-15", "FT-30", "FT-33")
def test_an_order_action_does_not_mind_a_broken_mail_server(
    client, alice, shop, sink, django_capture_on_commit_callbacks
):
    sink.stop()
    order = unshipped_order(shop)
    client.force_login(alice)
    with django_capture_on_commit_callbacks(execute=True):
        confirm(order)
    assert client.get(f"/orders/{order.number}/").status_code == 200
    assert (order.status, states(order, kind="N05")) == ("shipped", {"N05": "queued"})


@pytest.mark.req("NOTIF-01")
def test_only_mails_ask_for_the_worker_of_mails(shop, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks() as callbacks:
        pending_order(shop)
    assert callbacks == []


@pytest.mark.req("AUTO-13", "IMPL-20")
def test_a_dry_run_names_each_mail_and_sends_none(shop, sink):
    order = unshipped_order(shop)
    out = StringIO()
    call_command("run_job", "send-outbox", "--dry-run", stdout=out)
    assert out.getvalue() == (
        f"{order.number}: write to the buyer (N01)\n"
        f"{order.number}: write to the merchant (N02)\n2 planned; nothing was changed.\n"
    )
    assert sink.taken == []


@pytest.mark.req("NOTIF-01", "IMPL-18")
def test_a_batch_costs_as_many_queries_for_three_as_for_one(shop, sink, settings):
    settings.MAIL_VIEWER = False
    counts = []
    for number in (1, 3):
        for _ in range(number):
            order = shipped_order(shop, lines=number)
            refund(order, "1.00")
        Outbox.objects.filter(kind__in=["N01", "N02"]).update(state="sent")
        with CaptureQueriesContext(
            connection,
        ) as seen:
            assert dispatch.send_due().counts == {"mails sent": number}
        counts.append(len(seen))
        dispatch.send_due()
    # Each mail counts its attempt before it leaves and is recorded after: two statements.
    assert counts[1] - counts[0] == 2 * 2
    assert counts[0] <= 22


@pytest.mark.req("INV-16", "IMPL-22")
def test_copies_of_letters_are_kept_only_where_people_try_things_out(shop, sink, send, settings):
    settings.MAIL_VIEWER = False
    unshipped_order(shop)
    send()
    assert (len(sink.taken), LetterCopy.objects.count()) == (2, 0)


# Time of a merchant -----------------------------------------------------------------------------------


@pytest.mark.req("BUYERCANCEL-01", "T02")
def test_sold_ship_now_waits_for_the_end_of_the_edit_window(shop, sink, send):
    order = unshipped_order(shop, age=timedelta(minutes=1))
    assert send() == {"mails sent": 1}
    assert states(order) == {"N01": "sent", "N02": "queued"}
    with later(timedelta(minutes=4, seconds=1)):
        assert send() == {"mails sent": 1}
    assert states(order) == {"N01": "sent", "N02": "sent"}


@pytest.mark.req("IMPL-21", "NOTIF-01")
def test_a_sandbox_merchant_is_written_to_by_its_own_clock(sink, send):
    shop = MerchantFactory(is_sandbox=True, notification_emails=["s@shop.example"])
    order = unshipped_order(shop, age=timedelta(minutes=1))
    send()
    shop.clock_ahead = timedelta(hours=2)
    shop.save()
    send()
    assert states(order) == {"N01": "sent", "N02": "sent"}
    ahead = row(order, "N02").finished_at - clock.now()
    assert timedelta(minutes=119) < ahead < timedelta(hours=2)


def cancel_for_buyer(order):
    return cancellations.cancel_for_buyer(order_id=order.pk, by=Actor("buyer", "the buyer"))


@pytest.mark.req("T11", "NOTIF-03")
@pytest.mark.parametrize("told", [False, True])
def test_a_buyers_cancellation_is_told_to_a_merchant_who_knew_of_the_sale(shop, sink, send, told):
    order = unshipped_order(shop, age=timedelta(minutes=1))
    if told:
        Outbox.objects.filter(order=order, kind="N02").update(available_at=clock.now())
        send()
    cancel_for_buyer(order)
    with later(timedelta(minutes=5)):
        send()
    merchant = [one for one in sink.taken if one.to == ["orders@shop.example"]]
    assert len(merchant) == (2 if told else 0)
    ended = "sent" if told else "dropped"
    assert states(order) == {"N01": "sent", "N36": "sent", "N02": ended, "N37": ended}


@pytest.mark.req("T13")
def test_the_platforms_cancellation_is_told_in_any_case(shop, sink, send):
    shop.notify_sold_ship_now = False
    shop.save()
    order = unshipped_order(shop)
    cancellations.cancel_for_platform(
        order_id=order.pk, note="secret note", by=Actor("operator", "Olive")
    )
    send()
    assert states(order) == {"N01": "sent", "N06": "sent", "N37": "sent"}


@pytest.mark.req("NOTIF-03")
def test_sold_ship_now_can_be_switched_off_and_readdressed(shop, sink, send):
    shop.notify_sold_ship_now = False
    shop.save()
    assert states(unshipped_order(shop)) == {"N01": "queued"}
    shop.notify_sold_ship_now, shop.notification_emails = True, ["new@shop.example"]
    shop.save()
    unshipped_order(shop)
    send()
    assert [one.to for one in sink.taken if one.to != [BUYER]] == [["new@shop.example"]]


@pytest.mark.req("INV-09")
def test_a_recorded_year_is_told_to_nobody(shop, sink, send, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks() as callbacks, outbox.silently():
        order = shipped_order(shop)
    assert (send(), callbacks) == ({}, [])
    assert set(states(order).values()) == {"dropped"}
    assert set(states(unshipped_order(shop)).values()) == {"queued"}


# Silence (section 8.2) -----------------------------------------------------------------------------------


def written_to(sink) -> set[str]:
    return {address for one in sink.taken for address in one.to}


@pytest.mark.req("PENDING-06", "REFUND-10", "CANCEL-06")
def test_events_that_deliberately_tell_the_merchant_nothing(shop, sink, send):
    shop.notify_sold_ship_now = False
    shop.save()
    for cause in (CancelCause.PAYMENT_DECLINED, CancelCause.FRAUD_SUSPECTED):
        declined = pending_order(shop)
        verification.decline(order_id=declined.pk, cause=cause, by=GATEWAY)
    pending_order(shop)
    cancelled_order(shop)
    refund(shipped_order(shop), "1.00")
    send()
    assert written_to(sink) == {BUYER}
    assert sorted(kinds_taken(sink)) == ["N01", "N01", "N04", "N04", "N05", "N06", "N10"]


@pytest.mark.req("NOTIF-02")
def test_order_placed_and_still_pending_tells_nobody(shop, sink, send):
    pending_order(shop)
    assert send() == {}


# Two workers ---------------------------------------------------------------------------------------------


@pytest.mark.req("FT-06", "INV-09")
def test_a_late_worker_cannot_write(shop, sink, send):
    order = unshipped_order(shop)
    watch = dispatch._Watch()
    [late, *_others] = dispatch._claim(1, watch)
    assert send() == {"mails sent": 1}  # what is claimed is passed over
    with later(timedelta(seconds=61)):
        assert send() == {"mails sent": 1}
    assert not dispatch._begin(late, watch)
    assert dispatch._record(late, Outbox.State.FAILED, last_error="late") == "taken over"
    assert states(order) == {"N01": "sent", "N02": "sent"}


@pytest.mark.race
@pytest.mark.django_db(transaction=True, serialized_rollback=True)
@pytest.mark.req("NOTIF-02", "FT-15", "INV-09")
def test_dispatchers_at_once_send_each_mail_once(sink, settings):
    settings.CELERY_TASK_ALWAYS_EAGER = False
    marketplace()
    shop = MerchantFactory(notification_emails=["orders@shop.example"])
    with racers(3) as run:
        for _round in range(3):
            for _ in range(4):
                unshipped_order(shop)
            run(*[partial(dispatch.send_due, limit=3)] * 3)
            dispatch.send_due()
    assert len(sink.taken) == len(set(sink.ids())) == 24


@pytest.mark.race
@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_without_the_claim_mails_are_doubled(sink, settings, monkeypatch):
    """Negative control of the test above."""
    settings.CELERY_TASK_ALWAYS_EAGER = False

    def unclaimed(limit, watch):
        return list(dispatch.due(watch.now()).select_related("merchant")[:limit])

    monkeypatch.setattr(dispatch, "_claim", unclaimed)
    marketplace()
    shop = MerchantFactory(notification_emails=["orders@shop.example"])
    with racers(3) as run:
        for _ in range(4):
            unshipped_order(shop)
        run(*[dispatch.send_due] * 3)
    assert len(sink.taken) > len(set(sink.ids()))
