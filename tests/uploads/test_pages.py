"""Upload Order Related Files, as people see it."""

from __future__ import annotations

import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from tests.factories import unshipped_order
from tests.uploads.conftest import work_through
from tests.uploads.test_shipping_feed import MARKER, NAMES, line
from uploads.codes import CODES
from uploads.enums import Feed
from uploads.models import Upload

SHIPPING = "/orders/uploads/shipping-confirmation/"


@pytest.fixture
def signed_in(client, alice):
    client.force_login(alice)
    return client


def send(client, text: str, address: str = SHIPPING, **more):
    file = SimpleUploadedFile("morning.txt", text.encode(), "text/plain")
    return client.post(address, {"file": file, **more}, follow=True)


@pytest.mark.req("FEED-01", "FEED-02")
@pytest.mark.parametrize("feed", list(Feed))
def test_three_pages_have_three_steps(signed_in, feed):
    page = signed_in.get(f"/orders/uploads/{feed.value}/").content.decode()
    for label in (
        "Upload Order Related Files",
        f"Prepare Your {feed.label} File",
        "Download Template",
        f"Upload Your {feed.label} File",
        "Upload Now",
        "Review File Status and History",
        "View all uploads",
    ):
        assert label in page
    for other in Feed:
        assert str(other.label) in page


@pytest.mark.req("FEED-13", "FEED-15", "FEED-16", "FEED-39")
def test_a_file_is_taken_processed_and_answered(signed_in, shop):
    order = unshipped_order(shop, quantity=2)
    text = MARKER + NAMES + line(order) + line(order).replace(order.number, "1-2-3")
    page = send(signed_in, text)
    upload = Upload.objects.get()
    assert page.redirect_chain[-1][0] == f"/orders/uploads/{upload.number}/"
    assert "Submitted" in page.content.decode()
    work_through(upload)
    page = signed_in.get(f"/orders/uploads/{upload.number}/").content.decode()
    assert "Number of records processed" in page
    assert 'href="/help/error-codes/#code-1102"' in page
    report = b"".join(signed_in.get(f"/orders/uploads/{upload.number}/processing-report.txt"))
    head = "Number of records processed: 2\nNumber of records successful: 1\n"
    assert report.decode().startswith(f"Feed Processing Summary:\n{head}\n")
    assert report.decode().splitlines()[-1].startswith("2\t1102\terror\torder-id “1-2-3”")
    original = signed_in.get(f"/orders/uploads/{upload.number}/original/")
    assert b"".join(original) == text.encode()
    mended = b"".join(signed_in.get(f"/orders/uploads/{upload.number}/failed-records.txt"))
    assert mended.decode().splitlines()[0].startswith("TemplateType=ShippingConfirmation\t")
    assert mended.decode().splitlines()[2:] == [line(order).replace(order.number, "1-2-3").rstrip()]


@pytest.mark.req("FEED-36")
def test_the_same_file_again_asks_first(signed_in, shop):
    order = unshipped_order(shop, quantity=2)
    text = MARKER + NAMES + line(order)
    send(signed_in, text)
    work_through(Upload.objects.get())
    asked = send(signed_in, text)
    assert asked.status_code == 409
    assert "Upload this file once more" in asked.content.decode()
    assert Upload.objects.count() == 1
    send(signed_in, text, again="on")
    again = work_through(Upload.objects.latest("pk"))
    assert again.succeeded == 0
    assert [m["code"] for m in again.records.get().messages] == [2008]


def test_a_check_changes_nothing_and_is_applied_as_it_said(signed_in, shop):
    order = unshipped_order(shop, quantity=2)
    send(signed_in, MARKER + NAMES + line(order), check="1")
    checked = work_through(Upload.objects.get())
    order.refresh_from_db()
    assert (checked.state, order.status) == ("checked", "unshipped")
    page = signed_in.get(f"/orders/uploads/{checked.number}/").content.decode()
    assert "Confirm 1 parcels of 2 units" in page
    assert "Nothing has been done yet" in page
    signed_in.post(f"/orders/uploads/{checked.number}/apply/")
    applied = work_through(Upload.objects.latest("pk"))
    order.refresh_from_db()
    assert (applied.state, applied.succeeded, order.status) == ("done", 1, "shipped")


@pytest.mark.req("FEED-38")
def test_who_may_not_refund_uploads_no_adjustments(client, bob):
    client.force_login(bob)
    assert client.get("/orders/uploads/adjustments/").status_code == 200
    assert send(client, "x", "/orders/uploads/adjustments/").status_code == 403
    assert not Upload.objects.exists()


@pytest.mark.req("FEED-19")
def test_every_code_is_explained(signed_in):
    page = signed_in.get("/help/error-codes/").content.decode()
    for number in CODES:
        assert f'id="code-{number}"' in page


@pytest.mark.req("FEED-03", "FEED-04", "FEED-05", "FEED-06", "FEED-07", "FEED-08")
@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize(
    ("feed", "sheets", "bold"),
    [
        (
            Feed.SHIPPING,
            ["Instructions", "Data Definitions", "Example", "Shipping Confirmation"],
            ["order-id", "ship-date"],
        ),
        (
            Feed.CANCELLATION,
            ["Instructions", "Data Definitions", "Example", "Order Cancellation"],
            ["order-id"],
        ),
        (Feed.ADJUSTMENTS, ["Instructions", "Definitions", "Adjustments"], ["order-id"]),
    ],
)
def test_templates_are_workbooks(signed_in, feed, sheets, bold, plain):
    import openpyxl

    help_page = signed_in.get(f"/help/templates/{feed.value}/").content.decode()
    assert f"{feed.label} Template" in help_page
    query = "?validation=no" if plain else ""
    answer = signed_in.get(f"/help/templates/{feed.value}/template.xlsx{query}")
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    assert book.sheetnames == sheets
    sheet = book[sheets[-1]]
    assert sheet["A1"].value.startswith("TemplateType=")
    assert sheet["B1"].value == "Version=1.0"
    assert [cell.value for cell in sheet[2] if cell.font.bold] == bold
    assert bool(sheet.data_validations.dataValidation) is not plain
    assert sheet.column_dimensions["A"].number_format == "@" or sheet["A3"].number_format == "@"


@pytest.mark.req("FEED-14")
def test_the_last_ten_are_shown_and_all_are_one_link_away(signed_in, shop, hand_in):
    for _each in range(12):
        hand_in(Feed.SHIPPING, MARKER, again=True)
    page = signed_in.get(SHIPPING).content.decode()
    assert page.count('id="upload-') == 10
    assert signed_in.get(f"{SHIPPING}history/").content.decode().count('id="upload-') == 12


@pytest.mark.req("FEED-31")
def test_the_cancellation_page_repeats_what_cancelling_means(signed_in):
    page = signed_in.get("/orders/uploads/order-cancellation/").content.decode()
    assert "The buyer of each cancelled order is told by e-mail." in page
    assert "Orders not confirmed within 30 days are cancelled automatically" in page
    assert "A cancellation rate above 5% is cause for concern." in page


@pytest.mark.req("FEED-20", "FEED-28", "FEED-32")
@pytest.mark.parametrize(
    ("feed", "count"), [(Feed.SHIPPING, 8), (Feed.CANCELLATION, 3), (Feed.ADJUSTMENTS, 14)]
)
def test_the_definitions_name_every_field(signed_in, feed, count):
    import openpyxl

    answer = signed_in.get(f"/help/templates/{feed.value}/template.xlsx")
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    rows = list(book.worksheets[1].iter_rows(min_row=2, values_only=True))
    assert len(rows) == count
    assert [row[0] for row in rows] == [cell.value for cell in book.worksheets[-1][2]]


@pytest.mark.req("FEED-40")
def test_uploads_of_a_merchant_wait_for_each_other_and_for_nobody_else(shop, alice, charlie):
    from core.actor import Actor
    from uploads.domain import processing, receiving

    def hand_in(person, merchant):
        by = Actor("form", person.name, user_id=person.pk, owner=True)
        return receiving.receive(
            merchant=merchant, feed=Feed.SHIPPING, file_name="x", pieces=[b"x"], by=by, again=True
        )

    first, second = hand_in(alice, shop), hand_in(alice, shop)
    other = hand_in(charlie, charlie.memberships.get().merchant)
    assert processing.waiting() == [first.pk, other.pk]
    assert processing.take(first.pk) is not None
    assert processing.take(first.pk) is None  # somebody works on it
    assert processing.waiting() == [other.pk]
    Upload.objects.filter(pk=first.pk).update(lease_until=None)
    work_through(first)
    assert processing.waiting() == [second.pk, other.pk]


@pytest.mark.req("IMPL-34")
def test_pages_need_as_many_queries_for_many_uploads_as_for_one(
    signed_in, hand_in, django_assert_max_num_queries
):
    for _each in range(11):
        hand_in(Feed.SHIPPING, "order-id\tship-date\nx\ty\n", again=True)
    with django_assert_max_num_queries(10):
        signed_in.get(SHIPPING)
    with django_assert_max_num_queries(10):
        signed_in.get(f"/orders/uploads/{Upload.objects.latest('pk').number}/")
