"""Log lines: JSON on standard output, constant messages with fields, never a value of an object."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime


def log(severity: str, message: str, **fields: object) -> None:
    """Write one line."""
    line = {"time": datetime.now(UTC).isoformat(), "severity": severity.upper(), "message": message, **fields}
    sys.stdout.write(json.dumps(line, default=str) + "\n")
    sys.stdout.flush()
