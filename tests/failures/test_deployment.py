"""A release while people work: old and new code side by side on one database, then the old one ends."""

from __future__ import annotations

import io
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from quickstart import product, services
from tests.failures.person import Person, doubled, promised
from tests.failures.stack import RECOVERY, wait_until
from tests.failures.test_storm import ACTS, orders_to_work_on

GRACE = 30  # seconds that an orderly end may take
RELEASING, CONFIRMING = "cancellations.settle_voids.before_commit", "shipments.intend.before_commit"


def git(*words: str) -> bytes:
    done = subprocess.run(["git", *words], cwd=services.ROOT, capture_output=True, check=True)
    return done.stdout


def previous() -> str:
    """Return the version before the last change of the schema; nothing where there is no history."""
    if shutil.which("git") is None or not (services.ROOT / ".git").exists():
        return ""
    changed = git("log", "-1", "--format=%H", "--", "*/migrations/*.py").decode().strip()
    return f"{changed}^" if changed else ""


@pytest.fixture
def old_code(tmp_path: Path) -> Path:
    version = previous()
    if not version:
        pytest.skip("NOT RUN: the version before this one is not here, only a checkout has it")
    with tarfile.open(fileobj=io.BytesIO(git("archive", version))) as files:
        files.extractall(tmp_path, filter="data")
    return tmp_path


@pytest.fixture
def old(stack, old_code: Path, sign_in) -> Iterator[Person]:
    """The previous version's web and worker beside the present ones; somebody works at its pages."""
    port = services.free_port()
    person = Person(f"http://127.0.0.1:{port}")
    try:
        stack.start_another("old-worker", product.worker(), where=old_code)
        stack.start_another(
            "old-web",
            product.web("127.0.0.1", port),
            ready=lambda: person.get("/health/ready/").status == 200,
            where=old_code,
        )
        assert person.sign_in(**sign_in).path in ("/home/", "/orders/")
        yield person
    finally:
        for name in ("old-web", "old-worker"):
            stack.drop_if_there(name)


@pytest.mark.long  # the version before must be one that ran: a release looks at that
@pytest.mark.req("FT-38", "INV-09", "INV-11", "G-4")
def test_two_versions_work_on_one_database_and_the_old_one_ends_in_order(
    stack, stage, alice, old, promises
):
    """Each page and each worker gets what the other version wrote; nothing is lost or doubled."""
    twice = stack.letters_twice()
    for number, (act, which) in enumerate(orders_to_work_on(stage, 4)):
        person, other = (alice, old) if number % 2 else (old, alice)
        form = getattr(person, f"{act}_form")(which)
        assert promised(getattr(other, act)(which, form)), (act, which)
        promises.note(act, which)
    wait_until(lambda: stage.open_operations() == 0, RECOVERY, "all is settled")
    wait_until(lambda: stage.mails()["due"] == 0, RECOVERY, "mails left")

    # The old worker is told to end in the middle of six.
    stack.freeze("worker")
    cancelled = stage.orders(status="unshipped", count=6)
    stack.fail_at(RELEASING, "sleep", seconds=1)
    for which in cancelled:
        assert promised(alice.cancel(which))
        promises.note("cancel", which)
    wait_until(lambda: stack.hits(RELEASING) >= 1, RECOVERY, "it is at it")
    assert stack.retire("old-worker") < GRACE
    stack.heal()
    stack.thaw("worker")

    # The old web process is told to end in the middle of a request.
    (confirmed,) = stage.orders(status="unshipped")
    form = old.confirm_form(confirmed)
    stack.fail_at(CONFIRMING, "sleep", nth=1, seconds=2)
    with ThreadPoolExecutor(1) as pool:
        sent = pool.submit(old.confirm, confirmed, form)
        wait_until(lambda: stack.hits(CONFIRMING) == 1, RECOVERY, "the request is under way")
        stack.retire("old-web")
        answer = sent.result()
    # Done, though the page that it leads to is nobody's any more; sent again elsewhere it shows that.
    assert answer.status in (0, 200)
    assert promised(alice.confirm(confirmed, form))
    promises.note("confirm", confirmed)

    wait_until(lambda: stage.open_operations() == 0, RECOVERY, "all is released")
    assert doubled(stage.stories()) == []
    assert {stage.story(number=which)["events"]["order.voided"] for which in cancelled} == {1}
    assert stack.letters_twice() == twice
    assert set(ACTS) == {act for act, _which in promises.all()}
