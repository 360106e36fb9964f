"""The pages of reports: asking, looking, downloading, and who may."""

from __future__ import annotations

import re
from datetime import timedelta
from functools import partial

import pytest

from audit.models import Entry
from core import clock, jobs
from reports.domain import reading, requests
from reports.enums import ReportKind
from reports.models import Report, Schedule
from tests.factories import (
    PLAIN,
    STAFF,
    ItemDraft,
    ListingFactory,
    failed_report,
    unshipped_order,
)
from tests.outsiders import everything
from tests.pages import body, fields_in, form_of, words
from tests.races import racers, rounds
from tests.reports.files import content, make, switch_on

PAGE = "/orders/reports/"


@pytest.fixture
def maya(client, alice):
    """The owner's browser."""
    client.force_login(alice)
    return client


def request(browser, **typed):
    fields = form_of(browser, PAGE, PAGE + "request/")
    return browser.post(PAGE + "request/", fields | typed, follow=True)


@pytest.mark.req("REPORT-01", "REPORT-06", "IMPL-08", "NAV-01")
def test_the_page_has_its_sections_and_says_that_there_is_nothing_yet(maya):
    page = maya.get(PAGE)
    text = words(page)
    assert "<title>Order Reports – " in body(page)
    for part in ("Request a Report", "Schedule Order Report settings", "Edit", "Report columns",
                 "Check Report Status & Download", "Unshipped Orders", "Refresh",
                 "No reports have been generated yet. Request a report first."):  # fmt: skip
        assert part in text, part
    days = re.findall(r'<option value="(\d+)"( selected)?', body(page))
    assert days == [
        ("1", ""),
        ("3", " selected"),
        *((d, "") for d in ("7", "15", "30", "60", "90")),
    ]
    here = re.findall(r'<a href="([^"]+)" aria-current="page">', body(page))
    assert here == [PAGE]  # and not Manage Orders, whose address begins alike


@pytest.mark.req("REPORT-02", "REPORT-06", "INV-10")
def test_a_report_is_requested_made_and_listed(maya, shop):
    unshipped_order(shop)
    page = request(maya, days="7")
    assert page.redirect_chain == [(PAGE, 302)]
    assert "Your request is being processed" in words(page)
    report = Report.objects.get()
    assert (report.state, report.days, report.requested_by) == ("submitted", 7, "Alice Owner")
    assert report.to_at - report.from_at == timedelta(days=7)
    assert "Submitted" in words(page)
    assert f'hx-get="{PAGE}"' in body(page)  # it is followed until it is made
    jobs.run("reports")
    page = maya.get(PAGE)
    text = words(page)
    for part in (f"Orders {report.pk}", "Requested", "Alice Owner", "Ready", "Download", "View"):
        assert part in text, part
    assert "hx-trigger" not in body(page)
    lines = Entry.objects.filter(merchant=shop, event="report.requested")
    assert [line.after["report"] for line in lines] == [report.pk]


@pytest.mark.req("REPORT-23", "INV-02")
def test_a_second_click_says_that_it_is_already_being_processed(maya, shop):
    request(maya)
    page = request(maya)
    assert "This report is already being processed." in words(page)
    assert Report.objects.count() == 1
    request(maya, days="1")  # another range is another report
    assert Report.objects.count() == 2
    jobs.run("reports")
    request(maya)
    assert Report.objects.count() == 3
    assert "already being processed" not in words(request(maya, days="90"))


@pytest.mark.race
@pytest.mark.django_db(transaction=True, serialized_rollback=True)
@pytest.mark.req("REPORT-23", "INV-02")
def test_of_clicks_at_the_same_instant_one_report_comes(shop, settings):
    settings.CELERY_TASK_ALWAYS_EAGER = False
    ask = partial(requests.request_report, merchant=shop, kind=ReportKind.UNSHIPPED, by=STAFF)
    with racers(4) as run:
        for number in range(1, rounds(5) + 1):
            answers = run(ask, ask, ask, ask)
            assert sorted(map(str, answers))[:3] == ["ALREADY_KNOWN"] * 3
            assert Report.objects.count() == number
            jobs.run("reports")


@pytest.mark.req("REPORT-02", "IMPL-05")
@pytest.mark.parametrize("days", ["", "4", "x", "-3", "3.0", "٣"])
def test_only_the_ranges_of_the_list_can_be_asked_for(maya, days):
    page = request(maya, days=days)
    assert page.status_code == 422
    assert "Choose a number of days" in words(page)
    assert not Report.objects.exists()


@pytest.mark.req("REPORT-13", "REPORT-22")
def test_cancelled_orders_can_be_included_once_their_status_is_a_column(maya, shop):
    assert "Include cancelled orders" not in words(maya.get(PAGE))
    page = request(maya, include_cancelled="on")
    assert (page.status_code, Report.objects.count()) == (422, 0)
    assert "Cancelled orders need the column order-status." in words(page)
    switch_on(shop, "order-status")
    assert "Include cancelled orders" in words(maya.get(PAGE))
    request(maya, include_cancelled="on")
    assert Report.objects.get().include_cancelled


@pytest.mark.req("REPORT-07", "REPORT-21")
def test_a_download_is_the_file_and_an_entry_of_the_history(maya, shop):
    unshipped_order(shop)
    report = make(shop)
    answer = maya.get(f"{PAGE}{report.pk}/download/")
    local = shop.marketplace.local_date
    name = f"orders-{local(report.from_at)}-{local(report.to_at)}-{report.pk}.txt"
    assert answer["Content-Disposition"] == f'attachment; filename="{name}"'
    assert answer["Content-Type"] == "text/tab-separated-values; charset=utf-8"
    assert answer["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert answer["Content-Length"] == str(report.size)
    assert b"".join(answer.streaming_content) == content(report)
    line = Entry.objects.get(event="report.downloaded")
    assert (line.actor, line.after) == ("Alice Owner", {"kind": "orders", "report": report.pk})


@pytest.mark.req("REPORT-07", "REPORT-20", "INV-14")
def test_what_is_not_ready_gone_or_damaged_is_not_handed_out(maya, shop, store):
    unshipped_order(shop)
    whole, gone, damaged = make(shop, days=1), make(shop, days=3), make(shop, days=7)
    request(maya)
    (store / gone.name.removeprefix("reports/")).unlink()
    path = store / damaged.name.removeprefix("reports/")
    path.write_bytes(path.read_bytes().replace(b"Eilidh", b"Eilidx"))
    Report.objects.filter(pk=whole.pk).update(state="expired", name="")
    waiting = Report.objects.get(state="submitted")
    for report, said in (
        (whole, "There is no file of this report."),
        (gone, "The file of this report is damaged."),
        (damaged, "The file of this report is damaged."),
        (waiting, "This report is not ready yet."),
    ):
        answer = maya.get(f"{PAGE}{report.pk}/download/")
        assert (answer.status_code, said in words(answer)) == (409, True), report
    assert not Entry.objects.filter(event="report.downloaded").exists()
    assert "Expired" in words(maya.get(PAGE))


@pytest.mark.req("REPORT-21", "IMPL-03", "INV-16")
def test_reports_of_another_merchant_are_like_none_at_all(client, charlie, shop):
    unshipped_order(shop)
    made, failed = make(shop), failed_report(shop)
    client.force_login(charlie)
    before = everything()
    for report in (made, failed):
        for address, send in (("", client.get), ("download/", client.get), ("again/", client.post)):
            answer = send(f"{PAGE}{report.pk}/{address}")
            like = send(f"{PAGE}{report.pk + 999}/{address}")
            assert (answer.status_code, body(answer)) == (404, body(like))
    assert client.get(f"{PAGE}{10**30}/").status_code == 404
    assert everything() == before
    assert f"Orders {made.pk}" not in words(client.get(PAGE))


@pytest.mark.req("REPORT-21", "PERMISSION-02")
def test_readers_see_and_download_but_request_nothing(client, bob, shop):
    unshipped_order(shop)
    report, failed = make(shop), failed_report(shop)
    client.force_login(bob)
    page = client.get(PAGE)
    for hidden in ("Request report", "Request again", "Report columns", "Edit Schedule"):
        assert hidden not in words(page)
    answer = client.get(f"{PAGE}{report.pk}/download/")
    assert b"".join(answer.streaming_content) == content(report)
    assert client.get(f"{PAGE}{report.pk}/").status_code == 200
    assert "Request report" not in words(client.get(PAGE + "unshipped/"))
    for address in ("request/", "schedule/", "columns/", f"{failed.pk}/again/"):
        assert client.post(PAGE + address, {"days": "3"}).status_code == 403


@pytest.mark.req("REPORT-19", "REPORT-06", "IMPL-34")
def test_a_failed_report_says_why_and_can_be_requested_again(maya, shop):
    failed = failed_report(shop)
    text = words(maya.get(PAGE))
    assert "Failed Something went wrong on our side. Reference 0badf00d" in text
    again = f"{PAGE}{failed.pk}/again/"
    page = maya.post(again, form_of(maya, PAGE, again), follow=True)
    assert "Your request is being processed" in words(page)
    jobs.run("reports")
    assert "This report has not failed." in words(maya.post(again, follow=True))
    failed.refresh_from_db()
    assert failed.state == "no_data"


@pytest.mark.req("SD-10")
def test_a_merchant_asks_for_at_most_sixty_reports_an_hour(maya, shop):
    with clock.stopped(clock.now()):
        codes = [maya.post(PAGE + "request/", {"days": "3"}).status_code for _ in range(61)]
    assert codes == [302] * 60 + [429]


@pytest.mark.req("REPORT-15", "REPORT-06")
def test_unshipped_orders_have_a_page_of_their_own(maya, shop):
    address = PAGE + "unshipped/"
    assert "No reports have been generated yet." in words(maya.get(address))
    unshipped_order(shop)
    fields = form_of(maya, address, PAGE + "request/")
    page = maya.post(PAGE + "request/", fields, follow=True)
    assert page.redirect_chain == [(address, 302)]
    jobs.run("reports")
    report = Report.objects.get()
    assert (report.kind, report.state, report.rows) == ("unshipped", "ready", 1)
    text = words(maya.get(address))
    assert f"Unshipped orders {report.pk}" in text
    assert "All dates" in text


@pytest.mark.req("REPORT-22", "INV-08", "INV-10")
def test_columns_are_switched_on_and_off_for_the_account(maya, shop):
    address = PAGE + "columns/"
    fields = form_of(maya, address)
    assert maya.post(address, fields | {"columns": ["currency", "item-tax"]}).status_code == 302
    unshipped_order(shop)
    header = content(make(shop)).split(b"\r\n")[0]
    assert header.endswith(b"sales-channel\tcurrency\titem-tax")
    assert body(maya.get(address)).count("checked") == 2
    stale = maya.post(address, fields | {"columns": ["order-status"]})
    assert (stale.status_code, "Someone else changed this page" in words(stale)) == (409, True)
    assert "Changed by Alice Owner" in words(stale)
    assert "Report columns: currency, item-tax" in words(stale)
    kept = fields_in(body(stale), address)  # what was ticked, to be saved over the other's
    assert (kept["columns"], kept["seen"]) == ("order-status", "1")
    assert maya.post(address, fields | {"seen": 1, "columns": ["card"]}).status_code == 422
    maya.post(address, fields | {"seen": 1})
    assert content(make(shop, days=7)).split(b"\r\n")[0].endswith(b"sales-channel")
    lines = Entry.objects.filter(event="reports.columns_changed").order_by("number")
    assert [line.after["columns"] for line in lines] == [["currency", "item-tax"], []]


@pytest.mark.req("REPORT-04", "INV-08", "INV-10")
def test_a_schedule_is_made_changed_and_removed(maya, shop):
    address = PAGE + "schedule/"
    page = maya.get(address)
    assert re.findall(r'<option value="(\w+)"', body(page)) == [
        "orders", "unshipped", "15", "30", "60", "120", "240", "480", "720", "1440", "2880", "4320",
        "10080", "20160", "21600", "43200", "never",
    ]  # fmt: skip
    assert "New Schedule" in words(page)
    assert "Current schedule" not in words(page)
    first = form_of(maya, address) | {"kind": "orders", "frequency": "1440"}
    page = maya.post(address, first, follow=True)
    made = Schedule.objects.get()
    assert (made.period, made.next_run_at - made.last_run_at) == (1440, timedelta(days=1))
    for part in ("Schedule saved", "Current schedule", "Every day", "Next run", "Remove"):
        assert part in words(page), part
    assert "Every day" in words(maya.get(PAGE))

    stale = maya.post(address, first | {"frequency": "15"})
    assert (stale.status_code, Schedule.objects.get().period) == (409, 1440)
    assert "Someone else changed this page" in words(stale)
    kept = fields_in(body(stale).partition("New Schedule")[0], address)
    assert kept["seen_orders"] == "1"

    fields = form_of(maya, address)
    maya.post(address, fields | {"kind": "orders", "frequency": "15"})
    maya.post(address, form_of(maya, address) | {"kind": "unshipped", "frequency": "60"})
    assert Schedule.objects.count() == 2
    page = maya.post(
        address, form_of(maya, address) | {"kind": "orders", "frequency": "never"}, follow=True
    )
    assert "Schedule removed" in words(page)
    assert words(page).count("Current schedule") == 1
    lines = Entry.objects.filter(event="reports.schedule_changed").order_by("number")
    assert [line.after["minutes"] for line in lines] == [1440, 15, 60, None]
    assert maya.post(address, fields | {"frequency": "7"}).status_code == 422


@pytest.mark.req("REPORT-14", "REPORT-21")
def test_the_viewer_shows_the_rows_and_marks_the_order_searched_for(maya, shop):
    orders = [unshipped_order(shop, lines=2) for _number in range(3)]
    report = make(shop)
    address = f"{PAGE}{report.pk}/"
    page = maya.get(address)
    assert re.findall(r"<th scope=\"col\">([\w-]+)</th>", body(page))[:2] == [
        "order-id",
        "purchase-date",
    ]
    assert all(body(page).count(order.number) >= 2 for order in orders)
    for typed in (orders[2].number, orders[2].number.replace("-", "")):
        found = body(maya.get(address, {"order": typed}))
        marked = re.findall(r'<tr class="is-found" aria-current="true"><td>([\d-]+)', found)
        assert marked == [orders[2].number] * 2
    for typed in ("203-0000000-0000000", "<b>x", orders[0].number[:-1]):
        page = maya.get(address, {"order": typed})
        assert f"This report does not hold the order “{typed}”." in words(page)
    for nowhere in ("5", "999999999", str(report.size)):
        assert maya.get(address, {"at": nowhere}).status_code == 404
    for nonsense in ("x", "-1", "1" * 40, "٣"):
        assert maya.get(address, {"at": nonsense}).status_code == 200
    viewed = Entry.objects.filter(event="report.viewed", actor="Alice Owner")
    assert viewed.count() >= 3


@pytest.mark.req("REPORT-14", "IMPL-19")
def test_the_viewer_pages_through_a_file_both_ways_and_misses_no_row(shop, monkeypatch):
    monkeypatch.setattr(reading, "LINES", 3)
    monkeypatch.setattr(reading, "_BLOCK", 512)  # smaller than a page: it is read by pieces
    sku = ListingFactory(merchant=shop, title="Krug 🫖 " + "ü" * 60).sku
    orders = [unshipped_order(shop, lines=[ItemDraft(sku, 1, PLAIN)]) for _number in range(8)]
    report = make(shop)
    look = partial(reading.view, report=report, by=STAFF)
    pages = [look(place=None)]
    while pages[-1].next is not None:
        pages.append(look(place=pages[-1].next))
    numbers = [row[0] for page in pages for row in page.rows]
    assert numbers == [order.number for order in orders]
    assert [len(page.rows) for page in pages] == [3, 3, 2]
    assert pages[0].previous is None
    back = look(place=pages[2].previous)
    assert back == pages[1]
    assert look(place=back.previous) == pages[0]
    for number, order in enumerate(orders):
        place = reading.find(report=report, order_number=order.number)
        assert look(place=place).rows[0][0] == orders[number].number
    second = reading.find(report=report, order_number=orders[1].number)
    assert look(place=look(place=second).previous).rows[0][0] == orders[0].number
    with pytest.raises(reading.NoPlace):
        look(place=second + 1)


@pytest.mark.req("REPORT-06")
def test_the_list_is_newest_first_and_paged_within_its_budget(
    maya, shop, django_assert_num_queries
):
    made = [failed_report(shop) for _number in range(28)]
    page = maya.get(PAGE)
    listed = [int(pk) for pk in re.findall(r'id="report-(\d+)"', body(page))]
    assert listed == [report.pk for report in reversed(made)][:25]
    older = maya.get(PAGE, {"before": str(listed[-1])})
    assert [int(pk) for pk in re.findall(r'id="report-(\d+)"', body(older))] == [
        report.pk for report in reversed(made[:3])
    ]
    for nonsense in ("x", "-1", "9" * 40):
        assert maya.get(PAGE, {"before": nonsense}).status_code == 200
    counts = []
    for _size in range(2):
        with django_assert_num_queries(BUDGET):
            maya.get(PAGE)
        counts.append(Report.objects.count())
        Report.objects.exclude(pk=made[0].pk).delete()
    assert counts == [28, 1]


BUDGET = 5  # session, member, schedules, columns, reports
