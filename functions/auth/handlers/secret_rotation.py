"""Secrets that are due for a new version, as Secret Manager says once a year. Random ones get it here; people are asked for the others.

Nothing is disabled: readers find the new version by themselves, and the secret's runbook says when the one before may go.
Source: https://cloud.google.com/secret-manager/docs/rotation-recommendations and /docs/event-notifications
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Final

from shared.http.call import Call
from shared.http.errors import MalformedRequest
from shared.http.reply import Reply
from shared.ports.secret_store import Secret
from shared.telemetry.log import logger

from ..wiring import AuthDeps

ROTATED_BYTES: Final[Mapping[str, int]] = MappingProxyType({"api-key-pepper": 32, "value-digest-key": 32})
"""Bytes of the secrets that nobody outside knows, so that a new version is a matter of chance alone (`infra/suite.yaml`)."""

_LEAST_AGE = timedelta(days=1)
_log = logger("auth")


def rotate_secret(call: Call, deps: AuthDeps) -> Reply:
    """Add a random version to the secret that a notice names, unless it has a new one: notices may come twice.

    Raises:
        MalformedRequest: (400 `malformed_request`) the notice names no secret.
        ServiceAway: (503 `service_away`) Secret Manager did not answer; the queue sends the notice again.
    """
    told = call.event.attributes if call.event else {}
    if told.get("eventType") != "SECRET_ROTATE":
        return Reply.no_content()  # versions that were added, disabled and so on are told of, too
    _, separator, name = told.get("secretId", "").rpartition("/secrets/")
    if not separator or not name:
        raise MalformedRequest("the notice names no secret")
    size = ROTATED_BYTES.get(name)
    if size is None:
        _log.warning("secret due for rotation", due=name[:255])
        return Reply.no_content()
    made_at = deps.rotator.made_at(name)
    if made_at is not None and deps.clock.now() - made_at < _LEAST_AGE:
        _log.info("secret rotated already", rotated=name)
        return Reply.no_content()
    with deps.db.unit(call.actor) as tx:
        version = deps.rotator.add(name, Secret(deps.entropy.token_bytes(size)))
        tx.audit_platform("auth:secret:rotated", "secret", name, version=version)
    _log.info("secret rotated", rotated=name, version=version)
    return Reply.no_content()
