"""DNS rebinding for real: a name server that changes its mind, the system's resolver, servers outside and inside.

Needs namespaces of its own (`tests.support.rebinding_world`); the same with a stand-in resolver is in `test_egress`.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from shutil import which
from typing import Any

import pytest

from tests.support.rebinding_world import ANSWERS, TURNS
from tests.support.running_suite import ROOT

REFUSED = "egress_refused: destination"
_SPACE = ["unshare", "--mount", "--net"]


@pytest.fixture(scope="module")
def told() -> dict[str, Any]:
    if which("unshare") is None or which("ip") is None or subprocess.run([*_SPACE, "true"], check=False).returncode:
        pytest.skip("this machine gives no namespaces (unshare needs root)")
    if not Path("/proc/net/if_inet6").exists():
        pytest.skip("this machine has no IPv6")
    done = subprocess.run(
        [*_SPACE, sys.executable, "-m", "tests.support.rebinding_world"],
        cwd=ROOT, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_nothing_inside_is_ever_connected_to(told: dict[str, Any]) -> None:
    assert told["connections"]["inside"] == 0
    assert told["connections"]["outer"] > 1, "nothing outside was reached either"


def test_a_name_that_moves_inside_is_reached_outside_or_not_at_all(told: dict[str, Any]) -> None:
    assert told["moves.example.com"] == {"said": ["outer", REFUSED], "asked": 2}
    assert told["starts.example.com"] == {"said": [REFUSED, "outer"], "asked": 2}


def test_a_name_that_was_good_when_it_was_stored_is_judged_anew(told: dict[str, Any]) -> None:
    assert told["checked.example.com"]["said"] == [REFUSED, REFUSED]


def test_a_name_that_flips_with_every_question_is_followed_only_outside(told: dict[str, Any]) -> None:
    assert told["flips.example.com"] == {"said": ["outer", REFUSED] * (TURNS // 2), "asked": TURNS}


@pytest.mark.parametrize("name", ["mixed", "six", "mapped", "alias", "inner", "gone"])
def test_one_address_inside_refuses_the_name(told: dict[str, Any], name: str) -> None:
    assert told[f"{name}.example.com"]["said"] == [REFUSED, REFUSED]


def test_a_redirect_to_a_name_inside_is_not_followed(told: dict[str, Any]) -> None:
    assert told["sends-on.example.com"]["said"] == [REFUSED, REFUSED]


def test_a_name_service_that_is_broken_is_no_verdict(told: dict[str, Any]) -> None:
    assert told["broken.example.com"]["said"] == ["egress_failed: ", "egress_failed: "]


def test_each_call_asks_once(told: dict[str, Any]) -> None:
    """Twice would be the hole itself: the first answer judged, the second one dialled."""
    calls = {
        name: len(told[name]["said"]) for name in ANSWERS if name not in {"inner.example.com", "broken.example.com"}
    }
    calls["checked.example.com"] += 1
    assert {name: told[name]["asked"] for name in calls} == calls
