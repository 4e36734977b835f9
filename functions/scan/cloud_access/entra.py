"""Access tokens of Microsoft Entra ID, by a federated credential or by an app's secret.

Source: https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow (third case: a federated credential).
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote, urlencode

from shared.ports.secret_store import Secret

from ..errors import StateUnreachable
from .calling import Caller, text_of
from .tokens import AccessToken, lifetime_of

_LOGIN: Final = "https://login.microsoftonline.com"
_ASSERTION: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_OK, _BAD_REQUEST, _UNAUTHORISED = 200, 400, 401
_REASON = re.compile(rb"AADSTS[0-9]{1,9}")


def get_token(
    caller: Caller, tenant_id: str, client_id: str, scope: str, *, assertion: Secret | None, secret: Secret | None
) -> AccessToken:
    """Get an access token.

    Args:
        caller: of Azure.
        tenant_id: of the customer's directory.
        client_id: of the customer's app registration or managed identity.
        scope: what the token is for, `<resource>/.default`.
        assertion: our own identity's token, for a federated credential.
        secret: the app's secret, where there is no such credential.

    Raises:
        StateUnreachable: (422 `state_unreachable`) Entra says no, by the number of its reason.
    """
    proof = (
        {"client_assertion_type": _ASSERTION, "client_assertion": assertion.reveal().decode()}
        if assertion
        else {"client_secret": secret.reveal().decode() if secret else ""}
    )
    form = {"grant_type": "client_credentials", "client_id": client_id, "scope": scope, **proof}
    reply = caller.send(
        "POST",
        f"{_LOGIN}/{quote(tenant_id, safe='')}/oauth2/v2.0/token",
        {"Content-Type": "application/x-www-form-urlencoded"},
        urlencode(form).encode(),
        judges=(_BAD_REQUEST, _UNAUTHORISED),
    )
    if reply.status != _OK:
        reason = _REASON.search(reply.content[:4096])
        named = f": {reason[0].decode()}" if reason else ""
        raise StateUnreachable(f"Azure does not accept the credentials{named}", host_status=reply.status)
    document = caller.read_json(reply)
    token = text_of(document.get("access_token"))
    if token is None:
        raise caller.strange(reply)
    return AccessToken(Secret(token.encode()), lifetime_of(document))
