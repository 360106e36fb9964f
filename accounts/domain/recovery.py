"""Links to a new password: owed to whom the address belongs, good once and for an hour (TH-24)."""

from __future__ import annotations

from django.db import transaction

from accounts.domain import letters
from accounts.models import User


@transaction.atomic
def ask(*, email: str) -> None:
    """Owe a link to whom an address belongs; nobody learns whether it belongs to anybody."""
    user = User.objects.filter(email__iexact=email, is_active=True).first()
    if user is not None:
        letters.owe_reset(user)
