"""Public ingress: which networks and ports a change opens, computed."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ..levels import worst
from ..networks import MOST_OPENINGS, gains, worldly
from ..plan import Change, Plan
from ..rule import Evidence, Match, Rule, seen
from ..switches import rule_of
from ..values import raw
from .openings import (
    Reader,
    aws_group,
    aws_rule,
    azure_database,
    azure_group,
    azure_rule,
    google_firewall,
    google_policy,
)
from .prefix_lists import RULES as LIST_RULES
from .prefix_lists import written_out

_FAMILY = "ingress"


def _opened(read: Reader, paths: tuple[str, ...]) -> Callable[[Change, Plan], Iterator[Match]]:
    """Make the function of a rule: what the new side lets in and the old one did not."""

    def judge(change: Change, plan: Plan) -> Iterator[Match]:
        (was, was_unknown), (will, is_unknown) = (written_out(change, plan, side) for side in ("before", "after"))
        if will is None:
            return
        before = list(read(was)) if was is not None else []
        after = list(read(will))
        evidence = tuple(_evidence(change, paths))
        if is_unknown - was_unknown:
            yield Match(evidence, is_unknown=True)
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
# An ingress block may also name groups that do not exist yet: those let nobody in from outside.
_GROUP_PATHS = tuple(
    f"ingress.{name}" for name in ("cidr_blocks", "ipv6_cidr_blocks", "from_port", "to_port", "protocol")
)
_ACL_PATHS = tuple(
    f"ingress.{name}" for name in ("cidr_block", "ipv6_cidr_block", "from_port", "to_port", "protocol", "action")
)
_REFS = ("CKV_AWS_24", "CKV_AWS_25", "CKV_AWS_260", "CKV_AWS_277")

RULES: tuple[Rule, ...] = (
    _rule("aws-group-ingress", _TITLE, ("aws_security_group", "aws_default_security_group"), aws_group, _GROUP_PATHS, *_REFS),
    _rule("aws-rule-ingress", _TITLE, ("aws_security_group_rule", "aws_vpc_security_group_ingress_rule"), aws_rule, _RULE_PATHS, *_REFS),
    _rule("aws-acl-ingress", _TITLE, ("aws_network_acl", "aws_default_network_acl"), aws_group, _ACL_PATHS, "CKV_AWS_352"),
    _rule("aws-acl-rule-ingress", _TITLE, ("aws_network_acl_rule",), aws_rule, ("cidr_block", "ipv6_cidr_block", "from_port", "to_port", "protocol", "rule_action"), "CKV_AWS_352"),
    _rule("google-firewall-ingress", _TITLE, ("google_compute_firewall",), google_firewall, ("source_ranges", "source_tags", "source_service_accounts", "allow.protocol", "allow.ports", "direction", "disabled"), "CKV_GCP_2", "CKV_GCP_3", "CKV_GCP_106"),
    _rule("google-policy-ingress", _TITLE, ("google_compute_firewall_policy_rule", "google_compute_network_firewall_policy_rule", "google_compute_region_network_firewall_policy_rule"), google_policy, ("match.src_ip_ranges", "match.layer4_configs.ip_protocol", "match.layer4_configs.ports", "action", "direction", "disabled")),
    _rule("azure-group-ingress", _TITLE, ("azurerm_network_security_group",), azure_group, tuple(f"security_rule.{name}" for name in (*_AZURE_PATHS, "direction")), "CKV_AZURE_9", "CKV_AZURE_10"),
    _rule("azure-rule-ingress", _TITLE, ("azurerm_network_security_rule",), azure_rule, _AZURE_PATHS, "CKV_AZURE_9", "CKV_AZURE_10"),
    _rule("azure-database-ingress", "A database is opened to public networks", (
        "azurerm_mssql_firewall_rule", "azurerm_sql_firewall_rule", "azurerm_postgresql_firewall_rule", "azurerm_postgresql_flexible_server_firewall_rule",
        "azurerm_mysql_firewall_rule", "azurerm_mysql_flexible_server_firewall_rule", "azurerm_mariadb_firewall_rule", "azurerm_redis_firewall_rule"),
        azure_database, ("start_ip_address", "end_ip_address"), "CKV_AZURE_11"),
    *LIST_RULES,
)  # fmt: skip
