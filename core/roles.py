"""The two roles of the database: the owner, who migrates, and the application, who works (SD-13).

The application's role owns nothing. Of a table that only grows it may read and add rows, of every
other one read and write them; it can change no schema and switch no guard off. Which tables only
grow is what the catalogue says: those with a trigger that calls ``rows_are_only_added``.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.db import connection, connections, transaction

_SIGN_IN = ("USER", "PASSWORD", "HOST", "PORT")

_HERE = "(SELECT oid FROM pg_namespace WHERE nspname = current_schema())"
_GROWING = """
SELECT t.tgrelid FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
WHERE p.proname = 'rows_are_only_added'"""

# A view is left out: whoever may use one works with its owner's rights.
_RIGHTS = f"""
SELECT CASE c.relkind WHEN 'S' THEN 'SEQUENCE ' ELSE 'TABLE ' END || c.oid::regclass,
       CASE WHEN c.relkind = 'S' THEN 'USAGE'
            WHEN c.relname = 'django_migrations' THEN 'SELECT'
            WHEN c.oid IN ({_GROWING}) THEN 'SELECT, INSERT'
            ELSE 'SELECT, INSERT, UPDATE, DELETE' END
FROM pg_class c
WHERE c.relnamespace = {_HERE} AND c.relkind IN ('r', 'p', 'S') AND pg_has_role(c.relowner, 'USAGE')
ORDER BY 1"""

# What the present role could do with its own rights, or with those of a role it belongs to.
_FAULTS = f"""
WITH me AS (SELECT * FROM pg_roles WHERE pg_has_role(current_user, oid, 'MEMBER')),
growing AS (SELECT oid, relowner FROM pg_class WHERE oid IN ({_GROWING}))
SELECT 'may give rights away' FROM me WHERE rolcreaterole
UNION SELECT 'passes row-level security' FROM me WHERE rolbypassrls
UNION SELECT 'owns ' || g.oid::regclass FROM growing g JOIN me ON me.oid = g.relowner
UNION SELECT 'may ' || what || ' ' || g.oid::regclass
      FROM growing g, me, unnest(ARRAY['UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER']) AS what
      WHERE has_table_privilege(me.oid, g.oid, what)
         OR what = 'UPDATE' AND has_any_column_privilege(me.oid, g.oid, what)
UNION SELECT 'may change the schema' WHERE has_schema_privilege(current_schema(), 'CREATE')
UNION SELECT 'may make temporary tables'
      WHERE has_database_privilege(current_database(), 'TEMPORARY')
ORDER BY 1"""


class RightsMissing(Exception):
    """The present role of the database may not do what is wanted; ``str()`` says who could."""


@contextmanager
def owner_signed_in() -> Iterator[None]:
    """Work as the owner within the block, where DATABASE_OWNER_URL names one.

    On the present connection's database: tests and the benchmark have some of their own.
    """
    here = connections["default"]
    usual = here.settings_dict
    if not settings.DATABASE_OWNER:
        yield
        return
    here.close()
    here.settings_dict = {**usual, **{name: settings.DATABASE_OWNER[name] for name in _SIGN_IN}}
    try:
        yield
    finally:
        here.close()
        here.settings_dict = usual


def insist_on_the_owner() -> None:
    """Raise RightsMissing unless the present role may change the schema."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_user, has_schema_privilege(current_schema(), 'CREATE') AND NOT EXISTS ("
            f"SELECT FROM pg_class WHERE relname = 'django_migrations' AND relnamespace = {_HERE}"
            " AND NOT pg_has_role(relowner, 'USAGE'))"
        )
        role, may = cursor.fetchone()
    if not may:
        raise RightsMissing(
            f"The role {role} may not change the schema."
            " Name the owner of the tables in DATABASE_OWNER_URL."
        )


def admit_application() -> None:
    """Give the role that DATABASE_URL names its rights, unless it is the owner itself."""
    application = settings.DATABASES["default"]
    if not settings.DATABASE_OWNER or application["USER"] == settings.DATABASE_OWNER["USER"]:
        return
    if not application["USER"]:
        raise RightsMissing("DATABASE_URL names no role that could be given rights.")
    admit(application["USER"], application["PASSWORD"])


def admit(role: str, password: str) -> None:
    """Give a role the rights of the application on all tables, and no other right.

    A role that is missing is made. Called by the owner, after each migration. Raises RightsMissing
    when the role is missing and the owner may make none.
    """
    name = connection.ops.quote_name(role)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = %s)", [role])
        if not cursor.fetchone()[0]:
            _make(role, password)
        # Without tables of its own, even temporary ones, it can put none before those that the
        # triggers look at.
        cursor.execute("SELECT quote_ident(current_database()), quote_ident(current_schema())")
        database, schema = cursor.fetchone()
        cursor.execute(f"REVOKE TEMPORARY ON DATABASE {database} FROM PUBLIC, {name}")
        cursor.execute(f"REVOKE CREATE ON DATABASE {database} FROM {name}")
        cursor.execute(f"GRANT CONNECT ON DATABASE {database} TO {name}")
        cursor.execute(f"REVOKE CREATE ON SCHEMA {schema} FROM PUBLIC, {name}")
        cursor.execute(f"GRANT USAGE ON SCHEMA {schema} TO {name}")
        cursor.execute(_RIGHTS)
        for thing, rights in cursor.fetchall():
            cursor.execute(f"REVOKE ALL ON {thing} FROM PUBLIC, {name}")
            cursor.execute(f"GRANT {rights} ON {thing} TO {name}")


def _make(role: str, password: str) -> None:
    name = connection.ops.quote_name(role)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_user, rolsuper OR rolcreaterole FROM pg_roles"
            " WHERE rolname = current_user"
        )
        owner, may = cursor.fetchone()
        if not may:
            raise RightsMissing(
                f"There is no role {role}, and {owner} may make none."
                f" As an administrator of PostgreSQL: CREATE ROLE {name} LOGIN PASSWORD '…'"
            )
        # The server writes statements to its log: it is told what the password is checked by.
        driver: Any = connections["default"]
        check = driver.Database.extensions.encrypt_password(
            password, role, scope=driver.connection, algorithm="scram-sha-256"
        )
        cursor.execute(
            f"CREATE ROLE {name} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION"
            " NOBYPASSRLS PASSWORD %s",
            [check],
        )


def faults() -> list[str]:
    """Say what the present role may do that an application must not; an empty list is good."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        if cursor.fetchone()[0]:
            return ["is a superuser"]
        cursor.execute(_FAULTS)
        return [told for (told,) in cursor.fetchall()]
