"""The lint of leftovers, on planted ones."""

from __future__ import annotations

import pytest

from infra.lint.marks import ROOT, check, check_tree


@pytest.mark.parametrize("mark", ["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"])
def test_marks_of_unfinished_work_are_found(mark: str) -> None:
    assert list(check("functions/keys/domain.py", f"a = 1\n# {mark}: later\n")) == [
        f"functions/keys/domain.py:2: {mark}: finish it, or file an issue"
    ]


@pytest.mark.parametrize("place", ["/wo" + "rk/main", "/ro" + "ot/x", "/ho" + "me/ann/x", "/Us" + "ers/Ann/x"])
def test_paths_of_a_machine_are_found(place: str) -> None:
    assert len(list(check("README.md", f"run `{place}/tool`\n"))) == 1


@pytest.mark.parametrize(
    "text", ["https://example.com/home/ann/x", "$HOME/root/x", "./root/x", "a/work/x", "/rooted/x"]
)
def test_paths_that_are_nobodys_pass(text: str) -> None:
    assert list(check("README.md", text)) == []


def test_print_is_for_tools_only() -> None:
    source = 'def f():\n    print("x")\n'
    assert list(check("functions/keys/domain.py", source)) != []
    assert list(check("shared/http/app.py", source)) != []
    assert list(check("infra/lint/marks.py", source)) == []
    assert list(check("functions/keys/domain.py", "blueprint(1)\npprint.print(2)\n")) == []


def test_this_tree_is_clean() -> None:
    assert list(check_tree(ROOT)) == []
