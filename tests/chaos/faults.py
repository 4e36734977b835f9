"""Every fault that the campaign causes: how it begins, how it ends, how long it lasts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from infra.suite import load_suite
from local_emulator.context import LINKED

from .subject import Subject

_SHORT_SECONDS, _LONG_SECONDS = 3.0, 7.0

# Not killed: the stand-in for AWS forgets the customer's account with its end, which no cloud does; and the links, which are no part of it.
_BACK_ENDS = ("postgres", "google", "redis", "gateway", "scheduler", "idp", "collector", "dns", "customers")
_CLOCK_SECONDS = {
    "postgres": 120,
    "google": 120,
}  # functions: ten minutes; a lease that a wrong clock gave outlasts the jump
_FUNCTIONS_CLOCK_SECONDS = 600
_LOSSY_SHARE = 0.25


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault.

    Attributes:
        name: what the report calls it; the first word is its kind.
        lasts_seconds: from its beginning to its end.
        is_of_clock: whether credentials may be refused while it lasts, as a clock is wrong.
    """

    name: str
    begin: Callable[[Subject], None]
    end: Callable[[Subject], None]
    lasts_seconds: float = _LONG_SECONDS
    is_of_clock: bool = False


def every_fault(*, has_clocks: bool = True, has_disk: bool = True) -> list[Fault]:
    """Return all faults, or those that can be caused where there are no clocks to set or no disk to fill."""
    found = [*_kills(), *_freezes(), *_links(), *_refusals(), *_clouds()]
    if has_clocks:
        found += _clocks()
    if has_disk:
        found.append(Fault("fill disk", Subject.fill_disk, Subject.empty_disk, 12.0))
    return found


def _entry_points() -> list[str]:
    return [entry_point.name for entry_point in load_suite().entry_points()]


def _nothing(_: Subject) -> None:
    """A killed process is started again by whoever watches it."""


def _kills() -> Iterator[Fault]:
    for name in (*_entry_points(), *_BACK_ENDS):
        yield Fault(f"kill {name}", partial(Subject.kill, name=name), _nothing, _SHORT_SECONDS)


def _freezes() -> Iterator[Fault]:
    for name in (*_entry_points(), "postgres", "redis", "google", "moto"):
        yield Fault(f"freeze {name}", partial(Subject.freeze, name=name), partial(Subject.thaw, name=name))


def _links() -> Iterator[Fault]:
    for link in LINKED:
        for mode in ("cut", "stall", "slow", "lossy"):
            begin = partial(Subject.switch_link, link=link, mode=mode, share=_LOSSY_SHARE)
            yield Fault(f"{mode} {link}", begin, partial(Subject.switch_link, link=link, mode="open"))


def _refusals() -> Iterator[Fault]:
    for service in ("kms", "secret_manager", "pubsub", "storage"):
        begin = partial(Subject.switch_google, service=service, mode="unavailable")
        yield Fault(f"refuse {service}", begin, partial(Subject.switch_google, service=service, mode="none"))


def _clouds() -> Iterator[Fault]:
    for mode in ("throttle", "unavailable", "malformed", "hang"):
        yield Fault(f"{mode} ec2", partial(Subject.switch_aws, mode=mode), Subject.end_aws_faults)


def _clocks() -> Iterator[Fault]:
    for name in (*_entry_points(), "postgres", "google"):
        far = _CLOCK_SECONDS.get(name, _FUNCTIONS_CLOCK_SECONDS)
        for seconds in (far, -far):
            begin = partial(Subject.set_clock, name=name, seconds=seconds)
            end = partial(Subject.set_clock, name=name, seconds=0)
            yield Fault(f"clock {name} {seconds:+d} s", begin, end, is_of_clock=True)
