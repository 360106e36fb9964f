"""Remove the security questions of a person who forgot the answers."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.domain import security_questions
from accounts.models import User
from core.actor import Actor


class Command(BaseCommand):
    help = "Remove a person's security questions, once you know who asks; the person is told."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--email", required=True, help="the address the person signs in with")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(email__iexact=options["email"]).first()
        if user is None:
            raise CommandError("Nobody signs in with this address.")
        if not security_questions.drop(user=user, by=Actor("operator", "command line")):
            raise CommandError("There are no security questions.")
        self.stdout.write("Removed.")
