"""From a source's row to what fetches its states: signs in as the row says, once, with the first call that needs it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from shared.ports.clock import Clock
from shared.ports.identity_tokens import IdentityTokens
from shared.ports.secret_store import Secret
from shared.security.egress import EgressGuard

from ..cloud_access import entra
from ..cloud_access.calling import Caller
from ..cloud_access.google import exchange_identity, exchange_key
from ..domain.partitions import home_region
from ..errors import CredentialsRefused, SourceNotFetchable, StateUnreachable
from ..readers.aws.session import AwsAccount, Login, sign_in
from . import azure_blob, gcs, http, tfc
from .port import StateSource
from .s3 import S3Source

_T = TypeVar("_T")
_GOOGLE, _AZURE, _TERRAFORM, _STRANGER = "Google", "Azure", "the Terraform host", "the server"


@dataclass(frozen=True, slots=True)
class Opener:
    """Opens sources.

    Attributes:
        guard: calls to what is not AWS, under `calling.POLICY`.
        clock: waits between attempts.
        identity_tokens: prove who we are, where a source trusts us; None where this process has no identity of Google.
        aws_endpoint: an AWS stand-in, emulator only.
        aws_attempts: how often a call to AWS is made.
    """

    guard: EgressGuard
    clock: Clock
    identity_tokens: IdentityTokens | None
    aws_endpoint: str
    aws_attempts: int

    def open(
        self, source: Mapping[str, Any], secrets: Callable[[], Secret], account: Callable[[], AwsAccount]
    ) -> StateSource:
        """Open a source; signs in to nothing yet.

        Args:
            source: its row.
            secrets: opens its ciphertext; asked only when it has one.
            account: signs in to the account that is scanned; asked only when the source says so.

        Raises:
            SourceNotFetchable: (409 `source_not_fetchable`) it is an upload.
        """
        kind = source["kind"]
        if kind == "s3":
            login = _Once(lambda: self._aws(source, secrets, account))
            return S3Source(login.get, source["bucket"], source["bucket_region"])
        if kind == "gcs":
            caller = self._caller(_GOOGLE)
            token = _Once(lambda: self._google_token(caller, source, secrets))
            return gcs.GcsSource(caller, source["bucket"], token.get)
        if kind == "azure_blob":
            caller = self._caller(_AZURE)
            access = _Once(lambda: self._azure_access(caller, source, secrets))
            return azure_blob.AzureBlobSource(caller, source["storage_account"], source["bucket"], access.get)
        if kind == "tfc":
            token = _Once(lambda: Secret(_secret(secrets, "token")))
            return tfc.TerraformCloudSource(self._caller(_TERRAFORM), source["url"], source["organization"], token.get)
        if kind == "http":
            authorization = _Once(lambda: _authorization(source, secrets))
            return http.HttpSource(self._caller(_STRANGER), source["url"], authorization.get)
        raise SourceNotFetchable(kind=kind)

    def _caller(self, host: str) -> Caller:
        return Caller(self.guard, self.clock, host)

    def _aws(
        self, source: Mapping[str, Any], secrets: Callable[[], Secret], account: Callable[[], AwsAccount]
    ) -> AwsAccount:
        way, auth = source["auth_kind"], source["auth"]
        if way == "account":
            return account()
        login = Login("", endpoint=self.aws_endpoint, attempts=self.aws_attempts)
        if way == "static_key":
            key_id, key = _secret(secrets, "access_key_id").decode(), Secret(_secret(secrets, "secret_access_key"))
            return sign_in(
                replace(login, access_key_id=key_id, secret_access_key=key),
                source["bucket_region"] or home_region("aws"),
            )
        role_arn, external_id = auth["role_arn"], auth["external_id"]
        _, partition, _, _, owner, _ = role_arn.split(":", 5)
        login = replace(login, account=owner, role_arn=role_arn, external_id=external_id)
        home = home_region(partition)
        if way == "account_role":
            return sign_in(replace(login, through=account()), home)
        return sign_in(replace(login, identity_tokens=self.identity_tokens), home)

    def _google_token(self, caller: Caller, source: Mapping[str, Any], secrets: Callable[[], Secret]) -> Secret:
        auth = source["auth"]
        if source["auth_kind"] == "workload_identity":
            own_token = self._own_token(auth["external_id"])
            token = exchange_identity(caller, own_token, auth["provider"], auth.get("service_account"), gcs.SCOPE)
        else:
            token = exchange_key(caller, Secret(_secret(secrets, "key_json")), gcs.SCOPE)
        return token.secret

    def _azure_access(
        self, caller: Caller, source: Mapping[str, Any], secrets: Callable[[], Secret]
    ) -> azure_blob.Access:
        way, auth = source["auth_kind"], source["auth"]
        if way == "sas":
            return azure_blob.SasAccess(Secret(_secret(secrets, "sas_token")))
        is_federated = way == "federated"
        assertion = Secret(self._own_token(auth["external_id"]).encode()) if is_federated else None
        secret = None if is_federated else Secret(_secret(secrets, "client_secret"))
        token = entra.get_token(
            caller, auth["tenant_id"], auth["client_id"], azure_blob.SCOPE, assertion=assertion, secret=secret
        )
        return azure_blob.BearerAccess(token.secret)

    def _own_token(self, external_id: str) -> str:
        """Return a token of ours whose audience is one source's external id: shown to anybody else's provider, it opens nothing.

        Raises:
            StateUnreachable: (422 `state_unreachable`) this process has no identity that others could trust.
            ServiceAway: (503 `service_away`) the platform did not answer.
        """
        if self.identity_tokens is None:
            raise StateUnreachable("this installation has no identity of its own that another cloud could trust")
        return self.identity_tokens.token_for(external_id)


class _Once(Generic[_T]):
    """A value that is made with the first call and kept. A failure is kept as well: a hundred states need not prove it again."""

    def __init__(self, make: Callable[[], _T]) -> None:
        self._make = make
        self._made: list[_T] = []
        self._error: Exception | None = None
        self._lock = threading.Lock()

    def get(self) -> _T:
        """Return the value.

        Raises:
            StateUnreachable, CredentialsRefused: (422) as when it was made.
        """
        with self._lock:
            if self._error is not None:
                raise self._error
            if not self._made:
                try:
                    self._made.append(self._make())
                except (StateUnreachable, CredentialsRefused) as error:
                    self._error = error
                    raise
            return self._made[0]


def _authorization(source: Mapping[str, Any], secrets: Callable[[], Secret]) -> Secret | None:
    if source["auth_kind"] == "basic":
        return http.basic(source["auth"]["username"], Secret(_secret(secrets, "password")))
    return http.bearer(Secret(_secret(secrets, "token"))) if source["auth_kind"] == "bearer" else None


def _secret(secrets: Callable[[], Secret], name: str) -> bytes:
    found: Mapping[str, str] = json.loads(secrets().reveal())
    return found[name].encode()
