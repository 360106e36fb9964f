"""How people write days, by country of the marketplace; files and machines always write ISO."""

from __future__ import annotations

from datetime import date, datetime

# As a date control sends them, and as they are typed where there is none. Year first is read
# everywhere; of the others the day comes before the month.
FORMS = ("%Y-%m-%d", "%Y/%m/%d", "%d/%m/%Y", "%d %b %Y")
_EXAMPLE = date(2026, 12, 8)


def day_words(day: date, country: str, *, weekday: bool = True, year: bool = True) -> str:
    """Return a day as people write it: Tue 8 Dec 2026, 12 Dec 2026, Wed 9 Dec; 2026/12/08."""
    if country == "JP":
        return f"{day:%Y/%m/%d}"
    words = f"{day.day} {day:%b}"
    if weekday:
        words = f"{day:%a} {words}"
    return f"{words} {day.year}" if year else words


def example(country: str) -> str:
    """Return a day to copy the form of: 8 Dec 2026, 2026/12/08."""
    return day_words(_EXAMPLE, country, weekday=False)


def read_day(text: str) -> date | None:
    """Return the day that was typed in one of ``FORMS``; None if it is none."""
    if not text.isascii():  # digits of other scripts, which strptime would take
        return None
    for form in FORMS:
        try:
            return datetime.strptime(text.strip(), form).date()  # noqa: DTZ007  a day has no zone
        except ValueError:
            continue
    return None
