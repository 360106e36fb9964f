"""What is too large is answered as such, in the reader's own frame, and changes nothing (SD-11)."""

from __future__ import annotations

import io

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.domain.keys import create_key
from core.bodies import BROKEN_OFF, WholeBodies
from orders.models import Order
from tests.factories import STAFF
from tests.outsiders import everything
from tests.pages import words

pytestmark = pytest.mark.req("SD-11", "IMPL-26")
FORM, FILE = settings.DATA_UPLOAD_MAX_MEMORY_SIZE, settings.FILE_MAX_BYTES
LOGO = "/settings/policies/logo/"
PLAIN = "application/x-www-form-urlencoded"


def urlencoded(size: int) -> bytes:
    return b"note=" + b"x" * (size - 5)


@pytest.fixture
def signed_in(client, alice):
    client.force_login(alice)
    return client


def test_the_limits_are_those_of_the_plan():
    megabyte = 1024 * 1024
    assert (2.5 * megabyte, 10 * megabyte) == (FORM, FILE)
    assert settings.DATA_UPLOAD_MAX_NUMBER_FIELDS == 2000
    assert (settings.DATA_UPLOAD_MAX_NUMBER_FILES, settings.BODY_SECONDS) == (1, 60)


def test_a_form_that_is_too_large_gets_a_page_in_the_members_frame(signed_in, order):
    before = everything()
    answer = signed_in.post(
        f"/orders/{order.number}/cancel/", urlencoded(FORM + 1), content_type=PLAIN
    )
    assert answer.status_code == 413
    told = words(answer)
    assert "That is too much at once" in told
    assert "A form may have 2.5 MB and 2,000 fields, a file 10 MB. Nothing was changed." in told
    assert "Sign out" in answer.content.decode()
    assert everything() == before


def test_a_form_that_is_just_small_enough_is_read(signed_in, order):
    answer = signed_in.post(f"/orders/{order.number}/cancel/", urlencoded(FORM), content_type=PLAIN)
    assert answer.status_code == 422
    assert "Choose a reason" in words(answer)


@pytest.mark.django_db
def test_a_stranger_gets_a_page_too(client):
    answer = client.post("/login/", urlencoded(FORM + 1), content_type=PLAIN)
    assert answer.status_code == 413
    assert "That is too much at once" in words(answer)
    assert "Sign out" not in answer.content.decode()


@pytest.mark.parametrize(
    "sent",
    [
        {"logo": SimpleUploadedFile("l.png", b"x" * (FILE + 1))},
        {"logo": SimpleUploadedFile("l.png", b"x" * (13 * 1024 * 1024))},
        {"name": "x" * (FORM + 1), "logo": SimpleUploadedFile("l.png", b"x")},
        {f"f{n}": "1" for n in range(2001)},
        {"logo": SimpleUploadedFile("l.png", b"x"), "b": SimpleUploadedFile("m.png", b"x")},
    ],
    ids=["a file", "a body", "a field beside a file", "fields", "two files"],
)
def test_a_form_with_too_much_in_it_is_refused_as_a_whole(signed_in, sent):
    before = everything()
    for value in sent.values():
        if isinstance(value, SimpleUploadedFile):
            value.seek(0)
    answer = signed_in.post(LOGO, sent)
    assert answer.status_code == 413
    assert "That is too much at once" in words(answer)
    assert "Sign out" in answer.content.decode()
    assert everything() == before


@pytest.mark.req("BI-API")
def test_a_program_gets_it_in_its_own_shape(client, shop):
    key = create_key(merchant=shop, name="till", by=STAFF)[1]
    answer = client.post(
        "/api/v1/orders/",
        b'{"note": "' + b"x" * FORM + b'"}',
        content_type="application/json",
        headers={"Authorization": f"Bearer {key}"},
    )
    assert (answer.status_code, answer.json()["code"]) == (413, "TOO_LARGE")
    assert set(answer.json()) == {"code", "message", "field", "facts", "remedy"}
    assert not Order.objects.exists()


@pytest.mark.django_db
def test_headers_that_are_too_long_together(client):
    many = {f"X-Header-{n}": "x" * 500 for n in range(40)}
    answer = client.get("/login/", headers=many)
    assert answer.status_code == 431
    assert "Its headers are too long" in words(answer)
    assert client.get("/api/v1/orders/", headers=many).json()["code"] == "HEADERS_TOO_LARGE"


@pytest.mark.django_db
def test_a_body_must_say_how_long_it_is(client):
    """Read without a length it would be taken for an empty one."""
    answer = client.post("/api/v1/orders/", headers={"Transfer-Encoding": "chunked"})
    assert (answer.status_code, answer.json()["code"]) == (411, "LENGTH_REQUIRED")


# A body that breaks off ---------------------------------------------------------------------------


def asked(sent: bytes, length: int) -> tuple[dict[str, object], list[bytes]]:
    """Read a body as pages do; return what the request says of it, and what was read."""
    environ: dict[str, object] = {"CONTENT_LENGTH": str(length), "wsgi.input": io.BytesIO(sent)}
    read: list[bytes] = []

    def application(environ, start_response):
        body = environ["wsgi.input"]
        try:
            read.append(body.readline())
            read.append(body.read())
        except ConnectionError:
            read.append(b"broken off")
        return []

    WholeBodies(application)(environ, None)
    return environ, read


def test_a_whole_body_is_read_as_it_is():
    environ, read = asked(b"one\ntwo\nthree", 13)
    assert read == [b"one\n", b"two\nthree"]
    assert BROKEN_OFF not in environ


def test_a_part_of_a_body_is_not_taken_for_it():
    environ, read = asked(b"one\ntwo", 13)
    assert read == [b"one\n", b"broken off"]
    assert environ[BROKEN_OFF]


def test_what_follows_a_body_is_left_alone():
    """The next request of the same connection."""
    assert asked(b"one\ntwoGET /", 7)[1] == [b"one\n", b"two"]


def test_what_nobody_read_is_read_away():
    """Who is not done sending does not listen to the answer."""
    stream = io.BytesIO(b"x" * 1_000_000 + b"GET /")
    environ = {"CONTENT_LENGTH": "1000000", "wsgi.input": stream}
    assert WholeBodies(lambda environ, start_response: [b"no"])(environ, None) == [b"no"]
    assert stream.read() == b"GET /"
    assert BROKEN_OFF not in environ
