"""The campaign: journeys go on, faults come in rounds, and after each round every journey must go well again by itself.

Within a round one fault follows the other; in a storm they overlap. What a journey is refused, and what does not come back, are violations;
what is not there in the end the journeys themselves and the invariants say.
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import httpx

from .calls import GaveUpError, RefusedError
from .faults import Fault
from .journeys.journey import Journey, Scene
from .subject import Subject
from .violations import Violation

_ROUND_FAULTS = 6
_STORM_FAULTS = 3
_STORM_STEP_SECONDS = 2.0
_BETWEEN_FAULTS_SECONDS = 1.0
_BETWEEN_TURNS_SECONDS = 1.0
_RECOVERY_SECONDS = 300.0
_SWITCH_SECONDS = 90.0


class Runner:
    """One journey on a thread of its own, until it is told to stop."""

    def __init__(self, journey: Journey, say: Callable[[str], None]) -> None:
        self.journey = journey
        self._say = say
        self.turns: Counter[str] = Counter()
        self.violations: list[Violation] = []
        self.well_since = float("-inf")
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=journey.name, daemon=True)

    def start(self) -> None:
        """Begin with the first turn."""
        self._thread.start()

    def stop(self) -> None:
        """Begin no other turn."""
        self._stop.set()

    def join(self, seconds: float) -> None:
        """Wait for the end of the turn that goes on."""
        self._thread.join(seconds)
        if self._thread.is_alive():
            self._violate("stuck", f"a turn did not end within {seconds:.0f} s")

    def _run(self) -> None:
        while not self._stop.is_set():
            began = time.monotonic()
            try:
                self.journey.turn()
            except GaveUpError:
                self.turns["gave up"] += 1
            except RefusedError as error:
                self._violate("refused", str(error))
            except Exception as error:  # noqa: BLE001  # whatever a journey stumbles over is told, and the load goes on
                self._violate("broke", f"{type(error).__name__}: {error}")
            else:
                self.turns["well"] += 1
                self.well_since = began
            self._stop.wait(_BETWEEN_TURNS_SECONDS)

    def _violate(self, what: str, text: str) -> None:
        self.turns[what] += 1
        self.violations.append(Violation(f"{self.journey.name}: {what}", f"{time.strftime('%H:%M:%S')} {text}"))
        if self.turns[what] == 1:
            self._say(f"  {self.journey.name} {what}: {text}")


@dataclass
class Outcome:
    """What the campaign came to.

    Attributes:
        caused: names of the faults, in order; a storm's joined by ` + `.
        turns: by journey: how many went well, were given up, and so on.
        longest_recovery_seconds: from the end of a round to the first good turn of its slowest journey that began after it.
    """

    violations: list[Violation] = field(default_factory=list)
    caused: list[str] = field(default_factory=list)
    turns: dict[str, Counter[str]] = field(default_factory=dict)
    longest_recovery_seconds: float = 0.0


@dataclass
class Campaign:
    """Causes faults while journeys go on.

    Attributes:
        say: told each line of progress.
    """

    subject: Subject
    scene: Scene
    runners: Sequence[Runner]
    chance: random.Random
    say: Callable[[str], None]
    outcome: Outcome = field(default_factory=Outcome)

    def run(self, faults: Sequence[Fault], *, storms: int, ends_at: float = float("inf")) -> Outcome:
        """Cause every fault once, then so many storms; returns what came of it.

        Args:
            faults: in any order; the campaign has its own.
            storms: how many times some faults overlap.
            ends_at: monotonic time after which no further round begins.
        """
        for runner in self.runners:
            runner.start()
        try:
            self._recover("undisturbed")
            order = list(faults)
            self.chance.shuffle(order)
            rounds = [order[first : first + _ROUND_FAULTS] for first in range(0, len(order), _ROUND_FAULTS)]
            for those in rounds:
                if time.monotonic() < ends_at:
                    self._round(those)
            for _ in range(storms):
                if time.monotonic() < ends_at:
                    self._storm(self.chance.sample(order, min(_STORM_FAULTS, len(order))))
        except BaseException:
            self._silence()  # whoever stops the campaign does not wait for turns to go well
            raise
        finally:
            self._end_load()
        for runner in self.runners:
            self.outcome.violations += runner.violations
            self.outcome.turns[runner.journey.name] = runner.turns
        return self.outcome

    def _round(self, faults: Sequence[Fault]) -> None:
        """Cause one fault after the other."""
        for fault in faults:
            self.say(fault.name)
            self._begin(fault)
            try:
                time.sleep(fault.lasts_seconds)
            finally:
                self._end(fault)
            self.outcome.caused.append(fault.name)
            time.sleep(_BETWEEN_FAULTS_SECONDS)
        self._recover("the round")

    def _storm(self, faults: Sequence[Fault]) -> None:
        """Let faults overlap: each begins while those before it last."""
        name = " + ".join(fault.name for fault in faults)
        self.say(name)
        begun: list[Fault] = []
        try:
            for fault in faults:
                begun.append(fault)
                self._begin(fault)
                time.sleep(_STORM_STEP_SECONDS)
            time.sleep(max(fault.lasts_seconds for fault in faults))
        finally:
            for fault in begun:
                self._end(fault)
        self.outcome.caused.append(name)
        self._recover("the storm")

    def _begin(self, fault: Fault) -> None:
        if fault.is_of_clock:
            self.scene.is_clock_wrong.set()
        _surely(fault.begin, self.subject)

    def _end(self, fault: Fault) -> None:
        _surely(fault.end, self.subject)

    def _recover(self, after: str) -> None:
        """Wait until every journey has gone well once, from a beginning after this moment."""
        began = time.monotonic()
        while True:
            late = [runner for runner in self.runners if runner.well_since < began]
            took = time.monotonic() - began
            if not late:
                self.say(f"  all well {took:.0f} s after {after}")
                break
            if took > _RECOVERY_SECONDS:
                last = self.outcome.caused[-_ROUND_FAULTS:]
                for runner in late:
                    text = f"not well again {took:.0f} s after {after}: {', '.join(last)}"
                    self.outcome.violations.append(Violation(f"{runner.journey.name}: does not come back", text))
                    self.say(f"  {runner.journey.name} is {text}")
                break
            time.sleep(0.1)
        self.scene.is_clock_wrong.clear()
        self.outcome.longest_recovery_seconds = max(took, self.outcome.longest_recovery_seconds)

    def _end_load(self) -> None:
        for runner in self.runners:
            runner.stop()
        for runner in self.runners:
            runner.join(_RECOVERY_SECONDS)
        self._silence()

    def _silence(self) -> None:
        """Let every caller give up."""
        for caller in self.scene.callers:
            caller.stop.set()


def _surely(switch: Callable[[Subject], None], subject: Subject) -> None:
    """Throw a switch, although what it belongs to may be away for a moment because of another fault."""
    ends_at = time.monotonic() + _SWITCH_SECONDS
    while True:
        try:
            switch(subject)
        except (httpx.HTTPError, KeyError):
            if time.monotonic() > ends_at:
                raise
            time.sleep(0.2)
        else:
            return
