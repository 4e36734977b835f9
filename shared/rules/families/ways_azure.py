"""The whole way from the internet to a machine of Azure: public address or load balancer, interface, subnet, security groups.

A security group of the interface and one of the subnet both filter. With none at all, an address of the basic tier lets
everything in and one of the standard tier nothing. Source: Azure, "Network security groups", "Public IP addresses".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from ..levels import worst
from ..networks import LAST_PORT, MOST_OPENINGS, PROTOCOLS, Gain, worldly
from ..plan import Change, Plan, config_address
from ..rule import Match, Rule, seen
from ..switches import rule_of
from ..values import first, raw, values_at
from .openings import azure_group, azure_rule
from .ways import Hop, Way, both, way_open, way_over

_MACHINES = ("azurerm_linux_virtual_machine", "azurerm_windows_virtual_machine", "azurerm_virtual_machine")
_NIC, _ADDRESS, _SUBNET = "azurerm_network_interface", "azurerm_public_ip", "azurerm_subnet"
_GROUP, _RULE, _BALANCER = "azurerm_network_security_group", "azurerm_network_security_rule", "azurerm_lb"
_NIC_LINK = "azurerm_network_interface_security_group_association"
_SUBNET_LINK = "azurerm_subnet_network_security_group_association"
_POOL, _POOL_LINK = "azurerm_lb_backend_address_pool", "azurerm_network_interface_backend_address_pool_association"
_ALL = [Gain(protocol, 0, LAST_PORT, "world") for protocol in PROTOCOLS]


def _of(plan: Plan, change: Change, kind: str, *attributes: str) -> list[Change]:
    return [found for found in plan.referred(change, *attributes) if found.type == kind and found.after is not None]


def _filter(links: Sequence[Change], plan: Plan) -> tuple[list[Gain] | None, list[Hop]]:
    """Return what the groups that are linked let through, None without any group."""
    groups = {group.key: group for link in links for group in _of(plan, link, _GROUP, "network_security_group_id")}
    gains: list[Gain] = []
    hops: list[Hop] = [Hop(link.address, True) for link in links if not link.is_noop]
    for group in groups.values():
        found, is_touched = plan.once(("open-group", *group.key), partial(_openness, group, plan))
        gains.extend(found)
        hops.append(Hop(group.address, is_touched))
    return (gains, hops) if groups else (None, hops)


def _openness(group: Change, plan: Plan) -> tuple[list[Gain], bool]:
    rules = plan.users(group, _RULE)
    opened = list(azure_group(group.after or {}))
    for rule in rules:
        opened.extend(azure_rule(rule.after) if rule.after is not None else ())
    is_touched = not group.is_noop or any(not rule.is_noop for rule in rules)
    return worldly(opened) if len(opened) <= MOST_OPENINGS else [], is_touched


def _doors(nic: Change, plan: Plan) -> list[Change]:
    """Return the public addresses that lead to an interface: its own, and those of load balancers it stands behind."""
    own = _of(plan, nic, _ADDRESS, "ip_configuration")
    pools = [pool for link in plan.users(nic, _POOL_LINK) for pool in _of(plan, link, _POOL, "backend_address_pool_id")]
    balancers = {found.key: found for pool in pools for found in _of(plan, pool, _BALANCER, "loadbalancer_id")}
    return [
        *own,
        *(
            address
            for found in balancers.values()
            for address in _of(plan, found, _ADDRESS, "frontend_ip_configuration")
        ),
    ]


def _way(nic: Change, plan: Plan) -> Way | None:
    """Return the way over which the world reaches an interface."""
    doors = _doors(nic, plan)
    if not doors or nic.after is None:
        return None
    subnets = _of(plan, nic, _SUBNET, "ip_configuration")
    near, near_hops = _filter(plan.users(nic, _NIC_LINK), plan)
    far, far_hops = _filter([link for subnet in subnets for link in plan.users(subnet, _SUBNET_LINK)], plan)
    if near is None and far is None:
        is_basic = any(str(first(door.after, "sku") or "").lower() == "basic" for door in doors)
        gains = _ALL if is_basic else []
    else:
        gains = both(_ALL if near is None else near, _ALL if far is None else far)
    hops = [
        *(Hop(door.address, not door.is_noop) for door in doors),
        *far_hops,
        *near_hops,
        Hop(nic.address, not nic.is_noop),
    ]
    return way_over(hops, worst(gain.severity for gain in gains)) if gains else None


def _machine(change: Change, plan: Plan) -> Iterator[Match]:
    if change.after is None:
        return
    for nic in _of(plan, change, _NIC, "network_interface_ids"):
        way = plan.once(("azure-way", config_address(nic.address)), partial(_way, nic, plan))
        if way is not None:
            path = "network_interface_ids"
            yield from way_open(change, way, (seen(path, raw(change.before, path), raw(change.after, path)),))
            return


def _faces_out(change: Change, _plan: Plan) -> Iterator[Match]:
    """A load balancer gets a public address."""

    def is_public(document: object) -> bool:
        return any(values_at(document, "frontend_ip_configuration.public_ip_address_id"))

    if change.after is not None and is_public(change.after) and not is_public(change.before):
        path = "frontend_ip_configuration"
        yield Match(
            (seen(path, raw(change.before, path), raw(change.after, path)),),
            "medium" if change.before is not None else "low",
        )


RULES: tuple[Rule, ...] = (
    rule_of("azure-open-way", "ingress", "public-ingress", "high", "The internet can reach this resource over every hop", _MACHINES, _machine,
            refs=("CKV_AZURE_119", "CWE-284"), also_unchanged=True),
    rule_of("azure-lb-public", "access", "public-access", "medium", "The load balancer faces the internet", (_BALANCER,), _faces_out),
)  # fmt: skip
