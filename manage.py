#!/usr/bin/env python3
"""Run a management command."""

import os
import sys

from django.core.management import execute_from_command_line
from django.db import OperationalError, connection


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sellercentral.settings.dev")
    try:
        execute_from_command_line(sys.argv)
    except OperationalError as error:
        if connection.connection is not None:  # the database answered; this is about what was asked
            raise
        raise SystemExit(
            f"The database cannot be reached: {str(error).splitlines()[0]}\n"
            "Start the product in another terminal with `python3 run.py`,"
            " or name a database in DATABASE_URL."
        ) from None


if __name__ == "__main__":
    main()
