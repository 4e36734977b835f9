"""What a delivery is about: the name its sender gave it, and the kind of its event.

Owns where each provider writes these down. Reads only what was proven to be the sender's; never fails on what it holds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs

from shared.http.errors import MalformedRequest
from shared.http.strict_json import MOST_MEMBERS, parse_json
from shared.security.signatures import Provider
from shared.storable import is_storable

UNKNOWN = "unknown"
_MOST_BODY_MEMBERS = 4 * MOST_MEMBERS  # a plan of a MiB has more of them than a call of a person
_MOST_KIND, _MOST_FORM_FIELDS = 200, 100
_FORM = "application/x-www-form-urlencoded"
_EXTERNAL_ID = re.compile(r"[!-~]{1,200}")
_ID_HEADERS: Mapping[str, tuple[str, ...]] = {
    "github": ("x-github-delivery",),
    "gitlab": ("webhook-id", "idempotency-key"),  # not X-Gitlab-Event-UUID: deliveries that one event sets off share it
    "standard": ("webhook-id",),
}
_ID_MEMBERS: Mapping[str, str] = {"stripe": "id", "slack": "event_id"}
_PLANS: Mapping[str, tuple[str, ...]] = {
    "atlantis": ("plan",),
    "standard": ("terraform.plan",),
    "terraform_cloud": ("run:needs_attention", "run:completed"),
}
_NAME_HEADERS: Mapping[str, str] = {"github": "x-github-event", "gitlab": "x-gitlab-event"}


def external_id(provider: Provider, headers: Mapping[str, str], content_type: str, content: bytes) -> str | None:
    """Return the sender's name for a delivery, which stays the same when it is sent again; None when it gives none."""
    found: object = next((headers[name] for name in _ID_HEADERS.get(provider, ()) if headers.get(name)), None)
    if (member := _ID_MEMBERS.get(provider)) is not None:
        try:
            found = _object(read_body(content_type, content)).get(member)
        except MalformedRequest:
            found = None
    return found if isinstance(found, str) and _EXTERNAL_ID.fullmatch(found) else None


def event_name(provider: Provider, headers: Mapping[str, str]) -> str:
    """Return what the provider calls the event in a header; empty when it does not."""
    found = headers.get(_NAME_HEADERS.get(provider, ""), "")
    return found[:_MOST_KIND] if is_storable(found) else ""


def challenge(provider: Provider, content_type: str, content: bytes) -> str | None:
    """Return what Slack wants to read back at once, when it checks that an address is answered by who it was given to.

    Source: https://docs.slack.dev/reference/events/url_verification
    """
    if provider != "slack" or b"url_verification" not in content:
        return None
    try:
        body = _object(read_body(content_type, content))
    except MalformedRequest:
        return None
    return _text(body.get("challenge")) if body.get("type") == "url_verification" else None


def kind_of(provider: Provider, name: str, content_type: str, content: bytes) -> str:
    """Return the kind of the event in a delivery, e.g. `pull_request.opened`, `run:completed`, `apply.succeeded`.

    Args:
        provider: whose delivery it is.
        name: made by `event_name`.
        content_type: as sent.
        content: the raw body.

    Raises:
        MalformedRequest: (400 `malformed_request`) the body cannot be read.
    """
    body = _object(read_body(content_type, content))
    return (_KINDS[provider](body) or _joined(name, body.get("action")) or UNKNOWN)[:_MOST_KIND]


def carries_plan(provider: Provider, kind: str | None) -> bool:
    """Say whether a delivery of this kind holds a Terraform plan, says that it does, or tells that a run has one."""
    return kind is not None and kind in _PLANS.get(provider, ())


def read_body(content_type: str, content: bytes) -> Any:
    """Read a body: JSON, or a form whose one field `payload` is JSON (GitHub and Slack offer both), or a plain form.

    Raises:
        MalformedRequest: (400 `malformed_request`) it is neither.
    """
    # curl calls whatever it sends a form; no form begins with a brace
    if content_type.partition(";")[0].strip().lower() != _FORM or content.lstrip()[:1] == b"{":
        return parse_json(content, most_members=_MOST_BODY_MEMBERS)
    try:
        fields = parse_qs(
            content.decode(), keep_blank_values=True, strict_parsing=True, max_num_fields=_MOST_FORM_FIELDS
        )
    except ValueError:
        raise MalformedRequest("the body is not a form") from None
    if "payload" in fields:
        return parse_json(fields["payload"][0].encode("utf-8", "replace"), most_members=_MOST_BODY_MEMBERS)
    return {name: values[0] for name, values in fields.items()}


def _atlantis(body: Mapping[str, Any]) -> str:
    """Atlantis' own apply and drift results have no type; what hooks of its users send is a plan, or says what it is.

    Source: https://github.com/runatlantis/atlantis/blob/main/server/events/webhooks/webhooks.go, drift.go
    """
    if isinstance(body.get("Success"), bool):
        return "apply.succeeded" if body["Success"] else "apply.failed"
    if "detection_id" in body:
        return "drift"
    return (
        "plan"
        if "resource_changes" in body or "plan_json" in body
        else _text(body.get("event")) or _text(body.get("type"))
    )


def _gitlab(body: Mapping[str, Any]) -> str:
    return _joined(_text(body.get("object_kind")), _object(body.get("object_attributes")).get("action"))


def _terraform_cloud(body: Mapping[str, Any]) -> str:
    notifications = body.get("notifications")
    first = notifications[0] if isinstance(notifications, list) and notifications else body
    return _text(_object(first).get("trigger"))


def _slack(body: Mapping[str, Any]) -> str:
    if body.get("type") == "event_callback":
        return _text(_object(body.get("event")).get("type"))
    return _text(body.get("type")) or ("slash_command" if "command" in body else "")


def _typed(body: Mapping[str, Any]) -> str:
    return _text(body.get("type"))


def _named_by_header(_body: Mapping[str, Any]) -> str:
    return ""


_KINDS: Mapping[Provider, Callable[[Mapping[str, Any]], str]] = {
    "atlantis": _atlantis,
    "github": _named_by_header,
    "gitlab": _gitlab,
    "terraform_cloud": _terraform_cloud,
    "stripe": _typed,
    "slack": _slack,
    "standard": _typed,
}


def _joined(kind: str, action: object) -> str:
    return f"{kind}.{action}" if kind and _text(action) else kind


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) and is_storable(value) else ""
