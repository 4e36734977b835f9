"""The stand-ins for Google Cloud and Azure: driven by the vendors' own client libraries and by our readers, whole and with faults."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import Any

import httpx
import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import HttpResponseError
from azure.core.pipeline.policies import HeadersPolicy
from azure.mgmt.resourcegraph import ResourceGraphClient
from azure.mgmt.resourcegraph.models import QueryRequest, QueryRequestOptions
from google.api_core.exceptions import Forbidden, GoogleAPICallError, TooManyRequests
from google.auth.credentials import AnonymousCredentials
from google.cloud.asset_v1 import AssetServiceClient, ContentType, ListAssetsRequest
from google.cloud.asset_v1.services.asset_service.transports.rest import AssetServiceRestTransport

from functions.scan.domain.attribution import HistoryRefused
from functions.scan.domain.resources import LiveResource, NotChecked
from functions.scan.readers.azure.changes import read_changes
from functions.scan.readers.azure.client import BASE, Arm, ArmReply
from functions.scan.readers.azure.reading import read_subscription
from functions.scan.readers.gcp.inventory import Inventory
from functions.scan.readers.gcp.logs import AuditLogs
from functions.scan.readers.gcp.reading import read_all
from local_emulator.customers.azure import Azure
from local_emulator.customers.google import GoogleCloud
from local_emulator.customers.server import CloudServer
from shared.testing.clock import FakeClock
from tests.support.azure_account import SUBSCRIPTION, load, names
from tests.support.google_assets import PROJECT, everything, policy, wrapped

PARENT = f"projects/{PROJECT}"
MANY = 1201


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer over HTTP, as the readers want it."""

    status: int
    headers: Mapping[str, str]
    content: bytes


class Host:
    """Calls a stand-in in the place of the vendor's hosts, with a token."""

    def __init__(self, server: CloudServer, token: str = "local") -> None:  # noqa: S107  # stands for one
        self._client = httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {token}"} if token else {})

    def get(self, url: str) -> Reply | None:
        return self._send("GET", url, b"")

    def post(self, url: str, content: bytes) -> Reply | None:
        return self._send("POST", url, content)

    def send(self, method: str, path: str, body: bytes = b"") -> ArmReply | None:
        found = self._send(method, f"{BASE}{path}", body)
        return None if found is None else ArmReply(found.status, found.headers, found.content)

    def _send(self, method: str, url: str, content: bytes) -> Reply | None:
        path = "/" + url.removeprefix("https://").partition("/")[2]
        try:
            found = self._client.request(method, path, content=content, timeout=5.0)
        except httpx.TransportError:
            return None
        return Reply(found.status_code, {name.lower(): value for name, value in found.headers.items()}, found.content)


def _serving(cloud: GoogleCloud | Azure) -> Iterator[CloudServer]:
    server = CloudServer(0, cloud)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield server
    server.faults.clear()
    server.shutdown()
    server.server_close()
    thread.join()


def _topics(count: int) -> list[dict[str, Any]]:
    topic = "//pubsub.googleapis.com/projects/shop-prod/topics/t"
    kind = "pubsub.googleapis.com/Topic"
    return [
        wrapped({"assetType": kind, "name": f"{topic}{n}", "data": {"name": f"{PARENT}/topics/t{n}"}})
        for n in range(count)
    ]


@pytest.fixture
def google() -> Iterator[CloudServer]:
    bucket = "//storage.googleapis.com/shop-logs"
    grants = [{"role": "roles/storage.objectViewer", "members": ["allUsers"]}]
    cloud = GoogleCloud([*everything(), *_topics(MANY)], [policy(bucket, "storage.googleapis.com/Bucket", grants)])
    yield from _serving(cloud)


@pytest.fixture
def azure() -> Iterator[CloudServer]:
    cloud = Azure()
    estates = [load(name) for name in names() if not name.startswith("documented_")]
    lists: dict[str, Any] = {}
    for one in estates:
        for path, items in one.lists.items():
            lists.setdefault(path, []).extend(items)
    cloud.seed({"rows": [row for one in estates for row in one.rows], "lists": lists})
    yield from _serving(cloud)


def _fault(server: CloudServer, **fault: Any) -> None:
    assert httpx.post(f"{server.url}/_faults", json=fault).status_code == 200


# Google Cloud


def _client(server: CloudServer) -> AssetServiceClient:
    place = server.url.removeprefix("http://")
    transport = AssetServiceRestTransport(host=place, url_scheme="http", credentials=AnonymousCredentials())  # type: ignore[no-untyped-call]
    transport._session.headers["Authorization"] = "Bearer local"
    return AssetServiceClient(transport=transport)


def _ask(server: CloudServer, **members: Any) -> list[Any]:
    request = ListAssetsRequest(parent=PARENT, page_size=1000, **members)
    return list(_client(server).list_assets(request=request, retry=None, timeout=10.0))


def test_googles_client_reads_every_page_of_assets(google: CloudServer) -> None:
    found = _ask(google, content_type=ContentType.RESOURCE, asset_types=["pubsub.googleapis.com/Topic"])
    assert len({one.name for one in found}) == len(found) >= MANY
    assert all(one.resource.data["name"] for one in found)
    assert google.cloud.calls["ListAssets.RESOURCE"] == 2


def test_googles_client_reads_policies_and_the_time_of_the_snapshot(google: CloudServer) -> None:
    at = datetime(2026, 11, 26, 4, tzinfo=UTC)
    (found,) = _ask(google, content_type=ContentType.IAM_POLICY, read_time=at)
    assert found.iam_policy.bindings[0].members == ["allUsers"]
    answer = Host(google).get(f"https://x/v1/{PARENT}/assets?contentType=RESOURCE&readTime=2026-11-26T04:00:00Z")
    assert answer is not None
    assert json.loads(answer.content)["readTime"] == "2026-11-26T04:00:00Z"


@pytest.mark.parametrize(("mode", "raised"), [("deny", Forbidden), ("throttle", TooManyRequests)])
def test_googles_client_raises_what_it_raises_against_google(
    google: CloudServer, mode: str, raised: type[GoogleAPICallError]
) -> None:
    _fault(google, operation="ListAssets", mode=mode, times=1)
    with pytest.raises(raised):
        _ask(google, content_type=ContentType.RESOURCE)
    assert len(_ask(google, content_type=ContentType.IAM_POLICY)) == 1


def test_a_page_token_is_of_its_own_request(google: CloudServer) -> None:
    first = Host(google).get(f"https://x/v1/{PARENT}/assets?contentType=RESOURCE&pageSize=10")
    assert first is not None
    token = json.loads(first.content)["nextPageToken"]
    other = Host(google).get(f"https://x/v1/{PARENT}/assets?contentType=IAM_POLICY&pageSize=10&pageToken={token}")
    assert other is not None
    assert (other.status, json.loads(other.content)["error"]["status"]) == (400, "INVALID_ARGUMENT")


def test_nobody_is_answered_without_a_token(google: CloudServer, azure: CloudServer) -> None:
    for server, url in (
        (google, f"https://x/v1/{PARENT}/assets"),
        (azure, f"https://x/subscriptions/{SUBSCRIPTION}/x"),
    ):
        answer = Host(server, token="").get(url)
        assert answer is not None
        assert answer.status == 401


def test_our_reader_reads_the_whole_project(google: CloudServer) -> None:
    found = list(read_all(Inventory(Host(google), FakeClock(), PARENT)))
    assert not [one for one in found if isinstance(one, NotChecked)]
    assert len([one for one in found if isinstance(one, LiveResource)]) > MANY + 60


@pytest.mark.parametrize(
    ("mode", "reason"), [("deny", "access_denied"), ("throttle", "throttled"), ("unavailable", "unavailable"), ("malformed", "malformed")]
)  # fmt: skip
def test_our_reader_concludes_nothing_from_a_fault(google: CloudServer, mode: str, reason: str) -> None:
    _fault(google, operation="ListAssets.IAM_POLICY", mode=mode)
    (found,) = [one for one in read_all(Inventory(Host(google), FakeClock(), PARENT)) if isinstance(one, NotChecked)]
    assert found.reason == reason
    assert found.permission == ("cloudasset.assets.listIamPolicy" if mode == "deny" else None)
    httpx.delete(f"{google.url}/_faults")
    assert not [one for one in read_all(Inventory(Host(google), FakeClock(), PARENT)) if isinstance(one, NotChecked)]


def test_the_quota_of_a_project_is_that_of_google(google: CloudServer) -> None:
    statuses = [
        reply.status
        for _ in range(102)
        if (reply := Host(google).get(f"https://x/v1/{PARENT}/assets?contentType=IAM_POLICY"))
    ]
    assert (statuses[:100], statuses[100:]) == ([200] * 100, [429] * 2)


def test_our_reader_of_audit_logs_finds_calls_by_resource(google: CloudServer) -> None:
    entry = {
        "logName": f"{PARENT}/logs/cloudaudit.googleapis.com%2Factivity", "insertId": "a", "timestamp": "2026-11-26T03:00:00Z",
        "protoPayload": {"methodName": "v1.compute.networks.insert", "resourceName": f"{PARENT}/global/networks/n",
                         "serviceName": "compute.googleapis.com", "authenticationInfo": {"principalEmail": "eve@example.com"}},
    }  # fmt: skip
    google.cloud.seed({"entries": [entry, {**entry, "timestamp": "2026-11-20T03:00:00Z"}]})
    logs, now = AuditLogs(Host(google), FakeClock()), datetime(2026, 11, 26, 4, tzinfo=UTC)
    since = now - timedelta(days=1)
    (found,) = logs.events((PARENT,), (f"{PARENT}/global/networks/n",), since=since, until=now)
    assert (found.name, found.actor.name) == ("v1.compute.networks.insert", "eve@example.com")
    assert list(logs.events((PARENT,), (f"{PARENT}/global/networks/m",), since=since, until=now)) == []
    _fault(google, operation="ListLogEntries", mode="deny")
    with pytest.raises(HistoryRefused) as refused:
        list(logs.events((PARENT,), ("x",), since=since, until=now))
    assert (refused.value.reason, refused.value.permission) == ("access_denied", "logging.logEntries.list")


# Azure


class _Credential:
    def get_token(self, *_scopes: str, **_options: Any) -> AccessToken:
        return AccessToken("local", 4_000_000_000)


def _graph(server: CloudServer) -> ResourceGraphClient:
    plain = HeadersPolicy({"Authorization": "Bearer local"})  # the usual policy sends no token over plain HTTP
    return ResourceGraphClient(_Credential(), server.url, authentication_policy=plain, retry_total=0)


def test_azures_client_reads_every_page_of_a_query(azure: CloudServer) -> None:
    query, token, found = "resources | project id, type | order by id asc", None, list[str]()
    for _ in range(100):
        options = QueryRequestOptions(top=10, skip_token=token)
        reply = _graph(azure).resources(QueryRequest(subscriptions=[SUBSCRIPTION], query=query, options=options))
        rows: Any = reply.data  # declared as one object, and a list in this format
        found += [row["id"] for row in rows]
        token = reply.skip_token
        if token is None:
            break
    assert len(set(found)) == len(found) == reply.total_records > 50


def test_azures_client_raises_what_it_raises_against_azure(azure: CloudServer) -> None:
    _fault(azure, operation="Resources.resources", mode="deny", times=1)
    wish = QueryRequest(subscriptions=[SUBSCRIPTION], query="resources | project id | order by id asc")
    with pytest.raises(HttpResponseError) as raised:
        _graph(azure).resources(wish)
    assert raised.value.status_code == 403
    assert "AuthorizationFailed" in str(raised.value)
    assert _graph(azure).resources(wish).count > 0


def test_the_quota_of_a_caller_is_that_of_resource_graph(azure: CloudServer) -> None:
    body = json.dumps({"subscriptions": [SUBSCRIPTION], "query": "resources | project id | order by id asc"}).encode()
    path = "/providers/Microsoft.ResourceGraph/resources?api-version=2022-10-01"
    replies = [reply for _ in range(16) if (reply := Host(azure).send("POST", path, body))]
    assert [reply.status for reply in replies] == [200] * 15 + [429]
    assert replies[14].headers["x-ms-user-quota-remaining"] == "0"
    assert replies[15].headers["retry-after"].isdecimal()


def test_our_reader_reads_the_whole_subscription(azure: CloudServer) -> None:
    found = list(read_subscription(Arm(Host(azure), FakeClock()), SUBSCRIPTION))
    assert not [one for one in found if isinstance(one, NotChecked)]
    kinds = {one.type for one in found if isinstance(one, LiveResource)}
    assert {
        "azurerm_virtual_network",
        "azurerm_subnet",
        "azurerm_storage_container",
        "azurerm_role_assignment",
    } <= kinds


@pytest.mark.parametrize(
    ("operation", "mode", "reason"),
    [("Resources.resources", "deny", "access_denied"), ("List.locks", "unavailable", "unavailable"), ("Permissions", "malformed", "malformed")],
)  # fmt: skip
def test_our_reader_of_azure_concludes_nothing_from_a_fault(
    azure: CloudServer, operation: str, mode: str, reason: str
) -> None:
    _fault(azure, operation=operation, mode=mode)
    found = list(read_subscription(Arm(Host(azure), FakeClock()), SUBSCRIPTION))
    assert {one.reason for one in found if isinstance(one, NotChecked)} == {reason}


def test_our_reader_of_changes_finds_them_by_resource(azure: CloudServer) -> None:
    target = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-app/providers/Microsoft.Network/publicIPAddresses/p"
    change = {
        "id": f"{target}/providers/Microsoft.Resources/changes/1",
        "properties": {
            "targetResourceId": target, "targetResourceType": "microsoft.network/publicipaddresses", "changeType": "Create",
            "changeAttributes": {"timestamp": "2026-11-26T03:00:00Z", "changedBy": "eve@example.com"}, "changes": {},
        },
    }  # fmt: skip
    azure.cloud.seed({"changes": [change]})
    now = datetime(2026, 11, 26, 4, tzinfo=UTC)
    arm = Arm(Host(azure), FakeClock())
    (found,) = read_changes(arm, SUBSCRIPTION, [target.lower()], now - timedelta(days=1), now)
    assert (found.kind, found.actor) == ("create", "eve@example.com")
    assert list(read_changes(arm, SUBSCRIPTION, [target], now - timedelta(minutes=5), now)) == []


# Tokens and switches


def test_tokens_are_given_for_the_grants_that_the_vendors_have(google: CloudServer, azure: CloudServer) -> None:
    exchange = {"grant_type": "urn:ietf:params:oauth:grant-type:token-exchange", "subject_token": "ours"}
    found = httpx.post(f"{google.url}/v1/token", data=exchange).json()
    assert (found["token_type"], found["expires_in"]) == ("Bearer", 3600)
    assert httpx.post(f"{google.url}/v1/token", data={"grant_type": "password"}).json()["error"] == "invalid_grant"
    account = f"{google.url}/v1/projects/-/serviceAccounts/r@p.iam.gserviceaccount.com:generateAccessToken"
    held = httpx.post(
        account, headers={"Authorization": f"Bearer {found['access_token']}"}, json={"scope": ["x"]}
    ).json()
    assert held.keys() == {"accessToken", "expireTime"}
    form = {"grant_type": "client_credentials", "client_id": "c", "client_assertion": "ours"}
    entra = httpx.post(f"{azure.url}/tenant/oauth2/v2.0/token", data=form).json()
    assert entra["token_type"] == "Bearer"
    assert httpx.post(f"{azure.url}/tenant/oauth2/v2.0/token", data={}).status_code == 401


def test_a_fault_that_nobody_knows_is_refused_and_others_are_counted(google: CloudServer) -> None:
    assert httpx.post(f"{google.url}/_faults", json={"mode": "explode"}).status_code == 400
    _fault(google, operation="ListAssets", mode="unavailable", times=1)
    Host(google).get(f"https://x/v1/{PARENT}/assets?contentType=RESOURCE")
    (fault,) = httpx.get(f"{google.url}/_faults").json()["faults"]
    assert fault["hits"] == 1
    _fault(google, operation="ListAssets", mode="hang", seconds=0.05, times=1)
    assert Host(google).get(f"https://x/v1/{PARENT}/assets?contentType=RESOURCE") is None
