"""Laws of the comparison: nothing invented, nothing hidden, whatever could not be read stays unsaid."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.scan.domain import shapes
from functions.scan.domain.comparison import Drift, Sides, Tally, compare
from functions.scan.domain.difference import changes
from functions.scan.domain.resources import Declared, LiveResource, NotChecked, Parent, Unread
from functions.scan.domain.specs import TypeSpec, by, index

ACCOUNT, REGION = "123456789012", "us-east-1"
SPECS = index(
    (
        TypeSpec(
            "aws_thing",
            {
                "name": shapes.text,
                "size": shapes.number,
                "ports": shapes.set_of(shapes.number),
                "steps": shapes.list_of(shapes.text),
                "tags": shapes.tags,
                "secret": shapes.text,
                "settings": shapes.block({"on": shapes.boolean, "mode": shapes.text}),
            },
            sensitive=frozenset({"secret"}),
        ),
        TypeSpec(
            "aws_table", {"name": shapes.text, "route": shapes.set_of(shapes.text)}, inline={"route": ("aws_route",)}
        ),
        TypeSpec("aws_route", {"to": shapes.text}, key=by("table", "to")),
    )
)


def _declared(key: str | None = "t-1", kind: str = "aws_thing", **attributes: Any) -> Declared:
    return Declared(f"{kind}.{key}", kind, key, {"id": key, **attributes})


def _live(key: str = "t-1", kind: str = "aws_thing", **attributes: Any) -> LiveResource:
    return LiveResource(kind, key, REGION, attributes, f"arn:{key}")


def _compare(
    declared: Iterable[Declared] = (),
    live: Iterable[LiveResource] = (),
    *,
    unread: Sequence[Unread] = (),
    not_checked: Sequence[NotChecked] = (),
    regions: frozenset[str] = frozenset({REGION}),
    tally: Tally | None = None,
) -> list[Drift]:
    return list(compare(Sides(ACCOUNT, regions, declared, live, unread, not_checked), SPECS, tally))


def _names(found: Iterable[Drift]) -> list[tuple[str, str, str]]:
    return sorted((item.kind, item.address or item.key, item.path or "") for item in found)


# --- Laws -------------------------------------------------------------------------------------------------------------

_text = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=6)
_attributes = st.fixed_dictionaries(
    {
        "name": _text,
        "size": st.integers(0, 99),
        "ports": st.lists(st.integers(0, 99), max_size=3, unique=True),
        "steps": st.lists(_text, max_size=3),
        "tags": st.dictionaries(_text.filter(lambda name: not name.startswith("aws:")), _text, max_size=3),
        "secret": _text,
        "settings": st.lists(st.fixed_dictionaries({"on": st.booleans(), "mode": _text}), max_size=1),
    }
)
_estates = st.dictionaries(st.sampled_from([f"t-{number}" for number in range(8)]), _attributes, max_size=6)


def _sides(estate: dict[str, dict[str, Any]]) -> tuple[list[Declared], list[LiveResource]]:
    return [_declared(key, **item) for key, item in estate.items()], [
        _live(key, **item) for key, item in estate.items()
    ]


@given(_estates)
def test_a_cloud_that_is_what_the_state_says_shows_no_drift(estate: dict[str, dict[str, Any]]) -> None:
    tally = Tally()
    assert _compare(*_sides(estate), tally=tally) == []
    assert (tally.in_sync, tally.compared) == (len(estate), len(estate))


_other = {
    "name": lambda value: value + "x",
    "size": lambda value: value + 1,
    "ports": lambda value: [*value, 100],
    "steps": lambda value: [*value, "more"],
    "secret": lambda value: value + "x",
    "settings": lambda _value: [{"on": True, "mode": "another mode"}],
}


@given(_estates.filter(bool), st.sampled_from(sorted(_other)), st.randoms())
def test_a_change_of_one_attribute_is_found_alone(
    estate: dict[str, dict[str, Any]], name: str, chance: random.Random
) -> None:
    declared, live = _sides(estate)
    position = chance.randrange(len(live))
    touched = live[position]
    live[position] = replace(touched, attributes={**touched.attributes, name: _other[name](touched.attributes[name])})
    found = _compare(declared, live)
    assert found
    assert {(item.kind, item.key, (item.path or "").partition(".")[0].partition("[")[0]) for item in found} == {
        ("changed", touched.key, name)
    }
    assert len({item.path for item in found}) == len(found)
    assert name == "settings" or len(found) == 1


@given(_estates.filter(bool), st.randoms())
def test_each_added_removed_and_changed_tag_is_found_by_its_name(
    estate: dict[str, dict[str, Any]], chance: random.Random
) -> None:
    declared, live = _sides(estate)
    before = dict(live[0].attributes["tags"])  # type: ignore[call-overload]  # the strategy makes it a map
    after = {name: (value if chance.random() < 0.5 else value + "x") for name, value in before.items()}
    after["a new one"] = "y"
    live[0] = replace(live[0], attributes={**live[0].attributes, "tags": after})
    expected = {f"tags.{name}" for name in after if after[name] != before.get(name)}
    assert {item.path for item in _compare(declared, live)} == expected


@given(_estates, _estates, st.randoms())
def test_the_order_of_either_side_carries_no_meaning(
    estate: dict[str, dict[str, Any]], other: dict[str, dict[str, Any]], chance: random.Random
) -> None:
    declared, live = _sides(estate)[0], _sides(other)[1]
    expected = _names(_compare(declared, live))
    chance.shuffle(declared)
    chance.shuffle(live)
    assert _names(_compare(declared, live)) == expected


@given(_estates, _estates)
def test_missing_and_unmanaged_are_exactly_what_one_side_lacks(
    estate: dict[str, dict[str, Any]], other: dict[str, dict[str, Any]]
) -> None:
    found = _compare(_sides(estate)[0], _sides(other)[1])
    assert {item.key for item in found if item.kind == "missing"} == estate.keys() - other.keys()
    assert {item.key for item in found if item.kind == "unmanaged"} == other.keys() - estate.keys()


@given(_estates, _estates)
def test_a_listing_that_failed_never_makes_anything_missing(
    estate: dict[str, dict[str, Any]], other: dict[str, dict[str, Any]]
) -> None:
    declared, live = _sides(estate)[0], _sides(other)[1]
    gap = NotChecked(("aws_thing",), REGION, "access_denied", "thing:List")
    tally = Tally()
    found = _compare(declared, live, not_checked=[gap], tally=tally)
    assert all(item.kind != "missing" for item in found)
    assert tally.not_checked == len(estate.keys() - other.keys())
    rest = [item for item in _compare(declared, live) if item.kind != "missing"]
    assert _names(found) == _names(rest)


@given(_estates.filter(bool), st.sets(st.sampled_from([*_other, "tags"])))
def test_attributes_that_could_not_be_read_are_neither_changed_nor_gone(
    estate: dict[str, dict[str, Any]], names: set[str]
) -> None:
    declared, live = _sides(estate)
    partly = replace(live[0], attributes={n: v for n, v in live[0].attributes.items() if n not in names})
    told = [Unread("aws_thing", partly.key, tuple(sorted(names)))] if names else []
    assert _compare(declared, [partly, *live[1:]], unread=told) == []
    wrong = replace(live[0], attributes={**live[0].attributes, **dict.fromkeys(names, "nonsense")})
    assert _compare(declared, [wrong, *live[1:]], unread=told) == [] or not names


@given(_estates.filter(bool))
def test_a_resource_that_could_not_be_read_is_not_missing(estate: dict[str, dict[str, Any]]) -> None:
    declared, live = _sides(estate)
    tally = Tally()
    assert _compare(declared, live[1:], unread=[Unread("aws_thing", live[0].key)], tally=tally) == []
    assert tally.not_checked == 1


# --- Scope ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("account", "region", "is_reported"),
    [
        (ACCOUNT, REGION, True),
        (None, None, True),
        ("", "", True),
        ("aws", None, True),
        ("210987654321", REGION, False),
        (ACCOUNT, "eu-west-1", False),
    ],
)
def test_only_what_is_in_the_scanned_account_and_regions_can_be_missing(
    account: str | None, region: str | None, is_reported: bool
) -> None:
    tally = Tally()
    found = _compare([replace(_declared(), account=account, region=region)], tally=tally)
    assert [item.kind for item in found] == ["missing"] * is_reported
    assert tally.out_of_scope == (not is_reported)


def test_a_resource_of_another_region_that_was_seen_all_the_same_is_compared() -> None:
    declared = replace(_declared(name="a"), region="eu-west-1")
    assert _names(_compare([declared], [_live(name="b")])) == [("changed", "aws_thing.t-1", "name")]


@pytest.mark.parametrize(
    ("gap_region", "region", "kinds"),
    [(REGION, REGION, []), ("eu-west-1", REGION, ["missing"]), ("global", REGION, []), ("eu-west-1", None, [])],
)
def test_a_listing_that_failed_in_one_region_says_nothing_of_others(
    gap_region: str, region: str | None, kinds: list[str]
) -> None:
    gap = NotChecked(("aws_thing",), gap_region, "throttled")
    found = _compare([replace(_declared(), region=region)], not_checked=[gap], regions=frozenset({REGION, "eu-west-1"}))
    assert [item.kind for item in found] == kinds


def test_what_no_rule_covers_is_counted_and_not_reported() -> None:
    tally = Tally()
    assert _compare([_declared(kind="random_pet"), _declared("b", "random_pet")], tally=tally) == []
    assert tally.uncovered == {"random_pet": 2}


def test_a_declared_resource_without_a_key_is_not_checked() -> None:
    tally = Tally()
    assert _compare([_declared(None)], [], tally=tally) == []
    assert tally.not_checked == 1


def test_a_deposed_object_is_neither_unmanaged_nor_missed_nor_compared() -> None:
    old = replace(_declared("t-old", name="before"), is_deposed=True)
    tally = Tally()
    assert _compare([old], [_live("t-old", name="after")], tally=tally) == []
    assert _compare([old], tally=tally) == []
    assert (tally.compared, tally.not_checked) == (0, 0)


def test_what_the_cloud_made_by_itself_is_not_unmanaged_and_still_compared_when_it_is_declared() -> None:
    default = replace(_live(name="a"), cloud_made=True)
    assert _compare([], [default]) == []
    assert _names(_compare([_declared(name="b")], [default])) == [("changed", "aws_thing.t-1", "name")]


# --- One thing, two names ---------------------------------------------------------------------------------------------


def test_an_alias_matches_and_says_no_more_than_that_it_is_there() -> None:
    live = replace(_live("l-1", name="a"), aliases=(("aws_route", "tb|x"),))
    assert _compare([_declared("tb|x", "aws_route", to="x")], [live]) == []


def test_two_states_may_declare_one_resource() -> None:
    twice = [_declared(name="a"), replace(_declared(name="a"), address="aws_thing.again")]
    assert _compare(twice, [_live(name="a")]) == []
    assert _names(_compare(twice, [])) == [("missing", "aws_thing.again", ""), ("missing", "aws_thing.t-1", "")]


# --- Inline against stand-alone ---------------------------------------------------------------------------------------

PARENT = Parent("aws_table", "tb", "route")
TABLE = _live("tb", "aws_table", name="main", route=["x", "y"])
ROUTES = [replace(_live(f"tb|{to}", "aws_route", to=to), parent=PARENT) for to in ("x", "y")]


def _route(to: str) -> Declared:
    return replace(_declared(f"tb|{to}", "aws_route", to=to), parent=PARENT)


def test_blocks_inside_a_resource_are_not_reported_as_resources_of_their_own() -> None:
    inline = _declared("tb", "aws_table", name="main", route=["y", "x"])
    assert _compare([inline], [TABLE, *ROUTES]) == []


def test_a_block_that_was_added_shows_in_the_resource_that_has_it_inline() -> None:
    inline = _declared("tb", "aws_table", name="main", route=["x"])
    assert _names(_compare([inline], [TABLE, *ROUTES])) == [("changed", "aws_table.tb", "route")]


def test_stand_alone_blocks_take_the_place_of_the_inline_ones() -> None:
    table = _declared("tb", "aws_table", name="main", route=[])
    assert _compare([table, _route("x"), _route("y")], [TABLE, *ROUTES]) == []
    found = _compare([table, _route("x")], [TABLE, *ROUTES])
    assert _names(found) == [("unmanaged", "tb|y", "")]


def test_a_stand_alone_block_that_is_gone_is_missing() -> None:
    table = _declared("tb", "aws_table", name="main", route=[])
    assert _names(_compare([table, _route("x"), _route("z")], [TABLE, ROUTES[0]])) == [
        ("missing", "aws_route.tb|z", "")
    ]


def test_an_unmanaged_resource_is_reported_once_and_not_with_each_of_its_blocks() -> None:
    assert _names(_compare([], [TABLE, *ROUTES])) == [("unmanaged", "tb", "")]


@pytest.mark.parametrize(
    "gaps",
    [
        {"not_checked": [NotChecked(("aws_table",), REGION, "access_denied")]},
        {"unread": [Unread("aws_table", "tb")]},
    ],
)
def test_blocks_of_a_resource_that_could_not_be_read_are_not_called_unmanaged(gaps: dict[str, Any]) -> None:
    inline = _declared("tb", "aws_table", name="main", route=["x", "y"])
    assert _compare([inline], ROUTES, **gaps) == []


def test_blocks_of_a_resource_whose_blocks_could_not_be_read_are_not_called_unmanaged() -> None:
    inline = _declared("tb", "aws_table", name="main", route=["x", "y"])
    partly = replace(TABLE, attributes={"name": "main"})
    assert _compare([inline], [partly, *ROUTES], unread=[Unread("aws_table", "tb", ("route",))]) == []


# --- Values -----------------------------------------------------------------------------------------------------------


def test_a_sensitive_attribute_is_compared_whole_and_marked() -> None:
    declared = replace(_declared(settings=[{"on": True, "mode": "a"}]), sensitive=frozenset({"settings"}))
    found = _compare([declared], [_live(settings=[{"on": True, "mode": "b"}])])
    assert [(item.path, item.is_sensitive) for item in found] == [("settings", True)]
    assert [item.is_sensitive for item in _compare([_declared(secret="a")], [_live(secret="b")])] == [True]


def test_attributes_that_one_side_does_not_tell_are_not_compared() -> None:
    spec = SPECS["aws_thing"]
    assert changes(spec, {"name": "a"}, {"size": 3}) == []
    assert [change.path for change in changes(spec, {"name": None}, {"name": "a"})] == ["name"]


def test_all_tags_of_a_state_are_compared_including_the_providers_defaults() -> None:
    spec = SPECS["aws_thing"]
    state = {"tags": {"a": "1"}, "tags_all": {"a": "1", "default": "2"}}
    assert changes(spec, state, {"tags": {"a": "1", "default": "2"}}) == []
    assert [change.path for change in changes(spec, state, {"tags": {"a": "1"}})] == ["tags.default"]


def test_lists_of_equal_length_are_compared_by_place_and_others_whole() -> None:
    spec = SPECS["aws_thing"]
    assert [c.path for c in changes(spec, {"steps": ["a", "b"]}, {"steps": ["a", "c"]})] == ["steps[1]"]
    assert [c.path for c in changes(spec, {"steps": ["a", "b"]}, {"steps": ["a"]})] == ["steps"]


def test_what_is_missing_carries_the_id_that_people_search_for() -> None:
    found = _compare([_declared("t-9", arn="arn:aws:x:::t-9")])
    assert (found[0].cloud_id, found[0].before, found[0].after) == ("arn:aws:x:::t-9", None, None)
