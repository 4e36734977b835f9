"""Laws of the Azure mappings over the fixtures: what was applied shows no drift, one change shows as itself alone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import pytest

from functions.scan.domain.comparison import Drift, Sides, Tally, compare
from functions.scan.domain.difference import changes
from functions.scan.domain.resources import Declared, LiveResource, NotChecked, Parent, Unread
from functions.scan.readers.azure.client import Arm
from functions.scan.readers.azure.reading import Unmapped, read_subscription
from functions.scan.types.azure import BY_TYPE, DECLARABLE, SPECS
from tests.support.azure_account import SUBSCRIPTION, AzureAccount, declared_in, load, names
from tests.support.perturbed import others


@dataclass(frozen=True)
class Scanned:
    live: list[LiveResource]
    unread: list[Unread]
    not_checked: list[NotChecked]
    unmapped: list[Unmapped]


def scan(account: AzureAccount) -> Scanned:
    found = list(read_subscription(Arm(account, account.clock), SUBSCRIPTION))
    return Scanned(
        [item for item in found if isinstance(item, LiveResource)],
        [item for item in found if isinstance(item, Unread)],
        [item for item in found if isinstance(item, NotChecked)],
        [item for item in found if isinstance(item, Unmapped)],
    )


@cache
def scanned(name: str) -> Scanned:
    estate = load(name)
    return scan(AzureAccount(estate.rows, estate.lists))


def drifts(declared: list[Declared], found: Scanned, tally: Tally | None = None) -> list[Drift]:
    sides = Sides(
        SUBSCRIPTION, frozenset({"global"}), declared, found.live, unread=found.unread, not_checked=found.not_checked
    )
    return list(compare(sides, DECLARABLE, tally))


def pairs(name: str) -> list[tuple[Declared, LiveResource]]:
    by_identity = {(item.type, item.key): item for item in scanned(name).live}
    return [(item, by_identity[item.type, str(item.key)]) for item in declared_in(load(name).states)]


@pytest.mark.parametrize("name", names())
class TestEveryEstate:
    def test_everything_is_read(self, name: str) -> None:
        assert not scanned(name).unread
        assert not scanned(name).not_checked

    def test_what_was_applied_shows_no_drift(self, name: str) -> None:
        tally = Tally()
        declared = declared_in(load(name).states)
        assert drifts(declared, scanned(name), tally) == []
        assert tally.in_sync == len(declared)

    def test_what_no_state_declares_is_unmanaged(self, name: str) -> None:
        found = {drift.kind for drift in drifts([], scanned(name))}
        assert found == {"unmanaged"}

    def test_what_is_gone_is_missing(self, name: str) -> None:
        for gone in scanned(name).live:
            rest = Scanned([item for item in scanned(name).live if item is not gone], [], [], [])
            expected = {
                item.address
                for item in declared_in(load(name).states)
                if (item.type, item.key) == (gone.type, gone.key)
            }
            missing = {
                drift.address for drift in drifts(declared_in(load(name).states), rest) if drift.kind == "missing"
            }
            assert missing == expected, gone.key

    def test_one_change_shows_as_itself_alone(self, name: str) -> None:
        taken_over = {item.parent for item in declared_in(load(name).states)}
        for declared, live in pairs(name):
            spec = SPECS[live.type]
            skipped = frozenset(part for part in spec.inline if Parent(live.type, live.key, part) in taken_over)
            for attribute, value in live.attributes.items():
                if attribute not in declared.attributes or attribute in skipped:
                    continue
                seen = False
                for other in others(value):
                    try:
                        found = changes(
                            spec, declared.attributes, {**live.attributes, attribute: other}, skipped=skipped
                        )
                    except (TypeError, ValueError, AttributeError):
                        continue
                    paths = {change.path.partition(".")[0].partition("[")[0] for change in found}
                    assert paths <= {attribute}, (live.type, attribute, other)
                    seen = seen or attribute in paths
                assert seen or value in (None, [], {}), (live.type, attribute)  # told elsewhere: see below

    def test_ids_in_another_case_are_the_same(self, name: str) -> None:
        estate = load(name)
        shouted = [
            {**state, "attributes": {**state["attributes"], "id": str(state["attributes"].get("id", "")).upper()}}
            for state in estate.states
            if str(state["attributes"].get("id", "")).startswith("/")
        ]
        kinds = {drift.kind for drift in drifts(declared_in(shouted), scanned(name))}
        assert "missing" not in kinds

    def test_each_page_is_named(self, name: str) -> None:
        assert all(page.startswith("https://") for page in load(name).pages)


def test_every_mapped_type_has_a_fixture() -> None:
    told = {state["type"] for name in names() for state in load(name).states}
    assert set(SPECS) == told
    assert len(told) >= 50


def test_every_mapped_attribute_has_a_value_in_some_fixture() -> None:
    """An attribute that both sides leave empty would pass the zero-drift law with any mapping."""
    told: set[tuple[str, str]] = set()
    for name in names():
        for declared, live in pairs(name):
            for attribute, shape in SPECS[live.type].shapes.items():
                if attribute in declared.attributes and attribute in live.attributes:
                    value = live.attributes[attribute]
                    if shape(value) is not None or value not in (None, "", [], {}):
                        told.add((live.type, attribute))
    wanted = {(kind, name) for kind, item in BY_TYPE.items() for name in item.attributes}
    assert sorted(wanted - told) == []


def test_what_azure_makes_is_not_unmanaged() -> None:
    made = {item.key.rpartition("/")[2] for name in names() for item in scanned(name).live if item.cloud_made}
    assert made >= {
        "networkwatcher_westeurope", "mc_app_aks_westeurope", "kubernetes", "p", "pe.nic.1", "master", "$web",
        "failure anomalies - ai", "application insights smart detection", "66666666-6666-6666-6666-666666666666",
    }  # fmt: skip


def test_a_group_called_like_a_cluster_s_own_is_not_hidden() -> None:
    group = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/MC_mine"
    rows = [
        {"id": group, "name": "MC_mine", "type": "microsoft.resources/subscriptions/resourcegroups"},
        {
            "id": f"{group}/providers/Microsoft.Network/dnsZones/x",
            "name": "x",
            "type": "microsoft.network/dnszones",
        },
    ]
    assert len(drifts([], scan(AzureAccount(rows)))) == 2


def test_what_no_mapping_covers_is_told() -> None:
    (found,) = scanned("services").unmapped
    assert (found.arm_type, found.tags) == ("microsoft.maps/accounts", {"x": "y"})


def test_a_second_provider_may_declare_the_same() -> None:
    estate = load("services")
    first = estate.states[0]
    azapi = {
        "type": "azapi_resource",
        "attributes": {"id": first["attributes"]["id"], "type": "Microsoft.Web/serverfarms@2022-09-01"},
    }
    old = {"type": "azurerm_app_service_plan", "attributes": {"id": first["attributes"]["id"]}}
    for other in (azapi, old):
        assert drifts(declared_in([other, *estate.states[1:]]), scanned("services")) == []


def test_the_autoscaler_s_count_is_not_drift_and_a_set_one_is() -> None:
    pools = {item.key.rpartition("/")[2]: item for item in scanned("compute").live if "agentpools" in item.key}
    assert "node_count" not in pools["work"].attributes
    assert pools["system"].attributes["node_count"] == 3


def test_both_versions_of_the_provider_spell_the_same_subnet() -> None:
    subnets = SPECS["azurerm_virtual_network"].shapes["subnet"]
    old = [{"name": "a", "address_prefix": "10.0.1.0/24", "security_group": ""}]
    new = [{"name": "a", "address_prefixes": ["10.0.1.0/24"], "security_group": "", "route_table_id": ""}]
    assert subnets(old) == subnets(new)
    assert subnets(old) != subnets([{**old[0], "address_prefix": "10.0.0.0/8"}])


@pytest.mark.parametrize(
    ("name", "attribute", "one", "other"),
    [
        ("azurerm_virtual_network", "location", "West Europe", "westeurope"),
        ("azurerm_linux_web_app", "identity", [{"type": "SystemAssigned,UserAssigned"}], [{"type": "UserAssigned, SystemAssigned"}]),
        ("azurerm_linux_web_app", "identity", [{"type": "None"}], []),
        ("azurerm_key_vault", "network_acls", [], [{"bypass": "AzureServices", "default_action": "Allow"}]),
        ("azurerm_storage_account", "network_rules", [], [{"bypass": ["AzureServices"], "default_action": "Allow"}]),
        ("azurerm_servicebus_queue", "default_message_ttl", "P10675199DT2H48M5.4775807S", None),
    ],
)  # fmt: skip
def test_two_spellings_of_one_value(name: str, attribute: str, one: object, other: object) -> None:
    shape = SPECS[name].shapes[attribute]
    assert shape(one) == shape(other)


@pytest.mark.parametrize(
    ("name", "attribute", "one", "other"),
    [
        ("azurerm_network_security_rule", "source_address_prefix", "10.0.0.0/8", "*"),
        ("azurerm_network_security_rule", "destination_port_range", "443", "*"),
        ("azurerm_key_vault", "network_acls", [{"bypass": "AzureServices", "default_action": "Deny"}], []),
        ("azurerm_storage_account", "network_rules", [{"bypass": ["None"], "default_action": "Deny"}], []),
        ("azurerm_role_assignment", "scope", "/subscriptions/a/resourceGroups/b", "/subscriptions/a"),
        ("azurerm_role_assignment", "role_definition_id", "/x/reader", "/x/owner"),
        ("azurerm_linux_web_app", "tags", {"a": "b"}, {"A": "b"}),
    ],
)
def test_a_widening_is_never_folded(name: str, attribute: str, one: object, other: object) -> None:
    shape = SPECS[name].shapes[attribute]
    assert shape(one) != shape(other)
