"""What the journey of scans makes of what a scan found."""

from __future__ import annotations

import pytest

from tests.chaos.journeys.scans import Seen, compare

TRUTH = Seen({("missing", "aws_a.x", ""): "aws_a", ("changed", "aws_b.y", "size"): "aws_b"}, 2, frozenset())
A, B = TRUTH.types.items()
OTHER = (("unmanaged", "z", ""), "aws_a")


@pytest.mark.parametrize(
    ("seen", "checks"),
    [
        (TRUTH, []),
        (Seen(dict([A]), 1, frozenset()), ["scans: missed"]),
        (Seen(dict([A]), 1, frozenset({"aws_b"})), []),  # what could not be read is not missed
        (Seen(dict([B]), 1, frozenset({"aws_b"})), ["scans: missed"]),
        (Seen(dict([A, B, OTHER]), 3, frozenset()), ["scans: untrue"]),
        (Seen(dict([OTHER]), 1, frozenset({"aws_a", "aws_b"})), ["scans: untrue"]),  # and nothing is made up about it
        (Seen(dict([A, B]), 3, frozenset()), ["scans: doubled"]),
    ],
)
def test_a_scan_finds_the_truth_of_what_it_read(seen: Seen, checks: list[str]) -> None:
    assert [violation.check for violation in compare("a scan", seen, TRUTH)] == checks
