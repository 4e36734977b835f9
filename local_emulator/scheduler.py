"""The scheduler, in the place of Cloud Scheduler: POSTs each schedule again and again, with a token of its sender.

One run at a time for each schedule: a run that takes longer than its interval delays the next one. A failure is logged
and tried again at the next turn. Run as `python -m local_emulator.scheduler --suite FILE --upstreams FILE --tokens URL`.
Source: https://cloud.google.com/scheduler/docs/reference/rpc/google.cloud.scheduler.v1#httptarget (headers)
"""

from __future__ import annotations

import argparse
import json
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from infra.suite import SUITE_FILE, Schedule, Suite, load_suite

from .stopping import when_told_to_stop

_TOKEN_SECONDS = 10


def fire(schedule: Schedule, upstream: str, token: str, *, timeout_seconds: float) -> int:
    """Make the POST of one schedule.

    Args:
        schedule: what to post where.
        upstream: `http://host:port` of the entry point.
        token: OpenID token for that audience.
        timeout_seconds: how long the entry point may take.

    Returns:
        The status, also when it is an error.

    Raises:
        OSError: there was no reply.
    """
    request = urllib.request.Request(  # noqa: S310 (http, to a loopback port)
        upstream + schedule.path,
        data=b"{}",
        method="POST",
        headers={
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/json",
            "User-Agent": "Google-Cloud-Scheduler",
            "X-CloudScheduler": "true",
            "X-CloudScheduler-JobName": schedule.name,
            "X-CloudScheduler-ScheduleTime": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        },
    )
    try:
        with urllib.request.urlopen(request, timeout=timeout_seconds) as reply:  # noqa: S310
            reply.read()
            return int(reply.status)
    except urllib.error.HTTPError as error:
        return error.code


def fetch_token(tokens_url: str, audience: str) -> str:
    """Ask the emulator of Google's services for a token."""
    query = urllib.parse.urlencode({"audience": audience})
    with urllib.request.urlopen(f"{tokens_url}?{query}", timeout=_TOKEN_SECONDS) as reply:  # noqa: S310
        text: str = reply.read().decode()
    return str(json.loads(text)["token"]) if text.lstrip().startswith("{") else text.strip()


def run_schedule(schedule: Schedule, suite: Suite, upstreams: Path, tokens_url: str, stop: threading.Event) -> None:
    """Fire one schedule until told to stop; the first time after one interval."""
    timeout_seconds = suite.functions[schedule.function].entry_points[schedule.entry_point].timeout_seconds
    turn = time.monotonic() + schedule.every_seconds
    while not stop.wait(max(0.0, turn - time.monotonic())):
        turn = max(turn + schedule.every_seconds, time.monotonic())
        try:
            upstream = str(json.loads(upstreams.read_text(encoding="utf-8"))[schedule.entry_point])
            token = fetch_token(tokens_url, upstream)
            status = fire(schedule, upstream, token, timeout_seconds=timeout_seconds)
        except (OSError, ValueError, KeyError) as error:
            log(schedule, f"no reply: {type(error).__name__}: {error}")
        else:
            if not 200 <= status < 300:  # noqa: PLR2004 (HTTP success)
                log(schedule, f"answered {status}")


def log(schedule: Schedule, message: str) -> None:
    """Write one line."""
    print(f"{time.strftime('%Y-%m-%dT%H:%M:%S')} {schedule.name}: {message}", flush=True)


def main() -> None:
    """Run every schedule until told to stop."""
    parser = argparse.ArgumentParser(description="The scheduler of the local emulator")
    parser.add_argument("--suite", type=Path, default=SUITE_FILE, metavar="FILE")
    parser.add_argument("--upstreams", type=Path, required=True, metavar="FILE")
    parser.add_argument("--tokens", required=True, metavar="URL")
    arguments = parser.parse_args()
    suite = load_suite(arguments.suite)
    stop = when_told_to_stop()
    for schedule in suite.schedules.values():
        threading.Thread(
            target=run_schedule, args=(schedule, suite, arguments.upstreams, arguments.tokens, stop), daemon=True
        ).start()
    stop.wait()


if __name__ == "__main__":
    main()
