"""The workbooks that merchants fill in: made by code, without macros (FEED-03 to FEED-08, K25)."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from core.money import DECIMALS
from orders import carriers
from orders.enums import CancelReason, RefundReason
from uploads.columns import COMPONENT_OF, LAYOUTS, marker_row
from uploads.enums import Feed

NAMES: Mapping[Feed, str] = {
    Feed.SHIPPING: "Shipping Confirmation Template",
    Feed.CANCELLATION: "Order Cancellation Template",
    Feed.ADJUSTMENTS: "Adjustments Template",
}
_DATA_SHEET: Mapping[Feed, str] = {
    Feed.SHIPPING: "Shipping Confirmation",
    Feed.CANCELLATION: "Order Cancellation",
    Feed.ADJUSTMENTS: "Adjustments",
}
ROWS = 2000  # that are preset to text and validated; more can be filled in below
_FIRST = 2  # rows before the records: marker and names
_INSTRUCTIONS = (
    "Fill in the last worksheet of this workbook, one record a row, from row 3 on.",
    "Leave its first two rows as they are. Columns in bold are required.",
    "Order numbers, item numbers and tracking IDs are text: cells are preset so that leading zeros"
    " stay. When you paste, paste values only.",
    "Dates are written yyyy-mm-dd, for example 2026-12-08. Amounts have a point and no separators.",
    "Do not put tabs or line breaks into cells, and do not wrap them.",
    "When you are done, choose Save As and save this one worksheet as tab-delimited text"
    " (Text, tab-delimited; in UTF-8 where you are asked). Then upload that text file.",
)


def workbook(feed: Feed, *, country: str, validated: bool) -> bytes:
    """Return a template as .xlsx; country chooses the carriers in its list.

    validated: with lists and rules on cells, or without (FEED-03).
    """
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"in_memory": True, "strings_to_numbers": False})
    book.set_properties({"title": NAMES[feed]})
    bold = book.add_format({"bold": True})
    text = book.add_format({"num_format": "@"})
    wrapped = book.add_format({"text_wrap": True, "valign": "top"})
    _instructions(book, feed, bold, wrapped)
    _definitions(book, feed, bold, wrapped)
    if feed != Feed.ADJUSTMENTS:  # of which three sheets are asked for (FEED-06)
        _rows(book.add_worksheet("Example"), feed, bold, text, example=True)
    data = book.add_worksheet(_DATA_SHEET[feed])
    _rows(data, feed, bold, text, example=False)
    if validated:
        _validate(data, feed, country)
    data.activate()
    book.close()
    return target.getvalue()


def _instructions(book: Workbook, feed: Feed, bold: Format, wrapped: Format) -> None:
    sheet = book.add_worksheet("Instructions")
    sheet.set_column(0, 0, 100)
    sheet.write_string(0, 0, NAMES[feed], bold)
    for row, sentence in enumerate(_INSTRUCTIONS, start=2):
        sheet.write_string(row, 0, sentence, wrapped)


def _definitions(book: Workbook, feed: Feed, bold: Format, wrapped: Format) -> None:
    sheet = book.add_worksheet("Definitions" if feed == Feed.ADJUSTMENTS else "Data Definitions")
    sheet.set_column(0, 0, 28)
    sheet.set_column(1, 1, 70)
    sheet.set_column(2, 4, 16)
    for column, heading in enumerate(("Field", "Definition", "Longest", "Required", "Example")):
        sheet.write_string(0, column, heading, bold)
    for row, field in enumerate(LAYOUTS[feed].columns, start=1):
        cells = (field.name, str(field.meaning), str(field.most), "yes" if field.required else "no")
        for column, cell in enumerate((*cells, field.example)):
            sheet.write_string(
                row, column, cell, bold if not column and field.required else wrapped
            )


def _rows(sheet: Worksheet, feed: Feed, bold: Format, text: Format, *, example: bool) -> None:
    """Write marker, names and, in the example, one record; every cell below is text (FEED-07)."""
    columns = LAYOUTS[feed].columns
    sheet.set_column(0, len(columns) - 1, 22, text)
    for column, cell in enumerate(marker_row(feed).split("\t")):
        sheet.write_string(0, column, cell)
    for column, field in enumerate(columns):
        sheet.write_string(1, column, field.name, bold if field.required else None)
    sheet.freeze_panes(_FIRST, 1)
    if example:
        for column, field in enumerate(columns):
            sheet.write_string(_FIRST, column, field.example, text)


def _validate(sheet: Worksheet, feed: Feed, country: str) -> None:
    """Put lists and rules on the cells of records. Cells are text, so rules look at their text."""
    names = LAYOUTS[feed].names
    for name, values in _lists(feed, country).items():
        column = names.index(name)
        rule = {"validate": "list", "source": list(values), "error_type": "warning"}
        _apply(sheet, column, rule, f"Choose {name} from the list.")
    for name in names:
        column = names.index(name)
        cell = f"{_letter(column)}{_FIRST + 1}"
        formula = _RULES.get(name) or (_AMOUNT if name in COMPONENT_OF else None)
        if formula:
            rule = {"validate": "custom", "value": formula.format(cell=cell)}
            _apply(sheet, column, rule, _HINTS.get(name, "Digits and a point, like 12.99."))


_ORDER = '=AND(LEN({cell})=19,MID({cell},4,1)="-",MID({cell},12,1)="-")'
_AMOUNT = "=AND(ISNUMBER(VALUE({cell})),VALUE({cell})>=0)"
_RULES: Mapping[str, str] = {
    "order-id": _ORDER,
    "order-item-id": _ORDER,
    "quantity": "=AND(ISNUMBER(VALUE({cell})),VALUE({cell})>=1,VALUE({cell})=INT(VALUE({cell})))",
    "ship-date": '=AND(LEN({cell})=10,MID({cell},5,1)="-",MID({cell},8,1)="-",'
    "ISNUMBER(DATEVALUE({cell})))",
}
_HINTS: Mapping[str, str] = {
    "order-id": "19 characters, like 203-7719304-1184526.",
    "order-item-id": "19 characters, like 203-7719304-4410034.",
    "quantity": "A whole number of 1 or more.",
    "ship-date": "Write it like 2026-12-08.",
}


def _lists(feed: Feed, country: str) -> Mapping[str, Sequence[str]]:
    if feed == Feed.SHIPPING:
        return {"carrier-code": carriers.codes_for(country)}
    if feed == Feed.CANCELLATION:
        return {"cancellation-reason-code": [reason.value for reason in CancelReason]}
    reasons = [reason.value for reason in RefundReason]
    return {"adjustment-reason-code": reasons, "currency": sorted(DECIMALS)}


def _apply(sheet: Worksheet, column: int, rule: dict[str, Any], message: str) -> None:
    last = _FIRST + ROWS - 1
    told = {"error_title": "Please check", "error_message": message, "ignore_blank": True}
    sheet.data_validation(_FIRST, column, last, column, {**rule, **told})


def _letter(column: int) -> str:
    return chr(ord("A") + column)
