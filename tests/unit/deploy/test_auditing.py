"""The migrations job completes auditing where the server has pgaudit, and only there."""

from __future__ import annotations

from typing import Any

from infra.deploy.migrations import complete_auditing


class Server:
    """A database's owner; tells what was run."""

    def __init__(self, *, offers_pgaudit: bool) -> None:
        self.ran: list[str] = []
        self._offers = offers_pgaudit

    def run(self, sql: str, **_values: object) -> list[Any]:
        assert "pg_available_extensions" in sql
        return [[1]] if self._offers else []

    def execute_simple(self, statement: str) -> list[Any]:
        self.ran.append(statement)
        self._offers = False
        return []


def test_the_extension_is_created_once() -> None:
    server = Server(offers_pgaudit=True)
    assert complete_auditing(server) == ["pgaudit names what statements are about"]
    assert complete_auditing(server) == []
    assert server.ran == ["create extension pgaudit"]


def test_a_server_without_it_is_left_alone() -> None:
    server = Server(offers_pgaudit=False)
    assert complete_auditing(server) == []
    assert server.ran == []
