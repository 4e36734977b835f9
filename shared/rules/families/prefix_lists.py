"""Managed prefix lists: rules that name one let in what stands in it, and a list that grows opens every rule that names it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, TypeAlias

from ..levels import Severity, worst
from ..networks import MOST_OPENINGS, Gain, Opening, gains, openings
from ..plan import Change, Plan
from ..rule import Match, Rule, seen
from ..switches import rule_of
from ..values import Document, blocks, first, is_mark, items, raw, values_at
from .openings import aws_block, aws_rule

Side: TypeAlias = Literal["before", "after"]

_LIST = "aws_ec2_managed_prefix_list"
_ENTRY = "aws_ec2_managed_prefix_list_entry"
_NAMES = ("prefix_list_ids", "prefix_list_id")
_INLINE = ("aws_security_group", "aws_default_security_group")
_STAND_ALONE = ("aws_security_group_rule", "aws_vpc_security_group_ingress_rule")


def written_out(change: Change, plan: Plan, side: Side) -> tuple[Document | None, frozenset[str]]:
    """Return one side of a security group or rule with the networks of its prefix lists in it, and the lists not known."""
    document = change.before if side == "before" else change.after
    unknown: set[str] = set()
    if document is None:
        return None, frozenset()

    def block(item: Any) -> Any:
        named = [name for path in _NAMES for name in items(item.get(path))] if isinstance(item, Mapping) else []
        if not named:
            return item
        found: list[Any] = list(items(item.get("cidr_blocks")))
        for name in named:
            networks = _named(name, change, plan, side)
            found.extend(networks or ())
            if networks is None:
                unknown.add(str(name))
        return {**item, "cidr_blocks": found}

    if change.type not in {*_STAND_ALONE, *_INLINE}:
        return document, frozenset()
    if change.type in _STAND_ALONE:
        return block(document), frozenset(unknown)
    inner = raw(document, "ingress")
    ingress = [block(item) for item in items(inner)] if not is_mark(inner) else inner
    return {**document, "ingress": ingress}, frozenset(unknown)


def _named(name: Any, change: Change, plan: Plan, side: Side) -> list[str] | None:
    """Return the networks of a list that is named by its id, or by a reference when it has none yet."""
    if is_mark(name):
        lists = [found for found in plan.referred(change, "ingress", *_NAMES) if found.type == _LIST]
    else:
        lists = plan.once(("prefix-lists",), lambda: _by_id(plan)).get(str(name), [])
    networks = [network for found in lists for network in _networks(found, plan, side)]
    return None if not lists or any(is_mark(network) for network in networks) else [str(item) for item in networks]


def _by_id(plan: Plan) -> dict[str, list[Change]]:
    found: dict[str, list[Change]] = {}
    for change in plan.of_type(_LIST):
        name = first(change.before, "id") or first(change.after, "id")
        if isinstance(name, str):
            found.setdefault(name, []).append(change)
    return found


def _networks(change: Change, plan: Plan, side: Side) -> list[Any]:
    """Return the networks of a list with those of its stand-alone entries; marks where they are not known."""
    sides = [(change, "entry.cidr"), *((entry, "cidr") for entry in plan.users(change, _ENTRY))]
    return [value for item, path in sides for value in values_at(getattr(item, side), path)]


def _users(change: Change, plan: Plan) -> list[Change]:
    """Return the groups and rules that name a list, by reference or by its id."""
    own = first(change.before, "id") or first(change.after, "id")
    referring = plan.users(change, *_INLINE, *_STAND_ALONE)
    known = {found.key for found in referring}
    naming = plan.once(("prefix-list-users",), lambda: _by_name(plan)).get(str(own), []) if isinstance(own, str) else []
    return [*referring, *(found for found in naming if found.key not in known)]


def _by_name(plan: Plan) -> dict[str, list[Change]]:
    found: dict[str, list[Change]] = {}
    for change in plan.of_type(*_INLINE, *_STAND_ALONE):
        paths = [*_NAMES, *(f"ingress.{name}" for name in _NAMES)]
        names = {value for path in paths for value in values_at(change.after, path) if isinstance(value, str)}
        for name in names:
            found.setdefault(name, []).append(change)
    return found


def _grows(change: Change, plan: Plan) -> Iterator[Match]:
    if change.after is None:
        return
    path = "cidr" if change.type == _ENTRY else "entry"
    inner = "cidr" if change.type == _ENTRY else "entry.cidr"
    was, will = ([str(value) for value in values_at(side, inner)] for side in (change.before, change.after))
    evidence = (seen(path, raw(change.before, path), raw(change.after, path)),)
    lists = [found for found in plan.referred(change, "prefix_list_id") if found.type == _LIST]
    users = _users(change, plan) if change.type == _LIST else [user for found in lists for user in _users(found, plan)]
    if (len(was) + len(will)) * max(len(users), 1) > MOST_OPENINGS:
        yield Match(evidence, is_unknown=True)
        return
    own = {str(first(side, "id")) for found in (change, *lists) for side in (found.before, found.after)}
    before, after = (list(_opened(users, own, networks)) for networks in (was, will))
    if not users:
        before, after = (list(openings("-1", None, None, networks)) for networks in (was, will))
    found = gains(before, after)
    if found:
        yield Match(
            evidence, _severity(found, is_used=bool(users)), f"Opened: {'; '.join(str(gain) for gain in found[:5])}."
        )


def _severity(found: list[Gain], *, is_used: bool) -> Severity:
    """Without a rule that names the list, nobody knows what it opens; the world in it is bad wherever it is used."""
    if is_used:
        return worst(gain.severity for gain in found)
    return "high" if any(gain.size == "world" for gain in found) else "low"


def _opened(users: list[Change], own: set[str], networks: list[str]) -> Iterator[Opening]:
    """Yield what the rules that name a list open when these networks stand in it."""
    for user in users:
        inner = [item for _, item in blocks(user.after, "ingress")] if user.type in _INLINE else [user.after or {}]
        for block in inner:
            if any(is_mark(item) or str(item) in own for name in _NAMES for item in items(block.get(name))):
                read = aws_block if user.type in _INLINE else aws_rule
                yield from read(
                    {**block, "cidr_blocks": networks, "cidr_ipv4": None, "cidr_ipv6": None, "ipv6_cidr_blocks": None}
                )


RULES: tuple[Rule, ...] = (
    rule_of("aws-prefix-list", "ingress", "public-ingress", "high", "A prefix list takes public networks in", (_LIST, _ENTRY), _grows,
            paths=("entry.cidr", "cidr"), refs=("CWE-284",)),
)  # fmt: skip
