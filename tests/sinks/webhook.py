"""A receiver of alerts on the loopback that behaves as told."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer


class Sink(HTTPServer):
    """Takes what is posted. status: of its answers; drips: sends them a byte at a time."""

    status, drips = 200, False

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), Taker)
        self.taken: list[tuple[str, dict[str, object]]] = []


class Taker(BaseHTTPRequestHandler):
    server: Sink

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.taken.append((self.path, json.loads(body)))
        if self.server.drips:
            for byte in b"HTTP/1.1 200 OK\r\nX-Slow: 1234567890":
                self.wfile.write(bytes([byte]))
                time.sleep(0.2)
            return
        self.send_response(self.server.status)
        if self.server.status == 302:
            self.send_header("Location", "/elsewhere/")
        self.end_headers()

    do_GET = do_POST

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@contextmanager
def listening(port: int = 0) -> Iterator[Sink]:
    """Take what is posted while the enclosed code runs; port 0: any that is free."""
    with Sink(port) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()
