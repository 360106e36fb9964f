"""Log lines as JSON: an event, ids and figures; never names, addresses, texts or secrets."""

from __future__ import annotations

import json
import logging
import re
import traceback
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

# The id of the action that is going on: made for a request or a run of a job, carried on by tasks.
request_id: ContextVar[str] = ContextVar("request_id", default="")
_ID = re.compile(r"[0-9a-f]{16}")

# Addresses that open something by themselves; the framework logs those it answered with an error.
_OPENS = re.compile(r"(/buyer/|/password-reset/key/|/invitation/)[^/\s]+")
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_TOLD = frozenset(
    {
        "task",
        "verb",
        "operation",
        "outbox",
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


def new_id() -> str:
    """Return an id for one action; it tells nothing by itself."""
    return uuid.uuid4().hex[:16]


@contextmanager
def following(known: str | None) -> Iterator[str]:
    """Let lines and rows of the enclosed code carry the id of the action that they belong to.

    known: where it came from; without one, or with anything that is no id of ours, a new one is
    made.
    """
    ours = known if isinstance(known, str) and _ID.fullmatch(known) else new_id()
    token = request_id.set(ours)
    try:
        yield ours
    finally:
        request_id.reset(token)


class JsonLines(logging.Formatter):
    """One line a record; of the extra values only those of a list, so that nothing slips in."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "event": _OPENS.sub(r"\1…", _event(record))[:500],
        }
        if known := request_id.get():
            line["request"] = known
        extra = vars(record).keys() - _STANDARD
        line |= {name: vars(record)[name] for name in extra & _TOLD}
        if record.exc_info:
            line["trace"] = _trace(record.exc_info[1])
        return json.dumps(line, default=str, ensure_ascii=True)


def _event(record: logging.LogRecord) -> str:
    """Return what happened; of a task that failed without the words of its exception."""
    args = record.args
    if record.name == "celery.app.trace" and isinstance(args, Mapping) and "exc" in args:
        return f"Task {args.get('name')}[{args.get('id')}] failed"
    return record.getMessage()


def _trace(error: BaseException | None) -> str:
    """Return where errors came from and of what kind they are, the first one last.

    Their words are left out: a database quotes the row that it refused, a form what was typed.
    """
    told: list[str] = []
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        kind = type(error)
        diag = getattr(error, "diag", None)
        names = [getattr(error, "pgcode", None), getattr(diag, "constraint_name", None)]
        told.append(
            "".join(traceback.format_tb(error.__traceback__))
            + " ".join([f"{kind.__module__}.{kind.__qualname__}", *filter(None, names)])
        )
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "\n\n".join(told)
