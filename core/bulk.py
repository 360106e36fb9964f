"""Writing many rows in one statement: what the ORM's bulk_update does one CASE at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from django.db import connection, models


def update_rows(
    model: type[models.Model], fields: Sequence[str], rows: Mapping[int, Sequence[Any]]
) -> int:
    """Set ``fields`` of the rows named by primary key to the given values; return rows written."""
    return _write(model, fields, rows, add=False)


def add_to_rows(
    model: type[models.Model], fields: Sequence[str], rows: Mapping[int, Sequence[Any]]
) -> int:
    """Add the given numbers to ``fields`` of the rows named by primary key; return rows written."""
    return _write(model, fields, rows, add=True)


def _write(
    model: type[models.Model],
    fields: Sequence[str],
    rows: Mapping[int, Sequence[Any]],
    *,
    add: bool,
) -> int:
    if not rows:
        return 0
    meta = model._meta
    columns = [cast("models.Field[Any, Any]", meta.get_field(name)) for name in fields]
    quote = connection.ops.quote_name
    names = [quote(str(column.column)) for column in columns]
    keys = sorted(rows)
    arrays: list[list[Any]] = [keys]
    for index, column in enumerate(columns):
        arrays.append([column.get_db_prep_save(rows[key][index], connection) for key in keys])
    types = ["bigint", *(_array_type(column) for column in columns)]
    unnest = ", ".join(f"%s::{kind}[]" for kind in types)
    old = "t.{name} + " if add else ""
    assignments = ", ".join(f"{name} = {old.format(name=name)}v.{name}" for name in names)
    sql = (
        f"UPDATE {quote(meta.db_table)} AS t SET {assignments} "
        f"FROM unnest({unnest}) AS v(pk, {', '.join(names)}) "
        f"WHERE t.{quote(str(meta.pk.column))} = v.pk"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, arrays)
        return int(cursor.rowcount)


def _array_type(column: models.Field[Any, Any]) -> str:
    kind = column.db_type(connection) or "text"
    return kind.split("(")[0]
