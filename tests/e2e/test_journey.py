"""The journey through a running suite: set up by a person in a browser, taken with the key, and a broken step named."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from infra.journey.set_up import ORGANISATION, SECRET, Operator, Wish
from infra.journey.steps import STEPS, Journey, Result
from infra.rotate.vault import Vault
from local_emulator.names import PROJECT
from shared.ports.clock import SystemClock
from shared.ports.secret_store import GoogleSecretStore
from shared.settings import Settings
from tests.support.browser import Browser, allow
from tests.support.journey_site import Rest
from tests.support.running_suite import RunningSuite
from tests.support.scanning import Estate


def set_up(suite: RunningSuite) -> tuple[str, str]:
    """Set the journey up as a person does; returns organisation and key."""
    browser = Browser(suite)
    browser.sign_in()

    def let_in(line: str) -> None:
        if "user_code=" in line:
            address = urlsplit(line.split()[1])
            allow(browser, parse_qs(address.query)["user_code"][0])

    with httpx.Client(base_url=suite.url, trust_env=False) as client:
        operator = Operator(client, SystemClock(), let_in)
        operator.sign_in()
        return operator.new_key(Wish())


def take(suite: RunningSuite, key: str, **options: Any) -> dict[str, Result]:
    with httpx.Client(base_url=suite.url, trust_env=False, **options) as client:
        journey = Journey(client, key, SystemClock(), "journey-e2e")
        return {result.step: result for result in journey.results()}


@pytest.fixture(scope="module")
def synthetic(emulator: RunningSuite) -> tuple[str, str]:
    return set_up(emulator)


def test_every_step_passes(emulator: RunningSuite, synthetic: tuple[str, str]) -> None:
    results = take(emulator, synthetic[1])
    assert {name: result.reason for name, result in results.items()} == dict.fromkeys(
        (name for name, _, _ in STEPS), ""
    )


def test_a_second_set_up_gives_the_same_organisation_a_new_key_and_the_secret_takes_it(
    emulator: RunningSuite, synthetic: tuple[str, str]
) -> None:
    org_id, key = set_up(emulator)
    assert org_id == synthetic[0]
    assert key != synthetic[1]
    endpoint = Estate(emulator, "demo").described["google"]["grpc"]
    Vault(PROJECT, endpoint).add(SECRET, key.encode())
    kept = GoogleSecretStore(Settings(env="emulator", project=PROJECT, secrets_endpoint=endpoint)).read(SECRET)
    assert kept.reveal() == key.encode()
    assert take(emulator, key)["list-keys"].outcome == "passed"
    found = emulator.owner()
    try:
        rows = found.run(
            "select plan, (select count(*) from core.api_keys k where k.org_id = o.id and scopes <> '{write}') "
            "from core.orgs o where name = :name",
            name=ORGANISATION,
        )
    finally:
        found.close()
    assert rows == [["free", 0]]


@pytest.mark.parametrize(
    ("pattern", "status", "step"),
    [(r"POST .*/analyze", 503, "analyze-plan"), (r"GET .*/audit-log", 200, "refuse-administration")],
)
def test_what_is_broken_is_named(
    emulator: RunningSuite, synthetic: tuple[str, str], pattern: str, status: int, step: str
) -> None:
    broken = Rest(pattern, lambda answer: httpx.Response(status, content=answer.content))
    results = take(emulator, synthetic[1], transport=broken)
    assert {name for name, result in results.items() if result.outcome == "failed"} == {step}


def test_a_key_that_nobody_knows_gets_no_further(emulator: RunningSuite) -> None:
    results = take(emulator, "dw2_" + "0" * 42 + "1CtB1C")
    assert results["sign-in"].reason == "401 unauthenticated, not 200"
    assert {result.outcome for name, result in results.items() if name != "sign-in"} == {"skipped"}
