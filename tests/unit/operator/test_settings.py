"""What the operator is told, and what it makes of objects, secrets and releases."""

from __future__ import annotations

import base64
import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from driftwise_operator.kinds import KINDS, SECRETS, Kind, kinds_of
from driftwise_operator.releases import Releases, release_of
from driftwise_operator.settings import Settings, load
from driftwise_operator.signing import signature_headers
from driftwise_operator.stripping import digest, stripped
from functions.scan.domain.cluster_reports import signing_secret
from functions.scan.types.kubernetes import TYPES
from functions.scan.types.kubernetes.helm import KIND as RELEASES
from shared.security.errors import SignatureRefused
from shared.security.signatures import verify
from shared.testing.clock import FakeClock

ACCOUNT = "0190c9f0-0000-7000-8000-000000000001"
TOLD = {"DRIFTWISE_URL": "https://driftwise.example/", "DRIFTWISE_ACCOUNT_ID": ACCOUNT}
DEPLOYMENTS = next(kind for kind in KINDS if kind.kind == "Deployment")


def test_the_environment_says_where_and_what() -> None:
    found = load(TOLD)
    assert (found.url, found.account_id, found.kinds) == ("https://driftwise.example", ACCOUNT, KINDS)


@pytest.mark.parametrize(
    "told",
    [
        {},
        TOLD | {"DRIFTWISE_URL": "http://driftwise.example"},
        TOLD | {"DRIFTWISE_ACCOUNT_ID": "shop"},
        TOLD | {"DRIFTWISE_WITHOUT_KINDS": "Secrets"},
        TOLD | {"DRIFTWISE_FURTHER_KINDS": '[{"kind": "X", "group": "../x", "version": "v1", "plural": "xs"}]'},
        TOLD | {"DRIFTWISE_FURTHER_KINDS": '["x"]'},
        TOLD | {"DRIFTWISE_FURTHER_KINDS": "["},
    ],
)
def test_what_cannot_be_is_refused_at_the_start(told: dict[str, str]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # each says what is wrong in its own words
        load(told)


def test_a_short_key_of_digests_is_refused(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("short")
    with pytest.raises(ValueError, match="at least 32"):
        Settings("https://x.example", ACCOUNT, tmp_path / "key", tmp_path / "key").digest_key()


def test_every_kind_that_driftwise_compares_is_read() -> None:
    assert {kind.kind for kind in TYPES} == {kind.name for kind in KINDS}
    assert RELEASES == "HelmRelease.operator.driftwise"


def test_kinds_are_left_out_and_added_by_name() -> None:
    found = kinds_of(
        "Secret, Job.batch",
        '[{"kind": "CronTab", "group": "stable.example.com", "version": "v1", "plural": "crontabs"}]',
    )
    assert SECRETS not in found
    assert found[-1] == Kind("CronTab", "stable.example.com", "v1", "crontabs")
    assert (found[-1].path, found[-1].right) == (
        "/apis/stable.example.com/v1/crontabs",
        "list crontabs.stable.example.com",
    )


def test_what_the_server_adds_stays_behind() -> None:
    data = {
        "metadata": {
            "name": "web", "namespace": "shop", "uid": "u", "resourceVersion": "7", "generation": 3, "managedFields": [{}], "selfLink": "/x",
            "annotations": {"deployment.kubernetes.io/revision": "3", "team": "shop", "kubectl.kubernetes.io/last-applied-configuration": "{}"},
            "ownerReferences": [{"apiVersion": "v1", "kind": "X", "name": "x", "controller": True, "uid": "y", "blockOwnerDeletion": True}],
        },
        "spec": {"replicas": 1}, "status": {"replicas": 1},
    }  # fmt: skip
    assert stripped(DEPLOYMENTS, data, b"") == {
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {
            "name": "web", "namespace": "shop", "uid": "u", "annotations": {"team": "shop"},
            "ownerReferences": [{"apiVersion": "v1", "kind": "X", "name": "x", "controller": True}],
        },
        "spec": {"replicas": 1},
    }  # fmt: skip


def test_of_a_secret_names_and_digests_leave() -> None:
    data = {
        "metadata": {"name": "db", "namespace": "shop"},
        "type": "Opaque",
        "data": {"password": "c2VjcmV0"},
        "stringData": {"x": "y"},
        "extra": "z",
    }
    found = stripped(SECRETS, data, b"k" * 32)
    assert found["data"] == {"password": digest(b"k" * 32, "shop/db/password", "c2VjcmV0")}
    assert set(found) == {"apiVersion", "kind", "metadata", "type", "data"}
    other = stripped(SECRETS, data | {"metadata": {"name": "db2", "namespace": "shop"}}, b"k" * 32)
    assert other["data"] != found["data"], "equal values in two places look different"


def test_both_sides_agree_on_signatures() -> None:
    clock = FakeClock()
    headers = signature_headers("dw2_key", "r_1", int(clock.now().timestamp()), b"{}")
    assert verify("standard", headers, b"{}", [signing_secret("dw2_key")], clock) == 0
    with pytest.raises(SignatureRefused):
        verify("standard", headers, b"{} ", [signing_secret("dw2_key")], clock)
    with pytest.raises(SignatureRefused):
        verify("standard", headers, b"{}", [signing_secret("dw2_other")], clock)


def helm_secret(record: Any) -> dict[str, Any]:
    packed = base64.b64encode(base64.b64encode(gzip.compress(json.dumps(record).encode()))).decode()
    return {"metadata": {"namespace": "shop", "labels": {"name": "x", "version": "1"}}, "data": {"release": packed}}


@pytest.mark.parametrize(
    "secret",
    [
        {},
        {"data": {"release": "%%%"}},
        {"data": {"release": base64.b64encode(base64.b64encode(b"no gzip")).decode()}},
        helm_secret([]),
        helm_secret({"name": "x"}),
        helm_secret({"name": "x", "version": 1, "manifest": "a: &x [1]\nb: *x\n"}),
        helm_secret({"name": "x", "version": 1, "manifest": "{"}),
    ],
    ids=["none", "no base64", "no gzip", "a list", "no version", "an alias", "no YAML"],
)
def test_a_release_that_cannot_be_read_is_left_alone(secret: dict[str, Any]) -> None:
    assert release_of(secret, b"") is None
    assert Releases(b"").put(secret) is None


def test_a_release_that_unpacks_to_too_much_is_left_alone() -> None:
    bomb = base64.b64encode(base64.b64encode(gzip.compress(b" " * (33 * 1024 * 1024)))).decode()
    assert release_of({"data": {"release": bomb}}, b"") is None
