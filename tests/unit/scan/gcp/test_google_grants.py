"""Who may do what: whatever form declares a grant, one that is gone is missing and one that nobody declares is found."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from functions.scan.domain.comparison import Drift
from functions.scan.domain.resources import NotChecked, Unread
from functions.scan.readers.gcp.resources import asset_of, grants, resources_of
from functions.scan.types.gcp.assets import Names
from functions.scan.types.gcp.iam import BY_ASSET, GRANTABLE, condition_of, member_name
from tests.support.google_assets import NUMBER, READ_AT, declared, drift, examples, policy

PROJECT_NAME = f"//cloudresourcemanager.googleapis.com/projects/{NUMBER}"
PROJECT_KIND = "cloudresourcemanager.googleapis.com/Project"
NAMES = Names(projects={NUMBER: "shop-prod"}, accounts={"1019": "ci@shop-prod.iam.gserviceaccount.com"})
ANN, BOB, EVE = "user:ann@example.com", "user:bob@example.com", "user:eve@example.com"
VIEWER, EDITOR = "roles/viewer", "roles/editor"
NIGHTLY = {"title": "nightly", "description": "", "expression": "request.time.getHours() < 5"}


def read(asset: Mapping[str, Any]) -> list[object]:
    known = asset_of(asset, NAMES)
    assert known is not None
    return list(grants(asset, known, READ_AT))


def project(*bindings: Mapping[str, Any]) -> list[object]:
    return read(policy(PROJECT_NAME, PROJECT_KIND, bindings))


def binding(role: str, *members: str, **more: object) -> dict[str, Any]:
    return {"role": role, "members": list(members), **more}


def member(role: str, who: str, condition: Sequence[Mapping[str, Any]] = ()) -> tuple[str, dict[str, Any]]:
    attributes = {"id": f"shop-prod/{role}/{who}", "project": "shop-prod", "role": role, "member": who}
    return ("google_project_iam_member", {**attributes, "condition": list(condition)})


def whole(role: str, *members: str, condition: Sequence[Mapping[str, Any]] = ()) -> tuple[str, dict[str, Any]]:
    attributes = {"id": f"shop-prod/{role}", "project": "shop-prod", "role": role, "members": list(members)}
    return ("google_project_iam_binding", {**attributes, "condition": list(condition)})


def document(*bindings: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    data = json.dumps({"bindings": list(bindings)})
    return ("google_project_iam_policy", {"id": "shop-prod", "project": "shop-prod", "policy_data": data})


def told(found: list[Drift]) -> list[tuple[str, str]]:
    return sorted((one.kind, one.key.partition("|")[2]) for one in found)


FORMS = [
    pytest.param([member(VIEWER, ANN), member(VIEWER, BOB)], id="members"),
    pytest.param([whole(VIEWER, BOB, ANN)], id="binding"),
    pytest.param([document(binding(VIEWER, BOB, ANN))], id="policy"),
    pytest.param([whole(VIEWER, ANN), member(VIEWER, BOB)], id="binding and member"),
]


@pytest.mark.parametrize("state", FORMS)
def test_after_an_apply_nothing_drifts(state: list[tuple[str, dict[str, Any]]]) -> None:
    assert drift(declared(*state), project(binding(VIEWER, ANN, BOB))) == []


@pytest.mark.parametrize("state", FORMS)
def test_a_grant_that_nobody_declares_is_found_alone(state: list[tuple[str, dict[str, Any]]]) -> None:
    found = drift(declared(*state), project(binding(VIEWER, ANN, BOB, EVE)))
    assert told(found) == [("unmanaged", f"{VIEWER}||{EVE}")]


@pytest.mark.parametrize("state", FORMS)
def test_a_grant_that_is_gone_is_found_alone_at_its_address(state: list[tuple[str, dict[str, Any]]]) -> None:
    found = drift(declared(*state), project(binding(VIEWER, ANN)))
    assert told(found) == [("missing", f"{VIEWER}||{BOB}")]
    assert found[0].address is not None


def test_a_role_that_an_authoritative_policy_does_not_hold_is_found() -> None:
    found = drift(declared(document(binding(VIEWER, ANN))), project(binding(VIEWER, ANN), binding("roles/owner", EVE)))
    assert told(found) == [("unmanaged", f"roles/owner||{EVE}")]


def test_a_condition_is_part_of_a_grant() -> None:
    live = project(binding(EDITOR, ANN, condition=NIGHTLY))
    assert drift(declared(member(EDITOR, ANN, [NIGHTLY])), live) == []
    assert drift(declared(whole(EDITOR, ANN, condition=[NIGHTLY])), live) == []
    assert drift(declared(document(binding(EDITOR, ANN, condition=NIGHTLY))), live) == []


@pytest.mark.parametrize("change", [{"expression": "true"}, {"title": "daily"}, {"description": "x"}])
def test_a_condition_that_was_changed_or_taken_off_is_another_grant(change: dict[str, str]) -> None:
    state = declared(member(EDITOR, ANN, [NIGHTLY]))
    for live in (project(binding(EDITOR, ANN, condition={**NIGHTLY, **change})), project(binding(EDITOR, ANN))):
        assert [one.kind for one in drift(state, live)] == ["missing", "unmanaged"]


def test_the_same_role_with_and_without_a_condition_are_two_grants() -> None:
    live = project(binding(EDITOR, ANN, condition=NIGHTLY), binding(EDITOR, ANN))
    assert [one.kind for one in drift(declared(member(EDITOR, ANN, [NIGHTLY])), live)] == ["unmanaged"]


def test_parts_of_a_condition_cannot_be_moved_into_each_other() -> None:
    assert condition_of({"title": "ab", "description": "c"}) != condition_of({"title": "a", "description": "bc"})
    assert condition_of({}) == condition_of([]) == condition_of(None) == ""


def test_case_counts_where_it_does() -> None:
    pool = (
        "principalSet://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/attribute.repo/Org/App"
    )
    assert member_name("user:Ann@Example.com") == ANN
    assert member_name(pool) == pool != member_name(pool.lower())
    assert member_name("allUsers") == "allUsers"
    assert drift(declared(member(VIEWER, "user:Ann@Example.com")), project(binding(VIEWER, ANN))) == []


def test_users_groups_and_accounts_of_one_name_are_three() -> None:
    live = project(binding(VIEWER, "group:ann@example.com"))
    assert [one.kind for one in drift(declared(member(VIEWER, ANN)), live)] == ["missing", "unmanaged"]


def test_grants_on_a_service_account_are_matched_by_its_address() -> None:
    """The inventory calls the account by its number."""
    name = "//iam.googleapis.com/projects/shop-prod/serviceAccounts/1019"
    asset = policy(name, "iam.googleapis.com/ServiceAccount", [binding("roles/iam.serviceAccountTokenCreator", ANN)])
    account = "projects/shop-prod/serviceAccounts/ci@shop-prod.iam.gserviceaccount.com"
    state = {"service_account_id": account, "role": "roles/iam.serviceAccountTokenCreator", "member": ANN}
    assert drift(declared(("google_service_account_iam_member", state)), read(asset)) == []


def test_grants_on_a_bucket_are_matched_in_both_spellings() -> None:
    asset = policy(
        "//storage.googleapis.com/shop-static",
        "storage.googleapis.com/Bucket",
        [binding("roles/storage.objectViewer", "allUsers")],
    )
    for name in ("b/shop-static", "shop-static"):
        state = {"bucket": name, "role": "roles/storage.objectViewer", "member": "allUsers"}
        assert drift(declared(("google_storage_bucket_iam_member", state)), read(asset)) == []


RING = "projects/shop-prod/locations/europe-west1/keyRings/data"
WITHOUT_WORDS = [
    pytest.param("google_kms_key_ring", "key_ring_id", RING, RING, id="ring"),
    pytest.param("google_kms_key_ring", "key_ring_id", "shop-prod/europe-west1/data", RING, id="ring without words"),
    pytest.param("google_kms_key_ring", "key_ring_id", "europe-west1/data", RING, id="ring in the provider's project"),
    pytest.param(
        "google_kms_crypto_key", "crypto_key_id", f"{RING}/cryptoKeys/sql", f"{RING}/cryptoKeys/sql", id="key"
    ),
    pytest.param(
        "google_kms_crypto_key",
        "crypto_key_id",
        "shop-prod/europe-west1/data/sql",
        f"{RING}/cryptoKeys/sql",
        id="key without words",
    ),
    pytest.param(
        "google_kms_crypto_key",
        "crypto_key_id",
        "europe-west1/data/sql",
        f"{RING}/cryptoKeys/sql",
        id="key in the provider's project",
    ),
]


@pytest.mark.parametrize(("prefix", "name", "given", "full"), WITHOUT_WORDS)
def test_grants_on_keys_are_matched_however_a_configuration_names_the_key(
    prefix: str, name: str, given: str, full: str
) -> None:
    """Source: google_kms_crypto_key_iam and google_kms_key_ring_iam documentation, `crypto_key_id` and `key_ring_id`."""
    role = "roles/cloudkms.cryptoKeyEncrypter"
    kind = next(item for item in GRANTABLE if item.prefix == prefix)
    asset = policy(f"//cloudkms.googleapis.com/{full}", kind.assets[0], [binding(role, ANN)])
    forms: list[tuple[str, dict[str, Any]]] = [
        (f"{prefix}_iam_member", {"id": f"{full}/{role}/{ANN}", name: given, "role": role, "member": ANN}),
        (f"{prefix}_iam_binding", {"id": f"{full}/{role}", name: given, "role": role, "members": [ANN]}),
        (
            f"{prefix}_iam_policy",
            {"id": full, name: given, "policy_data": json.dumps({"bindings": [binding(role, ANN)]})},
        ),
    ]
    for form in forms:
        assert drift(declared(form), read(asset)) == []
        assert [one.kind for one in drift(declared(form), read({**asset, "iamPolicy": {"bindings": []}}))] == [
            "missing"
        ]


def test_what_a_bucket_begins_with_is_googles_and_everybody_is_not() -> None:
    asset = policy(
        "//storage.googleapis.com/b1",
        "storage.googleapis.com/Bucket",
        [
            binding("roles/storage.legacyBucketOwner", "projectEditor:shop-prod", "projectOwner:shop-prod"),
            binding("roles/storage.legacyBucketReader", "projectViewer:shop-prod", "allUsers"),
            binding("roles/storage.admin", "projectViewer:shop-prod"),
        ],
    )
    assert told(drift((), read(asset))) == [
        ("unmanaged", "roles/storage.admin||projectViewer:shop-prod"),
        ("unmanaged", "roles/storage.legacyBucketReader||allUsers"),
    ]


def test_googles_own_agents_are_its_own_only_at_home_and_only_in_their_role() -> None:
    agent = f"serviceAccount:service-{NUMBER}@container-engine-robot.iam.gserviceaccount.com"
    foreign = "serviceAccount:service-999@container-engine-robot.iam.gserviceaccount.com"
    services = f"serviceAccount:{NUMBER}@cloudservices.gserviceaccount.com"
    live = project(
        binding("roles/container.serviceAgent", agent, foreign),
        binding("roles/owner", agent, services),
        binding(EDITOR, services),
    )
    assert told(drift((), live)) == [
        ("unmanaged", f"roles/container.serviceAgent||{foreign}"),
        ("unmanaged", f"roles/owner||{services}"),
        ("unmanaged", f"roles/owner||{agent}"),
    ]


@pytest.mark.parametrize(
    "bad",
    [
        {"bindings": "no"},
        {"bindings": ["no"]},
        {"bindings": [{"members": []}]},
        {"bindings": [{"role": "r", "members": "x"}]},
        "no",
    ],
)
def test_a_policy_in_another_form_leaves_its_kind_not_checked(bad: object) -> None:
    asset = {**policy(PROJECT_NAME, PROJECT_KIND, []), "iamPolicy": bad}
    found = read(asset)
    assert [type(one) for one in found] == [NotChecked]
    assert drift(declared(member(VIEWER, ANN)), found) == []


def test_a_policy_that_changed_just_now_is_left_for_the_next_time() -> None:
    asset = policy(PROJECT_NAME, PROJECT_KIND, [binding(VIEWER, EVE)], "2026-11-26T03:59:30Z")
    assert {type(one) for one in read(asset)} == {Unread}


@pytest.mark.parametrize("data", ["no json", "[]", '{"bindings": 1}'])
def test_a_declared_policy_that_cannot_be_read_says_nothing(data: str) -> None:
    state = {"id": "shop-prod", "project": "shop-prod", "policy_data": data}
    assert drift(declared(("google_project_iam_policy", state)), []) == []


DATASET = "//bigquery.googleapis.com/projects/shop-prod/datasets/sales"


def dataset(*more: tuple[str, dict[str, Any]]) -> tuple[list[Drift], list[object]]:
    """Compare a dataset and what is granted on it: in the state, the dataset itself with its list and what else is given."""
    example = next(one for one in examples() if one.type == "google_bigquery_dataset")
    known = asset_of(example.asset, NAMES)
    assert known is not None
    policies = [
        binding("roles/bigquery.dataOwner", "projectOwner:shop-prod"),
        binding("roles/bigquery.dataViewer", EVE),
    ]
    live = [
        *resources_of(example.asset, known, READ_AT),
        *read(policy(DATASET, "bigquery.googleapis.com/Dataset", policies)),
    ]
    return drift(declared((example.type, example.state), *more), live), live


def test_grants_that_a_datasets_own_list_holds_are_told_by_the_list() -> None:
    found, live = dataset()
    assert found == []
    assert len(live) == 3


def test_grants_on_a_dataset_beside_declared_ones_are_found() -> None:
    role = {"dataset_id": "sales", "project": "shop-prod", "role": "roles/bigquery.dataOwner"}
    found, _ = dataset(("google_bigquery_dataset_iam_member", {**role, "member": "projectOwner:shop-prod"}))
    assert told(found) == [("unmanaged", f"roles/bigquery.dataViewer||{EVE}")]
    found, _ = dataset(("google_bigquery_dataset_iam_binding", {**role, "members": ["projectOwner:shop-prod"]}))
    assert told(found) == [("unmanaged", f"roles/bigquery.dataViewer||{EVE}")]


@pytest.mark.parametrize(
    ("kind", "name"), [("google_cloud_run_service", "service"), ("google_cloud_run_v2_service", "name")]
)
def test_grants_on_a_cloud_run_service_are_declared_in_two_ways(kind: str, name: str) -> None:
    service = "//run.googleapis.com/projects/shop-prod/locations/europe-west1/services/api"
    live = read(policy(service, "run.googleapis.com/Service", [binding("roles/run.invoker", "allUsers")]))
    attributes = {"project": "shop-prod", "location": "europe-west1", name: "api", "role": "roles/run.invoker"}
    assert drift(declared((kind + "_iam_member", {**attributes, "member": "allUsers"})), live) == []
    assert drift(declared((kind + "_iam_binding", {**attributes, "members": ["allUsers"]})), live) == []
    assert [one.kind for one in drift((), live)] == ["unmanaged"]


def test_each_kind_of_resource_has_one_table_entry() -> None:
    assert len(BY_ASSET) == sum(len(one.assets) for one in GRANTABLE)
    assert len(GRANTABLE) >= 20
