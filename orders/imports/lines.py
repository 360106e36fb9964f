"""From the bytes of a tab-delimited file to its records, one physical line each (reliability 4.7).

A quote never spans lines and one record never changes the reading of another.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from orders.domain.drafts import is_plain

LARGEST = 10 * 1024 * 1024  # bytes
MOST_RECORDS = 50_000

_MARKS = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
# How workbooks, archives, documents, pictures and pages begin.
_OTHER_KINDS = (
    b"PK\x03\x04",
    b"\xd0\xcf\x11\xe0",
    b"\x1f\x8b",
    b"%PDF",
    b"\x89PNG",
    b"{\\rtf",
    b"<",
)
_LONGEST_TOLD = 200  # characters
UNREADABLE = "\ufffd"
_END_OF_FILE = "\x1a"  # as old programs write it


class FileError(ValueError):
    """The file as a whole cannot be read; ``str()`` says why, ``code`` as reports name it."""

    def __init__(self, message: str, code: int = 1003) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Record:
    """One line of the file. problem: why it cannot be used as a whole; else empty."""

    line: int
    values: Mapping[str, str]
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A file's columns and its lines, split only when asked for: memory stays near its size."""

    names: Sequence[str]
    lines: Sequence[tuple[int, str]]

    def record(self, index: int) -> Record:
        line, text = self.lines[index]
        cells = cells_of(text)
        values = dict(zip(self.names, cells, strict=False))
        values |= dict.fromkeys(self.names[len(cells) :], "")
        return Record(line, values, _problem(text, cells[len(self.names) :]))


def decode(data: bytes, *, fallback: str) -> str:
    """Decode a file: a byte-order mark decides, else UTF-8 if valid throughout, else ``fallback``.

    What is unreadable becomes U+FFFD and is held against its record. Raises FileError when the file
    is too large or no text.
    """
    if len(data) > LARGEST:
        raise FileError(_("The file has more than 10 MB. Split it."), 1002)
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, errors="replace")
    if data.startswith(_OTHER_KINDS) or b"\0" in data:
        raise FileError(
            _(
                "This is no tab-delimited text. Save it as tab-delimited text in UTF-8 and try"
                " again."
            )
        )
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode(fallback, errors="replace")


def physical_lines(text: str) -> list[str]:
    """Split a file into its lines, whatever ends them."""
    return text.rstrip(_END_OF_FILE).replace("\r\n", "\n").replace("\r", "\n").split("\n")


def cells_of(line: str) -> list[str]:
    """Split a line at its tabs; a cell's blanks and a spreadsheet's quotes are no part of it."""
    return [_unquoted(cell.strip()) for cell in line.split("\t")]


def table_of(text: str, *, required: Collection[str], optional: Collection[str]) -> Table:
    """Read the names of the columns and find the records. Raises FileError."""
    physical = physical_lines(text)
    lines = [(number, line) for number, line in enumerate(physical, start=1) if line.strip()]
    if not lines:
        raise FileError(_("The file is empty."))
    names = [_unquoted(name.strip()).strip().lower() for name in lines.pop(0)[1].split("\t")]
    while not names[-1]:
        names.pop()
    unknown = sorted(set(names) - {*required, *optional})
    missing = [name for name in required if name not in names]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if unknown or missing or repeated:
        raise FileError(
            _(
                "The first line must name the columns, separated by tabs. Missing: %(missing)s."
                " Unknown: %(unknown)s. Repeated: %(repeated)s."
            )
            % {
                "missing": _listed(missing),
                "unknown": _listed(unknown),
                "repeated": _listed(repeated),
            }
        )
    if len(lines) > MOST_RECORDS:
        raise FileError(_("The file has more than 50,000 records. Split it."))
    return Table(names, lines)


def _problem(text: str, beyond: Sequence[str]) -> str:
    if UNREADABLE in text:
        return _("the characters of this record cannot be read in the file's encoding")
    if not is_plain(text.replace("\t", " ")):
        return _("this record has control characters; remove them")
    if any(beyond):
        return _("this record has more cells than there are columns; is there a tab in a cell?")
    return ""


def _unquoted(cell: str) -> str:
    if len(cell) >= 2 and cell[0] == cell[-1] == '"':
        return cell[1:-1].replace('""', '"')
    return cell


def _listed(names: Sequence[str]) -> str:
    """Join names for a message; a file that is none of ours may have any number of any length."""
    return told(", ".join(names)) or "–"


def told(text: str) -> str:
    """Return a file's own text as messages repeat it: cut, and nothing that steers a terminal."""
    cut = text if len(text) <= _LONGEST_TOLD else text[: _LONGEST_TOLD - 1] + "…"
    return "".join(c if c.isprintable() else UNREADABLE for c in cut)
