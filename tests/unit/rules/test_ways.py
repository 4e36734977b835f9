"""Exposure is followed over the plan: on every cloud, a machine is reached when every hop to it is open, and only then."""

from __future__ import annotations

from typing import Any

import pytest

from shared.rules.engine import judge_plan
from shared.rules.plan import Change, Plan


def _at(address: str, after: Any, *, before: Any = None, actions: tuple[str, ...] = ("no-op",)) -> Change:
    kept = after if before is None and actions == ("no-op",) else before
    return Change(address, address.split(".", 1)[0], actions, kept, after)


def _ways(changes: list[Change], references: dict[str, dict[str, set[str]]]) -> dict[str, tuple[str, str]]:
    known = {user: {name: frozenset(found) for name, found in names.items()} for user, names in references.items()}
    found = judge_plan(Plan(tuple(changes), references=known)).findings
    return {item.address: (item.severity, item.note) for item in found if "open-way" in item.rule}


GOOGLE_VM = {"tags": ["web"], "network_interface": [{"network": "main", "access_config": [{"nat_ip": None}]}]}
OFFICE = {"network": "main", "direction": "INGRESS", "allow": [{"protocol": "tcp", "ports": ["22"]}], "source_ranges": ["198.51.100.0/24"], "target_tags": ["web"]}  # fmt: skip
WORLD = {**OFFICE, "source_ranges": ["0.0.0.0/0"]}


def _google(firewall: Any, machine: Any = GOOGLE_VM, was: Any = OFFICE) -> dict[str, tuple[str, str]]:
    rule = Change("google_compute_firewall.ssh", "google_compute_firewall", ("update",), was, firewall)
    return _ways([rule, _at("google_compute_instance.web", machine)], {})


def test_a_firewall_rule_of_google_cloud_opens_the_way_to_a_machine_with_an_address() -> None:
    severity, note = _google(WORLD)["google_compute_instance.web"]
    assert severity == "critical"
    assert "internet -> google_compute_firewall.ssh -> google_compute_instance.web" in note


@pytest.mark.parametrize(
    ("firewall", "machine"),
    [
        (OFFICE, GOOGLE_VM),
        ({**WORLD, "target_tags": ["other"]}, GOOGLE_VM),
        ({**WORLD, "network": "other"}, GOOGLE_VM),
        ({**WORLD, "direction": "EGRESS"}, GOOGLE_VM),
        ({**WORLD, "disabled": True}, GOOGLE_VM),
        (WORLD, {**GOOGLE_VM, "network_interface": [{"network": "main", "access_config": []}]}),
        ({**WORLD, "target_tags": None, "target_service_accounts": ["a@b.iam"]}, GOOGLE_VM),
    ],
)
def test_one_closed_hop_of_google_cloud_closes_the_way(firewall: Any, machine: Any) -> None:
    assert _google(firewall, machine) == {}


def test_a_rule_of_google_cloud_is_about_a_machine_by_tag_by_account_or_for_all() -> None:
    account = {**GOOGLE_VM, "service_account": [{"email": "a@b.iam"}]}
    assert _google({**WORLD, "target_tags": None}) != {}
    assert _google({**WORLD, "target_tags": None, "target_service_accounts": ["a@b.iam"]}, account) != {}


def test_instances_of_one_resource_may_stand_in_different_networks() -> None:
    rule = Change("google_compute_firewall.ssh", "google_compute_firewall", ("update",), OFFICE, WORLD)
    other = {**GOOGLE_VM, "network_interface": [{"network": "other", "access_config": [{}]}]}
    machines = [_at('google_compute_instance.web["a"]', other), _at('google_compute_instance.web["b"]', GOOGLE_VM)]
    assert set(_ways([rule, *machines], {})) == {'google_compute_instance.web["b"]'}


def test_networks_of_google_cloud_are_followed_by_reference_when_they_have_no_name_yet() -> None:
    parts = [
        _at("google_compute_network.main", {}, actions=("create",)), _at("google_compute_subnetwork.main", {}, actions=("create",)),
        _at("google_compute_firewall.ssh", {**WORLD, "network": None}, actions=("create",)),
        _at("google_compute_instance.web", {**GOOGLE_VM, "network_interface": [{"access_config": [{}]}]}, actions=("create",)),
    ]  # fmt: skip
    references = {
        "google_compute_subnetwork.main": {"network": {"google_compute_network.main"}},
        "google_compute_firewall.ssh": {"network": {"google_compute_network.main"}},
        "google_compute_instance.web": {"network_interface": {"google_compute_subnetwork.main"}},
    }
    assert set(_ways(parts, references)) == {"google_compute_instance.web"}
    assert _ways(parts, {**references, "google_compute_firewall.ssh": {"network": set()}}) == {}


@pytest.mark.parametrize(("scheme", "is_open"), [("EXTERNAL", True), (None, True), ("INTERNAL", False)])
def test_a_load_balancer_of_google_cloud_leads_to_the_machines_behind_it(scheme: Any, is_open: bool) -> None:
    inside = {**GOOGLE_VM, "network_interface": [{"network": "main"}]}
    parts = [
        _at("google_compute_forwarding_rule.web", {"load_balancing_scheme": scheme}), _at("google_compute_target_pool.web", {}),
        _at("google_compute_instance.web", inside), _at("google_compute_firewall.web", WORLD, before=OFFICE, actions=("update",)),
    ]  # fmt: skip
    references = {
        "google_compute_forwarding_rule.web": {"target": {"google_compute_target_pool.web"}},
        "google_compute_target_pool.web": {"instances": {"google_compute_instance.web"}},
    }
    assert set(_ways(parts, references)) == ({"google_compute_forwarding_rule.web"} if is_open else set())


def _nsg(*sources: str) -> dict[str, Any]:
    rule = {"access": "Allow", "direction": "Inbound", "protocol": "Tcp", "destination_port_range": "22"}
    return {"security_rule": [{**rule, "source_address_prefix": source} for source in sources]}


VM, NIC, ADDRESS, SUBNET = (
    "azurerm_linux_virtual_machine.web", "azurerm_network_interface.web", "azurerm_public_ip.web", "azurerm_subnet.web",
)  # fmt: skip
NEAR, FAR = "azurerm_network_security_group.near", "azurerm_network_security_group.far"
NIC_LINK, SUBNET_LINK = (
    "azurerm_network_interface_security_group_association.web", "azurerm_subnet_network_security_group_association.web",
)  # fmt: skip


def _azure(near: Any, far: Any, *, sku: str = "Standard", has_address: bool = True) -> dict[str, tuple[str, str]]:
    parts = [_at(VM, {}, actions=("create",)), _at(NIC, {}), _at(ADDRESS, {"sku": sku}), _at(SUBNET, {})]
    references = {
        VM: {"network_interface_ids": {NIC}},
        NIC: {"ip_configuration": {SUBNET} | ({ADDRESS} if has_address else set())},
    }
    if near is not None:
        parts += [_at(NEAR, near), _at(NIC_LINK, {})]
        references[NIC_LINK] = {"network_interface_id": {NIC}, "network_security_group_id": {NEAR}}
    if far is not None:
        parts += [_at(FAR, far), _at(SUBNET_LINK, {})]
        references[SUBNET_LINK] = {"subnet_id": {SUBNET}, "network_security_group_id": {FAR}}
    return _ways(parts, references)


OPEN, CLOSED = _nsg("Internet"), _nsg("10.0.0.0/8")


@pytest.mark.parametrize(
    ("near", "far", "sku", "is_open"),
    [
        (OPEN, None, "Standard", True), (None, OPEN, "Standard", True), (OPEN, OPEN, "Standard", True), (OPEN, CLOSED, "Standard", False),
        (CLOSED, OPEN, "Standard", False), (None, None, "Standard", False), (None, None, "Basic", True), (CLOSED, None, "Basic", False),
    ],
)  # fmt: skip
def test_both_security_groups_of_azure_have_to_let_the_internet_through(
    near: Any, far: Any, sku: str, is_open: bool
) -> None:
    assert set(_azure(near, far, sku=sku)) == ({VM} if is_open else set())
    assert _azure(near, far, sku=sku, has_address=False) == {}


def test_a_rule_beside_the_group_and_a_load_balancer_in_front_open_the_way_too() -> None:
    rule = {
        "access": "Allow",
        "direction": "Inbound",
        "protocol": "Tcp",
        "destination_port_range": "3389",
        "source_address_prefix": "*",
    }
    pool, link, balancer = (
        "azurerm_lb_backend_address_pool.web", "azurerm_network_interface_backend_address_pool_association.web", "azurerm_lb.web",
    )  # fmt: skip
    parts = [
        _at(VM, {}), _at(NIC, {}), _at(SUBNET, {}), _at(ADDRESS, {"sku": "Standard"}), _at(NEAR, CLOSED), _at(NIC_LINK, {}), _at(pool, {}), _at(link, {}),
        _at(balancer, {}), _at("azurerm_network_security_rule.rdp", rule, actions=("create",)),
    ]  # fmt: skip
    references = {
        VM: {"network_interface_ids": {NIC}}, NIC: {"ip_configuration": {SUBNET}}, NIC_LINK: {"network_interface_id": {NIC}, "network_security_group_id": {NEAR}},
        "azurerm_network_security_rule.rdp": {"network_security_group_name": {NEAR}}, link: {"network_interface_id": {NIC}, "backend_address_pool_id": {pool}},
        pool: {"loadbalancer_id": {balancer}}, balancer: {"frontend_ip_configuration": {ADDRESS}},
    }  # fmt: skip
    severity, note = _ways(parts, references)[VM]
    assert severity == "critical"
    assert note.startswith("The way is open: internet -> azurerm_public_ip.web")
    assert _ways([part for part in parts if part.address != balancer], references) == {}


def test_a_way_that_stands_open_already_is_no_news() -> None:
    assert _ways([_at("google_compute_firewall.ssh", WORLD), _at("google_compute_instance.web", GOOGLE_VM)], {}) == {}
