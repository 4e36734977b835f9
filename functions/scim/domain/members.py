"""A PATCH of a group's members as a difference, so that ten thousand of them need not be read to add one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from .errors import InvalidValue
from .filter_tree import Comparison, Filter, Or
from .operations import ExtensionRemoval, Operation, Step, steps_of
from .schemas import GROUP
from .values import MOST_MEMBERS, read_value


@dataclass(frozen=True, slots=True)
class MembersDelta:
    """What happens to the members of a group.

    Attributes:
        replaces_all: whoever is a member now and not in `add`, is none afterwards.
        add: ids, each once, in the order they came in.
        remove: ids that are no members afterwards; none of them is in `add`.
        others: what the operations do to other attributes, for `apply_patch` on the group without its members.
    """

    replaces_all: bool
    add: tuple[str, ...]
    remove: frozenset[str]
    others: tuple[Operation, ...]


@dataclass
class _State:
    replaces_all: bool = False
    add: dict[str, None] = field(default_factory=dict)
    remove: set[str] = field(default_factory=set)

    def put(self, ids: Sequence[str]) -> None:
        self.add.update(dict.fromkeys(ids))
        self.remove.difference_update(ids)
        if len(self.add) > MOST_MEMBERS:
            raise InvalidValue(f"members has more than {MOST_MEMBERS} values")

    def take(self, ids: Sequence[str]) -> None:
        for one in ids:
            self.add.pop(one, None)
        if not self.replaces_all:
            self.remove.update(ids)

    def clear(self) -> None:
        self.replaces_all = True
        self.add.clear()
        self.remove.clear()


def members_delta(operations: Sequence[Operation]) -> MembersDelta | None:
    """Express a PATCH of a group as a difference of its members.

    Returns:
        None where it cannot be: a path selects members by more than their ids, or changes parts of one. `apply_patch` can.

    Raises:
        InvalidPath, InvalidFilter, InvalidValue, NoTarget: as `apply_patch`.
    """
    state, others = _State(), list[Operation]()
    for step in steps_of(operations, GROUP):
        if isinstance(step, ExtensionRemoval):
            continue  # a group has none
        if step.place.target.attribute.name != "members":
            # what only stood in a value is passed over where it is read-only, also when it gets a path here
            if step.named or step.place.target.attribute.mutability != "readOnly" or step.place.target.path == "id":
                others.append(Operation(step.op, step.place.target.path, step.value))
        elif not _take_step(state, step):
            return None
    return MembersDelta(state.replaces_all, tuple(state.add), frozenset(state.remove), tuple(others))


def _take_step(state: _State, step: Step) -> bool:
    """Add a step to the state; False when it is not one of ids alone."""
    place = step.place
    if place.target.sub is not None:
        return False
    if place.selected is not None:
        ids = _selected_ids(place.selected)
        if step.op != "remove" or ids is None:
            return False
        state.take(ids)
        return True
    if step.op == "remove" and step.value is None:
        state.clear()
        return True
    ids = _ids(step)
    if step.op == "remove":
        state.take(ids)
        return True
    if step.op == "replace":
        state.clear()
    state.put(ids)
    return True


def _ids(step: Step) -> list[str]:
    return [element["value"] for element in read_value(step.value, step.place.target) or []]


def _selected_ids(selected: Filter) -> list[str] | None:
    found: list[str] = []
    for part in selected.parts if isinstance(selected, Or) else (selected,):
        if not isinstance(part, Comparison) or part.operator != "eq" or part.target.path != "members.value":
            return None
        found.append(str(part.value))
    return found
