"""An Azure subscription in memory, answering as Resource Manager documents it: tables by pages, lists, quotas, refusals."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from functions.scan.domain.resources import Declared
from functions.scan.readers.azure.client import ArmReply
from functions.scan.readers.azure.settings import APART
from functions.scan.types.azure import DECLARABLE
from shared.testing.clock import FakeClock

FIXTURES = Path(__file__).parents[1] / "fixtures" / "azure"
SUBSCRIPTION = "00000000-1111-2222-3333-444444444444"
READER = ({"actions": ["*/read"], "notActions": []},)
QUOTA = 15
WINDOW_SECONDS = 5
_TYPES = re.compile(r"where type (?:in~|=~) ([^|]+)")
_EXTENDED = re.compile(r"extend (\w+) = tostring\(([\w.]+)\)")
_PRESENT = re.compile(r"isnotempty\((\w+)\)")
_GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-app/providers"


@dataclass
class Estate:
    """One fixture file."""

    rows: list[dict[str, Any]]
    lists: Mapping[str, list[dict[str, Any]]]
    states: list[dict[str, Any]]
    pages: list[str]
    documents: Mapping[str, dict[str, Any]] = field(default_factory=dict)


def load(name: str) -> Estate:
    text = (FIXTURES / f"{name}.json").read_text(encoding="utf-8")
    found = json.loads(text.replace("$RG", _GROUP).replace("$SUB", SUBSCRIPTION))
    return Estate(found["rows"], found.get("lists", {}), found["states"], found["pages"], found.get("documents", {}))


def names() -> list[str]:
    return sorted(path.stem for path in FIXTURES.glob("*.json"))


def declared_in(states: Iterable[Mapping[str, Any]]) -> list[Declared]:
    """Return what states declare, expanded as the parser of states does it."""
    found: list[Declared] = []
    for number, state in enumerate(states):
        spec = DECLARABLE[state["type"]]
        attributes = state["attributes"]
        entry = Declared(
            f"{spec.type}.n{number}", spec.type, spec.key(attributes), attributes, parent=spec.parent(attributes)
        )
        found += spec.expand(entry) if spec.expand else (entry,)
    return found


@dataclass
class AzureAccount:
    """The subscription; implements `ArmHttp`.

    Attributes:
        rows: what the tables hold.
        lists: path without query -> elements.
        documents: the same -> one document.
        clock: time passes by waiting only.
        permissions: of the caller.
        page_rows: rows of a page.
        before: may answer a call itself, by (number of the call, method, path, body).
        calls: what was asked.
        queries: how many pages of Resource Graph were given.
        refused: how many were asked for beyond the quota.
    """

    rows: list[dict[str, Any]]
    lists: Mapping[str, list[dict[str, Any]]] = field(default_factory=dict)
    documents: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    clock: FakeClock = field(default_factory=FakeClock)
    permissions: Iterable[Mapping[str, Any]] = READER
    page_rows: int = 1000
    before: Callable[[int, str, str, dict[str, Any]], ArmReply | None] | None = None
    calls: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    queries: int = 0
    refused: int = 0
    _tables: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    _answers: dict[str, tuple[list[dict[str, Any]], list[dict[str, Any]]]] = field(default_factory=dict)
    _used: int = 0
    _window_ends_at: float = 0.0

    def send(self, method: str, path: str, body: bytes = b"") -> ArmReply | None:
        document = json.loads(body) if body else {}
        self.calls.append((method, path, document))
        answer = self.before(len(self.calls), method, path, document) if self.before else None
        if answer is not None:
            return answer
        plain = path.partition("?")[0]
        if plain.endswith("/providers/Microsoft.Authorization/permissions"):
            return reply(200, {"value": list(self.permissions)})
        if method == "POST":
            return self._page(document)
        if plain.endswith(tuple(item.segment for item in APART)):
            return reply(200, self.documents[plain]) if plain in self.documents else reply(404, {})
        return reply(200, {"value": self.lists.get(plain, [])})

    def _page(self, body: Mapping[str, Any]) -> ArmReply:
        now = self.clock.monotonic_seconds()
        if now >= self._window_ends_at:
            self._used, self._window_ends_at = 0, now + WINDOW_SECONDS
        left = self._window_ends_at - now
        headers = {"x-ms-user-quota-resets-after": f"00:00:{int(left + 0.999):02}"}
        if self._used >= QUOTA:
            self.refused += 1
            return reply(429, {}, {**headers, "x-ms-user-quota-remaining": "0", "retry-after": str(int(left + 0.999))})
        self._used += 1
        self.queries += 1
        query = str(body["query"])
        table = query.partition(" ")[0]
        rows = self._tables.get(table)
        if rows is None:
            rows = self._tables[table] = [row for row in self.rows if _table(row) == table]
        known = self._answers.get(query)
        if known is None or known[0] is not rows:
            known = self._answers[query] = (rows, _narrowed(rows, query))
        rows = known[1]
        start = int(body["options"].get("$skipToken", "0"))
        page = rows[start : start + self.page_rows]
        following = start + len(page)
        answer: dict[str, Any] = {
            "totalRecords": len(rows),
            "count": len(page),
            "resultTruncated": "false",
            "facets": [],
            "data": page,
        }
        if following < len(rows):
            answer["$skipToken"] = str(following)
        return reply(200, answer, {**headers, "x-ms-user-quota-remaining": str(QUOTA - self._used)})


def reply(status: int, document: Any, headers: Mapping[str, str] | None = None) -> ArmReply:
    return ArmReply(status, headers or {}, json.dumps(document).encode())


def _narrowed(rows: list[dict[str, Any]], query: str) -> list[dict[str, Any]]:
    """Return the rows of the ARM types that a query asks for, and what it takes out of machines."""
    asked = _TYPES.search(query) if query.startswith("resources ") else None
    if asked is None:
        return rows
    kinds = set(re.findall("'([^']+)'", asked[1]))
    found = [row for row in rows if str(row["type"]).lower() in kinds]
    told = [{**row, **{name: _text(_at(row, path)) for name, path in _EXTENDED.findall(query)}} for row in found]
    present = _PRESENT.search(query)
    return [row for row in told if row[present[1]]] if present else told


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _at(document: Any, path: str) -> Any:
    for name in path.split("."):
        document = document.get(name) if isinstance(document, Mapping) else None
    return document


def _table(row: Mapping[str, Any]) -> str:
    kind = str(row["type"])
    if kind.startswith("microsoft.authorization/"):
        return "authorizationresources"
    return "resourcecontainers" if kind.startswith("microsoft.resources/") else "resources"
