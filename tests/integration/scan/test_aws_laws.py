"""Laws of the AWS readers, for every fixture group: a fresh apply shows no drift, and every change shows as exactly itself.

A group is a folder in `tests/fixtures/aws` with a module of the same name in `mutations/`, which holds
`SPECS` (the type tables the group answers for), `MUTATIONS` and `EXCEPTIONS`.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from botocore.exceptions import ClientError

from functions.scan.domain.comparison import Drift
from functions.scan.domain.resources import Declared
from functions.scan.domain.shapes import constant
from functions.scan.types.aws import SPECS
from infra.build.customer_rights import read_actions
from tests.support.aws_account import (
    FIXTURES,
    Expected,
    Mutation,
    ProviderUnavailable,
    attributes_of,
    called_actions,
    clients,
    drift_items,
    drifts,
    load_state,
    moto_account,
    name_of,
    replay,
    scan,
    services_for,
    terraform_apply,
    why_no_terraform,
)

GROUPS = sorted(path.parent.name for path in FIXTURES.glob("*/requests.jsonl.gz"))


def mutations_of(group: str) -> ModuleType:
    """Import the mutations of a group."""
    return importlib.import_module(f"tests.integration.scan.mutations.{group}")


@pytest.mark.parametrize("group", GROUPS)
def test_recorded_account_shows_no_drift_and_takes_no_right_that_customers_do_not_grant(group: str) -> None:
    with moto_account() as endpoint:
        replay(endpoint, FIXTURES / group / "requests.jsonl.gz")
        scanned = scan(endpoint)
        assert called_actions(endpoint), "the calls were not noted"
        assert called_actions(endpoint) - set(read_actions()) == set()
        assert not scanned.not_checked
        assert not scanned.unread
        assert drifts(load_state(group, endpoint), scanned) - _zones_of_cloud_map(endpoint) == set()


@pytest.mark.parametrize("group", GROUPS)
def test_every_change_is_reported_and_nothing_else(group: str) -> None:
    module = mutations_of(group)
    with moto_account() as endpoint:
        replay(endpoint, FIXTURES / group / "requests.jsonl.gz")
        state, call = load_state(group, endpoint), clients(endpoint)
        run = _Run(endpoint, state, {spec.type for spec in module.SPECS})
        problems = [
            f"{number}. {text}" for number, item in enumerate(module.MUTATIONS) for text in run.judge(item, call)
        ]
    assert not problems, "\n".join(problems)
    gaps, stale = _gaps(module, run.seen)
    for name, reason in sorted(module.EXCEPTIONS.items()):
        print(f"exception: {name}: {reason}")
    assert not gaps, f"neither mutated nor excused: {gaps}"
    assert not stale, f"excused although a mutation shows them: {stale}"


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.skipif(why_no_terraform() is not None, reason=str(why_no_terraform()))
def test_real_apply_shows_no_drift(group: str, tmp_path: Path) -> None:
    with moto_account() as endpoint:
        try:
            state = terraform_apply(FIXTURES / group, endpoint, tmp_path)
        except ProviderUnavailable as error:
            pytest.skip(
                f"Terraform's AWS provider is not available; DRIFTWISE_TF_MIRROR may name a mirror: {str(error)[:200]}"
            )
        assert drifts(state, scan(endpoint)) - _keys_of_aws(endpoint) - _zones_of_cloud_map(endpoint) == set()


def _keys_of_aws(endpoint: str) -> Expected:
    """Name the keys behind `alias/aws/*`, which the provider's own reads make: moto calls them the customer's, AWS its own."""
    aliases = clients(endpoint)("kms").list_aliases()["Aliases"]
    keys = [
        item["TargetKeyId"] for item in aliases if item["AliasName"].startswith("alias/aws/") and "TargetKeyId" in item
    ]
    return {("unmanaged", key, "") for key in keys}


def _zones_of_cloud_map(endpoint: str) -> Expected:
    """Name the zones that Cloud Map made for its namespaces: AWS says whose they are (`LinkedService`), moto does not."""
    spaces = clients(endpoint)("servicediscovery").list_namespaces()["Namespaces"]
    zones = [((item.get("Properties") or {}).get("DnsProperties") or {}).get("HostedZoneId") for item in spaces]
    return {("unmanaged", str(zone).removeprefix("/hostedzone/"), "") for zone in zones if zone}


class _Run:
    """The mutations of one group, one after the other in one account.

    What a mutation changed outside the types it names shows up as unexpected in the next scan of those types.
    """

    def __init__(self, endpoint: str, state: dict[str, Any], types: set[str]) -> None:
        self._endpoint = endpoint
        self._state = state
        self._known = {_identity(item) for item in drift_items(state, scan(endpoint, services_for(types)))}
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
        items = drift_items(self._state, scanned)
        new = [item for item in items if _identity(item) not in self._known]
        self._known = {known for known in self._known if known[0] not in scanned.types} | {
            _identity(item) for item in items
        }
        self.seen.update((item.type, _top(item.path) if item.path else item.kind) for item in new)
        found = {name_of(item) for item in new}
        yield from (f"{mutation.target}: expected and not reported: {item}" for item in sorted(expected - found))
        yield from (f"{mutation.target}: reported and not expected: {item}" for item in sorted(found - expected))
        yield from (f"{mutation.target}: not checked: {gap}" for gap in scanned.not_checked)


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
