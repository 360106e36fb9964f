"""A body that does not arrive keeps no thread for ever; a part of one is not taken for all of it.

The web server waits for the next byte as long as it takes, and hands on the end of a connection as
the end of a body: a form could be read without its last fields (reliability SD-11).
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterable, Iterator
from threading import Timer
from typing import Any

from django.conf import settings

BROKEN_OFF = "sellercentral.broken_off"  # set in a request whose body did not arrive

_THROWN_AWAY, _PATIENCE = 64 * 1024 * 1024, 5.0  # bytes and seconds of a body that nobody wants

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


class WholeBodies:
    """Give each body so many seconds to arrive; what is cut short is an error to who reads it."""

    def __init__(self, application: Application) -> None:
        self.application = application

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        if not length:
            return self.application(environ, start_response)
        body = environ["wsgi.input"] = _Body(environ, length)
        try:
            answer = self.application(environ, start_response)
            body.throw_away()
            return answer
        finally:
            body.is_over()


class _Body:
    """Reads what the server reads, and counts."""

    def __init__(self, environ: dict[str, Any], length: int) -> None:
        self._environ, self._left = environ, length
        self._read_from, self._end = environ["wsgi.input"], time.monotonic() + settings.BODY_SECONDS
        self._timer: Timer | None = None

    def read(self, size: int | None = None) -> bytes:
        return self._counted(self._read_from.read, size)

    def readline(self, size: int | None = None) -> bytes:
        return self._counted(self._read_from.readline, size)

    def readlines(self, hint: int | None = None) -> list[bytes]:
        return list(self)

    def __iter__(self) -> Iterator[bytes]:
        while line := self.readline():
            yield line

    def throw_away(self) -> None:
        """Read what nobody wanted: who is not done sending does not listen to the answer.

        For a while; a connection that ends before breaks, and the answer with it.
        """
        if not self._left or self._environ.get(BROKEN_OFF):
            return
        self._hang_up_in(_PATIENCE)
        most = _THROWN_AWAY
        try:
            while self._left and most > 0:
                most -= len(self.read(64 * 1024))
        except OSError:
            return

    def is_over(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _counted(self, read: Callable[[int], bytes], size: int | None) -> bytes:
        wanted = self._left if size is None or size < 0 else min(size, self._left)
        if not wanted:
            return b""
        self._watch_the_time()
        try:
            told = read(wanted)
        except OSError:
            self._environ[BROKEN_OFF] = True
            raise
        self._left -= len(told)
        if not told or (read == self._read_from.read and len(told) < wanted):
            self._environ[BROKEN_OFF] = True
            raise ConnectionError("The body broke off.")
        return told

    def _watch_the_time(self) -> None:
        if self._timer is None:
            self._hang_up_in(max(0.0, self._end - time.monotonic()))

    def _hang_up_in(self, seconds: float) -> None:
        """Hang up at the end of the time: whoever waits for the next byte reads an end."""
        self.is_over()
        talk = self._environ.get("gunicorn.socket")
        if talk is not None:
            self._timer = Timer(seconds, _hang_up, [talk])
            self._timer.daemon = True
            self._timer.start()


def _hang_up(talk: socket.socket) -> None:
    try:
        talk.shutdown(socket.SHUT_RD)
    except OSError:
        return
