"""Laws of the Azure mappings over the fixtures: what was applied shows no drift, one change shows as itself alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest

from functions.scan.domain.comparison import Drift, Sides, Tally, compare
from functions.scan.domain.difference import changes
from functions.scan.domain.resources import Declared, LiveResource, NotChecked, Parent, Unread
from functions.scan.domain.traced import Traced
from functions.scan.readers.azure.client import Arm
from functions.scan.readers.azure.reading import Unmapped, read_subscription
from functions.scan.types.azure import BY_TYPE, DECLARABLE, SPECS
from tests.support.azure_account import SUBSCRIPTION, AzureAccount, Estate, declared_in, load, names
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
def estate_of(name: str) -> Estate:
    return load(name)


@cache
def declared_by(name: str) -> list[Declared]:
    return declared_in(estate_of(name).states)


@cache
def scanned(name: str) -> Scanned:
    estate = estate_of(name)
    return scan(AzureAccount(estate.rows, estate.lists, estate.documents))


def drifts(declared: list[Declared], found: Scanned, tally: Tally | None = None) -> list[Drift]:
    sides = Sides(
        SUBSCRIPTION, frozenset({"global"}), declared, found.live, unread=found.unread, not_checked=found.not_checked
    )
    return list(compare(sides, DECLARABLE, tally))


@cache
def pairs(name: str) -> list[tuple[Declared, LiveResource]]:
    by_identity = {(item.type, item.key): item for item in scanned(name).live}
    return [(item, by_identity[item.type, str(item.key)]) for item in declared_by(name)]


# One property of Azure that the provider tells in two attributes: a kind of disk, and a key that is not fixed any more;
# or that says whether another is told at all.
_TOLD_TWICE = (
    {"security_type", "trusted_launch_enabled"},
    {"auto_key_rotation_enabled", "key_vault_key_id"},
    {"max_size_in_megabytes", "partitioning_enabled"},
    {"enable_partitioning", "max_size_in_megabytes"},
    {"premium_plan_auto_scale_enabled", "sku_name"},
    {"enable_automatic_updates", "upgrade_mode"},
)
_OPPOSITES = {"Enabled": "Disabled", "Disabled": "Enabled", "true": "false", "false": "true"}


def leaves(value: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], object]]:
    """Yield every value of a document but the empty ones, each with its path."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield from leaves(item, (*path, str(name)))
    elif isinstance(value, list):
        for position, item in enumerate(value):
            yield from leaves(item, (*path, position))
    elif value is not None:
        yield path, value


def others_of_azure(value: object) -> Iterator[object]:
    """Yield values that Azure might say instead."""
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int | float):
        yield value * 2 if value > 2**20 else value + 16  # whatever the provider counts in
    elif value in _OPPOSITES:
        yield _OPPOSITES[str(value)]
    else:
        yield from (f"{value}x", f"x{value}")


def with_value(document: Any, path: tuple[str | int, ...], value: object) -> Any:
    """Return a document with another value at a path."""
    if not path:
        return value
    head, rest = path[0], path[1:]
    if isinstance(document, list):
        return [with_value(item, rest, value) if at == head else item for at, item in enumerate(document)]
    return {name: with_value(item, rest, value) if name == head else item for name, item in document.items()}


@cache
def changed_in_azure(name: str) -> list[tuple[Declared, LiveResource, tuple[str | int, ...], set[str]]]:
    """List what shows of a change of each single value that Azure tells."""
    found = []
    taken_over = {item.parent for item in declared_by(name)}
    for declared, live in pairs(name):
        if live.document is None:
            continue
        inline = SPECS[live.type].inline
        skipped = frozenset(part for part in inline if Parent(live.type, live.key, part) in taken_over)
        for path, value in leaves(live.document):
            if path[0] in {"id", "name", "type"}:
                continue
            for other in others_of_azure(value):
                attributes = BY_TYPE[live.type].read(with_value(live.document, path, other))
                shown = changes(SPECS[live.type], declared.attributes, attributes, skipped=skipped)
                named = {change.path.partition(".")[0].partition("[")[0] for change in shown}
                found.append((declared, live, path, named))
    return found


@pytest.mark.parametrize("name", names())
class TestEveryEstate:
    def test_everything_is_read(self, name: str) -> None:
        assert not scanned(name).unread
        assert not scanned(name).not_checked

    def test_what_was_applied_shows_no_drift(self, name: str) -> None:
        tally = Tally()
        declared = declared_by(name)
        assert drifts(declared, scanned(name), tally) == []
        assert tally.in_sync == len(declared)

    def test_what_no_state_declares_is_unmanaged(self, name: str) -> None:
        found = {drift.kind for drift in drifts([], scanned(name))}
        assert found == {"unmanaged"}

    def test_what_is_gone_is_missing(self, name: str) -> None:
        declared = declared_by(name)
        for gone in scanned(name).live:
            rest = Scanned([item for item in scanned(name).live if item is not gone], [], [], [])
            expected = {item.address for item in declared if (item.type, item.key) == (gone.type, gone.key)}
            missing = {drift.address for drift in drifts(declared, rest) if drift.kind == "missing"}
            assert missing == expected, gone.key

    def test_one_change_in_azure_shows_as_one_attribute(self, name: str) -> None:
        for declared, live, path, found in changed_in_azure(name):
            assert len(found) <= 1 or found in _TOLD_TWICE, (live.type, declared.address, path, found)

    def test_one_change_shows_as_itself_alone(self, name: str) -> None:
        taken_over = {item.parent for item in declared_by(name)}
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
        estate = estate_of(name)
        shouted = [
            {**state, "attributes": {**state["attributes"], "id": str(state["attributes"].get("id", "")).upper()}}
            for state in estate.states
            if str(state["attributes"].get("id", "")).startswith("/")
        ]
        kinds = {drift.kind for drift in drifts(declared_in(shouted), scanned(name))}
        assert "missing" not in kinds

    def test_each_page_is_named(self, name: str) -> None:
        assert all(page.startswith("https://") for page in estate_of(name).pages)


def test_every_mapped_type_has_a_fixture() -> None:
    told = {state["type"] for name in names() for state in estate_of(name).states}
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


def test_every_mapped_attribute_follows_a_value_of_azure() -> None:
    """A change in Azure that no attribute follows would stay unseen, with whatever mapping."""
    told = {(live.type, shown) for name in names() for _, live, _, found in changed_in_azure(name) for shown in found}
    documented = {live.type for name in names() for live in scanned(name).live if live.document is not None}
    wanted = {(kind, attribute) for kind in documented for attribute in BY_TYPE[kind].attributes}
    assert sorted(wanted - told) == []


_SILENT = {
    "blob_settings": {
        "sku.tier", "properties.creationTime", "properties.provisioningState", "blobSettings.restorePolicy.minRestoreTime",
        "blobSettings.lastAccessTimeTrackingPolicy.name", "blobSettings.lastAccessTimeTrackingPolicy.blobType.*",
        "blobSettings.lastAccessTimeTrackingPolicy.trackingGranularityInDays",
    },
    "dns_records": {
        "etag", "kind", "location", "managedBy", "properties.fqdn", "properties.maxNumberOfRecordSets",
        "properties.numberOfRecordSets", "properties.nameServers.*", "properties.provisioningState", "properties.zoneType",
    },
    "scale_sets": {
        "kind", "managedBy", "resourceGroup", "subscriptionId", "tenantId", "sku.tier",
        "properties.orchestrationMode", "properties.provisioningState", "properties.uniqueId",
        "properties.upgradePolicy.automaticOSUpgradePolicy.useRollingUpgradePolicy",
        "properties.upgradePolicy.rollingUpgradePolicy.rollbackFailedInstancesOnPolicyBreach",
        "properties.virtualMachineProfile.networkProfile.networkApiVersion",
        "properties.virtualMachineProfile.networkProfile.networkInterfaceConfigurations.*.properties.disableTcpStateTracking",
        "properties.virtualMachineProfile.osProfile.linuxConfiguration.enableVMAgentPlatformUpdates",
        "properties.virtualMachineProfile.osProfile.requireGuestProvisionSignal",
        "properties.virtualMachineProfile.securityProfile.securityType",  # told by what is secured
        "properties.virtualMachineProfile.storageProfile.osDisk.createOption",
        "properties.virtualMachineProfile.storageProfile.osDisk.osType",  # makes it another type
        "properties.virtualMachineProfile.timeCreated",
    },
    "site_settings": {
        "kind", "properties.clientAffinityEnabled", "properties.dailyMemoryTimeQuota",  # of the other kind of site
        "properties.siteConfig.alwaysOn", "properties.siteConfig.numberOfWorkers",  # what Resource Graph keeps is of yesterday
        "settings.virtualApplications.*.preloadEnabled",  # of the one that every site has: it follows `alwaysOn`
    },
}  # fmt: skip
_OF_ONE_KIND = {
    "localMySqlEnabled": "_web_app", "linuxFxVersion": "_linux_", "functionAppScaleLimit": "_function_app",
    "functionsRuntimeScaleMonitoringEnabled": "_function_app", "minimumElasticInstanceCount": "_function_app",
    "minTlsCipherSuite": "_web_app", "physicalPath": "windows_web_app", "preWarmedInstanceCount": "_function_app",
    "virtualPath": "windows_web_app", "windowsFxVersion": "_windows_",
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(_SILENT))
def test_whatever_azure_tells_of_these_shows_somewhere(name: str) -> None:
    """One attribute may hold a whole document: each of its members must be followed."""
    shown: dict[tuple[str, str], bool] = {}
    for _, live, path, found in changed_in_azure(name):
        spelled = ".".join("*" if isinstance(part, int) else part for part in path)
        shown[live.type, spelled] = shown.get((live.type, spelled), False) or bool(found)
    silent = {place for place, is_shown in shown.items() if not is_shown}
    told_apart = ("identity.", "properties.virtualMachineProfile.extensionProfile.extensions.")  # ids of people; parts
    left = {
        (kind, path)
        for kind, path in silent
        if path not in _SILENT[name]
        and not path.startswith(told_apart)
        and _OF_ONE_KIND.get(path.rpartition(".")[2], kind) in kind
        and not path.endswith(("scmIpSecurityRestrictions.*.tag", "scmIpSecurityRestrictions.*.description"))
    }
    assert left == set()


def rules_of(*rules: dict[str, Any]) -> object:
    row = {"type": "microsoft.web/sites", "kind": "app,linux", "settings": {"ipSecurityRestrictions": list(rules)}}
    found: Any = BY_TYPE["azurerm_linux_web_app"].read(row)["site_config"]
    return found[0]["ip_restriction"]


def test_only_the_rules_that_azure_writes_itself_are_left_out() -> None:
    """Source: App Service documentation, "Set up Azure App Service access restrictions"."""
    everybody = {"ipAddress": "Any", "action": "Allow", "name": "Allow all"}
    office = {"ipAddress": "10.0.0.0/24", "action": "Allow", "priority": 100, "name": "office"}
    assert rules_of({**everybody, "priority": 2147483647}) == []
    assert rules_of({**everybody, "priority": 1}) == []
    assert rules_of({**everybody, "name": "anybody at all", "priority": 1}) != []
    for opening in ({**everybody, "priority": 1}, {**everybody, "priority": 99}):
        assert len(rules_of(opening, office)) == 2, "who opened a site is seen"  # type: ignore[arg-type]


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


def test_what_a_flexible_scale_set_makes_is_its_own_and_what_is_put_into_it_is_not() -> None:
    """Source: Virtual Machine Scale Sets documentation, "Orchestration modes"."""
    group = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/g/providers/Microsoft"
    owner = f"{group}.Compute/virtualMachineScaleSets/flex"

    def parts(name: str, scale_set: str | None) -> list[dict[str, Any]]:
        machine = f"{group}.Compute/virtualMachines/{name}"
        belongs = {"virtualMachineScaleSet": {"id": scale_set}} if scale_set else {}
        system = {"storageProfile": {"osDisk": {"osType": "Linux"}}}
        return [
            {
                "id": f"{group}.Compute/disks/{name}-d",
                "type": "microsoft.compute/disks",
                "managedBy": machine,
                "properties": {},
            },
            {"id": machine, "type": "microsoft.compute/virtualmachines", "properties": {**system, **belongs}},
            {
                "id": f"{group}.Network/networkInterfaces/{name}-n",
                "type": "microsoft.network/networkinterfaces",
                "properties": {"virtualMachine": {"id": machine}},
            },
        ]

    rows = [
        {**row, "name": row["id"].rpartition("/")[2]}
        for name, scale_set in (("flex_0a1b2c3d", owner), ("pet", owner), ("flex_0a1b2c3e", None))
        for row in parts(name, scale_set)
    ]
    found = scan(AzureAccount(rows))
    assert found.unread == []
    made = {item.key.rpartition("/")[2] for item in found.live if item.cloud_made}
    assert made == {"flex_0a1b2c3d", "flex_0a1b2c3d-d", "flex_0a1b2c3d-n"}


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


def test_a_count_that_an_autoscaler_moves_is_not_drift_and_any_other_is() -> None:
    estate = load("scale_sets")
    rows = [row for row in estate.rows if row["name"] in {"lin-full", "win-full"}]
    scaled, fixed = (str(row["id"]) for row in rows)
    setting = {
        "id": "/subscriptions/x/resourceGroups/g/providers/Microsoft.Insights/autoscaleSettings/a",
        "type": "microsoft.insights/autoscalesettings",
        "properties": {"enabled": True, "targetResourceUri": scaled.upper()},
    }
    off = {**setting, "id": f"{setting['id']}b", "properties": {"enabled": False, "targetResourceUri": fixed}}
    grown = [{**row, "sku": {**row["sku"], "capacity": 9}} for row in rows]
    declared = [item for item in declared_in(estate.states) if item.key in {scaled.lower(), fixed.lower()}]
    found = drifts(declared, scan(AzureAccount([*grown, setting, off])))
    assert [(drift.key, drift.path) for drift in found if drift.kind == "changed"] == [(fixed.lower(), "instances")]
    for item in scan(AzureAccount([*grown, setting, off])).live:
        covered = item.document.covered() if isinstance(item.document, Traced) else frozenset({"sku.capacity"})
        assert "sku.capacity" in covered, "nor does the other detector tell of it"


def test_extensions_of_a_flexible_set_are_compared_though_it_names_their_members_otherwise() -> None:
    estate = load("documented_scale_sets")
    (row,) = [row for row in estate.rows if row["name"] == "fx-lin"]
    declared = [item for item in declared_in(estate.states) if str(item.key).startswith(str(row["id"]).lower())]
    members = {"autoUpgradeMinorVersion": True, "forceUpdateTag": "3", "provisionAfterExtensions": [], "suppressFailures": False}  # fmt: skip
    for member, other in members.items():
        path = ("properties", "virtualMachineProfile", "extensionProfile", "extensions", 0, "properties", member)
        found = drifts(declared, scan(AzureAccount([with_value(row, path, other)])))
        assert [drift.key.rpartition("/")[2] for drift in found] == ["health"], member


def test_what_a_set_that_upgrades_itself_says_of_updates_is_not_compared() -> None:
    """Source: Terraform AzureRM provider, `windows_virtual_machine_scale_set_resource.go`."""
    (row,) = [row for row in load("documented_scale_sets").rows if row["name"] == "wn-min"]
    path = ("properties", "upgradePolicy", "mode")
    for mode, is_compared in (("Automatic", False), ("Manual", True), ("Rolling", True)):
        read = BY_TYPE["azurerm_windows_virtual_machine_scale_set"].read(with_value(row, path, mode))
        assert ("enable_automatic_updates" in read) == is_compared


def test_where_autoscalers_may_not_be_seen_no_count_is_compared() -> None:
    """Source: Azure RBAC documentation, "Azure resource provider operations" (`Microsoft.Insights/autoscaleSettings/read`)."""
    rows = [row for row in load("scale_sets").rows if row["name"] == "lin-full"]
    only = ({"actions": ["*/read"], "notActions": ["Microsoft.Insights/autoscaleSettings/read"]},)
    (found,) = [item for item in scan(AzureAccount(rows, permissions=only)).live if not item.parent]
    assert "instances" not in found.attributes


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
        ("azurerm_linux_virtual_machine_scale_set", "automatic_os_upgrade_policy", [{"disable_automatic_rollback": True}], [{"automatic_rollback_enabled": False}]),
        ("azurerm_orchestrated_virtual_machine_scale_set", "sku_profile", [{"vm_sizes": ["Standard_D2s_v5"]}], [{"virtual_machine_size": [{"name": "Standard_D2s_v5"}]}]),
        ("azurerm_orchestrated_virtual_machine_scale_set", "upgrade_mode", None, "Manual"),
        ("azurerm_linux_web_app", "site_config", [{"linux_fx_version": "PYTHON|3.12"}], [{"linux_fx_version": "Python|3.12"}]),
        ("azurerm_windows_web_app", "site_config", [], [{"virtual_application": [{"physical_path": "site\\wwwroot", "preload": True, "virtual_path": "/"}]}]),
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
        (
            "azurerm_linux_web_app",
            "site_config",
            [{"linux_fx_version": "DOCKER|web:a"}],
            [{"linux_fx_version": "DOCKER|web:A"}],
        ),
        (
            "azurerm_windows_web_app",
            "site_config",
            [{"windows_fx_version": "DOCKER|a"}],
            [{"windows_fx_version": "DOCKER|b"}],
        ),
        (
            "azurerm_windows_web_app",
            "site_config",
            [],
            [{"virtual_application": [{"physical_path": "site\\other", "virtual_path": "/"}]}],
        ),
        ("azurerm_linux_web_app", "site_config", [{"minimum_tls_cipher_suite": "TLS_AES_256_GCM_SHA384"}], []),
        (
            "azurerm_storage_account",
            "blob_properties",
            [{"cors_rule": [{"allowed_origins": ["*"]}, {"allowed_origins": ["https://a.example.com"]}]}],
            [{"cors_rule": [{"allowed_origins": ["https://a.example.com"]}, {"allowed_origins": ["*"]}]}],
        ),
    ],
)
def test_a_widening_is_never_folded(name: str, attribute: str, one: object, other: object) -> None:
    shape = SPECS[name].shapes[attribute]
    assert shape(one) != shape(other)
