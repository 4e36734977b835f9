"""Metrics: numbers that an alert can stand on, sent to the collector that spans go to.

Owns OpenTelemetry's metrics: nothing of it is loaded while no endpoint is set. Whoever measures also says when to send: an instance
has processor time only while it answers, so that a thread which sends by the clock would stand still when a number matters most.
A gauge is sent once for each time it was set: an instance that measures no more does not go on telling its last number.

Source: https://opentelemetry.io/docs/specs/otel/metrics/, semantic conventions 1.37 for the names of metrics and units.
"""

from __future__ import annotations

import logging
import math
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from uuid import uuid4

if TYPE_CHECKING:
    from opentelemetry.sdk.metrics import MeterProvider

    from shared.settings import Settings

_EXPORT_SECONDS = 2.0


class _Metering:
    """The meters of this process: made with the first number, as the server forks its workers before the first request."""

    def __init__(self) -> None:
        self.endpoint = ""
        self.service = ""
        self._provider: MeterProvider | None = None
        self._lock = threading.Lock()

    def configure(self, endpoint: str, service: str) -> None:
        with self._lock:
            self.endpoint, self.service, self._provider = endpoint, service, None

    def provider(self) -> MeterProvider:
        with self._lock:
            if self._provider is None:
                self._provider = self._build()
            return self._provider

    def _build(self) -> MeterProvider:
        from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
        from opentelemetry.sdk.metrics import MeterProvider
        from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
        from opentelemetry.sdk.resources import Resource

        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)  # a collector that is away would fill the log
        exporter = OTLPMetricExporter(endpoint=f"{self.endpoint.rstrip('/')}/v1/metrics", timeout=_EXPORT_SECONDS)
        # Sums run from the start of a process, so each process is a series of its own.
        resource = Resource(
            {"service.namespace": "driftwise", "service.name": self.service, "service.instance.id": str(uuid4())}
        )
        reader = PeriodicExportingMetricReader(exporter, export_interval_millis=math.inf)  # when told, no thread
        return MeterProvider([reader], resource, shutdown_on_exit=False)


_metering = _Metering()


def configure(settings: Settings) -> None:
    """Set up metrics of this process; without an endpoint there are none."""
    _metering.configure(settings.otlp_endpoint, settings.entry_point or settings.function)


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric.

    Attributes:
        name: `driftwise.subject.quantity`.
        kind: `gauge` for how much there is now, `sum` for how much there has been since the process began.
        unit: as UCUM writes it; `{things}` for a count.
        description: one line for whoever reads a chart of it.
    """

    name: str
    kind: Literal["gauge", "sum"]
    unit: str
    description: str

    def record(self, value: float) -> None:
        """Note a number: what it is now, or how many more there have been."""
        if not _metering.endpoint:
            return
        meter = _metering.provider().get_meter("driftwise")  # it keeps its instruments by name
        if self.kind == "gauge":
            meter.create_gauge(self.name, self.unit, self.description).set(value)
        else:
            meter.create_counter(self.name, self.unit, self.description).add(value)


def send() -> None:
    """Send what was recorded. A collector that is away costs two seconds and those numbers of gauges, nothing else."""
    if _metering.endpoint:
        _metering.provider().force_flush(int(_EXPORT_SECONDS * 1000))
