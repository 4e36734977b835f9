"""Every guarded route of every function against every credential that must not open it, and every role and scope against it.

Both lists are whole: routes come from the route tables, credentials from `Forger`, and what each role and scope may do is
computed from the route's own rule. What a handler does is not this file's matter.
"""

from __future__ import annotations

import base64
import hmac
import json
import re
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import jwt
import pytest

from local_emulator.names import PROJECT, REGION
from shared.http.routes import Route
from shared.ports.clock import SystemClock, SystemEntropy
from shared.ports.key_manager import GoogleKeyManager
from shared.ports.secret_store import Secret
from shared.security.actor import SCOPE_ROLES, Role
from shared.security.api_keys import ApiKey, make_key, parse_key
from shared.security.token_issuer import TokenIssuer
from shared.settings import Settings
from shared.testing.clock import FakeClock
from shared.testing.key_manager import MemoryKeyManager
from tests.conformance.test_routes import GUARDED, OF_ORGS, name_of, over, send
from tests.support.running_suite import RunningSuite, problem
from tests.support.scanning import Estate

HOUR = timedelta(hours=1)


@dataclass
class Forger:
    """Makes credentials that look right, each wrong in one thing."""

    suite: RunningSuite

    def make_key(self, org_id: UUID | None = None, **wish: Any) -> tuple[str, str]:
        """Make a good key with every scope; returns its id and the key."""
        body = {"name": "forged", "scopes": ["read", "write", "admin"], **wish}
        path = self.suite.org("/api-keys", org_id)
        answer = self.suite.call("POST", path, self.suite.tokens["owner"], json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()["id"], answer.json()["raw_key"]

    def token(self, *, keys: object = None, issuer: str | None = None, clock: object = None, **changes: Any) -> str:
        """Sign a token like the ones people get; `changes` are claims, or the audience, kind or lifetime."""
        endpoint = Estate(self.suite, "").described["google"]["grpc"]
        settings = Settings(env="emulator", project=PROJECT, region=REGION, kms_endpoint=endpoint)
        vault = keys or GoogleKeyManager(settings)
        made = TokenIssuer(vault, "token-signing", issuer or self.suite.url, clock or SystemClock())  # type: ignore[arg-type]
        audience = changes.pop("audience", self.suite.url)
        kind, lifetime = changes.pop("kind", "at+jwt"), changes.pop("lifetime", HOUR)
        genuine = self.claims("owner")  # what a token names besides its person, a session for one, it names as well
        claims = {**genuine, "auth_time": int(datetime.now(UTC).timestamp()), **changes}
        return made.issue(claims, audience=audience, kind=kind, lifetime=lifetime)

    def claims(self, role: str) -> dict[str, Any]:
        """Return what a seeded person's token says."""
        found: dict[str, Any] = jwt.decode(self.suite.tokens[role], options={"verify_signature": False})
        return found

    def execute(self, sql: str, **values: object) -> Any:
        with closing(self.suite.owner()) as connection:
            return connection.run(sql, **values)

    # Keys

    def another_secret(self) -> str:
        """Know a key's public id, which is shown to everybody, and guess its secret; the checksum fits."""
        key = parse_key(self.suite.api_keys["admin"])
        assert key is not None
        return ApiKey(key.public_id, Secret(b"0" * len(key.secret.reveal()))).reveal()

    def another_id(self) -> str:
        """Put a good key's secret under another good key's public id."""
        first, second = parse_key(self.suite.api_keys["admin"]), parse_key(self.suite.api_keys["read"])
        assert first is not None
        assert second is not None
        return ApiKey(second.public_id, first.secret).reveal()

    def expired_key(self) -> str:
        key_id, raw = self.make_key()
        self.execute(
            "update core.api_keys set expires_at = now() - interval '1 second' where id = :id", id=UUID(key_id)
        )
        return raw

    def revoked_key(self) -> str:
        key_id, raw = self.make_key()
        path = self.suite.org(f"/api-keys/{key_id}")
        assert self.suite.call("DELETE", path, self.suite.tokens["owner"]).status_code == 204
        return raw

    def rotated_key(self) -> str:
        key_id, raw = self.make_key()
        path = self.suite.org(f"/api-keys/{key_id}/rotate")
        answer = self.suite.call("POST", path, self.suite.tokens["owner"], json={"grace_seconds": 0})
        assert answer.status_code == 201, answer.text
        return raw

    def key_of_a_removed_maker(self) -> str:
        key_id, raw = self.make_key()
        self.execute("update core.api_keys set created_by = null where id = :id", id=UUID(key_id))
        return raw

    def key_for_other_networks(self) -> str:
        return self.make_key(cidrs=["203.0.113.0/24"])[1]

    def key_of_a_deleted_organisation(self) -> str:
        org_id = make_org(self.suite, "Deleted")
        raw = self.make_key(org_id)[1]
        self.execute("update core.orgs set deleted_at = now() where id = :id", id=org_id)
        return raw

    # Tokens

    def signed_by_a_stranger(self) -> str:
        """Sign with a key of one's own that carries the right name."""
        stranger = MemoryKeyManager()
        stranger.add_signing_key("token-signing")
        return self.token(keys=stranger)

    def without_a_signature(self) -> str:
        claims = self.claims("owner")
        header = jwt.get_unverified_header(self.suite.tokens["owner"])
        return jwt.encode(claims, "", algorithm="none", headers={"typ": header["typ"], "kid": header["kid"]})

    def signed_with_the_public_key(self) -> str:
        """Take the published keys for a shared secret (RFC 8725 section 2.1)."""
        _, claims, _ = self.suite.tokens["owner"].split(".")
        kind = jwt.get_unverified_header(self.suite.tokens["owner"])
        head = json.dumps({"alg": "HS256", "typ": kind["typ"], "kid": kind["kid"]}).encode()
        signed = f"{_base64url(head)}.{claims}"
        published = self.suite.call("GET", "/.well-known/jwks.json").content
        return f"{signed}.{_base64url(hmac.digest(published, signed.encode(), 'sha256'))}"

    def changed_claims(self) -> str:
        """Keep the signature and be somebody else."""
        head, _, signature = self.suite.tokens["viewer"].split(".")
        return f"{head}.{self.suite.tokens['owner'].split('.')[1]}.{signature}"


def _base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


FORGERIES: dict[str, Callable[[Forger], str]] = {
    "a key that nobody made": lambda _: make_key(SystemEntropy()).reveal(),
    "a key with one letter changed": lambda forger: forger.suite.api_keys["admin"][:-8] + "0" * 8,
    "a key in another case": lambda forger: forger.suite.api_keys["admin"].swapcase().replace("DW2_", "dw2_"),
    "a key with more behind it": lambda forger: forger.suite.api_keys["admin"] + "0",
    "a known id with a guessed secret": Forger.another_secret,
    "a known id with another key's secret": Forger.another_id,
    "an expired key": Forger.expired_key,
    "a revoked key": Forger.revoked_key,
    "a key that was rotated away": Forger.rotated_key,
    "a key of a removed maker": Forger.key_of_a_removed_maker,
    "a key for other networks": Forger.key_for_other_networks,
    "a key of a deleted organisation": Forger.key_of_a_deleted_organisation,
    "an expired token": lambda forger: forger.token(clock=FakeClock(datetime.now(UTC) - 3 * HOUR)),
    "a token of tomorrow": lambda forger: forger.token(clock=FakeClock(datetime.now(UTC) + 24 * HOUR)),
    "a token for another audience": lambda forger: forger.token(audience="https://other.example"),
    "a token of another issuer": lambda forger: forger.token(issuer="https://other.example"),
    "a token of another kind": lambda forger: forger.token(kind="JWT"),
    "a token of nobody": lambda forger: forger.token(sub=str(uuid4())),
    "a token of no id": lambda forger: forger.token(sub="owner@acme.example"),
    "a token signed by a stranger": Forger.signed_by_a_stranger,
    "a token without a signature": Forger.without_a_signature,
    "a token signed with the public key": Forger.signed_with_the_public_key,
    "a token with another's claims": Forger.changed_claims,
}


def make_org(suite: RunningSuite, name: str) -> UUID:
    made = suite.call("POST", "/api/v2/orgs", suite.tokens["owner"], json={"name": name})
    assert made.status_code == 201, made.text
    return UUID(made.json()["id"])


@pytest.fixture(scope="module")
def forged(emulator: RunningSuite) -> dict[str, str]:
    forger = Forger(emulator)
    return {name: forge(forger) for name, forge in FORGERIES.items()}


@pytest.fixture(scope="module")
def foreign_key(emulator: RunningSuite) -> Iterator[str]:
    """A good key with every scope, of another organisation."""
    org_id = make_org(emulator, "Foreign")
    yield Forger(emulator).make_key(org_id)[1]
    Forger(emulator).execute("update core.orgs set deleted_at = now() where id = :id", id=org_id)


def test_the_forger_can_make_good_ones(emulator: RunningSuite) -> None:
    """Otherwise every forgery could be refused for something that all of them have in common."""
    forger = Forger(emulator)
    for credential in (forger.make_key()[1], forger.token()):
        assert emulator.call("GET", "/api/v2/me", credential).status_code == 200
        assert emulator.call("GET", emulator.org("/api-keys"), credential).status_code == 200


@over(GUARDED)
def test_no_forged_and_no_ended_credential_opens_a_route(
    emulator: RunningSuite, route: Route[Any], forged: dict[str, str]
) -> None:
    told: set[tuple[int, bytes]] = set()
    for name, credential in forged.items():
        headers = [{"Authorization": f"Bearer {credential}"}]
        if credential.startswith("dw2_"):
            headers.append({"X-Api-Key": credential})
        for sent in headers:
            answer = send(emulator, route, None, headers={**sent, "X-Request-Id": "the-same-for-all"})
            assert answer.status_code == 401, f"{name} opens {name_of(route)}: {answer.status_code} {answer.text[:300]}"
            problem(answer, 401, "unauthenticated")
            told.add((answer.status_code, answer.content))
    assert len(told) == 1, "the answers tell a forger what was wrong"


@over(GUARDED)
def test_two_credentials_are_one_too_many(emulator: RunningSuite, route: Route[Any]) -> None:
    answer = send(emulator, route, emulator.tokens["owner"], headers={"X-Api-Key": emulator.api_keys["admin"]})
    problem(answer, 401, "unauthenticated")


@over(OF_ORGS)
def test_a_good_key_of_another_organisation_finds_nothing(
    emulator: RunningSuite, route: Route[Any], foreign_key: str
) -> None:
    problem(send(emulator, route, foreign_key), 404, "not_found")


def refusals_of_people(route: Route[Any]) -> dict[str, str | None]:
    """Return what each seeded role must be told; None for whoever may come in."""
    if route.access.who == "key":
        return dict.fromkeys((role.name.lower() for role in Role), "key_required")
    needed = route.access.role
    return {role.name.lower(): "role_required" if needed is not None and role < needed else None for role in Role}


def refusals_of_keys(route: Route[Any]) -> dict[str, str | None]:
    """Return what a key of each scope must be told."""
    if route.access.who == "human":
        return dict.fromkeys(SCOPE_ROLES, "human_required")
    if route.access.who == "platform":
        return dict.fromkeys(SCOPE_ROLES, "platform_admin_required")
    needed = route.access.role
    if route.access.scope:
        return dict.fromkeys(SCOPE_ROLES, "scope_required")
    return {
        scope: "scope_required" if needed is not None and worth < needed else None
        for scope, worth in SCOPE_ROLES.items()
    }


@over(GUARDED)
def test_each_role_may_do_what_the_rule_says_and_nothing_more(emulator: RunningSuite, route: Route[Any]) -> None:
    if route.access.who == "platform":
        for role in Role:
            answer = send(emulator, route, emulator.tokens[role.name.lower()])
            problem(answer, 403, "platform_admin_required")
        if not acts_at_once(route):
            check(
                send_without_effect(emulator, route, emulator.tokens["platform_admin"]), route, "platform admin", None
            )
        return
    for role, code in refusals_of_people(route).items():
        if code is None and acts_at_once(route):
            continue
        check(send_without_effect(emulator, route, emulator.tokens[role]), route, role, code)


@over(GUARDED)
def test_each_scope_may_do_what_the_rule_says_and_nothing_more(emulator: RunningSuite, route: Route[Any]) -> None:
    for scope, code in refusals_of_keys(route).items():
        if code is None and acts_at_once(route):
            continue
        check(send_without_effect(emulator, route, emulator.api_keys[scope]), route, f"scope {scope}", code)


# Handlers that ask for more than the rule of their route, of some callers or for some things: (route, refusal).
STRICTER = {
    (
        "DELETE /api/v2/orgs/{org_id}/members/{user_id}",
        "role_required",
    ): "everybody may leave; only admins remove others",
}


def acts_at_once(route: Route[Any]) -> bool:
    """Say whether a route changes something by being called: it needs no id that exists and no body that can be read."""
    names_a_thing = re.search(r"\{(?!org_id\})", route.path)
    return route.method not in {"GET", "HEAD"} and route.body is None and not route.is_raw and not names_a_thing


def send_without_effect(suite: RunningSuite, route: Route[Any], token: str) -> Any:
    """Send a call that does nothing even where it is let in: what it names does not exist, what it says cannot be read."""
    is_reading = route.method in {"GET", "HEAD", "DELETE"}
    options = {} if is_reading else {"content": b"{", "headers": {"Content-Type": "application/json"}}
    return send(suite, route, token, **options)


def check(answer: Any, route: Route[Any], who: str, code: str | None) -> None:
    told = f"{who} at {name_of(route)}: {answer.status_code} {answer.text[:300]}"
    if code is not None:
        assert (answer.status_code, answer.json().get("code")) == (403, code), told
        return
    refusal = answer.json()["code"] if answer.status_code == 403 else ""
    is_stale = route.access.is_fresh and refusal == "fresh_login_required"
    assert is_stale or (name_of(route), refusal) in STRICTER or answer.status_code not in {401, 403}, told
    assert answer.status_code < 500, told
