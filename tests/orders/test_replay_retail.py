"""A year that cannot be read is named, and nothing is made of it."""

from __future__ import annotations

import gzip

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Merchant

NAMES = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
SOLD = "536365,85123A,Holder,6,2010-12-01 08:26:00,2.55,17850,United Kingdom\n"


@pytest.mark.django_db
@pytest.mark.req("IMPL-27", "IMPL-25")
@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "The file has no columns Country, CustomerID"),
        (b"\xff\xfe\x00", "The file cannot be read: 'utf-8' codec"),
        (b"a" * 200_000, "The file cannot be read: field larger"),
        (b"a,b\n1,2\n", "The file has no columns Country"),
        (NAMES.encode(), "There is no order in the file."),
        ((NAMES + "1,A,x\n").encode(), "Record 1 has no units, price or date."),
        ((NAMES + SOLD + SOLD.replace("2.55", "NaN")).encode(), "Record 2 has no price."),
        ((NAMES + SOLD.replace("2.55", "x")).encode(), "Record 1 has no units, price or date."),
        ((NAMES + SOLD.replace("2010", "20x0")).encode(), "Record 1 has no units, price or date."),
    ],
)
def test_a_year_that_cannot_be_read_is_named(tmp_path, data, message):
    file = tmp_path / "year.csv"
    file.write_bytes(data)
    _is_refused(file, message)


@pytest.mark.django_db
@pytest.mark.req("IMPL-27")
def test_half_an_archive_no_archive_and_no_file_are_named(tmp_path):
    half = tmp_path / "half.csv.gz"
    half.write_bytes(gzip.compress((NAMES + SOLD).encode())[:-9])
    none = tmp_path / "none.csv.gz"
    none.write_bytes(NAMES.encode())
    for file in (half, none, tmp_path, tmp_path / "missing.csv"):
        _is_refused(file, "The file cannot be read: ")


def _is_refused(file, message):
    with pytest.raises(CommandError) as told:
        call_command("replay_retail", file, merchant="a-year")
    assert str(told.value).startswith(message)
    assert not Merchant.objects.exists()
