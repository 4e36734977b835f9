"""Security groups and their rules, in all the forms Terraform has for one rule.

Live rules are compared as `aws_vpc_security_group_ingress_rule` and `..._egress_rule`, which AWS knows by an id.
An `aws_security_group_rule` stands for one or several of them and is expanded: by that id where the state has it,
else by meaning (`rule_key`), under which the reader offers every live rule as an alias.
Source: Terraform AWS provider 5.100, resource documentation of each type; EC2 API, `SecurityGroupRule`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from ...domain.resources import Attributes, Declared, Parent
from ...domain.shapes import Canonical, cidr, folded_text, number, sorted_canonical, tags, text
from ...domain.specs import ParentRule, TypeSpec
from .standins import stand_in

INGRESS = "aws_vpc_security_group_ingress_rule"
EGRESS = "aws_vpc_security_group_egress_rule"
_PROTOCOL_NAMES: Mapping[str, str] = {"all": "-1", "6": "tcp", "17": "udp", "1": "icmp", "58": "icmpv6"}
_WITH_PORTS = frozenset({"tcp", "udp", "icmp", "icmpv6"})
_SOURCES: Mapping[str, str] = {
    "cidr_blocks": "cidr_ipv4",
    "ipv6_cidr_blocks": "cidr_ipv6",
    "prefix_list_ids": "prefix_list_id",
    "security_groups": "referenced_security_group_id",
}


def protocol_name(value: object) -> Canonical:
    """An IP protocol the way EC2 answers: by name for TCP, UDP and ICMP, else by number; -1 is every protocol."""
    found = folded_text(value)
    return _PROTOCOL_NAMES.get(found, found) if isinstance(found, str) else found


def port(value: object) -> Canonical:
    """A port, or ICMP type or code; -1 and absent both mean every one."""
    found = number(value)
    return None if found == -1 else found


def port_of(protocol: Canonical, value: object) -> Canonical:
    """A port of a rule; protocols that have none answer null, whatever was written."""
    return port(value) if protocol in _WITH_PORTS else None


def rule_key(group: str, direction: str, rule: Attributes) -> str:
    """Key of one rule by its meaning, with `rule` in the attributes of `aws_vpc_security_group_ingress_rule`."""
    protocol = protocol_name(rule.get("ip_protocol"))
    source = next((f"{name}={cidr(rule[name])}" for name in _SOURCES.values() if rule.get(name)), "")
    ports = [port_of(protocol, rule.get(name)) for name in ("from_port", "to_port")]
    return f"{group}|{direction}|{protocol}|{ports[0]}|{ports[1]}|{source}"


def inline_rules(value: object) -> Canonical:
    """The inline rules of a group, one per source: AWS groups rules by ports, people write them as they like."""
    return sorted_canonical(dict(rule) for block in _blocks(value) for rule in _single_rules(block)) or None


def _blocks(value: object) -> Iterator[Attributes]:
    yield from (item for item in value if isinstance(item, Mapping)) if isinstance(value, list) else ()


def _single_rules(block: Attributes) -> Iterator[dict[str, Canonical]]:
    protocol = protocol_name(block.get("protocol"))
    shared: dict[str, Canonical] = {
        "ip_protocol": protocol,
        "from_port": port_of(protocol, block.get("from_port")),
        "to_port": port_of(protocol, block.get("to_port")),
        "description": text(block.get("description")),
    }
    for plural, singular in _SOURCES.items():
        found = block.get(plural)
        for source in found if isinstance(found, list) else ():
            yield {**shared, singular: cidr(source)}
    if block.get("self"):
        yield {**shared, "self": True}


def _one_by_one(entry: Declared) -> Iterable[Declared]:
    """Expand an `aws_security_group_rule` into the rules AWS keeps for it."""
    attributes = entry.attributes
    direction = str(attributes.get("type"))
    group = str(attributes.get("security_group_id"))
    kind = INGRESS if direction == "ingress" else EGRESS
    other = attributes.get("source_security_group_id")
    block = {
        **attributes,
        "security_groups": [group if attributes.get("self") else other] if attributes.get("self") or other else [],
    }
    rules = list(_single_rules({**block, "self": False}))
    known = attributes.get("security_group_rule_id")
    for rule in rules:
        key = str(known) if known and len(rules) == 1 else rule_key(group, direction, rule)
        yield replace(entry, type=kind, key=key, attributes={**rule, "security_group_id": group})


def _direction(name: str) -> ParentRule:
    def parent(attributes: Attributes) -> Parent | None:
        return Parent("aws_security_group", str(attributes.get("security_group_id")), name)

    return parent


def _typed(attributes: Attributes) -> Parent | None:
    return Parent("aws_security_group", str(attributes.get("security_group_id")), str(attributes.get("type")))


_RULE = {
    "security_group_id": text,
    "ip_protocol": protocol_name,
    "from_port": port,
    "to_port": port,
    "cidr_ipv4": cidr,
    "cidr_ipv6": cidr,
    "prefix_list_id": text,
    "referenced_security_group_id": text,
    "description": text,
    "tags": tags,
}

SPECS = (
    TypeSpec(
        "aws_security_group",
        {
            "name": text,
            "description": text,
            "vpc_id": text,
            "ingress": inline_rules,
            "egress": inline_rules,
            "tags": tags,
        },
        inline={"ingress": (INGRESS, "aws_security_group_rule"), "egress": (EGRESS, "aws_security_group_rule")},
    ),
    stand_in("aws_default_security_group", "aws_security_group"),
    TypeSpec("aws_security_group_rule", {}, parent=_typed, expand=_one_by_one),
    TypeSpec(INGRESS, _RULE, parent=_direction("ingress")),
    TypeSpec(EGRESS, _RULE, parent=_direction("egress")),
)
