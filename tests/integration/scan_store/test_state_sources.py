"""Every source of states keeps one contract, against hosts that answer as their vendors document it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from types import SimpleNamespace
from typing import Any, cast

import pytest

from functions.scan.errors import CredentialsRefused, SourceNotFetchable, StateTooLarge, StateUnreachable
from functions.scan.readers.aws.session import AwsAccount
from functions.scan.state_sources import port
from functions.scan.state_sources.opening import Opener
from functions.scan.state_sources.port import StateSource, is_state
from shared.ports.secret_store import Secret
from shared.security.egress import EgressRefused, EgressResponse
from shared.testing.clock import FakeClock
from tests.support.state_hosts import (
    PROVIDER,
    Asked,
    AzureStorage,
    GoogleStorage,
    Internet,
    OwnTokens,
    PlainServer,
    TerraformHost,
    answer,
    aws,
)

EXTERNAL_ID = "dw-abcdefghijklmnopqrstuvwxyz234567"
SECRETS = (
    "hunter2",
    "a-team-token",
    "s/g=",
    "the-app-secret",
    "a-google-token",
    "an-azure-token",
    "a-wide-token",
)


def row(kind: str, auth_kind: str, **fields: Any) -> dict[str, Any]:
    """Return a source's row."""
    names = ("bucket", "bucket_region", "storage_account", "url", "organization")
    return {"kind": kind, "auth_kind": auth_kind, "auth": {}, **dict.fromkeys(names), **fields}


@dataclass
class World:
    """One source, and the hands that hold what is behind it."""

    internet: Internet
    source: StateSource
    put: Callable[[str, bytes], None]
    deny: Callable[[], None]
    permission: str
    lists: bool = True
    name: str = "production/app.tfstate"


def open_source(internet: Internet, source: dict[str, Any], account: Any = None, **secrets: str) -> StateSource:
    opener = Opener(internet.guard(), internet.clock, OwnTokens(), "", 1)
    return opener.open(source, lambda: Secret(json.dumps(secrets).encode()), lambda: account)


def gcs(internet: Internet, _: ExitStack) -> World:
    host = GoogleStorage(audience=EXTERNAL_ID)
    host.connect(internet)
    found = row("gcs", "workload_identity", bucket="states", auth={"external_id": EXTERNAL_ID, "provider": PROVIDER})
    deny = partial(setattr, host, "is_denied", True)
    return World(internet, open_source(internet, found), host.put, deny, "storage.objects.get")


def azure(internet: Internet, _: ExitStack) -> World:
    host = AzureStorage(audience=EXTERNAL_ID)
    host.connect(internet)
    auth = {"tenant_id": "t", "client_id": "c", "external_id": EXTERNAL_ID}
    found = row("azure_blob", "federated", bucket="tfstate", storage_account="acme", auth=auth)
    permission = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read"
    return World(internet, open_source(internet, found), host.put, lambda: setattr(host, "is_denied", True), permission)


def azure_sas(internet: Internet, stack: ExitStack) -> World:
    made = azure(internet, stack)
    found = row("azure_blob", "sas", bucket="tfstate", storage_account="acme")
    made.source = open_source(internet, found, sas_token="?sv=2023-11-03&sp=rl&sig=s%2Fg%3D")
    return made


def tfc(internet: Internet, _: ExitStack) -> World:
    host = TerraformHost()
    host.connect(internet)
    found = row("tfc", "bearer", url="https://app.terraform.io", organization="acme")
    source = open_source(internet, found, token="a-team-token")
    return World(
        internet,
        source,
        host.put,
        lambda: setattr(host, "is_denied", True),
        "read state versions",
        name="production-app",
    )


def http(internet: Internet, _: ExitStack) -> World:
    host = PlainServer()
    host.connect(internet)
    found = row("http", "basic", url="https://states.acme.org/production", auth={"username": "ci"})
    source = open_source(internet, found, password="hunter2")

    def put(_: str, content: bytes) -> None:
        host.put("/production", content)

    return World(internet, source, put, lambda: setattr(host, "is_denied", True), "reading the state", lists=False)


def s3(internet: Internet, stack: ExitStack) -> World:
    account = stack.enter_context(aws())
    account["s3"].create_bucket(Bucket="states", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    signed_in = SimpleNamespace(client=lambda service, region: account["session"].client(service, region_name=region))
    source = open_source(internet, row("s3", "account", bucket="states", bucket_region="eu-west-1"), signed_in)

    def deny() -> None:
        from botocore.exceptions import ClientError

        def refuse(operation: str) -> Any:
            def call(**_: Any) -> Any:
                raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, operation)

            return call

        signed_in.client = lambda *_: SimpleNamespace(get_object=refuse("GetObject"))

    def put(name: str, content: bytes) -> None:
        account["s3"].put_object(Bucket="states", Key=name, Body=content)

    return World(internet, source, put, deny, "s3:GetObject")


@pytest.fixture(params=[s3, gcs, azure, azure_sas, tfc, http], ids=lambda make: make.__name__)
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    with ExitStack() as stack:
        yield request.param(Internet(FakeClock()), stack)


def fetch(world: World, known: str | None = None) -> port.Fetched:
    found = world.source.fetch(world.name, known)
    assert found is not None
    return found


# --- The contract -----------------------------------------------------------------------------------------------------


def test_a_state_is_fetched_once_per_version(world: World) -> None:
    world.put(world.name, b'{"serial": 1}')
    first = fetch(world)
    assert first.content == b'{"serial": 1}'
    assert first.version
    assert world.source.fetch(world.name, first.version) is None, "unchanged, and fetched again"
    world.put(world.name, b'{"serial": 2}')
    second = fetch(world, first.version)
    assert second.content == b'{"serial": 2}'
    assert second.version != first.version


def test_every_state_under_a_prefix_is_listed_with_the_version_that_a_fetch_names(world: World) -> None:
    if not world.lists:
        assert [item.name for item in world.source.find("x")] == ["x"], "an address is one state"
        return
    names = {f"{world.name[:4]} +&-{number:03}.tfstate" for number in range(250)}
    for name in names:
        world.put(name, b"{}")
    world.put("else.tfstate", b"{}")
    found = {item.name: item.version for item in world.source.find(f"{world.name[:4]} +&-")}
    assert set(found) == names
    name = next(iter(names))
    fetched = world.source.fetch(name, None)
    assert fetched is not None
    assert found[name] == fetched.version
    assert world.source.fetch(name, found[name]) is None


@pytest.mark.parametrize(
    "name", ["a b/c+d.tfstate", "env:/prod/app", "100%/x#y?z&=.tfstate", "größe.tfstate", "a//b.tfstate"]
)
def test_any_name_is_fetched_and_no_other(world: World, name: str) -> None:
    if world.name == "production-app":
        name = name.replace("/", "-")
    world.put(name, b"this one")
    found = world.source.fetch(name, None)
    assert found is not None
    assert found.content == b"this one"


def test_a_state_that_is_not_there_is_said_to_be_absent(world: World) -> None:
    with pytest.raises(StateUnreachable) as raised:
        world.source.fetch("no-such.tfstate", None)
    assert raised.value.facts.get("host_status") == 404 or raised.value.facts.get("aws_code") == "NoSuchKey"


def test_a_missing_permission_is_named_and_no_secret_is(world: World) -> None:
    world.put(world.name, b"{}")
    world.deny()
    with pytest.raises(StateUnreachable) as raised:
        fetch(world)
    assert raised.value.facts["permission"] == world.permission
    told = f"{raised.value} {raised.value.facts} {raised.value.__cause__}"
    assert not [secret for secret in SECRETS if secret in told]


def test_a_state_over_the_cap_is_refused(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.put(world.name, b" " * 1001)
    monkeypatch.setattr(port, "MOST_STATE_BYTES", 1000)
    world.internet.most_bytes = 1000
    with pytest.raises(StateTooLarge):
        fetch(world)


# --- Over HTTP --------------------------------------------------------------------------------------------------------


@pytest.fixture(params=[gcs, azure, tfc, http], ids=lambda make: make.__name__)
def web(request: pytest.FixtureRequest) -> World:
    made: World = request.param(Internet(FakeClock()), ExitStack())
    made.put(made.name, b"{}")
    return made


def test_a_busy_host_is_waited_for(web: World) -> None:
    web.internet.next_answers = [answer(503), answer(429, retry_after="7")]
    assert fetch(web).content == b"{}"
    assert web.internet.clock.monotonic_seconds() >= 7


def test_a_host_that_stays_busy_is_given_up_in_time(web: World) -> None:
    fetch(web)
    web.internet.next_answers = [answer(429, retry_after="86400")] * 4
    with pytest.raises(StateUnreachable):
        fetch(web)
    assert web.internet.clock.monotonic_seconds() <= 40


def test_a_host_that_is_down_is_the_sources_own_trouble(web: World) -> None:
    web.internet.hosts.clear()
    with pytest.raises(StateUnreachable, match="does not answer"):
        fetch(web)


@pytest.mark.parametrize("content", [b"<html>", b"[]", b"[" * 9999, b"\xff", b"null"])
def test_an_answer_of_somebody_else_is_no_empty_list(web: World, content: bytes) -> None:
    if not web.lists:
        return
    fetch(web)
    web.internet.next_answers = [answer(200, content)]
    with pytest.raises(StateUnreachable):
        list(web.source.find(""))


def test_a_redirect_into_a_private_network_is_refused(web: World) -> None:
    fetch(web)
    web.internet.next_answers = [answer(302, location="https://169.254.169.254/latest")]
    with pytest.raises(EgressRefused):
        fetch(web)


def test_a_redirect_to_another_host_takes_no_credentials_along(web: World) -> None:
    fetch(web)
    web.internet.hosts["cdn.acme.org"] = lambda _: answer(200, b'{"data": {}}')
    web.internet.next_answers = [answer(307, location="https://cdn.acme.org/x")]
    with suppress(StateUnreachable):  # what the other host says is no answer of this one's; it was asked all the same
        fetch(web)
    there = [asked for asked in web.internet.asked if asked.host == "cdn.acme.org"]
    assert there
    assert all("authorization" not in asked.headers for asked in there)


# --- Signing in -------------------------------------------------------------------------------------------------------


def test_a_token_that_was_made_for_another_source_opens_nothing_at_google() -> None:
    internet = Internet(FakeClock())
    GoogleStorage(audience=EXTERNAL_ID).connect(internet)
    auth = {"external_id": "dw-another", "provider": PROVIDER}
    source = open_source(internet, row("gcs", "workload_identity", bucket="states", auth=auth))
    for _ in range(3):
        with pytest.raises(StateUnreachable, match="external id"):
            source.fetch("x.tfstate", None)
    assert len(internet.asked) == 1, "a refusal is not asked for again by every state"


def test_a_service_account_is_acted_as_with_nothing_but_the_right_to_read_storage() -> None:
    internet, host = Internet(FakeClock()), GoogleStorage(audience=EXTERNAL_ID)
    host.connect(internet)
    host.put("x.tfstate", b"{}")
    auth = {
        "external_id": EXTERNAL_ID,
        "provider": PROVIDER,
        "service_account": "trusting@project.iam.gserviceaccount.com",
    }
    assert open_source(internet, row("gcs", "workload_identity", bucket="states", auth=auth)).fetch("x.tfstate", None)
    stranger = auth | {"service_account": "stranger@project.iam.gserviceaccount.com"}
    with pytest.raises(StateUnreachable) as raised:
        open_source(internet, row("gcs", "workload_identity", bucket="states", auth=stranger)).fetch("x.tfstate", None)
    assert raised.value.facts["permission"] == "iam.serviceAccounts.getAccessToken"


@pytest.mark.parametrize("kind", ["gcs", "azure_blob"])
def test_where_nobody_can_trust_us_that_is_said(kind: str) -> None:
    way = "workload_identity" if kind == "gcs" else "federated"
    auth = {"external_id": EXTERNAL_ID, "provider": PROVIDER, "tenant_id": "t", "client_id": "c"}
    internet = Internet(FakeClock())
    opener = Opener(internet.guard(), internet.clock, None, "", 1)
    found = row(kind, way, bucket="states", storage_account="acme", auth=auth)
    source = opener.open(found, lambda: Secret(b"{}"), lambda: cast("Any", None))
    with pytest.raises(StateUnreachable, match="no identity"):
        source.fetch("x", None)
    assert internet.asked == []


def test_a_key_file_is_exchanged_at_google_whatever_it_says() -> None:
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    key_json = {
        "type": "service_account", "client_email": "a@b.iam.gserviceaccount.com", "private_key": pem, "private_key_id": "1",
        "token_uri": "https://thief.example.org/token", "universe_domain": "thief.example.org",
    }  # fmt: skip
    internet, host = Internet(FakeClock()), GoogleStorage()
    host.connect(internet)
    host.put("x.tfstate", b"{}")
    source = open_source(internet, row("gcs", "service_account_key", bucket="states"), key_json=json.dumps(key_json))
    assert source.fetch("x.tfstate", None) is not None
    assert {asked.host for asked in internet.asked} == {"oauth2.googleapis.com", "storage.googleapis.com"}


@pytest.mark.parametrize("key_json", ["{}", '{"type": "service_account"}', "[]"])
def test_a_key_file_that_is_none_is_refused(key_json: str) -> None:
    internet = Internet(FakeClock())
    source = open_source(internet, row("gcs", "service_account_key", bucket="states"), key_json=key_json)
    with pytest.raises(StateUnreachable):
        source.fetch("x", None)
    assert internet.asked == []


def test_azure_says_by_number_why_it_refuses() -> None:
    internet = Internet(FakeClock())
    AzureStorage(audience=EXTERNAL_ID).connect(internet)
    auth = {"tenant_id": "t", "client_id": "c", "external_id": "dw-another"}
    found = row("azure_blob", "federated", bucket="tfstate", storage_account="acme", auth=auth)
    source = open_source(internet, found)
    for _ in range(3):
        with pytest.raises(StateUnreachable, match="AADSTS700213"):
            source.fetch("x", None)
    assert len(internet.asked) == 1, "a refusal is not asked for again by every state"


def test_an_expired_signature_is_told_from_a_missing_permission() -> None:
    internet = Internet(FakeClock())
    AzureStorage().connect(internet)
    found = row("azure_blob", "sas", bucket="tfstate", storage_account="acme")
    with pytest.raises(StateUnreachable, match="does not accept the credentials") as raised:
        open_source(internet, found, sas_token="sig=old").fetch("x", None)
    assert "permission" not in raised.value.facts


def test_a_workspace_without_a_state_is_not_listed() -> None:
    internet = Internet(FakeClock())
    data = [
        {"id": "ws-1", "attributes": {"name": "new"}, "relationships": {"current-state-version": {"data": None}}},
        {"id": "ws-2", "attributes": {"name": "unsaid"}, "relationships": {}},
    ]
    internet.hosts["app.terraform.io"] = lambda _: answer(200, {"data": data})
    found = row("tfc", "bearer", url="https://app.terraform.io", organization="acme")
    assert [item.name for item in open_source(internet, found, token="t" * 8).find("")] == ["unsaid"]


def test_a_host_whose_list_never_ends_is_left() -> None:
    internet = Internet(FakeClock())

    def serve(asked: Asked) -> EgressResponse:
        return answer(200, {"data": [], "meta": {"pagination": {"next-page": int(asked.query["page[number]"]) + 100}}})

    internet.hosts["app.terraform.io"] = serve
    found = row("tfc", "bearer", url="https://app.terraform.io", organization="acme")
    with pytest.raises(StateUnreachable):
        list(open_source(internet, found, token="t" * 8).find(""))
    assert len(internet.asked) <= 1000


def test_an_upload_cannot_be_fetched() -> None:
    with pytest.raises(SourceNotFetchable):
        open_source(Internet(FakeClock()), row("upload", "none"))


# --- Roles of other accounts ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["role", "account_role", "role-without-google"])
def test_a_bucket_of_another_account_is_read_by_a_role_of_its_own(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7OWN0000", "AWS_SECRET_ACCESS_KEY": "x" * 40}.items():
        monkeypatch.setenv(name, value)
    from functions.scan.readers.aws import session

    with aws() as other:
        other["s3"].create_bucket(Bucket="states", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        other["s3"].put_object(Bucket="states", Key="x.tfstate", Body=b"{}")
        asked: list[tuple[str, dict[str, Any]]] = []
        build = session._sts

        def watched(*arguments: Any, **named: Any) -> Any:
            client = build(*arguments, **named)
            client.meta.events.register(
                "provide-client-params.sts.*", lambda params, model, **_: asked.append((model.name, dict(params)))
            )
            return client

        monkeypatch.setattr(session, "_sts", watched)
        scanned = session.sign_in(
            session.Login("123456789012", access_key_id="AKIAIOSFODNN7EXAMPLE", secret_access_key=Secret(b"x" * 40))
        )
        asked.clear()
        auth = {"role_arn": "arn:aws:iam::210987654321:role/states", "external_id": EXTERNAL_ID}
        internet = Internet(FakeClock())
        tokens = None if way == "role-without-google" else OwnTokens()
        found = row("s3", way.partition("-")[0], bucket="states", bucket_region="eu-west-1", auth=auth)
        opener = Opener(internet.guard(), internet.clock, tokens, "", 1)
        source = opener.open(found, lambda: Secret(b"{}"), lambda: scanned)
        fetched = source.fetch("x.tfstate", None)
        assert fetched is not None
        assert fetched.content == b"{}"
        assert source.fetch("x.tfstate", fetched.version) is None
    name, wish = asked[0]
    if way == "role":
        assert name == "AssumeRoleWithWebIdentity"
        assert wish["WebIdentityToken"] == f"id.{EXTERNAL_ID}", "the token must be for this source alone"
    else:
        assert (name, wish["ExternalId"]) == ("AssumeRole", EXTERNAL_ID)
    assert [item[0] for item in asked] == [name, "GetCallerIdentity"], "signed in more than once"


def test_the_action_that_aws_names_is_the_one_that_is_told() -> None:
    from botocore.exceptions import ClientError

    def refuse(**_: Any) -> Any:
        message = (
            "User: arn:aws:sts::1:x is not authorized to perform: kms:Decrypt on the resource because of no policy"
        )
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": message}}, "GetObject")

    client = SimpleNamespace(get_object=refuse)
    source = open_source(
        Internet(FakeClock()), row("s3", "account", bucket="states"), SimpleNamespace(client=lambda *_: client)
    )
    with pytest.raises(StateUnreachable) as raised:
        source.fetch("x", None)
    assert raised.value.facts["permission"] == "kms:Decrypt"
    assert "arn:" not in f"{raised.value} {raised.value.facts}"


def test_a_role_that_may_not_be_assumed_is_asked_for_once() -> None:
    def refuse() -> AwsAccount:
        refused.append(1)
        raise CredentialsRefused("AWS answered AccessDenied", permission="sts:AssumeRole")

    refused: list[int] = []
    opener = Opener(cast("Any", None), FakeClock(), OwnTokens(), "", 1)
    source = opener.open(row("s3", "account", bucket="states"), lambda: Secret(b"{}"), refuse)
    for _ in range(3):
        with pytest.raises(CredentialsRefused):
            source.fetch("x", None)
    assert refused == [1]


# --- Names ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "suffix", "is_one"),
    [
        ("terraform.tfstate", ".tfstate", True),
        ("env:/production/app.tfstate", ".tfstate", True),
        ("app.terraform.tfstateenv:staging", ".tfstate", True),
        ("app.tfstate.tflock", ".tfstate", False),
        ("app.tfstate.backup", ".tfstate", False),
        ("app.tfstate/", ".tfstate", False),
        ("README.md", ".tfstate", False),
        ("env:/production/app", "", True),
        ("state.json", ".json", True),
        ("x" * 1025 + ".tfstate", ".tfstate", False),
    ],
)
def test_locks_and_backups_beside_a_state_are_none(name: str, suffix: str, is_one: bool) -> None:
    assert is_state(name, suffix) is is_one
