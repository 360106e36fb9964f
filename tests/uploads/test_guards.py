"""What the database refuses by itself about uploads: each guard is offended by raw SQL."""

from __future__ import annotations

import pytest
from django.apps import apps

from tests.factories import checked_upload
from tests.orders.offences import Case, offend

UPLOAD = "UPDATE uploads_upload SET {} WHERE id = {{upload}}"
OFFENCES = {
    "upload_feed_known": UPLOAD.format("feed = 'prices'"),
    "upload_state_known": UPLOAD.format("state = 'lost'"),
    "an_upload_ends_once_it_is_answered": UPLOAD.format("finished_at = NULL"),
    "upload_counts_add_up": UPLOAD.format("succeeded = 1"),
    "only_a_check_ends_as_checked": UPLOAD.format("check_only = false"),
    "a_record_is_answered_once": (
        "INSERT INTO uploads_record (upload_id, number, text, place, parcel, is_judged, is_done,"
        " succeeded, messages, effect) SELECT {upload}, 1, '', 1, 1, false, false, false, '[]',"
        " '{{}}' FROM generate_series(1, 2)"
    ),
    "what_succeeded_is_done": (
        "INSERT INTO uploads_record (upload_id, number, text, place, parcel, is_judged, is_done,"
        " succeeded, messages, effect) VALUES ({upload}, 2, '', 2, 2, false, false, true, '[]',"
        " '{{}}')"
    ),
}


@pytest.mark.req("IMPL-17", "G-12")
@pytest.mark.parametrize("guard", OFFENCES)
def test_the_database_refuses_by_name(shop, guard):
    world = {"upload": checked_upload(shop).pk}
    assert offend(Case(guard, OFFENCES[guard]), world) == guard


def test_every_guard_is_offended():
    declared = {
        constraint.name
        for model in apps.get_app_config("uploads").get_models()
        for constraint in model._meta.constraints
    }
    assert declared == set(OFFENCES)
