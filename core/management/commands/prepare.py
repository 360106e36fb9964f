"""Make everything ready to run, in one process: schema, demo shops, static files."""

import io
import os
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Migrate, load the demo shops where they belong, collect static files."

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", interactive=False, verbosity=0)
        if settings.SANDBOX_SIGN_INS:
            told = io.StringIO()
            call_command("demo", stdout=told)
            if runtime := os.environ.get("SELLERCENTRAL_RUNTIME_DIR"):
                # The quick start tells them once the product is ready.
                (Path(runtime) / "demo-sign-ins.txt").write_text(told.getvalue(), encoding="utf-8")
            else:
                self.stdout.write(told.getvalue().rstrip())
        call_command("collectstatic", interactive=False, verbosity=0)
