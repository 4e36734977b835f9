"""Calls to addresses that customers gave, through the egress guard: what is sent, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from http import HTTPStatus

from shared.http.errors import AppError
from shared.ports.clock import Clock
from shared.ports.secret_store import Secret
from shared.reports.text import visible
from shared.security.egress import EgressGuard, EgressPolicy, EgressResponse
from shared.security.redact import redact_text
from shared.security.signatures import sign

from ..domain.channels import Outcome, read_retry_after

POLICY = EgressPolicy(
    methods=frozenset({"POST"}),
    redirects=0,
    deadline_seconds=10.0,
    most_request_bytes=32 * 1024,
    most_response_bytes=256 * 1024,
)
_MOST_START_BYTES, _MOST_START = 1000, 300


def call(
    guard: EgressGuard, clock: Clock, url: Secret, message_id: str, content: bytes, secrets: Sequence[Secret] = ()
) -> Outcome:
    """Send a message once.

    Args:
        guard: judges the address again and calls it.
        clock: the time of this try, which is signed.
        url: where to.
        message_id: the same in every try.
        content: JSON.
        secrets: live ones, of a channel that signs.
    """
    headers: Mapping[str, str] = {"Content-Type": "application/json"}
    if secrets:
        headers = {**headers, **sign(secrets, message_id, clock.now(), content)}
    try:
        reply = guard.request("POST", url.reveal().decode(), headers=headers, content=content)
    except AppError as error:
        reason = error.facts.get("reason")
        return Outcome(f"{error.code}:{reason}" if reason else error.code)
    return _outcome(reply, clock.now())


def _outcome(reply: EgressResponse, now: datetime) -> Outcome:
    is_delivered = HTTPStatus.OK <= reply.status < HTTPStatus.MULTIPLE_CHOICES
    return Outcome(
        error_code=None if is_delivered else "unexpected_status",
        status=reply.status,
        start=_start(reply.content),
        retry_after=read_retry_after(reply.headers.get("retry-after", ""), now),
    )


def _start(content: bytes) -> str:
    """Return how an answer begins: a stranger's words, so without secrets and in one line that hides nothing."""
    return visible(redact_text(content[:_MOST_START_BYTES].decode("utf-8", "replace")), _MOST_START)
