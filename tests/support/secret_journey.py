"""A journey on which an organisation hands over every kind of secret that the product takes, by every way it takes them.

Owns the journey and the list of what was handed over. Says nothing about what must become of it.
"""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import grpc
import httpx
from google.cloud.secretmanager_v1 import SecretManagerServiceClient
from google.cloud.secretmanager_v1.services.secret_manager_service.transports import SecretManagerServiceGrpcTransport

from local_emulator.aws import ACCOUNT, REGION
from local_emulator.names import PROJECT
from shared.security.api_keys import PREFIX
from shared.security.sessions import COOKIE

from .running_suite import RunningSuite
from .scanning import Estate, Org

_BUCKET = "states-of-the-journey"
_PUBLIC_ID = len(PREFIX) + 12  # what is shown of a key for ever; the rest is the secret


@dataclass
class Journey:
    """What was handed over on the way.

    Attributes:
        secrets: by a name for people.
        account_id: of the account that holds an access key.
        credentials: what stands sealed in that account's row.
    """

    suite: RunningSuite
    org: Org
    secrets: dict[str, bytes] = field(default_factory=dict)
    account_id: str = ""
    credentials: bytes = b""

    def draw(self, name: str, size: int = 40) -> str:
        """Make a secret and remember it."""
        found = base64.b64encode(secrets.token_bytes(size)).decode().replace("=", "x")[:size]
        self.secrets[name] = found.encode()
        return found

    # Keys and people

    def make_api_keys(self) -> None:
        """Make keys, repeat the calls that made them, rotate one; what the calls showed once is a secret."""
        for name, key in self.suite.api_keys.items():
            self.secrets[f"the seeded {name} key"] = key[_PUBLIC_ID:].encode()
        headers = {"Idempotency-Key": str(uuid4())}
        wish = {"name": "ci", "scopes": ["read"]}
        made = self.org.send("POST", "/api-keys", json=wish, headers=headers)
        again = self.org.send("POST", "/api-keys", json=wish, headers=headers)
        assert (again["id"], again["raw_key"]) == (made["id"], None)
        path, headers = f"/api-keys/{made['id']}/rotate", {"Idempotency-Key": str(uuid4())}
        rotated = self.org.send("POST", path, json={}, headers=headers)
        assert self.org.send("POST", path, json={}, headers=headers)["raw_key"] is None
        for name, raw in (("a key", made["raw_key"]), ("a rotated key", rotated["raw_key"])):
            self.secrets[name] = raw[_PUBLIC_ID:].encode()
            assert self.suite.call("GET", self.suite.org("/scans", self.org.id), raw).status_code == 200
        report = [{"token": rotated["raw_key"], "type": "driftwise_api_key", "url": "https://x.example/"}]
        assert self.suite.call("POST", "/api/v2/secret-scanning/report", json=report).status_code == 401

    def sign_in(self) -> None:
        """Sign in through the provider as a browser does, then let a terminal in and refresh its token."""
        begun = self._browse("GET", "/auth/login")
        cookie = begun.headers["set-cookie"].partition(";")[0]
        page = begun.headers["location"]
        chosen = self._browse("POST", page, data={"email": "owner@acme.example"})
        back = parse_qs(urlsplit(chosen.headers["location"]).query)
        done = self._browse("GET", chosen.headers["location"], headers={"Cookie": cookie})
        assert done.status_code == 303, f"{done.status_code} {done.text}"
        session = next(line for line in done.headers.get_list("set-cookie") if line.startswith(f"{COOKIE}="))
        session = session.partition(";")[0]
        assert self._browse("GET", "/api/v2/me", headers={"Cookie": session}).status_code == 200
        self.secrets |= {
            "the state of a sign-in": back["state"][0].encode(),
            "the code of a sign-in": back["code"][0].encode(),
            "a session's cookie": session.partition("=")[2].encode(),
            "the seeded owner's token": self.suite.tokens["owner"].rpartition(".")[2].encode(),
        }
        codes = self._form("/auth/device/code", client_name="a terminal")
        answer = {"user_code": codes["user_code"], "approve": True}
        approved = self.suite.call("POST", "/auth/device", self.suite.tokens["owner"], json=answer)
        assert approved.status_code == 204, approved.text
        device = {"grant_type": "urn:ietf:params:oauth:grant-type:device_code", "device_code": codes["device_code"]}
        first = self._form("/auth/token", **device)
        second = self._form("/auth/token", grant_type="refresh_token", refresh_token=first["refresh_token"])
        self.secrets |= {
            "a device code": codes["device_code"].encode(),
            "an access token": second["access_token"].rpartition(".")[2].encode(),
            "a used refresh token": first["refresh_token"].encode(),
            "a refresh token": second["refresh_token"].encode(),
        }

    def _form(self, path: str, **fields: str) -> dict[str, Any]:
        answer = self.suite.client.post(self.suite.url + path, data=fields)
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text}"
        found: dict[str, Any] = answer.json()
        return found

    def invite(self) -> None:
        """Invite somebody, twice with one Idempotency-Key."""
        headers = {"Idempotency-Key": str(uuid4())}
        wish = {"email": "grace@acme.example", "role": "member"}
        made = self.org.send("POST", "/invitations", json=wish, headers=headers)
        assert self.org.send("POST", "/invitations", json=wish, headers=headers)["token"] is None
        self.secrets["an invitation"] = made["token"].encode()

    def take_webhooks_in(self) -> None:
        """Make places to deliver to, with a secret of ours and with a sender's, and rotate both."""
        for provider, given in (("github", None), ("gitlab", self.draw("a sender's secret"))):
            wish = {"provider": provider, "name": provider} | ({"secret": given} if given else {})
            made = self.org.send("POST", "/webhook-configs", json=wish)
            again = {"secret": self.draw("a sender's next secret")} if given else {}
            rotated = self.org.send("POST", f"/webhook-configs/{made['id']}/rotate", json=again)
            for name, answer in (("made", made), ("rotated", rotated)):
                if answer.get("secret"):
                    self.secrets[f"a webhook's secret, {name} for {provider}"] = answer["secret"].encode()

    def open_channels(self) -> None:
        """Make channels whose addresses are secrets, twice with one Idempotency-Key; rotate, change, test, and one that is refused."""
        address = f"{self.suite.url}/webhooks/standard/{uuid4()}?key="
        first, next_one = (self.draw(f"a channel's {name} address") for name in ("first", "next"))
        wish = {"kind": "webhook", "name": "ours", "url": address + first, "events": ["*"]}
        headers = {"Idempotency-Key": str(uuid4())}
        made = self.org.send("POST", "/notification-channels", json=wish, headers=headers)
        again = self.org.send("POST", "/notification-channels", json=wish, headers=headers)
        assert (again["id"], again["secret"]) == (made["id"], None)
        path = f"/notification-channels/{made['id']}"
        rotated = self.org.send("POST", f"{path}/rotate", json={})
        self.secrets["a channel's secret"] = made["secret"].encode()
        self.secrets["a channel's rotated secret"] = rotated["secret"].encode()
        self.org.send("PATCH", path, json={"url": address + next_one})
        assert self.org.send("POST", f"{path}/test")["error_code"] == "unexpected_status"
        refused = {**wish, "url": f"https://10.0.0.1/{self.draw('an address that is refused')}"}
        assert self.org.call("POST", "/notification-channels", json=refused).status_code == 422

    def choose_a_model(self) -> None:
        """Set up a language model of one's own, replace it by another, and try some that are refused."""
        first = {"provider": "anthropic", "model": "m", "credentials": {"api_key": self.draw("a model's key")}}
        signing = {
            "access_key_id": f"AKIA{secrets.token_hex(8).upper()}",
            "secret_access_key": self.draw("a model's secret key"),
        }
        second = {"provider": "bedrock", "model": "m", "region": "eu-west-1", "credentials": signing}
        for wish in (first, second):
            assert "credentials" not in self.org.send("PUT", "/llm-config", json=wish)
        misspelt = {**first, "credentials": {"apikey": self.draw("a model's key under a wrong name")}}
        assert self.org.call("PUT", "/llm-config", json=misspelt).status_code == 400
        inside = {"provider": "openai_compatible", "model": "m", "endpoint": "https://10.0.0.1/v1"}
        inside |= {"credentials": {"api_key": self.draw("a model's key for an address inside")}}
        assert self.org.call("PUT", "/llm-config", json=inside).status_code == 422

    def _browse(self, method: str, url: str, **options: Any) -> httpx.Response:
        address = url if url.startswith("http") else self.suite.url + url
        return httpx.request(method, address, follow_redirects=False, timeout=30, trust_env=False, **options)

    # The cloud and its states

    def connect(self) -> None:
        """Connect an account with an access key, twice with one Idempotency-Key; try one that is refused."""
        key_id, secret = f"AKIA{secrets.token_hex(8).upper()}", self.draw("a secret access key")
        self.secrets["an access key id"] = key_id.encode()
        self.credentials = f"{key_id}\n{secret}".encode()
        auth = {"kind": "static_key", "access_key_id": key_id, "secret_access_key": secret}
        wish = {"provider": "aws", "name": "Production", "external_account": ACCOUNT, "regions": [REGION], "auth": auth}
        headers = {"Idempotency-Key": str(uuid4())}
        first, again = (self.org.send("POST", "/cloud-accounts", json=wish, headers=headers) for _ in range(2))
        assert again == first
        self.account_id = first["id"]
        refused = {**wish, "auth": {**auth, "more": self.draw("a member too many")}}
        assert self.org.call("POST", "/cloud-accounts", json=refused).status_code == 422
        assert self.org.call("POST", "/cloud-accounts", json={**wish, "name": "Again"}).status_code == 409

    def take_states_in(self) -> None:
        """Upload a state, fetch one from a bucket, send some that are refused."""
        upload = self.org.add_source(self.account_id)
        assert self.org.upload(upload, self._state("uploaded")).status_code == 200
        client = self.org.estate.client("s3")
        client.create_bucket(Bucket=_BUCKET)
        client.put_object(Bucket=_BUCKET, Key="good.tfstate", Body=self._state("fetched"))
        client.put_object(
            Bucket=_BUCKET, Key="bad.tfstate", Body=f'{{"version": 4, "x": "{self.draw("in a bad object")}'.encode()
        )
        for name in ("good", "bad"):
            source = self.org.add_source(self.account_id, "s3", bucket=_BUCKET, object_key=f"{name}.tfstate")
            self._hand_a_key_to(source, name)
            shown = self.org.send("POST", f"/state-sources/{source}/refresh")
            assert (shown["error_code"] is None) == (name == "good"), shown
        for content in (
            f'{{"version": 4, "{self.draw("in a broken state")}',
            f'{{"version": 3, "x": "{self.draw("in an old state")}"}}',
        ):
            assert self.org.upload(upload, content.encode()).status_code == 422

    def _hand_a_key_to(self, source: str, name: str) -> None:
        """Give a source credentials of its own, after some that are refused."""
        key_id, secret = f"AKIA{secrets.token_hex(8).upper()}", self.draw(f"a secret access key of a source, {name}")
        self.secrets[f"an access key id of a source, {name}"] = key_id.encode()
        auth = {"kind": "static_key", "access_key_id": key_id, "secret_access_key": secret}
        refused = {"kind": "bearer", "token": self.draw(f"a token that a bucket does not take, {name}")}
        assert self.org.call("PATCH", f"/state-sources/{source}", json={"auth": refused}).status_code == 422
        shown = self.org.send("PATCH", f"/state-sources/{source}", json={"auth": auth})
        assert (shown["auth_kind"], shown["auth"]) == ("static_key", {})

    def _state(self, how: str) -> bytes:
        """Return the estate's state with secrets in every place where Terraform writes them."""
        document = json.loads(self.org.estate.state())
        for resource in document["resources"]:
            for instance in resource["instances"]:
                self._fill(how, resource["type"], resource["name"], instance)
        document["resources"] += [
            _resource("random_password", {"id": "none", "result": self.draw(f"{how}: a random password")}),
            _resource("tls_private_key", {"id": "7", "private_key_pem": self.draw(f"{how}: a private key", 900)}),
            _resource("aws_iam_access_key", {"id": "AKIDOFSOMEBODY", "secret": self.draw(f"{how}: a key in a state")}),
            _resource("aws_secretsmanager_secret_version", {"id": "a|v", "secret_string": self.draw(f"{how}: a vault's secret")}),
            _resource("terraform_data", {"id": "9", "input": {"value": self.draw(f"{how}: an input")}}),
            _resource("vault_generic_secret", {"id": "p", "data_json": self.draw(f"{how}: from a data source")}, mode="data"),
        ]  # fmt: skip
        document["outputs"] = {
            "password": {"value": self.draw(f"{how}: an output"), "type": "string", "sensitive": True}
        }
        document["check_results"] = [{"object_addr": "x", "failure_messages": [self.draw(f"{how}: a check's message")]}]
        return json.dumps(document).encode()

    def _fill(self, how: str, kind: str, name: str, instance: dict[str, Any]) -> None:
        attributes, marked = instance["attributes"], instance["sensitive_attributes"]
        match kind, name:
            case "aws_db_instance", _:
                attributes["password"] = self.draw(f"{how}: a database's password")
            case "aws_instance" | "aws_launch_template", _:
                attributes["user_data"] = base64.b64encode(self.draw(f"{how}: user data of {kind}").encode()).decode()
            case "aws_lambda_function", "mailer":
                attributes["environment"] = [{"variables": {"SMTP": self.draw(f"{how}: a function's variable")}}]
                attributes["description"] = self.draw(f"{how}: a marked description")
                marked.append([{"type": "get_attr", "value": "description"}])
            case "aws_ssm_parameter", _:
                attributes["value"] = self.draw(f"{how}: a parameter")
            case "aws_sqs_queue", "receipts":
                attributes["tags"] = attributes["tags_all"] = {"Token": self.draw(f"{how}: a marked tag")}
                marked.append([{"type": "get_attr", "value": "tags"}, {"type": "index", "value": {"value": "Token"}}])
            case "aws_lb_listener", _:
                oidc = {"client_id": "c", "client_secret": self.draw(f"{how}: a client's secret")}
                attributes["default_action"][0]["authenticate_oidc"] = [oidc]

    def change_the_cloud(self) -> None:
        """Put secrets into the cloud where a state marks the attribute, or where the type is known for them."""
        client = self.org.estate.client
        variables = {"SMTP": self.draw("live: a function's variable")}
        client("lambda").update_function_configuration(
            FunctionName="mailer",
            Description=self.draw("live: a marked description"),
            Environment={"Variables": variables},
        )
        client("ssm").put_parameter(
            Name="/shop/features", Value=self.draw("live: a parameter"), Type="String", Overwrite=True
        )
        sqs = client("sqs")
        url = sqs.get_queue_url(QueueName="receipts")["QueueUrl"]
        sqs.tag_queue(QueueUrl=url, Tags={"Token": self.draw("live: a marked tag")})

    # The suite's own

    def read_the_suites_secrets(self) -> None:
        """Remember what Secret Manager holds: peppers, the digests' key, the client secret."""
        with grpc.insecure_channel(self.org.estate.described["google"]["grpc"]) as channel:
            client = SecretManagerServiceClient(transport=SecretManagerServiceGrpcTransport(channel=channel))
            for item in client.list_secrets(parent=f"projects/{PROJECT}"):
                value = client.access_secret_version(name=f"{item.name}/versions/latest").payload.data
                self.secrets[f"the suite's {item.name.rsplit('/', 1)[1]}"] = value


def _resource(kind: str, attributes: dict[str, Any], mode: str = "managed") -> dict[str, Any]:
    instance = {"schema_version": 0, "attributes": attributes, "sensitive_attributes": []}
    provider = 'provider["registry.terraform.io/hashicorp/x"]'
    return {"mode": mode, "type": kind, "name": "x", "provider": provider, "instances": [instance]}


@contextmanager
def travelled(suite: RunningSuite) -> Iterator[Journey]:
    """Go on the journey; inside the block the queue is away, so that what waits to be sent waits in the database."""
    estate = Estate(suite, "demo")
    estate.build()
    journey = Journey(suite, Org.make(estate))
    journey.read_the_suites_secrets()
    journey.make_api_keys()
    journey.sign_in()
    journey.invite()
    journey.take_webhooks_in()
    journey.open_channels()
    journey.choose_a_model()
    journey.connect()
    journey.org.scan(journey.account_id)
    journey.take_states_in()
    journey.change_the_cloud()
    scan = journey.org.scan(journey.account_id)
    assert scan["summary"]["by_kind"]["changed"] > 0, "nothing changed: no value of the cloud could have leaked"
    estate.google_fault("pubsub", "unavailable")
    try:
        waiting = journey.org.start_scan(journey.account_id)
        yield journey
    finally:
        estate.google_fault("pubsub", "none")
    journey.org.send("POST", f"/scans/{waiting['id']}/cancel")
