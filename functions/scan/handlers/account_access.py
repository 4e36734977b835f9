"""From a caller's wish to the columns that say how an account is signed in to."""

from __future__ import annotations

import base64
from typing import Any
from uuid import UUID

from shared.data.unit_of_work import UnitOfWork
from shared.http.call import Call
from shared.http.errors import Invalid
from shared.ports.secret_store import Secret

from ..access_models import AssumedRole, ClientSecret, ServiceAccountKey, StaticKey, WorkloadIdentity
from ..account_models import AccountAccess, FederatedIdentity
from ..cloud_access.google import email_of
from ..domain.access import TRUSTING, check_way
from ..queries import accounts as queries
from ..wiring import CREDENTIALS_SEPARATOR, ScanDeps, credentials_place

_COLUMNS = (
    "role_arn", "through", "identity_provider", "service_account", "tenant_id", "client_id", "credentials_encrypted",
)  # fmt: skip


def access_columns(call: Call, deps: ScanDeps, account_id: UUID, provider: str, auth: AccountAccess) -> dict[str, Any]:
    """Return the columns of a way of signing in; secrets are sealed, and everything that it does not have is None.

    Args:
        call: whose.
        deps: seals secrets.
        account_id: the row that the ciphertext is bound to.
        provider: of the account.
        auth: the wish.

    Raises:
        Invalid: (422 `invalid`) the provider has no such way, or a key is none.
    """
    if problem := check_way(provider, auth.kind):
        raise Invalid("see `errors` for each field", errors=[problem])
    secret: bytes | None = None
    found: dict[str, Any] = {}
    match auth:
        case StaticKey():
            key = auth.secret_access_key.get_secret_value().encode()
            secret = auth.access_key_id.encode() + CREDENTIALS_SEPARATOR + key
        case AssumedRole():
            found = {"role_arn": auth.role_arn, "through": auth.through}
        case WorkloadIdentity():
            found = {"identity_provider": auth.provider, "service_account": auth.service_account}
        case ServiceAccountKey():
            secret = auth.key_json.get_secret_value().encode()
            found = {"service_account": _email(auth)}
        case FederatedIdentity():
            found = {"tenant_id": auth.tenant_id, "client_id": auth.client_id}
        case ClientSecret():
            secret = auth.client_secret.get_secret_value().encode()
            found = {"tenant_id": auth.tenant_id, "client_id": auth.client_id}
        case _:
            pass  # clusters report by themselves
    if secret is not None:
        found["credentials_encrypted"] = deps.envelope.seal(Secret(secret), credentials_place(call.org_id, account_id))
    return {**dict.fromkeys(_COLUMNS), "auth_kind": auth.kind, **found}


def external_id_for(tx: UnitOfWork, deps: ScanDeps, auth: AccountAccess, known: str | None = None) -> str | None:
    """Return the external id of an account: the one it has, or a new one where the customer's side is to trust us.

    Accounts behind one hub share theirs: the hub's trust policy then names one, not hundreds. It stays the organisation's
    own: another one that names the same hub has another external id, which the hub refuses.

    Args:
        tx: the organisation's.
        deps: makes a new one.
        auth: how it is signed in to.
        known: the one that it has already, which the customer's trust policy may name.
    """
    if auth.kind not in TRUSTING:
        return known
    hub = auth.through if isinstance(auth, AssumedRole) else None
    shared = queries.find_external_id_of_hub(tx, hub) if hub is not None else None
    return shared or known or make_external_id(deps)


def make_external_id(deps: ScanDeps) -> str:
    """Make the external id that the customer's trust policy demands: ours to choose, so that nobody else can borrow it.

    Source: AWS IAM User Guide, "The confused deputy problem".
    """
    return "dw-" + base64.b32encode(deps.entropy.token_bytes(20)).decode().lower()


def _email(key: ServiceAccountKey) -> str:
    email = email_of(key.key_json.get_secret_value())
    if email is None:
        problem = {"field": "auth.service_account_key.key_json", "problem": "this is no key file of a service account"}
        raise Invalid("see `errors` for each field", errors=[problem])
    return email
