"""What a request says about its encoding changes nothing about how it is read."""

from __future__ import annotations

import pytest
from django.test import Client

from core.encoding import Utf8Only
from sellercentral.wsgi import application

PART = b'--x\r\nContent-Disposition: form-data; name="login"\r\n\r\n+AAA-\r\n--x--\r\n'


def at_the_entrance(client):
    """Let a client's requests come in as the server's do."""
    handler = client.handler
    client.handler = lambda environ: Utf8Only(lambda given, _start: handler(given))(environ, None)
    return client


@pytest.fixture
def signed_in(client, alice):
    client.force_login(alice)
    return at_the_entrance(client)


def ask(client, address, written, *, body=None):
    """Send a request whose content type is written like this; return (status, text)."""
    answer = client.generic("POST" if body else "GET", address, body or b"", written,
                            CONTENT_TYPE=written)  # fmt: skip
    return answer.status_code, answer.content.decode()


def test_the_server_has_this_entrance():
    assert isinstance(application.application, Utf8Only)


@pytest.mark.req("IMPL-26")
@pytest.mark.parametrize(
    "name",
    ["utf-7", "utf-16", "latin-1", "base64", "rot13", "idna", "undefined", "nonsense", "a\x00"],
)
def test_only_utf8_is_read(signed_in, name):
    """In UTF-7 the characters of ``+AAA-`` are plain; what they stand for is not."""
    for written in (f"text/plain; charset={name}", f"text/plain; charset*=utf-8''{name}"):
        status, page = ask(signed_in, "/orders/?q=%2BAAA-", written)
        assert (status, "This request cannot be read" in page) == (415, True)
    status, answer = ask(signed_in, "/api/v1/orders/?after=%2B", f"text/plain; charset={name}")
    assert (status, "UNSUPPORTED_MEDIA_TYPE" in answer) == (415, True)
    form = f"multipart/form-data; boundary=x; charset={name}"
    assert ask(at_the_entrance(Client()), "/login/", form, body=PART)[0] == 415


@pytest.mark.parametrize("name", ["utf-8", "UTF8", '"utf-8"', "u8"])
def test_utf8_by_any_name_is_read(signed_in, name):
    status, page = ask(signed_in, "/orders/?q=%2BAAA-", f"text/plain; charset={name}")
    assert (status, 'value="+AAA-"' in page) == (200, True)
    form = f"multipart/form-data; boundary=x; charset={name}"
    status, page = ask(at_the_entrance(Client()), "/login/", form, body=PART)
    assert (status, 'value="+AAA-"' in page) == (422, True)


@pytest.mark.req("IMPL-26")
def test_too_many_parameters_get_a_page(signed_in):
    many = "/orders/?" + "a&" * 3000
    assert ask(signed_in, many, "text/plain; charset=utf-8")[0] == 413
