"""Public ingress: which networks and ports a change opens, computed; and whether the opening reaches a machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from ipaddress import ip_address, summarize_address_range
from typing import Any

from ..levels import lowered, worst
from ..networks import MOST_OPENINGS, Opening, gains, openings, worldly
from ..plan import Change, Plan
from ..rule import Evidence, Match, Rule, seen
from ..switches import rule_of
from ..values import Document, blocks, first, is_mark, items, raw, texts, truth, whole

_FAMILY = "ingress"
_ANY = ("0.0.0.0/0", "::/0")
Reader = Callable[[Document], Iterator[Opening]]


def _aws_block(block: Document) -> Iterator[Opening]:
    if str(block.get("action", block.get("rule_action", "allow"))).lower() != "allow":
        return
    networks = [
        text
        for name in ("cidr_blocks", "ipv6_cidr_blocks", "cidr_block", "ipv6_cidr_block", "cidr_ipv4", "cidr_ipv6")
        for text in texts(block.get(name))
    ]
    protocol = block.get("protocol", block.get("ip_protocol"))
    yield from openings(protocol, whole(block.get("from_port")), whole(block.get("to_port")), networks)


def _aws_group(document: Document) -> Iterator[Opening]:
    for _, block in blocks(document, "ingress"):
        yield from _aws_block(block)


def _aws_rule(document: Document) -> Iterator[Opening]:
    if document.get("type", "ingress") == "ingress" and truth(document.get("egress")) is not True:
        yield from _aws_block(document)


def _google_firewall(document: Document) -> Iterator[Opening]:
    if str(document.get("direction") or "INGRESS").upper() != "INGRESS" or truth(document.get("disabled")) is True:
        return
    sources = texts(document.get("source_ranges"))
    named = [
        *items(document.get("source_tags")),
        *items(document.get("source_service_accounts")),
        *items(document.get("source_ranges")),
    ]
    networks = sources if named else ["0.0.0.0/0"]  # without any source, everybody is meant
    for _, block in blocks(document, "allow"):
        yield from _ported(block.get("protocol"), block.get("ports"), networks)


def _google_policy(document: Document) -> Iterator[Opening]:
    is_ingress = str(document.get("direction") or "").upper() == "INGRESS"
    if not is_ingress or document.get("action") != "allow" or truth(document.get("disabled")) is True:
        return
    for _, match in blocks(document, "match"):
        for _, layer in blocks(match, "layer4_configs"):
            yield from _ported(layer.get("ip_protocol"), layer.get("ports"), texts(match.get("src_ip_ranges")))


def _azure_rule(document: Document) -> Iterator[Opening]:
    if str(document.get("access")).lower() != "allow" or str(document.get("direction")).lower() != "inbound":
        return
    sources = [*texts(document.get("source_address_prefix")), *texts(document.get("source_address_prefixes"))]
    networks = [
        network for source in sources for network in (_ANY if source.lower() in {"*", "internet", "any"} else (source,))
    ]
    ports = [*texts(document.get("destination_port_range")), *texts(document.get("destination_port_ranges"))]
    yield from _ported(document.get("protocol"), [port for port in ports if port != "*"], networks)


def _azure_group(document: Document) -> Iterator[Opening]:
    for _, block in blocks(document, "security_rule"):
        yield from _azure_rule(block)


def _azure_database(document: Document) -> Iterator[Opening]:
    try:
        start, end = (ip_address(str(document.get(name))) for name in ("start_ip_address", "end_ip_address"))
        networks = [str(network) for network in summarize_address_range(start, end)]
    except (ValueError, TypeError):
        return
    yield from openings("tcp", 1433, 1433, networks)


def _ported(protocol: Any, ports: Any, networks: Sequence[str]) -> Iterator[Opening]:
    found = texts(ports) + [str(port) for port in items(ports) if isinstance(port, int)]
    for port in found or [""]:
        low, _, high = port.partition("-")
        yield from openings(protocol, whole(low), whole(high or low), networks)


def _opened(read: Reader, paths: tuple[str, ...]) -> Callable[[Change, Plan], Iterator[Match]]:
    """Make the function of a rule: what the new side lets in and the old one did not."""

    def judge(change: Change, _plan: Plan) -> Iterator[Match]:
        if change.after is None:
            return
        before = list(read(change.before)) if change.before is not None else []
        after = list(read(change.after))
        evidence = tuple(_evidence(change, paths))
        if len(before) + len(after) > MOST_OPENINGS:
            yield Match(evidence, is_unknown=True)
            return
        found = gains(before, after)
        if found:
            note = f"Opened: {'; '.join(str(gain) for gain in found[:5])}{'; …' if len(found) > 5 else ''}."
            yield Match(evidence, worst(gain.severity for gain in found), note)
        elif change.before is not None and not gains(after, before) and (kept := worldly(after)):
            yield Match(evidence, "low", f"It is so already: {kept[0]}; this change keeps it.")

    return judge


def _evidence(change: Change, paths: tuple[str, ...]) -> Iterator[Evidence]:
    tops = dict.fromkeys(path.split(".", 1)[0] for path in paths)
    found = [
        seen(top, raw(change.before, top), raw(change.after, top))
        for top in tops
        if raw(change.before, top) != raw(change.after, top)
    ]
    yield from found or [
        seen(top, raw(change.before, top), raw(change.after, top)) for top in tops if raw(change.after, top) is not None
    ]


def _open_groups(change: Change, plan: Plan) -> list[Change]:
    """Return the security groups a resource refers to that, with their stand-alone rules, the internet can pass."""
    found: list[Change] = []
    for group in plan.referred(change, "vpc_security_group_ids", "security_groups"):
        if group.type != "aws_security_group" or group.after is None:
            continue
        rules = list(_aws_group(group.after))
        for rule in plan.users(group, "aws_security_group_rule", "aws_vpc_security_group_ingress_rule"):
            rules.extend(_aws_rule(rule.after) if rule.after is not None else ())
        if len(rules) <= MOST_OPENINGS and worldly(rules):
            found.append(group)
    return found


def _routed_subnets(change: Change, plan: Plan) -> list[Change]:
    """Return the subnets a resource stands in whose default route leads to an internet gateway."""
    return [
        subnet
        for subnet in plan.referred(change, "subnet_id", "subnets", "subnet_ids", "db_subnet_group_name")
        if subnet.type == "aws_subnet" and _is_routed(subnet, plan)
    ]


def _is_routed(subnet: Change, plan: Plan) -> bool:
    for link in plan.users(subnet, "aws_route_table_association"):
        for table in plan.referred(link, "route_table_id"):
            routes = [block for _, block in blocks(table.after, "route")]
            routes.extend(route.after for route in plan.users(table, "aws_route") if route.after is not None)
            leads = plan.referred(table, "route") + tuple(
                target for route in plan.users(table, "aws_route") for target in plan.referred(route, "gateway_id")
            )
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
    groups = _open_groups(change, plan)
    if not groups:
        return
    subnets = _routed_subnets(change, plan)
    if change.type == "aws_instance":
        public = first(change.after, "associate_public_ip_address")
        given = [subnet for subnet in subnets if truth(first(subnet.after, "map_public_ip_on_launch")) is True]
        is_reached = bool(subnets) and (truth(public) is True or ((public is None or is_mark(public)) and bool(given)))
        path = "associate_public_ip_address"
    elif change.type in {"aws_lb", "aws_alb"}:
        is_reached, path = bool(subnets) and truth(first(change.after, "internal")) is False, "internal"
    else:
        is_reached, path = truth(first(change.after, "publicly_accessible")) is True, "publicly_accessible"
    hops = [*subnets, *groups]
    if not is_reached or all(hop.is_noop for hop in (change, *hops)):
        return
    way = " -> ".join(["internet", *(hop.address for hop in hops), change.address])
    severity = worst(
        gain.severity for group in groups if group.after is not None for gain in worldly(list(_aws_group(group.after)))
    )
    yield Match(
        (seen(path, first(change.before, path), first(change.after, path)),),
        severity if change.type != "aws_lb" else lowered(severity),
        f"The way is open: {way}.",
    )


def _rule(name: str, title: str, types: tuple[str, ...], read: Reader, paths: tuple[str, ...], *refs: str) -> Rule:
    return rule_of(
        name,
        _FAMILY,
        "public-ingress",
        "high",
        title,
        types,
        _opened(read, paths),
        paths=paths,
        refs=("CWE-284", *refs),
    )


_TITLE = "A port is opened to public networks"
_RULE_PATHS = (
    "cidr_blocks",
    "ipv6_cidr_blocks",
    "cidr_ipv4",
    "cidr_ipv6",
    "from_port",
    "to_port",
    "protocol",
    "ip_protocol",
)
_AZURE_PATHS = (
    "source_address_prefix",
    "source_address_prefixes",
    "destination_port_range",
    "destination_port_ranges",
    "access",
    "protocol",
)
_REFS = ("CKV_AWS_24", "CKV_AWS_25", "CKV_AWS_260", "CKV_AWS_277")

RULES: tuple[Rule, ...] = (
    _rule("aws-group-ingress", _TITLE, ("aws_security_group", "aws_default_security_group"), _aws_group, ("ingress",), *_REFS),
    _rule("aws-rule-ingress", _TITLE, ("aws_security_group_rule", "aws_vpc_security_group_ingress_rule"), _aws_rule, _RULE_PATHS, *_REFS),
    _rule("aws-acl-ingress", _TITLE, ("aws_network_acl", "aws_default_network_acl"), _aws_group, ("ingress",), "CKV_AWS_352"),
    _rule("aws-acl-rule-ingress", _TITLE, ("aws_network_acl_rule",), _aws_rule, ("cidr_block", "ipv6_cidr_block", "from_port", "to_port", "protocol", "rule_action"), "CKV_AWS_352"),
    _rule("google-firewall-ingress", _TITLE, ("google_compute_firewall",), _google_firewall, ("source_ranges", "source_tags", "source_service_accounts", "allow", "direction", "disabled"), "CKV_GCP_2", "CKV_GCP_3", "CKV_GCP_106"),
    _rule("google-policy-ingress", _TITLE, ("google_compute_firewall_policy_rule", "google_compute_network_firewall_policy_rule", "google_compute_region_network_firewall_policy_rule"), _google_policy, ("match", "action", "direction", "disabled")),
    _rule("azure-group-ingress", _TITLE, ("azurerm_network_security_group",), _azure_group, ("security_rule",), "CKV_AZURE_9", "CKV_AZURE_10"),
    _rule("azure-rule-ingress", _TITLE, ("azurerm_network_security_rule",), _azure_rule, _AZURE_PATHS, "CKV_AZURE_9", "CKV_AZURE_10"),
    _rule("azure-database-ingress", "A database is opened to public networks", (
        "azurerm_mssql_firewall_rule", "azurerm_sql_firewall_rule", "azurerm_postgresql_firewall_rule", "azurerm_postgresql_flexible_server_firewall_rule",
        "azurerm_mysql_firewall_rule", "azurerm_mysql_flexible_server_firewall_rule", "azurerm_mariadb_firewall_rule", "azurerm_redis_firewall_rule"),
        _azure_database, ("start_ip_address", "end_ip_address"), "CKV_AZURE_11"),
    rule_of("aws-open-way", _FAMILY, "public-ingress", "high", "The internet can reach this resource over every hop",
            ("aws_instance", "aws_lb", "aws_alb", "aws_db_instance", "aws_rds_cluster_instance", "aws_redshift_cluster"), _path, refs=("CWE-284",)),
)  # fmt: skip
