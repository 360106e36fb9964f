"""Files that are kept: reports made, files uploaded. Bytes first, then the row that names them.

A file's bytes are on disk, synced, before anybody commits a row with its name; so there is never a
row without its file. What a crash leaves is a file without a row, which ``orphans`` finds. Names
are random and say nothing; nobody but the process may read them; pages hand them out, no server of
static files does (INV-11, INV-14, SD-19).
"""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from django.conf import settings

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_HALF = ".part"  # what is being written; nothing with this ending is ever handed out
_PIECE = 1024 * 1024  # bytes read or written at once


class NoRoom(Exception):
    """The disk is full; nothing was kept."""


class Damaged(Exception):
    """A kept file is gone, or is not what was written."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A kept file. name: within the store; size: in bytes; digest: SHA-256, 64 hex digits."""

    name: str
    size: int
    digest: str


class Writer:
    """A file being written; ``kept`` says what it is once ``writing`` has ended well."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._digest = hashlib.sha256()
        self._size = 0
        self.kept: Kept | None = None

    def write(self, data: bytes | memoryview) -> int:
        self._file.write(data)
        self._digest.update(data)
        self._size += len(data)
        return len(data)

    def as_kept(self, name: str) -> Kept:
        return Kept(name, self._size, self._digest.hexdigest())


@contextmanager
def writing(folder: str) -> Iterator[Writer]:
    """Write a new file of a folder of the store; whole and synced at the end, or not there at all.

    Raises NoRoom when the disk is full.
    """
    place = _root() / folder
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    name = f"{folder}/{secrets.token_hex(16)}"
    path = _root() / name
    half = path.with_suffix(_HALF)
    try:
        handle = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(handle, "wb", buffering=_PIECE) as file:
            writer = Writer(file)
            yield writer
            file.flush()
            os.fsync(file.fileno())
        half.rename(path)
        _sync(place)
    except BaseException as failure:
        half.unlink(missing_ok=True)
        if isinstance(failure, OSError) and failure.errno in _FULL:
            raise NoRoom from failure
        raise
    writer.kept = writer.as_kept(name)


def keep(folder: str, pieces: Iterator[bytes]) -> Kept:
    """Keep a file given in pieces. Raises NoRoom."""
    with writing(folder) as writer:
        for piece in pieces:
            writer.write(piece)
    assert writer.kept is not None
    return writer.kept


def read(kept: Kept) -> bytes:
    """Return a kept file's bytes, whole; for files whose size is bounded. Raises Damaged."""
    with hand_out(kept) as file:
        data = file.read()
    if hashlib.sha256(data).hexdigest() != kept.digest:
        raise Damaged(kept.name)
    return data


def hand_out(kept: Kept) -> BinaryIO:
    """Return a kept file, open, its size found right; whoever asks closes it. Raises Damaged."""
    try:
        file = open(_root() / kept.name, "rb")  # noqa: SIM115  whoever asks closes it
    except FileNotFoundError as missing:
        raise Damaged(kept.name) from missing
    if os.fstat(file.fileno()).st_size != kept.size:
        file.close()
        raise Damaged(kept.name)
    return file


def is_whole(kept: Kept) -> bool:
    """Tell whether a kept file still is what was written; reads it once, a piece at a time."""
    digest = hashlib.sha256()
    try:
        with hand_out(kept) as file:
            while piece := file.read(_PIECE):
                digest.update(piece)
    except Damaged:
        return False
    return digest.hexdigest() == kept.digest


def remove(name: str) -> None:
    """Remove a kept file; one that is gone already is no mistake."""
    (_root() / name).unlink(missing_ok=True)


def orphans(folder: str, known: Collection[str], *, older_than: float) -> Iterator[str]:
    """Yield names of files that no row names, last written so many seconds ago."""
    place = _root() / folder
    if not place.is_dir():
        return
    before = time.time() - older_than
    for path in place.iterdir():
        name = f"{folder}/{path.name}"
        with suppress(FileNotFoundError):  # removed meanwhile
            if name not in known and path.stat().st_mtime < before:
                yield name


def _root() -> Path:
    return Path(settings.MEDIA_ROOT)


def _sync(place: Path) -> None:
    """Make a rename last: the folder's own entry is synced, too."""
    handle = os.open(place, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
