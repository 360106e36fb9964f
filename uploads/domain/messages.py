"""What the report says of a record: a code, the cell, and a sentence with the facts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.refusal import Refusal
from orders.imports.lines import told
from uploads.codes import CODES, Kind, code_of
from uploads.enums import Feed


@dataclass(frozen=True, slots=True)
class Message:
    """One line of the report. code: a key of ``CODES``; value: of the cell, as uploaded and cut."""

    code: int
    field: str = ""
    value: str = ""
    detail: str = ""
    told: str = ""  # the whole sentence, of a message that was kept

    @property
    def kind(self) -> Kind:
        return CODES[self.code].kind

    @property
    def text(self) -> str:
        """Return the sentence of the report: the cell, what is wrong, what to do."""
        if self.told:
            return self.told
        code = CODES[self.code]
        cell = f"{self.field} “{told(self.value)}”: " if self.value else ""
        if self.field and not cell and self.field not in str(code.meaning):
            cell = f"{self.field}: "
        what = self.detail or str(code.meaning)
        if not what.endswith((".", ")")):
            what += "."
        return f"{cell}{what} {code.remedy}".strip()

    def to_json(self) -> dict[str, Any]:
        return {
            "code": self.code,
            "field": self.field,
            "value": told(self.value),
            "text": self.text,
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Message:
        return cls(kept["code"], kept["field"], kept["value"], told=kept["text"])


def of_refusal(feed: Feed, refusal: Refusal, *, field: str = "", value: str = "") -> Message:
    """Return a refusal of the order desk as a record's message."""
    return Message(code_of(feed, refusal.code), field, value, refusal.message)
