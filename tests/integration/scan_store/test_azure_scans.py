"""Scans of an Azure subscription, end to end: exactly what was planted, nothing concluded of what was not read, and who it was."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from functions.scan.clouds import azure
from functions.scan.readers.azure.client import ArmReply
from tests.support.azure_account import SUBSCRIPTION, AzureAccount, load, names, reply
from tests.support.cloud_scene import CloudScene
from tests.support.database import ClonedDatabase, DatabaseServer
from tests.support.scan_function import ScanFunction

GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-app/providers"
NSG = f"{GROUP}/Microsoft.Network/networkSecurityGroups/nsg"
STRAY: dict[str, Any] = {
    "id": f"{GROUP}/Microsoft.Network/publicIPAddresses/Stray", "name": "Stray", "type": "microsoft.network/publicipaddresses",
    "location": "westeurope", "sku": {"name": "Standard"}, "properties": {"publicIPAllocationMethod": "Static"}, "tags": {},
}  # fmt: skip
MAPS: dict[str, Any] = {
    "id": f"{GROUP}/Microsoft.Maps/accounts/Atlas", "name": "Atlas", "type": "microsoft.maps/accounts", "location": "global",
    "sku": {"name": "G2"}, "properties": {"disableLocalAuth": True}, "tags": {},
}  # fmt: skip


@pytest.fixture(scope="module")
def shared(database_server: DatabaseServer) -> Iterator[ClonedDatabase]:
    with database_server.clone() as found:
        yield found


@pytest.fixture
def estate() -> list[Any]:
    """Return the fixtures that lie in one subscription; those from documentation have ids of their own, which may be the same."""
    return [load(name) for name in names() if not name.startswith("documented_")]


@pytest.fixture
def cloud(estate: list[Any]) -> AzureAccount:
    """Return a subscription with everything that a mapping covers, as it was applied."""
    rows = [copy.deepcopy(row) for one in estate for row in one.rows]
    lists: dict[str, list[dict[str, Any]]] = {}
    for one in estate:
        for path, items in one.lists.items():
            lists.setdefault(path, []).extend(copy.deepcopy(items))
    documents = {path: copy.deepcopy(item) for one in estate for path, item in one.documents.items()}
    return AzureAccount(rows, lists, documents)


@pytest.fixture
def scene(
    shared: ClonedDatabase, cloud: AzureAccount, estate: list[Any], monkeypatch: pytest.MonkeyPatch
) -> CloudScene:
    function = ScanFunction(shared)
    cloud.clock = function.clock
    found = CloudScene.make(function, monkeypatch, "azure", SUBSCRIPTION, cloud)
    found.declare((state["type"], state["attributes"]) for one in estate for state in one.states)
    return found


def test_a_subscription_that_was_just_applied_does_not_drift(scene: CloudScene) -> None:
    found = scene.scan()
    assert {item[1] for item in scene.drift()} == {"azurerm_maps_accounts"}, (
        "the one that no state of the fixtures declares"
    )
    assert found["summary"]["compared"] == found["summary"]["in_sync"] > 80


def row(cloud: AzureAccount, kind: str) -> dict[str, Any]:
    """Return the first resource of an ARM type."""
    return next(one for one in cloud.rows if str(one["type"]).lower() == kind)


def _plant(cloud: AzureAccount) -> set[tuple[str, str, str]]:
    """Change, delete and add something of each kind; returns what must be found."""
    next(one for one in cloud.rows if one["id"] == NSG)["tags"] = {"team": "intruders"}
    table = row(cloud, "microsoft.network/publicipprefixes")
    cloud.rows = [*(one for one in cloud.rows if one is not table), STRAY, MAPS]
    return {
        ("changed", "azurerm_network_security_group", "tags.team"),
        ("missing", "azurerm_public_ip_prefix", table["id"].lower()),
        ("unmanaged", "azurerm_public_ip", STRAY["id"].lower()),
        ("unmanaged", "azurerm_maps_accounts", MAPS["id"]),
    }


def _graphs(cloud: AzureAccount, table: str) -> int:
    return sum(1 for _, _, body in cloud.calls if str(body.get("query", "")).startswith(f"{table} "))


def test_exactly_what_was_planted_is_found_after_a_second_reading(scene: CloudScene, cloud: AzureAccount) -> None:
    scene.scan()
    before, planted = scene.drift(), _plant(cloud)
    cloud._tables.clear()
    begin = _graphs(cloud, "resources | project")
    scene.scan()
    assert scene.drift() - before == planted
    assert scene.drift() - planted == before
    assert _graphs(cloud, "resources | project") == begin + 2, "what is new is read twice before it is told"
    scene.scan()
    assert _graphs(cloud, "resources | project") == begin + 3, "what is open already is not"


def _answering(table: str, answer: ArmReply) -> Any:
    def before(_number: int, _method: str, path: str, body: Mapping[str, Any]) -> ArmReply | None:
        is_it = str(body.get("query", "")).startswith(f"{table} ") or table in path
        return answer if is_it else None

    return before


@pytest.mark.parametrize(
    ("table", "answer", "reason"),
    [
        ("resources", reply(403, {}), "access_denied"),
        ("resourcecontainers", reply(429, {}), "throttled"),
        ("authorizationresources", ArmReply(200, {}, b"<html>"), "malformed"),
        ("/permissions", reply(503, {}), "unavailable"),
        ("/locks", reply(403, {}), "access_denied"),
        ("/blobServices/default/containers", reply(403, {}), "access_denied"),
    ],
    ids=["resources", "groups", "roles", "rights", "locks", "containers"],
)
def test_nothing_is_concluded_from_a_list_that_fails(
    scene: CloudScene, cloud: AzureAccount, table: str, answer: ArmReply, reason: str
) -> None:
    _plant(cloud)
    scene.scan()
    before = scene.drift()
    cloud.before = _answering(table, answer)
    found = scene.scan()
    assert scene.drift() == before, "nothing is missing, and nothing counts as fixed"
    assert reason in {gap["reason"] for gap in scene.not_checked(found)}


def test_throttling_slows_a_scan_and_never_fails_it(scene: CloudScene, cloud: AzureAccount) -> None:
    cloud.page_rows = 5
    slept = scene.function.clock.monotonic_seconds()
    found = scene.scan()
    assert scene.not_checked(found) == []
    assert scene.function.clock.monotonic_seconds() - slept >= 5, "the quota was waited for"
    assert {item[0] for item in scene.drift()} <= {"unmanaged"}


def test_a_reading_goes_on_in_further_turns_and_finds_the_same(
    scene: CloudScene, cloud: AzureAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = scene.scan()
    before = scene.drift()
    monkeypatch.setattr(azure, "TURN_SECONDS", 0.0)
    found = scene.scan(times=2)
    assert scene.drift() == before
    for name in ("live_resources", "compared", "in_sync"):
        assert found["summary"][name] == whole["summary"][name]
    assert scene.not_checked(found) == []
    assert _graphs(cloud, "resourcecontainers") > 5, "there were turns"


def test_a_turn_that_is_killed_leaves_nothing_out_and_nothing_twice(
    scene: CloudScene, cloud: AzureAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The function dies in the middle of a table, some turns after its beginning; the queue delivers the message again."""
    whole = scene.scan()
    before = scene.drift()
    monkeypatch.setattr(azure, "TURN_SECONDS", 0.0)
    cloud.page_rows = 20
    deaths: list[str] = []

    def dying(_number: int, _method: str, _path: str, body: Mapping[str, Any]) -> ArmReply | None:
        token = str(body.get("options", {}).get("$skipToken", ""))
        if token in {"40", "80"} and token not in deaths:
            deaths.append(token)
            raise KeyboardInterrupt
        return None

    cloud.before = dying
    scan = scene.start()
    found: dict[str, Any] = {"status": "pending"}
    while found["status"] != "done":
        try:
            found = scene.run(scan)
        except KeyboardInterrupt:
            assert len(deaths) <= 2
    assert deaths == ["40", "80"]
    assert scene.drift() == before
    for name in ("live_resources", "compared", "in_sync"):
        assert found["summary"][name] == whole["summary"][name]
    assert scene.not_checked(found) == []


def test_what_lies_in_another_subscription_is_not_missed(
    scene: CloudScene, cloud: AzureAccount, estate: list[Any]
) -> None:
    other = "/subscriptions/99999999-0000-0000-0000-000000000000/resourceGroups/rg/providers"
    group = "/providers/Microsoft.Management/managementGroups/mg/providers/Microsoft.Authorization/roleAssignments/"
    others = [
        ("azurerm_public_ip", {"id": f"{other}/Microsoft.Network/publicIPAddresses/p", "name": "p"}),
        ("azurerm_role_assignment", {"id": f"{group}99999999-0000-0000-0000-000000000001"}),
    ]
    known = [(state["type"], state["attributes"]) for one in estate for state in one.states]
    scene.declare([*known, *others], serial=2)
    found = scene.scan()
    assert {item for item in scene.drift() if item[0] == "missing"} == set()
    assert found["summary"]["out_of_scope"] == len(others)


def test_a_declared_resource_without_a_mapping_is_watched_by_its_document(
    scene: CloudScene, cloud: AzureAccount, estate: list[Any]
) -> None:
    atlas = copy.deepcopy(MAPS)
    cloud.rows = [*cloud.rows, atlas]
    known = [(state["type"], state["attributes"]) for one in estate for state in one.states]
    scene.declare([*known, ("azurerm_maps_account", {"id": MAPS["id"], "name": "Atlas"})], serial=2)
    found = scene.scan()
    assert not {item for item in scene.drift() if "Atlas" in item[2]}
    assert found["summary"]["uncovered"] == {}
    atlas["properties"] = {"disableLocalAuth": False}
    cloud._tables.clear()
    scene.scan()
    (item,) = [item for item in scene.items() if item["type"] == "azurerm_maps_account"]
    assert (item["kind"], item["path"]) == ("changed", "properties.disableLocalAuth")


def _change(target: str, kind: str, **attributes: str) -> dict[str, Any]:
    return {
        "id": f"{target}/providers/Microsoft.Resources/changes/c1",
        "properties": {
            "targetResourceId": target,
            "targetResourceType": "microsoft.network/publicipaddresses",
            "changeType": kind,
            "changeAttributes": {
                "timestamp": "2026-01-01T00:00:00Z", "changedBy": "eve@example.com", "changedByType": "User",
                "clientType": "Azure Portal", "operation": "Microsoft.Network/publicIPAddresses/write",
                "correlationId": "11111111-2222-3333-4444-555555555555", **attributes,
            },
            "changes": {},
        },
    }  # fmt: skip


def test_who_made_a_drift_is_told_by_the_changes_that_resource_graph_remembers(
    scene: CloudScene, cloud: AzureAccount
) -> None:
    scene.scan()
    _plant(cloud)
    cloud._tables.clear()
    cloud._tables["resourcechanges"] = [_change(STRAY["id"], "Create")]
    scene.scan()
    told = next(item["attribution"] for item in scene.items() if item["type"] == "azurerm_public_ip")
    assert (told["status"], told["actor"], told["actor_type"], told["channel"]) == (
        "found", "eve@example.com", "User", "console",
    )  # fmt: skip
    assert told["call"] == "Microsoft.Network:publicIPAddresses/write"


def test_where_changes_are_not_told_nobody_is_named_and_the_reason_is(scene: CloudScene, cloud: AzureAccount) -> None:
    scene.scan()
    _plant(cloud)
    cloud._tables.clear()
    cloud.before = _answering("resourcechanges", reply(403, {}))
    scene.scan()
    told = next(item["attribution"] for item in scene.items() if item["type"] == "azurerm_public_ip")
    assert (told["status"], told["reason"], told["permission"]) == (
        "unknown", "access_denied", "Microsoft.ResourceGraph/resources/read",
    )  # fmt: skip
