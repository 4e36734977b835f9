"""The whole way from the internet to a machine of Google Cloud: external address or load balancer, network, firewall rules.

A firewall rule is about a machine when it stands in the same network and names none of tags and service accounts, or one of
the machine's. Denials are not counted on. Source: Google Cloud VPC, "VPC firewall rules", "Component: target".
"""

from __future__ import annotations

from collections.abc import Iterator

from ..levels import Severity, worst
from ..networks import MOST_OPENINGS, Gain, worldly
from ..plan import Change, Plan, config_address
from ..rule import Match, Rule, seen
from ..switches import rule_of
from ..values import blocks, first, is_mark, raw, texts, values_at
from .openings import google_firewall
from .ways import Hop, Way, way_open, way_over

_MACHINES = ("google_compute_instance", "google_compute_instance_template", "google_compute_region_instance_template")
_FIREWALL, _NETWORK, _SUBNET = "google_compute_firewall", "google_compute_network", "google_compute_subnetwork"
_BALANCERS = ("google_compute_forwarding_rule", "google_compute_global_forwarding_rule")
_EXTERNAL = frozenset({"", "external", "external_managed"})
_LEADS = (
    "target",
    "backend_service",
    "url_map",
    "default_service",
    "backend",
    "instances",
    "group",
    "instance_template",
    "version",
)
_MOST_LED = 100


def _networks(change: Change, plan: Plan, *attributes: str) -> frozenset[str]:
    """Return the networks a resource stands in: configuration addresses, and names where a name stands."""
    return plan.once(("networks", *change.key), lambda: frozenset(_read_networks(change, plan, attributes)))


def _read_networks(change: Change, plan: Plan, attributes: tuple[str, ...]) -> Iterator[str]:
    for found in plan.referred(change, *attributes):
        if found.type == _SUBNET:
            yield from (config_address(net.address) for net in plan.referred(found, "network") if net.type == _NETWORK)
            yield from _names(found, "network")
        elif found.type == _NETWORK:
            yield config_address(found.address)
            yield from _names(found, "name")
    yield from _names(change, "network")
    yield from _names(change, "network_interface.network")


def _names(change: Change, path: str) -> Iterator[str]:
    yield from (
        f"name:{value.rsplit('/', 1)[-1]}"
        for value in values_at(change.after, path)
        if isinstance(value, str) and value
    )


def _is_about(firewall: Change, machine: Change) -> bool:
    tags, accounts = (set(texts(raw(firewall.after, name))) for name in ("target_tags", "target_service_accounts"))
    if tags:
        return bool(tags & set(texts(raw(machine.after, "tags"))))
    if accounts:
        return bool(
            accounts & {value for value in values_at(machine.after, "service_account.email") if isinstance(value, str)}
        )
    named = [raw(firewall.after, name) for name in ("target_tags", "target_service_accounts")]
    return not any(is_mark(value) for value in named)


def _open_firewalls(plan: Plan) -> list[tuple[Change, list[Gain], frozenset[str]]]:
    found: list[tuple[Change, list[Gain], frozenset[str]]] = []
    for firewall in plan.of_type(_FIREWALL):
        if firewall.after is not None:
            opened = list(google_firewall(firewall.after))
            gains = worldly(opened) if len(opened) <= MOST_OPENINGS else []
            if gains:
                found.append((firewall, gains, _networks(firewall, plan, "network")))
    return found


def _sort_of(machine: Change, plan: Plan) -> tuple[str, ...]:
    """Return what firewall rules tell machines apart by: networks, tags and accounts."""
    networks = _networks(machine, plan, "network_interface")
    accounts = [value for value in values_at(machine.after, "service_account.email") if isinstance(value, str)]
    return (*sorted(networks), "tags", *sorted(texts(raw(machine.after, "tags"))), "accounts", *sorted(accounts))


def _passing(machine: Change, plan: Plan) -> list[tuple[Change, list[Gain]]]:
    """Return the firewall rules that let the internet reach a machine."""
    networks = _networks(machine, plan, "network_interface")

    def find() -> list[tuple[Change, list[Gain]]]:
        firewalls = plan.once(("open-firewalls",), lambda: _open_firewalls(plan))
        return [(rule, gains) for rule, gains, of in firewalls if of & networks and _is_about(rule, machine)]

    return plan.once(("google-passing", *_sort_of(machine, plan)), find)


def _way(machine: Change, plan: Plan) -> Way | None:
    def find() -> Way | None:
        passing = _passing(machine, plan)
        hops = [Hop(rule.address, not rule.is_noop) for rule, _ in passing]
        return way_over(hops, worst(gain.severity for _, gains in passing for gain in gains))

    return plan.once(("google-way", *_sort_of(machine, plan)), find)


def _is_addressed(machine: Change) -> bool:
    """Say whether a machine has an external address of its own: an (even empty) block of access configuration."""
    interfaces = [block for _, block in blocks(machine.after, "network_interface")]
    return any(blocks(block, name) for block in interfaces for name in ("access_config", "ipv6_access_config"))


def _machine(change: Change, plan: Plan) -> Iterator[Match]:
    if change.after is None or not _is_addressed(change):
        return
    path = "network_interface"
    yield from way_open(change, _way(change, plan), (seen(path, raw(change.before, path), raw(change.after, path)),))


def _is_external(document: object) -> bool:
    scheme = first(document, "load_balancing_scheme")
    return document is not None and not is_mark(scheme) and str(scheme or "").lower() in _EXTERNAL


def _led_to(change: Change, plan: Plan) -> list[Change]:
    """Return the machines behind a load balancer, through proxies, maps, services, groups and templates."""
    found: list[Change] = []
    seen_keys, waiting = {change.key}, [change]
    while waiting and len(seen_keys) < _MOST_LED:
        for target in plan.referred(waiting.pop(), *_LEADS):
            if target.key not in seen_keys:
                seen_keys.add(target.key)
                (found if target.type in _MACHINES else waiting).append(target)
    return found


def _balancer(change: Change, plan: Plan) -> Iterator[Match]:
    """A load balancer that passes packets on needs a firewall rule; one that ends connections is open by itself."""
    if not _is_external(change.after):
        return
    path = "load_balancing_scheme"
    way = plan.once(("google-balancer", config_address(change.address)), lambda: _way_behind(change, plan))
    yield from way_open(change, way, (seen(path, first(change.before, path), first(change.after, path)),))


def _way_behind(change: Change, plan: Plan) -> Way | None:
    passing = {
        rule.key: (rule, gains, machine) for machine in _led_to(change, plan) for rule, gains in _passing(machine, plan)
    }
    hops = [Hop(rule.address, not rule.is_noop) for rule, _, _ in passing.values()]
    hops += [Hop(machine.address, not machine.is_noop) for _, _, machine in passing.values()]
    return way_over(hops, worst(gain.severity for _, gains, _ in passing.values() for gain in gains))


def _faces_out(change: Change, _plan: Plan) -> Iterator[Match]:
    if _is_external(change.after) and not _is_external(change.before):
        severity: Severity = "medium" if change.before is not None else "low"
        path = "load_balancing_scheme"
        yield Match((seen(path, first(change.before, path), first(change.after, path)),), severity)


_TITLE = "The internet can reach this resource over every hop"
RULES: tuple[Rule, ...] = (
    rule_of("google-open-way", "ingress", "public-ingress", "high", _TITLE, _MACHINES, _machine, refs=("CKV_GCP_40", "CWE-284"), also_unchanged=True),
    rule_of("google-open-way-balancer", "ingress", "public-ingress", "high", _TITLE, _BALANCERS, _balancer, refs=("CWE-284",), also_unchanged=True),
    rule_of("google-lb-public", "access", "public-access", "medium", "The load balancer faces the internet", _BALANCERS, _faces_out, paths=("load_balancing_scheme",)),
)  # fmt: skip
