"""The page that says what is compared is what the type tables say."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.build.coverage import FILE, chapters, main


def test_the_page_is_current() -> None:
    assert main(["--check"]) == 0, "run `python -m infra.build.coverage` and commit it"


def test_a_stale_page_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infra.build.coverage.FILE", tmp_path / "coverage.md")
    assert main(["--check"]) == 1
    assert main([]) == 0
    assert main(["--check"]) == 0


def test_every_type_of_every_cloud_has_one_row() -> None:
    rows = [line.split("`")[1] for line in FILE.read_text("utf-8").splitlines() if line.startswith("| `")]
    assert sorted(rows) == sorted(name for chapter in chapters() for name in chapter.table)
    assert len(set(rows)) == len(rows)
    assert {name.partition("_")[0] for name in rows} >= {"aws", "google", "azurerm", "kubernetes"}
