"""`make chaos`: causes faults while journeys go on, then checks that nothing was lost, doubled or shown to others.

    python -m tests.chaos [--seed N] [--faults PATTERN ...] [--minutes M] [--storms N] [--list]

Ends with 0 when every promise held, with 1 when one did not, with 3 when all held but some faults could not be caused here. See ADR-0048.
"""

from __future__ import annotations

import argparse
import random
import secrets
import shutil
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from fnmatch import fnmatch
from pathlib import Path

from rich.console import Console
from rich.table import Table

from .calls import Calls
from .campaign import Campaign, Outcome, Runner
from .faults import Fault, every_fault
from .invariants import examine, wait_until_settled, world_of
from .journeys.every import journeys
from .journeys.journey import Journey, Scene
from .subject import Subject, running_subject
from .violations import Violation

_SETTLING_SECONDS = (
    1200.0  # the queue tries a message again after up to ten minutes, the sweep after a quarter of an hour
)
_USAGE_STATUS, _NOT_RUN_STATUS, _STOPPED_STATUS = 2, 3, 130
_STORMS = 6
_EXAMPLES = 5  # of each kind of violation


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the campaign and say what it came to; returns the exit status."""
    options = _parser().parse_args(arguments)
    for number in (signal.SIGTERM, signal.SIGINT):  # whoever is told to stop stops the suite, and gives the disk back
        signal.signal(number, lambda *_: sys.exit(_STOPPED_STATUS))
    console = Console(soft_wrap=True, highlight=False)
    if options.list:
        console.print("\n".join(fault.name for fault in every_fault()))
        return 0
    with running_subject() as subject:
        possible = every_fault(has_clocks=subject.has_clocks, has_disk=subject.has_disk)
        faults = [fault for fault in possible if any(fnmatch(fault.name, one) for one in options.faults)]
        if not faults:
            console.print("no fault that can be caused here has such a name; see --list")
            return _USAGE_STATUS
        try:
            return _run(subject, faults, options, console)
        finally:
            if options.logs is not None:
                shutil.copytree(subject.suite.logs, options.logs, dirs_exist_ok=True)


def _run(subject: Subject, faults: Sequence[Fault], options: argparse.Namespace, console: Console) -> int:
    """Run the campaign on a suite that is up, and check what is left."""
    began = time.monotonic()
    console.print(f"seed {options.seed}: {len(faults)} faults, {options.storms} storms")
    scene = Scene(subject.suite, Calls())
    every = journeys(scene)
    for journey in every:
        journey.prepare()

    def say(line: str) -> None:
        console.print(f"{time.strftime('%H:%M:%S')}  {line}", markup=False)

    campaign = Campaign(
        subject=subject,
        scene=scene,
        runners=[Runner(journey, say) for journey in every],
        chance=random.Random(options.seed),  # noqa: S311  # an order, no secret
        say=say,
    )
    ends_at = began + 60 * options.minutes if options.minutes else float("inf")
    outcome = campaign.run(faults, storms=options.storms, ends_at=ends_at)
    violations = [*outcome.violations, *_check(every, scene, console)]
    _report(outcome, scene, violations, console)
    for name, reason in subject.missing.items():
        console.print(f"not run: {name}: {reason}")
    took = (time.monotonic() - began) / 60
    console.print(f"{len(outcome.caused)} faults and storms in {took:.0f} minutes, seed {options.seed}")
    if violations:
        return 1
    return _NOT_RUN_STATUS if subject.missing else 0


def _check(every: Sequence[Journey], scene: Scene, console: Console) -> Iterator[Violation]:
    """Wait until everything has settled, then yield what does not hold."""
    console.print("settling ...")
    world = world_of(scene.suite, scene.calls)
    for left in wait_until_settled(world, _SETTLING_SECONDS):
        yield Violation("does not settle", left.line())
    for journey in every:
        yield from journey.check()
    for found in examine(world):
        console.print(found.line())
        yield from found.violations


def _report(outcome: Outcome, scene: Scene, violations: Sequence[Violation], console: Console) -> None:
    """Print what the journeys did, what they were answered, and what does not hold."""
    table = Table("journey", "turns well", "given up", "refused, stuck or broke")
    for name, turns in outcome.turns.items():
        bad = sum(turns[what] for what in ("refused", "stuck", "broke"))
        table.add_row(name, f"{turns['well']:,}", f"{turns['gave up']:,}", f"{bad:,}")
    console.print(table)
    statuses = sorted(scene.calls.statuses().items())
    answers = ", ".join(f"{number:,} of {status or 'none'}" for status, number in statuses)
    console.print(f"answers: {answers}")
    console.print(f"longest way back: {outcome.longest_recovery_seconds:.0f} s")
    told = Counter(violation.check for violation in violations)
    for check, number in told.items():
        first = [violation.text for violation in violations if violation.check == check][:_EXAMPLES]
        console.print(f"VIOLATED {number:,} times: {check}", style="bold red")
        for text in first:
            console.print(f"  {text}", markup=False)
    console.print(f"{len(violations):,} violations")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.chaos", description="Cause faults, then check every promise."
    )
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10_000), help="of the order (default: by chance)")
    parser.add_argument(
        "--faults", nargs="+", default=["*"], metavar="PATTERN", help="only those, as 'kill *' (default: all)"
    )
    parser.add_argument("--minutes", type=float, default=0, help="begin no round after so long (default: all of it)")
    parser.add_argument("--storms", type=int, default=_STORMS, help=f"times that faults overlap (default: {_STORMS})")
    parser.add_argument("--list", action="store_true", help="say which faults there are, and end")
    parser.add_argument("--logs", type=Path, metavar="DIR", help="keep the logs of all processes there")
    return parser


if __name__ == "__main__":
    sys.exit(main())
