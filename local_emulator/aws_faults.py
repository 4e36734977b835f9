"""Fault switches of the AWS stand-in: a test can make one operation fail the way AWS fails.

Owns which request a fault speaks about and what the failure looks like on the wire, in the protocol the client chose, so
that client libraries raise what they raise against AWS. Stands in front of recording and seeding: what a fault answers
never reaches them. Must not know moto.

`POST /moto-api/faults {"service", "operation", "mode", "seconds", "times"}` adds a fault (one for each service and
operation), `GET` lists them with how often each was met, `DELETE` ends them all and lets waiting requests go.
Source: Smithy, "AWS protocols"; Amazon S3 and EC2 API references, "Error responses".
"""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from typing import Any, Literal, NoReturn, TypeAlias
from urllib.parse import parse_qs, unquote
from xml.sax.saxutils import escape

from pydantic import Field, ValidationError

from . import switches
from .moto_server import SCOPE, App, Environ, action_of, take_body
from .switches import Switches, is_left

PATH = "/moto-api/faults"
_REQUEST_ID = "00000000-0000-0000-0000-00000000fa17"

Protocol: TypeAlias = Literal["ec2", "query", "json", "cbor", "rest-json", "rest-xml", "s3"]
Answer: TypeAlias = tuple[int, dict[str, str], bytes]


class Fault(switches.Fault):
    """The body of `POST /moto-api/faults`.

    Attributes:
        service: signing name, e.g. `ec2`, `monitoring`, `elasticloadbalancing`; its operations are named as in `DescribeVpcs`.
    """

    service: str = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class AwsRequest:
    """What a request asks of AWS.

    Attributes:
        service: signing name.
        operation: API operation; empty when it cannot be told.
        protocol: how it is spelled, and how the answer must be.
    """

    service: str
    operation: str
    protocol: Protocol


class Faults:
    """WSGI layer that answers in the place of AWS where a fault is switched on."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._switches: Switches[tuple[str, str], Fault] = Switches(is_left)

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer, or pass on."""
        if environ.get("PATH_INFO") == PATH:
            return _send(start_response, self._switch(environ["REQUEST_METHOD"], take_body(environ)))
        if not self._switches.is_any():
            return self._app(environ, start_response)
        asked = understand(environ)
        met = self._switches.meet([(asked.service, asked.operation), (asked.service, "*")])
        if met is None:
            return self._app(environ, start_response)
        met.wait(met.fault.held_seconds)
        if met.fault.mode == "slow":
            return self._app(environ, start_response)
        if met.fault.mode == "hang":
            _hang_up(environ)
        return _send(start_response, answer(asked, met.fault.mode))

    def _switch(self, method: str, body: bytes) -> Answer:
        if method == "POST":
            try:
                fault = Fault.model_validate_json(body)
            except ValidationError as error:
                return _json(HTTPStatus.BAD_REQUEST, {"error": "invalid_fault", "detail": str(error)})
            self._switches.switch((fault.service, fault.operation), fault)
            return _json(HTTPStatus.OK, fault.model_dump())
        if method == "DELETE":
            self._switches.clear()
        return _json(HTTPStatus.OK, {"faults": self._switches.list()})


def understand(environ: Environ) -> AwsRequest:
    """Tell service, operation and protocol of a request; its body stays readable."""
    scope = SCOPE.search(environ.get("HTTP_AUTHORIZATION", ""))
    service = scope.group(2) if scope else ""
    path, method = str(environ.get("PATH_INFO", "/")), str(environ["REQUEST_METHOD"])
    query = str(environ.get("QUERY_STRING", ""))
    smithy = re.fullmatch(r"/service/[^/]+/operation/([A-Za-z]+)", path)
    if smithy:
        return AwsRequest(service, smithy.group(1), "cbor")
    target = str(environ.get("HTTP_X_AMZ_TARGET", ""))
    action = action_of(method, target, query, str(environ.get("CONTENT_TYPE", "")), take_body(environ))
    if target:
        return AwsRequest(service, action, "json")
    if action != method:
        return AwsRequest(service, action, "ec2" if service == "ec2" else "query")
    return AwsRequest(service, rest_operation(service, method, path, query), rest_protocol(service))


@dataclass(frozen=True, slots=True)
class _RestOperation:
    name: str
    method: str
    path: re.Pattern[str]
    query: Mapping[str, str]
    weight: tuple[int, int]


def rest_operation(service: str, method: str, path: str, query: str) -> str:
    """Name the operation behind a REST request by the service's own description; empty when there is none."""
    given = {name: values[0] for name, values in parse_qs(query, keep_blank_values=True).items()}
    for operation in _rest_operations(service):
        asks_for = all(name in given and value in ("", given[name]) for name, value in operation.query.items())
        if operation.method == method and asks_for and operation.path.fullmatch(unquote(path)):
            return operation.name
    return ""


def rest_protocol(service: str) -> Protocol:
    """Say how a REST service spells its errors."""
    if service == "s3":
        return "s3"
    model = _model(service)
    return "rest-xml" if model is not None and model.protocol == "rest-xml" else "rest-json"


@cache
def _rest_operations(service: str) -> tuple[_RestOperation, ...]:
    """Read the operations of a REST service, the most specific path first."""
    model = _model(service)
    if model is None or not model.protocol.startswith("rest"):
        return ()
    found = []
    for name in model.operation_names:
        http = model.operation_model(name).http
        path, _, query = str(http["requestUri"]).partition("?")
        labels = re.sub(r"\\\{[^}]*\\\}", lambda label: ".+" if "+" in label.group() else "[^/]+", re.escape(path))
        constants = {key: values[0] for key, values in parse_qs(query, keep_blank_values=True).items()}
        literal = len(re.sub(r"\{[^}]*\}", "", path))
        pattern = re.compile(labels.rstrip("/") + "/?")
        found.append(_RestOperation(name, str(http["method"]), pattern, constants, (len(constants), literal)))
    return tuple(sorted(found, key=lambda item: item.weight, reverse=True))


@cache
def _model(service: str) -> Any:  # botocore is untyped: a ServiceModel, or None for a service it does not know
    import botocore.session
    from botocore.exceptions import UnknownServiceError

    try:
        return botocore.session.Session().get_service_model(service)
    except UnknownServiceError:
        return None


_CODES: Mapping[str, Mapping[Protocol, tuple[int, str]]] = {
    "deny": {
        "ec2": (403, "UnauthorizedOperation"),
        "query": (403, "AccessDenied"),
        "json": (400, "AccessDeniedException"),
        "cbor": (403, "AccessDenied"),
        "rest-json": (403, "AccessDeniedException"),
        "rest-xml": (403, "AccessDenied"),
        "s3": (403, "AccessDenied"),
    },
    "throttle": {
        "ec2": (503, "RequestLimitExceeded"),
        "query": (400, "Throttling"),
        "json": (400, "ThrottlingException"),
        "cbor": (400, "Throttling"),
        "rest-json": (429, "TooManyRequestsException"),
        "rest-xml": (400, "Throttling"),
        "s3": (503, "SlowDown"),
    },
    "unavailable": {
        "ec2": (503, "Unavailable"),
        "query": (503, "ServiceUnavailable"),
        "json": (503, "ServiceUnavailableException"),
        "cbor": (503, "ServiceUnavailable"),
        "rest-json": (503, "ServiceUnavailableException"),
        "rest-xml": (503, "ServiceUnavailable"),
        "s3": (503, "ServiceUnavailable"),
    },
}


def answer(asked: AwsRequest, mode: str) -> Answer:
    """Make the failing answer to a request."""
    if mode == "malformed":
        return _malformed(asked)
    status, code = _CODES[mode][asked.protocol]
    message = f"A fault switch says no to {asked.service}:{asked.operation}."
    if asked.protocol in {"json", "rest-json"}:
        return _json(status, {"__type": code, "message": message}, {"x-amzn-ErrorType": code})
    if asked.protocol == "cbor":
        headers = {"Content-Type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}
        return status, headers, _cbor({"__type": code, "message": message})
    inner = f"<Code>{code}</Code><Message>{escape(message)}</Message>"
    forms: dict[str, str] = {
        "ec2": f"<Response><Errors><Error>{inner}</Error></Errors><RequestID>{_REQUEST_ID}</RequestID></Response>",
        "s3": f"<Error>{inner}<RequestId>{_REQUEST_ID}</RequestId></Error>",
    }
    usual = (
        f"<ErrorResponse><Error><Type>Sender</Type>{inner}</Error><RequestId>{_REQUEST_ID}</RequestId></ErrorResponse>"
    )
    text = '<?xml version="1.0" encoding="UTF-8"?>' + forms.get(asked.protocol, usual)
    return status, {"Content-Type": "text/xml"}, text.encode()


def _malformed(asked: AwsRequest) -> Answer:
    """Say yes and break off in the middle of the reply."""
    if asked.protocol in {"json", "rest-json"}:
        return 200, {"Content-Type": "application/x-amz-json-1.1"}, b'{"Items": [{"Name": "cut'
    if asked.protocol == "cbor":
        whole = _cbor({"Items": "cut off"})
        return 200, {"Content-Type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}, whole[:-3]
    return 200, {"Content-Type": "text/xml"}, f"<{asked.operation}Response><item><name>cut".encode()


def _hang_up(environ: Environ) -> NoReturn:
    """End the connection without a reply; the server takes the exception for a client that has gone."""
    connection = environ.get("werkzeug.socket")
    if connection is not None:
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
    raise ConnectionAbortedError("a fault ends this connection without a reply")


def _cbor(members: Mapping[str, str]) -> bytes:
    """Write a map of texts, each shorter than 256 bytes and fewer than 24 (RFC 8949, section 3)."""
    parts = [bytes([0xA0 + len(members)])]
    for text in (part for member in members.items() for part in member):
        raw = text.encode()
        parts += [bytes([0x78, len(raw)]), raw]
    return b"".join(parts)


def _json(status: int, body: object, headers: Mapping[str, str] | None = None) -> Answer:
    return int(status), {"Content-Type": "application/json", **(headers or {})}, json.dumps(body).encode()


def _send(start_response: Callable[..., Any], reply: Answer) -> Iterable[bytes]:
    status, headers, body = reply
    shown = {**headers, "Content-Length": str(len(body)), "x-amzn-RequestId": _REQUEST_ID}
    start_response(f"{status} {HTTPStatus(status).phrase}", list(shown.items()))
    return [body]
