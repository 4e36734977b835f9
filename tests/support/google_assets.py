"""Assets of Google Cloud and the states that declare them, as `tests/fixtures/gcp` holds them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import yaml

from functions.scan.domain.comparison import Drift, Sides, Tally, compare
from functions.scan.domain.resources import Declared, LiveResource, NotChecked, Unread
from functions.scan.domain.state import parse_state
from functions.scan.readers.gcp.resources import Existing
from functions.scan.types.gcp import specs
from functions.scan.types.gcp.schema import SCHEMA
from functions.scan.types.provider_schema import AttributeSchema

FOLDER = Path(__file__).parents[1] / "fixtures" / "gcp"
PROJECT, NUMBER = "shop-prod", "100200300"
READ_AT = "2026-11-26T04:00:00Z"
LONG_AGO = "2026-11-01T00:00:00Z"


@dataclass(frozen=True, slots=True)
class Example:
    """One resource of both sides."""

    type: str
    asset: Mapping[str, Any]
    state: Mapping[str, Any]
    variant: str = ""


@cache
def examples() -> tuple[Example, ...]:
    """Return one example for each mapped type."""
    return tuple(
        Example(item["type"], wrapped(item["asset"]), item["state"])
        for path in sorted(FOLDER.glob("*.yaml"))
        for item in yaml.load(path.read_text("utf-8"), Loader=yaml.CSafeLoader)
    )


@cache
def documented() -> tuple[Example, ...]:
    """Return the examples that were written from the vendor's and the provider's pages alone, several for each mapped type.

    What one of their states leaves out is zero in it, as the provider writes what its API does not answer with.
    """
    return tuple(
        Example(item["type"], wrapped(item["asset"]), filled(item["type"], item["state"]), item["variant"])
        for path in sorted((FOLDER / "documented").glob("*.yaml"))
        for item in yaml.load(path.read_text("utf-8"), Loader=yaml.CSafeLoader)
    )


def filled(kind: str, state: Mapping[str, Any]) -> dict[str, Any]:
    """Add to the attributes of a state those that it leaves out, at all depths."""
    schema = SCHEMA.attribute_schema(kind)
    assert schema is not None
    unset = [
        name
        for name, one in schema.items()
        if one.members is None and one.kind in {"list", "set", "map"} and not one.computed
    ]
    return _with_zeros({**dict.fromkeys(unset), **state}, schema)


_ZERO: Mapping[str, Any] = {"string": "", "number": 0, "bool": False, "list": [], "set": [], "map": {}}


def _with_zeros(found: Mapping[str, Any], schema: Mapping[str, AttributeSchema]) -> dict[str, Any]:
    whole: dict[str, Any] = {
        name: [] if one.members is not None else _ZERO.get(one.kind) for name, one in schema.items()
    }
    for name, value in found.items():
        members = schema[name].members if name in schema else None
        whole[name] = [_with_zeros(item, members) for item in value] if members is not None and value else value
    return whole


def wrapped(asset: Mapping[str, Any]) -> dict[str, Any]:
    """Put an asset into the form in which ListAssets has it."""
    return {
        "name": asset["name"],
        "assetType": asset["assetType"],
        "updateTime": LONG_AGO,
        "ancestors": [f"projects/{NUMBER}", "folders/555", "organizations/42"],
        "resource": {
            "version": "v1",
            "discoveryName": asset["assetType"].rpartition("/")[2],
            "parent": f"//cloudresourcemanager.googleapis.com/projects/{NUMBER}",
            "location": asset.get("location", "global"),
            "data": asset["data"],
        },
    }


def policy(name: str, kind: str, bindings: Sequence[Mapping[str, Any]], update_time: str = LONG_AGO) -> dict[str, Any]:
    """Make an asset as ListAssets gives it for IAM_POLICY."""
    return {
        "name": name,
        "assetType": kind,
        "updateTime": update_time,
        "ancestors": [f"projects/{NUMBER}"],
        "iamPolicy": {"version": 3, "etag": "BwY=", "bindings": list(bindings)},
    }


def declared(*resources: tuple[str, Mapping[str, Any]]) -> tuple[Declared, ...]:
    """Read a state that holds these resources."""
    document = {
        "version": 4,
        "serial": 1,
        "lineage": "1d1c9f3a-0000-4000-8000-000000000000",
        "resources": [
            {"mode": "managed", "type": kind, "name": f"r{position}", "instances": [{"attributes": dict(attributes)}]}
            for position, (kind, attributes) in enumerate(resources)
        ],
    }
    return tuple(parse_state(json.dumps(document).encode(), specs()).declared)


def drift(state: Iterable[Declared], findings: Iterable[object], tally: Tally | None = None) -> list[Drift]:
    """Compare a state with what was read."""
    read = list(findings)
    sides = Sides(
        account=PROJECT,
        regions=frozenset({"global"}),
        declared=state,
        live=[one for one in read if isinstance(one, LiveResource)],
        unread=[one for one in read if isinstance(one, Unread)],
        not_checked=[one for one in read if isinstance(one, NotChecked)],
    )
    assert all(isinstance(one, LiveResource | Unread | NotChecked | Existing) for one in read)
    return list(compare(sides, specs(), tally))


@dataclass(slots=True)
class Reply:
    """An answer over HTTP."""

    status: int
    content: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class FakeGoogle:
    """ListAssets as documented, from assets and policies that the test gives; answers can be put before it."""

    assets: Sequence[object] = ()
    policies: Sequence[object] = ()
    first: list[Reply | None] = field(default_factory=list)
    refused: Mapping[str, Reply] = field(default_factory=dict)
    urls: list[str] = field(default_factory=list)
    entries: list[Mapping[str, Any]] = field(default_factory=list)
    asked: list[Mapping[str, Any]] = field(default_factory=list)
    log_answer: Reply | None = None

    def get(self, url: str) -> Reply | None:
        self.urls.append(url)
        if self.first:
            return self.first.pop(0)
        query = dict(parse_qsl(urlsplit(url).query))
        if query["contentType"] in self.refused:
            return self.refused[query["contentType"]]
        return self._page(list(parse_qsl(urlsplit(url).query)), query)

    def post(self, url: str, content: bytes) -> Reply | None:
        """Answer `entries:list`: what is about the resources that the filter names, newest first."""
        assert url == "https://logging.googleapis.com/v2/entries:list"
        wish = json.loads(content)
        self.asked.append(wish)
        if self.log_answer is not None:
            return self.log_answer
        named = [one for one in self.entries if f'"{one["protoPayload"]["resourceName"]}"' in wish["filter"]]
        found = sorted(named, key=lambda one: str(one["timestamp"]), reverse=True)
        return Reply(200, json.dumps({"entries": found} if found else {}).encode())

    def _page(self, pairs: list[tuple[str, str]], query: Mapping[str, str]) -> Reply:
        kinds = {value for name, value in pairs if name == "assetTypes"}
        held = self.assets if query["contentType"] == "RESOURCE" else self.policies
        found = [one for one in held if not kinds or (isinstance(one, Mapping) and one.get("assetType") in kinds)]
        begin, size = int(query.get("pageToken", "0")), int(query["pageSize"])
        body: dict[str, Any] = {"readTime": READ_AT, "assets": found[begin : begin + size]}
        if begin + size < len(found):
            body["nextPageToken"] = str(begin + size)
        return Reply(200, json.dumps(body).encode())


@dataclass(slots=True)
class Waits:
    """A clock that only waiting moves."""

    seconds: float = 0.0
    pauses: list[float] = field(default_factory=list)

    def now(self) -> Any:
        raise NotImplementedError

    def monotonic_seconds(self) -> float:
        return self.seconds

    def sleep_seconds(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.seconds += seconds


def error(status: int, word: str, message: str = "", reason: str = "") -> Reply:
    """Make an error in the form of AIP-193."""
    details = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason}] if reason else []
    body = {"error": {"code": status, "status": word, "message": message, "details": details}}
    return Reply(status, json.dumps(body).encode())


def everything() -> Iterator[Mapping[str, Any]]:
    """Yield the assets of all examples."""
    return (one.asset for one in examples())
