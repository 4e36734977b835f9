"""Structured logs in Cloud Logging's shape: one JSON object per line on standard output.

Source: https://cloud.google.com/logging/docs/structured-logging
"""

from __future__ import annotations

import logging
from collections.abc import MutableMapping
from typing import Any

import structlog

from shared.security.redact import redact_event

from .context import current_request_id, current_span_id, current_trace_id, is_sampled

_SEVERITIES = {"debug": "DEBUG", "info": "INFO", "warning": "WARNING", "error": "ERROR", "critical": "CRITICAL"}


def logger(area: str) -> structlog.stdlib.BoundLogger:
    """Return the logger of one area; messages are constants, everything else goes into fields."""
    found: structlog.stdlib.BoundLogger = structlog.get_logger(area=area)
    return found


def configure(*, function: str, project: str) -> None:
    """Set up logging of this process, once, at start."""

    def place(_logger: object, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event["severity"] = _SEVERITIES.get(method, "INFO")
        event["message"] = event.pop("event", "")
        event["function"] = function
        if current_request_id():
            event["request_id"] = current_request_id()
            event["logging.googleapis.com/trace"] = f"projects/{project}/traces/{current_trace_id()}"
            event["logging.googleapis.com/spanId"] = current_span_id()
            event["logging.googleapis.com/trace_sampled"] = is_sampled()
        return event

    structlog.configure(
        processors=[
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
            structlog.processors.format_exc_info,
            place,
            redact_event,
            structlog.processors.JSONRenderer(default=str),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(),  # standard output as it is when a logger is first used
        cache_logger_on_first_use=True,
    )
