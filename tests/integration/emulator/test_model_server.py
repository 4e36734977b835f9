"""The language model stub: what it writes is let through, and `up --model` makes it the platform's model."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from functions.analyze.domain.asking import ask_about
from functions.analyze.domain.claims import accept
from functions.analyze.language_models.openai import OpenAICompatible
from local_emulator.model_server import MODEL, answer
from local_emulator.ports import reserve_port
from local_emulator.records import DataDirectory
from local_emulator.topology import Options, Topology
from shared.testing.clock import FixedEntropy
from tests.support.plan_facts import facts_of
from tests.support.waiting import wait_until


@pytest.fixture
def stub() -> Iterator[str]:
    port = reserve_port()
    process = subprocess.Popen([sys.executable, "-m", "local_emulator.model_server", "--port", str(port)])
    url = f"http://127.0.0.1:{port}"

    def is_up() -> bool:
        try:
            return httpx.get(f"{url}/_health", trust_env=False).status_code == 200
        except httpx.TransportError:
            return False

    try:
        wait_until(is_up, "the stub does not come up")
        yield url
    finally:
        process.terminate()
        assert process.wait(10) == 0, "the stub does not stop when it is told to"


@pytest.mark.parametrize("plan", ["google", "azure"])
def test_what_it_writes_is_let_through(stub: str, plan: str) -> None:
    verdict = facts_of(plan)
    request = OpenAICompatible(MODEL, f"{stub}/v1").request(ask_about(verdict, FixedEntropy()))
    reply = httpx.post(request.url, headers=request.headers, content=request.content, trust_env=False)
    found = OpenAICompatible(MODEL, stub).answer(reply.json())
    assert found.input_tokens > 100
    accepted = accept(found.text, verdict)
    assert accepted.summary
    assert len(accepted.why) >= len(verdict.findings[:30]) * 0.8, accepted.dropped


@pytest.mark.parametrize("path, content, status", [
    ("/v1/completions", b"{}", 404), ("/v1/chat/completions", b"{}", 400), ("/v1/chat/completions", b"no", 400),
    ("/v1/chat/completions", b'{"messages": 1}', 400), ("/v1/chat/completions", b"x" * 1_100_000, 413),
])  # fmt: skip
def test_what_it_does_not_know_is_an_error_of_the_documented_form(
    stub: str, path: str, content: bytes, status: int
) -> None:
    reply = httpx.post(f"{stub}{path}", content=content, trust_env=False)
    assert reply.status_code == status
    assert reply.json()["error"]["message"]


def test_it_knows_the_test_question() -> None:
    schema = {"required": ["word"]}
    messages = [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}]
    found = answer({"model": "m", "messages": messages, "response_format": {"json_schema": {"schema": schema}}})
    assert json.loads(found["choices"][0]["message"]["content"]) == {"word": "drift"}


def test_only_who_asks_for_it_gets_it(tmp_path: Path) -> None:
    options = Options(data_dir=tmp_path / "data", port=reserve_port())
    for has_model in (False, True):
        data = DataDirectory(options.data_dir)
        data.create(open_to_others=False)
        topology = Topology(replace(options, has_model=has_model), data, {})
        nodes = {node.name: node for node in topology.nodes()}
        assert ("model" in nodes) == has_model
        assert ("model" in nodes["analyze"].needs) == has_model
