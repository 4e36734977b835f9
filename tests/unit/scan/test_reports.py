"""Reports: nothing runs when they are opened, nothing breaks out of its cell, no secret is in them."""

from __future__ import annotations

import base64
import csv
import hashlib
import html
import io
import json
import re
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.scan.domain import reports
from shared.reports.page import HEADER_POLICY
from tests.support.analyses import HOSTILE
from tests.support.gfm import Page
from tests.support.html_files import page_faults, tags_of
from tests.support.sarif_schema import sarif_faults

WRITERS = {"csv": reports.to_csv, "markdown": reports.to_markdown, "sarif": reports.to_sarif, "html": reports.to_html}


def _row(**members: Any) -> dict[str, Any]:
    base = {
        "id": UUID(int=1),
        "severity": "high",
        "kind": "changed",
        "type": "aws_thing",
        "key": "t-1",
        "address": "aws_thing.one",
        "cloud_id": "arn:aws:x:::t-1",
        "region": "us-east-1",
        "path": "name",
        "before": "old",
        "after": "new",
        "is_sensitive": False,
        "rule": "attribute-changed",
        "first_seen_at": datetime(2026, 1, 2, tzinfo=UTC),
    }
    return {**base, **members}


def _whole(kind: str, **members: Any) -> dict[str, Any]:
    return _row(kind=kind, path=None, before=None, after=None, **members)


UNMANAGED = _whole("unmanaged", address=None)
MISSING = _whole("missing", severity="critical", rule="stateful-resource-missing")


def _csv(*rows: dict[str, Any]) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(reports.to_csv(rows))))


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r", "\n", " =", "\uff1d", "\uff20"])
def test_a_cell_that_a_spreadsheet_would_run_is_made_inert(sign: str) -> None:
    found = _csv(_row(address=f"{sign}HYPERLINK()", before=f"{sign}1", after=f"{sign}2"))[0]
    for name in ("address", "before", "after"):
        assert not found[name].startswith(("=", "+", "-", "@", "\t", "\r"))
    assert found["address"] == f"'{sign}HYPERLINK()"


@given(st.text(max_size=30), st.text(max_size=30))
def test_no_text_breaks_out_of_its_csv_cell(address: str, value: str) -> None:
    text = reports.to_csv([_row(address=address, after=value), MISSING])
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert [len(row) for row in rows] == [len(reports.COLUMNS)] * 3
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for row in rows for cell in row)


def test_a_csv_has_every_column_and_leaves_empty_what_does_not_apply() -> None:
    found = _csv(UNMANAGED)[0]
    assert tuple(found) == reports.COLUMNS
    assert (found["address"], found["path"], found["before"], found["after"]) == ("", "", "", "")


@given(st.text(max_size=60), st.text(max_size=60))
def test_no_text_breaks_out_of_its_markdown_cell(address: str, value: str) -> None:
    lines = reports.to_markdown([_row(address=address or "a", after=value)]).split("\n")
    table = [line for line in lines if line.startswith("|")]
    assert len(table) == 3
    assert len(lines) == 8
    bare = table[2].replace("\\\\", "").replace("\\|", "")
    assert bare.count("|") == 7


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_acts_in_a_rendered_report(text: str) -> None:
    page = Page(reports.to_markdown([_row(address=text, path=text, before=text, after=text)]))
    assert page.faults == []
    assert page.tags.count("td") == 6


def test_what_a_rendered_report_shows_is_what_is_there() -> None:
    address = 'aws_thing.one["a|b\\c"]'
    assert address in Page(reports.to_markdown([_row(address=address)])).codes


def test_no_drift_is_a_sentence_of_its_own() -> None:
    assert "No drift" in reports.to_markdown([])
    assert _csv() == []


def test_the_worst_comes_first() -> None:
    rows = [_row(severity="low"), MISSING, _row(severity="medium")]
    assert [row["severity"] for row in _csv(*rows)] == ["critical", "medium", "low"]
    assert [row["severity"] for row in reports.by_severity(list(reversed(rows)))] == ["critical", "medium", "low"]


def _check_sarif(log: Any) -> None:
    """Check a log by the standard's schema, and what that cannot say."""
    assert sarif_faults(log) == []
    (run,) = log["runs"]
    driver = run["tool"]["driver"]
    assert driver["name"]
    rules = [rule["id"] for rule in driver["rules"]]
    assert len(rules) == len(set(rules))
    for result in run["results"]:
        assert rules[result["ruleIndex"]] == result["ruleId"]
        assert result["message"]["text"]
        assert result["partialFingerprints"]["primaryLocationLineHash"]
        assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].startswith("drift/")
        for location in result["locations"]:
            assert all(place["fullyQualifiedName"] for place in location["logicalLocations"])


@given(
    st.lists(
        st.builds(
            _row,
            id=st.uuids(),
            severity=st.sampled_from(["low", "medium", "high", "critical"]),
            rule=st.sampled_from(["a-rule", "b-rule"]),
            address=st.text(min_size=1, max_size=20),
            after=st.none() | st.integers() | st.text() | st.lists(st.text(max_size=3), max_size=2),
        ),
        max_size=5,
    )
)
def test_sarif_is_well_formed_whatever_is_in_it(rows: list[dict[str, Any]]) -> None:
    log = json.loads(reports.to_sarif(rows))
    _check_sarif(log)
    assert len(log["runs"][0]["results"]) == len(rows)


def test_sarif_names_a_resource_that_no_state_knows_by_its_cloud_id() -> None:
    log = json.loads(reports.to_sarif([UNMANAGED, MISSING]))
    _check_sarif(log)
    names = [
        result["locations"][0]["logicalLocations"][0]["fullyQualifiedName"] for result in log["runs"][0]["results"]
    ]
    assert names == ["aws_thing.one", "arn:aws:x:::t-1"]


@pytest.mark.parametrize("form", WRITERS)
@pytest.mark.parametrize("value", ["hunter2", {"PASSWORD": "hunter2"}, ["hunter2"]])
def test_sensitive_values_are_in_no_report(form: str, value: object) -> None:
    text = WRITERS[form]([_row(before=value, after=value, is_sensitive=True)])
    assert "hunter2" not in text
    assert "(sensitive)" in text


def test_long_values_are_cut_for_people_and_whole_for_machines() -> None:
    long = "x" * 500
    assert long not in reports.to_markdown([_row(after=long)])
    assert long in reports.to_csv([_row(after=long)])


@pytest.mark.parametrize("row", [UNMANAGED, MISSING, _row()])
def test_a_sentence_names_the_resource(row: dict[str, Any]) -> None:
    assert (row["address"] or row["cloud_id"]) in reports.sentence(row)


def test_a_report_that_leaves_something_out_says_so() -> None:
    for form in ("markdown", "sarif", "html"):
        assert "milder ones" in WRITERS[form]([_row()], left_out=True)
        assert "milder ones" not in WRITERS[form]([_row()])


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_acts_in_a_page(text: str) -> None:
    assert page_faults(reports.to_html([_row(address=text, path=text, before=text, after=text)])) == []


@given(st.text(max_size=40))
def test_no_text_breaks_out_of_a_page(text: str) -> None:
    plain, filled = (reports.to_html([_row(address=address, after=address)]) for address in ("a", text))
    assert page_faults(filled) == []
    assert tags_of(filled) == tags_of(plain)


def test_a_page_draws_its_numbers_and_names_them() -> None:
    page = reports.to_html([MISSING, _row(), _row()])
    assert 'aria-label="Findings by severity: critical 1, high 2, medium 0, low 0"' in page
    assert page.count("<rect ") == 4
    assert page.index("critical</td>") < page.index("high</td>")


def test_a_page_allows_its_own_style_and_nothing_else() -> None:
    page = reports.to_html([_row()])
    (style,) = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = html.unescape(re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)[0])
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert page.index("Content-Security-Policy") < page.index("<style>")
    assert HEADER_POLICY.startswith(policy)
    assert "sandbox" in HEADER_POLICY
