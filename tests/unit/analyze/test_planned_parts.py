"""Which analyses the comment of a pull request shows, and how it reads when there are several."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from functions.analyze.domain.outputs.comments import to_comment
from functions.analyze.domain.outputs.markdown import MARK, MOST_CHARACTERS, to_markdown
from functions.analyze.domain.planned_parts import MOST_SHOWN, Selection, is_superseded, label_of, part_of, select
from tests.support.analyses import analysis, finding

HOST: dict[str, Any] = {"id": UUID(int=1), "kind": "github", "url": "https://github.com", "owner": "shop"}
NOW = datetime(2026, 1, 1, tzinfo=UTC)
CI = {"repo_owner": "shop", "repo_name": "infra", "pr_number": 12, "commit_sha": "ab" * 20}


def row(number: int, directory: str = "", level: str = "low", **members: Any) -> dict[str, Any]:
    ci = {**CI, "directory": directory, **members.pop("ci", {})}
    return {
        "id": UUID(int=number), "project": "", "directory": directory, "workspace": "", "risk_level": level, "is_refused": False,
        "summary": "s", "created_at": NOW, "ci": ci, **members,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("ci", "label"),
    [
        (None, ""),
        ({}, ""),
        ({"directory": None, "workspace": "default"}, ""),
        ({"directory": ".", "workspace": ""}, ""),
        ({"directory": "./envs//prod/"}, "envs/prod"),
        ({"directory": "envs/prod", "workspace": "blue"}, "envs/prod (blue)"),
        ({"workspace": "blue"}, "blue"),
        ({"project": "network", "directory": "envs/prod", "workspace": "blue"}, "network: envs/prod (blue)"),
        ({"project": "network", "workspace": "blue"}, "network (blue)"),
    ],
)
def test_a_part_has_one_form_and_a_name(ci: dict[str, Any] | None, label: str) -> None:
    assert label_of(part_of(ci)) == label


def test_the_worst_comes_first_and_what_is_too_much_is_counted() -> None:
    rows = [row(number, f"d{number:02}", "none") for number in range(1, 31)]
    rows[3]["risk_level"] = "high"
    found = select(rows, rows[0], HOST["id"], [HOST])
    assert (len(found.rows), found.left_out) == (MOST_SHOWN, 30 - MOST_SHOWN)
    assert [each["directory"] for each in found.rows[:3]] == ["d04", "d01", "d02"]


def test_an_analysis_gives_way_to_a_newer_one_of_its_part_only() -> None:
    newer, other, older = row(3, "a"), row(2, "b"), row(1, "a")
    found = select([newer, other], older, HOST["id"], [HOST])
    assert found.ids == [newer["id"], other["id"]]
    assert is_superseded([newer, other], older, found)
    assert not is_superseded([newer, other], newer, found)
    assert not is_superseded([newer, other], other, found)


def test_what_belongs_to_a_repository_of_the_same_name_at_another_host_is_left_out() -> None:
    elsewhere = row(3, "a", ci={"repo_url": "https://git.example/shop/infra"})
    asked = row(1, "a")
    found = select([elsewhere], asked, HOST["id"], [HOST])
    assert found.ids == [asked["id"]]
    assert not is_superseded([elsewhere], asked, found)


def big(number: int, findings: int) -> dict[str, Any]:
    items = [
        finding(id=f"f{index}", title=f"title {index}", address=f"aws_x.y{index}", reason="because " * 40)
        for index in range(findings)
    ]
    return {**analysis(*items), "id": UUID(int=number)}


def test_a_single_plan_of_no_part_in_particular_reads_as_it_always_did() -> None:
    told = big(1, 3)
    assert to_comment(Selection([row(1)], 0), lambda _: told) == to_markdown(told)


def test_a_single_part_is_named() -> None:
    text = to_comment(Selection([row(1, "envs/prod")], 0), lambda _: big(1, 1))
    assert text.startswith(f"{MARK}\n\n## DriftWise: low risk in one plan")
    assert "`envs/prod`" in text


@pytest.mark.parametrize("findings", [0, 3, 400])
@pytest.mark.parametrize("parts", [2, 7, MOST_SHOWN])
def test_whatever_there_is_fits_and_every_part_is_named(parts: int, findings: int) -> None:
    rows = [row(number, f"d{number:02}{'|é😀' * 70}", "high") for number in range(1, parts + 1)]
    text = to_comment(Selection(rows, 5), lambda found: big(found.int, findings))
    assert len(text.encode("utf-16-le")) // 2 <= MOST_CHARACTERS
    for each in rows:
        assert str(each["id"]) in text
        assert each["directory"][:3] in text
    assert text.count("<details>") == text.count("</details>") >= parts
    assert "5 older plans" in text


def test_what_does_not_fit_is_said_and_not_cut() -> None:
    def huge(found: UUID) -> dict[str, Any]:
        return {**big(found.int, 1), "notes": [f"note {number} {'x' * 590}" for number in range(200)]}

    rows = [row(number, f"d{number:02}", "high") for number in range(1, MOST_SHOWN + 1)]
    text = to_comment(Selection(rows, 0), huge)
    assert len(text.encode("utf-16-le")) // 2 <= MOST_CHARACTERS
    assert "There was no room for" in text
    assert text.count("<details>") == text.count("</details>")
    assert all(f"`d{number:02}`" in text for number in range(1, MOST_SHOWN + 1))
