"""Make an operator of the platform and print a link by which they choose their password."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.domain import letters, operators
from core.refusal import Refused
from core.text import is_address, is_blank, is_straight


class Command(BaseCommand):
    help = "Make an operator; prints a link to choose a password, good once and for an hour."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--email", required=True, help="the address to sign in with")
        parser.add_argument("--name", required=True, help="how the history calls them")

    def handle(self, *args: Any, **options: Any) -> None:
        email, name = options["email"], options["name"].strip()
        if is_blank(name) or not is_straight(name) or len(name) > 100:
            raise CommandError("The name must be up to 100 plain characters.")
        if not is_address(email):
            raise CommandError("Write one e-mail address, like ria@platform.example.")
        try:
            operator = operators.create(email=email, name=name)
        except Refused as no:
            raise CommandError(str(no)) from no
        self.stdout.write(letters.reset_link(operator))
