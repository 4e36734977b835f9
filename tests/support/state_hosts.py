"""Hosts of states as their vendors document them, behind the real egress guard: only its dialling is replaced.

Each answers what its documentation says, pages its lists, knows conditions, and refuses calls that are not signed.
Source: https://cloud.google.com/storage/docs/json_api/v1/objects; https://cloud.google.com/iam/docs/reference/sts/rest/v1/TopLevel/token;
https://learn.microsoft.com/rest/api/storageservices/list-blobs and …/get-blob;
https://developer.hashicorp.com/terraform/cloud-docs/api-docs/workspaces and …/state-versions.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import md5
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

from functions.scan.cloud_access.calling import POLICY
from shared.ports.clock import Clock
from shared.security.egress import EgressFailed, EgressGuard, EgressResponse, EgressTooLarge

PAGE = 100
PROVIDER = "projects/123/locations/global/workloadIdentityPools/driftwise/providers/google"


@dataclass(frozen=True)
class Asked:
    """One request, read."""

    method: str
    host: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    content: bytes

    @property
    def form(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(self.content.decode()).items()}


Handler = Callable[[Asked], EgressResponse]


def answer(status: int, content: bytes | dict[str, Any] = b"", **headers: str) -> EgressResponse:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return EgressResponse(status, {name.replace("_", "-"): value for name, value in headers.items()}, body)


class _Names:
    def resolve(self, host: str, *, timeout_seconds: float) -> tuple[str, ...]:
        return ("93.184.215.14",)


@dataclass
class Internet:
    """What lies outside: hosts by name; everything that was asked, in order."""

    clock: Clock
    hosts: dict[str, Handler] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    next_answers: list[EgressResponse] = field(default_factory=list)
    most_bytes: int = POLICY.most_response_bytes

    def guard(self) -> EgressGuard:
        """Return the real guard, whose last step ends here."""
        found = EgressGuard(POLICY, _Names(), self.clock)
        found._transport = self  # type: ignore[assignment]
        return found

    def send(
        self, target: Any, address: Any, method: str, headers: Any, content: bytes, deadline: Any
    ) -> EgressResponse:
        parts = urlsplit(target.resource)
        query = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        named = {name.lower(): value for name, value in headers}
        found = Asked(method, target.host, parts.path, query, named, content)
        self.asked.append(found)
        if self.next_answers:
            return self.next_answers.pop(0)
        if target.host not in self.hosts:
            raise EgressFailed
        reply = self.hosts[target.host](found)
        if len(reply.content) > self.most_bytes:
            raise EgressTooLarge
        return reply


class OwnTokens:
    """Tokens that say for whom they are, and nothing else."""

    def token_for(self, audience: str) -> str:
        return f"id.{audience}"


@dataclass
class Objects:
    """Named bytes with versions that count up."""

    found: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    count: int = 1000
    is_denied: bool = False

    def put(self, name: str, content: bytes) -> None:
        self.count += 1
        self.found[name] = self.count, content

    def page(self, prefix: str, start: int) -> tuple[list[tuple[str, int, bytes]], int | None]:
        names = sorted(name for name in self.found if name.startswith(prefix))
        rest = names[start : start + PAGE]
        return [(name, *self.found[name]) for name in rest], start + PAGE if start + PAGE < len(names) else None


@dataclass
class GoogleStorage(Objects):
    """Cloud Storage, the exchanges of tokens, and a workload identity provider that trusts one audience."""

    audience: str = ""
    bucket: str = "states"

    def connect(self, internet: Internet) -> None:
        internet.hosts |= {
            "storage.googleapis.com": self.storage,
            "sts.googleapis.com": self.federate,
            "iamcredentials.googleapis.com": self.credentials,
            "oauth2.googleapis.com": self.exchange,
        }

    def federate(self, asked: Asked) -> EgressResponse:
        form = asked.form
        assert form["grant_type"] == "urn:ietf:params:oauth:grant-type:token-exchange"
        assert form["requested_token_type"] == "urn:ietf:params:oauth:token-type:access_token"
        assert form["subject_token_type"] == "urn:ietf:params:oauth:token-type:jwt"
        assert "authorization" not in asked.headers, "the documentation warns of it"
        is_ours = (
            form["audience"] == f"//iam.googleapis.com/{PROVIDER}" and form["subject_token"] == f"id.{self.audience}"
        )
        if not is_ours:
            return answer(
                400, {"error": "invalid_grant", "error_description": "The audience in ID Token does not match"}
            )
        is_narrow = form["scope"] == "https://www.googleapis.com/auth/devstorage.read_only"
        return answer(200, {"access_token": "a-google-token" if is_narrow else "a-wide-token", "expires_in": 3600})

    def credentials(self, asked: Asked) -> EgressResponse:
        if asked.headers.get("authorization") != "Bearer a-wide-token":
            return answer(401, {})
        if not asked.path.endswith("/trusting@project.iam.gserviceaccount.com:generateAccessToken"):
            return answer(403, {"error": {"status": "PERMISSION_DENIED"}})
        assert json.loads(asked.content)["scope"] == ["https://www.googleapis.com/auth/devstorage.read_only"]
        return answer(200, {"accessToken": "a-google-token", "expireTime": "2026-01-01T01:00:00Z"})

    def exchange(self, asked: Asked) -> EgressResponse:
        assert asked.form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
        return answer(200, {"access_token": "a-google-token", "expires_in": 3600, "token_type": "Bearer"})

    def storage(self, asked: Asked) -> EgressResponse:
        if asked.headers.get("authorization") != "Bearer a-google-token":
            return answer(401, {})
        root = f"/storage/v1/b/{self.bucket}"
        if self.is_denied:
            return answer(403, {"error": {"code": 403}})
        if asked.path == f"{root}/o":
            items, after = self.page(asked.query.get("prefix", ""), int(asked.query.get("pageToken", "0")))
            document: dict[str, Any] = {"items": [{"name": item[0], "generation": str(item[1])} for item in items]}
            return answer(200, document | ({"nextPageToken": str(after)} if after else {}))
        name = unquote(asked.path.removeprefix(f"{root}/o/"))
        if (
            not asked.path.startswith(f"{root}/o/")
            or "/" in asked.path.removeprefix(f"{root}/o/")
            or name not in self.found
        ):
            return answer(404, {})
        generation, content = self.found[name]
        assert asked.query["alt"] == "media"
        if asked.query.get("ifGenerationNotMatch") == str(generation):
            return answer(304)
        return answer(200, content, x_goog_generation=str(generation))


@dataclass
class AzureStorage(Objects):
    """Blob Storage and Microsoft Entra ID."""

    audience: str = ""

    def connect(self, internet: Internet) -> None:
        internet.hosts |= {"acme.blob.core.windows.net": self.storage, "login.microsoftonline.com": self.login}

    def login(self, asked: Asked) -> EgressResponse:
        form = asked.form
        assert form["grant_type"] == "client_credentials"
        assert form["scope"] == "https://storage.azure.com/.default"
        if form.get("client_secret") == "the-app-secret" or form.get("client_assertion") == f"id.{self.audience}":
            return answer(200, {"access_token": "an-azure-token", "expires_in": 3599, "token_type": "Bearer"})
        return answer(
            401, {"error": "invalid_client", "error_description": "AADSTS700213: No matching federated identity record"}
        )

    def storage(self, asked: Asked) -> EgressResponse:
        is_signed = asked.headers.get("authorization") == "Bearer an-azure-token" or asked.query.get("sig") == "s/g="
        if not is_signed:
            return answer(403, b"<Error/>", x_ms_error_code="AuthenticationFailed")
        assert asked.headers["x-ms-version"] >= "2017-11-09", "Entra tokens need a version that knows them"
        if self.is_denied:
            return answer(403, b"<Error/>", x_ms_error_code="AuthorizationPermissionMismatch")
        if asked.path == "/tfstate" and asked.query.get("comp") == "list":
            assert asked.query["restype"] == "container"
            return answer(200, self._listing(asked.query.get("prefix", ""), int(asked.query.get("marker", "0"))))
        name = unquote(asked.path.removeprefix("/tfstate/"))
        if name not in self.found:
            return answer(404, b"<Error/>", x_ms_error_code="BlobNotFound")
        version, content = self.found[name]
        if asked.headers.get("if-none-match") == f'"0x{version}"':
            return answer(304, x_ms_error_code="ConditionNotMet")
        return answer(200, content, etag=f'"0x{version}"')

    def _listing(self, prefix: str, start: int) -> bytes:
        items, after = self.page(prefix, start)
        blobs = "".join(
            f"<Blob><Name>{escape(name)}</Name><Properties><Etag>0x{version}</Etag></Properties></Blob>"
            for name, version, _ in items
        )
        text = f'<?xml version="1.0" encoding="utf-8"?><EnumerationResults><Blobs>{blobs}</Blobs><NextMarker>{after or ""}</NextMarker></EnumerationResults>'
        return b"\xef\xbb\xbf" + text.encode()


@dataclass
class TerraformHost(Objects):
    """HCP Terraform with its object store beside it."""

    token: str = "a-team-token"

    def connect(self, internet: Internet) -> None:
        internet.hosts |= {"app.terraform.io": self.api, "archivist.terraform.io": self.archive}

    def archive(self, asked: Asked) -> EgressResponse:
        assert "authorization" not in asked.headers, "the token is for the API alone"
        return answer(200, self._by_version(asked.path.removeprefix("/v1/object/"))[1])

    def api(self, asked: Asked) -> EgressResponse:
        if asked.headers.get("authorization") != f"Bearer {self.token}":
            return answer(401, {})
        if self.is_denied:  # what may not be seen does not exist
            return answer(404, {"errors": [{"status": "404"}]})
        path = asked.path.removeprefix("/api/v2")
        if path == "/organizations/acme/workspaces":
            pattern, number = asked.query["search[wildcard-name]"], int(asked.query["page[number]"])
            assert pattern.endswith("*")
            items, after = self.page(pattern[:-1], (number - 1) * PAGE)
            data = [self._workspace(name, version) for name, version, _ in items]
            return answer(200, {"data": data, "meta": {"pagination": {"next-page": number + 1 if after else None}}})
        if path.startswith("/organizations/acme/workspaces/"):
            name = unquote(path.rpartition("/")[2])
            found = self.found.get(name)
            return answer(200, {"data": self._workspace(name, found[0])}) if found else answer(404, {})
        name = bytes.fromhex(path.removeprefix("/workspaces/ws-").partition("/")[0]).decode()
        version = self.found[name][0]
        address = f"https://archivist.terraform.io/v1/object/sv-{version}"
        return answer(200, {"data": {"id": f"sv-{version}", "attributes": {"hosted-state-download-url": address}}})

    def _workspace(self, name: str, version: int) -> dict[str, Any]:
        state = {"current-state-version": {"data": {"id": f"sv-{version}", "type": "state-versions"}}}
        return {"id": f"ws-{name.encode().hex()}", "attributes": {"name": name}, "relationships": state}

    def _by_version(self, state_id: str) -> tuple[str, bytes]:
        return next((name, content) for name, (version, content) in self.found.items() if state_id == f"sv-{version}")


@dataclass
class PlainServer(Objects):
    """A server of the `http` backend."""

    def connect(self, internet: Internet) -> None:
        internet.hosts["states.acme.org"] = self.serve

    def serve(self, asked: Asked) -> EgressResponse:
        if self.is_denied:
            return answer(403)
        if asked.headers.get("authorization") != "Basic Y2k6aHVudGVyMg==":
            return answer(401)
        if asked.path not in self.found:
            return answer(404)
        tag = f'"{md5(self.found[asked.path][1], usedforsecurity=False).hexdigest()}"'
        if asked.headers.get("if-none-match") == tag:
            return answer(304, etag=tag)
        return answer(200, self.found[asked.path][1], etag=tag)


@contextmanager
def aws() -> Iterator[Mapping[str, Any]]:
    """Yield clients of an AWS account inside this process."""
    import boto3
    import moto

    with moto.mock_aws():
        session = boto3.Session(
            aws_access_key_id="AKIAIOSFODNN7EXAMPLE", aws_secret_access_key="x" * 40, region_name="eu-west-1"
        )
        yield {"s3": session.client("s3"), "session": session}
