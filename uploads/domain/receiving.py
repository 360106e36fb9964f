"""Taking in a file: its bytes are kept before anybody is told that it was taken (FEED-13)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import timedelta

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts.domain import calendar
from accounts.models import Merchant
from audit.domain import history
from core import stored_files
from core.actor import Actor
from core.jobs import nudge
from core.refusal import Refusal, Refused
from core.transactions import unit_of_work
from orders.imports.lines import LARGEST
from uploads.enums import FUNCTIONS, Feed
from uploads.models import Upload

FOLDER = "uploads"
SAME_WITHIN = timedelta(hours=24)  # the same bytes again need a tick (FEED-36)
TASK = "uploads.process_uploads"


def receive(
    *,
    merchant: Merchant,
    feed: Feed,
    file_name: str,
    pieces: Sequence[bytes],
    by: Actor,
    check_only: bool = False,
    again: bool = False,
) -> Upload:
    """Keep a file and line it up; a worker reads it. Returns the upload, submitted.

    pieces: the bytes, at most 10 MB. again: the same content is meant once more.
    Raises Refused: PERMISSION_DENIED, INVALID_INPUT (field ``file``), ALREADY_KNOWN (facts
    ``number``, field ``again``) for a file uploaded within 24 hours; NoRoom when the disk is full.
    Source: FEED-12, FEED-13, FEED-36, FEED-38, INV-11.
    """
    _insist_on_right(feed, by)
    size = sum(map(len, pieces))
    if size > LARGEST:
        raise Refused(
            Refusal(
                "INVALID_INPUT",
                _("The file has more than 10 MB."),
                remedy=_("Split it."),
                field="file",
            )
        )
    digest = hashlib.sha256(b"".join(pieces)).hexdigest()
    at = calendar.now_for(merchant)
    same = _same(merchant, feed, digest).filter(uploaded_at__gt=at - SAME_WITHIN).first()
    if same is not None and not again and not check_only:
        raise Refused(
            Refusal(
                "ALREADY_KNOWN",
                _("This file was uploaded less than 24 hours ago as batch %s.") % same.number,
                {"number": same.number},
                _("Tick that it is meant once more; what was done is not done twice."),
                field="again",
            )
        )
    kept = stored_files.keep(FOLDER, iter(pieces))
    return _line_up(
        Upload(
            merchant=merchant,
            feed=feed,
            check_only=check_only,
            file_name=file_name[:200],
            stored_as=kept.name,
            size=kept.size,
            digest=kept.digest,
            uploaded_at=at,
            uploaded_by=by.name,
            user_id=by.user_id,
        ),
        by,
    )


def apply_checked(*, upload: Upload, by: Actor) -> Upload:
    """Line up a file that was checked, to be applied; the check stays as it is.

    Raises Refused as ``receive`` does; Damaged when the kept file is gone.
    """
    return receive(
        merchant=upload.merchant,
        feed=Feed(upload.feed),
        file_name=upload.file_name,
        pieces=[stored_files.read(upload.kept)],
        by=by,
    )


@unit_of_work
def _line_up(upload: Upload, by: Actor) -> Upload:
    upload.save(force_insert=True)
    told = {
        "number": upload.number,
        "feed": upload.feed,
        "file": upload.digest,
        "check": upload.check_only,
    }
    line = history.Line(upload.merchant_id, "upload.received", upload.uploaded_at, by, after=told)
    history.append([line])
    nudge(TASK)
    return upload


def _same(merchant: Merchant, feed: Feed, digest: str) -> QuerySet[Upload]:
    rows = Upload.objects.filter(merchant=merchant, feed=feed, digest=digest, check_only=False)
    return rows.order_by("-pk")


def _insist_on_right(feed: Feed, by: Actor) -> None:
    function = FUNCTIONS[feed]
    if not (by.may_edit("uploads") and by.may_edit(function)):
        raise Refused(
            Refusal(
                "PERMISSION_DENIED",
                _("You do not have the permission “%(function)s”.") % {"function": function.label},
                {"function": function.value},
                _("Ask the account owner."),
            )
        )
