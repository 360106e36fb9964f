"""Counting tries, each in one atomic step, so that tries at the same instant cannot slip by.

The counters live in Redis. While it is away each process counts for itself, at half the rate:
never without a limit, never refusing everybody (reliability SD-10).
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.conf import settings
from redis import Redis
from redis.exceptions import RedisError

from core import breaker, security
from core.metrics import REFUSED
from core.security import Event

FREE_TRIES = 5
FIRST_PAUSE, LONGEST_PAUSE = 60, 15 * 60  # seconds; each pause is twice the one before
_REMEMBERED = 24 * 3600  # seconds without a try after which failures are forgotten
_MOST_HERE = 10_000  # names counted in one process while Redis is away

_TRY = """
local kept = redis.call('HMGET', KEYS[1], 'tries', 'until')
local tries, blocked = tonumber(kept[1]) or 0, tonumber(kept[2]) or 0
local now, free = tonumber(ARGV[1]), tonumber(ARGV[2])
local first, longest = tonumber(ARGV[3]), tonumber(ARGV[4])
if blocked > now then return {blocked - now, 0} end
tries = tries + 1
local pause = 0
if tries >= free then pause = math.min(first * 2 ^ math.min(tries - free, 16), longest) end
redis.call('HSET', KEYS[1], 'tries', tries, 'until', now + pause)
redis.call('EXPIRE', KEYS[1], ARGV[5])
return {0, pause}
"""
_USE = """
local uses = redis.call('INCR', KEYS[1])
redis.call('EXPIRE', KEYS[1], ARGV[1])
return uses
"""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a try; seconds.

    wait: until the next try is taken; 0 when this one is.
    pause: how long the next one must wait if this one fails.
    """

    wait: int
    pause: int = 0


def attempt(what: str, *who: str, at: datetime) -> Verdict:
    """Take a try that may fail, counted as failed until ``forgive`` (IMPL-12).

    Five are free; then each must wait 1, 2, 4, 8 and at last 15 minutes after the one before.
    """
    name, now = _name(what, who), int(at.timestamp())
    arguments = [now, FREE_TRIES, FIRST_PAUSE, LONGEST_PAUSE, _REMEMBERED]
    told = _ask(_TRY, name, arguments)
    verdict = _here.attempt(name, now) if told is None else Verdict(*map(int, told))
    if verdict.wait:
        _told(what)
    return verdict


def forgive(what: str, *who: str) -> None:
    """Forget the failed tries: this one succeeded."""
    name = _name(what, who)
    _here.forget(name)
    _ask("return redis.call('DEL', KEYS[1])", name, [])


def use(what: str, *who: str, limit: int, seconds: int, at: datetime) -> int:
    """Count one use; return 0, or how many seconds remain until the next one is free."""
    now = int(at.timestamp())
    name = _name(f"{what}:{now // seconds}", who)
    uses = _ask(_USE, name, [seconds])
    if uses is None:
        uses, limit = _here.use(name), max(1, limit // 2)
    if int(uses) <= limit:
        return 0
    _told(what)
    return seconds - now % seconds


def _told(what: str) -> None:
    REFUSED.labels(what).inc()
    security.note(Event.LIMIT_REFUSED, what)


class _Here:
    """The counters of one process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, tuple[int, int]] = OrderedDict()

    def attempt(self, name: str, now: int) -> Verdict:
        with self._lock:
            tries, blocked = self._kept.get(name, (0, 0))
            if blocked > now:
                return Verdict(blocked - now)
            tries += 1
            late = tries - FREE_TRIES // 2
            pause = min(FIRST_PAUSE * 2 ** min(late, 16), LONGEST_PAUSE) if late >= 0 else 0
            self._keep(name, (tries, now + pause))
            return Verdict(0, pause)

    def use(self, name: str) -> int:
        with self._lock:
            uses = self._kept.get(name, (0, 0))[0] + 1
            self._keep(name, (uses, 0))
            return uses

    def forget(self, name: str) -> None:
        with self._lock:
            self._kept.pop(name, None)

    def _keep(self, name: str, value: tuple[int, int]) -> None:
        self._kept[name] = value
        self._kept.move_to_end(name)
        while len(self._kept) > _MOST_HERE:
            self._kept.popitem(last=False)


_here = _Here()


def _ask(script: str, name: str, arguments: Sequence[int]) -> Any:
    """Run a script in Redis; return None while it is away."""
    if breaker.redis.is_open:
        return None
    try:
        return _redis().eval(script, 1, name, *(str(each) for each in arguments))
    except (RedisError, OSError):
        breaker.redis.trip()
        return None


@lru_cache(maxsize=1)
def _redis() -> Redis:
    options = {"socket_timeout": 1, "socket_connect_timeout": 1}
    return Redis.from_url(settings.CACHES["default"]["LOCATION"], **options)


def _name(what: str, who: Sequence[str]) -> str:
    """Return a key that tells nothing: the digest of whom it is about."""
    digest = hashlib.sha256("\0".join(who).encode()).hexdigest()[:32]
    return f"throttle:{what}:{digest}"
