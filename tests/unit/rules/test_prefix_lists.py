"""A rule that names a prefix list opens what stands in the list; a list that grows opens it for every rule that names it."""

from __future__ import annotations

from typing import Any

import pytest

from shared.rules.engine import judge_plan
from shared.rules.plan import Change, Plan
from shared.rules.values import UNKNOWN

LIST, RULE, ENTRY = (
    "aws_ec2_managed_prefix_list.l",
    "aws_vpc_security_group_ingress_rule.r",
    "aws_ec2_managed_prefix_list_entry.e",
)


def _change(address: str, before: Any, after: Any) -> Change:
    actions = ("no-op",) if before == after else ("create",) if before is None else ("update",)
    return Change(address, address.split(".", 1)[0], actions, before, after)


def _list(*networks: str, name: Any = "pl-1") -> dict[str, Any]:
    return {"id": name, "entry": [{"cidr": network} for network in networks]}


def _rule(name: Any = "pl-1", port: int = 22) -> dict[str, Any]:
    return {"ip_protocol": "tcp", "from_port": port, "to_port": port, "prefix_list_id": name}


def _flags(*changes: Change, references: Any = None) -> dict[tuple[str, str], str]:
    known = {
        user: {name: frozenset(found) for name, found in names.items()} for user, names in (references or {}).items()
    }
    found = judge_plan(Plan(changes, references=known if references is not None else None)).findings
    return {(item.address, item.flag): item.severity for item in reversed(found)}


OFFICE, WORLD = _list("198.51.100.0/24"), _list("198.51.100.0/24", "0.0.0.0/0")


def test_a_new_rule_opens_what_stands_in_the_list_it_names() -> None:
    assert _flags(_change(RULE, None, _rule()), _change(LIST, WORLD, WORLD)) == {(RULE, "public-ingress"): "critical"}
    private = _list("10.0.0.0/8")
    assert _flags(_change(RULE, None, _rule()), _change(LIST, private, private)) == {}


def test_a_list_that_is_not_in_the_plan_or_has_an_unknown_entry_is_unknown() -> None:
    assert _flags(_change(RULE, None, _rule("pl-9"))) == {(RULE, "unknown-value"): "medium"}
    pending = _list(UNKNOWN)  # type: ignore[arg-type]
    assert (RULE, "unknown-value") in _flags(_change(RULE, None, _rule()), _change(LIST, pending, pending))
    assert _flags(_change(RULE, _rule("pl-9"), {**_rule("pl-9"), "description": "x"})) == {}, "it named the list before"


def test_a_list_that_has_no_id_yet_is_found_by_reference() -> None:
    parts = (_change(RULE, None, _rule(UNKNOWN)), _change(LIST, None, {**WORLD, "id": UNKNOWN}))
    found = _flags(*parts, references={RULE: {"prefix_list_id": {LIST}}, LIST: {"entry": set()}})
    assert found == {(RULE, "public-ingress"): "critical", (LIST, "public-ingress"): "critical"}
    assert (RULE, "unknown-value") in _flags(
        *parts, references={RULE: {"prefix_list_id": set()}, LIST: {"entry": set()}}
    )


@pytest.mark.parametrize(("port", "severity"), [(22, "critical"), (443, "medium"), (8443, "high")])
def test_a_list_that_grows_is_as_bad_as_the_ports_it_opens(port: int, severity: str) -> None:
    stays = _change(RULE, _rule(port=port), _rule(port=port))
    assert _flags(stays, _change(LIST, OFFICE, WORLD)) == {(LIST, "public-ingress"): severity}
    assert _flags(stays, _change(LIST, WORLD, OFFICE)) == {}


def test_a_list_that_no_rule_of_the_plan_names_is_high_with_the_world_in_it() -> None:
    assert _flags(_change(LIST, OFFICE, WORLD)) == {(LIST, "public-ingress"): "high"}
    assert (
        _flags(_change(RULE, _rule("pl-2"), _rule("pl-2")), _change(LIST, OFFICE, WORLD))[LIST, "public-ingress"]
        == "high"
    )


def test_an_entry_of_its_own_counts_as_the_list_does() -> None:
    parts = (
        _change(RULE, _rule(), _rule()),
        _change(LIST, OFFICE, OFFICE),
        _change(ENTRY, None, {"cidr": "0.0.0.0/0", "prefix_list_id": "pl-1"}),
    )
    references = {ENTRY: {"prefix_list_id": {LIST}, "cidr": set()}, LIST: {}, RULE: {"prefix_list_id": {LIST}}}
    assert _flags(*parts, references=references) == {(ENTRY, "public-ingress"): "critical"}


def test_inline_rules_name_lists_too() -> None:
    group = {
        "ingress": [
            {"protocol": "tcp", "from_port": 6379, "to_port": 6379, "prefix_list_ids": ["pl-1"], "cidr_blocks": []}
        ]
    }
    name = "aws_security_group.g"
    assert _flags(_change(name, None, group), _change(LIST, WORLD, WORLD)) == {(name, "public-ingress"): "critical"}
    assert _flags(_change(name, group, group), _change(LIST, OFFICE, WORLD)) == {(LIST, "public-ingress"): "critical"}
