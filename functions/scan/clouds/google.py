"""Google Cloud behind the port: one shard reads a project, folder or organisation by its asset inventory, in turns."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, ClassVar, Final
from uuid import UUID

from shared.data.rows import Row
from shared.data.unit_of_work import UnitOfWork

from ..domain.resources import LiveResource
from ..domain.specs import TypeSpec
from ..queries import live as live_queries
from ..types import tables
from .at_once import ReadAtOnce
from .google_history import GoogleHistory
from .intake import Further, Intake
from .port import Beyond, Outcome, ShardWork

if TYPE_CHECKING:
    from ..wiring import ScanDeps

ASSETS: Final = "assets"
TURN_SECONDS: Final = 240.0  # of the 540 that the function has


class GoogleCloud(ReadAtOnce):
    """Google Cloud."""

    provider: ClassVar[str] = "gcp"
    waits: ClassVar[str] = ASSETS
    holders: ClassVar[Sequence[str]] = ("google_project",)

    def specs(self) -> Mapping[str, TypeSpec]:
        """Return the rules of the types that are compared."""
        return tables.google()

    def count_known(self) -> int:
        """Return how many types the provider has."""
        from ..types.gcp.schema import SCHEMA

        return SCHEMA.known_count

    def types_of(self, _service: str, _region: str) -> tuple[str, ...]:
        """Return every type."""
        from ..readers.gcp.reading import unknown_types

        return unknown_types()

    def read(self, work: ShardWork) -> Outcome:
        """Read on from where the last turn ended, until the time of this one is over.

        A second reading waits first: so long the inventory may still tell what was before a change.
        """
        from ..readers.gcp.inventory import Inventory
        from ..readers.gcp.reading import Mark, read_on
        from ..readers.gcp.resources import Existing
        from ..types.gcp.existing import further_of

        parent, clock = str(work.account["external_account"]), work.deps.clock
        said = work.shard["progress"]
        mark = Mark(said["content"], said["token"], said["read_time"], tuple(said["seen"])) if said else None
        if mark is None and work.is_second:
            clock.sleep_seconds(work.deps.settings.settling_seconds)
        ends_at = clock.monotonic_seconds() + TURN_SECONDS
        google = work.deps.google(work.org_id, work.account)
        inventory = Inventory(google, clock, parent, read_time=mark.read_time if mark else "")
        intake = Intake(work, self.specs(), work.deps.sealer(work.org_id))
        for item in read_on(inventory, mark):
            if isinstance(item, Mark):
                if clock.monotonic_seconds() >= ends_at:
                    intake.outcome.continues = asdict(item)
                    break
            elif isinstance(item, Existing):
                found = further_of(item.kind, item.name, item.labels)
                intake.put(Further(item.name, found.path, found.type, item.place, item.document, found.is_told))
            elif isinstance(item, LiveResource):
                intake.put(_as_seen_from(parent, item))
            else:
                intake.put(item)
        intake.store()
        return intake.outcome

    def names(self, tx: UnitOfWork, scan: Row, account: Row) -> frozenset[str] | None:
        """Return the projects, folders and buckets that were seen; None when none was, which is no whole reading."""
        from ..types.gcp.places import CONTAINERS, seen_into

        keys = live_queries.list_live_keys(tx, scan["account_id"], scan["id"], types=CONTAINERS)
        return seen_into(account["external_account"], keys) if keys else None

    def history(self, deps: ScanDeps, org_id: UUID, account: Row) -> GoogleHistory:
        """Return Cloud Audit Logs."""
        from ..readers.gcp.logs import AuditLogs

        projects = [
            str(key).removeprefix("//cloudresourcemanager.googleapis.com/") for key in account.get("holders", ())
        ]
        logs = AuditLogs(deps.google(org_id, account), deps.clock)
        return GoogleHistory(logs, account["external_account"], projects)

    def beyond(self, uncovered: Collection[str]) -> Beyond:
        """Return that documents are kept of whatever is declared."""
        from ..readers.gcp.reading import GENERIC

        return Beyond(GENERIC, [name for name in uncovered if name.startswith("google_")])


def _as_seen_from(parent: str, item: LiveResource) -> LiveResource:
    """Leave what is scanned itself, a project or a folder, to whoever declares what is above it."""
    is_itself = item.type == "google_project" and parent.startswith("projects/")
    is_itself |= item.type == "google_folder" and item.key.endswith(f"/{parent}")
    return replace(item, cloud_made=True) if is_itself else item
