"""From the bytes of a file to its records: pass 1, which asks nothing of the database.

Each record is one physical line; no quote spans lines and no record changes the reading of another
(INV-13, reliability 4.7).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from orders.domain.drafts import is_plain
from orders.imports import lines
from orders.imports.lines import MOST_RECORDS, FileError, told
from uploads.columns import LAYOUTS, Layout
from uploads.domain.messages import Message
from uploads.enums import Feed

_HEADINGS = 5  # lines looked through for the names of the columns: marker, a translated row, more
_ORDER_ID = re.compile(r"[0-9]{3}-[0-9]{7}-[0-9]{7}", re.ASCII)
# What programs write where a cell is a line of commas: the whole file then is one column.
_SEPARATORS = (",", ";")

# Records with these cells in common are one parcel (FEED-24), one cancellation (integration 4.2).
_ONE_ACT: Mapping[Feed, tuple[str, ...]] = {
    Feed.SHIPPING: ("order-id", "ship-date", "carrier-code", "carrier-name", "tracking-number"),
    Feed.CANCELLATION: ("order-id",),
}


class FileProblem(Exception):
    """The file as a whole cannot be used; ``message`` says why. Nothing of it is processed."""

    def __init__(self, message: Message) -> None:
        super().__init__(message.text)
        self.message = message


@dataclass(frozen=True, slots=True)
class Line:
    """One record. number: counted after the names, blank lines too; messages: why it fails."""

    number: int
    text: str
    place: int
    parcel: int
    messages: tuple[Message, ...] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """A file that can be used. names: its columns by our names; warnings: about the whole file."""

    names: Sequence[str]
    lines: Sequence[tuple[int, str]]
    warnings: Sequence[Message] = field(default_factory=list)


def read(data: bytes, feed: Feed, *, fallback: str) -> Reading:
    """Find the names and the records of a file. Raises FileProblem.

    fallback: how a file is read that is no valid UTF-8 and has no byte-order mark.
    """
    if not data.strip(b"\x00\xef\xbb\xbf\xff\xfe \t\r\n\x1a"):
        raise FileProblem(Message(1001))
    try:
        physical = lines.physical_lines(lines.decode(data, fallback=fallback))
    except FileError as error:
        raise FileProblem(Message(error.code, detail=str(error))) from error
    layout = LAYOUTS[feed]
    at = _row_of_names(physical)
    _insist_on_kind(physical[:at], feed)
    names = _names(physical[at], layout)
    records = [
        (number, line) for number, line in enumerate(physical[at + 1 :], start=1) if line.strip()
    ]
    if not records:
        raise FileProblem(Message(1001))
    if len(records) > MOST_RECORDS:
        raise FileProblem(Message(1002, value=f"{len(records):,}"))
    return Reading(names, records, [Message(1090)] if at == 0 else [])


def lines_of(reading: Reading, feed: Feed) -> Iterator[Line]:
    """Yield the records with what is wrong with each by itself, and which belong together."""
    places: dict[str, int] = {}
    parcels: dict[tuple[str, ...], int] = {}
    seen: set[tuple[str, ...]] = set()
    together = _ONE_ACT.get(feed)
    for number, text in reading.lines:
        cells = lines.cells_of(text)
        values = values_of(reading.names, cells)
        messages = _problems(text, cells, values, reading.names, LAYOUTS[feed])
        whole = tuple(values.values())
        if not messages and whole in seen:
            messages = (Message(1105),)
        seen.add(whole)
        order = values["order-id"]
        place = number if messages else places.setdefault(order, number)
        parcel = number
        if together and not messages:
            parcel = parcels.setdefault(tuple(values.get(n, "") for n in together), number)
        yield Line(number, text, place, parcel, messages)


def values_of(names: Sequence[str], cells: Sequence[str]) -> dict[str, str]:
    """Return the cells of a record by column; empty where the line is short."""
    values = dict.fromkeys(names, "")
    values.update(zip(names, cells, strict=False))
    values.pop("", None)
    return values


def parsed(names: Sequence[str], text: str) -> dict[str, str]:
    """Return the values of a record as ``lines_of`` saw them."""
    return values_of(names, lines.cells_of(text))


def _row_of_names(physical: Sequence[str]) -> int:
    """Return which line names the columns: the first that has a cell ``order-id``."""
    for index, line in enumerate(physical[:_HEADINGS]):
        if "order-id" in [cell.lower() for cell in lines.cells_of(line)]:
            return index
    first = next(line for line in physical if line.strip())
    if "\t" not in first and any(first.count(separator) > 1 for separator in _SEPARATORS):
        raise FileProblem(Message(1003))
    raise FileProblem(Message(1004, field="order-id"))


def _insist_on_kind(headings: Sequence[str], feed: Feed) -> None:
    marker = next((line for line in headings if "templatetype=" in line.lower()), "")
    named = re.search(r"templatetype\s*=\s*([a-z]+)", marker.lower())
    if named is None:
        return
    for other, layout in LAYOUTS.items():
        markers = {layout.marker.lower(), *(name.lower() for name in layout.others)}
        if other != feed and named[1] in markers:
            raise FileProblem(Message(1005, value=str(other.label)))


def _names(line: str, layout: Layout) -> list[str]:
    names = [cell.strip().lower() for cell in lines.cells_of(line)]
    while names and not names[-1]:
        names.pop()
    names = [layout.aliases.get(name, name) for name in names]
    unknown = [name for name in names if name not in {*layout.names, *layout.ignored}]
    repeated = {name for name in names if names.count(name) > 1}
    missing = [column.name for column in layout.columns if column.required]
    missing = [name for name in missing if name not in names]
    for wrong in (unknown, sorted(repeated), missing):
        if wrong:
            raise FileProblem(Message(1004, value=", ".join(map(told, wrong[:10])) or "–"))
    return names


def _problems(
    text: str,
    cells: Sequence[str],
    values: Mapping[str, str],
    names: Sequence[str],
    layout: Layout,
) -> tuple[Message, ...]:
    """Return everything wrong with a record that can be told without the order."""
    if lines.UNREADABLE in text or not is_plain(text.replace("\t", " ")):
        return (Message(1113),)
    beyond = [cell for cell in cells[len(names) :] if cell]
    if beyond:
        return (Message(1108, value=beyond[0]),)
    found = [
        Message(1109, column.name, values[column.name])
        for column in layout.columns
        if len(values.get(column.name, "")) > column.most and column.name != "order-id"
    ]
    order = values["order-id"]
    if not order:
        found.append(Message(1101))
    elif not _ORDER_ID.fullmatch(order):
        found.append(Message(1102, "order-id", order))
    return tuple(found)
