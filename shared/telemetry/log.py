"""Structured logs in Cloud Logging's shape: one JSON object per line on standard output.

Source: https://cloud.google.com/logging/docs/structured-logging
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from shared.security.redact import redact_event

from .context import current_request_id, current_span_id, current_trace_id, is_sampled

_SEVERITIES = {"debug": "DEBUG", "info": "INFO", "warning": "WARNING", "error": "ERROR", "critical": "CRITICAL"}
LINES_LOST = "log lines lost"


class _Output:
    """Standard output. A line that cannot be written is lost, and not the request; the next that can says how many were."""

    def __init__(self) -> None:
        self._lost = 0

    def write(self, text: str) -> None:
        """Write a line. structlog lets one thread in at a time."""
        try:
            sys.stdout.write(self._notice() + text)
        except OSError:  # a full disk, a reader that is gone: there is nowhere to tell it
            self._lost += 1
        else:
            self._lost = 0

    def flush(self) -> None:
        """Send on what a buffer holds."""
        try:
            sys.stdout.flush()
        except OSError:
            self._lost += 1

    def _notice(self) -> str:
        if not self._lost:
            return ""
        told = {"severity": "WARNING", "message": LINES_LOST, "lines": self._lost}
        return f"\n{json.dumps(told)}\n"  # the last one may have been cut off in its middle


_OUTPUT = _Output()


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
        logger_factory=structlog.WriteLoggerFactory(_OUTPUT),  # type: ignore[arg-type]  # it writes and flushes, no more
        cache_logger_on_first_use=True,
    )
