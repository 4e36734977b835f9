"""What may be said about an account of each cloud, and what is said about a wish that is wrong."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from functions.scan.account_models import ChangeAccount, CreateAccount
from functions.scan.cloud_access.google import email_of
from functions.scan.domain.access import WAYS, check_way
from shared.http.call import validated
from shared.http.errors import Invalid

ROLE = {"kind": "role", "role_arn": "arn:aws:iam::123456789012:role/read"}
PROVIDER = "projects/123/locations/global/workloadIdentityPools/driftwise/providers/google"
WORKLOAD = {"kind": "workload_identity", "provider": PROVIDER}
KEY = {"kind": "service_account_key", "key_json": "x" * 100}
FEDERATED = {"kind": "federated", "tenant_id": str(UUID(int=1))}
SECRET = {
    "kind": "client_secret", "tenant_id": str(UUID(int=1)), "client_id": str(UUID(int=2)), "client_secret": "y" * 40,
}  # fmt: skip
GOOD: list[dict[str, Any]] = [
    {"provider": "aws", "external_account": "123456789012", "auth": ROLE},
    {"provider": "gcp", "external_account": "projects/shop-production", "auth": WORKLOAD},
    {"provider": "gcp", "external_account": "projects/example.com:shop", "auth": WORKLOAD},
    {"provider": "gcp", "external_account": "folders/1234567890", "auth": KEY},
    {"provider": "gcp", "external_account": "organizations/42", "auth": WORKLOAD | {"service_account": "a@b.iam.gserviceaccount.com"}},
    {"provider": "azure", "external_account": str(UUID(int=7)), "auth": FEDERATED},
    {"provider": "azure", "external_account": str(UUID(int=7)).upper(), "auth": FEDERATED | {"client_id": str(UUID(int=2))}},
    {"provider": "azure", "external_account": str(UUID(int=7)), "auth": SECRET},
    {"provider": "kubernetes", "external_account": "arn:aws:eks:eu-west-1:123456789012:cluster/shop"},
    {"provider": "kubernetes", "external_account": "gke_shop_europe-west1_live", "auth": {"kind": "report"}},
]  # fmt: skip


@pytest.mark.parametrize("wish", GOOD)
def test_each_cloud_is_connected_in_its_own_words(wish: dict[str, Any]) -> None:
    found = validated(CreateAccount, {"name": "Shop", **wish}).root
    assert found.provider == wish["provider"]
    assert found.auth.kind in WAYS[found.provider]


BAD: list[tuple[dict[str, Any], str]] = [
    ({}, "provider"),
    ({"provider": "oracle"}, "provider"),
    ({"provider": "aws", "external_account": "projects/shop", "auth": ROLE}, "external_account"),
    ({"provider": "aws", "external_account": "123456789012", "auth": WORKLOAD}, "auth"),
    ({"provider": "gcp", "external_account": "123456789012", "auth": WORKLOAD}, "external_account"),
    ({"provider": "gcp", "external_account": "projects/../x", "auth": WORKLOAD}, "external_account"),
    ({"provider": "gcp", "external_account": "folders/shop", "auth": WORKLOAD}, "external_account"),
    ({"provider": "gcp", "external_account": "billingAccounts/1", "auth": WORKLOAD}, "external_account"),
    ({"provider": "gcp", "external_account": "projects/shop", "auth": ROLE}, "auth"),
    ({"provider": "gcp", "external_account": "projects/shop", "regions": ["europe-west1"], "auth": WORKLOAD}, "regions"),
    ({"provider": "gcp", "external_account": "projects/shop", "auth": WORKLOAD | {"provider": "x"}}, "auth.workload_identity.provider"),
    ({"provider": "azure", "external_account": "shop", "auth": FEDERATED}, "external_account"),
    ({"provider": "azure", "external_account": str(UUID(int=7)), "auth": {"kind": "federated"}}, "auth.federated.tenant_id"),
    ({"provider": "azure", "external_account": str(UUID(int=7)), "auth": {**SECRET, "client_id": None}}, "auth.client_secret.client_id"),
    ({"provider": "azure", "external_account": str(UUID(int=7))}, "auth"),
    ({"provider": "kubernetes", "external_account": "a b"}, "external_account"),
    ({"provider": "kubernetes", "external_account": "$(x)"}, "external_account"),
    ({"provider": "kubernetes", "external_account": "x", "auth": ROLE}, "auth.kind"),
]  # fmt: skip


@pytest.mark.parametrize(("wish", "field"), BAD)
def test_what_is_wrong_is_named_as_the_caller_wrote_it(wish: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as raised:
        validated(CreateAccount, {"name": "Shop", **wish})
    assert field in {problem["field"] for problem in raised.value.facts["errors"]}  # type: ignore[attr-defined]


@pytest.mark.parametrize("provider", [{}, {"provider": "oracle"}, {"provider": "gcp"}])
def test_a_field_that_no_cloud_has_is_named_whichever_is_meant(provider: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as raised:
        validated(CreateAccount, {"name": "Shop", "no_such_field": "tiger-secret", **provider})
    assert "no_such_field" in {problem["field"] for problem in raised.value.facts["errors"]}  # type: ignore[attr-defined]
    assert "name" not in {problem["field"] for problem in raised.value.facts["errors"]}  # type: ignore[attr-defined]
    assert "tiger-secret" not in str(raised.value.facts)


@pytest.mark.parametrize("where", ["provider", "kind"])
def test_a_word_that_is_not_known_is_not_repeated(where: str) -> None:
    wish = {"name": "x", "provider": "aws", "external_account": "123456789012", "auth": {"kind": "role"}}
    changed = wish | ({"provider": "hunter2"} if where == "provider" else {"auth": {"kind": "hunter2"}})
    with pytest.raises(Invalid) as raised:
        validated(CreateAccount, changed)
    assert "hunter2" not in str(raised.value.facts)
    assert "must be one of" in str(raised.value.facts)


def test_a_change_may_take_any_way_and_the_account_says_which_are_its_own() -> None:
    assert validated(ChangeAccount, {"auth": SECRET}).auth is not None
    assert check_way("azure", "client_secret") is None
    problem = check_way("azure", "role")
    assert problem is not None
    assert "federated" in problem["problem"]


@pytest.mark.parametrize(
    ("text", "email"),
    [
        ('{"type": "service_account", "client_email": "a@b.c", "private_key": "k", "private_key_id": "1"}', "a@b.c"),
        ('{"type": "service_account", "client_email": "a@b.c", "private_key": "k"}', None),
        ('{"type": "service_account", "client_email": "$(x)@b.c", "private_key": "k", "private_key_id": "1"}', None),
        ('{"type": "external_account", "client_email": "a@b.c", "private_key": "k", "private_key_id": "1"}', None),
        ("[]", None),
        ("no JSON", None),
        ("[" * 100_000, None),
    ],
)
def test_a_key_file_is_told_from_anything_else(text: str, email: str | None) -> None:
    assert email_of(text) == email
