"""The command that brings in a file of orders: every record is placed, known or named."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tracemalloc

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog.models import Listing
from orders.imports import lines, tab_file
from orders.models import Item, Order
from tests.factories import MerchantFactory
from tests.orders.test_place_order import COLUMNS, line
from tests.races import racers

NAMES = COLUMNS.split("\t")


def bring(path, shop, data, *more):
    """Import bytes or text; return (last words, errors, whether the command failed)."""
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command("import_orders", path, *more, merchant=shop.slug, stdout=out, stderr=err)
    except CommandError as error:
        return out.getvalue(), err.getvalue() + str(error), True
    return out.getvalue(), err.getvalue(), False


def text(*records, head=COLUMNS, end="\n"):
    return end.join([head, *records]) + end


@pytest.fixture
def file(tmp_path):
    return tmp_path / "orders.txt"


def placed(shop):
    return sorted(Order.objects.for_merchant(shop).values_list("merchant_order_number", flat=True))


@pytest.mark.req("FEED-40", "MWS-14", "IMPL-01", "INV-13")
def test_a_second_run_places_nothing_twice_and_what_was_mended_is_added(shop, file):
    first = text(line("A1"), line("A2", price="x"), line("A3"))
    out, _err, failed = bring(file, shop, first)
    assert (failed, "2 placed, 0 known already, 1 refused" in out) == (True, True)
    stock = list(Listing.objects.values_list("sku", "quantity_available"))

    mended = text(line("A1"), line("A2"), line("A3"))
    out, _err, failed = bring(file, shop, mended)
    assert (failed, "1 placed, 2 known already, 0 refused" in out) == (False, True)
    out, _err, _failed = bring(file, shop, mended)
    assert "0 placed, 3 known already, 0 refused" in out
    assert placed(shop) == ["A1", "A2", "A3"]
    assert list(Listing.objects.values_list("sku", "quantity_available")) == stock


@pytest.mark.req("INV-16", "IMPL-03")
def test_the_same_number_in_two_shops_is_two_orders(shop, file):
    other = MerchantFactory()
    for each in (shop, other):
        assert not bring(file, each, text(line("A1")))[2]
        assert placed(each) == ["A1"]


@pytest.mark.req("INV-13", "IMPL-25", "FEED-09")
@pytest.mark.parametrize(
    ("record", "told"),
    [
        pytest.param(line(""), "order-id: this is needed", id="REC no order-id"),
        pytest.param(line("B", price="1,00"), "item-price: must be an amount", id="MON 1,00"),
        pytest.param(line("B", price="1e2"), "item-price: must be an amount", id="MON 1e2"),
        pytest.param(line("B", price="NaN"), "item-price: must be an amount", id="MON NaN"),
        pytest.param(line("B", price="-1"), "item-price: must be an amount", id="MON -1"),
        pytest.param(line("B", price="1.005"), "item-price: must be an amount", id="MON 1.005"),
        pytest.param(line("B", price="５"), "item-price: must be an amount", id="MON full width"),
        pytest.param(line("B", quantity="0"), "items.0.quantity", id="SHIP 0"),
        pytest.param(line("B", quantity="-1"), "quantity-purchased: must be", id="SHIP -1"),
        pytest.param(line("B", quantity="1.0"), "quantity-purchased: must be", id="SHIP 1.0"),
        pytest.param(line("B", quantity="1,000"), "quantity-purchased: must be", id="SHIP 1,000"),
        pytest.param(line("B", quantity="٣"), "quantity-purchased: must be", id="SHIP Arabic"),
        pytest.param(line("B", quantity="9" * 30), "quantity-purchased: must be", id="SHIP 10^30"),
        pytest.param(line("B", quantity="9999999"), "items.0.quantity", id="SHIP too many"),
        pytest.param(line("B", sku=""), "items.0.sku: This is needed", id="REC no SKU"),
        pytest.param(line("B", sku="S" * 41), "items.0.sku: Must be 40", id="REC long SKU"),
        pytest.param(line("B" * 61), "merchant_order_number: Must be 60", id="REC long number"),
        pytest.param(line("B", **{"purchase-date": "2024-02-30"}), "purchase-date", id="DATE-1"),
        pytest.param(line("B", **{"purchase-date": "2024-W01-1"}), "purchase-date", id="DATE-2 week"),
        pytest.param(line("B", **{"purchase-date": "20240102"}), "purchase-date", id="DATE-2 bare"),
        pytest.param(line("B", **{"purchase-date": "1/2/2024"}), "purchase-date", id="DATE-2 slashes"),
        pytest.param(line("B", **{"purchase-date": "2024-01-02T03:04:05"}), "purchase-date",
                     id="DATE-2 no zone"),
        pytest.param(line("B", **{"purchase-date": "0001-01-01"}), "purchase", id="DATE-1 year 1"),
        pytest.param(line("B", **{"purchase-date": "9999-12-31"}), "future", id="DATE-1 year 9999"),
        pytest.param(line("B", **{"purchase-date": "45293"}), "purchase-date", id="DATE-2 serial"),
        pytest.param(line("B", **{"buyer-email": "x"}), "buyer_email", id="REC e-mail"),
        pytest.param(line("B", **{"buyer-email": "a@b.c\x01"}), "control characters", id="REC control"),
        pytest.param(line("B", **{"ship-country": "UK!"}), "country", id="REC country"),
        pytest.param(line("B", **{"ship-city": ""}), "city: This is needed", id="REC no city"),
        pytest.param(line("B", **{"product-name": "x" * 201}), "items.0.title", id="REC long title"),
        pytest.param(line("B") + "\tleft over", "more cells", id="UP too many cells"),
        pytest.param(line("B", **{"product-name": "Cup\tblue"}), "more cells", id="UP tab in a cell"),
        pytest.param(line("B", **{"product-name": '"Cup\tblue"'}), "more cells", id="UP quoted tab"),
        pytest.param("B", "purchase-date", id="UP too few cells"),
    ],
)  # fmt: skip
def test_a_bad_record_is_named_with_its_line_and_the_others_run(shop, file, record, told):
    out, err, failed = bring(file, shop, text(line("A"), "", record, line("C")))
    assert failed
    assert "2 placed, 0 known already, 1 refused" in out
    assert err.startswith("line 4, order ")
    assert told in err.splitlines()[0]
    assert placed(shop) == ["A", "C"]


@pytest.mark.req("INV-13", "FEED-40", "SEARCH-11")
@pytest.mark.parametrize(
    ("sku", "again"),
    [("ΟΔΟΣ", "ΟΔΟΣ"), ("İNCİ", "İNCİ"), ("CAFÉ", "café"), ("カップ", "カップ"), ("K", "k")],
)
def test_a_sku_is_one_listing_whatever_its_letters(shop, file, sku, again):
    """Databases and programs write some letters small in different ways; the database decides."""
    orders = [line("A", sku=sku), line("B", sku=again), line("C")]
    out, err, _failed = bring(file, shop, text(*orders))
    assert ("3 placed, 0 known already, 0 refused" in out, err) == (True, "")
    out, err, _failed = bring(file, shop, text(*orders, line("D", sku=sku)))
    assert ("1 placed, 3 known already, 0 refused" in out, err) == (True, "")
    sold = Item.objects.filter(order__merchant_order_number__in=["A", "D"])
    assert len(set(sold.values_list("listing", flat=True))) == 1


@pytest.mark.req("IMPL-25", "TH-57")
def test_an_order_number_is_told_plainly_and_cut(shop, file):
    _out, err, _failed = bring(file, shop, text(line("\x1b[31mA\x07"), line("B" * 5000)))
    told = err.splitlines()
    assert told[0].startswith("line 2, order \ufffd[31mA\ufffd: this record has control")
    assert told[1].startswith(f"line 3, order {'B' * 199}…: merchant_order_number: Must be 60")


@pytest.mark.req("INV-13", "FEED-09")
def test_the_line_named_is_the_one_in_error(shop, file):
    """The second item of an order that is spread over the file."""
    records = [line("A"), line("B"), line("A", sku="JUG", price="x"), line("B", sku="S" * 41)]
    _out, err, _failed = bring(file, shop, text(*records))
    assert err.splitlines()[:2] == [
        "line 4, order A: item-price: must be an amount, like 349.99",
        "line 5, order B: items.1.sku: Must be 40 characters or fewer.",
    ]
    assert placed(shop) == []
    assert not Listing.objects.exists()


@pytest.mark.req("INV-13")
def test_records_without_a_number_are_each_named(shop, file):
    _out, err, _failed = bring(file, shop, text(line(""), line(""), line("A")))
    assert [told.split(",")[0] for told in err.splitlines()[:2]] == ["line 2", "line 3"]


@pytest.mark.req("INV-13", "INV-03")
@pytest.mark.parametrize(
    ("column", "value"),
    [("ship-address-1", "12 Main"), ("buyer-email", "sue@mail.example"), ("currency", "EUR"),
     ("purchase-date", "2026-01-06")],
)  # fmt: skip
def test_lines_of_one_order_that_disagree_are_refused(shop, file, column, value):
    head = COLUMNS + "\tcurrency"
    second = dict(zip([*NAMES, "currency"], (line("A") + "\tGBP").split("\t"), strict=True))
    records = [line("A") + "\tGBP", "\t".join((second | {column: value}).values())]
    _out, err, failed = bring(file, shop, text(*records, head=head))
    assert failed
    assert f"line 3, order A: {column}: differs from the first line of this order" in err


@pytest.mark.req("INV-03", "MONEY-01")
def test_another_currency_is_refused(shop, file):
    data = text(line("A") + "\tEUR", head=COLUMNS + "\tcurrency")
    assert "line 2, order A: currency: must be GBP" in bring(file, shop, data)[1]


@pytest.mark.req("FEED-10", "FEED-09", "IMPL-10")
@pytest.mark.parametrize(
    ("data", "told"),
    [
        pytest.param(b"", "The file is empty", id="UP-1 0 bytes"),
        pytest.param(b"\xef\xbb\xbf", "The file is empty", id="UP-1 mark only"),
        pytest.param(b"\r\n\n \t \n", "The file is empty", id="UP-1 blank lines"),
        pytest.param(b"\xff\xfe", "The file is empty", id="UP-1 UTF-16 mark only"),
        pytest.param(b"x" * (lines.LARGEST + 1), "more than 10 MB", id="UP-2 too large"),
        pytest.param(b"PK\x03\x04" + b"\0" * 50, "no tab-delimited text", id="UP-3 workbook"),
        pytest.param(b"\xd0\xcf\x11\xe0\xa1", "no tab-delimited text", id="UP-3 old workbook"),
        pytest.param(b"%PDF-1.7\n", "no tab-delimited text", id="UP-3 PDF"),
        pytest.param(b"\x89PNG\r\n", "no tab-delimited text", id="UP-3 picture"),
        pytest.param(b"\x1f\x8b\x08\0", "no tab-delimited text", id="UP-3 gzip"),
        pytest.param(b"<html><table>", "no tab-delimited text", id="UP-3 HTML"),
        pytest.param(COLUMNS.encode("utf-16-le"), "no tab-delimited text", id="UP-4 no mark"),
        pytest.param(os.urandom(2000) + b"\0", "The f", id="UP-3 random bytes"),
        pytest.param(COLUMNS.replace("\t", ",").encode(), "Missing: order-id", id="UP-3 commas"),
        pytest.param(b"a\tb\nc\td", "Unknown: a, b", id="UP-6 wrong columns"),
        pytest.param(COLUMNS.encode() + b"\tsku", "Repeated: sku", id="UP-6 a name twice"),
        pytest.param(COLUMNS.encode() + b"\tcolour", "Unknown: colour", id="UP-6 unknown"),
        pytest.param(
            COLUMNS.replace("\tsku", "").encode(), "Missing: sku. Unknown: –", id="UP-6 missing"
        ),
        pytest.param(b"\t".join(b"c%d" % n for n in range(10_000)), "Missing", id="UP-2 columns"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_read_says_why_and_places_nothing(shop, file, data, told):
    out, err, failed = bring(file, shop, data)
    assert failed
    assert told in err or (told == "The f" and "no tab-delimited text" in err)
    assert len(err) < 800
    assert (out, Order.objects.exists(), Listing.objects.exists()) == ("", False, False)


def test_too_many_records_are_refused_at_once(shop, file):
    """UP-2."""
    data = COLUMNS + "\n" + "x\n" * (lines.MOST_RECORDS + 1)
    assert "more than 50,000 records" in bring(file, shop, data)[1]


@pytest.mark.req("FEED-10")
@pytest.mark.parametrize(
    "head",
    [
        pytest.param(COLUMNS.upper(), id="case"),
        pytest.param(COLUMNS.replace("\t", " \t "), id="blanks"),
        pytest.param("\t".join(f'"{name}"' for name in NAMES), id="quotes"),
        pytest.param(COLUMNS + "\t\t", id="trailing tabs"),
        pytest.param("\n\n" + COLUMNS, id="blank lines before"),
    ],
)
def test_column_names_are_read_kindly(shop, file, head):
    """UP-6."""
    assert not bring(file, shop, text(line("A") + "\t\t", head=head))[2]
    assert placed(shop) == ["A"]


@pytest.mark.req("FEED-10")
def test_columns_may_stand_in_any_order_and_be_opted_in(shop, file):
    cells = dict(zip(NAMES, line("A").split("\t"), strict=True)) | {
        "is-business-order": "true", "purchase-order-number": "PO-7", "item-tax": "4.00",
        "ship-service-level": "Expedited", "payment-token": "declined",
    }  # fmt: skip
    names = sorted(cells)
    data = text("\t".join(cells[name] for name in names), head="\t".join(names))
    assert not bring(file, shop, data)[2]
    order = Order.objects.get()
    assert (order.purchase_order_number, order.is_business) == ("PO-7", True)
    assert (order.ship_service_level, str(order.total)) == ("expedited", "25.50")


@pytest.mark.req("FEED-11", "IMPL-27")
@pytest.mark.parametrize(
    ("country", "encoding"),
    [
        ("GB", "utf-8"), ("GB", "utf-8-sig"), ("GB", "utf-16"), ("GB", "cp1252"),
        ("JP", "utf-8"), ("JP", "utf-16"), ("JP", "cp932"),
    ],
)  # fmt: skip
def test_an_encoding_is_recognised_by_mark_validity_and_marketplace(
    shop, japanese_shop, file, country, encoding
):
    """UP-4: what is neither marked nor UTF-8 is Shift_JIS in Japan and Windows-1252 elsewhere."""
    merchant, title = (japanese_shop, "湯呑み 青磁") if country == "JP" else (shop, "Café “£5”")
    record = line("A", price="20", **{"product-name": title, "shipping-price": "5"})
    assert not bring(file, merchant, text(record).encode(encoding))[2]
    assert Item.objects.get().title == title


@pytest.mark.req("FEED-11", "INV-13")
def test_an_unreadable_record_is_named_and_never_guessed_at(shop, japanese_shop, file):
    """UP-4: bytes that stand for nothing in the file's encoding."""
    for merchant, mark, bad in (
        (shop, b"", b"caf\x81\x8d \xe9"),
        (shop, b"\xef\xbb\xbf", b"caf\xe9"),
        (japanese_shop, b"", b"\x83 \xff"),
    ):
        records = [line(n, price="20", **{"shipping-price": "5"}).encode() for n in "ABC"]
        records[1] = records[1].replace("Cup “blue”".encode(), bad)
        data = mark + b"\n".join([COLUMNS.encode(), *records])
        data = data.replace("Cup “blue”".encode(), b"Cup")
        _out, err, failed = bring(file, merchant, data)
        assert failed
        assert "line 3, order B: the characters of this record cannot be read" in err
        assert placed(merchant) == ["A", "C"]
    half = b"\xff\xfe" + text(line("A")).encode("utf-16-le") + b"x"
    assert "cannot be read" in bring(file, MerchantFactory(), half)[1]


@pytest.mark.req("FEED-09", "INV-13")
@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
@pytest.mark.parametrize("tail", ["", "\n\n\n", "\x1a", "\n\x1a"])
def test_line_ends_of_every_kind_give_the_same_records(shop, file, end, tail):
    """UP-5."""
    data = text(line("A"), line("B"), end=end).rstrip(end) + tail
    assert "2 placed, 0 known already, 0 refused" in bring(file, shop, data)[0]


@pytest.mark.req("IMPL-27", "INV-13")
@pytest.mark.parametrize(
    ("cell", "kept"),
    [
        ('"Cup ""blue"""', 'Cup "blue"'), ('Cup 5" wide', 'Cup 5" wide'), ('"Cup', '"Cup'),
        ("Cup\u2028blue", "Cup\u2028blue"), ("=1+1", "=1+1"), ("'Cup", "'Cup"), ('""', ""),
        ("👩\u200d👧 e\u0301", "👩\u200d👧 e\u0301"), ("<b>&amp;", "<b>&amp;"),
    ],
)  # fmt: skip
def test_a_quote_is_literal_unless_it_encloses_the_cell(shop, file, cell, kept):
    """UP-5, UP-7: and it never swallows the following records."""
    data = text(line("A", **{"product-name": cell}), line("B"))
    out, err, _failed = bring(file, shop, data)
    assert "2 placed" in out, err
    title = Item.objects.get(order__merchant_order_number="A").title
    assert title == (kept or "Cup “blue”")


def test_a_missing_file_and_a_missing_shop_are_named(shop, tmp_path):
    with pytest.raises(CommandError, match="No such file"):
        call_command("import_orders", tmp_path / "none.txt", merchant=shop.slug)
    with pytest.raises(CommandError, match="Is a directory"):
        call_command("import_orders", tmp_path, merchant=shop.slug)
    with pytest.raises(CommandError, match="no merchant nobody"):
        call_command("import_orders", tmp_path, merchant="nobody")


def test_products_not_met_before_can_be_refused_instead(shop, file):
    _out, err, _failed = bring(file, shop, text(line("A")), "--listings", "refuse")
    assert "line 2, order A: items.0.sku: There is no listing with SKU CUP-1." in err
    assert not Listing.objects.exists()


@pytest.mark.req("IMPL-19", "IMPL-18", "G-11")
def test_ten_thousand_lines_take_bounded_memory_and_queries(shop, file):
    records = [line(f"A{n // 4}", sku=f"SKU-{n % 50}") for n in range(10_000)]
    records[::1000] = [line(f"X{n}", price="x") for n in range(10)]
    data = text(*records)
    tracemalloc.start()
    with CaptureQueriesContext(connection) as queries:
        out, _err, _failed = bring(file, shop, data)
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert "2500 placed, 0 known already, 10 refused" in out
    chunks = -(-2510 // tab_file.CHUNK)
    assert len(queries) <= 40 * chunks
    assert peak < 100 * 2**20
    assert "2500 known already" in bring(file, shop, data)[0]


@pytest.mark.req("INV-02", "IMPL-01")
@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_the_same_file_twice_at_once_places_each_order_once(shop, file):
    data = text(*(line(f"A{n}", sku=f"S{n % 7}") for n in range(60)))

    def run():
        return [each.error for each in tab_file.bring_in(shop, data, by=tab_actor())]

    with racers(2) as race:
        for answer in race(run, run):
            assert answer == [""] * 60
    assert Order.objects.count() == 60
    assert Listing.objects.count() == 7


def tab_actor():
    from core.actor import Actor

    return Actor("file", "import of orders.txt", owner=True)


KILLED = """
import os, signal, sys, django
django.setup()
from accounts.models import Merchant
from core.actor import Actor
from orders.imports import tab_file
tab_file.CHUNK = 10
merchant = Merchant.objects.select_related("marketplace").get(slug=sys.argv[1])
by = Actor("file", "import of orders.txt", owner=True)
for done, outcome in enumerate(tab_file.bring_in(merchant, open(sys.argv[2]).read(), by=by)):
    if done == 25:
        os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.req("INV-11", "FEED-24", "FT-01")
@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_a_run_that_was_killed_goes_on_where_it_was(shop, file):
    data = text(*(line(f"A{n:02d}") for n in range(45)))
    file.write_text(data)
    name = connection.settings_dict["NAME"]
    address = os.environ["DATABASE_URL"].rsplit("/", 1)[0] + f"/{name}"
    environment = os.environ | {"DATABASE_URL": address}
    command = [sys.executable, "-c", KILLED, shop.slug, str(file)]
    killed = subprocess.run(command, env=environment, capture_output=True, timeout=120)
    assert killed.returncode == -9, killed.stderr.decode()[-500:]
    assert Order.objects.count() == 30
    assert "15 placed, 30 known already, 0 refused" in bring(file, shop, data)[0]
    assert len(placed(shop)) == 45


@pytest.mark.req("MWS-14", "ORDERTYPE-01")
@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ({"order-sub-type": "Business"}, ("business", "standard")),
        ({"order-sub-type": "Business Prime"}, ("business-prime", "standard")),
        ({"order-sub-type": "Prime"}, ("prime", "standard")),
        ({"order-sub-type": "Second_Day"}, ("second-day", "second-day")),
        ({"is-business-order": "TRUE"}, ("business", "standard")),
        ({"order-status": "Unshipped"}, ("standard", "standard")),
    ],
)
def test_what_kind_of_order_it_is_is_kept(shop, file, cells, expected):
    head = "\t".join([COLUMNS, *cells])
    record = "\t".join([line("A1"), *cells.values()])
    _out, err, failed = bring(file, shop, text(record, head=head))
    assert (failed, err) == (False, "")
    order = Order.objects.get()
    assert (order.sub_type, order.ship_service_level) == expected


@pytest.mark.req("MWS-14", "INV-05")
@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (
            {"order-status": "Cancelled"},
            "order-status: an order that is Cancelled cannot be placed",
        ),
        ({"order-status": "Shipped"}, "order-status: an order that is Shipped cannot be placed"),
        ({"is-buyer-requested-cancellation": "TRUE"}, "settle this request first"),
        ({"order-sub-type": "Golden"}, "order-sub-type: golden is none"),
    ],
)
def test_what_is_over_is_never_placed_anew(shop, file, cells, said):
    head = "\t".join([COLUMNS, *cells])
    records = ["\t".join([line("A1"), *cells.values()]), line("A2") + "\t"]
    _out, err, failed = bring(file, shop, text(*records, head=head))
    assert failed
    assert f"line 2 (order A1): {said}" in err or said in err
    assert placed(shop) == ["A2"]
