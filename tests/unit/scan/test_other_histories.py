"""Which record explains a drift in Google Cloud and Azure, how sure that is, and what it says of who did it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from functions.scan.clouds import azure_history
from functions.scan.clouds.google_history import MOST_PROJECTS, GoogleHistory
from functions.scan.domain import audit_logs
from functions.scan.domain.attribution import HistoryRefused, Question
from functions.scan.domain.trail import TrailEvent
from functions.scan.readers.azure.changes import PropertyChange, ResourceChange
from functions.scan.readers.gcp.logs import MOST_PLACES, AuditLogs
from shared.testing.clock import FakeClock
from tests.support.google_assets import Reply, error

SEEN = datetime(2026, 11, 26, 4, tzinfo=UTC)
SINCE = SEEN - timedelta(hours=1)
TOPIC = "//pubsub.googleapis.com/projects/shop/topics/t"
IP = "/subscriptions/s/resourcegroups/rg/providers/microsoft.network/publicipaddresses/p"


def _question(kind: str, type_name: str, key: str, path: str | None = None, cloud_id: str | None = None) -> Question:
    return Question(kind, type_name, key, cloud_id or key, "global", path, SEEN, SINCE)


def _entry(method: str, minutes: float = 10, **members: Any) -> TrailEvent:
    payload = {"methodName": method, "serviceName": "x.googleapis.com", "resourceName": "r", **members}
    entry = {"insertId": method, "timestamp": (SEEN - timedelta(minutes=minutes)).isoformat(), "protoPayload": payload}
    found = audit_logs.parse_entry(entry)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("kind", "path", "method", "members", "expected"),
    [
        ("unmanaged", None, "google.pubsub.v1.Publisher.CreateTopic", {}, "exact"),
        ("unmanaged", None, "v1.compute.firewalls.insert", {}, "exact"),
        ("unmanaged", None, "google.pubsub.v1.Publisher.UpdateTopic", {}, None),
        ("missing", None, "storage.buckets.delete", {}, "exact"),
        ("missing", None, "google.pubsub.v1.Publisher.CreateTopic", {}, None),
        ("changed", "message_retention_duration", "google.pubsub.v1.Publisher.UpdateTopic", {"request": {"topic": {"messageRetentionDuration": "1s"}}}, "exact"),
        ("changed", "labels.team", "v1.compute.instances.setLabels", {}, "exact"),
        ("changed", "machine_type", "v1.compute.instances.setLabels", {}, "likely"),
        ("changed", "labels", "v1.compute.instances.delete", {}, None),
        ("missing", None, "storage.buckets.delete", {"status": {"code": 7}}, None),
    ],
)  # fmt: skip
def test_an_entry_explains_what_it_can_have_done(
    kind: str, path: str | None, method: str, members: dict[str, Any], expected: str | None
) -> None:
    answer = audit_logs.choose(_question(kind, "google_pubsub_topic", TOPIC, path), [_entry(method, **members)])
    assert (answer.confidence if answer else None) == expected


@pytest.mark.parametrize(
    ("kind", "action", "member", "expected"),
    [
        ("unmanaged", "ADD", "allUsers", "exact"),
        ("unmanaged", "REMOVE", "allUsers", None),
        ("missing", "REMOVE", "allUsers", "exact"),
        ("unmanaged", "ADD", "user:eve@example.com", None),
        ("unmanaged", "", "", "likely"),
    ],
)
def test_a_grant_is_explained_by_what_a_call_did_to_the_policy(
    kind: str, action: str, member: str, expected: str | None
) -> None:
    delta = {"bindingDeltas": [{"action": action, "role": "roles/viewer", "member": member}]} if action else {}
    event = _entry("google.iam.v1.IAMPolicy.SetIamPolicy", serviceData={"policyDelta": delta})
    question = _question(kind, "google_pubsub_topic_iam_member", f"{TOPIC}|roles/viewer||allUsers")
    answer = audit_logs.choose(question, [event])
    assert (answer.confidence if answer else None) == expected


@pytest.mark.parametrize(
    ("method", "is_a_grant"),
    [
        ("SetIamPolicy", True),
        ("google.iam.v1.IAMPolicy.SetIamPolicy", True),
        ("google.iam.admin.v1.SetIAMPolicy", True),
        ("beta.compute.instances.setIamPolicy", True),
        ("storage.setIamPermissions", True),
        ("storage.buckets.update", False),
        ("google.iam.admin.v1.CreateServiceAccount", False),
    ],
)
def test_a_call_that_grants_is_known_by_whatever_name_a_service_has_for_it(method: str, is_a_grant: bool) -> None:
    question = _question("unmanaged", "google_storage_bucket_iam_member", f"{BUCKET}|roles/viewer||allUsers")
    answer = audit_logs.choose(question, [_entry(method)])
    assert (answer is not None) is is_a_grant


def test_of_several_entries_the_newest_that_fits_for_sure_counts_and_an_older_one_is_possible() -> None:
    question = _question("unmanaged", "google_pubsub_topic", TOPIC)
    create = "google.pubsub.v1.Publisher.CreateTopic"
    early, late, after = _entry(create, 50), _entry(create, 5), _entry(create, -5)
    answer = audit_logs.choose(question, [early, late, after])
    assert answer is not None
    assert (answer.event, answer.confidence) == (late, "exact")
    old = audit_logs.choose(question, [_entry(create, 300)])
    assert old is not None
    assert old.confidence == "possible"


def test_an_entry_tells_who_from_where_and_through_what() -> None:
    told = _entry(
        "storage.buckets.update",
        authenticationInfo={
            "principalEmail": "deploy@shop.iam.gserviceaccount.com",
            "serviceAccountDelegationInfo": [{"firstPartyPrincipal": {"principalEmail": "eve@example.com"}}],
        },
        requestMetadata={"callerIp": "203.0.113.9", "callerSuppliedUserAgent": "Terraform/1.9 provider-google/6.50"},
    )
    assert (told.actor.type, told.actor.name) == ("ServiceAccount", "deploy@shop.iam.gserviceaccount.com")
    assert (told.actor.issuer_arn, told.address, told.channel) == ("eve@example.com", "203.0.113.9", "terraform")
    federated = _entry(
        "x.update", authenticationInfo={"principalSubject": "principal://iam.googleapis.com/p/subject/ci"}
    )
    assert (federated.actor.type, federated.actor.name) == ("Principal", "principal://iam.googleapis.com/p/subject/ci")
    agent = _entry(
        "x.update", authenticationInfo={"principalEmail": "service-1@container-engine-robot.iam.gserviceaccount.com"}
    )
    assert agent.channel == "service"


@pytest.mark.parametrize(
    "entry",
    [
        {},
        {"timestamp": "2026-11-26T03:00:00Z"},
        {"timestamp": "yesterday", "protoPayload": {"methodName": "x.create"}},
        {"timestamp": "2026-11-26T03:00:00Z", "protoPayload": {"methodName": "x.create"}, "operation": {"last": True}},
    ],
)
def test_an_entry_that_tells_nothing_is_none(entry: dict[str, Any]) -> None:
    assert audit_logs.parse_entry(entry) is None


@pytest.mark.parametrize(
    ("cloud_id", "names", "place"),
    [
        (TOPIC, ("projects/shop/topics/t",), "projects/shop"),
        ("//storage.googleapis.com/logs", ("projects/_/buckets/logs",), "projects/own"),
        ("//storage.googleapis.com/logs roles/viewer allUsers", ("projects/_/buckets/logs",), "projects/own"),
        ("//cloudresourcemanager.googleapis.com/folders/7 roles/x user:a@b.c", ("folders/7",), "folders/7"),
    ],
)
def test_a_resource_is_looked_up_by_the_name_and_in_the_log_that_google_has_for_it(
    cloud_id: str, names: tuple[str, ...], place: str
) -> None:
    question = _question("missing", "google_x", "key", cloud_id=cloud_id)
    assert audit_logs.names_of(question) == names
    assert audit_logs.place_of(question, "projects/own") == place


def _change(kind: Any, target: str = IP, minutes: float = 10, *paths: str, cut: bool = False) -> ResourceChange:
    properties = tuple(PropertyChange(path, "a", "b") for path in paths)
    return ResourceChange(
        "c", target, "microsoft.network/publicipaddresses", kind, SEEN - timedelta(minutes=minutes), "eve@example.com", "User",
        "Azure CLI", "Microsoft.Network/publicIPAddresses/write", "corr", properties, cut,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "path", "change", "expected"),
    [
        ("unmanaged", None, _change("create"), "exact"),
        ("missing", None, _change("delete"), "exact"),
        ("missing", None, _change("update"), None),
        ("changed", "tags.team", _change("update", IP, 10, "tags.team"), "exact"),
        ("changed", "sku", _change("update", IP, 10, "tags.team"), None),
        ("changed", "sku", _change("update", IP, 10, "tags.team", cut=True), "likely"),
        ("unmanaged", None, _change("create", IP, 300), "possible"),
        ("unmanaged", None, _change("create", IP, -5), None),
    ],
)
def test_a_change_explains_what_it_did(
    kind: str, path: str | None, change: ResourceChange, expected: str | None
) -> None:
    answer = azure_history.choose(_question(kind, "azurerm_public_ip", IP, path), [change])
    assert (answer.confidence if answer else None) == expected
    if answer is not None:
        assert (answer.event.actor.name, answer.event.channel, answer.event.request_id) == (
            "eve@example.com",
            "cli",
            "corr",
        )


def test_what_is_kept_inside_of_another_resource_may_have_changed_with_it() -> None:
    network = "/subscriptions/s/resourcegroups/rg/providers/microsoft.network/virtualnetworks/v"
    question = _question("unmanaged", "azurerm_subnet", f"{network}/subnets/a")
    assert azure_history._targets(question) == (f"{network}/subnets/a", network)
    answer = azure_history.choose(question, [_change("update", network, 10, "properties.subnets")])
    assert answer is not None
    assert answer.confidence == "likely"


# Logs of a bucket, whose name tells no project

BUCKET = "//storage.googleapis.com/static"


class Logs:
    """The logs of some projects: who deleted the bucket stands in that of `project-150`."""

    def __init__(self, answer: Reply | None = None) -> None:
        self.asked: list[dict[str, Any]] = []
        self.answer = answer

    def post(self, _url: str, content: bytes) -> Reply:
        wish = json.loads(content)
        self.asked.append(wish)
        if self.answer is not None:
            return self.answer
        entry = {
            "insertId": "a", "timestamp": (SEEN - timedelta(minutes=10)).isoformat(),
            "protoPayload": {"methodName": "storage.buckets.delete", "serviceName": "storage.googleapis.com",
                             "resourceName": "projects/_/buckets/static", "authenticationInfo": {"principalEmail": "eve@example.com"}},
        }  # fmt: skip
        is_there = "projects/project-150" in wish["resourceNames"] and '"projects/_/buckets/static"' in wish["filter"]
        return Reply(200, json.dumps({"entries": [entry]} if is_there else {}).encode())


def _history(logs: Logs, parent: str, projects: int) -> GoogleHistory:
    names = [f"projects/project-{number}" for number in range(projects)]
    return GoogleHistory(AuditLogs(logs, FakeClock()), parent, names)


@pytest.mark.parametrize(
    ("type_name", "key", "cloud_id"),
    [
        ("google_storage_bucket", BUCKET, "static"),  # what is missing is known by the id that a state has of it
        ("google_storage_bucket", BUCKET, BUCKET),
        ("google_storage_bucket_iam_member", f"{BUCKET}|roles/x||allUsers", "b/static/roles/x/allUsers"),
    ],
    ids=["as-a-state-calls-it", "as-it-is-called", "grant"],
)
def test_in_an_organisation_a_bucket_is_looked_up_in_the_logs_of_all_projects(
    type_name: str, key: str, cloud_id: str
) -> None:
    logs = Logs()
    history = _history(logs, "organizations/42", 350)
    answer = history.explain(_question("missing", type_name, key, cloud_id=cloud_id), SEEN)
    assert [len(wish["resourceNames"]) for wish in logs.asked] == [MOST_PLACES, MOST_PLACES], "whoever knows ends it"
    if type_name == "google_storage_bucket":
        assert answer is not None
        assert (answer.event.actor.name, answer.confidence) == ("eve@example.com", "exact")


def test_what_names_its_project_is_looked_up_there_alone() -> None:
    logs = Logs()
    _history(logs, "folders/5", 350).explain(_question("missing", "google_pubsub_topic", TOPIC), SEEN)
    _history(logs, "projects/shop", 1).explain(_question("missing", "google_storage_bucket", BUCKET), SEEN)
    folder = "//cloudresourcemanager.googleapis.com/folders/7"
    _history(logs, "organizations/42", 350).explain(_question("missing", "google_folder", folder), SEEN)
    assert [wish["resourceNames"] for wish in logs.asked] == [["projects/shop"], ["projects/shop"], ["folders/7"]]


def test_more_projects_than_can_be_asked_are_said_to_be_too_many() -> None:
    logs = Logs()
    with pytest.raises(HistoryRefused) as refused:
        _history(logs, "organizations/42", MOST_PROJECTS + 1).explain(
            _question("missing", "google_storage_bucket", BUCKET), SEEN
        )
    assert (refused.value.reason, logs.asked) == ("limit_reached", [])


def test_one_refusal_speaks_for_all_that_was_asked_with_it() -> None:
    logs = Logs(error(403, "PERMISSION_DENIED"))
    history = _history(logs, "organizations/42", 50)
    for _ in range(2):
        with pytest.raises(HistoryRefused) as refused:
            history.explain(_question("missing", "google_storage_bucket", BUCKET), SEEN)
    assert (refused.value.permission, len(logs.asked)) == ("logging.logEntries.list", 1)
