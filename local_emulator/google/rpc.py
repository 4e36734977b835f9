"""gRPC without generated servicers: the public methods of a servicer are its RPCs.

The Google packages ship message types and client stubs but no servicer base classes, so this module reads the types
from the signatures: `def get_secret(self, request: GetSecretRequest) -> Secret` answers `/<service>/GetSecret`. A
second parameter receives the call's context; an iterator of requests makes the method streaming; `None` is an empty
reply.
"""

from __future__ import annotations

import inspect
import logging
import typing
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn

import grpc

from local_emulator.google.checksum import crc32c

LOGGER = logging.getLogger(__name__)
WITH_CONTEXT = 2  # parameters: request, context


class Refused(Exception):
    """A call that ends with a status other than OK."""

    def __init__(self, code: grpc.StatusCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def invalid(message: str) -> Refused:
    """Refuse an argument: INVALID_ARGUMENT."""
    return Refused(grpc.StatusCode.INVALID_ARGUMENT, message)


def not_found(name: str) -> Refused:
    """Refuse a name that is not there: NOT_FOUND."""
    return Refused(grpc.StatusCode.NOT_FOUND, f"{name} not found.")


def already_exists(name: str) -> Refused:
    """Refuse to create twice: ALREADY_EXISTS."""
    return Refused(grpc.StatusCode.ALREADY_EXISTS, f"{name} already exists.")


def failed_precondition(message: str) -> Refused:
    """Refuse what the resource's state forbids: FAILED_PRECONDITION."""
    return Refused(grpc.StatusCode.FAILED_PRECONDITION, message)


def unimplemented(what: str) -> Refused:
    """Refuse what this emulator leaves out, so that nothing seems to work that does not: UNIMPLEMENTED."""
    return Refused(grpc.StatusCode.UNIMPLEMENTED, f"The emulator does not support {what}.")


def verified(field: str, data: bytes, checksum: int | None) -> bool:
    """Check a field against the checksum its sender gave.

    Returns: True when there was one and it matched, False when there was none (the `verified_*` fields of the replies).
    Raises: INVALID_ARGUMENT when it does not match.
    """
    if checksum is None:
        return False
    if crc32c(data) != checksum:
        raise invalid(f"The checksum in field {field}_crc32c did not match the data in field {field}.")
    return True


def page_of(total: int, size: int, token: str, *, default: int = 100, most: int = 1000) -> tuple[slice, str]:
    """Choose one page of a list of `total` items.

    Returns: the slice, and the token of the next page ("" after the last).
    """
    if size < 0 or (token and not token.isdigit()):
        raise invalid("The page size or page token is not valid.")
    start = int(token or 0)
    stop = start + min(size or default, most)
    return slice(start, stop), str(stop) if stop < total else ""


def service_handler(service: str, servicer: object) -> grpc.GenericRpcHandler:
    """Make the gRPC handlers of one service from the public methods of `servicer`."""
    handlers = {
        "".join(word.capitalize() for word in name.split("_")): _handler(method)
        for name, method in inspect.getmembers(servicer, inspect.ismethod)
        if not name.startswith("_")
    }
    return grpc.method_handlers_generic_handler(service, handlers)


def _handler(method: Callable[..., object]) -> grpc.RpcMethodHandler[object, object]:
    hints = typing.get_type_hints(method)
    reply = hints.pop("return")
    request = next(iter(hints.values()))
    takes_context = len(inspect.signature(method).parameters) == WITH_CONTEXT

    if typing.get_origin(request) is None:

        def unary(message: object, context: grpc.ServicerContext) -> object:
            with _refusals(context):
                return method(message, context) if takes_context else method(message)

        return grpc.unary_unary_rpc_method_handler(
            unary, request_deserializer=request.deserialize, response_serializer=_serializer(reply)
        )

    def stream(messages: Iterator[object], context: grpc.ServicerContext) -> Iterator[object]:
        with _refusals(context):
            yield from typing.cast("Iterator[object]", method(messages, context))

    return grpc.stream_stream_rpc_method_handler(
        stream,
        request_deserializer=typing.get_args(request)[0].deserialize,
        response_serializer=_serializer(typing.get_args(reply)[0]),
    )


def _serializer(reply: object) -> Callable[[object], bytes]:
    if reply is type(None):
        return lambda _: b""
    return typing.cast("Callable[[object], bytes]", reply.serialize)  # type: ignore[attr-defined]


@contextmanager
def _refusals(context: grpc.ServicerContext) -> Iterator[None]:
    def end(code: grpc.StatusCode, message: str) -> NoReturn:
        context.abort(code, message)

    try:
        yield
    except Refused as refusal:
        end(refusal.code, refusal.message)
    except GeneratorExit:
        raise
    except Exception:
        if not context.is_active():
            raise
        LOGGER.exception("emulator_rpc_failed")
        end(grpc.StatusCode.INTERNAL, "Internal error of the emulator; its log says more.")
