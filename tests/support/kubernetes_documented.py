"""Kubernetes objects as vendors document them, written by somebody who had not seen the mapping, and both sides read from them."""

from __future__ import annotations

import base64
import copy
import gzip
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml

from driftwise_operator.kinds import Kind
from driftwise_operator.releases import release_of
from driftwise_operator.stripping import stripped
from functions.scan.domain.comparison import Drift, Sides, compare
from functions.scan.domain.resources import Declared, LiveResource, NotChecked, Unread
from functions.scan.domain.state import parse_state
from functions.scan.types.kubernetes import GENERIC, specs
from functions.scan.types.kubernetes.schema import SCHEMA
from functions.scan.types.provider_schema import AttributeSchema

from .kubernetes_objects import read, state_of

FOLDER = Path(__file__).parents[1] / "fixtures" / "kubernetes"
DIGEST_KEY = b"of this cluster"

Path_ = tuple[str | int, ...]
Unset = Literal["zero", "null"]


@dataclass(frozen=True)
class Documented:
    """One object as both sides tell it.

    Attributes:
        type: as the state names it.
        variant: what is special about it.
        pages: of the API and of the provider.
        live: as the operator reports it.
        state: its attributes in a state, but for those that are unset in it.
        silent: places in `live` that say nothing of what was declared.
        silent_state: places in `state` that say nothing of what runs.
        sensitive: attributes that the state hides.
        is_defaulted: what `live` says beyond the manifest in `state` the server filled in.
    """

    type: str
    variant: str
    pages: Sequence[str]
    live: Mapping[str, Any]
    state: Mapping[str, Any]
    silent: Sequence[str]
    silent_state: Sequence[str]
    sensitive: Sequence[str]
    is_defaulted: bool


@cache
def documented() -> tuple[Documented, ...]:
    """Return every object."""
    return tuple(
        Documented(
            item["type"],
            item["variant"],
            (item["api"], item["provider"]),
            reported(item["live"]) if "live" in item else released(item["release"]),
            item["state"],
            tuple(item.get("silent", ())),
            tuple(item.get("silent_state", ())),
            tuple(item.get("sensitive", ())),
            item.get("defaulted", False),
        )
        for path in sorted((FOLDER / "documented").glob("*.yaml"))
        for item in yaml.load(path.read_text("utf-8"), Loader=yaml.CSafeLoader)
    )


@cache
def volume_sources() -> tuple[Mapping[str, Any], ...]:
    """Return what may stand behind a volume, on both sides."""
    content = (FOLDER / "documented_volumes.yaml").read_text("utf-8")
    return tuple(yaml.load(content, Loader=yaml.CSafeLoader))


def one(kind: str, variant: str) -> Documented:
    """Return one object by the type and the variant that it has."""
    (found,) = (item for item in documented() if (item.type, item.variant) == (kind, variant))
    return found


def reported(live: Mapping[str, Any]) -> dict[str, Any]:
    """Return an object as the operator reports it."""
    group, _, version = live["apiVersion"].rpartition("/")
    return stripped(Kind(live["kind"], group, version, ""), copy.deepcopy(dict(live)), DIGEST_KEY)


def released(release: Mapping[str, Any]) -> dict[str, Any]:
    """Return a release as the operator reads it out of Helm's secret."""
    packed = base64.b64encode(base64.b64encode(gzip.compress(json.dumps(release, default=str).encode()))).decode()
    found = release_of({"metadata": {"namespace": release["namespace"]}, "data": {"release": packed}}, DIGEST_KEY)
    assert found is not None
    return found


def filled(kind: str, state: Mapping[str, Any], unset: Unset) -> dict[str, Any]:
    """Add to the attributes of a state those that it leaves out, at all depths.

    Args:
        kind: type of the resource.
        state: its attributes.
        unset: version 2 of the provider writes zeros for them after a refresh, version 3 nulls.
    """
    schema = SCHEMA.attribute_schema(kind)
    return dict(state) if schema is None else _filled(state, schema, unset)


_ZERO: Mapping[str, Any] = {"string": "", "number": 0, "bool": False, "list": [], "set": [], "map": {}}


def _filled(found: Mapping[str, Any], schema: Mapping[str, AttributeSchema], unset: Unset) -> dict[str, Any]:
    whole: dict[str, Any] = {
        name: (None if item.kind == "single" else []) if item.members is not None
        else None if unset == "null"
        else _ZERO.get(item.kind)
        for name, item in schema.items()
    }  # fmt: skip
    for name, value in found.items():
        members = schema[name].members if name in schema else None
        is_block = members is not None and isinstance(value, list)
        whole[name] = [_filled(item, members or {}, unset) for item in value] if is_block else value
    return whole


def declared(kind: str, state: Mapping[str, Any], sensitive: Sequence[str] = ()) -> tuple[Declared, ...]:
    """Read a state that holds one resource."""
    return tuple(parse_state(state_of([(kind, state)], sensitive), specs()).declared)


def drift(state: Iterable[Declared], *objects: Mapping[str, Any]) -> list[Drift]:
    """Compare what a state declares with what a report tells."""
    items = list(state)
    found = read(objects, declared=[item.key for item in items if item.type == GENERIC and item.key])
    sides = Sides(
        account="shop",
        regions=frozenset({"global"}),
        declared=items,
        live=[item for item in found if isinstance(item, LiveResource)],
        unread=[item for item in found if isinstance(item, Unread)],
        not_checked=[item for item in found if isinstance(item, NotChecked)],
    )
    return list(compare(sides, specs()))


def is_below(path: Path_, places: Sequence[str]) -> bool:
    """Say whether a path leads to one of the places or below it; a place's names may hold dots themselves."""
    dotted = ".".join(map(str, path))
    return any(dotted == place or dotted.startswith(f"{place}.") for place in places)


def with_value(document: Any, path: Path_, value: object) -> Any:
    """Return a document with another value at a path; what is beside the way to it is shared."""
    if not path:
        return value
    head, rest = path[0], path[1:]
    if isinstance(document, list):
        return [with_value(item, rest, value) if at == head else item for at, item in enumerate(document)]
    return {**document, head: with_value(document.get(head), rest, value)}


def without(document: Any, path: Path_) -> Any:
    """Return a document without what is at a path."""
    head, rest = path[0], path[1:]
    if isinstance(document, list):
        kept = enumerate(document)
        return [without(item, rest) if at == head else item for at, item in kept if rest or at != head]
    return {
        name: without(item, rest) if name == head else item for name, item in document.items() if rest or name != head
    }


def value_at(document: Any, path: Path_) -> Any:
    """Return what is at a path; None where nothing is."""
    for step in path:
        try:
            document = document[step]
        except (KeyError, IndexError, TypeError):
            return None
    return document


def with_member(document: Mapping[str, Any], *path: str | int, **members: Any) -> dict[str, Any]:
    """Return a document in which an object at a path has further members."""
    found: dict[str, Any] = with_value(document, path, {**(value_at(document, path) or {}), **members})
    return found


def manifest_in(item: Documented) -> Any:
    """Return the document that a manifest's state declares; None for others."""
    if "yaml_body" in item.state:
        return yaml.safe_load(item.state["yaml_body"])
    return item.state["manifest"]["value"] if item.type == "kubernetes_manifest" else None


def paths(document: Any, above: Path_ = ()) -> Iterator[Path_]:
    """Yield the path of every value that holds no other, but of empty ones."""
    if isinstance(document, Mapping):
        for name, value in document.items():
            yield from paths(value, (*above, name))
    elif isinstance(document, list):
        for at, value in enumerate(document):
            yield from paths(value, (*above, at))
    elif document is not None:
        yield above
