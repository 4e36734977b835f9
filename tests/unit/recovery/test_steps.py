"""The steps of a recovery that need no database: switching by Terraform, the archive's settings, the shell."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from infra.deploy.rollout import DeploymentError
from infra.recovery.__main__ import main
from infra.recovery.archive import archive_settings, prepare_restore, restore_settings, write_settings
from infra.recovery.switching import INSTANCE_FILE, Switch
from infra.suite import load_suite

POINT = datetime(2026, 11, 26, 10, 15, 30, 250000, tzinfo=UTC)


@dataclass
class FakeTerraform:
    """A state of addresses; remembers commands."""

    state: set[str]
    fails_at: str = ""
    told: list[str] = field(default_factory=list)

    def run(self, command: Sequence[str], place: Path) -> str:
        told = " ".join(command[1:])
        self.told.append(told)
        if self.fails_at and told.startswith(self.fails_at):
            raise DeploymentError(told)
        match list(command[1:]):
            case ["state", "list"]:
                return "\n".join(sorted(self.state))
            case ["state", "rm", address]:
                self.state.remove(address)
            case ["import", "-input=false", address, _]:
                assert address not in self.state, "Terraform imports nothing that it knows"
                self.state.add(address)
            case _:
                pass
        return ""


def switch(terraform: FakeTerraform, place: Path) -> Switch:
    return Switch(place, "p", "driftwise-2", terraform.run, lambda _line: None)


def test_the_old_instance_is_forgotten_and_the_new_one_known_before_anything_is_applied(tmp_path: Path) -> None:
    replica = "module.database.google_sql_database_instance.replica[0]"
    terraform = FakeTerraform({"module.kms.x", replica, *switch(FakeTerraform(set()), tmp_path).addresses()})
    switch(terraform, tmp_path).apply()
    assert terraform.told[0] == "state list"
    assert terraform.told[-1].startswith("apply ")
    assert "state rm module.kms.x" not in terraform.told
    assert f"state rm {replica}" in terraform.told
    place = "projects/p/instances/driftwise-2"
    assert f"import -input=false module.database.google_sql_database_instance.this {place}" in terraform.told
    assert (
        'import -input=false module.database.google_sql_user.this["keys"] p/driftwise-2/driftwise-keys@p.iam'
        in terraform.told
    )
    assert json.loads((tmp_path / INSTANCE_FILE).read_text()) == {"database_instance": "driftwise-2"}


def test_every_login_of_the_suite_is_known_again(tmp_path: Path) -> None:
    addresses = switch(FakeTerraform(set()), tmp_path).addresses()
    for name, function in load_suite().functions.items():
        assert (f'module.database.google_sql_user.this["{name}"]' in addresses) == (function.database is not None)
    assert 'module.database.google_sql_user.this["migrations"]' in addresses


@pytest.mark.parametrize("fails_at", ["state rm module.database.google_sql_database.this", "import", "apply"])
def test_a_switch_that_was_cut_off_is_finished_by_the_next(tmp_path: Path, fails_at: str) -> None:
    wanted = set(switch(FakeTerraform(set()), tmp_path).addresses())
    terraform = FakeTerraform(set(wanted), fails_at)
    with pytest.raises(DeploymentError):
        switch(terraform, tmp_path).apply()
    terraform.fails_at = ""
    switch(terraform, tmp_path).apply()
    assert terraform.state == wanted
    assert terraform.told[-1].startswith("apply ")


def test_the_instance_is_the_variable_that_the_environment_reads() -> None:
    text = (Path(__file__).parents[3] / "terraform" / "envs" / "example" / "main.tf").read_text("utf-8")
    assert "coalesce(var.database_instance, local.name)" in text


def test_a_segment_is_archived_whole_and_never_over_another(tmp_path: Path) -> None:
    archive = tmp_path / "an archive"
    archive.mkdir()
    (tmp_path / "segment").write_text("first")
    command = (
        archive_settings(archive)["archive_command"].replace("%f", "0001").replace("%p", str(tmp_path / "segment"))
    )
    assert subprocess.run(command, shell=True, check=False).returncode == 0  # noqa: S602  # as the server does
    (tmp_path / "segment").write_text("second")
    assert subprocess.run(command, shell=True, check=False).returncode != 0  # noqa: S602
    assert [(path.name, path.read_text()) for path in archive.iterdir()] == [("0001", "first")]


def test_a_restore_ends_at_the_moment_or_at_the_end(tmp_path: Path) -> None:
    (tmp_path / "postgresql.conf").write_text("port = 1\n")
    prepare_restore(tmp_path, tmp_path / "it's an archive", POINT)
    text = (tmp_path / "postgresql.conf").read_text()
    assert text.startswith("port = 1\n")
    assert "recovery_target_time = '2026-11-26 10:15:30.250000+00:00'\n" in text
    assert "recovery_target_action = 'promote'\n" in text
    assert (tmp_path / "recovery.signal").exists()
    assert "recovery_target_time" not in restore_settings(tmp_path, None)
    with pytest.raises(ValueError, match="time zone"):
        restore_settings(tmp_path, POINT.replace(tzinfo=None))


def test_a_quote_ends_no_setting(tmp_path: Path) -> None:
    write_settings(tmp_path, {"a": "it's"})
    assert (tmp_path / "postgresql.conf").read_text() == "a = 'it''s'\n"


def test_a_step_says_what_it_lacks(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    with pytest.raises(SystemExit) as ended:
        main(["close"])
    assert ended.value.code == 2
    assert "set DATABASE_URL" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["end-credentials", "--to", "2026-11-26T10:15:00"])
    assert "say the time zone" in capsys.readouterr().err


def test_a_database_that_does_not_answer_is_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://owner@127.0.0.1:1/driftwise")
    assert main(["close"]) == 1
    assert "recovery: " in capsys.readouterr().err
