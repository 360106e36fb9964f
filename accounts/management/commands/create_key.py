"""Make a key for a merchant's own programs and print its secret once."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.domain import keys
from accounts.models import Merchant
from core.actor import Actor


class Command(BaseCommand):
    help = "Make a key for the JSON API, with every order function; its secret is shown only now."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--merchant", required=True, help="the merchant's slug")
        parser.add_argument("--name", default="shop", help="how the history calls it")

    def handle(self, *args: Any, **options: Any) -> None:
        merchant = (
            Merchant.objects.select_related("marketplace").filter(slug=options["merchant"]).first()
        )
        if merchant is None:
            raise CommandError(f"There is no merchant {options['merchant']}.")
        by = Actor("operator", "command line")
        _key, secret = keys.create_key(merchant=merchant, name=options["name"], by=by)
        self.stdout.write(secret)
