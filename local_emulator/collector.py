"""A collector of spans and metrics: takes OTLP over HTTP, keeps the last ones in memory, gives them back as JSON.

Run as `python -m local_emulator.collector --port 4318`. Loopback only; its data ends with it. `GET /traces/{id}` answers the
spans of one trace by their start, `GET /traces` the ids of the last traces, `GET /metrics` the last numbers, the newest first.
Source: OTLP 1.8, section "OTLP/HTTP".
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric as ProtoMetric
from opentelemetry.proto.trace.v1.trace_pb2 import Span as ProtoSpan
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from .ports import HOST
from .stopping import serve_until_told

MOST_SPANS, MOST_POINTS = 20_000, 2_000
_MOST_BODY_BYTES = 16 * 1024 * 1024
_MOST_LISTED = 100
_TRACE = re.compile(r"/traces/([0-9a-f]{32})")
_LOOPBACK = frozenset({HOST, "localhost"})


@dataclass(frozen=True, slots=True)
class Span:
    """One span as the collector shows it.

    Attributes:
        parent_id: empty for a root.
        kind: `internal`, `server`, `client`, `producer` or `consumer`.
        start_ns, end_ns: Unix time.
    """

    trace_id: str
    span_id: str
    parent_id: str
    name: str
    kind: str
    service: str
    start_ns: int
    end_ns: int
    is_error: bool
    attributes: dict[str, object]


class Spans:
    """The last spans."""

    def __init__(self, most: int = MOST_SPANS) -> None:
        self._kept: deque[Span] = deque(maxlen=most)
        self._lock = threading.Lock()

    def take(self, content: bytes) -> None:
        """Keep the spans of one export. Raises: DecodeError."""
        request = ExportTraceServiceRequest()
        request.ParseFromString(content)
        found = [
            _span(span, str(_values(resource.resource.attributes).get("service.name", "")))
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]
        with self._lock:
            self._kept.extend(found)

    def trace(self, trace_id: str) -> list[Span]:
        """Return the spans of one trace by their start."""
        with self._lock:
            return sorted((item for item in self._kept if item.trace_id == trace_id), key=lambda item: item.start_ns)

    def trace_ids(self) -> list[str]:
        """Return the ids of the last traces, the newest first."""
        with self._lock:
            return list(dict.fromkeys(item.trace_id for item in reversed(self._kept)))[:_MOST_LISTED]


@dataclass(frozen=True, slots=True)
class Point:
    """One number of a metric as the collector shows it.

    Attributes:
        kind: `gauge`, or `sum` of all since the process began.
        instance: the process that sent it.
        time_ns: Unix time.
    """

    name: str
    kind: str
    unit: str
    service: str
    instance: str
    value: float
    time_ns: int


class Points:
    """The last numbers of metrics."""

    def __init__(self, most: int = MOST_POINTS) -> None:
        self._kept: deque[Point] = deque(maxlen=most)
        self._lock = threading.Lock()

    def take(self, content: bytes) -> None:
        """Keep the numbers of one export. Raises: DecodeError."""
        request = ExportMetricsServiceRequest()
        request.ParseFromString(content)
        found = [
            point
            for resource in request.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
            for point in _points(metric, _values(resource.resource.attributes))
        ]
        with self._lock:
            self._kept.extend(found)

    def last(self) -> list[Point]:
        """Return the last numbers, the newest first."""
        with self._lock:
            return list(reversed(self._kept))[:_MOST_LISTED]


def _points(metric: ProtoMetric, resource: dict[str, object]) -> list[Point]:
    kind = str(metric.WhichOneof("data"))
    if kind == "sum" and not (
        metric.sum.is_monotonic
        and metric.sum.aggregation_temporality == AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
    ):
        kind = "delta"  # what Google Cloud does not take
    return [
        Point(
            name=metric.name,
            kind=kind,
            unit=metric.unit,
            service=str(resource.get("service.name", "")),
            instance=str(resource.get("service.instance.id", "")),
            value=point.as_double if point.WhichOneof("value") == "as_double" else point.as_int,
            time_ns=point.time_unix_nano,
        )
        for point in (*metric.gauge.data_points, *metric.sum.data_points)
    ]


def _span(span: ProtoSpan, service: str) -> Span:
    return Span(
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_id=span.parent_span_id.hex(),
        name=span.name,
        kind=ProtoSpan.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_").lower(),
        service=service,
        start_ns=span.start_time_unix_nano,
        end_ns=span.end_time_unix_nano,
        is_error=span.status.code == Status.STATUS_CODE_ERROR,
        attributes=_values(span.attributes),
    )


def _values(pairs: list[KeyValue]) -> dict[str, object]:
    found: dict[str, object] = {}
    for pair in pairs:
        kind = pair.value.WhichOneof("value")
        found[pair.key] = (
            getattr(pair.value, kind) if kind in {"string_value", "bool_value", "int_value", "double_value"} else None
        )
    return found


class _Handler(BaseHTTPRequestHandler):
    server: CollectorServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:  # noqa: N802 (the server calls it so)
        found = _TRACE.fullmatch(self.path)
        if not self._is_local():
            self._answer(HTTPStatus.FORBIDDEN, {"error": "loopback only"})
        elif self.path == "/_health":
            self._answer(HTTPStatus.OK, {"status": "ok"})
        elif self.path == "/traces":
            self._answer(HTTPStatus.OK, {"trace_ids": self.server.spans.trace_ids()})
        elif self.path == "/metrics":
            self._answer(HTTPStatus.OK, {"points": [asdict(item) for item in self.server.points.last()]})
        elif found:
            self._answer(HTTPStatus.OK, {"spans": [asdict(item) for item in self.server.spans.trace(found[1])]})
        else:
            self._answer(HTTPStatus.NOT_FOUND, {"error": "no such path"})

    def do_POST(self) -> None:  # noqa: N802 (the server calls it so)
        size = int(self.headers.get("Content-Length") or 0)
        taken = self.server.takers.get(self.path)
        if taken is None or not 0 <= size <= _MOST_BODY_BYTES:
            self.close_connection = True
            self._answer(HTTPStatus.NOT_FOUND, {"error": "POST /v1/traces takes spans, POST /v1/metrics metrics"})
            return
        take, reply = taken
        content = self.rfile.read(size)
        try:
            take(gzip.decompress(content) if self.headers.get("Content-Encoding") == "gzip" else content)
        except (DecodeError, OSError, EOFError):
            self._answer(HTTPStatus.BAD_REQUEST, {"error": "not OTLP in protobuf"})
            return
        self._send(HTTPStatus.OK, reply, "application/x-protobuf")

    def log_message(self, *_: object) -> None:
        """Log nothing: a line per export tells nobody anything."""

    def _is_local(self) -> bool:
        """Whether it was called by its own address: a web page could call it by a name of the page's choosing."""
        return self.headers.get("Host", "").rpartition(":")[0] in _LOOPBACK

    def _answer(self, status: HTTPStatus, body: dict[str, object]) -> None:
        self._send(status, json.dumps(body).encode(), "application/json")

    def _send(self, status: HTTPStatus, content: bytes, content_type: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


class CollectorServer(ThreadingHTTPServer):
    """Serves on loopback."""

    daemon_threads = True

    def __init__(self, port: int) -> None:
        super().__init__((HOST, port), _Handler)
        self.spans, self.points = Spans(), Points()
        self.takers: dict[str, tuple[Callable[[bytes], None], bytes]] = {
            "/v1/traces": (self.spans.take, ExportTraceServiceResponse().SerializeToString()),
            "/v1/metrics": (self.points.take, ExportMetricsServiceResponse().SerializeToString()),
        }


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(description="A collector of spans and metrics for the local emulator")
    parser.add_argument("--port", type=int, required=True)
    server = CollectorServer(parser.parse_args().port)
    serve_until_told(server)


if __name__ == "__main__":
    main()
