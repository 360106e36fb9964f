"""The one address that alerts are posted to; an operator's, from the settings."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
from collections.abc import Mapping
from threading import Timer
from urllib.parse import urlsplit

from django.conf import settings

ANSWER_SECONDS = 3.0  # for a connection, and for each part of an answer
ALL_SECONDS = 10.0  # for everything: an answer that drips is cut off


class NotTaken(Exception):
    """The webhook was not reached or refused; ``str()`` is the status or the kind of failure."""


def post(message: Mapping[str, object]) -> None:
    """Post a message as JSON. Raises NotTaken unless the answer is a 2xx.

    Whoever answers with a redirect is not followed, proxies of the environment are not asked, and
    of the answer nothing but its status is read.
    """
    where = urlsplit(settings.ALERT_WEBHOOK_URL)
    connection = _connection(where.scheme, where.hostname or "", where.port)
    path = f"{where.path or '/'}?{where.query}" if where.query else where.path or "/"
    timer = Timer(ALL_SECONDS, _hang_up, [connection])
    timer.daemon = True
    timer.start()
    try:
        headers = {"Content-Type": "application/json", "Connection": "close"}
        connection.request("POST", path, json.dumps(message), headers)
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise NotTaken(type(error).__name__) from error
    finally:
        timer.cancel()
        connection.close()
    if not 200 <= status < 300:
        raise NotTaken(str(status))


def _connection(scheme: str, host: str, port: int | None) -> http.client.HTTPConnection:
    if scheme == "https":
        checked = ssl.create_default_context()
        return http.client.HTTPSConnection(host, port, timeout=ANSWER_SECONDS, context=checked)
    return http.client.HTTPConnection(host, port, timeout=ANSWER_SECONDS)


def _hang_up(connection: http.client.HTTPConnection) -> None:
    """End a call that takes too long: whoever waits for it reads an end."""
    if (talk := connection.sock) is not None:
        try:
            talk.shutdown(socket.SHUT_RDWR)
        except OSError:
            return
