"""An analysis as a check run: the gate decides how it ends, the worst comes first, nothing in it acts or breaks GitHub's bounds."""

from __future__ import annotations

from typing import Any

import pytest

from functions.analyze.domain.outputs.checks import MOST_ANNOTATIONS, to_check
from tests.support.analyses import HOSTILE, accepted, analysis, finding, full


@pytest.mark.parametrize(
    ("level", "own_gate", "default_gate", "conclusion"),
    [
        ("high", "high", None, "failure"), ("high", "critical", None, "success"), ("high", "critical", "low", "success"),
        ("high", None, "high", "failure"), ("medium", None, "high", "success"), ("high", None, None, "neutral"),
        ("none", None, None, "success"), ("none", "low", None, "success"),
    ],
)  # fmt: skip
def test_the_gate_decides(level: str, own_gate: Any, default_gate: Any, conclusion: str) -> None:
    answer = analysis(*([finding(severity=level)] if level != "none" else []), fail_on=own_gate)
    assert to_check(answer, default_gate).conclusion == conclusion


def test_each_finding_is_an_annotation_and_accepted_ones_are_none() -> None:
    check = to_check(analysis(finding(severity="critical"), finding(severity="low"), accepted()), None)
    assert [item["annotation_level"] for item in check.annotations] == ["failure", "notice"]
    first = check.annotations[0]
    assert first["path"] == "terraform-plan/module.web[_a_].aws_security_group.main"
    assert (first["start_line"], first["end_line"], first["title"]) == (1, 1, "A port is opened to public networks")
    assert first["message"].splitlines()[0].startswith('module.web["a"].aws_security_group.main: Opened: tcp 22.')
    assert '["10.0.0.0/8"] -> ["0.0.0.0/0"]' in first["message"]
    assert check.external_id == analysis()["id"]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_hides_nothing_and_leaves_no_folder(text: str) -> None:
    check = to_check(full(text), None)
    assert check.title.isprintable()
    for item in check.annotations:
        assert item["path"].count("/") == 1
        assert item["path"].isascii()
        assert item["title"].isprintable()
        assert all(line.isprintable() for line in item["message"].split("\n"))


def test_the_bounds_of_the_api_hold() -> None:
    long = "w" * 100_000
    check = to_check(
        analysis(*[finding(title=long, reason=long, note=long, address=long) for _ in range(300)], summary=long), None
    )
    assert len(check.annotations) == MOST_ANNOTATIONS
    assert len(check.title) <= 255
    assert len(check.summary) <= 65_535
    for item in check.annotations:
        assert len(item["title"]) <= 255
        assert len(item["message"].encode()) < 64 * 1024
        assert len(item["path"]) < 400
