"""The processing report of an upload, byte by byte, and the file of what failed, to be mended.

Two layouts of one table: that of the page's Download (FEED-16), and that which programs written for
the signed API read (integration 4.7), with its own numbers for some codes (integration 4.8).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from uploads.codes import kind_of
from uploads.columns import marker_row
from uploads.domain.reading import parsed
from uploads.enums import Feed
from uploads.models import Upload

_COLUMNS = ("original-record-number", "error-code", "error-type", "error-message")
_WIRE_COLUMNS = (
    "original-record-number",
    "order-id",
    "order-item-id",
    "error-code",
    "error-type",
    "error-message",
)
# Numbers that programs know for what our table calls otherwise (integration 4.8).
_WIRE_CODES: Mapping[int, int] = {1004: 90012, 1103: 18028, 2006: 18021}
_PIECE = 2000  # records read at once


def messages_of(upload: Upload) -> Iterator[tuple[int, str, Mapping[str, Any]]]:
    """Yield every message with its record's number and text, the file's own first, as number 0."""
    for message in upload.problems:
        yield 0, "", message
    rows = upload.records.exclude(messages=[]).order_by("number")
    for record in rows.iterator(chunk_size=_PIECE):
        for message in record.messages:
            yield record.number, record.text, message


def processing_report(upload: Upload) -> Iterator[str]:
    """Yield the report of an upload that has ended, in the page's layout (FEED-16)."""
    yield "Feed Processing Summary:\n"
    yield f"Number of records processed: {upload.count}\n"
    yield f"Number of records successful: {upload.succeeded}\n"
    yield "\n"
    header = "\t".join(_COLUMNS) + "\n"
    for number, _text, message in messages_of(upload):
        code = message["code"]
        yield header + "\t".join([str(number), str(code), kind_of(code), _flat(message)]) + "\n"
        header = ""


def wire_report(upload: Upload) -> Iterator[str]:
    """Yield the report as clients of the signed API expect it, every byte (integration 4.7)."""
    yield "Feed Processing Summary:\n"
    yield f"\tNumber of records processed\t\t{upload.count}\n"
    yield f"\tNumber of records successful\t\t{upload.succeeded}\n"
    yield "\n"
    header = "\t".join(_WIRE_COLUMNS) + "\n"
    for number, text, message in messages_of(upload):
        values = parsed(upload.names, text) if text else {}
        code = message["code"]
        kind = kind_of(code).capitalize()
        if number == 0 and kind == "Error":
            kind = "Fatal"
        cells = [str(number), values.get("order-id", ""), values.get("order-item-id", "")]
        cells += [str(_WIRE_CODES.get(code, code)), kind, _flat(message)]
        yield header + "\t".join(cells) + "\n"
        header = ""


def failed_records(upload: Upload) -> Iterator[str]:
    """Yield a file of the records that failed, ready to be mended and uploaded again."""
    yield marker_row(Feed(upload.feed)) + "\r\n"
    yield "\t".join(upload.names) + "\r\n"
    rows = upload.records.filter(succeeded=False).order_by("number")
    for text in rows.values_list("text", flat=True).iterator(chunk_size=_PIECE):
        yield text + "\r\n"


def _flat(message: Mapping[str, Any]) -> str:
    """Return a message as one cell."""
    return " ".join(str(message["text"]).split())
