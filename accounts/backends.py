"""How a signed-in person is read again with each request."""

from __future__ import annotations

from allauth.account.auth_backends import AuthenticationBackend
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef
from django.db.models.functions import JSONObject

from accounts.models import Grant, Membership, User


class Backend(AuthenticationBackend):  # type: ignore[misc]
    """The library's backend, reading the person and their memberships in one query."""

    def get_user(self, user_id: int) -> User | None:
        """Return the person with ``places``: where they work, with merchant and levels.

        Read anew with each request, so that a removal or a changed right takes effect at once
        (PERMISSION-05).
        """
        levels = Grant.objects.filter(membership=OuterRef("pk"))
        places = list(
            Membership.objects.filter(user=user_id, removed_at=None)
            .select_related("user", "merchant__marketplace")
            .annotate(
                levels=ArraySubquery(
                    levels.values(json=JSONObject(function="function", level="level"))
                )
            )
            .order_by("pk")
        )
        user = places[0].user if places else User.objects.filter(pk=user_id).first()
        if not isinstance(user, User) or not self.user_can_authenticate(user):
            return None
        user.places = places  # type: ignore[attr-defined]
        return user
