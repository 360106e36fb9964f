"""Migrate as the owner of the tables, then give the application's role its rights on them."""

from typing import Any

from django.core.management.base import CommandError
from django.core.management.commands import migrate

from core import roles


class Command(migrate.Command):
    help = (
        "Update the schema, signed in by DATABASE_OWNER_URL; then let the role of DATABASE_URL work"
        " with the tables."
    )

    def execute(self, *args: Any, **options: Any) -> Any:
        with roles.owner_signed_in():  # checks ask the server, too: which version it is
            return super().execute(*args, **options)

    def handle(self, *args: Any, **options: Any) -> None:
        only_looks = options["plan"] or options["check_unapplied"]
        try:
            if not only_looks:
                roles.insist_on_the_owner()
            super().handle(*args, **options)
            if not only_looks:
                roles.admit_application()
        except roles.RightsMissing as why:
            raise CommandError(str(why)) from why
