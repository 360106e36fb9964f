"""Jobs: run by hand, remembered, alone, planned before they act."""

from __future__ import annotations

from io import StringIO

import pytest
from celery.signals import worker_shutting_down
from django.core.checks import run_checks
from django.core.management import CommandError, call_command

from core import checks, clock, jobs
from core.models import JobRun
from tests.factories import pending_order
from tests.races import racers


def run_job(*words: str) -> str:
    out = StringIO()
    call_command("run_job", *words, stdout=out)
    return out.getvalue()


@pytest.mark.req("TECH-04", "AUTO-13")
def test_each_job_is_in_the_timetable_and_the_other_way_round(settings):
    assert [each for each in run_checks() if each.id.startswith("core.")] == []
    settings.CELERY_BEAT_SCHEDULE = {"tea": {"task": "orders.tea", "schedule": 1}}
    told = {each.id for each in checks.timetable_is_complete()}
    assert told == {"core.E101", "core.E102"}


@pytest.mark.req("AUTO-13")
def test_a_job_without_a_name_lists_all_and_an_unknown_one_is_refused(db):
    assert run_job().split() == sorted(jobs.JOBS)
    with pytest.raises(CommandError, match="There is no job tea"):
        run_job("tea")


@pytest.mark.req("AUTO-13", "IMPL-20")
def test_a_dry_run_names_what_would_happen_and_changes_nothing(shop):
    order = pending_order(shop)
    at = "2099-01-01T00:00:00Z"
    told = run_job("check-payments", "--dry-run", "--now", at)
    assert (
        told
        == f"{order.number}: ask the gateway about the payment\n1 planned; nothing was changed.\n"
    )
    assert not JobRun.objects.exists()
    order.refresh_from_db()
    assert order.status == "pending"


@pytest.mark.req("IMPL-20")
def test_a_run_is_remembered_with_what_it_did(shop):
    pending_order(shop)
    assert run_job("check-payments", "--now", "2099-01-01T00:00:00Z") == "1 payments checked\n"
    assert run_job("check-payments", "--now", "2099-01-01T00:00:00Z") == "Nothing was due.\n"
    first, second = JobRun.objects.order_by("pk")
    assert (first.job, first.counts, first.error) == (
        "check-payments", {"payments checked": 1}, "",
    )  # fmt: skip
    assert first.finished_at is not None
    assert second.counts == {"payments checked": 0}


@pytest.mark.req("IMPL-20")
def test_a_run_that_fails_is_remembered_too(db, monkeypatch):
    def fail() -> jobs.Done:
        raise LookupError("something personal")

    broken = jobs.Job("broken", "core.broken", fail, tuple)
    monkeypatch.setitem(jobs.JOBS, "broken", broken)
    with pytest.raises(LookupError):
        jobs.run("broken")
    assert JobRun.objects.get().error == "LookupError"


@pytest.mark.req("FT-04", "FT-05", "IMPL-34")
def test_a_run_that_was_killed_is_found_ended_and_done_again(shop):
    """Its lock went with its process; its row stands there without an end."""
    at = clock.now()
    dead = JobRun.objects.create(job="check-payments", started_at=at, lease_until=at + jobs.LEASE)

    told = run_job("resume-jobs", "--dry-run")
    assert told.startswith("check-payments: do again what its process did not end\n")
    assert run_job("resume-jobs") == "1 jobs resumed\n"
    assert run_job("check-payments") == "Nothing was due.\n"

    dead.refresh_from_db()
    assert dead.error == jobs.LOST
    assert run_job("resume-jobs") == "Nothing was due.\n"


@pytest.mark.req("FT-06", "IMPL-20")
def test_a_run_that_was_taken_for_dead_stops_and_its_successor_is_left_alone(db, monkeypatch):
    batches = []

    def work() -> jobs.Done:
        batches.append(1)
        if len(batches) == 1:
            assert jobs.run("slow") == {"batches": 1}
            return jobs.Done({"batches": 1}, more=True)
        return jobs.Done({"batches": 1})

    monkeypatch.setitem(jobs.JOBS, "slow", jobs.Job("slow", "core.slow", work, tuple))

    assert jobs.run("slow") == {"batches": 1}
    first, second = JobRun.objects.order_by("pk")
    assert (first.error, first.counts) == (jobs.LOST, {})
    assert (second.error, second.counts) == ("", {"batches": 1})


@pytest.mark.race
@pytest.mark.req("FT-06", "IMPL-20")
@pytest.mark.django_db(transaction=True, serialized_rollback=True)
@pytest.mark.parametrize(("says", "answer"), [("still here", None), ("nothing", {"worked": 1})])
def test_a_run_that_hangs_is_believed_until_its_lease_lapses(monkeypatch, says, answer):
    """It holds the job's lock all the time, as a frozen process does."""
    from threading import Barrier

    hung, runs = Barrier(2, timeout=30), []

    def work() -> jobs.Done:
        runs.append(1)
        if len(runs) == 1:
            lapsed = clock.now() - jobs.LEASE
            jobs._present.get().lease_until = lapsed
            JobRun.objects.update(lease_until=lapsed, started_at=lapsed)
            if says == "still here":
                jobs.still_here()
            hung.wait()
            hung.wait()
        return jobs.Done({"worked": 1})

    monkeypatch.setitem(jobs.JOBS, "slow", jobs.Job("slow", "core.slow", work, tuple))

    def another():
        hung.wait()
        try:
            found = [run.job for run in jobs.lost()]
            return found, jobs.run("slow")
        finally:
            hung.wait()

    with racers(2) as race:
        answers = race(lambda: jobs.run("slow"), another)
    assert answers == [{"worked": 1}, (["slow"] if answer else [], answer)]


@pytest.mark.race
@pytest.mark.req("IMPL-20")
@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_of_two_started_at_once_one_works(monkeypatch):
    from threading import Barrier

    both, runs = Barrier(2, timeout=30), []

    def work() -> jobs.Done:
        runs.append(1)
        both.wait()
        return jobs.Done({"worked": 1})

    monkeypatch.setitem(jobs.JOBS, "slow", jobs.Job("slow", "core.slow", work, tuple))

    def second():
        answer = jobs.run("slow")
        if answer is None:
            both.wait()
        return answer

    with racers(2) as race:
        answers = race(second, second)
    assert sorted(answers, key=str) == [None, {"worked": 1}]
    assert (len(runs), JobRun.objects.count()) == (1, 1)


@pytest.mark.req("FT-38")
@pytest.mark.django_db
@pytest.mark.parametrize(("told", "batches"), [(True, 1), (False, 3)])
def test_a_worker_that_is_told_to_end_leaves_what_follows_to_others(monkeypatch, told, batches):
    """Between two batches; tests/failures/test_deployment.py tells a worker with children."""
    done = []

    def work() -> jobs.Done:
        done.append(1)
        if told:
            worker_shutting_down.send(sender="tests", sig="SIGTERM", how="Warm", exitcode=0)
        return jobs.Done({"leaves": 1}, more=len(done) < 3)

    monkeypatch.setitem(jobs.JOBS, "tea", jobs.Job("tea", "tests.tea", work, list))
    try:
        assert jobs.run("tea") == {"leaves": batches}
    finally:
        jobs._ending[0] = 0
