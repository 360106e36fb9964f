"""The disk of the database fills up: what can be read is read, acts wait for room."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from quickstart import services
from tests.failures.person import promised
from tests.failures.stack import wait_until

MEGABYTE = 1024 * 1024
MOST = 200  # acts until the last page of the table is full


class SmallDisk:
    """A file system of a few megabytes that holds the history, and nothing else."""

    def __init__(self, stack, folder: Path) -> None:
        self._stack, self._folder = stack, folder
        self._filler = folder / "filler"

    def take_the_history(self) -> None:
        [(size,)] = self._stack.rows("SELECT pg_total_relation_size('audit_entry')")
        who = services.unprivileged()
        owner = f",mode=700,uid={who['user']},gid={who['group']}" if who else ""
        options = f"size={int(size) // MEGABYTE + 8}m{owner}"
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", self._folder], check=True)
        self._sql(f"CREATE TABLESPACE small LOCATION '{self._folder}'")
        self._sql("ALTER TABLE audit_entry SET TABLESPACE small")

    def fill(self) -> None:
        with self._filler.open("wb") as file:
            try:
                while True:
                    file.write(bytes(64 * 1024))
                    file.flush()
            except OSError:
                return  # that is what it is for

    def make_room(self) -> None:
        self._filler.unlink(missing_ok=True)

    def give_back(self) -> None:
        if not os.path.ismount(self._folder):
            return
        self.make_room()
        self._sql("ALTER TABLE audit_entry SET TABLESPACE pg_default")
        self._sql("DROP TABLESPACE IF EXISTS small")
        subprocess.run(["umount", self._folder], check=True)

    def _sql(self, text: str) -> None:
        with self._stack.session() as cursor:
            cursor.connection.rollback()
            cursor.connection.autocommit = True
            cursor.execute(text)


@pytest.fixture
def disk(stack, tmp_path) -> Iterator[SmallDisk]:
    # Below the database's own folder: its user may come here, and not to everybody's temporary one.
    folder = stack.postgres.folder / "small"
    folder.mkdir(exist_ok=True)
    small = SmallDisk(stack, folder)
    try:
        small.take_the_history()
        yield small
    finally:
        small.give_back()
        folder.rmdir()


@pytest.mark.mounts
@pytest.mark.req("FT-22", "INV-11", "G-4", "IMPL-02", "TECH-11")
def test_a_database_without_room_refuses_acts_and_shows_pages(stack, stage, alice, promises, disk):
    """What was sent meanwhile is kept by its page, and is done once there is room."""
    number, later = stage.orders(status="unshipped", count=2)
    form = alice.confirm_form(later)
    cancelled = alice.cancel_form(number)
    disk.fill()
    notes = f"/orders/{number}/notes/"
    for _ in range(MOST):
        note = alice.get(f"/orders/{number}/").form(notes) | {"note": "x" * 400}
        answer = alice.post(notes, note)
        if answer.status != 200:
            break
    assert answer.status == 503

    busy = alice.cancel(number, cancelled)
    assert (busy.status, busy.seconds < 3) == (503, True)
    again = busy.form(f"/orders/{number}/cancel/")
    assert again["token"] == cancelled["token"]
    assert stage.story(number=number)["status"] == "unshipped"
    for path in ("/orders/", f"/orders/{number}/", f"/orders/{later}/"):
        assert alice.get(path).status == 200
    assert stack.health("live") == 200
    lines = [json.loads(line) for line in stack.log("web").splitlines() if "database.full" in line]
    assert {(line["level"], line["alert"]) for line in lines} == {
        ("ERROR", "docs/runbook.md#database-full")
    }
    wait_until(lambda: "database-full" in stage.open_alerts(), 60, "operators are told")

    disk.make_room()
    assert promised(alice.cancel(number, again))
    promises.note("cancel", number)
    assert promised(alice.confirm(later, form))
    promises.note("confirm", later)
    assert stage.story(number=number)["events"]["order.cancelled"] == 1
