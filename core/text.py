"""What a line of text may hold, wherever it was typed."""

from __future__ import annotations

import unicodedata

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

# They turn the direction of what follows: a name with one can look like another name.
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def is_plain(text: str, *, lines: bool = False) -> bool:
    """Whether a text has no control characters and no lone surrogates; line breaks if allowed."""
    allowed = "\t\r\n" if lines else ""
    return all(c in allowed or unicodedata.category(c) not in ("Cc", "Cs") for c in text)


def is_straight(text: str) -> bool:
    """Whether a text reads as it is stored: plain, without markup, turning or line separators."""
    return is_plain(text) and not _TURNING & set(text) and not set("<>\u2028\u2029") & set(text)


def is_address(text: str) -> bool:
    """Whether a text is one e-mail address, at a domain with a name: not at ``[127.0.0.1]``."""
    try:
        validate_email(text)
    except ValidationError:
        return False
    return not text.endswith("]")


def is_blank(text: str) -> bool:
    """Whether there is nothing to be seen: blanks of any width, also of none."""
    return all(unicodedata.category(c)[0] in "ZC" for c in text)


def initials(name: str) -> str:
    """Return two letters for a name: Harbour & Hearth HH, 北の暮らし 北の."""
    words = [word for word in name.split() if word[0].isalnum()]
    letters = [word[0] for word in words] if len(words) > 1 else list(name)
    return "".join(letters[:2]).upper()
