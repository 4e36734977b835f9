"""How the campaign goes: what it says, and that whoever stops it does not wait."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from typing import cast

import pytest

from tests.chaos import campaign as module
from tests.chaos.calls import Caller, Calls, GaveUpError
from tests.chaos.campaign import Campaign, Runner
from tests.chaos.faults import Fault
from tests.chaos.journeys.journey import Scene
from tests.chaos.subject import Subject
from tests.chaos.violations import Violation
from tests.support.running_suite import RunningSuite


class Patient:
    """A journey that goes well until it is disturbed, and then waits until it is told to give up."""

    name = "patient"

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self.disturbed, self.is_waiting = threading.Event(), threading.Event()

    def prepare(self) -> None:
        """Nothing is needed."""

    def turn(self) -> None:
        if self.disturbed.is_set():
            self.is_waiting.set()
            assert self._caller.stop.wait(30), "nobody told it to give up"
            raise GaveUpError

    def disturb(self) -> None:
        """Let no turn go well from now on; returns once one waits."""
        self.disturbed.set()
        assert self.is_waiting.wait(30)

    def check(self) -> Iterator[Violation]:
        return iter(())


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> Patient:
    monkeypatch.setattr(module, "_BETWEEN_TURNS_SECONDS", 0.01)
    monkeypatch.setattr(module, "_BETWEEN_FAULTS_SECONDS", 0.0)
    return Patient(Caller("http://suite.example", Calls()))


def campaign_of(patient: Patient, say: Callable[[str], None]) -> Campaign:
    scene = Scene(cast("RunningSuite", None), Calls(), callers=[patient._caller])
    return Campaign(cast("Subject", None), scene, [Runner(patient, say)], random.Random(1), say)


def test_whoever_stops_the_campaign_does_not_wait_for_turns(patient: Patient) -> None:
    def stop(_: Subject) -> None:
        patient.disturb()
        raise SystemExit(4)

    campaign = campaign_of(patient, lambda _: None)
    with pytest.raises(SystemExit):
        campaign.run([Fault("stop", stop, stop)], storms=0)
    [runner] = campaign.runners
    assert runner.turns["gave up"] >= 1, "the turn was waited for"
    assert runner.violations == []


def test_a_journey_that_does_not_come_back_is_told_and_nothing_is_called_well(
    patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []

    def disturb(_: Subject) -> None:
        monkeypatch.setattr(module, "_RECOVERY_SECONDS", 0.2)
        patient.disturb()

    outcome = campaign_of(patient, said.append).run([Fault("disturb", disturb, lambda _: None, 0.0)], storms=0)
    assert [found.check for found in outcome.violations] == ["patient: does not come back", "patient: stuck"]
    (well,) = (line for line in said if "all well" in line)
    assert well.endswith("after undisturbed")
