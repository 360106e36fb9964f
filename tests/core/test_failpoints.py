"""Fail points: told by a file, counted, and closed everywhere but in tests."""

from __future__ import annotations

import json
import time

import pytest

from core import checks, failpoints
from core.transactions import unit_of_work

pytestmark = pytest.mark.req("TH-64")


@pytest.fixture
def file(settings, tmp_path):
    settings.FAIL_POINTS_FILE = str(tmp_path / "points.json")
    return tmp_path / "points.json"


def test_a_point_that_is_not_named_does_nothing_and_is_not_counted(file):
    failpoints.hit("payment.after_call")
    file.write_text(json.dumps({"payment.before_call": {"act": "raise"}}))
    failpoints.hit("payment.after_call")
    assert failpoints.hits(file) == {}


def test_without_a_file_in_the_settings_nothing_is_read(settings, tmp_path):
    (tmp_path / "points.json").write_text(json.dumps({"here": {"act": "raise"}}))
    assert settings.FAIL_POINTS_FILE == ""
    failpoints.hit("here")


def test_only_the_nth_hit_fails(file):
    file.write_text(json.dumps({"here": {"act": "raise", "nth": 2}}))
    failpoints.hit("here")
    with pytest.raises(failpoints.Failed, match="here"):
        failpoints.hit("here")
    failpoints.hit("here")
    assert failpoints.hits(file) == {"here": 3}


def test_a_point_can_wait(file):
    file.write_text(json.dumps({"here": {"act": "sleep", "seconds": 0.05}}))
    started = time.monotonic()
    failpoints.hit("here")
    assert time.monotonic() - started >= 0.05


@pytest.mark.parametrize(("act", "signal"), [("kill", "SIGKILL"), ("freeze", "SIGSTOP")])
def test_a_point_can_end_or_stop_the_process(file, monkeypatch, act, signal):
    sent = []
    monkeypatch.setattr(failpoints.os, "kill", lambda pid, number: sent.append(number.name))
    file.write_text(json.dumps({"here": {"act": act}}))
    failpoints.hit("here")
    assert sent == [signal]


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_each_verb_has_a_point_before_and_after_its_commit(file):
    @unit_of_work
    def _change_all() -> None: ...

    file.write_text(
        json.dumps(
            {
                "test_failpoints.change_all.before_commit": {"act": "note"},
                "test_failpoints.change_all.after_commit": {"act": "note"},
            }
        )
    )
    _change_all()
    assert failpoints.hits(file) == {
        "test_failpoints.change_all.before_commit": 1,
        "test_failpoints.change_all.after_commit": 1,
    }


def test_a_check_finds_points_that_are_open_where_people_trade(settings):
    settings.FAIL_POINTS_FILE = "/points.json"
    assert checks.fail_points_are_for_tests() == []
    settings.CLOCK_MAY_STOP = False
    assert [each.id for each in checks.fail_points_are_for_tests()] == ["core.E103"]
