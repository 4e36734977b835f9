"""From an account's row to what its cloud is asked through: signed in at once, and again when a token is about to expire.

Whatever goes wrong on the way is one error, `CredentialsRefused`, with a reason out of `NotChecked.reason` and the permission
that is missing where the cloud names one.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from shared.ports.clock import Clock
from shared.ports.identity_tokens import IdentityTokens
from shared.ports.secret_store import Secret
from shared.security.egress import EgressGuard, EgressRefused

from ..errors import CredentialsRefused, StateTooLarge, StateUnreachable
from .calling import Caller
from .entra import get_token
from .google import exchange_identity, exchange_key
from .tokens import AccessToken, Tokens

if TYPE_CHECKING:  # each cloud's tables come with the first account that is opened in it
    from ..readers.azure.http import GuardedArm
    from ..readers.gcp.http import GuardedGoogle

_OK: Final = 200
_THROTTLED: Final = 429
_REFUSALS: Final = range(400, 405)  # what a token's issuer answers to those it does not trust


@dataclass(frozen=True, slots=True)
class Guards:
    """The only ways out.

    Attributes:
        tokens: to issuers of tokens, under `calling.POLICY`.
        google: under `readers.policies.GOOGLE`.
        azure: under `readers.policies.AZURE`.
    """

    tokens: EgressGuard
    google: EgressGuard
    azure: EgressGuard


@dataclass(frozen=True, slots=True)
class CloudOpener:
    """Opens accounts of Google Cloud and Azure.

    Attributes:
        guards: the ways out.
        clock: waits between attempts.
        identity_tokens: prove who we are; None where this process has no identity of Google.
        tokens: those that this process has.
        google_endpoint, azure_endpoint: stand-ins, emulator only; empty otherwise.
    """

    guards: Guards
    clock: Clock
    identity_tokens: IdentityTokens | None
    tokens: Tokens
    google_endpoint: str = ""
    azure_endpoint: str = ""

    def google(self, org_id: UUID, account: Mapping[str, Any], secret: Callable[[], Secret]) -> GuardedGoogle:
        """Sign in to a project, folder or organisation.

        Args:
            org_id: whose it is.
            account: its row.
            secret: opens its ciphertext; asked only when it has one.

        Raises:
            CredentialsRefused: (422 `credentials_refused`).
            ServiceAway: (503 `service_away`) the platform gave no proof of who this process is.
        """
        from ..readers.gcp.http import SCOPE, GuardedGoogle

        caller = Caller(self.guards.tokens, self.clock, "Google", self.google_endpoint)

        def ask() -> AccessToken:
            if account["auth_kind"] == "service_account_key":
                return exchange_key(caller, secret(), SCOPE)
            own_token = self._own_token(account["external_id"])
            acting_as = account["service_account"]
            return exchange_identity(caller, own_token, account["identity_provider"], acting_as, SCOPE)

        token = self._remembering(org_id, account, ask)
        token()
        return GuardedGoogle(self.guards.google, token, quota_project(account), endpoint=self.google_endpoint)

    def azure(self, org_id: UUID, account: Mapping[str, Any], secret: Callable[[], Secret]) -> GuardedArm:
        """Sign in to a subscription; as above."""
        from ..readers.azure.http import SCOPE, GuardedArm

        caller = Caller(self.guards.tokens, self.clock, "Azure", self.azure_endpoint)

        def ask() -> AccessToken:
            if account["client_id"] is None:
                raise CredentialsRefused(
                    "the account does not say yet which application or managed identity DriftWise signs in as",
                    reason="not_enabled",
                )
            is_secret = account["auth_kind"] == "client_secret"
            return get_token(
                caller,
                str(account["tenant_id"]),
                str(account["client_id"]),
                SCOPE,
                assertion=None if is_secret else Secret(self._own_token(account["external_id"]).encode()),
                secret=secret() if is_secret else None,
            )

        token = self._remembering(org_id, account, ask)
        token()
        return GuardedArm(self.guards.azure, token, endpoint=self.azure_endpoint)

    def _remembering(
        self, org_id: UUID, account: Mapping[str, Any], ask: Callable[[], AccessToken]
    ) -> Callable[[], Secret]:
        key = (org_id, *(_hashable(account[name]) for name in _DECIDING))

        def make() -> AccessToken:
            try:
                return ask()
            except StateUnreachable as error:
                raise _refused(error) from error
            except (StateTooLarge, EgressRefused) as error:
                raise CredentialsRefused("the issuer of tokens cannot be asked", reason="unavailable") from error

        return lambda: self.tokens.get(key, make)

    def _own_token(self, external_id: str) -> str:
        if self.identity_tokens is None:
            raise CredentialsRefused(
                "this installation has no identity of its own that another cloud could trust", reason="unavailable"
            )
        return self.identity_tokens.token_for(external_id)


# Whatever a token depends on: another value makes another token.
_DECIDING: Final = (
    "id", "provider", "auth_kind", "external_id", "identity_provider", "service_account", "tenant_id", "client_id",
    "credentials_encrypted",
)  # fmt: skip


def quota_project(account: Mapping[str, Any]) -> str:
    """Return the project that calls count on: a service account has its own, a pool's principal counts on the pool's."""
    if account["auth_kind"] == "service_account_key" or account["service_account"]:
        return ""
    return str(account["identity_provider"]).split("/")[1]


def _hashable(value: Any) -> Hashable:
    return bytes(value) if isinstance(value, bytearray | memoryview) else value


def _refused(error: StateUnreachable) -> CredentialsRefused:
    """Return why nobody is signed in, in the words of `NotChecked.reason`."""
    status, permission = error.facts.get("host_status"), error.facts.get("permission")
    if status in _REFUSALS:
        reason = "access_denied"
    elif status == _THROTTLED:
        reason = "throttled"
    else:
        reason = "malformed" if status == _OK else "unavailable"
    return CredentialsRefused(str(error), reason=reason, permission=permission)
