"""The documents people read: generated ones are fresh, written ones name things that exist."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from infra.build import costs, drawings, reference

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "infra" / "docs"
PROMISES = set(re.findall(r"^\| `([a-z0-9-]+)` \|", (ROOT / "SECURITY.md").read_text(encoding="utf-8"), re.MULTILINE))
THREATS = (DOCS / "threat-model.md").read_text(encoding="utf-8")
FLOWS = re.findall(r"^## (F\d+) (.+?)\n(.*?)(?=^## )", THREATS, re.MULTILINE | re.DOTALL)


def _anchor(title: str) -> str:
    """Name a heading the way code hosts do in addresses."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


@pytest.mark.parametrize("main", [costs.main, drawings.main, reference.main], ids=["costs", "drawings", "reference"])
def test_generated_pages_are_fresh(main: Callable[[list[str]], int], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--check"]) == 0, capsys.readouterr().err


@pytest.mark.parametrize(
    ("flow", "body"), [(flow, body) for flow, _title, body in FLOWS], ids=[flow[0] for flow in FLOWS]
)
def test_each_flow_meets_each_kind_of_threat_and_each_threat_a_promise(flow: str, body: str) -> None:
    rows = [line.strip("| ").split(" | ") for line in body.splitlines() if re.match(r"\| [STRIDE] \|", line)]
    assert {row[0] for row in rows} == set("STRIDE"), flow
    for row in rows:
        named = set(re.findall(r"`([a-z0-9-]+)`", row[3]))
        assert named, f"{flow}: {row[1]}"
        assert named <= PROMISES, f"{flow}: {named - PROMISES}"


def test_the_flows_are_all_there() -> None:
    assert [flow for flow, *_ in FLOWS] == [f"F{number}" for number in range(1, len(FLOWS) + 1)]
    assert len(FLOWS) >= 13


@pytest.mark.parametrize("page", sorted(DOCS.glob("*.md")), ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.DOTALL)):
        name, _, anchor = target.partition("#")
        if re.match(r"[a-z]+:", name):
            continue
        file = (page.parent / name) if name else page
        assert file.exists(), f"{page.name}: {target}"
        if anchor:
            titles = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {_anchor(title) for title in titles}, f"{page.name}: {target}"


def test_the_data_map_has_every_table_and_no_other() -> None:
    sql = "\n".join(file.read_text(encoding="utf-8") for file in sorted((ROOT / "infra" / "migrations").glob("*.sql")))
    made = set(re.findall(r"^create table (?:if not exists )?([a-z]+\.[a-z_]+)", sql, re.MULTILINE))
    made -= set(re.findall(r"^drop table (?:if exists )?([a-z]+\.[a-z_]+)", sql, re.MULTILINE))
    mapped = re.findall(r"^\| `([a-z]+\.[a-z_]+)` \|", (DOCS / "data-map.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(mapped) == sorted(made)
