"""docker-compose.yml, the Dockerfile and what the settings read belong together."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docker-compose.yml").read_text()
FILE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, Any] = FILE["services"]
OURS = ("migrate", "web", "worker", "beat")
# Read by the settings, and given to the image itself or to nobody on a server.
IN_THE_IMAGE = {
    "STATIC_ROOT",
    "STATICFILES_BACKEND",
    "MEDIA_ROOT",
    "BIND",
    "DJANGO_SETTINGS_MODULE",
}
NOT_ON_A_SERVER = {"DEBUG", "SANDBOX_VERIFICATION_SECONDS", "FAIL_POINTS_FILE"}
OWNER = "DATABASE_OWNER_URL"
COMPOSE = shutil.which("docker-compose")


def read_by_the_product() -> set[str]:
    code = "".join(
        (ROOT / "sellercentral" / "settings" / f"{name}.py").read_text()
        for name in ("base", "production")
    )
    code += (ROOT / "deploy" / "gunicorn.conf.py").read_text()
    return set(re.findall(r"(?:env\.\w+|os\.environ\.get)\(\s*\"([A-Z_]+)\"", code))


@pytest.mark.req("TECH-03")
def test_the_processes_are_those_of_the_quick_start_and_a_mail_catcher() -> None:
    assert set(SERVICES) == {"postgres", "redis", *OURS, "mail", "proxy"}


def test_every_variable_of_the_file_is_read_and_every_setting_can_be_given() -> None:
    given = set(SERVICES["web"]["environment"])

    assert given == read_by_the_product() - IN_THE_IMAGE - NOT_ON_A_SERVER - {OWNER}


@pytest.mark.req("SD-13", "INV-10")
def test_only_the_schema_s_process_knows_the_owner_of_the_tables() -> None:
    """The others sign in with another role and another password."""
    migrate = SERVICES["migrate"]["environment"]
    assert {name: value for name, value in migrate.items() if name != OWNER} == SERVICES["web"][
        "environment"
    ]
    owner, application = (
        urlsplit(re.sub(r"\$\{(\w+)[^}]*\}", r"\1", migrate[name]))
        for name in (OWNER, "DATABASE_URL")
    )
    assert (owner.hostname, owner.path) == (application.hostname, application.path)
    assert owner.username != application.username
    assert owner.password != application.password
    for name in ("web", "worker", "beat"):
        assert OWNER not in SERVICES[name]["environment"]
        assert "POSTGRES_PASSWORD" not in str(SERVICES[name])


def test_the_image_gives_the_rest() -> None:
    text = (ROOT / "Dockerfile").read_text()

    assert [name for name in IN_THE_IMAGE if f"{name}=" not in text] == []


def test_compulsory_values_stand_in_the_example_without_a_value() -> None:
    compulsory = set(re.findall(r"\$\{([A-Z_]+):\?", TEXT))
    example = (ROOT / "deploy" / "env.example").read_text()

    assert compulsory == set(re.findall(r"(?m)^([A-Z_]+)=$", example))


@pytest.mark.parametrize("name", OURS)
def test_a_process_of_ours_has_no_rights_it_does_not_need(name: str) -> None:
    service = SERVICES[name]

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "ports" not in service


@pytest.mark.parametrize("name", ["web", "worker", "beat"])
def test_processes_wait_for_the_schema(name: str) -> None:
    waits = SERVICES[name]["depends_on"]

    assert waits["migrate"] == {"condition": "service_completed_successfully"}


def test_the_broker_never_throws_work_away() -> None:
    assert "--maxmemory-policy noeviction" in SERVICES["redis"]["command"][2]


def test_every_file_that_is_mounted_or_run_exists() -> None:
    mounted = SERVICES["proxy"]["volumes"][0].split(":")[0]

    for name in (mounted, "deploy/healthcheck.py", "deploy/gunicorn.conf.py", "deploy/env.example"):
        assert (ROOT / name).is_file(), name


if COMPOSE:

    def test_the_file_is_valid_to_the_program_that_reads_it() -> None:
        compulsory = re.findall(r"\$\{([A-Z_]+):\?", TEXT)
        env = os.environ | dict.fromkeys(compulsory, "value")

        done = subprocess.run(
            [str(COMPOSE), "config", "-q"], cwd=ROOT, env=env, capture_output=True, text=True
        )

        assert (done.returncode, done.stderr) == (0, "")
