"""JUnit XML: valid by the schema that readers share, and what GitLab, Jenkins and Azure Pipelines make of it."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from functions.analyze.domain.outputs import to_junit
from tests.support.analyses import HOSTILE, accepted, analysis, finding, full
from tests.support.peers import PEERS

SCHEMA = PEERS / "node_modules" / "jest-junit-reporter" / "src" / "__tests__" / "fixtures" / "junit.xsd"


@cache
def _schema() -> Any:
    if not SCHEMA.is_file():
        pytest.skip("the JUnit schema is not installed: `make setup`")
    return etree.XMLSchema(etree.parse(SCHEMA))


def _suites(answer: dict[str, Any]) -> Any:
    """Write, read again as a strict parser does, and check what every reader relies on."""
    root = etree.fromstring(to_junit(answer).encode())
    names = [(case.get("classname"), case.get("name")) for case in root.iter("testcase")]
    assert len(names) == len(set(names)) > 0
    for number, suite in enumerate(root):
        assert suite.get("id") == str(number)
        assert int(suite.get("tests")) == len(suite.findall("testcase"))
        assert int(suite.get("failures")) == len(suite.findall("testcase/failure"))
    return root


def _failed(root: Any) -> list[str]:
    return [case.get("name") for case in root.iter("testcase") if case.find("failure") is not None]


@pytest.mark.parametrize(
    "answer",
    [
        analysis(),
        analysis(finding()),
        analysis(finding(), finding(id="b", severity="low"), accepted()),
        analysis(finding(), fail_on=None),
    ],
)
def test_a_report_is_valid(answer: dict[str, Any]) -> None:
    assert _schema().validate(_suites(answer)), _schema().error_log


def test_the_schema_refuses_what_is_no_report() -> None:
    assert not _schema().validate(etree.fromstring(b"<testsuites><testsuite name='x'/></testsuites>"))


def test_what_reaches_the_gate_fails_and_the_rest_passes() -> None:
    root = _suites(
        analysis(
            finding(severity="critical", address="a.critical"),
            finding(address="a.high"),
            finding(severity="medium", address="a.medium"),
            finding(severity="low", address="a.low"),
        )
    )
    assert [suite.get("name") for suite in root] == [
        "DriftWise: critical risk", "DriftWise: high risk", "DriftWise: medium risk", "DriftWise: low risk",
    ]  # fmt: skip
    assert [name.split(": ")[1] for name in _failed(root)] == ["a.critical", "a.high"]
    assert "a.medium" in root[2].find("system-out").text


def test_a_failure_says_what_why_and_what_to_do() -> None:
    (failure,) = _suites(analysis(finding())).iter("failure")
    assert failure.get("message") == 'A port is opened to public networks: module.web["a"].aws_security_group.main'
    assert failure.get("type") == "aws-ingress"
    for part in ('["10.0.0.0/8"] -> ["0.0.0.0/0"]', "Opened: tcp 22.", "Anybody on the internet", "What to do: Name"):
        assert part in failure.text


def test_without_a_gate_nothing_fails() -> None:
    assert _failed(_suites(analysis(finding(severity="critical"), fail_on=None))) == []


def test_what_a_policy_accepts_is_no_test() -> None:
    assert len(list(_suites(analysis(finding(), accepted())).iter("testcase"))) == 1


def test_a_plan_without_findings_is_one_passed_test() -> None:
    (case,) = _suites(analysis()).iter("testcase")
    assert case.get("name") == "The plan carries no finding"


def test_two_findings_of_one_name_are_two_tests() -> None:
    names = [
        case.get("name") for case in _suites(analysis(finding(), finding(id="b"), finding(id="c"))).iter("testcase")
    ]
    assert names == [names[0], f"{names[0]} (2)", f"{names[0]} (3)"]


def test_times_are_utc() -> None:
    assert _suites(analysis(finding()))[0].get("timestamp") == "2026-11-25T09:11:12"


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_hostile_breaks_a_report(text: str) -> None:
    root = _suites(full(text))
    assert {element.tag for element in root.iter()} == {
        "testsuites", "testsuite", "properties", "property", "testcase", "failure", "system-out", "system-err",
    }  # fmt: skip


@settings(max_examples=100)
@given(st.text(max_size=30))
def test_any_text_makes_a_report_that_can_be_read(text: str) -> None:
    root = _suites(full(text))
    if SCHEMA.is_file():
        assert _schema().validate(root), _schema().error_log
