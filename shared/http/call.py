"""One call as a handler sees it: routed, authenticated, authorised, capped."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar, get_args
from urllib.parse import parse_qsl
from uuid import UUID

from pydantic import BaseModel, RootModel, ValidationError
from pydantic_core import ErrorDetails

from shared.data.unit_of_work import Idempotency
from shared.security.actor import Actor
from shared.storable import is_storable

from .errors import Invalid, MalformedRequest, MediaTypeUnsupported, RouteNotFound
from .strict_json import parse_json

_Model = TypeVar("_Model", bound=BaseModel)
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_MOST_PROBLEMS, _MOST_FIELD_NAME, _MOST_FIELDS = 20, 100, 50
_UNKNOWN = "Extra inputs are not permitted"


@dataclass(frozen=True, slots=True)
class Event:
    """One message from the queue, or one tick of the scheduler.

    Attributes:
        id: stays the same when the message is delivered again.
        payload: the message's JSON object.
        attempt: 1 for the first delivery.
        attributes: text attributes of the message.
    """

    id: str
    payload: Mapping[str, Any]
    attempt: int = 1
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Call:
    """One call.

    Attributes:
        actor: who calls, in which organisation.
        path: path parameters as text.
        query_values: query parameters; a repeated one was refused.
        headers: request headers, lower-case names.
        cookies: request cookies.
        content: the raw body, within the route's cap.
        json: the parsed body, None without one.
        idempotency: the Idempotency-Key, when one came.
        event: set on event routes.
        address: the client's, empty when nobody knows it.
    """

    actor: Actor
    path: Mapping[str, str]
    query_values: Mapping[str, str]
    headers: Mapping[str, str]
    cookies: Mapping[str, str]
    content: bytes
    json: Any = None
    idempotency: Idempotency | None = None
    event: Event | None = None
    address: str = ""

    def path_uuid(self, name: str) -> UUID:
        """Return a path parameter that is an id.

        Raises:
            RouteNotFound: (404 `not_found`) it is no UUID, so no such thing exists.
        """
        return parse_uuid(self.path[name])

    @property
    def org_id(self) -> UUID:
        """The organisation in the path."""
        return self.path_uuid("org_id")

    def body(self, model: type[_Model]) -> _Model:
        """Return the body as a model.

        Raises:
            MalformedRequest: (400 `malformed_request`) there is no JSON object.
            Invalid: (422 `invalid`) fields are wrong; each is named.
        """
        if not isinstance(self.json, dict):
            raise MalformedRequest("send a JSON object")
        return validated(model, self.json)

    def form(self, model: type[_Model]) -> _Model:
        """Return a body that may be a form, as OAuth's clients send it, or JSON; of a route that takes raw bodies.

        Raises:
            MalformedRequest: (400 `malformed_request`) it is neither, or a field comes twice.
            Invalid: (422 `invalid`) fields are wrong; each is named.
        """
        if not self.content:
            return validated(model, {})
        kind = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind == "application/json":
            found = parse_json(self.content)
            if not isinstance(found, dict):
                raise MalformedRequest("send a JSON object")
            return validated(model, found)
        if kind != "application/x-www-form-urlencoded":
            raise MediaTypeUnsupported("send application/x-www-form-urlencoded or application/json")
        return validated(model, parse_form(self.content))

    def query(self, model: type[_Model]) -> _Model:
        """Return the query as a model.

        Raises:
            Invalid: (422 `invalid`) parameters are wrong or unknown; each is named.
        """
        return validated(model, dict(self.query_values))


def parse_uuid(text: str) -> UUID:
    """Return an id out of a path, in the one form that we write (RFC 9562 section 4).

    Raises:
        RouteNotFound: (404 `not_found`) it is no UUID, so no such thing exists.
    """
    if _UUID.fullmatch(text) is None:
        raise RouteNotFound
    return UUID(text)


def parse_form(content: bytes) -> dict[str, str]:
    """Parse a form: ASCII, every field once, nothing that cannot be stored (WHATWG URL, application/x-www-form-urlencoded).

    Raises:
        MalformedRequest: (400 `malformed_request`).
    """
    try:
        pairs = parse_qsl(
            content.decode("ascii"), keep_blank_values=True, strict_parsing=bool(content), errors="strict",
            max_num_fields=_MOST_FIELDS,
        )  # fmt: skip
    except ValueError:
        raise MalformedRequest("the form cannot be read") from None
    found = dict(pairs)
    if len(found) != len(pairs):
        raise MalformedRequest("a field of the form comes twice")
    if not all(is_storable(text) for pair in pairs for text in pair):
        raise MalformedRequest("a text holds NUL or half of a surrogate pair")
    return found


def validated(model: type[_Model], values: object) -> _Model:
    """Check values against a model; the answer names the fields and never repeats their values."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        problems = [
            {"field": _field(model, item["loc"])[:_MOST_FIELD_NAME] or "body", "problem": _problem(item)}
            for item in error.errors(include_url=False, include_input=False)[:_MOST_PROBLEMS]
        ]
        problems += [{"field": name, "problem": _UNKNOWN} for name in _strangers(model, values, error)]
        raise Invalid("see `errors` for each field", errors=problems) from None


def _problem(item: ErrorDetails) -> str:
    """Say what is wrong; pydantic repeats a tag that it does not know, which may be anything."""
    if item["type"] == "union_tag_invalid":
        return f"must be one of {item['ctx']['expected_tags']}" if "ctx" in item else "unknown"
    return item["msg"]


def _strangers(model: type[BaseModel], values: object, error: ValidationError) -> list[str]:
    """Name the fields that none of several models has, where it is not told which one is meant."""
    if not isinstance(values, Mapping) or not any(item["type"].startswith("union_tag") for item in error.errors()):
        return []
    members = get_args(model.model_fields["root"].annotation) if issubclass(model, RootModel) else ()
    known = {name for member in members for name in member.model_fields}
    return [str(name)[:_MOST_FIELD_NAME] for name in values if name not in known][:_MOST_PROBLEMS] if known else []


def _field(model: type[BaseModel], place: tuple[int | str, ...]) -> str:
    """Name the field of a problem as the caller wrote it: which of several models was taken is no part of its place."""
    told_by = model.model_fields["root"].discriminator if issubclass(model, RootModel) else None
    if isinstance(told_by, str):
        place = place[1:] if place else (told_by,)
    return ".".join(str(part) for part in place)
