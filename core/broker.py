"""The broker's transport: the library's, but nothing a broker does ends or stops a worker.

A message says "look for work" and may be lost: whoever cannot keep it lets it go.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from redis.exceptions import ResponseError

log = logging.getLogger(__name__)
redis: Any = import_module("kombu.transport.redis")  # what is mended here has no types


class QoS(redis.QoS):  # type: ignore[misc]
    """Counts a message as done here even if the broker could not be told so (FT-11).

    The library would keep its place among the few that a worker has at once; after two of them it
    would take no more for ever. The broker hands such a message out again, which changes nothing.
    """

    # Closing a connection that is gone would fail at putting messages back, and end the worker.
    restore_at_shutdown = False

    def ack(self, delivery_tag: str) -> None:
        with self._whatever_the_broker_says(delivery_tag) as connected:
            if connected:
                super().ack(delivery_tag)

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        with self._whatever_the_broker_says(delivery_tag) as connected:
            if connected:
                super().reject(delivery_tag, requeue=requeue)

    @contextmanager
    def _whatever_the_broker_says(self, delivery_tag: str) -> Iterator[bool]:
        """Yield whether the connection that brought a message is there; then let the message go."""
        connection = self.channel.connection
        try:
            yield connection is not None and connection.client is not None
        except ResponseError as error:
            _told(error)
        finally:
            self._quick_ack(delivery_tag)

    def restore_visible(self, *args: Any, **options: Any) -> Any:
        """Look for messages of dead workers; a broker that is full cannot (FT-14)."""
        try:
            return super().restore_visible(*args, **options)
        except ResponseError as error:
            _told(error)
            return None


class Channel(redis.Channel):  # type: ignore[misc]
    """Reads messages from Redis; what is none is dropped, with a line in the log (FT-09)."""

    QoS = QoS

    def _brpop_read(self, **options: Any) -> Any:
        try:
            return super()._brpop_read(**options)
        except (ValueError, TypeError, LookupError, AttributeError, ResponseError) as error:
            log.warning("message.dropped", extra={"code": type(error).__name__})
            return True


class Transport(redis.Transport):  # type: ignore[misc]
    Channel = Channel


def _told(error: ResponseError) -> None:
    """Note that the broker refuses: it is full, or what it was asked about is gone."""
    log.warning("broker.refuses", extra={"code": type(error).__name__})
