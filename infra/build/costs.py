"""Writes `infra/docs/costs.md`, what an installation costs at three sizes: `python -m infra.build.costs [--check]`.

A model, not a bill: how much is used follows from a size and from what was measured, and prices are list prices that change.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from .generated import ROOT, write_or_check

FILE = ROOT / "infra" / "docs" / "costs.md"
_MONTH_HOURS: Final = 730
_MONTH_DAYS: Final = 30.4

# US dollars, list prices of europe-west4, rounded; look them up before you decide.
# Source: the pages "Pricing" of Cloud Run, Cloud SQL, Memorystore, Cloud Load Balancing, Pub/Sub, Cloud Logging.
PRICES: Final[Mapping[str, float]] = {
    "vcpu_second": 0.000024,
    "gib_second": 0.0000025,
    "million_requests": 0.40,
    "database_vcpu_hour": 0.0455,
    "database_gib_hour": 0.0077,
    "disk_gib_month": 0.187,
    "backup_gib_month": 0.088,
    "cache_gib_hour": 0.049,
    "edge_month": 60.0,
    "queue_gib": 0.04,
    "logs_gib": 0.50,
    "fixed_month": 30.0,  # NAT, keys, secrets, monitoring, the journey
}
# What one unit of work uses. The first two from `python -m tests.benchmarks refresh-only` and `streamed-comparison`, rounded up.
READ_SECONDS_PER_RESOURCE: Final = 0.015
COMPARE_SECONDS_PER_RESOURCE: Final = 0.0003
REQUEST_SECONDS: Final = 0.05
DATABASE_KIB_PER_RESOURCE: Final = 12.0  # live row, document, baseline, declared row, and their indexes
DRIFT_KIB_PER_SCAN: Final = 40.0
LOG_KIB_PER_REQUEST: Final = 1.0


@dataclass(frozen=True, slots=True)
class Size:
    """How much an installation is used.

    Attributes:
        name: for the table.
        organisations, accounts: how many are served, in all.
        resources: of one account.
        scans_per_day: of one account.
        requests_per_day: of people, CI jobs and webhooks, in all.
        database_vcpu, database_gib, cache_gib: what is rented, doubled by high availability.
        is_doubled: two zones.
        kept_days: how long scans are kept, on average.
    """

    name: str
    organisations: int
    accounts: int
    resources: int
    scans_per_day: float
    requests_per_day: int
    database_vcpu: int
    database_gib: float
    cache_gib: int
    is_doubled: bool
    kept_days: int


SIZES: Final = (
    Size("small", 10, 20, 2_000, 2, 5_000, 2, 7.5, 1, is_doubled=False, kept_days=30),
    Size("medium", 200, 1_000, 3_000, 4, 200_000, 8, 32, 2, is_doubled=True, kept_days=30),
    Size("large", 2_000, 20_000, 5_000, 6, 3_000_000, 64, 256, 8, is_doubled=True, kept_days=90),
)
_HEAD = """# What it costs

Made by `python -m infra.build.costs`, where every assumption stands; a test fails when this page is stale. US dollars a month at list prices of
europe-west4, without taxes, discounts and the language model; look prices up before you decide. The model is linear where usage is, and rents
a database by size: it says which part grows, not what your bill will be.

"""


def monthly(size: Size) -> dict[str, float]:
    """Return what a month costs, by part, in US dollars."""
    zones = 2 if size.is_doubled else 1
    scans = size.accounts * size.scans_per_day * _MONTH_DAYS
    requests = size.requests_per_day * _MONTH_DAYS
    work = scans * size.resources * (READ_SECONDS_PER_RESOURCE + COMPARE_SECONDS_PER_RESOURCE)
    seconds = work + requests * REQUEST_SECONDS
    disk = _disk_gib(size)
    hourly = size.database_vcpu * PRICES["database_vcpu_hour"] + size.database_gib * PRICES["database_gib_hour"]
    logs_gib = (requests + scans * 40) * LOG_KIB_PER_REQUEST / 1024**2
    return {
        "scans and calls (Cloud Run)": seconds * (PRICES["vcpu_second"] + PRICES["gib_second"])
        + requests / 1e6 * PRICES["million_requests"],
        "database": hourly * _MONTH_HOURS * zones,
        "its disk and backups": disk * (PRICES["disk_gib_month"] * zones + PRICES["backup_gib_month"]),
        "cache": size.cache_gib * PRICES["cache_gib_hour"] * _MONTH_HOURS * zones,
        "edge": PRICES["edge_month"],
        "queue": scans * 60 * 1.0 / 1024**2 * PRICES["queue_gib"],  # about 60 events of a KiB at most
        "logs": logs_gib * PRICES["logs_gib"],
        "everything else": PRICES["fixed_month"] * zones,
    }


def _disk_gib(size: Size) -> float:
    """Return the size of the database: the last picture of each account, and what is kept of scans; 10 GiB at least."""
    picture = size.accounts * size.resources * DATABASE_KIB_PER_RESOURCE
    history = size.accounts * size.scans_per_day * size.kept_days * DRIFT_KIB_PER_SCAN
    return max(10.0, (picture + history) / 1024**2)


def costs_text() -> str:
    """Return the page as Markdown."""
    return _HEAD + "\n".join((*_sizes(), "", *_parts(), "", *_assumptions(), ""))


def _sizes() -> Iterator[str]:
    yield _row("", *(size.name for size in SIZES))
    yield _row(*["---"] * (1 + len(SIZES)))
    yield _row("organisations, accounts", *(f"{size.organisations:,}, {size.accounts:,}" for size in SIZES))
    yield _row(
        "resources of an account, scans a day", *(f"{size.resources:,}, {size.scans_per_day:g}" for size in SIZES)
    )
    yield _row("calls a day", *(f"{size.requests_per_day:,}" for size in SIZES))
    yield _row("database", *(f"{size.database_vcpu} vCPU, {size.database_gib:g} GiB" for size in SIZES))
    yield _row("zones", *("two" if size.is_doubled else "one" for size in SIZES))
    yield _row("disk", *(f"{_disk_gib(size):,.0f} GiB" for size in SIZES))


def _parts() -> Iterator[str]:
    found = [monthly(size) for size in SIZES]
    yield _row("a month", *(size.name for size in SIZES))
    yield _row(*["---"] * (1 + len(SIZES)))
    for part in found[0]:
        yield _row(part, *(f"{costs[part]:,.0f}" for costs in found))
    yield _row("**together**", *(f"**{sum(costs.values()):,.0f}**" for costs in found))
    each = (sum(costs.values()) / size.accounts for costs, size in zip(found, SIZES, strict=True))
    yield _row("for each account", *(f"{cost:,.2f}" for cost in each))


def _assumptions() -> Iterator[str]:
    yield "## What it assumes\n"
    yield f"- Reading a resource takes {READ_SECONDS_PER_RESOURCE * 1000:g} ms of a vCPU, comparing it {COMPARE_SECONDS_PER_RESOURCE * 1000:g} ms, a call {REQUEST_SECONDS * 1000:g} ms."
    yield f"- A resource takes {DATABASE_KIB_PER_RESOURCE:g} KiB of the database, what is kept of a scan {DRIFT_KIB_PER_SCAN:g} KiB."
    yield "- A copy of the database in a second region (`recovery_replica`) costs the database in one zone once more."
    yield "- What scans cost is the customers' resources times how often they are read: the shortest interval of a plan is the strongest lever."


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def main(arguments: list[str] | None = None) -> int:
    """Write the file, or only say whether it is what it should be; returns the exit status."""
    return write_or_check(FILE, costs_text(), "infra.build.costs", arguments)


if __name__ == "__main__":
    sys.exit(main())
