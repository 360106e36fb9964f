"""What workers do for accounts; each looks for work itself."""

from __future__ import annotations

from celery import shared_task

from accounts.domain import recovery


@shared_task(name=recovery.SEND, ignore_result=True)
def send_password_resets(**_: object) -> None:
    recovery.send_due()
