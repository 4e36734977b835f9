"""Fault switches: a test can make a service slow or unavailable, whole or by method.

`seconds` is the delay of `slow`, and how long `unavailable` lasts (0: until it is switched to `none`).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event, Lock
from typing import Literal, TypeVar, cast

import grpc
from pydantic import BaseModel, ConfigDict, Field

Request = TypeVar("Request")
Response = TypeVar("Response")
Service = Literal["kms", "secret_manager", "pubsub", "storage"]

SERVICES: dict[str, Service] = {
    "google.cloud.kms.v1.KeyManagementService": "kms",
    "google.cloud.secretmanager.v1.SecretManagerService": "secret_manager",
    "google.pubsub.v1.Publisher": "pubsub",
    "google.pubsub.v1.Subscriber": "pubsub",
}


class Fault(BaseModel):
    """The body of `POST /_faults`. No methods means all of the service."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    service: Service
    mode: Literal["unavailable", "slow", "none"]
    seconds: float = Field(default=0, ge=0, le=600)
    methods: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Active:
    fault: Fault
    ends_at: float


class Faults(grpc.ServerInterceptor):
    """Holds at most one fault per service, and applies it before the call reaches the service."""

    def __init__(self) -> None:
        self._active: dict[Service, _Active] = {}
        self._lock = Lock()
        self._released = Event()

    def switch(self, fault: Fault) -> None:
        """Set the fault of one service, replacing the one before it."""
        lasts = fault.seconds if fault.mode == "unavailable" and fault.seconds else float("inf")
        with self._lock:
            self._active[fault.service] = _Active(fault, time.monotonic() + lasts)

    def is_unavailable(self, service: Service) -> bool:
        """Say whether a service that is no gRPC service is switched off."""
        with self._lock:
            active = self._active.get(service)
        return active is not None and active.fault.mode == "unavailable" and time.monotonic() < active.ends_at

    def release(self) -> None:
        """Let every delayed call go, so that the process can stop."""
        self._released.set()

    def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], grpc.RpcMethodHandler[Request, Response] | None],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler[Request, Response] | None:
        """Find the handler of a call; behind a fault it is a handler that fails or waits first.

        The wait is in the handler: interceptors run on the one thread that accepts calls, for all services.
        """
        handler = continuation(handler_call_details)
        fault = self._fault_of(str(handler_call_details.method))
        if handler is None or fault is None:
            return handler
        make = (
            grpc.stream_stream_rpc_method_handler if handler.request_streaming else grpc.unary_unary_rpc_method_handler
        )
        behaviour = cast(
            "Callable[[object, grpc.ServicerContext], object]",
            handler.stream_stream if handler.request_streaming else handler.unary_unary,
        )

        def faulty(request: object, context: grpc.ServicerContext) -> object:
            if fault.mode == "unavailable":
                context.abort(grpc.StatusCode.UNAVAILABLE, "Switched off by a fault of the emulator.")
            self._released.wait(fault.seconds)
            return behaviour(request, context)

        return make(faulty, handler.request_deserializer, handler.response_serializer)

    def _fault_of(self, path: str) -> Fault | None:
        service, _, method = path.lstrip("/").partition("/")
        with self._lock:
            active = self._active.get(SERVICES[service]) if service in SERVICES else None
        if active is None or active.fault.mode == "none" or time.monotonic() >= active.ends_at:
            return None
        return active.fault if not active.fault.methods or method in active.fault.methods else None
