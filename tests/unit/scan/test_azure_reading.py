"""Reading Azure fails closed: pages, quotas, refusals, strange answers, and what may be concluded from each."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from functions.scan.domain.resources import LiveResource, NotChecked, Unread
from functions.scan.readers.azure import reading
from functions.scan.readers.azure.changes import MOST_TARGETS, change_of, read_changes
from functions.scan.readers.azure.client import GRAPH, Arm, ArmReply, CallFailed, quoted
from functions.scan.readers.azure.graph import rows_of
from functions.scan.readers.azure.rights import Rights
from functions.scan.types.azure import DECLARABLE
from tests.support.azure_account import SUBSCRIPTION, AzureAccount, load, reply

QUERY = "resources | project id | order by id asc"


def zones(count: int) -> list[dict[str, Any]]:
    group = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.Network/dnsZones"
    return [
        {"id": f"{group}/z{number:06}", "name": f"z{number:06}", "type": "microsoft.network/dnszones"}
        for number in range(count)
    ]


def arm(account: AzureAccount) -> Arm:
    return Arm(account, account.clock)


def read(account: AzureAccount) -> list[reading.Finding]:
    return list(reading.read_subscription(arm(account), SUBSCRIPTION))


def gaps(account: AzureAccount) -> list[NotChecked]:
    return [item for item in read(account) if isinstance(item, NotChecked)]


def failing_on(word: str, answer: ArmReply) -> Any:
    return lambda _number, _method, path, body: (
        answer if word in path or body.get("query", "").startswith(word) else None
    )


class TestPages:
    def test_pages_are_asked_for_in_the_order_of_ids(self) -> None:
        account = AzureAccount(zones(5), page_rows=2)
        read(account)
        queries = [body for _, path, body in account.calls if path == GRAPH]
        assert all(body["query"].endswith("order by id asc") for body in queries)
        assert all(body["options"]["$top"] == 1000 for body in queries)
        assert all(body["subscriptions"] == [SUBSCRIPTION] for body in queries)

    def test_a_row_on_two_pages_counts_once(self) -> None:
        rows = zones(4)
        account = AzureAccount([*rows[:2], rows[1], rows[2]], page_rows=2)
        account.before = lambda _n, _m, _p, _b: None
        with pytest.raises(CallFailed, match="told of 4 rows and gave 3"):
            list(rows_of(arm(account), SUBSCRIPTION, QUERY))

    @pytest.mark.parametrize(
        "document",
        [
            {"totalRecords": 9, "data": [], "resultTruncated": "true"},
            {"totalRecords": 9, "data": [{"name": "x"}]},
            {"totalRecords": 9, "data": {"rows": []}},
            {"totalRecords": 9, "data": [1]},
            {"data": []},
            {"totalRecords": True, "data": []},
            {"totalRecords": 3, "data": [], "$skipToken": 7},
            {"totalRecords": 3, "data": [], "$skipToken": "again"},
            [],
            "text",
        ],
    )
    def test_strange_pages_end_the_reading(self, document: Any) -> None:
        account = AzureAccount([], before=lambda _n, _m, _p, _b: reply(200, document))
        with pytest.raises(CallFailed) as caught:
            list(rows_of(arm(account), SUBSCRIPTION, QUERY))
        assert caught.value.reason in {"malformed", "unavailable"}

    def test_a_page_that_is_too_large_is_asked_for_in_smaller_ones(self) -> None:
        """Source: azure-docs, "Guidance for pagination" (16 MB); the answer as Azure gives it."""
        details = [{"code": "ResponsePayloadTooLarge", "message": "Response payload size is 94330584, and has ..."}]
        too_large = reply(400, {"error": {"code": "BadRequest", "details": details}})
        account = AzureAccount(zones(900), page_rows=200)

        def before(_n: int, _m: str, _p: str, body: dict[str, Any]) -> ArmReply | None:
            return too_large if body["options"]["$top"] > 200 else None

        account.before = before
        caller = arm(account)
        assert len(list(rows_of(caller, SUBSCRIPTION, QUERY))) == 900
        assert [body["options"]["$top"] for _, _, body in account.calls] == [1000, *[200] * 5]
        list(rows_of(caller, SUBSCRIPTION, QUERY))  # the next query starts with what fits
        assert account.calls[6][2]["options"]["$top"] == 200

    def test_what_no_page_holds_is_said(self) -> None:
        too_large = reply(400, {"error": {"details": [{"code": "ResponsePayloadTooLarge"}]}})
        account = AzureAccount(zones(1), before=lambda _n, _m, _p, _b: too_large)
        with pytest.raises(CallFailed, match="8 rows"):
            list(rows_of(arm(account), SUBSCRIPTION, QUERY))
        assert len(account.calls) == 4

    def test_less_than_was_asked_for_is_whole(self) -> None:
        """Source: azure-docs, "Guidance for pagination": truncated is also said of fewer rows than were asked for."""
        document = {"totalRecords": 2, "count": 2, "data": zones(2), "resultTruncated": "true"}
        account = AzureAccount([], before=lambda _n, _m, _p, _b: reply(200, document))
        assert len(list(rows_of(arm(account), SUBSCRIPTION, QUERY))) == 2

    def test_a_next_page_may_name_the_port(self) -> None:
        pages = [
            reply(200, {"value": [{"id": "/a"}], "nextLink": "https://management.azure.com:443/b?api-version=1"}),
            reply(200, {"value": [{"id": "/c"}]}),
        ]
        account = AzureAccount([], before=lambda number, _m, _p, _b: pages[number - 1])
        assert len(list(arm(account).listed("/x?api-version=1", "x/read"))) == 2
        assert account.calls[1][1] == "/b?api-version=1"

    def test_answers_are_bounded(self) -> None:
        deep = ArmReply(200, {}, b"[" * 200_000)
        wide = ArmReply(200, {}, b'{"data": [' + b"1," * 2_000_001 + b"1]}")
        for answer in (deep, wide, ArmReply(200, {}, b"\xff")):
            account = AzureAccount([], before=failing_on("/", answer))
            with pytest.raises(CallFailed, match="something else"):
                list(rows_of(arm(account), SUBSCRIPTION, QUERY))

    def test_more_than_ten_thousand_subscriptions_is_no_whole_answer(self) -> None:
        answer = reply(200, {"totalRecords": 0, "data": []}, {"x-ms-tenant-subscription-limit-hit": "true"})
        account = AzureAccount([], before=lambda _n, _m, _p, _b: answer)
        with pytest.raises(CallFailed, match="10,000 subscriptions"):
            list(rows_of(arm(account), SUBSCRIPTION, QUERY))

    def test_the_next_page_of_a_list_is_asked_of_azure_only(self) -> None:
        answer = reply(200, {"value": [], "nextLink": "https://example.com/steal"})
        account = AzureAccount([], before=lambda _n, _m, _p, _b: answer)
        with pytest.raises(CallFailed, match="elsewhere"):
            list(arm(account).listed("/x?api-version=1", "x/read"))

    def test_a_list_without_end_ends(self) -> None:
        answer = reply(200, {"value": [], "nextLink": "https://management.azure.com/again"})
        account = AzureAccount([], before=lambda _n, _m, _p, _b: answer)
        with pytest.raises(CallFailed, match="pages"):
            list(arm(account).listed("/x", "x/read"))


class TestPatience:
    def test_a_throttled_call_waits_as_long_as_azure_says(self) -> None:
        account = AzureAccount(zones(1))
        account.before = lambda number, _m, _p, _b: reply(429, {}, {"retry-after": "17"}) if number == 1 else None
        assert len(list(rows_of(arm(account), SUBSCRIPTION, QUERY))) == 1
        assert account.clock.monotonic_seconds() == 17

    def test_a_throttled_query_waits_for_its_quota(self) -> None:
        """Source: azure-docs, "Guidance for throttled requests"."""
        spent = {"x-ms-user-quota-remaining": "0", "x-ms-user-quota-resets-after": "00:00:05"}
        account = AzureAccount(zones(1))
        account.before = lambda number, _m, _p, _b: reply(429, {}, spent) if number == 1 else None
        assert len(list(rows_of(arm(account), SUBSCRIPTION, QUERY))) == 1
        assert account.clock.monotonic_seconds() == 5

    @pytest.mark.parametrize(("status", "reason"), [(429, "throttled"), (503, "unavailable")])
    def test_patience_ends(self, status: int, reason: str) -> None:
        account = AzureAccount([], before=lambda _n, _m, _p, _b: reply(status, {}, {"retry-after": "999999"}))
        with pytest.raises(CallFailed) as caught:
            list(rows_of(arm(account), SUBSCRIPTION, QUERY))
        assert caught.value.reason == reason
        assert account.clock.monotonic_seconds() <= 300

    def test_an_empty_quota_is_waited_for_before_the_call(self) -> None:
        account = AzureAccount(zones(3), page_rows=1)
        spent = {"x-ms-user-quota-remaining": "0", "x-ms-user-quota-resets-after": "00:00:04"}
        first = {"totalRecords": 3, "data": zones(3)[:1], "$skipToken": "1"}
        account.before = lambda number, _m, _p, _b: reply(200, first, spent) if number == 1 else None
        assert len(list(rows_of(arm(account), SUBSCRIPTION, QUERY))) == 3
        assert account.clock.monotonic_seconds() == 4


class TestFailingClosed:
    def test_no_right_to_see_the_rights_leaves_everything_unknown(self) -> None:
        (gap,) = read(AzureAccount(zones(1), permissions=()))
        assert isinstance(gap, NotChecked)
        assert set(gap.types) == set(DECLARABLE)
        assert gap.reason == "access_denied"

    def test_a_missing_right_is_named_and_spreads_to_the_parts(self) -> None:
        only = ({"actions": ["*/read"], "notActions": ["Microsoft.Network/virtualNetworks/read"]},)
        (gap,) = gaps(AzureAccount([], permissions=only))
        assert gap.permission == "Microsoft.Network/virtualNetworks/read"
        assert {"azurerm_virtual_network", "azurerm_subnet", "azurerm_subnet_route_table_association"} <= set(gap.types)
        assert "azurerm_route_table" not in gap.types

    def test_groups_that_cannot_be_read_leave_everything_unknown(self) -> None:
        account = AzureAccount(zones(1), before=failing_on("resourcecontainers", reply(500, {})))
        found = read(account)
        assert [type(item) for item in found] == [NotChecked]

    def test_a_failing_table_leaves_its_own_types_unknown(self) -> None:
        account = AzureAccount(zones(1), before=failing_on("authorizationresources", reply(500, {})))
        (gap,) = gaps(account)
        assert set(gap.types) == {"azurerm_role_assignment", "azurerm_role_definition"}
        assert any(isinstance(item, LiveResource) for item in read(account))

    def test_a_failing_list_names_the_action(self) -> None:
        estate = load("data")
        message = {
            "error": {
                "message": "does not have authorization to perform action 'Microsoft.Sql/servers/firewallRules/read' over scope"
            }
        }
        account = AzureAccount(estate.rows, estate.lists, before=failing_on("/firewallRules", reply(403, message)))
        (gap,) = gaps(account)
        assert (gap.types, gap.reason) == (("azurerm_mssql_firewall_rule",), "access_denied")
        assert gap.permission == "Microsoft.Sql/servers/firewallRules/read"

    def test_a_stranger_s_words_stay_out_of_what_is_told(self) -> None:
        account = AzureAccount([], before=failing_on("resources ", reply(403, {"error": {"message": "SECRET"}})))
        assert all("SECRET" not in repr(gap) for gap in gaps(account))

    def test_a_list_under_something_that_is_gone_is_empty(self) -> None:
        estate = load("data")
        account = AzureAccount(estate.rows, estate.lists, before=failing_on("/containers", reply(404, {})))
        assert gaps(account) == []

    def test_a_malformed_resource_is_unread_with_its_parts(self) -> None:
        vnet = next(row for row in load("network").rows if row["name"] == "vnet")
        broken = {**vnet, "properties": {"subnets": [{"name": "x", "properties": {}}]}}
        found = read(AzureAccount([broken]))
        assert [item.type for item in found if isinstance(item, Unread)] == ["azurerm_virtual_network"]
        assert any("azurerm_subnet" in item.types for item in found if isinstance(item, NotChecked))

    def test_too_many_parents_are_said_to_be_too_many(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(reading, "MOST_PARENTS", 1)
        server = next(row for row in load("data").rows if row["type"] == "microsoft.sql/servers")
        more = [{**server, "id": f"{server['id']}{number}"} for number in range(4)]
        account = AzureAccount(more)
        (gap,) = gaps(account)
        assert gap.types == ("azurerm_mssql_firewall_rule",)
        assert sum("firewallRules" in path for _, path, _ in account.calls) == 1


class TestSettingsOfSites:
    """Source: Azure REST API, "Web Apps - Get Configuration"."""

    @staticmethod
    def account(answer: ArmReply | None = None, kind: str = "app,linux") -> AzureAccount:
        estate = load("site_settings")
        row = next(row for row in estate.rows if row["kind"] == kind)
        before = None if answer is None else failing_on("/config/web", answer)
        return AzureAccount([row], documents=estate.documents, before=before)

    def test_they_are_read_by_a_call_of_their_own(self) -> None:
        account = self.account()
        (site,) = [item for item in read(account) if isinstance(item, LiveResource)]
        assert site.attributes["site_config"]
        assert [path for method, path, _ in account.calls if "/sites/" in path and method != "GET"] == []
        assert sum(path.endswith("/config/web?api-version=2023-12-01") for _, path, _ in account.calls) == 1

    def test_what_may_hold_secrets_is_neither_asked_for_nor_kept(self) -> None:
        document = {
            "properties": {
                "alwaysOn": True,
                "appSettings": [{"name": "A", "value": "SECRET"}],
                "machineKey": {"validationKey": "SECRET"},
            }
        }
        account = self.account(reply(200, document))
        found = read(account)
        (site,) = [item for item in found if isinstance(item, LiveResource)]
        assert "SECRET" not in repr((site.attributes, dict(site.document or {})))
        assert not any("/list" in path for _, path, _ in account.calls)

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [(reply(403, {}), "access_denied"), (reply(503, {}), "unavailable"), (reply(200, {"properties": {}}), "malformed"), (reply(200, []), "malformed"), (reply(200, {"properties": []}), "malformed")],
        ids=["forbidden", "away", "empty", "a list", "another form"],
    )  # fmt: skip
    def test_where_they_fail_nothing_is_said_of_the_site(self, answer: ArmReply, reason: str) -> None:
        found = read(self.account(answer))
        (unread,) = [item for item in found if isinstance(item, Unread)]
        assert (unread.type, unread.reason) == ("azurerm_linux_web_app", reason)
        assert not [item for item in found if isinstance(item, LiveResource)]
        gaps = [item for item in found if isinstance(item, NotChecked)]
        assert [gap.permission for gap in gaps] == (
            ["Microsoft.Web/sites/config/read"] if reason == "access_denied" else []
        )

    def test_what_lies_in_an_account_is_listed_all_the_same(self) -> None:
        """Source: Azure REST API, "Blob Services - Get Service Properties"."""
        estate = load("data")
        rows = [row for row in estate.rows if row["type"] == "microsoft.storage/storageaccounts"]
        account = AzureAccount(rows, estate.lists, before=failing_on("/blobServices/default?", reply(403, {})))
        found = read(account)
        (unread,) = [item for item in found if isinstance(item, Unread)]
        assert unread.type == "azurerm_storage_account"
        kinds = {item.type for item in found if isinstance(item, LiveResource)}
        assert kinds == {
            "azurerm_storage_account",
            "azurerm_storage_container",
            "azurerm_storage_account_network_rules",
        }
        gap, parts = (
            next(item for item in found if isinstance(item, NotChecked) and name in item.types)
            for name in ("azurerm_storage_account", "azurerm_storage_account_network_rules")
        )
        assert gap.permission == parts.permission == "Microsoft.Storage/storageAccounts/blobServices/read"

    def test_a_site_that_is_gone_since_is_there_as_the_table_said(self) -> None:
        (site,) = [item for item in read(self.account(reply(404, {}))) if isinstance(item, LiveResource)]
        assert "site_config" not in site.attributes

    def test_workflows_are_not_asked(self) -> None:
        row = {**load("site_settings").rows[0], "kind": "functionapp,workflowapp"}
        account = AzureAccount([row])
        read(account)
        assert not any("/config/" in path for _, path, _ in account.calls)


class TestRights:
    @pytest.mark.parametrize(
        ("actions", "excluded", "expected"),
        [
            (("*",), (), True),
            (("*/READ",), (), True),
            (("Microsoft.Network/*/read",), (), True),
            (("Microsoft.Network/virtualNetworks/*",), (), True),
            (("Microsoft.Compute/*",), (), False),
            (("*",), ("Microsoft.Network/*",), False),
            ((), (), False),
            (("microsoft.network/virtualnetworksXread",), (), False),
        ],
    )
    def test_wildcards(self, actions: tuple[str, ...], excluded: tuple[str, ...], expected: bool) -> None:
        assert Rights(((actions, excluded),)).may("Microsoft.Network/virtualNetworks/read") is expected

    def test_what_one_role_leaves_out_another_may_give(self) -> None:
        assert Rights(((("*",), ("*/read",)), (("*/read",), ()))).may("Microsoft.Sql/servers/read")


CHANGE = {
    "id": f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/VM/providers/Microsoft.Resources/changes/1",
    "properties": {
        "targetResourceId": f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/VM",
        "targetResourceType": "microsoft.compute/virtualmachines",
        "changeType": "Update",
        "changeAttributes": {
            "timestamp": "2026-01-02T09:25:41.756Z",
            "changedBy": "jane@example.com",
            "changedByType": "User",
            "clientType": "Azure Portal",
            "operation": "Microsoft.Compute/virtualMachines/write",
            "correlationId": "c",
            "changesCount": 2,
        },
        "changes": {
            "properties.hardwareProfile.vmSize": {"previousValue": "Standard_B1s", "newValue": "Standard_D2s_v5"},
            "tags.team": {"previousValue": "null", "newValue": "net", "isTruncated": "true"},
        },
    },
}


class TestChanges:
    def test_who_when_and_what(self) -> None:
        found = change_of(CHANGE)
        assert found is not None
        assert (found.actor, found.actor_type, found.client) == ("jane@example.com", "User", "Azure Portal")
        assert found.target.endswith("/virtualmachines/vm")
        assert found.at == datetime(2026, 1, 2, 9, 25, 41, 756000, tzinfo=UTC)
        assert [(item.path, item.before, item.after) for item in found.changes] == [
            ("properties.hardwareProfile.vmSize", "Standard_B1s", "Standard_D2s_v5"),
            ("tags.team", None, "net"),
        ]
        assert found.is_truncated
        assert found.attributes() == {"size", "tags"}

    @pytest.mark.parametrize("name", ["targetResourceId", "changeType", "changeAttributes"])
    def test_a_record_that_tells_too_little_is_left_out(self, name: str) -> None:
        properties = {key: value for key, value in CHANGE["properties"].items() if key != name}  # type: ignore[attr-defined]
        assert change_of({"id": "x", "properties": properties}) is None

    @pytest.mark.parametrize("word", ["", "Unspecified", "Unknown"])
    def test_nobody_is_nobody(self, word: str) -> None:
        row = json.loads(json.dumps(CHANGE))
        row["properties"]["changeAttributes"]["changedBy"] = word
        found = change_of(row)
        assert found is not None
        assert found.actor is None

    def test_the_query_cannot_be_broken_out_of(self) -> None:
        account = AzureAccount([])
        moment = datetime(2026, 1, 1, tzinfo=UTC)
        evil = "/subscriptions/x') | union resources //"
        assert list(read_changes(arm(account), SUBSCRIPTION, [evil], moment, moment)) == []
        assert account.calls == []
        assert quoted("a'b\\") == "'a\\'b\\\\'"

    def test_groups_have_a_table_of_their_own(self) -> None:
        """Source: azure-docs, "Get resource changes", "Query resource changes"."""
        account = AzureAccount([])
        group = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg"
        begin, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, 0, 0, 1, 500_000, tzinfo=UTC)
        targets = [group, f"{group}/providers/Microsoft.Network/dnsZones/z"]
        assert list(read_changes(arm(account), SUBSCRIPTION, targets, begin, end)) == []
        resources, containers = (str(body["query"]) for _, _, body in account.calls)
        assert resources.startswith("resourcechanges ")
        assert targets[1] in resources
        assert containers.startswith("resourcecontainerchanges ")
        assert f"('{group}')" in containers
        assert "datetime(2026-01-01T00:00:01.500000Z)" in containers

    def test_targets_are_bounded(self) -> None:
        moment = datetime(2026, 1, 1, tzinfo=UTC)
        with pytest.raises(ValueError, match="targets"):
            list(read_changes(arm(AzureAccount([])), SUBSCRIPTION, ["/x"] * (MOST_TARGETS + 1), moment, moment))
