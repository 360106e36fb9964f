"""Log lines as JSON: an event, ids and figures; never names, addresses, texts or secrets."""

from __future__ import annotations

import json
import logging
import re
from contextvars import ContextVar
from datetime import UTC, datetime

request_id: ContextVar[str] = ContextVar("request_id", default="")

# Addresses that open something by themselves; the framework logs those it answered with an error.
_OPENS = re.compile(r"(/buyer/|/password-reset/key/)[^/\s]+")
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_TOLD = frozenset(
    {
        "task",
        "verb",
        "operation",
        "order",
        "merchant",
        "user",
        "code",
        "path_name",
        "status",
        "milliseconds",
        "door",
        "reference",
        "count",
        "job",
        "alert",
        "facts",
    }
)


class JsonLines(logging.Formatter):
    """One line a record; of the extra values only those of a list, so that nothing slips in."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "event": _OPENS.sub(r"\1…", record.getMessage())[:500],
        }
        if known := request_id.get():
            line["request"] = known
        extra = vars(record).keys() - _STANDARD
        line |= {name: vars(record)[name] for name in extra & _TOLD}
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str, ensure_ascii=True)
