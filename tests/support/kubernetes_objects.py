"""Objects as the API server and the Terraform providers document them, and the way from both sides to drift."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from functions.scan.domain.comparison import Drift, Sides, compare
from functions.scan.domain.resources import LiveResource, NotChecked, Unread
from functions.scan.domain.state import parse_state
from functions.scan.readers.kubernetes.reading import Listed, NotListed, read_report
from functions.scan.types.kubernetes import GENERIC, by_kind, kind_name, specs
from functions.scan.types.kubernetes.helm import KIND as RELEASES

FOLDER = Path(__file__).parents[1] / "fixtures" / "kubernetes" / "objects"
EVERY_KIND = frozenset({*by_kind(), RELEASES, "CronTab.stable.example.com"})


@dataclass(frozen=True)
class Fixture:
    """One object as both sides tell it.

    Attributes:
        type: as the state names it.
        state: its attributes in a state.
        live: as the API server has it, or as the operator makes it of Helm's record.
        not_compared: dotted paths into `live` that say nothing of what was declared.
        sources: the pages that it was written to.
    """

    type: str
    state: Mapping[str, Any]
    live: Mapping[str, Any]
    sources: Sequence[str]
    not_compared: Sequence[str] = field(default_factory=tuple)


@cache
def fixtures() -> tuple[Fixture, ...]:
    """Return every fixture."""
    found = [item for path in sorted(FOLDER.glob("*.yaml")) for item in yaml.safe_load(path.read_text("utf-8"))]
    return tuple(
        Fixture(item["type"], item["state"], item["live"], item["sources"], tuple(item.get("not_compared", ())))
        for item in found
    )


def fixture(kind: str) -> Fixture:
    """Return the fixture of a Terraform type."""
    return next(item for item in fixtures() if item.type == kind)


def state_of(resources: Iterable[tuple[str, Mapping[str, Any]]], sensitive: Sequence[str] = ()) -> bytes:
    """Write a state that holds these resources."""
    paths = [[{"type": "get_attr", "value": name}] for name in sensitive]
    written = [
        {"mode": "managed", "type": kind, "name": f"r{number}",
         "instances": [{"attributes": dict(attributes), "sensitive_attributes": paths}]}
        for number, (kind, attributes) in enumerate(resources)
    ]  # fmt: skip
    document = {"version": 4, "serial": 1, "lineage": "1d1c9f3a-0000-4000-8000-000000000000", "resources": written}
    return json.dumps(document).encode()


def read(
    objects: Iterable[Mapping[str, Any]],
    *,
    kinds: Iterable[str] = EVERY_KIND,
    failures: Sequence[NotListed] = (),
    declared: Iterable[str] = (),
) -> list[LiveResource | Unread | NotChecked]:
    """Read objects as a whole report tells them."""
    items = [copy.deepcopy(dict(item)) for item in objects]

    def pages(wanted: Sequence[str] | None) -> Iterator[Mapping[str, Any]]:
        for item in items:
            if wanted is None or kind_name(item.get("apiVersion"), item.get("kind")) in wanted:
                yield item

    return list(read_report(Listed(frozenset(kinds), tuple(failures)), pages, declared))


def drift(
    declared: Iterable[tuple[str, Mapping[str, Any]]], objects: Iterable[Mapping[str, Any]], **more: Any
) -> list[Drift]:
    """Compare what a state declares with what a report tells."""
    sensitive = more.pop("sensitive", ())
    state = parse_state(state_of(declared, sensitive), specs()).declared
    keys = [item.key for item in state if item.type == GENERIC and item.key]
    found = read(objects, declared=keys, **more)
    sides = Sides(
        account="shop",
        regions=frozenset({"global"}),
        declared=state,
        live=[item for item in found if isinstance(item, LiveResource)],
        unread=[item for item in found if isinstance(item, Unread)],
        not_checked=[item for item in found if isinstance(item, NotChecked)],
    )
    return list(compare(sides, specs()))


def leaves(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield the path of every value that holds no other."""
    if isinstance(value, Mapping) and value:
        for name, item in value.items():
            yield from leaves(item, (*path, name))
    elif isinstance(value, list) and value:
        for position, item in enumerate(value):
            yield from leaves(item, (*path, position))
    else:
        yield path


def changed(document: Mapping[str, Any], path: tuple[str | int, ...]) -> dict[str, Any]:
    """Return a copy in which one value is another one of its kind; a flag that was left out is set."""
    found: Any = copy.deepcopy(dict(document))
    at = found
    for step in path[:-1]:
        at = at[step]
    is_left_out = isinstance(at, dict) and path[-1] not in at
    at[path[-1]] = True if is_left_out else other(at[path[-1]])
    result: dict[str, Any] = found
    return result


def other(value: Any) -> Any:
    """Return another value of the same kind; another quantity for a quantity."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, str):
        return f"7{value}" if value[:1].isdigit() else f"{value}-other"
    return value
