"""What AWS answered in one scan, kept, so that readers can be run again without AWS and with any of its calls failing.

Owns recording and playing of replies by (service, operation, arguments). A failure is raised as botocore raises it; how
failures look on the wire is the matter of `tests/integration/emulator/test_aws_faults.py`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from botocore import xform_name
from botocore.exceptions import ClientError, ReadTimeoutError
from botocore.parsers import ResponseParserError

from functions.scan.domain.resources import LiveResource, NotChecked, Unread
from functions.scan.readers.aws import SERVICES
from functions.scan.readers.aws.base import Listing, Scope, collect

from .aws_account import ACCOUNT, REGION, Clients, Scanned, action_of

Mode: TypeAlias = Literal["deny", "throttle", "timeout", "malformed"]
Operation: TypeAlias = tuple[str, str]  # boto3 service name, API operation
Finding: TypeAlias = LiveResource | Unread | NotChecked

REASONS: dict[Mode, str] = {
    "deny": "access_denied",
    "throttle": "throttled",
    "timeout": "unavailable",
    "malformed": "malformed",
}


@dataclass(frozen=True)
class Take:
    """One listing's run.

    Attributes:
        listing: the listing.
        findings: what it yielded.
        operations: the calls it made.
    """

    listing: Listing
    findings: tuple[Finding, ...]
    operations: frozenset[Operation]


class Tape:
    """Every reply of one scan."""

    def __init__(self, call: Clients) -> None:
        self._call = call
        self._replies: dict[tuple[str, str, str], Any] = {}
        self._heard: set[Operation] = set()
        self._lock = threading.Lock()
        self._fault: tuple[Operation, Mode] | None = None
        self.actions: dict[Operation, str] = {}
        self.takes = tuple(self._record(listing) for service in SERVICES for listing in service.listings)

    def scanned(self) -> Scanned:
        """Return the whole scan."""
        return sorted_out(item for take in self.takes for item in take.findings)

    def play(self, listing: Listing, operation: Operation, mode: Mode) -> tuple[Finding, ...]:
        """Run a listing again while one operation fails, however often it is called."""
        self._fault = (operation, mode)
        try:
            return tuple(collect(listing, self._scope()))
        finally:
            self._fault = None

    def _record(self, listing: Listing) -> Take:
        self._heard = set()
        findings = tuple(collect(listing, self._scope()))
        return Take(listing, findings, frozenset(self._heard))

    def _scope(self) -> Scope:
        return Scope(ACCOUNT, REGION, "aws", lambda service: _Client(self, service))

    def client(self, service: str) -> Any:
        """Return the real client of a service."""
        return self._call(service)

    def ask(self, service: str, method: str, arguments: dict[str, Any], call: Callable[[], Any]) -> Any:
        """Answer one call: with the fault that is on, from the tape, or by making it."""
        model = self._call(service).meta
        operation = (service, model.method_to_api_mapping[method])
        if self._fault is not None and self._fault[0] == operation:
            raise failure(operation[1], self._fault[1])
        name = (service, method, repr(sorted(arguments.items())))
        with self._lock:
            self._heard.add(operation)
            self.actions[operation] = action_of(model.service_model.signing_name, operation[1])
        if name not in self._replies:
            try:
                self._replies[name] = call()
            except ClientError as error:
                self._replies[name] = error
        reply = self._replies[name]
        if isinstance(reply, ClientError):
            raise reply
        return reply


def sorted_out(findings: Iterator[Finding] | tuple[Finding, ...]) -> Scanned:
    """Sort what listings yielded."""
    found = Scanned(types={name for service in SERVICES for item in service.listings for name in item.types})
    for item in findings:
        if isinstance(item, LiveResource):
            found.live.append(item)
        elif isinstance(item, Unread):
            found.unread.append(item)
        else:
            found.not_checked.append(item)
    return found


def failure(operation: str, mode: Mode) -> Exception:
    """Make what botocore raises when a call fails for good."""
    if mode == "timeout":
        found: Exception = ReadTimeoutError(endpoint_url="https://aws.invalid")
    elif mode == "malformed":
        found = ResponseParserError(f"{operation}: the reply is not in the protocol of the service")
    else:
        code = "AccessDeniedException" if mode == "deny" else "ThrottlingException"
        found = ClientError({"Error": {"Code": code, "Message": "no"}}, operation)
    return found


class _Client:
    """A boto3 client whose calls go by the tape."""

    def __init__(self, tape: Tape, service: str) -> None:
        self._tape = tape
        self._service = service

    def can_paginate(self, method: str) -> bool:
        return bool(self._tape.client(self._service).can_paginate(method))

    def get_paginator(self, method: str) -> _Pages:
        return _Pages(self._tape, self._service, xform_name(method))

    def __getattr__(self, method: str) -> Callable[..., Any]:
        def call(**arguments: Any) -> Any:
            real = getattr(self._tape.client(self._service), method)
            return self._tape.ask(self._service, method, arguments, lambda: real(**arguments))

        return call


class _Pages:
    def __init__(self, tape: Tape, service: str, method: str) -> None:
        self._tape = tape
        self._service = service
        self._method = method

    def paginate(self, **arguments: Any) -> list[Any]:
        pages = self._tape.client(self._service).get_paginator(self._method).paginate
        found: list[Any] = self._tape.ask(self._service, self._method, arguments, lambda: list(pages(**arguments)))
        return found
