"""Files that are kept: whole or not at all, and never handed out damaged."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from core import stored_files
from core.stored_files import Damaged, Kept, NoRoom


@pytest.fixture(autouse=True)
def store(settings, tmp_path) -> Path:
    settings.MEDIA_ROOT = str(tmp_path)
    return tmp_path


def test_what_was_kept_is_read_again(store):
    kept = stored_files.keep("reports", iter([b"order-id\r\n", b"1\r\n"]))
    assert kept.size == 13
    assert stored_files.read(kept) == b"order-id\r\n1\r\n"
    assert stored_files.is_whole(kept)
    (path,) = (store / "reports").iterdir()
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_write_that_breaks_leaves_nothing(store):
    def pieces() -> Iterator[bytes]:
        yield b"half"
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        stored_files.keep("reports", pieces())
    assert list((store / "reports").iterdir()) == []


def test_a_full_disk_is_said_and_leaves_nothing(store, monkeypatch):
    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(NoRoom):
        stored_files.keep("uploads", iter([b"bytes"]))
    assert list((store / "uploads").iterdir()) == []


@pytest.mark.parametrize("harm", ["gone", "shorter", "other"])
def test_a_damaged_file_is_never_handed_out(store, harm):
    kept = stored_files.keep("uploads", iter([b"as it was"]))
    path = store / kept.name
    if harm == "gone":
        path.unlink()
    else:
        path.write_bytes(b"as it" if harm == "shorter" else b"as it is.")
    assert not stored_files.is_whole(kept)
    with pytest.raises(Damaged):
        stored_files.read(kept)


def test_files_that_no_row_names_are_found_once_they_are_old(store):
    kept = stored_files.keep("uploads", iter([b"known"]))
    stray = stored_files.keep("uploads", iter([b"stray"]))
    assert list(stored_files.orphans("uploads", {kept.name}, older_than=60)) == []
    os.utime(store / stray.name, (0, 0))
    assert list(stored_files.orphans("uploads", {kept.name}, older_than=60)) == [stray.name]
    stored_files.remove(stray.name)
    stored_files.remove(stray.name)
    assert list(stored_files.orphans("nothing", set(), older_than=60)) == []
    assert stored_files.is_whole(Kept(kept.name, 5, kept.digest))
