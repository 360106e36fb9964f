"""Digests over the history, so that an alteration behind the database's back shows (TH-56).

Each day what a merchant's history gained is digested, together with the digest before it. Whoever
alters an entry would have to write this digest and all later ones anew; the log has them, too. An
entry is covered by its number: numbers have no gaps and become visible in their order, so that no
entry of a transaction that ends late is missed or comes in between.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

from django.db import connection

from core import clock, jobs

PIECE = 50_000  # entries under one digest: what one statement reads
MERCHANTS = 500  # in one batch

# What is digested of an entry, the same whatever zone and format a session writes instants in.
# Changed values would change digests: what an entry gains later belongs into digests of a new kind.
_ENTRY = """sha256(convert_to(jsonb_build_array(
    e.merchant_id, e.number, e.order_id, e.event, extract(epoch FROM e.happened_at), e.door,
    e.actor, e.user_id, e.before, e.after)::text, 'UTF8'))"""
_DIGEST = f"""encode(sha256(
    convert_to({{before}}, 'UTF8') || string_agg({_ENTRY}, ''::bytea ORDER BY e.number)), 'hex')"""

_REACHED = """
SELECT c.merchant_id, c.last AS written,
       COALESCE(d.last, 0) AS digested, COALESCE(d.digest, '') AS before
FROM audit_historycounter c LEFT JOIN LATERAL (
  SELECT last, digest FROM audit_historydigest WHERE merchant_id = c.merchant_id
  ORDER BY first DESC LIMIT 1) AS d ON true"""

_DUE = f"""
SELECT merchant_id, written - digested FROM ({_REACHED}) AS r WHERE written > digested
ORDER BY merchant_id"""

_DIGEST_ONE = f"""
INSERT INTO audit_historydigest (merchant_id, first, last, digest, made_at)
SELECT r.merchant_id, min(e.number), max(e.number), {_DIGEST.format(before="r.before")}, %(at)s
FROM ({_REACHED} WHERE c.merchant_id = %(merchant)s) AS r JOIN audit_entry e
  ON e.merchant_id = r.merchant_id
  AND e.number BETWEEN r.digested + 1 AND LEAST(r.written, r.digested + %(piece)s)
GROUP BY r.merchant_id, r.before
ON CONFLICT (merchant_id, first) DO NOTHING
RETURNING first, last, digest"""

# Finds digests that do not follow from the entries and the digest before: (merchant, order, which).
ALTERED = f"""
SELECT d.merchant_id, NULL::bigint,
       to_char(d.made_at AT TIME ZONE 'UTC', 'YYYY-MM-DD') || ': #' || d.first || ' to #' || d.last
FROM (SELECT *, lag(last, 1, 0) OVER of_merchant AS reached,
             lag(digest, 1, '') OVER of_merchant AS before
      FROM audit_historydigest
      WINDOW of_merchant AS (PARTITION BY merchant_id ORDER BY first)) AS d
LEFT JOIN LATERAL (
  SELECT {_DIGEST.format(before="d.before")} AS digest FROM audit_entry e
  WHERE e.merchant_id = d.merchant_id AND e.number BETWEEN d.first AND d.last) AS now ON true
WHERE now.digest IS DISTINCT FROM d.digest OR d.first <> d.reached + 1"""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Due:
    """A merchant whose history gained so many entries since the last digest."""

    merchant_id: int
    entries: int


def due() -> list[Due]:
    """Return what a digest is to be made of, by merchant."""
    with connection.cursor() as cursor:
        cursor.execute(_DUE)
        return [Due(*row) for row in cursor.fetchall()]


def digest_history(*, limit: int = MERCHANTS, piece: int = PIECE) -> jobs.Done:
    """Digest what the history of so many merchants gained, of each so many entries; log it."""
    waiting = due()
    digested, left = 0, len(waiting) > limit
    for one in waiting[:limit]:
        jobs.still_here()
        with connection.cursor() as cursor:
            cursor.execute(
                _DIGEST_ONE, {"merchant": one.merchant_id, "piece": piece, "at": clock.now()}
            )
            row = cursor.fetchone()
        if row is None:
            continue  # another process was here
        first, last, digest = row
        count = last - first + 1
        digested += count
        left = left or count < one.entries
        facts = {"first": first, "last": last, "digest": digest}
        told = {"merchant": one.merchant_id, "count": count, "facts": facts}
        log.info("history.digest", extra=told)
    return jobs.Done({"entries digested": digested}, more=digested > 0 and left)
