"""The difference of two attribute sets, path by path.

Decides what counts as changed; must not know any type (shapes come from the specs).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from .manifests import declared_only, manifest
from .resources import Attributes
from .sealing import comparable, is_sealed
from .shapes import RECONCILED, Canonical, Shape
from .specs import TypeSpec

_RECONCILED = {**RECONCILED, manifest: declared_only}


@dataclass(frozen=True, slots=True)
class Change:
    """One attribute that differs.

    Attributes:
        path: attribute path in Terraform's spelling, e.g. `ingress`, `tags.Team`, `lifecycle_rule[0].status`.
        before: the canonical value in the state.
        after: the canonical value in the cloud.
    """

    path: str
    before: Canonical
    after: Canonical


def changes(
    spec: TypeSpec,
    state: Attributes,
    live: Attributes,
    *,
    skipped: frozenset[str] = frozenset(),
    hidden: frozenset[str] = frozenset(),
) -> list[Change]:
    """List the attributes of one resource that differ.

    Args:
        spec: the type's rules; only attributes it names are compared.
        state: the state's attributes.
        live: the live attributes; one that is absent was not read and is not compared.
        skipped: attributes that stand-alone resources take over, or that could not be read.
        hidden: sensitive attributes: compared whole, since a path into one would tell of its inside.
    """
    found: list[Change] = []
    for name, shape in spec.shapes.items():
        if name in skipped or name not in live or not _declares(state, name):
            continue
        declared, running = _state_value(state, name), live[name]
        if repr(declared) == repr(running):  # one spelling has one canonical form; most pairs are this one
            continue
        pair = comparable(declared, running)
        if pair is None:
            continue
        before, after = (_canonical(shape, value) for value in pair)
        if shape in _RECONCILED and not is_sealed(pair[0]):
            after = _RECONCILED[shape](before, after)
        if name not in hidden:
            found.extend(_walk(name, before, after))
        elif not _is_same(before, after):
            found.append(Change(name, before, after))
    return found


def _canonical(shape: Shape, value: object) -> Canonical:
    """Bring a value into canonical form; a digest is canonical already (see `sealing.py`)."""
    return str(value) if is_sealed(value) else shape(value)


def _declares(state: Attributes, name: str) -> bool:
    return name in state or (name == "tags" and "tags_all" in state)


def _state_value(state: Attributes, name: str) -> object:
    if name == "tags" and state.get("tags_all") is not None:
        return state["tags_all"]
    return state.get(name)


def _is_same(before: Canonical, after: Canonical) -> bool:
    """Say whether two canonical values are one; to Python `True` equals `1`, to a document it does not."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        return before.keys() == after.keys() and all(_is_same(item, after[name]) for name, item in before.items())
    if isinstance(before, list | tuple) and isinstance(after, list | tuple):
        is_one_kind = isinstance(before, list) == isinstance(after, list) and len(before) == len(after)
        return is_one_kind and all(map(_is_same, before, after))
    return isinstance(before, bool) == isinstance(after, bool) and before == after


def _walk(path: str, before: Canonical, after: Canonical) -> Iterator[Change]:
    if _is_same(before, after):
        return
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        names = sorted(before.keys() | after.keys())
        found = [change for name in names for change in _walk(f"{path}.{name}", before.get(name), after.get(name))]
        # A member that is null in a document and one that is not there differ, and no path below tells it.
        yield from found or [Change(path, dict(before), dict(after))]
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for position, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from _walk(f"{path}[{position}]", old, new)
    elif path == "tags" and (isinstance(before, Mapping) or isinstance(after, Mapping)):
        old_tags, new_tags = (side if isinstance(side, Mapping) else {} for side in (before, after))
        yield from _walk(path, dict(old_tags), dict(new_tags))
    else:
        yield Change(path, before, after)
