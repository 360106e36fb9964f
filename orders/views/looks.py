"""What was typed before a last look, kept in the session so that going back and forth is safe."""

from __future__ import annotations

from collections.abc import Collection

from django.http import HttpRequest, QueryDict

from orders.models import Order

_KEY = "last_looks"
_MOST = 5  # one person has a few tabs open; older ones are typed again
_LONGEST = 2_000  # characters of a field; a memo has 1,000, which a browser may send as 2,000


def keep(request: HttpRequest, order: Order, fields: Collection[str]) -> str:
    """Keep what was posted for a last look and return the name to ask for it with.

    fields: names of the form's fields; whatever else was posted would only fill the session.
    """
    name = request.POST.get("token", "")[:64]
    typed = {
        field: [value[:_LONGEST] for value in request.POST.getlist(field)[:1]]
        for field in fields
        if field in request.POST
    }
    others = [kept for kept in request.session.get(_KEY, []) if kept["name"] != name]
    request.session[_KEY] = [*others, {"name": name, "order": order.pk, "typed": typed}][-_MOST:]
    return name


def kept(request: HttpRequest, order: Order, name: str) -> QueryDict | None:
    """Return what was typed for this order; None when it was sent since or is no longer kept."""
    for look in request.session.get(_KEY, []):
        if (look["name"], look["order"]) == (name, order.pk):
            typed = QueryDict(mutable=True)
            for field, values in look["typed"].items():
                typed.setlist(field, values)
            return typed
    return None


def drop(request: HttpRequest, name: str) -> None:
    """Forget a form that was carried out."""
    looks = request.session.get(_KEY, [])
    request.session[_KEY] = [look for look in looks if look["name"] != name]
