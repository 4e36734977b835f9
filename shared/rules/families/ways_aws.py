"""The whole way from the internet to a resource of AWS: gateway, route, subnet, security group, public address."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from ..levels import lowered, worst
from ..networks import MOST_OPENINGS, Gain, worldly
from ..plan import Change, Plan, config_address
from ..rule import Match, Rule, seen
from ..switches import rule_of
from ..values import blocks, first, is_mark, truth
from .openings import aws_group, aws_rule
from .prefix_lists import written_out
from .ways import Hop, Way, way_open, way_over

_MACHINES = "aws_instance"
_BALANCERS = frozenset({"aws_lb", "aws_alb"})
_RULES = ("aws_security_group_rule", "aws_vpc_security_group_ingress_rule")


def _open_groups(change: Change, plan: Plan) -> list[tuple[Change, list[Gain], bool]]:
    """Return the security groups a resource refers to that, with their stand-alone rules, the internet can pass."""
    found: list[tuple[Change, list[Gain], bool]] = []
    for group in plan.referred(change, "vpc_security_group_ids", "security_groups"):
        if group.type == "aws_security_group" and group.after is not None:
            gains, is_touched = plan.once(("open-group", *group.key), partial(_openness, group, plan))
            if gains:
                found.append((group, gains, is_touched))
    return found


def _openness(group: Change, plan: Plan) -> tuple[list[Gain], bool]:
    """Return what of the world a group lets in, and whether this plan touches the group or a rule of it."""
    rules = plan.users(group, *_RULES)
    sides = [(written_out(item, plan, "after")[0], item) for item in (group, *rules)]
    opened = [
        opening
        for document, item in sides
        if document is not None
        for opening in (aws_group(document) if item is group else aws_rule(document))
    ]
    return worldly(opened) if len(opened) <= MOST_OPENINGS else [], any(not item.is_noop for _, item in sides)


def _routed_subnets(change: Change, plan: Plan) -> list[Change]:
    """Return the subnets a resource stands in whose default route leads to an internet gateway."""
    return [
        subnet
        for subnet in plan.referred(change, "subnet_id", "subnets", "subnet_ids", "db_subnet_group_name")
        if subnet.type == "aws_subnet"
        and plan.once(("routed-subnet", config_address(subnet.address)), partial(_is_routed, subnet, plan))
    ]


def _is_routed(subnet: Change, plan: Plan) -> bool:
    tables = {
        table.key: table
        for link in plan.users(subnet, "aws_route_table_association")
        for table in plan.referred(link, "route_table_id")
    }
    for table in tables.values():
        stand_alone = plan.users(table, "aws_route")
        routes = [block for _, block in blocks(table.after, "route")]
        routes.extend(route.after for route in stand_alone if route.after is not None)
        leads = [
            *plan.referred(table, "route"),
            *(hop for route in stand_alone for hop in plan.referred(route, "gateway_id")),
        ]
        is_default = any(
            route.get("cidr_block", route.get("destination_cidr_block")) == "0.0.0.0/0" for route in routes
        )
        has_gateway = any(str(route.get("gateway_id", "")).startswith("igw-") for route in routes) or any(
            target.type == "aws_internet_gateway" for target in leads
        )
        if is_default and has_gateway:
            return True
    return False


def _path(change: Change, plan: Plan) -> Iterator[Match]:
    """Follow the whole way from the internet to a resource, when this plan makes or widens a part of it."""
    if change.after is None or change.mode != "managed":
        return
    way, subnets = plan.once(("aws-way", config_address(change.address)), partial(_way, change, plan))
    if way is None:
        return
    if change.type == _MACHINES:
        public = first(change.after, "associate_public_ip_address")
        is_given = plan.once(("given", config_address(change.address)), partial(_gives_addresses, subnets))
        is_reached = bool(subnets) and (truth(public) is True or ((public is None or is_mark(public)) and is_given))
        path = "associate_public_ip_address"
    elif change.type in _BALANCERS:
        is_reached, path = bool(subnets) and truth(first(change.after, "internal")) is False, "internal"
    else:
        is_reached, path = truth(first(change.after, "publicly_accessible")) is True, "publicly_accessible"
    if is_reached:
        evidence = (seen(path, first(change.before, path), first(change.after, path)),)
        yield from way_open(change, way, evidence, lowered(way.severity) if change.type in _BALANCERS else None)


def _way(change: Change, plan: Plan) -> tuple[Way | None, list[Change]]:
    """Return the way through the groups of a resource, and the subnets it stands in that lead out."""
    groups = _open_groups(change, plan)
    if not groups:
        return None, []
    subnets = _routed_subnets(change, plan)
    hops = [
        *(Hop(subnet.address, not subnet.is_noop) for subnet in subnets),
        *(Hop(group.address, is_touched) for group, _, is_touched in groups),
    ]
    return way_over(hops, worst(gain.severity for _, gains, _ in groups for gain in gains)), subnets


def _gives_addresses(subnets: list[Change]) -> bool:
    return any(truth(first(subnet.after, "map_public_ip_on_launch")) is True for subnet in subnets)


RULES: tuple[Rule, ...] = (
    rule_of("aws-open-way", "ingress", "public-ingress", "high", "The internet can reach this resource over every hop",
            ("aws_instance", "aws_lb", "aws_alb", "aws_db_instance", "aws_rds_cluster_instance", "aws_redshift_cluster"), _path, refs=("CWE-284",), also_unchanged=True),
)  # fmt: skip
