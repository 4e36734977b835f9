"""A new Cloud SQL instance of what another one was at a moment: `python -m infra.recovery restore`.

Point-in-time recovery always makes a new instance, so the old one stays as it is: it can be looked at, and brought over from.
Owns the order and the comparison of what protects the two; `cloud_sql.py` makes the calls. It can be cut off and started again.

Source: https://cloud.google.com/sql/docs/postgres/backup-recovery/pitr
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from .cloud_sql import rfc3339
from .errors import RecoveryError

_POLL_SECONDS = 15.0
_MOST_HOURS = 12
# What the module `database` sets, and a clone takes over: a copy that protects less must not serve.
PROTECTION = (
    "databaseVersion",
    "diskEncryptionConfiguration.kmsKeyName",
    "settings.backupConfiguration.enabled",
    "settings.backupConfiguration.location",
    "settings.backupConfiguration.pointInTimeRecoveryEnabled",
    "settings.connectorEnforcement",
    "settings.databaseFlags",
    "settings.deletionProtectionEnabled",
    "settings.ipConfiguration.ipv4Enabled",
    "settings.ipConfiguration.privateNetwork",
    "settings.ipConfiguration.sslMode",
)


class Instances(Protocol):
    """The instances of a project, as `cloud_sql.CloudSql`."""

    def instance(self, name: str) -> Mapping[str, Any] | None:
        """Read an instance. Raises: RecoveryError."""
        ...

    def latest_point(self, name: str, deleted_at: datetime | None) -> datetime:
        """Return the latest moment it can be restored to. Raises: RecoveryError."""
        ...

    def clone(self, source: str, wish: Mapping[str, str]) -> str:
        """Begin a clone; returns the operation. Raises: RecoveryError."""
        ...

    def is_done(self, operation: str) -> bool:
        """Say whether an operation has ended well. Raises: RecoveryError."""
        ...


@dataclass(frozen=True, slots=True)
class Restore:
    """One restore.

    Attributes:
        instances: makes the calls.
        source: the instance that is restored from.
        target: the instance that is made; a name that was not used within a week.
        sleep: waits, seconds.
        report: gets one line per step.
    """

    instances: Instances
    source: str
    target: str
    sleep: Callable[[float], object]
    report: Callable[[str], object] = field(default=print)

    def run(self, point: datetime | None = None, deleted_at: datetime | None = None) -> datetime:
        """Make the instance and compare what protects it; returns the moment that it was restored to.

        Args:
            point: the moment, aware; None for the latest there is.
            deleted_at: when the source was deleted, aware; None while it is there.

        Raises:
            RecoveryError: the moment cannot be had, a call failed, or the new instance protects less than the source.
        """
        latest = self.instances.latest_point(self.source, deleted_at)
        if point is not None and point > latest:
            raise RecoveryError(f"{rfc3339(point)} is not archived yet: the latest moment is {rfc3339(latest)}")
        chosen = point or latest
        source = self.instances.instance(self.source) if deleted_at is None else None
        if self.instances.instance(self.target) is None:
            self._clone(source, chosen, deleted_at)
        else:
            self.report(f"{self.target} is there already: nothing is cloned")
        self._wait_until_runnable()
        self._compare(source)
        self.report(f"{self.target} is what {self.source} was at {rfc3339(chosen)}")
        return chosen

    def _clone(self, source: Mapping[str, Any] | None, point: datetime, deleted_at: datetime | None) -> None:
        wish = {"kind": "sql#cloneContext", "destinationInstanceName": self.target, "pointInTime": rfc3339(point)}
        if deleted_at is not None:
            wish["sourceInstanceDeletionTime"] = rfc3339(deleted_at)
        if allocated := _member(source or {}, "settings.ipConfiguration.allocatedIpRange"):
            wish["allocatedIpRange"] = str(allocated)
        operation = self.instances.clone(self.source, wish)
        self.report(f"{self.target} is being made ({operation}); a clone of 100 GiB takes about half an hour")
        for _ in self._polls():
            if self.instances.is_done(operation):
                return
        raise RecoveryError(f"{operation} has not ended in {_MOST_HOURS} hours: look at it, then run this again")

    def _wait_until_runnable(self) -> None:
        for _ in self._polls():
            found = self.instances.instance(self.target)
            if found is not None and found.get("state") == "RUNNABLE":
                return
        raise RecoveryError(f"{self.target} does not run")

    def _polls(self) -> Iterator[None]:
        for _ in range(int(timedelta(hours=_MOST_HOURS).total_seconds() / _POLL_SECONDS)):
            yield
            self.sleep(_POLL_SECONDS)

    def _compare(self, source: Mapping[str, Any] | None) -> None:
        target = self.instances.instance(self.target) or {}
        if source is None:
            self.report("the source is gone: compare what protects the new instance by `terraform plan`")
            return
        weaker = [
            path for path in PROTECTION if _comparable(_member(source, path)) != _comparable(_member(target, path))
        ]
        if weaker:
            raise RecoveryError(
                f"{self.target} differs from {self.source} in {', '.join(weaker)}: set that before it serves"
            )


def _member(document: Mapping[str, Any], path: str) -> Any:
    found: Any = document
    for name in path.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def _comparable(value: Any) -> Any:
    """Return flags without their order."""
    if isinstance(value, list):
        return sorted((str(flag.get("name")), str(flag.get("value"))) for flag in value)
    return value
