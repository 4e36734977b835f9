"""Rolls a release out: migrations, then a growing share of the calls for the new revisions, and back when they burn the objective.

Owns the order. What is decided stands in `canary.py`; Terraform and gcloud do the work (`platform.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from .canary import Calls, Decision, Objective, judge

STEPS = (5, 25, 50)
_POLL_SECONDS = 30.0


class Platform(Protocol):
    """What a release is rolled out on."""

    def serving(self) -> dict[str, str]:
        """Return service to the revision that serves everybody, or all but the canary's share; empty before the first release."""
        ...

    def migrate(self, image: str) -> None:
        """Apply migrations. Raises: DeploymentError."""
        ...

    def apply(self, images: Mapping[str, str], stable: Mapping[str, str], percent: int) -> dict[str, str]:
        """Give new revisions a share of the calls; returns service to its new revision. Raises: DeploymentError."""
        ...

    def send_everything_to(self, revisions: Mapping[str, str]) -> None:
        """Let these revisions alone serve, at once. Raises: DeploymentError."""
        ...


class Monitoring(Protocol):
    """Where calls are counted."""

    def calls(self, since: datetime, now: datetime) -> dict[str, Calls]:
        """Count what each revision answered. Raises: OSError."""
        ...


class DeploymentError(Exception):
    """A step failed; says which, and what serves."""


@dataclass(slots=True)
class Rollout:
    """One release.

    Attributes:
        platform: what it is rolled out on.
        monitoring: where calls are counted.
        objective: what was promised.
        sleep: waits, seconds.
        now: the time, aware UTC.
        report: gets one line per step.
    """

    platform: Platform
    monitoring: Monitoring
    objective: Objective
    sleep: Callable[[float], object]
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    report: Callable[[str], object] = print

    def release(self, images: Mapping[str, str], steps: Sequence[int] = STEPS) -> bool:
        """Roll out; returns whether the new revisions serve everybody now, else the old ones do.

        Args:
            images: function or job (`migrations`, `journey`) to its image, by digest.
            steps: shares of the calls, percent, growing.

        Raises:
            DeploymentError: a step failed.
        """
        stable = self.platform.serving()
        if not stable:
            raise DeploymentError("nothing serves yet: terraform/README.md says how the first release is made")
        self.report("migrations")
        self.platform.migrate(images["migrations"])
        for percent in steps:
            if not self._step(images, stable, percent):
                return False
        self.platform.apply(images, stable, 100)
        self.report("100 %: the new revisions serve everybody")
        return True

    def _step(self, images: Mapping[str, str], stable: Mapping[str, str], percent: int) -> bool:
        try:
            new = self.platform.apply(images, stable, percent)
        except DeploymentError:
            self._go_back(stable, f"{percent} %: the new revisions do not start")
            raise
        changed = {service: revision for service, revision in new.items() if stable.get(service, revision) != revision}
        self.report(f"{percent} %: {len(changed)} services have a new revision")
        burning = self._watch(changed, stable)
        if burning is None:
            return True
        self._go_back(stable, f"{percent} %: {burning} burns the objective")
        return False

    def _watch(self, changed: Mapping[str, str], stable: Mapping[str, str]) -> str | None:
        """Watch one step; returns the service that must go back, None when all may go on."""
        began = self.now()
        while changed:
            self.sleep(_POLL_SECONDS)
            now = self.now()
            try:
                counted = self.monitoring.calls(began, now)
            except OSError as error:  # nobody sees what happens, so nothing may go on
                return f"nobody knows what ({error})"
            none = Calls(0, 0)
            decided = {
                service: judge(
                    counted.get(revision, none),
                    counted.get(stable[service], none),
                    self.objective,
                    (now - began).total_seconds(),
                )
                for service, revision in changed.items()
            }
            for service, decision in decided.items():
                if decision is Decision.ROLL_BACK:
                    return service
            if all(decision is Decision.PROMOTE for decision in decided.values()):
                return None
        return None

    def _go_back(self, stable: Mapping[str, str], why: str) -> None:
        self.report(f"{why}: going back")
        self.platform.send_everything_to(stable)
        self.report("the revisions from before serve everybody")
