"""A real browser on the real pages, with Debian's Chromium."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.db import connections
from playwright.sync_api import Browser, Page, sync_playwright

from accounts.models import Merchant, User
from quickstart.browser import chromium

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]
FLAGS += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]

Open = Callable[..., Page]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Start the browser. Its event loop has database connections of its own: none outlives it."""
    connections.close_all()
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        yield started
        started.close()
        connections.close_all()


@pytest.fixture
def cast(
    django_db_serialized_rollback: None, transactional_db: None, shop: Merchant, alice: User
) -> tuple[Merchant, User]:
    """The shop and its owner, committed for the server's own connections."""
    return shop, alice


@pytest.fixture
def open_page(
    browser: Browser, live_server: Any, client: Any, cast: tuple[Merchant, User]
) -> Iterator[Open]:
    """Open a page signed in as alice; script, width and scheme can be chosen."""
    contexts = []

    def open_(path: str = "/orders/", *, script: bool = True, width: int = 1440, dark: bool = False,
              user: User | None = cast[1]) -> Page:  # fmt: skip
        context = browser.new_context(
            base_url=live_server.url,
            viewport={"width": width, "height": 900},
            java_script_enabled=script,
            color_scheme="dark" if dark else "light",
        )
        contexts.append(context)
        if user is not None:
            client.force_login(user)
            assert SESSION_KEY in client.session
            cookie = {
                "name": settings.SESSION_COOKIE_NAME,
                "value": client.session.session_key,
                "url": live_server.url,
            }
            context.add_cookies([cookie])
        page = context.new_page()
        page.on("pageerror", lambda error: pytest.fail(f"script error: {error}"))
        page.goto(path)
        return page

    yield open_
    for context in contexts:
        context.close()
