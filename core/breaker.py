"""A server that did not answer is left alone for a while: pages must not wait for it again."""

from __future__ import annotations

import logging
import time

from django.conf import settings

log = logging.getLogger(__name__)


class Breaker:
    """Remembers that a server was away; open means that it is not to be asked now."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._until = 0.0

    @property
    def is_open(self) -> bool:
        return time.monotonic() < self._until

    def trip(self) -> None:
        """Note that the server did not answer."""
        log.warning("server.away", extra={"code": self.name})
        self._until = time.monotonic() + settings.BREAKER_SECONDS

    def reset(self) -> None:
        self._until = 0.0


redis = Breaker("redis")
mail = Breaker("mail server")
