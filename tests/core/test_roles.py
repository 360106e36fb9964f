"""What the application's role of the database may do, and what it is refused (SD-13, INV-10)."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg2
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection, connections
from psycopg2.errors import InsufficientPrivilege

from core import roles
from core.checks import the_application_owns_nothing

GROWING = [
    "audit_entry",
    "audit_historydigest",
    "audit_operatorentry",
    "catalog_stockchange",
    "payments_ledgerline",
]


@pytest.fixture
def application(application_sign_in: dict[str, str]) -> Iterator[Any]:
    """A session of the application's role on the test database."""
    with session(**application_sign_in) as talk:
        yield talk


@contextmanager
def session(**who: str) -> Iterator[Any]:
    at = connection.settings_dict | who
    talk = psycopg2.connect(
        host=at["HOST"],
        port=at["PORT"],
        dbname=at["NAME"],
        user=at["USER"],
        password=at["PASSWORD"],
    )
    talk.autocommit = True
    try:
        with talk.cursor() as cursor:
            yield cursor
    finally:
        talk.close()


@contextmanager
def signed_in(**who: str) -> Iterator[None]:
    """Let the product's code work on a connection that somebody else signed in on."""
    ours = connections["default"]
    connections["default"] = ours.__class__(ours.settings_dict | who, "default")
    try:
        yield
    finally:
        connections["default"].close()
        connections["default"] = ours


def rights_of(role: str) -> dict[str, set[str]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname, a.privilege_type FROM pg_class c, aclexplode(c.relacl) a"
            " WHERE a.grantee = %s::regrole AND c.relkind <> 'S'",
            [f'"{role}"'],
        )
        rights: dict[str, set[str]] = {}
        for table, right in cursor.fetchall():
            rights.setdefault(table, set()).add(right)
        return rights


@pytest.mark.django_db
@pytest.mark.req("SD-13", "INV-10", "INV-01", "INVENTORY-07")
def test_each_table_gives_the_application_what_it_needs_and_no_more(application_sign_in):
    expected = {
        table: {"SELECT", "INSERT", "UPDATE", "DELETE"}
        for table in connection.introspection.django_table_names(only_existing=True)
    }
    expected |= {table: {"SELECT", "INSERT"} for table in GROWING}
    expected["django_migrations"] = {"SELECT"}
    assert rights_of(application_sign_in["USER"]) == expected


@pytest.mark.django_db
@pytest.mark.req("SD-13")
def test_nobody_else_is_given_anything():
    """Functions may be called by all, so none may work with its owner's rights."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_class c, aclexplode(c.relacl) a WHERE a.grantee = 0"
            " AND c.relnamespace = 'public'::regnamespace"
            " UNION ALL SELECT proname FROM pg_proc WHERE prosecdef"
            " AND pronamespace = 'public'::regnamespace"
        )
        assert cursor.fetchall() == []


@pytest.mark.django_db
@pytest.mark.req("SD-13", "INV-10")
def test_a_new_table_that_only_grows_cannot_be_forgotten(application_sign_in):
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE new_journal (id int); CREATE TABLE new_thing (id int)")
        cursor.execute(
            "CREATE TRIGGER grows BEFORE UPDATE OR DELETE ON new_journal"
            " FOR EACH ROW EXECUTE FUNCTION rows_are_only_added()"
        )
        cursor.execute(
            f'GRANT UPDATE (id), TRUNCATE ON new_journal TO "{application_sign_in["USER"]}"'
        )
        cursor.execute("GRANT ALL ON new_thing TO PUBLIC")
    roles.admit(**named(application_sign_in))
    rights = rights_of(application_sign_in["USER"])
    assert rights["new_journal"] == {"SELECT", "INSERT"}
    assert rights["new_thing"] == {"SELECT", "INSERT", "UPDATE", "DELETE"}


def named(sign_in: dict[str, str]) -> dict[str, str]:
    return {"role": sign_in["USER"], "password": sign_in["PASSWORD"]}


@pytest.mark.django_db
@pytest.mark.req("SD-13", "INV-10", "IMPL-04", "TH-56")
@pytest.mark.parametrize("table", GROWING)
def test_of_a_table_that_grows_rows_are_read_and_added_and_no_more(application, table):
    for refused in (
        f"UPDATE {table} SET id = id",
        f"DELETE FROM {table}",
        f"TRUNCATE {table}",
        f"TRUNCATE {table} CASCADE",
        f"SELECT * FROM {table} FOR UPDATE",
        f"DO $$ BEGIN LOCK TABLE {table} IN SHARE MODE; END $$",
        f"ALTER TABLE {table} DISABLE TRIGGER ALL",
        f"ALTER TABLE {table} DISABLE TRIGGER USER",
        f"ALTER TABLE {table} OWNER TO CURRENT_USER",
        f"ALTER TABLE {table} ADD COLUMN more int",
        f"CREATE RULE off AS ON INSERT TO {table} DO INSTEAD NOTHING",
        f"CREATE TRIGGER off BEFORE INSERT ON {table} FOR EACH ROW"
        " EXECUTE FUNCTION suppress_redundant_updates_trigger()",
        f"DROP TABLE {table}",
        f"DROP TABLE {table} CASCADE",
    ):
        with pytest.raises(InsufficientPrivilege):
            application.execute(refused)
    application.execute(f"GRANT UPDATE ON {table} TO CURRENT_USER")  # only warns
    with pytest.raises(InsufficientPrivilege):
        application.execute(f"UPDATE {table} SET id = id")
    application.execute(f"SELECT count(*) FROM {table}")
    application.execute(f"INSERT INTO {table} SELECT * FROM {table} WHERE false")


@pytest.mark.django_db
@pytest.mark.req("SD-13", "INV-10")
def test_no_way_around_the_guards_is_open(application):
    for refused in (
        "SET session_replication_role = replica",
        "SELECT set_config('session_replication_role', 'replica', false)",
        "ALTER ROLE CURRENT_USER SUPERUSER",
        "ALTER ROLE CURRENT_USER BYPASSRLS",
        "CREATE ROLE another",
        "CREATE TABLE audit_entry_2 (id int)",
        "CREATE TEMPORARY TABLE audit_entry (order_id bigint, xid xid8)",
        "CREATE SCHEMA another",
        "CREATE FUNCTION off() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
        "CREATE OR REPLACE FUNCTION rows_are_only_added() RETURNS trigger LANGUAGE plpgsql"
        " AS 'BEGIN RETURN NEW; END'",
        "DROP FUNCTION rows_are_only_added() CASCADE",
        "ALTER TABLE orders_order DISABLE TRIGGER order_moves",
        "ALTER TABLE orders_order DROP CONSTRAINT cancelled_is_never_charged",
        "TRUNCATE orders_order CASCADE",
        "DELETE FROM django_migrations",
        "INSERT INTO django_migrations (app, name, applied) VALUES ('x', 'x', now())",
        "COPY audit_entry TO PROGRAM 'cat'",
        f'SET ROLE "{connection.settings_dict["USER"]}"',
    ):
        with pytest.raises(InsufficientPrivilege):
            application.execute(refused)


# What examines it -----------------------------------------------------------------------------


def examined() -> list[str]:
    return [error.msg for error in the_application_owns_nothing(databases=["default"])]


SAYS = "The application's role of the database "


@pytest.mark.django_db
@pytest.mark.req("SD-13", "INV-10", "TECH-07")
def test_the_deploy_check_is_content_with_a_role_that_owns_nothing(application_sign_in):
    with signed_in(**application_sign_in):
        assert examined() == []
    assert the_application_owns_nothing() == []  # without a database nobody asks one
    assert examined() == [SAYS + "is a superuser."]


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
@pytest.mark.req("SD-13", "INV-10", "TECH-07")
@pytest.mark.parametrize(
    ("given", "taken", "fault"),
    [
        ("ALTER ROLE {0} BYPASSRLS", "ALTER ROLE {0} NOBYPASSRLS", "passes row-level security"),
        ("ALTER ROLE {0} CREATEROLE", "ALTER ROLE {0} NOCREATEROLE", "may give rights away"),
        ("GRANT UPDATE (actor) ON audit_entry TO {0}", "", "may UPDATE audit_entry"),
        ("GRANT DELETE ON audit_entry TO {0}", "", "may DELETE audit_entry"),
        ("GRANT TRUNCATE ON payments_ledgerline TO PUBLIC", "", "may TRUNCATE payments_ledgerline"),
        ("GRANT pg_write_all_data TO {0}", "REVOKE pg_write_all_data FROM {0}", "may UPDATE audit_entry"),
        ("ALTER TABLE audit_entry OWNER TO {0}", "ALTER TABLE audit_entry OWNER TO {1}", "owns audit_entry"),
        ("GRANT CREATE ON SCHEMA public TO {0}", "", "may change the schema"),
        ("GRANT TEMPORARY ON DATABASE {2} TO PUBLIC", "", "may make temporary tables"),
    ],
)  # fmt: skip
def test_the_deploy_check_finds_each_right_too_many(application_sign_in, given, taken, fault):
    names = [application_sign_in["USER"]]
    names += [connection.settings_dict["USER"], connection.settings_dict["NAME"]]
    quoted = [f'"{name}"' for name in names]
    try:
        with connection.cursor() as cursor:
            cursor.execute(given.format(*quoted))
        with signed_in(**application_sign_in):
            assert f"{SAYS}{fault}." in examined()
    finally:
        with connection.cursor() as cursor:
            if taken:
                cursor.execute(taken.format(*quoted))
        roles.admit(**named(application_sign_in))  # takes back what it did not give
    with signed_in(**application_sign_in):
        assert examined() == []


# Who migrates ---------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.req("SD-13")
def test_whoever_owns_nothing_is_told_who_migrates(application_sign_in):
    with (
        signed_in(**application_sign_in),
        pytest.raises(CommandError, match="may not change the schema"),
    ):
        call_command("migrate", verbosity=0, skip_checks=True)
    with signed_in(**application_sign_in):  # looking is no change
        call_command("migrate", check_unapplied=True, verbosity=0, skip_checks=True)


@pytest.mark.django_db
@pytest.mark.req("SD-13")
def test_the_benchmark_says_whom_it_needs(application_sign_in):
    with (
        signed_in(**application_sign_in),
        pytest.raises(CommandError, match="needs a superuser of PostgreSQL"),
    ):
        call_command("bench", "list", orders=[20], rounds=1, keep=True)


@pytest.fixture
def server() -> Iterator[Any]:
    """A database of its own, with an owner and a role beside it that are no superusers."""
    database, owner, role = (f"{connection.settings_dict['NAME']}_{n}" for n in ("own", "o", "r"))
    with session(NAME="postgres") as talk:
        talk.execute(f"CREATE ROLE {owner} LOGIN PASSWORD 'owns'")
        talk.execute(f"CREATE DATABASE {database} OWNER {owner}")
        try:
            yield database, owner, role, talk
        finally:
            talk.execute(f"DROP DATABASE {database} WITH (FORCE)")
            talk.execute(f"DROP ROLE IF EXISTS {role}")
            talk.execute(f"DROP ROLE {owner}")


def manage(*words: str, **env: str) -> subprocess.CompletedProcess[str]:
    here = {name: v for name, v in os.environ.items() if name != "DJANGO_ALLOW_ASYNC_UNSAFE"}
    return subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=settings.BASE_DIR,
        env=here | {"DJANGO_SETTINGS_MODULE": "sellercentral.settings.dev"} | env,
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.mark.django_db
@pytest.mark.req("SD-13", "INV-10", "TECH-03")
def test_an_owner_who_is_no_superuser_migrates_for_a_role_made_beforehand(server):
    """The plain commands of docs/deployment.md."""
    database, owner, role, talk = server
    at = f"127.0.0.1:{connection.settings_dict['PORT']}/{database}"
    urls = {
        "DATABASE_URL": f"postgres://{role}:w%21rks@{at}",
        "DATABASE_OWNER_URL": f"postgres://{owner}:owns@{at}",
    }

    without = manage("migrate", "--verbosity", "0", **urls)
    assert without.returncode == 1
    assert f"There is no role {role}, and {owner} may make none." in without.stderr

    talk.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'w!rks'")
    assert manage("migrate", "--verbosity", "0", **urls).returncode == 0
    alone = {"DATABASE_URL": urls["DATABASE_URL"], "DATABASE_OWNER_URL": ""}
    checked = manage("check", "--deploy", "--database", "default", **alone)
    assert (checked.returncode, "core.E104" in checked.stderr) == (0, False), checked.stderr
    demo = manage("demo", **alone)
    assert demo.returncode == 0, demo.stderr

    as_before = {"DATABASE_URL": urls["DATABASE_OWNER_URL"], "DATABASE_OWNER_URL": ""}
    assert manage("migrate", "--verbosity", "0", **as_before).returncode == 0
    checked = manage("check", "--deploy", "--database", "default", **as_before)
    assert checked.returncode == 1
    assert "(core.E104) The application's role of the database owns audit_entry." in checked.stderr
