"""Files as merchants hand them in, and a worker that has worked through them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from core import clock
from core.actor import Actor
from uploads.domain import processing, receiving
from uploads.enums import Feed
from uploads.models import Upload


@pytest.fixture(autouse=True)
def store(settings, tmp_path) -> Path:
    settings.MEDIA_ROOT = str(tmp_path)
    return tmp_path


@pytest.fixture
def hand_in(shop, alice):
    """Hand in a file as alice and let it be worked through; return the upload as it ended."""

    def act(feed: Feed, data: str | bytes, **options) -> Upload:
        raw = data.encode() if isinstance(data, str) else data
        by = Actor("form", alice.name, user_id=alice.pk, owner=True)
        upload = receiving.receive(
            merchant=shop, feed=feed, file_name="file.txt", pieces=[raw], by=by, **options
        )
        return work_through(upload)

    return act


def work_through(upload: Upload) -> Upload:
    taken = processing.take(upload.pk)
    assert taken is not None
    processing.work(taken, until=clock.now() + timedelta(minutes=5))
    return Upload.objects.get(pk=upload.pk)


def codes(upload: Upload) -> dict[int, list[int]]:
    """Return the codes of each record that has any; the file's own under 0."""
    found = {0: [m["code"] for m in upload.problems]} if upload.problems else {}
    for record in upload.records.exclude(messages=[]).order_by("number"):
        found[record.number] = [m["code"] for m in record.messages]
    return found
