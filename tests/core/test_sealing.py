"""Secrets at rest: read again by us alone, for what they were sealed for."""

from __future__ import annotations

import base64

import pytest

from core import sealing


@pytest.mark.req("SD-18")
def test_what_was_sealed_is_read_again_and_looks_different_each_time():
    one, two = (sealing.seal("secret", purpose="x") for _ in range(2))
    assert one != two
    assert "secret" not in one
    assert b"secret" not in base64.urlsafe_b64decode(one)
    assert [sealing.unseal(each, purpose="x") for each in (one, two)] == ["secret", "secret"]


@pytest.mark.req("SD-18")
def test_altered_foreign_or_old_ones_are_unreadable(settings):
    sealed = sealing.seal("secret", purpose="x")
    for altered, purpose, seconds in (
        (sealed[:-5] + "AAAA=", "x", None),
        (sealed, "y", None),
        ("", "x", None),
        ("é", "x", None),
        (sealed, "x", -1),
    ):
        with pytest.raises(sealing.Unreadable):
            sealing.unseal(altered, purpose=purpose, seconds=seconds)
    settings.SECRET_KEY = "another-" + "1" * 60
    with pytest.raises(sealing.Unreadable):
        sealing.unseal(sealed, purpose="x")


@pytest.mark.req("SD-18", "SD-01")
def test_after_a_change_of_key_the_old_one_still_reads(settings):
    sealed = sealing.seal("secret", purpose="x")
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another-" + "1" * 60
    assert sealing.unseal(sealed, purpose="x") == "secret"
    fresh = sealing.seal("secret", purpose="x")
    settings.SECRET_KEY_FALLBACKS = []
    assert sealing.unseal(fresh, purpose="x") == "secret"
