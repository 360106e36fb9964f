"""Draw the order state machine into docs/states.md."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.utils import translation

from orders.domain.picture import states_page


class Command(BaseCommand):
    help = "Draw the order states from the table of moves into docs/states.md."

    def add_arguments(self, parser: CommandParser) -> None:
        default = Path(settings.BASE_DIR) / "docs" / "states.md"
        parser.add_argument("file", nargs="?", type=Path, default=default)

    def handle(self, *args: Any, **options: Any) -> None:
        with translation.override("en-gb"):
            options["file"].write_text(states_page(), encoding="utf-8")
        self.stdout.write(f"drawn into {options['file'].name}")
