"""The gateway reports here; signed, fresh, and never believed without asking (TH-03)."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core import clock, counts, security
from core.actor import Actor
from core.security import Event
from orders.api.parsers import TooLarge
from orders.api.serializers import Amount, Strict
from orders.domain import gateway_reports
from orders.domain.gateway_reports import Report
from payments.domain import signatures

MOST = 64 * 1024  # bytes
REPORTS = Actor("gateway", "gateway report")


class GatewayUser:
    """Who signed: the gateway, which is nobody's member."""

    is_authenticated = True
    pk = None


class GatewaySignature(BaseAuthentication):
    """Headers Gateway-Timestamp (seconds since 1970) and Gateway-Signature; see ``signatures``."""

    def authenticate(self, request: Request) -> tuple[GatewayUser, None]:
        if int(request.META.get("CONTENT_LENGTH") or 0) > MOST:
            raise TooLarge(f"A report has at most {MOST:,} bytes.")
        authentic = signatures.is_authentic(
            request._request.body,
            timestamp=request.headers.get("Gateway-Timestamp", ""),
            signed=request.headers.get("Gateway-Signature", ""),
            at=clock.now(),
        )
        if not authentic:
            counts.add(counts.SIGNATURES_REFUSED)
            security.note(Event.SIGNATURE_REFUSED)
            raise AuthenticationFailed("The signature is missing, wrong or old.")
        return GatewayUser(), None

    def authenticate_header(self, request: Request) -> str:
        return "Gateway-Signature"


class SignedByGateway(BasePermission):
    def has_permission(self, request: Request, view: Any) -> bool:
        return isinstance(request.user, GatewayUser)


class ReportIn(Strict):
    event = serializers.CharField(max_length=100)
    order = serializers.CharField(max_length=19)
    operation = serializers.UUIDField(required=False, allow_null=True, default=None)
    amount = Amount()
    currency = serializers.CharField(max_length=3)
    state = serializers.CharField(max_length=10)


class Reports(APIView):
    """What the gateway tells without being asked."""

    authentication_classes = [GatewaySignature]
    permission_classes = [SignedByGateway]
    schema = None

    def post(self, request: Request) -> Response:
        posted = ReportIn(data=request.data)
        posted.is_valid(raise_exception=True)
        gateway_reports.act_on(Report(**posted.validated_data), by=REPORTS)
        return Response({"accepted": True})
