"""The broker's transport, which an unreadable message does not bring down (FT-09)."""

from __future__ import annotations

import logging
from typing import Any

from kombu.transport import redis

log = logging.getLogger(__name__)


class Channel(redis.Channel):  # type: ignore[misc]
    """Reads messages from Redis; what is none is dropped, with a line in the log.

    The library lets the error end the whole worker: nothing that a queue holds may do that.
    """

    def _brpop_read(self, **options: Any) -> Any:
        try:
            return super()._brpop_read(**options)
        except (ValueError, TypeError, LookupError, AttributeError) as error:
            log.warning("message.unreadable", extra={"code": type(error).__name__})
            return True


class Transport(redis.Transport):  # type: ignore[misc]
    Channel = Channel
