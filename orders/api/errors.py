"""Errors of the API: code, message, facts, remedy; the same refusals as everywhere."""

from __future__ import annotations

from typing import Any

from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler

from core.refusal import Refusal, Refused
from core.security import Event, note


class UnknownFields(exceptions.APIException):
    """A body names fields that do not exist: nothing is guessed (TH-18)."""

    status_code = 400
    default_code = "unknown_field"


def refusal_body(refusal: Refusal) -> dict[str, Any]:
    return {
        "code": refusal.code,
        "message": refusal.message,
        "field": refusal.field,
        "facts": dict(refusal.facts),
        "remedy": refusal.remedy,
    }


def answer(error: Exception, context: dict[str, Any]) -> Response | None:
    """The framework's exception handler: one shape for every error."""
    denied = isinstance(error, Refused) and error.code == "PERMISSION_DENIED"
    if denied or isinstance(error, exceptions.PermissionDenied):
        merchant = getattr(context["request"].user, "merchant", None)
        note(Event.PERMISSION_REFUSED, "key", merchant=getattr(merchant, "pk", None))
    if isinstance(error, Refused):
        return Response(refusal_body(error.refusal), status=error.refusal.status)
    response = exception_handler(error, context)
    if response is None:
        return None
    if isinstance(error, exceptions.ValidationError):
        code, message = "INVALID_INPUT", "Some fields are not right."
        facts: Any = {"fields": error.detail}
    else:
        told = response.data["detail"]  # what is not found is no exception of the framework's own
        code = str(getattr(error, "default_code", told.code)).upper()
        message, facts = str(told), {}
    response.data = {"code": code, "message": message, "field": "", "facts": facts, "remedy": ""}
    return response
