"""A limit per key, counted as all limits are (SD-10, TH-48)."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from core import clock, throttle

PER_MINUTE = 360


class PerKey(BaseThrottle):
    def allow_request(self, request: Request, view: object) -> bool:
        key = getattr(request.user, "pk", None)
        if key is None:
            return True
        at = clock.now()
        self._left = throttle.use("api", str(key), limit=PER_MINUTE, seconds=60, at=at)
        return not self._left

    def wait(self) -> float:
        return self._left
