"""What every answer forbids the browser, and what a browser may report back."""

from __future__ import annotations

import json
import logging

import pytest
from django.test import Client, RequestFactory

from core.middleware import ApiNeedsHttps
from core.security import Event
from core.views import health
from tests.log_lines import lines

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " font-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'self';"
    " base-uri 'none'; object-src 'none'; frame-ancestors 'none'; report-uri /csp-report/"
)


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/login/", "/health/live/", "/no-such-page/"])
def test_every_answer_carries_the_policy(client: Client, path: str) -> None:
    answer = client.get(path)

    said = {part.strip() for part in answer["Content-Security-Policy"].split(";")}
    assert said == {part.strip() for part in POLICY.split(";")}
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["Referrer-Policy"] == "same-origin"
    assert answer["Cross-Origin-Opener-Policy"] == "same-origin"
    assert answer["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "camera=()" in answer["Permissions-Policy"]


def report(client: Client, body: object) -> int:
    text = body if isinstance(body, (str, bytes)) else json.dumps(body)
    return client.post("/csp-report/", text, content_type="application/csp-report").status_code


def test_a_report_leaves_the_name_of_the_rule_and_nothing_else(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    told = {"effective-directive": "script-src-elem", "document-uri": "a secret address"}

    with caplog.at_level(logging.WARNING):
        assert report(client, {"csp-report": told}) == 204

    (record,) = caplog.records
    assert (record.getMessage(), vars(record)["code"]) == ("csp.violation", "script-src-elem")
    assert "secret" not in str(vars(record))


@pytest.mark.parametrize(
    "body",
    ["", "{", "[]", "7", b"\xff", {"csp-report": 7}, {"csp-report": {}}, {"x": 1}, "x" * 9000],
)
def test_what_is_no_report_is_dropped(
    client: Client, caplog: pytest.LogCaptureFixture, body: object
) -> None:
    with caplog.at_level(logging.WARNING):
        assert report(client, body) == 204

    assert caplog.records == []


def test_a_report_is_posted(client: Client) -> None:
    assert client.get("/csp-report/").status_code == 405


@pytest.mark.parametrize(
    ("path", "secure", "status"),
    [("/api/v1/orders/", False, 403), ("/api/v1/orders/", True, 200), ("/login/", False, 200)],
)
def test_on_a_server_the_api_refuses_plain_http(path: str, secure: bool, status: int) -> None:
    with lines() as log:
        answer = ApiNeedsHttps(health.live)(RequestFactory().get(path, secure=secure))

    assert answer.status_code == status
    assert len(log.named(Event.KEY_EXPOSED)) == (status == 403)
    if status == 403:
        assert json.loads(answer.content)["code"] == "HTTPS_REQUIRED"
