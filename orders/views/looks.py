"""What was typed before a last look, kept in the session so that going back and forth is safe."""

from __future__ import annotations

from django.http import HttpRequest, QueryDict

from orders.models import Order

_KEY = "last_looks"
_MOST = 5  # one person has a few tabs open; older ones are typed again
_NOT_KEPT = frozenset({"csrfmiddlewaretoken", "recalculate"})


def keep(request: HttpRequest, order: Order) -> str:
    """Keep the posted form for its last look and return the name to ask for it with."""
    name = request.POST.get("token", "")[:64]
    typed = {k: request.POST.getlist(k) for k in request.POST if k not in _NOT_KEPT}
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
