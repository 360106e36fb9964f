"""The broker's transport, as the library's but for two faults that end or stop a worker."""

from __future__ import annotations

import logging
from typing import Any

from kombu.transport import redis

log = logging.getLogger(__name__)


class QoS(redis.QoS):  # type: ignore[misc]
    """Counts a message as done here even if the broker could not be told so (FT-11).

    The library would keep its place among the few that a worker has at once; after two of them it
    would take no more for ever. The broker hands such a message out again, which changes nothing.
    """

    def ack(self, delivery_tag: str) -> None:
        try:
            super().ack(delivery_tag)
        finally:
            self._quick_ack(delivery_tag)


class Channel(redis.Channel):  # type: ignore[misc]
    """Reads messages from Redis; what is none is dropped, with a line in the log (FT-09).

    The library lets the error end the whole worker: nothing that a queue holds may do that.
    """

    QoS = QoS

    def _brpop_read(self, **options: Any) -> Any:
        try:
            return super()._brpop_read(**options)
        except (ValueError, TypeError, LookupError, AttributeError) as error:
            log.warning("message.unreadable", extra={"code": type(error).__name__})
            return True


class Transport(redis.Transport):  # type: ignore[misc]
    Channel = Channel
