"""Laws of the AWS readers, for every fixture group: the recorded apply shows no drift, and every change shows as exactly itself.

A group is a folder in `tests/fixtures/aws` with a module of the same name in `mutations/`, which holds
`SPECS` (the type tables the group answers for), `MUTATIONS` and `EXCEPTIONS`.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from types import ModuleType
from typing import Any
from uuid import UUID

import pytest
from botocore.exceptions import ClientError

from functions.scan.domain import comparison
from functions.scan.domain.baseline import Observed, Remembered, judge
from functions.scan.domain.baseline_records import document_row
from functions.scan.domain.comparison import Drift, Pair
from functions.scan.domain.difference import Change, changes
from functions.scan.domain.resources import Declared, LiveResource, NotChecked, Unread
from functions.scan.domain.sealing import Sealer
from functions.scan.domain.shapes import constant
from functions.scan.readers.aws.base import Listing
from functions.scan.types.aws import SPECS
from infra.build.customer_rights import read_actions
from shared.ports.secret_store import Secret
from tests.support.aws_account import (
    FIXTURES,
    Expected,
    Mutation,
    Scanned,
    attributes_of,
    called_actions,
    clients,
    declared_in,
    drift_items,
    drifts,
    load_state,
    name_of,
    replayed_account,
    scan,
    services_for,
)
from tests.support.aws_tape import REASONS, Mode, Operation, Take, Tape, sorted_out
from tests.support.made_by_aws import made_by_services
from tests.support.perturbed import others

_SEAL = Sealer([(1, Secret(b"k" * 32))], UUID(int=1))
GROUPS = sorted(path.parent.name for path in FIXTURES.glob("*/requests.jsonl.gz"))


def once_for_each_pair(changes_of: Callable[[Pair], Iterator[Drift]]) -> Callable[[Pair], Iterator[Drift]]:
    """Compare the same two resources under the same rules once: a failed call leaves nearly all of an account untouched."""
    known: dict[tuple[int, int, frozenset[str], frozenset[str]], tuple[Pair, list[Drift]]] = {}

    def remembered(pair: Pair) -> Iterator[Drift]:
        name = (id(pair.declared), id(pair.live), pair.skipped, pair.hidden)
        if name not in known:
            known[name] = (pair, list(changes_of(pair)))  # the pair is kept, so that no other object takes its id
        return iter(known[name][1])

    return remembered


def mutations_of(group: str) -> ModuleType:
    """Import the mutations of a group."""
    return importlib.import_module(f"tests.integration.scan.mutations.{group}")


@dataclass(frozen=True)
class Account:
    """The recorded account of one group, replayed and scanned once for all the laws.

    Attributes:
        group: the fixture group.
        endpoint: URL of the account.
        state: the state document that Terraform left.
        tape: what the readers were answered right after the replay.
        scanned: what they made of it.
        called: the IAM actions behind all calls of that scan.
    """

    group: str
    endpoint: str
    state: dict[str, Any]
    tape: Tape
    scanned: Scanned
    called: frozenset[str]


@pytest.fixture(scope="module", params=GROUPS)
def account(request: pytest.FixtureRequest) -> Iterator[Account]:
    group = str(request.param)
    with replayed_account(group) as endpoint:
        tape = Tape(clients(endpoint))
        called = frozenset(called_actions(endpoint))
        yield Account(group, endpoint, load_state(group, endpoint), tape, tape.scanned(), called)


def test_recorded_account_shows_no_drift_and_takes_no_right_that_customers_do_not_grant(account: Account) -> None:
    assert account.called, "the calls were not noted"
    assert account.called - set(read_actions()) == set()
    assert not account.scanned.not_checked
    assert not account.scanned.unread
    assert drifts(account.state, account.scanned) - made_by_services(account.endpoint) == set()


def test_a_call_that_fails_hides_what_it_would_have_told_and_nothing_else(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every call of every listing, denied, throttled, timed out and malformed in turn, against an account full of drift."""
    monkeypatch.setattr(comparison, "changes_of", once_for_each_pair(comparison.changes_of))
    judge = _FailClosed(account)
    assert {kind for kind, *_ in judge.truth} >= {"missing", "unmanaged"}
    failures: list[tuple[Take, Operation, Mode]] = [
        (take, operation, mode)
        for take in account.tape.takes
        for operation in sorted(take.operations)
        for mode in REASONS
    ]
    assert all(take.operations for take in account.tape.takes), "a listing made no call"
    problems = [text for item in failures for text in judge.problems(*item)]
    assert not problems, "\n".join(problems)


def test_every_attribute_that_reads_differently_is_reported_alone(account: Account) -> None:
    """The one-change law without AWS in between: it also reaches what the stand-in, or AWS itself, cannot change."""
    declared, seen = declared_in(account.state), set[tuple[str, str]]()
    by_key = {(item.type, item.key): item for item in declared}
    problems: list[str] = []
    for live in account.scanned.live:
        item, spec = by_key.get((live.type, live.key)), SPECS[live.type]
        # What stand-alone resources take over differs from the start; the comparison leaves it out.
        taken_over = (
            {_top(found.path) for found in changes(spec, item.attributes, live.attributes)} if item else set[str]()
        )
        for name, shape in spec.shapes.items():
            value = live.attributes.get(name)
            other = next((found for found in others(value) if shape(found) != shape(value)), None)
            if item is None or name not in live.attributes or other is None or name in taken_over:
                continue
            touched = {**live.attributes, name: other}
            found = {_top(change.path) for change in changes(spec, item.attributes, touched)} - taken_over
            if found - {name}:
                problems.append(f"{item.address}: {name} was changed, and {found} is reported")
            elif found:
                seen.add((live.type, name))
            elif name in item.attributes:
                problems.append(f"{item.address}: {name} was changed, and nothing is reported")
    excused = {tuple(name.split(".", 1)) for name in mutations_of(account.group).EXCEPTIONS}
    print(f"{len(seen)} attributes, {len(seen & excused)} of them out of reach for a call")
    assert not problems, "\n".join(problems)
    assert seen or not mutations_of(account.group).SPECS


def test_every_change_is_reported_and_nothing_else(account: Account) -> None:
    module, call, run = mutations_of(account.group), clients(account.endpoint), _Run(account)
    problems = [f"{number}. {text}" for number, item in enumerate(module.MUTATIONS) for text in run.judge(item, call)]
    assert not problems, "\n".join(problems)
    gaps, stale = _gaps(module, run.seen)
    for name, reason in sorted(module.EXCEPTIONS.items()):
        print(f"exception: {name}: {reason}")
    assert not gaps, f"neither mutated nor excused: {gaps}"
    assert not stale, f"excused although a mutation shows them: {stale}"


class _Run:
    """The mutations of one group, one after the other in one account.

    What a mutation changed outside the types it names shows up as unexpected in the next scan of those types.
    """

    def __init__(self, account: Account) -> None:
        self._endpoint = account.endpoint
        self._state = account.state
        self._declared = declared_in(account.state)
        self._known = {_identity(item) for item in drift_items(self._declared, account.scanned)}
        self._second = _SecondDetector(self._declared, account.scanned)
        self.seen: set[tuple[str, str]] = set()

    def judge(self, mutation: Mutation, call: Any) -> Iterable[str]:
        """Apply one mutation; yield what is wrong with the drifts it caused."""
        target = attributes_of(self._state, mutation.target) if mutation.target else {}
        try:
            created = mutation.apply(call, target)
        except (ClientError, LookupError) as error:
            yield f"{mutation.target}: could not be changed: {error!r}"
            return
        expected = mutation.expected(self._state, created)
        scanned = scan(self._endpoint, services_for(_types(mutation, expected, target)))
        items = drift_items(self._declared, scanned)
        new = [item for item in items if _identity(item) not in self._known]
        self._known = {known for known in self._known if known[0] not in scanned.types} | {
            _identity(item) for item in items
        }
        self.seen.update((item.type, _top(item.path) if item.path else item.kind) for item in new)
        found = {name_of(item) for item in new}
        yield from (f"{mutation.target}: expected and not reported: {item}" for item in sorted(expected - found))
        yield from (f"{mutation.target}: reported and not expected: {item}" for item in sorted(found - expected))
        yield from (f"{mutation.target}: not checked: {gap}" for gap in scanned.not_checked)
        yield from (f"{mutation.target}: told twice: {item}" for item in self._second.tells(scanned, items))


class _SecondDetector:
    """What the second detector says after each mutation of what the first one covers: nothing, or a change is reported twice (which it never is)."""

    def __init__(self, declared: Iterable[Declared], scanned: Scanned) -> None:
        self._declared = {(item.type, item.key) for item in declared}
        self._remembered: dict[tuple[str, str], Mapping[str, Any]] = {}
        list(self.tells(scanned, ()))

    def tells(self, scanned: Scanned, reported: Iterable[Drift]) -> Iterator[str]:
        """Yield what it says of a scan besides what the first one reports, and remember the scan."""
        told: dict[tuple[str, str], list[Change]] = {}
        for item in reported:
            if item.path:
                told.setdefault((item.type, item.key), []).append(Change(item.path, item.before, item.after))
        for live in scanned.live:
            identity, row = (live.type, live.key), document_row(live, SPECS, _SEAL)
            if row is None or identity not in self._declared:
                continue
            before, self._remembered[identity] = self._remembered.get(identity, row), row
            judgement = judge(
                _observed(row),
                Remembered(before["document"], before["source"], (), frozenset(before["covered"])),
                told.get(identity, ()),
            )
            yield from (f"{live.type} {live.key} {change.path}" for change in judgement.changes)


def _observed(row: Mapping[str, Any]) -> Observed:
    return Observed(row["type"], row["document"], row["source"], (), frozenset(row["covered"]), datetime.now(UTC), None)


class _FailClosed:
    """An account that drifts in every type of its state: judges what is still said of it when a call fails.

    Each type has one declared resource that is not there, and every second resource is declared nowhere.
    """

    def __init__(self, account: Account) -> None:
        self._tape = account.tape
        whole = declared_in(account.state)
        first = {item.type: item for item in reversed(whole) if item.key is not None and item.type in SPECS}
        ghosts = [replace(item, address=f"{item.address}.ghost", key=f"{item.key}-ghost") for item in first.values()]
        self._declared = (*whole[::2], *ghosts)
        self.truth = {name_of(item): item.type for item in drift_items(self._declared, account.scanned)}

    def problems(self, take: Take, operation: Operation, mode: Mode) -> Iterable[str]:
        """Yield what is wrong with a scan in which one operation of one listing fails."""
        played = self._tape.play(take.listing, operation, mode)
        others = (item for other in self._tape.takes if other is not take for item in other.findings)
        scanned = sorted_out((*others, *played))
        items = drift_items(self._declared, scanned)
        found = {name_of(item) for item in items}
        gaps = [item for item in played if isinstance(item, NotChecked | Unread)]
        where = f"{':'.join(operation)} {mode}"
        yield from (f"{where}: reported although it is not so: {item}" for item in sorted(found - self.truth.keys()))
        # A child says nothing while nobody knows whether its parent holds it (see `comparison`).
        silent = {*take.listing.types, *(item.type for item in scanned.live if _is_within(item, take.listing))}
        untold = {item for item in self.truth.keys() - found if self.truth[item] not in silent}
        yield from (f"{where}: of another listing and not found: {item}" for item in sorted(untold))
        if not gaps:
            yield f"{where}: nobody is told"
        told = {gap.reason for gap in gaps}
        if told - {REASONS[mode]}:
            yield f"{where}: another reason is told: {told}"
        named = {gap.permission for gap in gaps}
        if named - {self._tape.actions[operation] if mode == "deny" else None}:
            yield f"{where}: another permission is named: {named}"
        blind = {name for gap in gaps if isinstance(gap, NotChecked) for name in gap.types}
        missing = {name_of(item) for item in items if item.kind == "missing" and item.type in blind}
        yield from (f"{where}: missing, though it was not looked for: {item}" for item in sorted(missing))


def _is_within(item: LiveResource, listing: Listing) -> bool:
    return item.parent is not None and item.parent.type in listing.types


def _types(mutation: Mutation, expected: Expected, target: dict[str, Any]) -> set[str]:
    """Return the types to scan: the target's, those of the expected addresses, and the ones named."""
    addresses = [mutation.target, *(name for kind, name, _ in expected if kind != "unmanaged")]
    named = {part for name in addresses for part in name.split(".") if part.startswith("aws_")}
    stood_for: set[str] = set()
    for name in named:
        spec = SPECS[name]
        if spec.expand is not None:
            stood_for.update(item.type for item in spec.expand(Declared("", name, None, target)))
    return named | stood_for | set(mutation.also)


def _identity(item: Drift) -> tuple[str, ...]:
    return (item.type, *name_of(item), repr(item.before), repr(item.after))


def _top(path: str) -> str:
    return path.split(".", 1)[0].split("[", 1)[0]


def _gaps(module: ModuleType, seen: set[tuple[str, str]]) -> tuple[list[str], list[str]]:
    """List what no mutation showed and nothing excuses, and excuses that a mutation made stale."""
    wanted = {
        (spec.type, name)
        for spec in module.SPECS
        if spec.shapes or spec.expand is None
        for name in (*spec.shapes, "missing", "unmanaged")
        if spec.shapes.get(name) is not constant
    }
    excused = {tuple(name.split(".", 1)) for name in module.EXCEPTIONS}
    unknown = {kind for kind, *_ in excused if kind not in SPECS}
    assert not unknown, f"exceptions for types without a spec: {unknown}"
    gaps = sorted(".".join(item) for item in wanted - seen if item not in excused and (item[0], "*") not in excused)
    return gaps, sorted(".".join(item) for item in excused & seen)
