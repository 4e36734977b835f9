"""What becomes of log lines that cannot be written."""

from __future__ import annotations

import errno
import io
import json
from contextlib import redirect_stdout
from typing import Any

from shared.telemetry import log


class Disk(io.StringIO):
    """Standard output into a file on a disk that may be full."""

    is_full = False

    def write(self, text: str) -> int:
        if self.is_full:
            super().write(text[:5])  # what still fitted
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(text)

    def flush(self) -> None:
        if self.is_full:
            raise OSError(errno.ENOSPC, "No space left on device")


def lines(disk: Disk) -> list[dict[str, Any]]:
    found = []
    for line in disk.getvalue().splitlines():
        try:
            found.append(json.loads(line))
        except ValueError:
            continue  # cut off by the full disk
    return found


def test_a_full_disk_costs_lines_and_never_a_request() -> None:
    log.configure(function="tests", project="p")
    logger, disk = log.logger("tests"), Disk()
    with redirect_stdout(disk):
        logger.info("before")
        disk.is_full = True
        for _ in range(3):
            logger.info("lost")
        disk.is_full = False
        logger.info("after")
        logger.info("and on")
    assert [line["message"] for line in lines(disk)] == ["before", "log lines lost", "after", "and on"]
    (told,) = (line for line in lines(disk) if line["message"] == "log lines lost")
    assert told["severity"] == "WARNING"
    assert told["lines"] >= 3
