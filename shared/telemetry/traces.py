"""Spans: what took how long, and what caused what, across requests, units of work, the queue and the events it delivers.

Owns OpenTelemetry: nothing of it is loaded while no endpoint is set. A span carries names, counts and statuses; never a
value that came from outside, never an exception's text. The current span is the request's trace context
(`shared.telemetry.context`), so what a unit of work puts into the outbox is caused by that unit.

Owns which requests are traced: one in so many, and all that a traced one causes. Who calls from outside cannot choose:
neither its flag nor its trace id counts, as it could have all its requests traced by either (W3C Trace Context, Security
Considerations, Denial of service).

Source: https://opentelemetry.io/docs/specs/otel/trace/, semantic conventions 1.37 for HTTP, messaging and databases.
"""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Generator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Literal, TypeAlias

from .context import carried, is_sampled

if TYPE_CHECKING:
    from opentelemetry.trace import Span, SpanContext, Tracer

    from shared.settings import Settings

Kind: TypeAlias = Literal["internal", "server", "client", "producer", "consumer"]

_EXPORT_SECONDS = 2.0
_EVERY_MS = 1000
_OFF: AbstractContextManager[None] = nullcontext()


class _Tracing:
    """The tracer of this process: made with the first span, as the server forks its workers before the first request."""

    def __init__(self) -> None:
        self.endpoint = ""
        self.service = ""
        self.percent = 100
        self._tracer: Tracer | None = None
        self._lock = threading.Lock()

    def tracer(self) -> Tracer:
        with self._lock:
            if self._tracer is None:
                self._tracer = self._build()
            return self._tracer

    def _build(self) -> Tracer:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.sdk.trace.sampling import ALWAYS_ON

        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)  # a collector that is away would fill the log
        exporter = OTLPSpanExporter(endpoint=f"{self.endpoint.rstrip('/')}/v1/traces", timeout=_EXPORT_SECONDS)
        resource = Resource({"service.namespace": "driftwise", "service.name": self.service})
        # which spans there are was decided before; it sends what is left at the end of the process by itself
        provider = TracerProvider(ALWAYS_ON, resource)
        provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=_EVERY_MS))
        return provider.get_tracer("driftwise")


_tracing = _Tracing()


def configure(settings: Settings) -> None:
    """Set up tracing of this process; without an endpoint there is none."""
    _tracing.endpoint = settings.otlp_endpoint
    _tracing.service = settings.entry_point or settings.function
    _tracing.percent = settings.trace_percent


def span(
    name: str,
    *,
    kind: Kind = "internal",
    parent: str | None = None,
    is_from_inside: bool = False,
    started_ns: int | None = None,
    attributes: Mapping[str, str | int] | None = None,
) -> AbstractContextManager[Span | None]:
    """Open a span for the length of a block; it is the current one inside. None when this request is not traced.

    Args:
        name: of few different values: a template, never an id.
        kind: its part in the exchange.
        parent: a well-formed W3C traceparent that came with the request; None for the current span, "" for a new trace.
        is_from_inside: the parent is one of ours, so that its sampled flag counts.
        started_ns: when it began, when that was before now (Unix time).
        attributes: what else to say.
    """
    if not _tracing.endpoint:
        return _OFF
    is_wanted = is_sampled() if parent is None else _is_chosen(parent, is_from_inside=is_from_inside)
    if not is_wanted:
        return _OFF
    return _open(name, kind, parent, started_ns, attributes or {})


def _is_chosen(parent: str, *, is_from_inside: bool) -> bool:
    """Decide whether a request is traced. Source: W3C Trace Context level 1, sampled flag."""
    if parent and is_from_inside:
        return bool(int(parent[-2:], 16) & 1)
    return secrets.randbelow(100) < _tracing.percent


def finish(current: Span | None, status: int) -> None:
    """Say how a request or an event ended, before its block does."""
    if current is None:
        return
    from opentelemetry.trace import StatusCode

    current.set_attribute("http.response.status_code", status)
    if status >= 500:
        current.set_status(StatusCode.ERROR)


@contextmanager
def _open(
    name: str, kind: Kind, parent: str | None, started_ns: int | None, attributes: Mapping[str, str | int]
) -> Generator[Span]:
    from opentelemetry import context as contexts
    from opentelemetry.context import Context
    from opentelemetry.trace import NonRecordingSpan, SpanKind, set_span_in_context

    outside = None
    if parent is not None:
        outside = set_span_in_context(NonRecordingSpan(_context_of(parent)), Context()) if parent else Context()
    opened = _tracing.tracer().start_span(
        name, outside, SpanKind[kind.upper()], attributes=attributes, start_time=started_ns
    )
    token = contexts.attach(set_span_in_context(opened))
    try:
        with carried(_traceparent(opened.get_span_context())):
            yield opened
    except BaseException as error:
        opened.set_attribute("error.type", getattr(error, "code", type(error).__name__))
        raise
    finally:
        contexts.detach(token)
        opened.end()


def _context_of(traceparent: str) -> SpanContext:
    from opentelemetry.trace import SpanContext, TraceFlags

    _, trace_id, span_id, flags = traceparent.split("-")
    return SpanContext(int(trace_id, 16), int(span_id, 16), is_remote=True, trace_flags=TraceFlags(int(flags, 16) & 1))


def _traceparent(context: SpanContext) -> str:
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{int(context.trace_flags):02x}"
