"""Every rule family of the field: what it folds shows nothing, and the real change beside it shows.

The list stands in `middlewares` and `families`; `harness.Family` says how to read it. Printed with `-s`, it tells a stranger
where each is handled.
"""

from __future__ import annotations

import pytest

from . import families, middlewares, normalisers
from .harness import Case, Family, found_in

ALL: tuple[Family, ...] = (*middlewares.FAMILIES, *normalisers.FAMILIES, *families.FAMILIES)
FOLDS = [pytest.param(case, id=f"{family.id}: {case.name}") for family in ALL for case in family.folds]
CHANGES = [pytest.param(case, id=f"{family.id}: {case.name}") for family in ALL for case in family.changes]
MIDDLEWARES = 42  # of the first generation, for AWS


def test_every_middleware_has_its_row() -> None:
    numbers = [int(family.id.split(" ", 1)[0]) for family in middlewares.FAMILIES]
    assert numbers == list(range(1, MIDDLEWARES + 1))


def test_every_family_says_where_it_is_handled_and_proves_both_sides() -> None:
    assert len({family.id for family in ALL}) == len(ALL)
    for family in ALL:
        print(f"{family.id}: {family.handled}")
        assert family.source, family.id
        assert family.handled, family.id
        assert bool(family.folds) == bool(family.changes), f"{family.id}: one side is not proved"
        if not family.folds:
            assert family.handled.startswith("Not needed: "), f"{family.id}: neither proved nor explained"


@pytest.mark.parametrize("case", FOLDS)
def test_two_spellings_of_one_thing_show_nothing(case: Case) -> None:
    assert found_in(case) == set()


@pytest.mark.parametrize("case", CHANGES)
def test_the_real_change_beside_it_shows(case: Case) -> None:
    assert found_in(case) == case.shows
