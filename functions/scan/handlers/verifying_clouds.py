"""How accounts of Google Cloud and Azure are verified: what the caller may do is asked for, and one call of each kind is made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from shared.data.rows import Row
from shared.http.call import Call
from shared.ports.clock import Clock

from ..account_models import VerifyView
from ..cloud_access.opening import quota_project
from ..domain.cluster_reports import SILENCE
from ..domain.shards import GLOBAL
from ..models import GapView
from ..queries import reports
from ..readers.azure.actions import FURTHER
from ..readers.azure.client import Arm, CallFailed
from ..readers.azure.graph import rows_of
from ..readers.azure.rights import read_rights, unreadable
from ..readers.gcp import rights as google_rights
from ..readers.gcp.http import GuardedGoogle
from ..readers.gcp.inventory import PERMISSIONS, Content, Failed, Inventory
from ..types.azure import BY_ARM
from ..types.gcp import specs
from ..types.gcp.iam import MEMBER
from ..wiring import ScanDeps
from .verifying import view

_PATIENCE_SECONDS = 15.0  # for all pauses together: somebody waits for the answer
_SUBSCRIPTION_QUERY = "resourcecontainers | project id | order by id asc | take 1"


def google(call: Call, deps: ScanDeps, row: Row) -> VerifyView:
    """Verify a project, folder or organisation.

    Raises:
        CredentialsRefused: (422 `credentials_refused`).
    """
    way_out, clock = deps.google(call.org_id, row), _Patience(deps.clock)
    identity = row["service_account"] or _principal(row["identity_provider"])
    gaps = list(_google_listings(Inventory(way_out, clock, row["external_account"])))
    told = {gap.permission for gap in gaps}
    gaps += [gap for gap in _google_rights(way_out, row) if gap.permission is None or gap.permission not in told]
    return view(identity, gaps)


def azure(call: Call, deps: ScanDeps, row: Row) -> VerifyView:
    """Verify a subscription; raises as above."""
    arm = Arm(deps.azure(call.org_id, row), _Patience(deps.clock))
    return view(f"{row['client_id']} of {row['tenant_id']}", list(_azure_rights(arm, row["external_account"])))


def kubernetes(call: Call, deps: ScanDeps, row: Row) -> VerifyView:
    """Verify a cluster by what its operator reported last; nobody is asked anything."""
    with deps.db.unit(call.actor) as tx:
        report = reports.find_latest_report(tx, row["id"])
    if report is None:
        detail = "the operator in the cluster has not sent a whole report yet"
        return view("", [_gap([], "unavailable", None, detail)])
    gaps = [_gap([item["kind"]], item["reason"], item["permission"], item["detail"]) for item in report["failures"]]
    if report["received_at"] < deps.clock.now() - SILENCE:
        gaps.append(_gap([], "unavailable", None, "the operator in the cluster has not been heard of for an hour"))
    return view(row["external_account"], gaps, report["received_at"])


class _Patience:
    """A clock that waits for so long in all and then no more: what is still busy then is told as such at once."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._left_seconds = _PATIENCE_SECONDS

    def now(self) -> datetime:
        return self._clock.now()

    def monotonic_seconds(self) -> float:
        return self._clock.monotonic_seconds()

    def sleep_seconds(self, seconds: float) -> None:
        if self._left_seconds > 0:
            self._clock.sleep_seconds(min(seconds, self._left_seconds))
            self._left_seconds -= seconds


def _google_listings(inventory: Inventory) -> Iterator[GapView]:
    contents: tuple[Content, ...] = ("RESOURCE", "IAM_POLICY")
    for content in contents:
        try:
            next(inventory.pages(content), None)
        except Failed as failure:
            types = [name for name in specs() if name.endswith(MEMBER) == (content == "IAM_POLICY")]
            yield _gap(sorted(types), failure.reason, failure.permission, failure.detail)


def _google_rights(way_out: GuardedGoogle, row: Row) -> Iterator[GapView]:
    paying = quota_project(row)
    asked = {row["external_account"]: google_rights.READING}
    if paying:
        asked[f"projects/{paying}"] = (*asked.get(f"projects/{paying}", ()), google_rights.QUOTA)
    for parent, permissions in asked.items():
        try:
            absent = google_rights.missing(way_out, parent, permissions)
        except Failed as failure:
            yield _gap([], failure.reason, failure.permission, failure.detail)
            continue
        for permission in absent:
            types = sorted(specs()) if permission in PERMISSIONS.values() else []
            yield _gap(types, "access_denied", permission, f"no role of ours on {parent} holds it")


def _azure_rights(arm: Arm, subscription: str) -> Iterator[GapView]:
    try:
        rights = read_rights(arm, subscription)
    except CallFailed as failure:
        yield _gap([], failure.reason, failure.permission, failure.detail)
        return
    detail = "no role of ours allows it on the subscription"
    for action, arm_types in sorted(unreadable(rights, BY_ARM).items()):
        types = sorted({item.type for arm_type in arm_types for item in BY_ARM[arm_type]})
        yield _gap(types, "access_denied", action, detail)
    for action in FURTHER:
        if not rights.may(action):
            yield _gap([], "access_denied", action, detail)
    try:
        list(rows_of(arm, subscription, _SUBSCRIPTION_QUERY))
    except CallFailed as failure:
        yield _gap([], failure.reason, failure.permission, failure.detail)


def _principal(provider: str) -> str:
    """Name the pool of the principal that reads: its subject is our own account's number."""
    return f"principal://iam.googleapis.com/{provider.rpartition('/providers/')[0]}"


def _gap(types: Sequence[str], reason: str, permission: str | None, detail: str) -> GapView:
    return GapView(types=list(types), region=GLOBAL, reason=reason, permission=permission, detail=detail)
