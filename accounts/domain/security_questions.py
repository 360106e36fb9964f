"""Two questions of a person's choice, asked besides a link to a new password (SETTINGS-04).

They are an extra question only: an answer alone opens nothing, and the second step stays (TH-24).
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Sequence

from django.contrib.auth.hashers import check_password, make_password
from django.db import transaction

from accounts.domain import letters
from accounts.domain.own_history import tell
from accounts.models import SecurityQuestion, User
from core import clock, throttle
from core.actor import Actor
from core.throttle import Verdict

LONGEST_ANSWER = 100
_SHORTEST_ANSWER = 2


def chosen_by(user: User) -> list[SecurityQuestion]:
    """Return a person's questions, the first one first; none for who chose none."""
    return list(SecurityQuestion.objects.filter(user=user).order_by("place"))


@transaction.atomic
def choose(*, user: User, answers: Sequence[tuple[str, str]]) -> None:
    """Ask these two questions from now on, and no others; answers are kept as hashes alone."""
    User.objects.select_for_update().get(pk=user.pk)  # choices of one person take turns
    SecurityQuestion.objects.filter(user=user).delete()
    at = clock.now()
    SecurityQuestion.objects.bulk_create(
        SecurityQuestion(
            user=user,
            place=place,
            question=question,
            answer=make_password(_plain(answer)),
            chosen_at=at,
        )
        for place, (question, answer) in enumerate(answers, start=1)
    )
    letters.owe_change(user=user, what="questions")
    tell(user, "member.questions_chosen")


@transaction.atomic
def drop(*, user: User, by: Actor | None = None) -> bool:
    """Ask no questions any more; say whether there were any. by: who did it, if not they."""
    dropped, _kinds = SecurityQuestion.objects.filter(user=user).delete()
    if not dropped:
        return False
    letters.owe_change(user=user, what="questions_dropped")
    tell(user, "member.questions_dropped", by=by)
    return True


def asked_of(user: User, *, key: str) -> SecurityQuestion | None:
    """Return the question that goes with a link, or None for who chose none.

    The key of the link decides which: who asks anew is not shown the other one for that.
    """
    chosen = chosen_by(user)
    if not chosen:
        return None
    return chosen[hashlib.sha256(key.encode("utf-8", "replace")).digest()[0] % len(chosen)]


def attempt(*, user: User) -> Verdict:
    """Count an answer before it is looked at, per person: five are free, then each must wait."""
    return throttle.attempt("security-question", str(user.pk), at=clock.now())


def take(question: SecurityQuestion, *, answer: str) -> bool:
    """Say whether an answer is right; then the failures are forgotten. Call ``attempt`` before."""
    right = check_password(_plain(answer), question.answer)
    if right:
        throttle.forgive("security-question", str(question.user_id))
    return right


def same(one: str, other: str) -> bool:
    """Tell whether two texts count as one answer."""
    return _plain(one) == _plain(other)


def is_long_enough(answer: str) -> bool:
    """Tell whether an answer has letters enough not to be guessed one by one."""
    return len(_plain(answer)) >= _SHORTEST_ANSWER


def _plain(answer: str) -> str:
    """Return an answer as it counts: without capitals, widths of characters and blanks."""
    return "".join(unicodedata.normalize("NFKC", answer).casefold().split())
