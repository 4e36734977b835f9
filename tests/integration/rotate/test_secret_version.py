"""A random version of a secret, against the emulator's Secret Manager."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from infra.rotate.secret_version import main
from infra.suite import load_suite
from shared.ports.secret_store import GoogleSecretStore
from shared.settings import Settings
from tests.support.google_emulator import Emulator

PROJECT = "driftwise-local"


@pytest.fixture(scope="module")
def google(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    running = Emulator(tmp_path_factory.mktemp("google"))
    yield running
    running.stop()


def test_every_version_is_another_and_as_long_as_the_suite_says(
    google: Emulator, capsys: pytest.CaptureFixture[str]
) -> None:
    name = "api-key-pepper"
    store = GoogleSecretStore(Settings(env="emulator", project=PROJECT, secrets_endpoint=google.endpoint))
    google.secrets().create_secret(
        parent=f"projects/{PROJECT}", secret_id=name, secret={"replication": {"automatic": {}}}
    )
    for _ in range(2):
        assert main([name, "--project", PROJECT, "--secrets-endpoint", google.endpoint]) == 0
    values = [store.read(name, str(number)).reveal() for number in (1, 2)]
    assert len(set(values)) == 2
    assert {len(value) for value in values} == {load_suite().secrets[name].generated_bytes}
    out = capsys.readouterr().out
    assert out.splitlines() == [f"{name} has version {number}" for number in (1, 2)]


def test_a_project_without_the_secret_is_told(google: Emulator, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["api-key-pepper", "--project", "nobody", "--secrets-endpoint", google.endpoint]) == 1
    assert "api-key-pepper has no new version" in capsys.readouterr().err


def test_only_secrets_of_the_suite_get_one() -> None:
    with pytest.raises(SystemExit):
        main(["something-else", "--project", PROJECT])
