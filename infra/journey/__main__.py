"""Runs the journey once: `python -m infra.journey --url https://driftwise.example.com`.

The key stands in JOURNEY_API_KEY, or in the file of `--key-file`. Writes a line of the log for each step and one for the whole, in Cloud
Logging's shape: the module `observability` counts them. Ends with 0 when every step passed, 1 when one failed, 2 when it is not set up.
"""

from __future__ import annotations

import argparse
import os
import secrets
import sys
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from shared.ports.clock import SystemClock
from shared.telemetry.log import configure, logger

from .steps import Journey, Result

KEY_VARIABLE = "JOURNEY_API_KEY"
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}
_PREFIX = "dw2_"
_log = logger("journey")


def report(results: Sequence[Result], run: str) -> bool:
    """Write how the journey went; returns whether it passed."""
    for result in results:
        _log.info(
            "journey step",
            run=run,
            step=result.step,
            outcome=result.outcome,
            latency_ms=result.latency_ms,
            reason=result.reason,
        )
    outcomes = {result.step: result.outcome for result in results}
    latencies_ms = {result.step: result.latency_ms for result in results}
    failed = [result for result in results if result.outcome == "failed"]
    if not failed:
        _log.info("journey passed", run=run, outcomes=outcomes, latencies_ms=latencies_ms)
        return True
    first = failed[0]
    _log.error(
        "journey failed", run=run, step=first.step, reason=first.reason, outcomes=outcomes, latencies_ms=latencies_ms
    )
    return False


def read_url(text: str) -> str:
    """Check an address.

    Raises:
        ValueError: a key would go over the line in the open, or the address is none.
    """
    parts = urlsplit(text)
    if not parts.hostname or parts.username or parts.query or parts.fragment:
        raise ValueError("no address of a suite")
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise ValueError("the key goes over https only")
    return text.rstrip("/")


def read_key(file: Path | None) -> str:
    """Read the key.

    Raises:
        ValueError: there is none; the secret holds what it was made with until the operator puts the key in.
        OSError: the file cannot be read.
    """
    key = (file.read_text("ascii", errors="replace") if file else os.environ.get(KEY_VARIABLE, "")).strip()
    if not key.startswith(_PREFIX) or not key.isascii():
        raise ValueError("no API key: see the runbook journey-failed")
    return key


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the journey; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m infra.journey", description="Run the customer's journey once.")
    parser.add_argument("--url", required=True, help="public address of the suite")
    parser.add_argument("--key-file", type=Path, help=f"file that holds the API key (default: {KEY_VARIABLE})")
    parser.add_argument("--scan-seconds", type=float, default=150, help="how long a scan may take (default: 150)")
    parser.add_argument("--within-seconds", type=float, default=270, help="how long everything may take (default: 270)")
    options = parser.parse_args(arguments)
    configure(function="journey", project=os.environ.get("DW_PROJECT", ""))
    run = f"journey-{secrets.token_hex(6)}"
    try:
        url, key = read_url(options.url), read_key(options.key_file)
    except (ValueError, OSError) as error:
        _log.error(
            "journey not set up", run=run, reason=str(error) if isinstance(error, ValueError) else "no such file"
        )
        return 2
    with httpx.Client(base_url=url, trust_env=False, follow_redirects=False) as client:
        results = list(Journey(client, key, SystemClock(), run, options.scan_seconds, options.within_seconds).results())
    return 0 if report(results, run) else 1


if __name__ == "__main__":
    sys.exit(main())
