"""A process that stops is told to whoever runs the platform: by webhook, mail and a line of the log."""

from __future__ import annotations

import json

import pytest

from quickstart import product, services
from tests.failures.person import Person
from tests.failures.stack import RECOVERY, wait_until
from tests.sinks.webhook import listening

ALERT, HEADING = "beat-silent", "docs/runbook.md#beat-silent"
OLIVE = "olive@platform.example"


@pytest.mark.req("TECH-11", "FT-26", "G-4")
def test_a_beat_that_stops_is_told_by_a_web_process_and_its_return_too(stack, stage):
    """Nobody asks for the job that looks for alerts: a web process with short pauses does."""
    stage.operator(email=OLIVE)
    letters = len(letters_to(stack, OLIVE))
    port = services.free_port()
    with listening(stack.webhook_port) as sink:
        stack.start_another(
            "watching-web",
            product.web("127.0.0.1", port),
            ready=lambda: Person(f"http://127.0.0.1:{port}").get("/health/live/").status == 200,
            WATCH_SECONDS="4",
            WATCH_PAUSE_SECONDS="1",
            ALERT_SILENCE_SECONDS="8",
        )
        stack.kill("beat")
        wait_until(lambda: told(sink) == ["began"], RECOVERY, "the webhook is told")
        wait_until(
            lambda: len(letters_to(stack, OLIVE)) == letters + 1,
            RECOVERY,
            "an operator is written to",
        )
        [line] = [
            line for line in lines_of(stack, "watching-web") if line["event"] == "alert.began"
        ]
        assert (line["alert"], line["level"], line["code"]) == (HEADING, "ERROR", ALERT)
        assert line["request"]

        stack.again("beat")
        wait_until(lambda: told(sink) == ["began", "ended"], RECOVERY, "its end is told")
        wait_until(lambda: len(letters_to(stack, OLIVE)) == letters + 2, RECOVERY, "and by mail")
    ended = [line for line in lines_of(stack, "worker") if line["event"] == "alert.ended"]
    assert ended[-1]["alert"] == HEADING
    stack.drop("watching-web")
    stage.operator(email=OLIVE, active=False)


def told(sink) -> list[object]:
    """What became of this alert; others may have begun while the product was ill-treated."""
    return [said["state"] for _path, said in sink.taken if said["alert"] == ALERT]


def letters_to(stack, address: str) -> list[str]:
    lines = stack.mails.read_text().splitlines() if stack.mails.exists() else []
    return [line for line in lines if address in json.loads(line)["to"]]


def lines_of(stack, name: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in stack.log(name).splitlines() if line.startswith("{")]
