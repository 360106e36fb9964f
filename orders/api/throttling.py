"""A limit per key, counted in one atomic step (SD-10, TH-48)."""

from __future__ import annotations

import time
from typing import Any

from django.core.cache import cache
from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

PER_MINUTE = 360

_here: dict[str, tuple[int, int]] = {}  # while Redis is away: half the rate, per process


class PerKey(BaseThrottle):
    def allow_request(self, request: Request, view: Any) -> bool:
        key = getattr(request.user, "pk", None)
        if key is None:
            return True
        minute = int(time.time() // 60)
        self._left = 60 - time.time() % 60
        name = f"api-rate:{key}:{minute}"
        try:
            cache.add(name, 0, 120)
            return int(cache.incr(name)) <= PER_MINUTE
        except (RedisError, OSError, ValueError):
            since, count = _here.get(str(key), (minute, 0))
            count = count + 1 if since == minute else 1
            _here[str(key)] = (minute, count)
            return count <= PER_MINUTE // 2

    def wait(self) -> float:
        return self._left
