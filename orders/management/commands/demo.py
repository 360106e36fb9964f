"""Load the demo shops and print their sign-ins."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from orders.domain import demo


class Command(BaseCommand):
    help = "Load two demo shops with orders of every state and age; harmless when they exist."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.SANDBOX_SIGN_INS:
            raise CommandError("Demo sign-ins have no place on a server that trades.")
        for sign_in in demo.load():
            self.stdout.write(f"{sign_in.email}  {demo.PASSWORD}  ({sign_in.shop}, {sign_in.role})")
