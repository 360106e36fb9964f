"""The servers of the quick start: what is kept beside their data."""

from __future__ import annotations

from pathlib import Path

import pytest

from quickstart import services


@pytest.mark.req("SD-13", "INV-10")
def test_a_data_folder_older_than_the_application_s_role_gets_its_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "_postgres_programs", lambda _runtime: tmp_path)
    monkeypatch.setattr(services.Postgres, "_major", lambda _self: 17)
    (tmp_path / "pg" / "data").mkdir(parents=True)
    (tmp_path / "pg" / "data" / "PG_VERSION").write_text("17\n")
    (tmp_path / "pg" / "password").write_text("of-the-owner")

    urls = []
    for _start in range(2):
        postgres = services.Postgres(tmp_path)
        postgres.init()
        urls.append((postgres.url(), postgres.url(role=services.APPLICATION)))

    assert urls[0] == urls[1]
    owner, application = urls[0]
    kept = tmp_path / "pg" / "application-password"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert len(kept.read_text()) == 32
    assert owner == "postgres://sellercentral:of-the-owner@127.0.0.1:0/sellercentral"
    assert application == owner.replace(
        "sellercentral:of-the-owner", f"sellercentral_app:{kept.read_text()}"
    )
