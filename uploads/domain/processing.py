"""Working through an upload: records first, then their acts, a chunk at a time (FEED-13, FEED-18).

Pass 1 stores one row for each line of the file. Pass 2 takes the records of some orders, judges
them, lets the order desk act and writes the answers. An act carries a one-use key made of batch and
record, so whatever is killed and however often a task runs, a record acts once and is answered
once (INV-12). Nothing is locked between chunks; a claim that was lost writes nothing more.
"""

from __future__ import annotations

import logging
import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Exists, F, OuterRef, Q

from accounts.domain import calendar, members
from audit.domain import history
from audit.domain.submissions import Once, fingerprint_of
from core import clock, failpoints, stored_files
from core.actor import Actor
from core.bulk import update_rows
from core.jobs import OutOfTime
from core.transactions import insist_on_the_database
from uploads.codes import Kind as MessageKind
from uploads.domain import reading
from uploads.domain.desks import Desk, desks
from uploads.domain.feeds import KINDS
from uploads.domain.feeds.shape import Given, Judged, Kind, Outcome
from uploads.domain.messages import Message
from uploads.domain.reading import FileProblem
from uploads.enums import OPEN_STATES, Feed, UploadState
from uploads.models import Record, Upload

CHUNK = settings.UPLOAD_CHUNK  # records judged and done together
LEASE = timedelta(seconds=settings.UPLOAD_LEASE_SECONDS)
MOST_TRIES = 3  # after so many crashes at one record it is answered with 1112 and left alone
SCOPE = "upload"  # of the one-use keys of records
# How files are read that are neither valid UTF-8 nor marked: as spreadsheets there save them.
_ENCODINGS = {"JP": "cp932"}
_ENCODING = "cp1252"

log = logging.getLogger(__name__)


class ClaimLost(Exception):
    """Somebody else works on the upload now: this process was taken for dead."""


@dataclass(slots=True)
class Answer:
    """What a record is answered."""

    record: Record
    messages: list[Message]
    succeeded: bool
    effect: dict[str, object]


def waiting() -> list[int]:
    """Return the uploads that may be worked on now: of each merchant the oldest (FEED-40)."""
    earlier = Upload.objects.filter(
        merchant=OuterRef("merchant"), state__in=OPEN_STATES, pk__lt=OuterRef("pk")
    )
    free = Q(lease_until=None) | Q(lease_until__lte=clock.now())
    rows = Upload.objects.filter(free, state__in=OPEN_STATES).exclude(Exists(earlier))
    return list(rows.order_by("pk").values_list("pk", flat=True))


def take(upload_id: int) -> Upload | None:
    """Claim an upload; None when somebody works on it, or it has ended."""
    now = clock.now()
    free = Q(lease_until=None) | Q(lease_until__lte=now)
    taken = Upload.objects.filter(free, pk=upload_id, state__in=OPEN_STATES).update(
        claim=F("claim") + 1, lease_until=now + LEASE
    )
    if not taken:
        return None
    return Upload.objects.select_related("merchant__marketplace").get(pk=upload_id)


def work(upload: Upload, *, until: datetime) -> bool:
    """Work on a claimed upload; return whether it has ended. Raises ClaimLost.

    until: when to let go of it, so that another run goes on.
    """
    if upload.state == UploadState.SUBMITTED:
        _read(upload)
    while upload.is_open:
        if clock.now() >= until:
            _update(upload, lease_until=None)
            return False
        records = _next(upload)
        if not records:
            _finish(upload)
        elif not _chunk(upload, records):
            _update(upload, lease_until=clock.now() + timedelta(seconds=5))
            return False
    return True


def _read(upload: Upload) -> None:
    """Pass 1: a row for each record, or what is wrong with the file as a whole."""
    feed = Feed(upload.feed)
    fallback = _ENCODINGS.get(upload.merchant.marketplace.country, _ENCODING)
    try:
        found = reading.read(stored_files.read(upload.kept), feed, fallback=fallback)
    except FileProblem as problem:
        with transaction.atomic():
            _update(
                upload,
                state=UploadState.FAILED,
                problems=[problem.message.to_json()],
                started_at=clock.now(),
                finished_at=calendar.now_for(upload.merchant),
                lease_until=None,
            )
            _remember_end(upload)
        return
    with transaction.atomic():
        Record.objects.bulk_create(
            (
                Record(
                    upload=upload,
                    number=line.number,
                    text=line.text,
                    place=line.place,
                    parcel=line.parcel,
                    is_done=bool(line.messages),
                    messages=[message.to_json() for message in line.messages],
                )
                for line in reading.lines_of(found, feed)
            ),
            batch_size=5000,
        )
        failpoints.hit("uploads.read.before_commit")
        _update(
            upload,
            state=UploadState.IN_PROGRESS,
            names=list(found.names),
            problems=[message.to_json() for message in found.warnings],
            count=len(found.lines),
            failed=upload.records.filter(is_done=True).count(),
            started_at=clock.now(),
        )
    failpoints.hit("uploads.read.after_commit")


def _next(upload: Upload) -> list[Record]:
    """Return the next records, all those of an order together; one order alone after a crash."""
    rows = upload.records.filter(is_done=False).order_by("place", "number")
    if upload.careful_until is not None:
        first = rows.first()
        return [] if first is None else list(rows.filter(place=first.place))
    found = list(rows[:CHUNK])
    if len(found) == CHUNK:
        last = found[-1]
        found += rows.filter(place=last.place, number__gt=last.number)
    return found


def _chunk(upload: Upload, records: Sequence[Record]) -> bool:
    """Answer some records; False when the gateway must be asked again later. Raises ClaimLost."""
    place, last = records[0].place, records[-1].place
    tries = upload.tries + 1 if upload.at_place == place else 1
    careful_until = max(upload.careful_until or 0, last)
    lease_until = clock.now() + LEASE
    _update(
        upload, at_place=place, tries=tries, careful_until=careful_until, lease_until=lease_until
    )
    if tries > MOST_TRIES:
        answers: list[Answer] | None = _given_up(upload, records)
    else:
        try:
            answers = _answers(upload, records)
        except (OutOfTime, ClaimLost):
            raise
        except Exception:
            log.exception("upload.chunk_failed", extra={"upload": upload.pk, "count": len(records)})
            insist_on_the_database()
            return True  # once more, an order at a time; the third time it is given up
    if answers is None:
        _update(upload, tries=0, at_place=None, careful_until=None)
        return False
    failpoints.hit("uploads.chunk.before_answers")
    _write(upload, answers)
    failpoints.hit("uploads.chunk.after_answers")
    return True


def _answers(upload: Upload, records: Sequence[Record]) -> list[Answer] | None:
    """Judge the records of whole orders and do what they ask, or pretend to; None: ask later."""
    kind, by = KINDS[Feed(upload.feed)], _actor(upload)
    waiting: dict[str, list[list[Record]]] = defaultdict(list)
    for parcel in _parcels(records):
        order = reading.parsed(upload.names, parcel[0].text).get("order-id", "")
        waiting[order].append(parcel)
    answers: list[Answer] = []
    desk_of = desks(upload.merchant, waiting, by=by)
    while waiting:  # an act of each order, then the next ones: a verb meets an order once
        acts = [
            _judged(upload, kind, number, parcels[0], desk_of.get(number))
            for number, parcels in waiting.items()
        ]
        waiting = {number: parcels[1:] for number, parcels in waiting.items() if parcels[1:]}
        asked = [act for act in acts if act.judged.wanted is not None]
        if upload.check_only:
            outcomes = [
                Outcome(effect=kind.pretend(act.judged.wanted, act.desk))
                for act in asked
                if act.desk is not None
            ]
        else:
            _keep_verdicts(upload, kind, acts)
            outcomes = kind.do([act.judged.wanted for act in asked], by) if asked else []
            if waiting:
                desk_of = desks(upload.merchant, waiting, by=by)
        if any(outcome.later for outcome in outcomes):
            return None
        outcome_of = dict(zip((id(act) for act in asked), outcomes, strict=True))
        for act in acts:
            answers += _answers_of(act, outcome_of.get(id(act), Outcome()))
    return answers


@dataclass(slots=True)
class _Act:
    """The records of one act, their order's desk, and what becomes of them."""

    records: Sequence[Record]
    desk: Desk | None
    judged: Judged


def _judged(
    upload: Upload, kind: Kind, number: str, records: Sequence[Record], desk: Desk | None
) -> _Act:
    """Judge an act; one that was judged before a crash keeps its verdict."""
    failpoints.hit(f"uploads.judge.{number}")
    once = _once(upload, records)
    if records[0].is_judged:
        kept = {r.number: [Message.from_json(m) for m in r.messages] for r in records}
        wanted = records[0].effect.get("wanted")
        return _Act(records, desk, Judged(kept, kind.restore(wanted, once) if wanted else None))
    if desk is None:
        unknown = Judged()
        for record in records:
            unknown.say(record.number, Message(1103, "order-id", number))
        return _Act(records, None, unknown)
    given = [Given(r.number, reading.parsed(upload.names, r.text)) for r in records]
    return _Act(records, desk, kind.judge(given, desk, once))


def _keep_verdicts(upload: Upload, kind: Kind, acts: Sequence[_Act]) -> None:
    """Commit what is about to be done, before it is: whoever goes on then answers the same."""
    rows = {}
    for act in acts:
        wanted = act.judged.wanted
        if wanted is None or act.records[0].is_judged:
            continue
        for place, record in enumerate(act.records):
            messages = [m.to_json() for m in act.judged.messages.get(record.number, [])]
            effect = {"wanted": kind.keep(wanted)} if place == 0 else {}
            rows[record.pk] = [True, messages, effect]
    with transaction.atomic():
        _update(upload, lease_until=clock.now() + LEASE)
        update_rows(Record, ["is_judged", "messages", "effect"], rows)


def _answers_of(act: _Act, outcome: Outcome) -> Iterator[Answer]:
    """Yield the answer of each record of an act; its effect stands at the first good one."""
    effect = dict(outcome.effect)
    for record in act.records:
        messages = act.judged.messages.get(record.number, [])
        if outcome.problem is not None and not act.judged.fails(record.number):
            messages = [*messages, outcome.problem]
        good = not any(message.kind == MessageKind.ERROR for message in messages)
        yield Answer(record, list(messages), good, effect if good else {})
        if good:
            effect = {}


def _parcels(records: Sequence[Record]) -> list[list[Record]]:
    """Return the records of each act, in the order in which the acts begin."""
    found: dict[int, list[Record]] = defaultdict(list)
    for record in sorted(records, key=lambda r: r.number):
        found[record.parcel].append(record)
    return list(found.values())


def _once(upload: Upload, parcel: Sequence[Record]) -> Once:
    """Return the key of an act: the same whenever it is tried again."""
    asked = {"texts": [record.text for record in parcel]}
    return Once(f"{upload.pk}-{parcel[0].parcel}", fingerprint_of(asked), SCOPE)


def _answer(record: Record, messages: Sequence[Message]) -> Answer:
    good = not any(message.kind == MessageKind.ERROR for message in messages)
    return Answer(record, list(messages), good, {})


def _given_up(upload: Upload, records: Sequence[Record]) -> list[Answer]:
    """Answer records that made three processes fail; the log has the reference (FT-08)."""
    reference = uuid.uuid4().hex[:12]
    log.error("upload.record_given_up", extra={"upload": upload.pk, "reference": reference})
    message = Message(
        1112, detail=f"Internal failure, nothing was done for this record ({reference})."
    )
    return [_answer(record, [message]) for record in records]


@transaction.atomic
def _write(upload: Upload, answers: Iterable[Answer]) -> None:
    """Write answers, if the claim still holds."""
    rows = []
    for answer in answers:
        record = answer.record
        record.is_done, record.succeeded = True, answer.succeeded
        record.messages = [message.to_json() for message in answer.messages]
        record.effect = answer.effect
        rows.append(record)
    update_rows(
        Record,
        ["is_done", "succeeded", "messages", "effect"],
        {r.pk: [True, r.succeeded, r.messages, r.effect] for r in rows},
    )
    furthest = max(row.place for row in rows)
    done_with = upload.careful_until is not None and furthest >= upload.careful_until
    _update(
        upload,
        tries=0,
        at_place=None,
        careful_until=None if done_with else upload.careful_until,
        lease_until=clock.now() + LEASE,
    )


@transaction.atomic
def _finish(upload: Upload) -> None:
    """End an upload whose records are all answered; its counts are those of the answers."""
    good = Q(succeeded=True)
    all_of_them = upload.records.aggregate(
        records=Count("pk"),
        good=Count("pk", filter=good),
        warned=Count("pk", filter=good & ~Q(messages=[])),
    )
    counted = {
        "count": all_of_them["records"],
        "succeeded": all_of_them["good"],
        "failed": all_of_them["records"] - all_of_them["good"],
        "warned": all_of_them["warned"],
    }
    state = UploadState.DONE_WITH_ERRORS if counted["failed"] else UploadState.DONE
    if upload.check_only:
        state = UploadState.CHECKED
    _update(
        upload,
        state=state,
        finished_at=calendar.now_for(upload.merchant),
        lease_until=None,
        **counted,
    )
    _remember_end(upload)


def _remember_end(upload: Upload) -> None:
    told = {
        "number": upload.number,
        "state": str(upload.state),
        "records": upload.count,
        "successful": upload.succeeded,
    }
    by = Actor("file", upload.uploaded_by, user_id=upload.user_id)
    at = calendar.now_for(upload.merchant)
    history.append([history.Line(upload.merchant_id, "upload.processed", at, by, after=told)])


def _update(upload: Upload, **values: object) -> None:
    """Write values on the upload and on the row, if nobody else has claimed it meanwhile."""
    written = Upload.objects.filter(pk=upload.pk, claim=upload.claim).update(**values)
    if not written:
        raise ClaimLost(upload.pk)
    for name, value in values.items():
        setattr(upload, name, value)


def _actor(upload: Upload) -> Actor:
    """Return who uploaded, with the rights they hold now: none once they were removed (INV-18)."""
    return members.acting_by_file(
        merchant_id=upload.merchant_id, user_id=upload.user_id, name=upload.uploaded_by
    )
