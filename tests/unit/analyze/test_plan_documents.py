"""What somebody uploads as a plan: every form a plan is found in is read, everything else says what it looks like."""

from __future__ import annotations

import gzip
import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.analyze.domain.plan import documents, read_plan
from functions.analyze.errors import PlanTooLarge, PlanUnreadable, PlanVersionUnsupported

PLAN: dict[str, Any] = {
    "format_version": "1.2",
    "terraform_version": "1.9.8",
    "resource_changes": [
        {
            "address": "aws_vpc.main", "mode": "managed", "type": "aws_vpc", "name": "main",
            "provider_name": "registry.terraform.io/hashicorp/aws",
            "change": {"actions": ["update"], "before": {"tags": {"Name": "Zürich 本"}}, "after": {"tags": {}}, "after_unknown": {}},
        }
    ],
}  # fmt: skip
TEXT = json.dumps(PLAN, ensure_ascii=False)


def _looks_like(content: Any) -> tuple[str, PlanUnreadable]:
    with pytest.raises(PlanUnreadable) as caught:
        read_plan(content)
    return str(caught.value.facts.get("looks_like")), caught.value


@pytest.mark.parametrize(
    "content",
    [
        TEXT.encode(), b"\xef\xbb\xbf" + TEXT.encode(), TEXT.encode("utf-16"), b"\xff\xfe" + TEXT.encode("utf-16-le"),
        b"\xfe\xff" + TEXT.encode("utf-16-be"), TEXT.encode("utf-16-le"), TEXT.encode("utf-16-be"), TEXT, PLAN,
        json.dumps(TEXT), json.dumps(TEXT).encode("utf-16"), json.dumps(json.dumps(TEXT)), gzip.compress(TEXT.encode(), mtime=0),
        gzip.compress(TEXT.encode("utf-16"), mtime=0), b"\r\n\t " + TEXT.encode() + b"\r\n",
        b"[command]/usr/bin/terraform-bin show -json tfplan\n" + TEXT.encode(),
    ],
)  # fmt: skip
def test_one_plan_is_read_alike_in_every_form(content: Any) -> None:
    plan = read_plan(content)
    assert [change.address for change in plan.changes] == ["aws_vpc.main"]
    assert plan.changes[0].before == {"tags": {"Name": "Zürich 本"}}


@pytest.mark.parametrize(
    ("content", "looks_like"),
    [
        (b"", "empty"),
        (b" \r\n", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b"PK\x03\x04\x14\x00tfplan", "binary_plan"),
        (gzip.compress(b"PK\x03\x04\x14\x00tfplan", mtime=0), "binary_plan"),
        (b"\x1f\x8bnothing of the kind", "gzip"),
        (gzip.compress(TEXT.encode(), mtime=0)[:-20], "gzip"),
        (b"\x80\x81\x82", "binary"),
        (b"<!DOCTYPE html><html><body>Sign in</body></html>", "html"),
        (b"Terraform will perform the following actions:\n\n  # aws_vpc.main will be created\n", "plan_text"),
        (b"\nOpenTofu used the selected providers to generate the following execution plan.", "plan_text"),
        (b"No changes. Your infrastructure matches the configuration.", "plan_text"),
        (b'# network\nresource "aws_vpc" "main" {\n  cidr_block = "10.0.0.0/16"\n}\n', "hcl"),
        (b'terraform {\n  required_version = ">= 1.5"\n}\n', "hcl"),
        (b"Error: Failed to read plan file", "error_text"),
        (b"hello", "text"),
        (b'{"version": 4, "terraform_version": "1.9.8", "serial": 3, "lineage": "x", "resources": []}', "state"),
        (b'{"format_version": "1.0", "terraform_version": "1.9.8", "values": {"root_module": {}}}', "state"),
        (b'{"format_version": "1.0", "provider_schemas": {}}', "provider_schemas"),
        (
            b'{"@level":"info","@message":"Terraform 1.9.8","type":"version"}\n{"@level":"info","@message":"x"}\n',
            "plan_log",
        ),
        (b'{"encrypted_data": "AAAA", "encryption_version": "v0", "meta": {}}', "encrypted"),
        (b'{"name": "driftwise"}', "json"),
        (b"[1, 2]", "json"),
        (b"null", "json"),
        (b'{"a": 1, "a": 2}', "json"),
        (b'{"format_version": "1.2", "resource_changes": NaN}', "json"),
        (b'{"format_version": "one", "resource_changes": []}', "plan"),
    ],
)
def test_what_is_no_plan_says_what_it_looks_like(content: bytes, looks_like: str) -> None:
    assert _looks_like(content)[0] == looks_like


@given(st.integers(1, len(TEXT.encode()) - 1))
def test_a_plan_that_was_cut_off_anywhere_says_where(size: int) -> None:
    cut = TEXT.encode()[:size]
    try:
        cut.decode()
    except UnicodeDecodeError:
        return  # the cut went through a character
    looks_like, error = _looks_like(cut)
    assert (looks_like, error.facts["cut_at"]) == ("cut_json", size)


@pytest.mark.parametrize("version", ["0.1", "0.2", "1.0", "1.1", "1.2", "1.2.0"])
def test_formats_up_to_1_2_are_read_without_a_note(version: str) -> None:
    assert read_plan({**PLAN, "format_version": version}).notes == ()


def test_a_newer_minor_format_is_read_with_a_note_and_a_newer_major_one_is_refused() -> None:
    assert "newer than 1.2" in read_plan({**PLAN, "format_version": "1.7"}).notes[0]
    with pytest.raises(PlanVersionUnsupported):
        read_plan({**PLAN, "format_version": "2.0"})


def test_gzip_that_unpacks_to_more_than_the_cap_is_refused_without_being_unpacked_whole() -> None:
    with pytest.raises(PlanTooLarge):
        read_plan(gzip.compress(b" " * (documents.MOST_BYTES + 1)))


def test_more_bytes_or_values_than_the_cap_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "MOST_BYTES", 100)
    with pytest.raises(PlanTooLarge):
        read_plan(TEXT.encode())
    with pytest.raises(PlanTooLarge):
        read_plan(TEXT)
    monkeypatch.undo()
    monkeypatch.setattr(documents, "MOST_VALUES", 5)
    with pytest.raises(PlanTooLarge):
        read_plan(TEXT)


@pytest.mark.parametrize("levels", [documents.MOST_LEVELS + 1, 5_000])
def test_deep_nesting_is_refused(levels: int) -> None:
    deep = '{"format_version": "1.2", "resource_changes": ' + "[" * levels + "]" * levels + "}"
    assert "nested" in str(_looks_like(deep)[1])
    value: Any = []
    for _ in range(levels):
        value = [value]
    assert "nested" in str(_looks_like({**PLAN, "resource_changes": value})[1])


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_no_bytes_break_the_reader(content: bytes) -> None:
    with suppress(PlanUnreadable, PlanTooLarge):
        read_plan(content)
