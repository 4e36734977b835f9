"""A function's process that starts while everything it stands on is away: it serves what it can, and ends when told to."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from infra.suite import load_suite
from shared.ports.clock import SystemEntropy
from shared.security.api_keys import make_key
from tests.support.function_process import FunctionProcess, function_process
from tests.support.gate import Gate, gate_before
from tests.support.redis_server import free_port
from tests.support.running_suite import problem

# The platform ends a call that takes longer.
DEADLINE_SECONDS = load_suite().functions["keys"].entry_points["keys"].timeout_seconds
SOURCE = "from functions.keys.main import keys as tiny\n"
ORG = "/api/v2/orgs/01900000-0000-7000-8000-000000000000/api-keys"


@pytest.fixture(params=["refused", "silent"])
def keys(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[FunctionProcess]:
    """The function keys, started in the middle of an outage of everything."""
    with gate_before(f"127.0.0.1:{free_port()}") as gate:
        if request.param == "silent":
            gate.fall_silent()
        else:
            gate.refuse()
        with function_process(tmp_path, SOURCE, **settings(gate)) as running:
            yield running


def settings(gate: Gate) -> dict[str, str]:
    return {
        "DW_FUNCTION": "keys",
        "DW_ENTRY_POINT": "keys",
        "DW_PROJECT": "driftwise-test",
        "DW_REGION": "europe-west1",
        "DW_PUBLIC_URL": "https://driftwise.example",
        "DW_DATABASE_URL": f"postgresql://keys_login:none@{gate.address}/driftwise",
        "DW_REDIS_URL": f"redis://{gate.address}/0",
        "DW_JWKS_URL": f"http://{gate.address}/jwks.json",
        **dict.fromkeys(("DW_KMS_ENDPOINT", "DW_SECRETS_ENDPOINT", "DW_PUBSUB_ENDPOINT"), gate.address),
    }


def test_it_is_healthy_and_tells_callers_what_is_away(keys: FunctionProcess) -> None:
    def get(path: str, key: str = "") -> httpx.Response:
        headers = {"X-Api-Key": key} if key else {}
        return httpx.get(keys.url + path, headers=headers, trust_env=False, timeout=DEADLINE_SECONDS)

    with ThreadPoolExecutor(2) as pool:
        read = pool.submit(get, ORG, make_key(SystemEntropy()).reveal())
        deep = pool.submit(get, "/_health?deep=1")
        for path in ("/_health", "/keys/health"):  # while those two wait
            assert get(path).json() == {"status": "ok"}
        for answer in (read.result(), deep.result()):
            problem(answer, 503, "database_away")
            assert int(answer.headers["Retry-After"]) > 0
    assert [line.get("rate_limit") for line in keys.lines() if line.get("route") == "/keys/health"] == ["away"]
