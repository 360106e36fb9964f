"""An SMTP server on the loopback that behaves as told (FT-30 to FT-33).

`python -m tests.sinks.smtp PORT FILE [behaviour]` runs one alone; it writes what it took as JSON
lines.
"""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import sys
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller

from quickstart.services import free_port

TAKE, LATER, NEVER, CUT, CUT_EARLY, REFUSE_TEXT = (
    "take", "later", "never", "cut after the data", "cut before the data", "refuse the text",
)  # fmt: skip


@dataclass(frozen=True)
class Taken:
    """One message as it came in. session: which connection brought it, from 1."""

    sender: str
    to: list[str]
    raw: bytes
    session: int

    @property
    def message(self) -> EmailMessage:
        return message_from_bytes(self.raw, policy=policy.default)

    @property
    def id(self) -> str:
        return str(self.message["Message-ID"])

    @property
    def body(self) -> str:
        return self.message.get_content().replace("\r\n", "\n")


class SmtpSink:
    """Behaviours by address; ``usual`` for all others. delay: seconds before a receipt."""

    def __init__(self, port: int = 0, log: Path | None = None, usual: str = TAKE) -> None:
        self.port = port or free_port()
        self.log = log
        self.behaviours: dict[str, str] = defaultdict(lambda: self.usual)
        self.usual = usual
        self.delay = 0.0
        self.taken: list[Taken] = []
        self.connections = 0
        self._controller: Controller | None = None

    def start(self) -> None:
        """Begin to listen; before, and after ``stop``, connections are refused."""
        self._controller = Controller(
            self, hostname="127.0.0.1", port=self.port, server_hostname="sink"
        )
        self._controller.start()

    def stop(self) -> None:
        if self._controller is not None:
            self._controller.stop()
            self._controller = None

    def ids(self) -> list[str]:
        return [one.id for one in self.taken]

    async def handle_EHLO(
        self, server: Any, session: Any, envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        self.connections += 1
        session.number = self.connections
        session.host_name = hostname
        return responses

    async def handle_RCPT(
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        behaviour = self.behaviours[address]
        if behaviour == LATER:
            return f"451 4.7.1 <{address}> not now"
        if behaviour == NEVER:
            return f"550 5.1.1 <{address}> no such mailbox"
        if behaviour == CUT_EARLY:
            server.transport.abort()
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        behaviour = self.behaviours[envelope.rcpt_tos[0]]
        if behaviour == REFUSE_TEXT:
            return "554 5.7.1 refused"
        raw = bytes(envelope.content)
        self.taken.append(Taken(envelope.mail_from, list(envelope.rcpt_tos), raw, session.number))
        self._write(self.taken[-1])
        if behaviour == CUT:
            server.transport.abort()
        if self.delay:
            await asyncio.sleep(self.delay)
        return "250 OK"

    def _write(self, taken: Taken) -> None:
        if self.log is not None:
            line = {"from": taken.sender, "to": taken.to, "id": taken.id}
            with self.log.open("a") as file:
                file.write(json.dumps(line) + "\n")


@contextmanager
def silent_server() -> Iterator[int]:
    """A server that takes connections and never says a word; yields its port."""
    with socket.create_server(("127.0.0.1", 0), backlog=16) as server:
        yield server.getsockname()[1]


def main() -> None:
    sink = SmtpSink(int(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:4])
    sink.start()
    signal.sigwait({signal.SIGINT, signal.SIGTERM})
    sink.stop()


if __name__ == "__main__":
    main()
