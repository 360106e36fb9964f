"""Links to a new password: owed in a row, sent by a job, good once and for an hour (TH-24)."""

from __future__ import annotations

import logging
from datetime import timedelta
from smtplib import SMTPException

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.core.mail import EmailMessage
from django.db import models, transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import PasswordReset, User
from core import clock
from core.jobs import nudge

SEND = "accounts.send_password_resets"
_LIFE = timedelta(hours=1)
_LEASE = timedelta(minutes=1)  # until another worker may try the same mail
_BATCH = 50

log = logging.getLogger(__name__)


@transaction.atomic
def ask(*, email: str) -> None:
    """Owe a link to whom an address belongs; nobody learns whether it belongs to anybody."""
    user = User.objects.filter(email__iexact=email, is_active=True).first()
    if user is None:
        return
    at = clock.now()
    PasswordReset.objects.bulk_create(
        [PasswordReset(user=user, asked_at=at, due_at=at)],
        update_conflicts=True,
        unique_fields=["user"],
        update_fields=["asked_at", "due_at", "sent_at"],
    )
    nudge(SEND)


def due() -> models.QuerySet[PasswordReset]:
    """Return the links that are to be sent now."""
    now = clock.now()
    return PasswordReset.objects.filter(sent_at=None, due_at__lte=now, asked_at__gt=now - _LIFE)


def send_due() -> int:
    """Send what is owed, return how many were tried.

    What the mail server does not take now is tried again in a minute.
    """
    claimed = _claim()
    for reset in claimed:
        try:
            _mail(reset.user).send()
        except (SMTPException, OSError) as error:
            log.warning("password_reset.not_sent", extra={"code": type(error).__name__})
        else:
            mine = PasswordReset.objects.filter(pk=reset.pk, asked_at=reset.asked_at)
            mine.update(sent_at=clock.now())
    return len(claimed)


@transaction.atomic
def _claim() -> list[PasswordReset]:
    rows = list(
        due().select_related("user").select_for_update(skip_locked=True, of=("self",))[:_BATCH]
    )
    lease = clock.now() + _LEASE
    PasswordReset.objects.filter(pk__in=[row.pk for row in rows]).update(due_at=lease)
    return rows


def _mail(user: User) -> EmailMessage:
    """Make the message; its link names the site of the settings, not of any request."""
    key = {"uidb36": user_pk_to_url_str(user), "key": default_token_generator.make_token(user)}
    link = settings.SITE_URL + reverse("account_reset_password_from_key", kwargs=key)
    values = {"name": user.name, "link": link, "site_name": settings.SITE_NAME}
    body = render_to_string("emails/password_reset.txt", values)
    subject = _("Set a new password for %s") % settings.SITE_NAME
    return EmailMessage(subject, body, to=[user.email])
