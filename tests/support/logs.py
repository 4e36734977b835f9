"""Reading what a test made the code log: loggers keep the first output they saw, so a test needs fresh ones."""

from __future__ import annotations

import sys

import pytest
import structlog


def fresh_loggers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give every module of ours a new logger, which writes to standard output as it is now."""
    for name, module in list(sys.modules.items()):
        log = getattr(module, "_log", None)
        if name.startswith(("functions.", "infra.", "shared.")) and log is not None:
            area = getattr(log, "_initial_values", {}).get("area", "")
            monkeypatch.setattr(module, "_log", structlog.get_logger(area=area))
