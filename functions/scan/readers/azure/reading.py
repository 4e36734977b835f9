"""Reads one subscription: who may see what, then containers, resources and roles by Resource Graph, then what it does not hold.

A table that fails makes its types "not checked"; what was yielded before stays valid as existence.
Source: Azure Resource Graph documentation, "Supported tables and resource types"; Azure REST API of each direct list.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, TypeAlias

from ...domain.resources import LiveResource, NotChecked, Parent, Unread
from ...domain.traced import Traced
from ...types.azure import ANYTHING, BY_ARM, DECLARABLE, TYPES, type_of
from ...types.azure.compute import disk_parent, machine_type
from ...types.azure.ids import key_of
from ...types.azure.made_by_azure import is_instance, is_made_by_azure, managed_group
from ...types.azure.mapping import AzureType, Row
from .asked import (
    CONTAINER_QUERY,
    DIRECT,
    INSTANCE_QUERY,
    MACHINE_QUERY,
    PARENT_QUERY,
    RESOURCE_QUERY,
    ROLE_QUERY,
    SCALER_QUERY,
    DirectList,
)
from .client import Arm, CallFailed
from .graph import Place, pages_of, rows_of
from .parts import PART_TYPES, parts_of, region_of
from .rights import SCALERS, Rights, read_rights, reads, unreadable
from .settings import with_settings

SOURCE: Final = "Azure Resource Graph 2022-10-01"
MOST_PARENTS: Final = 2000
_WIDTH: Final = 8


@dataclass(frozen=True, slots=True)
class Unmapped:
    """A resource that exists and that no mapping covers.

    Attributes:
        arm_type: e.g. `microsoft.maps/accounts`.
        key: its id in lower case.
        region: location, or `global`.
        cloud_id: its id as Azure writes it.
        cloud_made: Azure made it by itself.
        tags: its tags.
        document: what Azure says about it.
    """

    arm_type: str
    key: str
    region: str
    cloud_id: str
    cloud_made: bool
    tags: Mapping[str, str] = field(default_factory=dict)
    document: Row | None = field(default=None, compare=False, repr=False)


Finding: TypeAlias = LiveResource | Unread | NotChecked | Unmapped


_BY_TYPE: Mapping[str, AzureType] = {item.type: item for item in TYPES}
_LOCK = "azurerm_management_lock"
_CONTAINERS = frozenset({"azurerm_resource_group"})
_ROLES = frozenset({"azurerm_role_assignment", "azurerm_role_definition"})
_LISTED = frozenset({_LOCK, *(name for item in DIRECT for name in item.types)})
_RESOURCES = frozenset(DECLARABLE) - _CONTAINERS - _ROLES - _LISTED
_BROKEN = (KeyError, TypeError, ValueError, AttributeError)


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a reading came: everything before it was yielded.

    Attributes:
        steps: how many were gone through to their end.
        place: where the next one, a table, goes on; None for its beginning.
    """

    steps: int
    place: Place | None = None

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Mark:
        """Read a mark from what was kept of it (`dataclasses.asdict`, through JSON)."""
        said: dict[str, Any] | None = document.get("place")
        return cls(document["steps"], None if said is None else Place.of(said))


Step: TypeAlias = Callable[[Place | None], Iterator[Finding | Place]]


def read_subscription(arm: Arm, subscription: str) -> Iterator[Finding]:
    """Yield everything of one subscription, and what could not be read.

    Args:
        arm: signed in.
        subscription: its id, 36 characters, lower case.
    """
    return (item for item in read_on(arm, subscription) if not isinstance(item, Mark))


def read_on(arm: Arm, subscription: str, mark: Mark | None = None) -> Iterator[Finding | Mark]:
    """Yield the same, with a mark after each page of a table, and after each step, from which another reading can go on.

    Args:
        arm: signed in.
        subscription: its id.
        mark: where an earlier reading ended; None for a new one.
    """
    begin = mark or Mark(0)
    reader = _Reader(arm, subscription)
    try:
        rights = read_rights(arm, subscription)
        reader.learn_scaling(rights)
        if mark is None:
            yield from _missing_rights(rights)
        # Without the groups nobody knows what Azure manages: everything would look unmanaged.
        yield from (item for item in reader.containers() if mark is None)
        if mark is not None:
            reader.learn(is_within_resources=not mark.steps)
    except CallFailed as failure:
        yield _not_checked(DECLARABLE, failure)
        return
    steps = _steps(reader)
    for number, step in enumerate(steps[begin.steps :], start=begin.steps):
        for item in step(begin.place if number == begin.steps else None):
            yield Mark(number, item) if isinstance(item, Place) else item
        if number + 1 < len(steps):
            yield Mark(number + 1)


def _steps(reader: _Reader) -> tuple[Step, ...]:
    # What the lists hang on is not all known when the resources are not.
    resources = partial(reader.table, RESOURCE_QUERY, (_RESOURCES, _LISTED - {_LOCK}))
    roles = partial(reader.table, ROLE_QUERY, (_ROLES,))
    lists: tuple[Callable[[], Iterator[Finding]], ...] = (
        reader.locks,
        *(partial(reader.direct, item) for item in DIRECT),
    )
    return (resources, roles, *(partial(_without_place, one) for one in lists))


def _without_place(step: Callable[[], Iterator[Finding]], _begin: Place | None) -> Iterator[Finding]:
    return step()


class _Reader:
    """One reading: remembers which groups and machines Azure manages, and what the direct lists hang on."""

    def __init__(self, arm: Arm, subscription: str) -> None:
        self._arm = arm
        self._subscription = subscription
        self._managed: set[str] = set()
        self._types: dict[str, str] = {}
        self._scaled: set[str] | None = None
        self._parents: dict[str, dict[str, Row]] = {item.parent: {} for item in DIRECT}

    def containers(self) -> Iterator[Finding]:
        for row in rows_of(self._arm, self._subscription, CONTAINER_QUERY):
            yield from self._of_row(row)

    def table(self, query: str, types: Iterable[Iterable[str]], begin: Place | None) -> Iterator[Finding | Place]:
        """Read a table from a place on; of the types nothing is known when that fails."""
        try:
            for page in pages_of(self._arm, self._subscription, query, begin):
                yield from self._of_page(page.rows)
                if page.following:
                    yield page.following
        except CallFailed as failure:
            yield from (_not_checked(some, failure) for some in types)

    def _of_page(self, rows: Sequence[Row]) -> Iterator[Finding]:
        for row, failure in with_settings(self._arm, rows):
            if failure is None:
                yield from self._of_row(row)
            else:
                self._note_parent(row, made=is_made_by_azure(row, self._subscription, self._managed))
                yield from _without_settings(row, failure)

    def learn_scaling(self, rights: Rights) -> None:
        """Find what scale sets made, and what autoscalers move; where those may not be seen, anything may be moved by one.

        Raises:
            CallFailed: Resource Graph does not tell.
        """
        for row in rows_of(self._arm, self._subscription, INSTANCE_QUERY):
            if is_instance(row["id"], row.get("scaleSet")):
                self._managed.add(key_of(row["id"]) or "")
        if rights.may(SCALERS):
            rows = rows_of(self._arm, self._subscription, SCALER_QUERY)
            self._scaled = {key_of(row.get("target")) or "" for row in rows if str(row.get("isOn")).lower() != "false"}

    def learn(self, *, is_within_resources: bool) -> None:
        """Find what an earlier reading noted of the resources that it went through.

        Args:
            is_within_resources: it did not go through all of them.

        Raises:
            CallFailed: Resource Graph does not tell.
        """
        for row in rows_of(self._arm, self._subscription, PARENT_QUERY):
            self._note_parent(row, made=is_made_by_azure(row, self._subscription, self._managed))
        if is_within_resources:
            for row in rows_of(self._arm, self._subscription, MACHINE_QUERY):
                self._types[key_of(row["id"]) or ""] = machine_type(row.get("osType"))

    def locks(self) -> Iterator[Finding]:
        path = f"/subscriptions/{self._subscription}/providers/Microsoft.Authorization/locks?api-version=2020-05-01"
        permission = "Microsoft.Authorization/locks/read"
        try:
            for item in self._arm.listed(path, permission):
                yield from self._of_row({**item, "type": "microsoft.authorization/locks"})
        except CallFailed as failure:
            yield _not_checked((_LOCK,), failure)

    def direct(self, item: DirectList) -> Iterator[Finding]:
        """Read one kind of list under everything that it hangs on, some at a time."""
        parents = [
            row for row in self._parents[item.parent].values() if str(row.get("kind")).lower() not in item.skipped_kinds
        ]
        if len(parents) > MOST_PARENTS:
            detail = f"more than {MOST_PARENTS} of {item.parent}"
            yield NotChecked(item.types, "global", "unavailable", None, detail)
            parents = parents[:MOST_PARENTS]
        failed: CallFailed | None = None
        with ThreadPoolExecutor(max_workers=_WIDTH) as pool:
            for parent, found in zip(parents, pool.map(lambda row: self._list(item, row), parents), strict=True):
                if isinstance(found, CallFailed):
                    failed = failed or found
                    continue
                for child in found:
                    named = {
                        **child,
                        "type": _BY_TYPE[item.types[0]].arm if len(item.types) == 1 else child.get("type"),
                        "location": parent.get("location"),
                        "sku": parent.get("sku"),  # what some numbers of the child are counted in
                    }
                    yield from self._of_row(named)
        if failed is not None:
            yield _not_checked(item.types, failed)

    def _list(self, item: DirectList, parent: Row) -> list[Row] | CallFailed:
        path = f"{parent['id']}{item.segment}?api-version={item.version}"
        try:
            return list(self._arm.listed(path, item.action or reads(_BY_TYPE[item.types[0]].arm)))
        except CallFailed as failure:
            return failure

    def _of_row(self, told: Row) -> Iterator[Finding]:
        row = Traced(told, SOURCE)
        key = key_of(row.get("id"))
        if key is None:
            raise CallFailed("malformed", "Azure gave an element without an id")
        group = managed_group(row) if "/providers/" not in key else None
        if group:
            self._managed.add(group)
        made = is_made_by_azure(row, self._subscription, self._managed)
        arm_type = str(row.get("type") or "").lower()
        self._note_parent(row, made=made)
        mapped = type_of(row)
        if mapped is None:
            if arm_type not in BY_ARM:
                yield Unmapped(arm_type, key, region_of(row), str(row["id"]), made, _tags(row), row)
            return
        try:
            yield from self._mapped(mapped, mapped.live_key(row["id"]) or key, row, made=made)
        except _BROKEN as error:
            detail = f"unexpected form ({type(error).__name__})"
            yield Unread(mapped.type, mapped.live_key(row["id"]) or key, reason="malformed", detail=detail)
            if arm_type in PART_TYPES:
                yield NotChecked(PART_TYPES[arm_type], "global", "malformed", None, detail)

    def _note_parent(self, row: Row, *, made: bool) -> None:
        held = self._parents.get(str(row.get("type") or "").lower())
        if not made and held is not None and len(held) <= MOST_PARENTS:
            held[key_of(row["id"]) or ""] = {name: row.get(name) for name in ("id", "kind", "location", "sku")}

    def _mapped(self, mapped: AzureType, key: str, row: Row, *, made: bool) -> Iterator[LiveResource]:
        found = LiveResource(
            mapped.type,
            key,
            region_of(row),
            self._attributes(mapped, key, row),
            str(row["id"]),
            made,
            self._parent_of(mapped, key, row),
            tuple((name, key) for name in (*mapped.aliases, ANYTHING)),
            _tags(row),
            row,
        )
        parts = list(parts_of(row, cloud_made=made))  # all or none: a half-read parent is unread
        if len(BY_ARM[mapped.arm]) > 1:
            self._types[key] = mapped.type
        yield found
        yield from parts

    def _attributes(self, mapped: AzureType, key: str, row: Row) -> dict[str, object]:
        is_scaled = self._scaled is None or key in self._scaled
        return {name: value for name, value in mapped.read(row).items() if not (is_scaled and name in mapped.scaled)}

    def _parent_of(self, mapped: AzureType, key: str, row: Row) -> Parent | None:
        """Return what a resource lies in: below something that nobody declared, it is reported with that."""
        if mapped.arm == "microsoft.compute/disks":
            return disk_parent(row)
        above, head, collection = mapped.arm, key, ""
        while above.count("/") > 1 and head.count("/") > 2:
            above, _, collection = above.rpartition("/")
            head = head.rsplit("/", 2)[0]
            if above in BY_ARM:
                return Parent(self._types.get(head, BY_ARM[above][0].type), head, collection)
        return None


def _without_settings(row: Row, failure: CallFailed) -> Iterator[Finding]:
    """Say that nothing is known of a resource: what is open of its settings must not count as fixed."""
    mapped, key = type_of(row), key_of(row.get("id"))
    if mapped is not None and key is not None:
        yield Unread(mapped.type, key, reason=failure.reason, detail=f"its settings: {failure.detail}")
        arm_type = str(row.get("type")).lower()
        if arm_type in PART_TYPES:
            yield _not_checked(PART_TYPES[arm_type], failure)
        if failure.reason == "access_denied":
            yield _not_checked((mapped.type, *mapped.aliases), failure)


def _missing_rights(rights: Rights) -> Iterator[NotChecked]:
    for action, arm_types in unreadable(rights, BY_ARM).items():
        types = {name for arm_type in arm_types for name in _read_with(arm_type)}
        yield NotChecked(
            tuple(sorted(types)), "global", "access_denied", action, "no role of ours allows it on the subscription"
        )


def _read_with(arm_type: str) -> Iterator[str]:
    """Yield the Terraform types of which nothing is known when an ARM type cannot be read."""
    for item in BY_ARM[arm_type]:
        yield from (item.type, *item.aliases)
    yield ANYTHING
    yield from PART_TYPES.get(arm_type, ())
    yield from (name for item in DIRECT if item.parent == arm_type for name in item.types)


def _not_checked(types: Iterable[str], failure: CallFailed) -> NotChecked:
    return NotChecked(tuple(sorted(types)), "global", failure.reason, failure.permission, failure.detail)


def _tags(row: Row) -> dict[str, str]:
    found = row.get("tags")
    return {str(name): str(value) for name, value in found.items()} if isinstance(found, Mapping) else {}
