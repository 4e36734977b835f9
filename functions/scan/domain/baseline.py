"""The second detector: the live document of a resource against the one remembered when the state last changed it.

Decides for one resource at a time what is remembered and what changed. It sees what no mapping covers, and says nothing of what
the first detector (state against live attributes) sees or reports. Must not read or store.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeAlias

from .difference import Change
from .documents import Plain, canonical_document, is_ordered
from .sealing import Sealer, comparable, is_sealed
from .volatile import joined

Decision: TypeAlias = Literal["keep", "take", "wait"]

_MOST_CHANGES = 50
_IDENTITIES = ("Id", "id", "Arn", "arn", "Key", "key", "Name", "name", "Sid")
_LEAST_INNER = 10
_LEAST_NAME = 4  # of shorter names a common beginning says nothing


@dataclass(frozen=True, slots=True)
class Remembered:
    """A baseline: what was live when the state last changed a resource.

    Attributes:
        document: canonical, see `documents.canonical_document`.
        source: who told it, with the version that decides which members it can tell of (`botocore 1.40`, `cloud-control`).
        declared: the fingerprints of what the states said then, one per declaring instance.
        covered: members that the first detector compared then: what a reader reads depends on what there is.
    """

    document: Mapping[str, Plain]
    source: str
    declared: Sequence[object]
    covered: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Observed:
    """A declared resource as a scan saw it.

    Attributes:
        type: Terraform type.
        document, source: as in `Remembered`.
        declared: what the states say now.
        covered: members that the first detector compares, as dotted paths without indices.
        read_at: when it was read.
        declared_at: when what the states say came in; None when that is not known.
        sensitive: attribute names that the states mark.
    """

    type: str
    document: Mapping[str, Plain]
    source: str
    declared: Sequence[object]
    covered: frozenset[str]
    read_at: datetime
    declared_at: datetime | None
    sensitive: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What comes of one resource.

    Attributes:
        decision: `take` remembers the document from now on, `keep` leaves what is remembered, `wait` says nothing yet.
        changes: what changed, in the cloud's spelling.
    """

    decision: Decision
    changes: tuple[Change, ...] = ()


def judge(observed: Observed, remembered: Remembered | None, reported: Iterable[Change] = ()) -> Judgement:
    """Decide about one resource.

    A document that is older than what the state says is no measure: the apply that wrote the state may have come in between.

    Args:
        observed: what a scan saw.
        remembered: its baseline; None the first time.
        reported: what the first detector reports of the same resource.
    """
    is_older = observed.declared_at is not None and observed.read_at < observed.declared_at
    if remembered is None or not _says_the_same(remembered.declared, observed.declared):
        return Judgement("wait" if is_older else "take")
    has_grown = remembered.source != observed.source
    before, after = remembered.document, observed.document
    if has_grown:  # what was kept by older rules is brought under today's, on both sides alike
        before, after = (canonical_document(observed.type, side) for side in (before, after))
    covered = observed.covered | remembered.covered
    found = document_changes(uncovered(before, covered), uncovered(after, covered))
    told = list(reported)
    kept = tuple(
        change
        for change in found
        if not _is_item_of_others(change.path, covered)
        and not (has_grown and change.before is None)  # a newer client tells more; nobody changed anything
        and not any(_is_same(change, other) for other in told)
    )
    if kept:
        return Judgement("keep", kept)
    return Judgement("take" if not found or has_grown else "keep")


def document_changes(before: Mapping[str, Plain], after: Mapping[str, Plain]) -> list[Change]:
    """List what differs between two canonical documents; too many changes are told by their top-level members."""
    found = list(_walk("", "", dict(before), dict(after)))
    if len(found) <= _MOST_CHANGES:
        return found
    names = sorted({_top(change.path) for change in found})
    return [Change(name, before.get(name), after.get(name)) for name in names]


def uncovered(document: Mapping[str, Plain], covered: frozenset[str]) -> dict[str, Plain]:
    """Return a document without what the first detector compares; items that only consist of that are left out too."""
    found = _uncovered(dict(document), "", covered)
    return found if isinstance(found, dict) else {}


def _uncovered(value: Plain, path: str, covered: frozenset[str]) -> Plain:
    if isinstance(value, dict) and not is_sealed(value):
        kept: dict[str, Plain] = {}
        for name, inner in value.items():
            place = f"{path}.{name}" if path else name
            rest = None if place in covered else _uncovered(inner, place, covered)
            if rest not in (None, {}, []):
                kept[name] = rest
        return kept
    if isinstance(value, list):
        rests = [(_uncovered(item, path, covered), item) for item in value]
        return [_with_identity(rest, item) for rest, item in rests if rest not in (None, {}, [])]
    return value


def _with_identity(rest: Plain, item: Plain) -> Plain:
    """Give an item back what tells it apart from the others, so that it is still matched by it."""
    if not isinstance(rest, dict) or not isinstance(item, dict):
        return rest
    return {
        name: value for name, value in item.items() if _may_identify(name) and not isinstance(value, dict | list)
    } | rest


def _may_identify(name: str) -> bool:
    return name in _IDENTITIES or name.endswith(("Id", "Arn", "Name", "Identifier"))


def sealed_again(kind: str, document: Mapping[str, Plain], sensitive: Iterable[str], seal: Sealer) -> dict[str, Plain]:
    """Hide of a stored document what a state has come to mark since."""
    names = frozenset(sensitive)
    return canonical_document(kind, document, hidden=names, seal=seal) if names else dict(document)


def _says_the_same(before: Sequence[object], after: Sequence[object]) -> bool:
    """Compare fingerprints; without a version of the key in common nothing is known, and they count as different."""
    if len(before) != len(after):
        return False
    for old, new in zip(before, after, strict=True):
        if not is_sealed(old) and not is_sealed(new):  # taken in before there were fingerprints
            continue
        pair = comparable(old, new)
        if pair is None or pair[0] != pair[1]:
            return False
    return True


def _walk(path: str, name: str, before: Plain, after: Plain) -> Iterator[Change]:
    if before == after:
        return
    if is_sealed(before) and is_sealed(after):
        pair = comparable(before, after)
        if pair is not None and pair[0] != pair[1]:
            yield Change(path, before, after)
    elif (is_sealed(before) and after is not None) or (is_sealed(after) and before is not None):
        return  # hidden on one side only, as somebody marked it since: nothing can be said
    elif isinstance(before, dict) and isinstance(after, dict):
        for member in sorted(before.keys() | after.keys()):
            yield from _walk(f"{path}.{member}" if path else member, member, before.get(member), after.get(member))
    elif isinstance(before, list) and isinstance(after, list) and not is_ordered(name):
        yield from _walk_list(path, before, after)
    elif not _is_default(before, after):
        yield Change(path, before, after)


def _walk_list(path: str, before: list[Plain], after: list[Plain]) -> Iterator[Change]:
    identity = _identity([*before, *after], before, after)
    if identity is None:
        yield Change(path, before, after)
        return
    old, new = ({str(item[identity]): item for item in side} for side in (before, after))
    for key in sorted(old.keys() | new.keys()):
        yield from _walk(f"{path}[{key}]", "", old.get(key), new.get(key))


def _identity(items: Sequence[Plain], *sides: Sequence[Plain]) -> str | None:
    """Find the member that tells the items of a list apart: every item has it, and no two of one side share a value."""
    if not items or not all(isinstance(item, dict) and not is_sealed(item) for item in items):
        return None
    names: Iterable[str] = set.intersection(*(set(item) for item in items))
    ranked = [name for name in _IDENTITIES if name in names]
    ranked += sorted(
        name for name in names if name.endswith(("Id", "Arn", "Name", "Identifier")) and name not in ranked
    )
    for name in ranked:
        values = [[item[name] for item in side] for side in sides]
        if all(isinstance(value, str | int) for side in values for value in side) and all(
            len(set(side)) == len(side) for side in values
        ):
            return name
    return None


def _is_default(before: Plain, after: Plain) -> bool:
    """Say whether one side only spells out that a switch is off, which APIs also say by leaving it out."""
    return _off(before) is None and _off(after) is None


def _off(value: Plain) -> Plain:
    return (
        None if value in (False, "", {}, []) and not (isinstance(value, int) and not isinstance(value, bool)) else value
    )


def _is_item_of_others(path: str, covered: frozenset[str]) -> bool:
    """Say whether a change is that an item came or went in a list of which the first detector compares the items."""
    place = f"{without_indices(path)}."
    return any(name.startswith(place) for name in covered)


def without_indices(path: str) -> str:
    """Return a path without what stands in its brackets."""
    kept, depth = [], 0
    for character in path:
        depth += character == "["
        if depth == 0:
            kept.append(character)
        depth -= character == "]"
    return "".join(kept)


def _top(path: str) -> str:
    return path.split(".", 1)[0].split("[", 1)[0]


def _is_same(change: Change, reported: Change) -> bool:
    """Say whether the first detector reports the same under Terraform's name."""
    cloud = [joined(step) for step in without_indices(change.path).split(".")]
    terraform = [joined(step) for step in without_indices(reported.path).split(".") if not step.isdigit()]
    if any(_begins_alike(one, other) for one in cloud for other in terraform):
        return True
    return (_text(change.before), _text(change.after)) == (_text(reported.before), _text(reported.after))


def _begins_alike(one: str, other: str) -> bool:
    shorter, longer = sorted((one.rstrip("s"), other.rstrip("s")), key=len)
    if shorter == longer:
        return True
    is_within = len(shorter) >= _LEAST_INNER and shorter in longer
    return is_within or (len(shorter) >= _LEAST_NAME and longer.startswith(shorter))


def _text(value: object) -> str:
    return "" if value is None else str(value).lower()
