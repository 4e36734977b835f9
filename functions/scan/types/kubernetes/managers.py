"""Who owns which field of an object, as its operator reported it, and where a compared path stands in the API's words.

An operator sends of `managedFields` the managers, when each of them last changed a field of its own, and the paths; no values, and
elements of lists are not told apart. Whoever changes a field owns it from then on. Must not do I/O.
Source: https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeAlias

from .manifests import MANIFEST
from .mapping import Field, Mapped

Members: TypeAlias = tuple[str, ...]

_FIELDS: Final = "managedFields"
_INDEX = re.compile(r"\[\d*\]")
_NEXT = re.compile(r"\.?([^.\[\]]+)(.*)")
_NAMED = ("labels", "annotations")  # names in these have dots


@dataclass(frozen=True, slots=True)
class Manager:
    """One manager of fields.

    Attributes:
        name: e.g. `kubectl-edit`, `helm`, `Terraform`.
        operation: `Apply` or `Update`.
        subresource: through which part of the object it was changed, e.g. `scale`; empty for the object itself.
        time: when it last changed a field of its own.
        paths: of its fields.
        is_cut: it has more fields than were told.
    """

    name: str
    operation: str
    subresource: str
    time: datetime
    paths: tuple[Members, ...]
    is_cut: bool = False


def unowned(item: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return an object without who owns its fields, which is no part of what it says."""
    metadata = item.get("metadata")
    if not isinstance(metadata, Mapping) or _FIELDS not in metadata:
        return item
    return {**item, "metadata": {name: value for name, value in metadata.items() if name != _FIELDS}}


def managers_of(item: Mapping[str, Any]) -> list[Manager]:
    """Return the managers of an object's fields; what does not say when it was is left out."""
    metadata = item.get("metadata")
    told = metadata.get(_FIELDS) if isinstance(metadata, Mapping) else None
    return [found for one in told or () if (found := _manager(one)) is not None] if isinstance(told, list) else []


def owners(path: Members, managers: Sequence[Manager]) -> Iterator[tuple[Manager, bool]]:
    """Yield the managers of what stands at a path, each with whether the path is theirs or only something inside of it."""
    for manager in managers:
        if any(path[: len(owned)] == owned for owned in manager.paths):
            yield manager, True
        elif any(owned[: len(path)] == path for owned in manager.paths):
            yield manager, False


def members_of(mapped: Mapped | None, path: str) -> Members:
    """Return a path in the API's words, without indices: of a compared attribute, of a manifest, or as the API has it already.

    Args:
        mapped: the rules of the object's type; None where there are none.
        path: e.g. `spec.template.spec.container[0].image`, `manifest.metadata.labels.app`.
    """
    for item in mapped.fields if mapped is not None else ():
        if path == item.name or path.startswith((f"{item.name}.", f"{item.name}[")):
            found = _walked(item, path[len(item.name) :])
            if found is not None:
                return found
    return _plain(path.removeprefix(f"{MANIFEST}."))


def _walked(item: Field, rest: str) -> Members | None:
    """Follow a path through the fields of a type; None where it does not lead."""
    rest = _INDEX.sub("", rest, count=1) if rest.startswith("[") else rest
    if not rest:
        return item.path
    if not item.members:
        return (*item.path, rest.removeprefix("."))  # a name in a map, which may have dots
    step = _NEXT.fullmatch(rest)
    inner = next((one for one in item.members if step is not None and one.name == step[1]), None)
    below = None if inner is None or step is None else _walked(inner, step[2])
    return None if below is None else (*item.path, *below)


def _plain(path: str) -> Members:
    steps = _INDEX.sub("", path).split(".")
    for position, step in enumerate(steps[:-1]):
        if step in _NAMED:
            return (*steps[: position + 1], ".".join(steps[position + 1 :]))
    return tuple(steps)


def _manager(item: Any) -> Manager | None:
    if not isinstance(item, Mapping) or not isinstance(item.get("paths"), list):
        return None
    try:
        time = datetime.fromisoformat(str(item.get("time")))
    except ValueError:
        return None
    if time.tzinfo is None or not item.get("manager"):
        return None
    words = {name: str(item.get(name) or "") for name in ("manager", "operation", "subresource")}
    paths = tuple(_members(pointer) for pointer in item["paths"] if isinstance(pointer, str) and pointer)
    return Manager(words["manager"], words["operation"], words["subresource"], time, paths, bool(item.get("cut")))


def _members(pointer: str) -> Members:
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in pointer.removeprefix("/").split("/"))
