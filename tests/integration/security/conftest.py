"""What tests of outbound calls share: an authority, guards that may reach a test's own servers, and what was dialled."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import pytest

from shared.ports.clock import Clock, SystemClock
from shared.security.egress import EgressGuard, EgressPolicy
from tests.support.tls_server import Authority, Server


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@dataclass
class Answers:
    """A resolver that gives one answer after the other, the last one for ever, and counts."""

    answers: dict[str, Sequence[tuple[str, ...]]]
    asked: list[str] = field(default_factory=list)

    def resolve(self, host: str, *, timeout_seconds: float) -> tuple[str, ...]:
        assert timeout_seconds > 0
        known = self.answers.get(host, [("127.0.0.1",)])
        answer = known[min(self.asked.count(host), len(known) - 1)]
        self.asked.append(host)
        return answer


@dataclass
class Guards:
    """Makes guards that trust the test's authority and may dial the test's servers, and nothing else on loopback."""

    authority: Authority

    def reaching(
        self,
        *servers: Server,
        answers: dict[str, Sequence[tuple[str, ...]]] | None = None,
        clock: Clock | None = None,
        resolver: Answers | None = None,
        **limits: object,
    ) -> EgressGuard:
        settings: dict[str, object] = {
            "ports": frozenset({443, *(server.port for server in servers)}),
            "loopback": frozenset((server.address, server.port) for server in servers),
            "authorities_pem": self.authority.pem,
            "deadline_seconds": 30.0,
        }
        policy = EgressPolicy(**(settings | limits))  # type: ignore[arg-type]
        return EgressGuard(policy, resolver or Answers(answers or {}), clock or SystemClock())


@pytest.fixture
def guards(authority: Authority) -> Guards:
    return Guards(authority)


@dataclass
class Watch:
    """What this process dials and looks up, as the interpreter's own audit events say; may stop it."""

    dialled: list[tuple[str, int]] = field(default_factory=list)
    looked_up: list[str] = field(default_factory=list)
    stop_dialling: bool = False


_watches: list[Watch] = []


def _hook(event: str, arguments: tuple[object, ...]) -> None:
    for watch in _watches:
        if event == "socket.connect":
            watch.dialled.append(tuple(arguments[1][:2]))  # type: ignore[index]
            if watch.stop_dialling:
                raise ConnectionRefusedError("a test dials nothing outside")
        elif event == "socket.getaddrinfo":
            watch.looked_up.append(str(arguments[0]))


@pytest.fixture(scope="session")
def _audited() -> None:
    sys.addaudithook(_hook)  # cannot be taken away again: without a watch it does nothing


@pytest.fixture
def watch(_audited: None) -> Iterator[Watch]:
    found = Watch()
    _watches.append(found)
    yield found
    _watches.remove(found)
