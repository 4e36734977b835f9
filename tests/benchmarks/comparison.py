"""The comparison at 100,000 pairs against itself at 10,000: it must grow in line, in time and in memory."""

from __future__ import annotations

import time
import tracemalloc
from statistics import median

from functions.scan.domain.comparison import Sides, compare
from functions.scan.domain.resources import Declared, LiveResource
from functions.scan.types.aws import SPECS

from .result import Result

_TYPE = "aws_subnet"


def measure() -> list[Result]:
    """Measure both sizes in turn, three times."""
    small, large = _sides(10_000), _sides(100_000)
    times = [(_seconds(small), _seconds(large)) for _ in range(3)]
    ratio = median(big / little for little, big in times)
    seconds = median(big for _, big in times)
    little_bytes, big_bytes = _peak_bytes(small), _peak_bytes(large)
    return [
        Result(
            "comparison of 100,000 pairs", "of 10,000", f"{seconds:.2f} s", ratio, "at most 11, under 10 s",
            ratio <= 11 and seconds < 10,
        ),
        Result(
            "its memory, 100,000 pairs", "10,000", f"{big_bytes / 2**20:.0f} MiB", big_bytes / little_bytes,
            "at most 11, under 1 GiB", big_bytes < 2**30,
        ),
    ]  # fmt: skip


def _sides(count: int) -> Sides:
    """Make pairs of which every hundredth differs, every thousandth is missing and as many are unmanaged."""
    declared = [
        Declared(f'{_TYPE}.a["{number}"]', _TYPE, f"subnet-{number}", _attributes(number, "10.0.0.0/24"))
        for number in range(count)
    ]
    live = [
        LiveResource(
            _TYPE,
            f"subnet-{number if number % 1000 else number + count}",
            "us-east-1",
            _attributes(number, "10.9.9.0/24" if number % 100 == 1 else "10.0.0.0/24"),
            f"arn:{number}",
        )
        for number in range(count)
    ]
    return Sides("123456789012", frozenset({"us-east-1"}), declared, live)


def _attributes(number: int, cidr: str) -> dict[str, object]:
    return {
        "vpc_id": "vpc-1",
        "cidr_block": cidr,
        "availability_zone": "us-east-1a",
        "map_public_ip_on_launch": False,
        "tags": {"Name": f"subnet {number}", "Team": "network", "Stage": "production"},
    }


def _seconds(sides: Sides) -> float:
    began = time.perf_counter()
    found = sum(1 for _ in compare(sides, SPECS))
    assert found, "the pairs differ by design"
    return time.perf_counter() - began


def _peak_bytes(sides: Sides) -> int:
    tracemalloc.start()
    try:
        sum(1 for _ in compare(sides, SPECS))
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
