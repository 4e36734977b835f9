"""Getting into Google Cloud and Azure: who proves what to whom, how often, and what is said when it does not work."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from functions.scan.cloud_access.opening import CloudOpener, Guards, quota_project
from functions.scan.cloud_access.tokens import AccessToken, Tokens, lifetime_of
from functions.scan.errors import CredentialsRefused
from functions.scan.readers import policies
from functions.scan.readers.addresses import relocated
from functions.scan.readers.azure.client import MOST_BYTES
from functions.scan.readers.azure.http import GuardedArm
from functions.scan.readers.gcp.http import LOGGING, GuardedGoogle
from functions.scan.readers.gcp.inventory import API
from shared.ports.secret_store import Secret
from shared.security.egress import EgressRefused
from shared.testing.clock import FakeClock
from tests.support.cloud_hosts import ACTING_AS, CLIENT, SUBSCRIPTION, TENANT, AzureCloud, GoogleCloud
from tests.support.state_hosts import PROVIDER, Internet, OwnTokens, answer

ORG, OTHER_ORG = UUID(int=1), UUID(int=2)
EXTERNAL_ID = "dw-abcdefghijklmnopqrstuvwxyz234567"
ASSETS = f"{API}/projects/shop/assets?contentType=RESOURCE"
PERMISSIONS = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/permissions?api-version=2022-04-01"


def row(provider: str, auth_kind: str, **columns: Any) -> dict[str, Any]:
    """Return an account's row."""
    names = ("identity_provider", "service_account", "tenant_id", "client_id", "external_id", "credentials_encrypted")
    found = {"id": UUID(int=9), "provider": provider, "auth_kind": auth_kind, **dict.fromkeys(names)}
    parent = "projects/shop" if provider == "gcp" else SUBSCRIPTION
    return found | {"external_account": parent} | columns


GOOGLE = row("gcp", "workload_identity", identity_provider=PROVIDER, external_id=EXTERNAL_ID)
AZURE = row("azure", "federated", tenant_id=UUID(TENANT), client_id=UUID(CLIENT), external_id=EXTERNAL_ID)


class World:
    """Both clouds, and who opens accounts in them."""

    def __init__(self, **settings: str) -> None:
        self.clock = FakeClock()
        self.internet = Internet(self.clock)
        self.google, self.azure = GoogleCloud(EXTERNAL_ID), AzureCloud(EXTERNAL_ID)
        self.google.connect(self.internet)
        self.azure.connect(self.internet)
        guard = self.internet.guard()
        tokens = Tokens(self.clock)
        self.opener = CloudOpener(Guards(guard, guard, guard), self.clock, OwnTokens(), tokens, **settings)

    def hosts(self) -> list[str]:
        return [asked.host for asked in self.internet.asked]


@pytest.fixture
def world() -> World:
    return World()


def no_secret() -> Secret:
    raise AssertionError("nobody opens a ciphertext that is not there")


def test_google_is_entered_by_a_token_made_for_the_external_id(world: World) -> None:
    door = world.opener.google(ORG, GOOGLE, no_secret)
    assert world.hosts() == ["sts.googleapis.com"], "signed in at once"
    found = door.get(ASSETS)
    assert found is not None
    assert found.status == 200
    assert world.internet.asked[-1].headers["x-goog-user-project"] == "123", "the pool's project pays: it has no other"


def test_a_service_account_is_acted_as_and_pays_itself(world: World) -> None:
    world.opener.google(ORG, GOOGLE | {"service_account": ACTING_AS}, no_secret).get(ASSETS)
    assert world.hosts() == ["sts.googleapis.com", "iamcredentials.googleapis.com", "cloudasset.googleapis.com"]
    assert "x-goog-user-project" not in world.internet.asked[-1].headers


def test_azure_is_entered_by_a_federated_credential(world: World) -> None:
    reply = world.opener.azure(ORG, AZURE, no_secret).send("GET", PERMISSIONS)
    assert reply is not None
    assert reply.status == 200
    assert world.hosts() == ["login.microsoftonline.com", "management.azure.com"]


def test_a_secret_of_an_application_is_taken_as_well(world: World) -> None:
    found = AZURE | {"auth_kind": "client_secret", "credentials_encrypted": b"x"}
    reply = world.opener.azure(ORG, found, lambda: Secret(b"the-app-secret")).send("GET", PERMISSIONS)
    assert reply is not None
    assert reply.status == 200
    assert "client_assertion" not in world.internet.asked[0].form


def _key_file() -> bytes:
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return json.dumps({
        "type": "service_account", "client_email": ACTING_AS, "private_key": pem, "private_key_id": "1",
        "token_uri": "https://thief.example.org/token",
    }).encode()  # fmt: skip


def test_a_key_is_exchanged_at_google_whatever_it_says(world: World) -> None:
    found = row("gcp", "service_account_key", service_account=ACTING_AS, credentials_encrypted=b"x")
    key = Secret(_key_file())
    assert world.opener.google(ORG, found, lambda: key).get(ASSETS) is not None
    assert world.hosts() == ["oauth2.googleapis.com", "cloudasset.googleapis.com"]


def test_a_token_is_kept_until_shortly_before_it_expires(world: World) -> None:
    door = world.opener.google(ORG, GOOGLE, no_secret)
    for _ in range(3):
        world.opener.google(ORG, GOOGLE, no_secret).get(ASSETS)
        door.get(ASSETS)
    assert world.google.tokens_made == 1
    world.clock.sleep_seconds(3301)
    door.get(ASSETS)
    assert world.google.tokens_made == 2, "a door that is open already signs in anew"


@pytest.mark.parametrize(
    ("org", "change"),
    [
        (OTHER_ORG, {}),
        (ORG, {"id": UUID(int=10)}),
        (ORG, {"service_account": ACTING_AS}),
        (ORG, {"credentials_encrypted": b"another"}),
    ],
)
def test_nobody_gets_a_token_that_was_made_for_something_else(world: World, org: UUID, change: dict[str, Any]) -> None:
    world.opener.google(ORG, GOOGLE, no_secret)
    before = world.google.tokens_made
    world.opener.google(org, GOOGLE | change, no_secret)
    assert world.google.tokens_made > before


@pytest.mark.parametrize(("account", "said"), [(GOOGLE, "external id"), (AZURE, "AADSTS700213")])
def test_a_token_for_another_external_id_opens_nothing(world: World, account: dict[str, Any], said: str) -> None:
    other = account | {"external_id": "dw-another"}
    with pytest.raises(CredentialsRefused, match=said) as raised:
        (world.opener.google if account is GOOGLE else world.opener.azure)(ORG, other, no_secret)
    assert raised.value.facts["reason"] == "access_denied"


def test_the_right_to_act_as_an_account_is_named(world: World) -> None:
    stranger = GOOGLE | {"service_account": "stranger@project.iam.gserviceaccount.com"}
    with pytest.raises(CredentialsRefused) as raised:
        world.opener.google(ORG, stranger, no_secret)
    assert raised.value.facts["permission"] == "iam.serviceAccounts.getAccessToken"


@pytest.mark.parametrize(
    ("status", "content", "reason"),
    [
        (500, b"", "unavailable"),
        (429, b"", "throttled"),
        (403, b"{}", "access_denied"),
        (404, b"{}", "access_denied"),
        (200, b"<html>", "malformed"),
        (200, b"[]", "malformed"),
        (200, b'{"access_token": ""}', "malformed"),
        (302, b"", "unavailable"),
    ],
)
@pytest.mark.parametrize("cloud", ["google", "azure"])
def test_whatever_an_issuer_answers_has_a_reason(
    world: World, cloud: str, status: int, content: bytes, reason: str
) -> None:
    world.internet.hosts["sts.googleapis.com"] = lambda _: answer(status, content)
    world.internet.hosts["login.microsoftonline.com"] = lambda _: answer(status, content)
    account = GOOGLE if cloud == "google" else AZURE
    with pytest.raises(CredentialsRefused) as raised:
        getattr(world.opener, cloud)(ORG, account, no_secret)
    assert raised.value.facts["reason"] == reason


def test_a_failure_is_not_remembered(world: World) -> None:
    world.internet.hosts["sts.googleapis.com"] = lambda _: answer(403, {})
    with pytest.raises(CredentialsRefused):
        world.opener.google(ORG, GOOGLE, no_secret)
    world.google.connect(world.internet)
    assert world.opener.google(ORG, GOOGLE, no_secret).get(ASSETS) is not None


def test_without_an_identity_of_ours_that_is_said() -> None:
    world = World()
    guard = world.internet.guard()
    opener = CloudOpener(Guards(guard, guard, guard), world.clock, None, Tokens(world.clock))
    for open_account, account in ((opener.google, GOOGLE), (opener.azure, AZURE)):
        with pytest.raises(CredentialsRefused, match="no identity"):
            open_account(ORG, account, no_secret)
    assert world.internet.asked == []


def test_an_application_that_is_not_there_yet_is_asked_for(world: World) -> None:
    with pytest.raises(CredentialsRefused, match="which application"):
        world.opener.azure(ORG, AZURE | {"client_id": None}, no_secret)
    assert world.internet.asked == []


def test_tokens_are_in_no_text(world: World) -> None:
    door = world.opener.google(ORG, GOOGLE, no_secret)
    assert "a-google" not in repr(door) + repr(world.opener) + repr(AccessToken(Secret(b"a-google-x"), 1.0))
    assert "a-google" not in "".join(json.dumps(asked.query) + asked.path for asked in world.internet.asked)


@pytest.mark.parametrize("url", ["https://thief.example.org/v1/x", "https://cloudasset.googleapis.com.evil.org/v1/x"])
def test_the_token_goes_to_googles_apis_alone(world: World, url: str) -> None:
    door = world.opener.google(ORG, GOOGLE, no_secret)
    asked = len(world.internet.asked)
    for call in (door.get, lambda url: door.post(url, b"{}")):
        with pytest.raises(ValueError, match="not an address"):
            call(url)
    assert len(world.internet.asked) == asked


def test_a_question_in_a_body_is_json(world: World) -> None:
    world.internet.hosts["logging.googleapis.com"] = lambda _: answer(200, {"entries": []})
    reply = world.opener.google(ORG, GOOGLE, no_secret).post(f"{LOGGING}/entries:list", b'{"resourceNames": []}')
    assert reply is not None
    assert world.internet.asked[-1].headers["content-type"] == "application/json"


@pytest.mark.parametrize("path", ["thief.example.org/x", "@thief.example.org/x", ".evil.org/"])
def test_azures_token_goes_to_the_resource_manager_alone(world: World, path: str) -> None:
    with pytest.raises((ValueError, EgressRefused)):
        world.opener.azure(ORG, AZURE, no_secret).send("GET", path)
    assert world.hosts() == ["login.microsoftonline.com"]


@pytest.mark.parametrize(
    "make",
    [
        lambda guard: GuardedGoogle(guard, lambda: Secret(b"t")).get(ASSETS),
        lambda guard: GuardedArm(guard, lambda: Secret(b"t")).send("GET", "/x"),
    ],
)
def test_silence_is_no_answer(world: World, make: Callable[[Any], object]) -> None:
    world.internet.hosts.clear()
    assert make(world.internet.guard()) is None


def test_a_stand_in_is_asked_in_the_place_of_every_host() -> None:
    world = World(google_endpoint="https://google.stand-in.org/", azure_endpoint="https://azure.stand-in.org")
    by_path = {"/v1/token": world.google.federate, "/v1/projects/shop/assets": world.google.assets}
    world.internet.hosts = {
        "google.stand-in.org": lambda asked: by_path[asked.path](asked),
        "azure.stand-in.org": lambda asked: (
            world.azure.login(asked) if asked.path.startswith(f"/{TENANT}/") else world.azure.manage(asked)
        ),
    }
    assert world.opener.google(ORG, GOOGLE, no_secret).get(ASSETS) is not None
    assert world.opener.azure(ORG, AZURE, no_secret).send("GET", PERMISSIONS) is not None
    assert set(world.hosts()) == {"google.stand-in.org", "azure.stand-in.org"}


def test_a_stand_in_changes_nothing_but_the_origin() -> None:
    url = "https://sts.googleapis.com/v1/token?x=https://y"
    assert relocated(url, "") == url
    assert relocated(url, "http://127.0.0.1:9000/") == "http://127.0.0.1:9000/v1/token?x=https://y"


def test_who_pays_for_calls() -> None:
    assert quota_project(GOOGLE) == "123"
    assert quota_project(row("gcp", "service_account_key", service_account=ACTING_AS)) == ""


def test_the_guards_take_whatever_the_readers_may_send_and_read() -> None:
    assert policies.AZURE.most_response_bytes == MOST_BYTES
    for policy in (policies.GOOGLE, policies.AZURE):
        assert policy.redirects == 0, "a token follows nowhere"
        assert policy.methods == {"GET", "POST"}


@pytest.mark.parametrize(
    ("said", "seconds"),
    [(3599, 3599.0), ("3599", 3599.0), (None, 600.0), (-1, 600.0), (True, 600.0), ("1e9", 600.0), ("9" * 40, 600.0)],
)
def test_how_long_a_token_lasts_is_read_with_care(said: object, seconds: float) -> None:
    assert lifetime_of({"expires_in": said}) == seconds


def test_tokens_are_bounded_in_number_and_time() -> None:
    clock = FakeClock()
    tokens, made = Tokens(clock), list[int]()

    def make() -> AccessToken:
        made.append(1)
        return AccessToken(Secret(b"t"), 1e9)

    for number in range(300):
        tokens.get(number, make)
    assert len(tokens._kept) == 256
    clock.sleep_seconds(3301)
    tokens.get(299, make)
    assert len(made) == 301, "whatever an issuer says, an hour is enough"
