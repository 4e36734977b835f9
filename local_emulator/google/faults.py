"""Fault switches: a test can make a service slow or unavailable, whole or by method.

`seconds` is the delay of `slow`, and how long `unavailable` lasts (0: until it is switched to `none`).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Literal, TypeVar, cast

import grpc
from pydantic import BaseModel, ConfigDict, Field

from local_emulator.switches import Active, Met, Switches

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


class Faults(grpc.ServerInterceptor):
    """Holds at most one fault per service, and applies it before the call reaches the service."""

    def __init__(self) -> None:
        self._switches: Switches[Service, Fault] = Switches(_is_on)

    def switch(self, fault: Fault) -> None:
        """Set the fault of one service, replacing the one before it."""
        self._switches.switch(fault.service, fault)

    def is_unavailable(self, service: Service) -> bool:
        """Say whether a service that is no gRPC service is switched off."""
        met = self._switches.meet([service])
        return met is not None and met.fault.mode == "unavailable"

    def release(self) -> None:
        """End all faults and let every delayed call go, so that the process can stop."""
        self._switches.clear()

    def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], grpc.RpcMethodHandler[Request, Response] | None],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler[Request, Response] | None:
        """Find the handler of a call; behind a fault it is a handler that fails or waits first.

        The wait is in the handler: interceptors run on the one thread that accepts calls, for all services.
        """
        handler = continuation(handler_call_details)
        met = self._met(str(handler_call_details.method))
        if handler is None or met is None:
            return handler
        make = (
            grpc.stream_stream_rpc_method_handler if handler.request_streaming else grpc.unary_unary_rpc_method_handler
        )
        behaviour = cast(
            "Callable[[object, grpc.ServicerContext], object]",
            handler.stream_stream if handler.request_streaming else handler.unary_unary,
        )

        def faulty(request: object, context: grpc.ServicerContext) -> object:
            if met.fault.mode == "unavailable":
                context.abort(grpc.StatusCode.UNAVAILABLE, "Switched off by a fault of the emulator.")
            met.wait(met.fault.seconds)
            return behaviour(request, context)

        return make(faulty, handler.request_deserializer, handler.response_serializer)

    def _met(self, path: str) -> Met[Fault] | None:
        service, _, method = path.lstrip("/").partition("/")
        met = self._switches.meet([SERVICES[service]]) if service in SERVICES else None
        return met if met is not None and (not met.fault.methods or method in met.fault.methods) else None


def _is_on(active: Active[Fault]) -> bool:
    fault = active.fault
    if fault.mode == "unavailable" and fault.seconds and time.monotonic() >= active.since + fault.seconds:
        return False
    return fault.mode != "none"
