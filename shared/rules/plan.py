"""What rules judge: one change of one resource, and the plan it stands in.

A drift is such a change too, made by somebody else. Must not know how a plan is written to a file.
"""

from __future__ import annotations

import re
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from types import MappingProxyType
from typing import TypeVar, cast

from .values import Document, Path, at, is_mark, raw

MOST_DEPENDENTS = 100  # counted and named up to here; more says "or more"
_MOST_WALKED = 1_000  # addresses of the configuration; data sources and the like have no change of their own
_Made = TypeVar("_Made")
_INDEX = re.compile(r"\[(?:[^\]\"]|\"(?:[^\"\\]|\\.)*\")*\]")
_NOTHING: Mapping[str, frozenset[str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Change:
    """What happens to one resource instance.

    Attributes:
        address: with module and index key, e.g. `module.net["a"].aws_subnet.private[0]`.
        type: Terraform type.
        actions: as Terraform writes them; `("create", "delete")` makes the new one first.
        before: attributes now; None when there is nothing yet.
        after: attributes wanted, `UNKNOWN` where they are known only after the apply; None when it goes.
        name: name in the configuration.
        mode: `managed` or `data`.
        provider: full provider name, empty when it is not known.
        module: module address, empty for the root.
        replace_paths: attributes that force the replacement.
        reason: Terraform's `action_reason`.
        previous_address: where it stood before it was moved.
        is_import: it exists and is taken into the state.
        deposed: key of a left-over object that an earlier replacement did not delete.
        deferred: why its change is put off to a later plan.
    """

    address: str
    type: str
    actions: tuple[str, ...]
    before: Document | None
    after: Document | None
    name: str = ""
    mode: str = "managed"
    provider: str = ""
    module: str = ""
    replace_paths: tuple[Path, ...] = ()
    reason: str | None = None
    previous_address: str | None = None
    is_import: bool = False
    deposed: str | None = None
    deferred: str | None = None

    @property
    def is_create(self) -> bool:
        """Something new is made, nothing goes."""
        return self.actions == ("create",)

    @property
    def is_update(self) -> bool:
        """It is changed in place."""
        return self.actions == ("update",)

    @property
    def is_delete(self) -> bool:
        """It goes and nothing takes its place."""
        return self.actions == ("delete",)

    @property
    def is_replace(self) -> bool:
        """It goes and a new one takes its place."""
        return "create" in self.actions and ("delete" in self.actions or "forget" in self.actions)

    @property
    def destroys(self) -> bool:
        """What runs now is gone afterwards."""
        return "delete" in self.actions

    @property
    def is_noop(self) -> bool:
        """Nothing happens to it."""
        return self.actions in {("no-op",), ("read",), ()}

    @property
    def key(self) -> tuple[str, str]:
        """Identity within a plan: deposed objects share an address."""
        return self.address, self.deposed or ""


@dataclass(frozen=True)
class Plan:
    """A plan, or the part of the world that one drift shows.

    Attributes:
        changes: in the plan's order, each (address, deposed) once.
        drift: what changed outside of Terraform since the last apply: `before` is the state, `after` what runs.
        references: configuration address -> attribute -> configuration addresses it refers to, through modules; attributes of
            blocks also stand as `block.attribute`, and `*` holds `depends_on`. None when the plan carries no configuration.
        checks: (address, status) of conditions and checks that did not pass.
        outputs: (name, actions) of output values that change.
        own: accounts and domains that are known to be the planner's own: of what stands already, and of who plans.
        relevant: (address, path) of outside changes that may have led to this plan.
        terraform_version: as the plan says.
        format_version: as the plan says.
        notes: what a reader must know about how the plan was read.
    """

    changes: tuple[Change, ...]
    drift: tuple[Change, ...] = ()
    references: Mapping[str, Mapping[str, frozenset[str]]] | None = None
    checks: tuple[tuple[str, str], ...] = ()
    outputs: tuple[tuple[str, tuple[str, ...]], ...] = ()
    relevant: tuple[tuple[str, str], ...] = ()
    own: frozenset[str] = frozenset()
    terraform_version: str = ""
    format_version: str = ""
    notes: tuple[str, ...] = field(default=())

    @cached_property
    def by_config(self) -> Mapping[str, tuple[Change, ...]]:
        """Every change by the address of its configuration, in an order that the plan's own does not decide."""
        found: dict[str, list[Change]] = defaultdict(list)
        for change in sorted(self.changes, key=lambda item: item.key):
            found[config_address(change.address)].append(change)
        return {name: tuple(changes) for name, changes in found.items()}

    @cached_property
    def _users(self) -> Mapping[str, tuple[str, ...]]:
        found: dict[str, set[str]] = defaultdict(set)
        for user, attributes in (self.references or {}).items():
            for targets in attributes.values():
                for target in targets:
                    found[target].add(user)
        return {name: tuple(sorted(users)) for name, users in found.items()}

    @cached_property
    def _drift_by_address(self) -> Mapping[str, tuple[Change, ...]]:
        found: dict[str, list[Change]] = defaultdict(list)
        for change in self.drift:
            found[change.address].append(change)
        return {name: tuple(changes) for name, changes in found.items()}

    @cached_property
    def _memory(self) -> dict[object, object]:
        return {}

    def once(self, key: tuple[str, ...], make: Callable[[], _Made]) -> _Made:
        """Return what a rule works out about the plan, worked out once.

        Args:
            key: the rule's own name for it, with the address it is about.
            make: works it out.
        """
        if key not in self._memory:
            self._memory[key] = make()
        return cast("_Made", self._memory[key])

    def of_type(self, *types: str) -> tuple[Change, ...]:
        """Return the changes of some types, by address within each."""
        return tuple(found for kind in types for found in self._by_type.get(kind, ()))

    @cached_property
    def _by_type(self) -> Mapping[str, list[Change]]:
        found: dict[str, list[Change]] = defaultdict(list)
        for change in sorted(self.changes, key=lambda item: item.key):
            found[change.type].append(change)
        return found

    def drift_of(self, address: str) -> tuple[Change, ...]:
        """Return what changed outside of Terraform on one resource."""
        return self._drift_by_address.get(address, ())

    def configured(self, change: Change, attribute: str) -> bool:
        """Say whether the configuration sets an attribute; yes when that cannot be told."""
        if self.references is None:
            return True
        attributes = self.references.get(config_address(change.address))
        return attributes is None or attribute in attributes

    def configured_at(self, change: Change, path: Path) -> bool:
        """Say whether the configuration sets what stands at a concrete path; yes when that cannot be told.

        A block that is not spelled out there is dynamic, or written as an attribute: then what is inside it is set. That
        nothing at all is said about an attribute that is unknown as a whole means that the provider computes it.
        """
        names = [step for step in path if isinstance(step, str)]
        if len(names) < 2:
            return self.configured(change, names[0]) if names else True
        attributes = (self.references or {}).get(config_address(change.address))
        if attributes is None or f"{names[0]}.{names[1]}" in attributes:
            return True
        return not any(name.startswith(f"{names[0]}.") for name in attributes)

    def referred(self, change: Change, *attributes: str) -> tuple[Change, ...]:
        """Return the changes that some attributes of a resource refer to, in a stable order."""
        known = (self.references or {}).get(config_address(change.address), _NOTHING)
        targets = {target for name in attributes for target in known.get(name, frozenset())}
        return tuple(found for target in sorted(targets) for found in self.by_config.get(target, ()))

    def users(self, change: Change, *types: str) -> tuple[Change, ...]:
        """Return the changes of some types whose configuration refers to a resource directly."""
        names = self._users.get(config_address(change.address), ())
        return tuple(found for name in names for found in self.by_config.get(name, ()) if found.type in types)

    def dependents(self, change: Change) -> tuple[str, ...]:
        """Return the addresses of what depends on a resource by the configuration's references, direct ones first.

        The walk ends at `MOST_DEPENDENTS`: a plan in which everything hangs on everything is judged in bounded time.
        """
        start = config_address(change.address)
        seen, waiting = {start}, deque([start])
        found: list[str] = []
        while waiting and len(found) < MOST_DEPENDENTS and len(seen) < _MOST_WALKED:
            for user in self._users.get(waiting.popleft(), ()):
                if user not in seen:
                    seen.add(user)
                    waiting.append(user)
                    found.extend(item.address for item in islice(self.by_config.get(user, ()), MOST_DEPENDENTS))
        return tuple(found[:MOST_DEPENDENTS])


def config_address(address: str) -> str:
    """Return the address without index keys: `module.a["x"].aws_vpc.b[0]` -> `module.a.aws_vpc.b`."""
    return _INDEX.sub("", address)


def unknown_at(change: Change, path: str) -> list[Path]:
    """Return where, under a path, the wanted value is unknown or hidden and not provably the same as before."""
    if change.after is None:
        return []
    top = path.split(".", 1)[0]
    if change.before is not None and raw(change.before, top) == raw(change.after, top):
        return []
    return [where for where, value in at(change.after, path) if is_mark(value)]
