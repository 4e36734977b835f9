"""A role that is taken on through a hub: who proves what to whom, and how often."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any, cast
from unittest.mock import MagicMock
from uuid import UUID

import pytest

from functions.scan import wiring
from functions.scan.errors import CredentialsRefused
from functions.scan.readers.aws import session
from functions.scan.readers.aws.session import AwsAccount, Login, SignIns
from functions.scan.wiring import ScanDeps
from shared.testing.clock import FakeClock
from tests.support.http_app import SETTINGS

ORG, OTHER_ORG = UUID(int=1), UUID(int=2)
HUB = "arn:aws:iam::210987654321:role/hub"
ROLE = "arn:aws:iam::123456789012:role/read"
TOKENS = cast("Any", object())
Asked = list[Login]


def _account(number: int = 1, **columns: Any) -> dict[str, Any]:
    values = {
        "id": UUID(int=number), "external_account": "123456789012", "regions": ["all"], "auth_kind": "role", "role_arn": ROLE,
        "external_id": "dw-x", "through": HUB, "credentials_encrypted": None,
    }  # fmt: skip
    return values | columns


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    """Every sign-in that was made, in order."""
    found: Asked = []

    def sign_in(login: Login) -> AwsAccount:
        found.append(login)
        return AwsAccount(login, cast("Any", MagicMock()), f"arn:aws:sts::{login.account}:assumed-role/x/y")

    monkeypatch.setattr(wiring, "sign_in", sign_in)
    return found


@pytest.fixture
def deps() -> ScanDeps:
    own = {"settings": SETTINGS, "sign_ins": SignIns(FakeClock()), "identity_tokens": TOKENS}
    return ScanDeps(**cast("Any", {item.name: None for item in fields(ScanDeps)} | own))


def test_the_hub_is_signed_in_to_first_and_takes_on_the_role(deps: ScanDeps, asked: Asked) -> None:
    deps.sign_in(ORG, _account())
    hub, role = asked
    assert (hub.account, hub.role_arn, hub.external_id, hub.identity_tokens) == ("210987654321", HUB, "dw-x", TOKENS)
    assert hub.through is None
    assert (role.account, role.role_arn, role.external_id) == ("123456789012", ROLE, "dw-x")
    assert role.through is not None
    assert role.through.account == "210987654321"
    assert role.identity_tokens is None, "the token is for the hub: the role sees the hub alone"


def test_accounts_behind_one_hub_share_its_session_and_organisations_never_do(deps: ScanDeps, asked: Asked) -> None:
    deps.sign_in(ORG, _account(1))
    deps.sign_in(ORG, _account(2, role_arn=ROLE + "-2"))
    assert [login.role_arn for login in asked] == [HUB, ROLE, ROLE + "-2"]
    deps.sign_in(OTHER_ORG, _account(1))
    assert [login.role_arn for login in asked[3:]] == [HUB, ROLE]
    deps.sign_in(ORG, _account(3, external_id="dw-y"))
    assert [login.role_arn for login in asked[5:]] == [HUB, ROLE], "another external id is another proof"


def test_an_account_that_gets_a_hub_is_another_sign_in(deps: ScanDeps, asked: Asked) -> None:
    deps.sign_in(ORG, _account(through=None))
    assert [(login.role_arn, login.through, login.identity_tokens) for login in asked] == [(ROLE, None, TOKENS)]
    deps.sign_in(ORG, _account())
    assert [login.role_arn for login in asked[1:]] == [HUB, ROLE]


def test_a_hub_that_refuses_is_named(deps: ScanDeps, monkeypatch: pytest.MonkeyPatch) -> None:
    permission = "sts:AssumeRoleWithWebIdentity"

    def refuse(login: Login) -> AwsAccount:
        assert login.role_arn == HUB, "the role is asked for only by the hub"
        raise CredentialsRefused("AWS answered AccessDenied", permission=permission, reason="access_denied")

    monkeypatch.setattr(wiring, "sign_in", refuse)
    with pytest.raises(CredentialsRefused, match="the role of the hub account: AWS answered AccessDenied") as refused:
        deps.sign_in(ORG, _account())
    assert refused.value.facts == {"permission": permission, "reason": "access_denied"}


def test_without_named_regions_nothing_is_guessed_from_them(deps: ScanDeps, asked: Asked) -> None:
    deps.sign_in(ORG, _account(through=None))
    deps.sign_in(ORG, _account(number=2, through=None, regions=["cn-north-1"]))
    assert [login.region for login in asked] == ["", "cn-north-1"]


def test_both_steps_of_a_chain_prove_the_external_id(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hub by the audience of a token, the role by `ExternalId`."""
    made: list[tuple[str, dict[str, Any]]] = []
    reply = {"Credentials": {"AccessKeyId": "a" * 16, "SecretAccessKey": "b", "SessionToken": "c"}}

    def note(name: str) -> Callable[..., Any]:
        def call(**wish: Any) -> Any:
            made.append((name, wish))
            return reply

        return call

    client = MagicMock(assume_role=note("hub"), assume_role_with_web_identity=note("token"))
    monkeypatch.setattr(session, "_sts", lambda *_: client)
    tokens = MagicMock(token_for=MagicMock(return_value="t0ken"))
    hub_login = Login("2", role_arn=HUB, external_id="dw-x", identity_tokens=tokens)
    hub = AwsAccount(hub_login, session._assumed(hub_login, "us-east-1"), "arn:aws:sts::2:assumed-role/hub/x")
    session._assumed(Login("1", role_arn=ROLE, external_id="dw-x", through=hub), "us-east-1")
    tokens.token_for.assert_called_once_with("dw-x")
    (first, token), (second, chained) = made
    assert (first, token["RoleArn"], token["WebIdentityToken"]) == ("token", HUB, "t0ken")
    assert (second, chained["RoleArn"], chained["ExternalId"]) == ("hub", ROLE, "dw-x")
    assert chained["DurationSeconds"] == 3600, "AWS ends chained sessions after an hour"
