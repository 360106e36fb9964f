"""The console's pages: Work, Integrity, and the buttons on them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.access import needs_operator
from audit.models import OperatorEntry
from core import clock
from core.actor import Actor
from core.refusal import Refused
from operators.domain import acts, alerts
from operators.domain import work as domain
from orders.domain import invariants

CHECK = "invariant-check"
_LAST_ACTS = 20


@require_safe
@needs_operator
def console(request: HttpRequest) -> HttpResponse:
    return redirect("operators:work")


@require_safe
@needs_operator
def work(request: HttpRequest) -> HttpResponse:
    """What is amiss, every job, what stands still and why, and what operators did last."""
    return render(
        request,
        "operators/work.html",
        {
            "page": "work",
            "at": clock.now(),
            "alerts": alerts.shown(),
            "jobs": domain.jobs(),
            "outbox": domain.outbox(),
            "messages_stuck": domain.stuck_messages(),
            "operations": domain.open_operations(),
            "late_checks": domain.late_checks(),
            "acts": OperatorEntry.objects.order_by("-happened_at", "-pk")[:_LAST_ACTS],
            "max_note": acts.MAX_NOTE,
        },
    )


@require_safe
@needs_operator
def integrity(request: HttpRequest) -> HttpResponse:
    """The last proof of the invariants, with the sums of each merchant."""
    last = invariants.last_check()
    context = {"page": "integrity", "at": clock.now(), "last": last, "max_note": acts.MAX_NOTE}
    return render(request, "operators/integrity.html", context)


@require_POST
@needs_operator
def run_job(request: HttpRequest, name: str) -> HttpResponse:
    return _act(request, "operators:work", _("Job asked for"), acts.run_job, name=name)


@require_POST
@needs_operator
def check_now(request: HttpRequest) -> HttpResponse:
    told = _("Check asked for; it appears here when it is done")
    return _act(request, "operators:integrity", told, acts.run_job, name=CHECK)


@require_POST
@needs_operator
def send_again(request: HttpRequest, message_id: int) -> HttpResponse:
    told = _("The message is sent again")
    return _act(request, "operators:work", told, acts.send_again, message_id=message_id)


@require_POST
@needs_operator
def give_up(request: HttpRequest, message_id: int) -> HttpResponse:
    told = _("The message is given up")
    return _act(request, "operators:work", told, acts.give_up, message_id=message_id)


@require_POST
@needs_operator
def ask_gateway(request: HttpRequest, operation_id: int) -> HttpResponse:
    told = _("The gateway was asked")
    return _act(request, "operators:work", told, acts.ask_gateway, operation_id=operation_id)


def _act(
    request: HttpRequest, back: str, told: str, act: Callable[..., Any], **what: Any
) -> HttpResponse:
    """Do one act with the note typed, and say on the page it came from what became of it."""
    by: Actor = request.actor  # type: ignore[attr-defined]
    try:
        answer = act(note=request.POST.get("note", ""), by=by, **what)
    except Refused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, f"{told}: {answer}" if isinstance(answer, str) else told)
    return redirect(back)
