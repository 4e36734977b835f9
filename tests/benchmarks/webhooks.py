"""Webhooks under failure and under load: 10,000 deliveries while processes are killed, and how fast the intake is beside a hello.

Killed by SIGKILL, in turn: the worker, which is the relay too; the intake; the scheduler, which calls the relay. A sender does what
providers do: it sends again until it hears 2xx. Whether each delivery was handled once is counted in the database, and by the events
that told of it.
"""

from __future__ import annotations

import json
import os
import random
import signal
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count, cycle, islice
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx

from local_emulator.ports import is_listening
from tests.support.listening import told_of_deliveries
from tests.support.running_suite import RunningSuite
from tests.support.scanning import Estate, Org
from tests.support.webhook_senders import Sender, Sent

from .result import Result
from .running import HELLO, ROOT, THREADS, emulator, process, rate, throughput

DELIVERIES = int(os.environ.get("DRIFTWISE_BENCH_DELIVERIES", "10000"))
_AGAIN = DELIVERIES // 10  # sent twice under the same name, and as many whose body comes under another name
_ROUNDS = 3
_KILLED = ("webhook_worker", "webhook", "scheduler")
_KILL_EVERY_SECONDS = 8.0  # the emulator starts a process again three times a minute, and no more
_MOST_KILLS = 18  # each makes the queue wait longer for messages that met it: a bench is to end
_SENT_AGAIN_AFTER_SECONDS = 0.2
_MOST_SECONDS = 900.0
_MOST_BACK_OFF_SECONDS = 660.0  # what the queue may wait before it tries a message again, and a minute
_numbers = count(1)


def measure_webhooks() -> list[Result]:
    """Measure the intake, then send while processes are killed, on one emulator."""
    data_dir = ROOT / ".local" / "bench"
    with (
        tempfile.TemporaryDirectory() as folder,
        emulator(data_dir),
        process(Path(folder), "hello", HELLO, threads=40) as hello,
    ):
        suite = RunningSuite.of(data_dir / "emulator.json")
        try:
            estate = Estate(suite, "none")
            return [_intake(hello, estate), _under_kills(estate)]
        finally:
            suite.client.close()


@dataclass
class _Hook:
    """One organisation's config, and whoever sends to it."""

    org: Org
    url: str
    sender: Sender

    @classmethod
    def make(cls, estate: Estate) -> _Hook:
        """Make an organisation with a config; its address is that of the function's process, as hello's is."""
        org = Org.make(estate)
        made = org.send("POST", "/webhook-configs", json={"provider": "github", "name": "bench"})
        url = f"http://127.0.0.1:{estate.suite.processes['webhook']}{urlsplit(made['url']).path}"
        return cls(org, url, Sender("github", made["secret"]))

    def sign(self, number: int, name: str) -> Sent:
        """Sign a delivery: a push of a usual size."""
        commits = [{"id": f"{number:040x}", "message": "word " * 40, "added": ["main.tf"]} for _ in range(4)]
        body = json.dumps({"ref": "refs/heads/main", "number": number, "commits": commits}).encode()
        return self.sender.send(body, 0, name)

    def post(self, client: httpx.Client, sent: Sent) -> int:
        """Deliver it; returns the status."""
        return client.post(
            self.url, content=sent.body, headers={**sent.headers, "content-type": "application/json"}
        ).status_code

    def counted(self) -> dict[str, int]:
        """Count in the database."""
        (row,) = self.org.arrange(
            "select count(*), count(distinct external_id), count(distinct body_sha256), count(*) filter (where status = 'handled'),"
            " count(*) filter (where tries > 1), (select count(*) from core.outbox where org_id = :org_id)"
            " from webhook.deliveries_in where org_id = :org_id"
        )
        return dict(zip(("rows", "names", "bodies", "handled", "tried_again", "unsent"), row, strict=True))


# --- How fast ----------------------------------------------------------------------------------------------------------


def _intake(hello: str, estate: Estate) -> Result:
    """Take in deliveries, each a new one, in turn with hello; the work on them waits meanwhile."""
    hook = _Hook.make(estate)

    def worker(_number: int) -> Callable[[], object]:
        client = httpx.Client(timeout=30, trust_env=False)

        def deliver() -> None:
            number = next(_numbers)
            status = hook.post(client, hook.sign(number, f"intake-{number}"))
            assert status == 202, status

        return deliver

    pairs: list[tuple[float, float]] = []
    for _ in range(_ROUNDS):
        bare = throughput(f"{hello}/", {})
        with _paused(estate, "webhook_worker"):
            pairs.append((bare, rate(worker)))
    ratio = median(our / bare for bare, our in pairs)
    bare, our = (median(pair[side] for pair in pairs) for side in (0, 1))
    _wait(hook, hook.counted()["rows"], _deadline())
    return Result("webhook intake", "hello", f"{our:.0f}/s, {bare:.0f}/s", ratio, "none; all taken in", is_met=True)


@contextmanager
def _paused(estate: Estate, name: str) -> Iterator[None]:
    group = estate.process_id(name)
    os.killpg(group, signal.SIGSTOP)
    try:
        yield
    finally:
        os.killpg(group, signal.SIGCONT)


# --- While processes are killed ----------------------------------------------------------------------------------------


@dataclass
class _Killer:
    """Kills processes in turn until told to stop."""

    estate: Estate
    kills: Counter[str] = field(default_factory=Counter)
    stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Kill one after the other, each once the one before is up again."""
        for name in islice(cycle(_KILLED), _MOST_KILLS):
            if self.stop.wait(_KILL_EVERY_SECONDS):
                return
            self.estate.kill(name)
            self.kills[name] += 1
            port, ends_at = self.estate.suite.processes.get(name), time.monotonic() + 60
            while port and not is_listening(port) and time.monotonic() < ends_at:
                time.sleep(0.1)


def _under_kills(estate: Estate) -> Result:
    """Send every delivery, with duplicates, in any order; wait until the work is done; count."""
    hook, killer = _Hook.make(estate), _Killer(estate)
    statuses: Counter[int] = Counter()
    ends_at = _deadline()
    with told_of_deliveries(estate) as told, ThreadPoolExecutor(THREADS + 1) as pool:
        began = time.monotonic()
        killing = pool.submit(killer.run)
        try:
            shares = _shares(hook)
            for found in pool.map(lambda share: _send(hook, share, ends_at), shares):
                statuses += found
            sent_after = time.monotonic() - began
            _wait(hook, DELIVERIES // 2, ends_at)  # and while what was taken in is worked on
        finally:
            killer.stop.set()
        killing.result()
        _wait(hook, DELIVERIES, time.monotonic() + _MOST_BACK_OFF_SECONDS)
        took = time.monotonic() - began
    found = hook.counted()
    once = sum(len(events) == 1 for events in told.values())
    is_met = (
        found["rows"] == found["names"] == found["bodies"] == found["handled"] == once == len(told) == DELIVERIES
        and found["unsent"] == 0
    )
    relayed, lag = _relayed(estate)
    again = sum(number for status, number in statuses.items() if status not in {200, 202})
    kills = ", ".join(f"{name} {number}" for name, number in sorted(killer.kills.items()))
    measured = (
        f"{found['handled']:,} handled, {once:,} told once; {statuses[202] + statuses[200]:,} sent ({statuses[200]:,} known already, "
        f"{again:,} sent again after a failure), {found['tried_again']:,} worked on again; killed: {kills}; {relayed:,} relayed, "
        f"lag at most {lag:.0f} s; sent in {sent_after:.0f} s, done in {took:.0f} s"
    )
    ratio = min(found["handled"], once) / DELIVERIES
    return Result(
        f"{DELIVERIES:,} deliveries with {2 * _AGAIN:,} duplicates, under kills", "handled exactly once", measured, ratio,
        "1.00, nothing lost or twice", is_met,
    )  # fmt: skip


def _shares(hook: _Hook) -> list[Sequence[Sent]]:
    """Make what is sent, duplicates and all, in an order that is the same in every run; a share for each thread."""
    chance = random.Random(7)  # noqa: S311  # an order, no secret
    first = next(_numbers)
    numbers = range(first, first + DELIVERIES)
    named = {number: uuid4().hex for number in numbers}
    wanted = [(number, named[number]) for number in numbers]
    wanted += [(number, named[number]) for number in chance.sample(numbers, _AGAIN)]
    wanted += [(number, uuid4().hex) for number in chance.sample(numbers, _AGAIN)]
    chance.shuffle(wanted)
    sent = [hook.sign(number, name) for number, name in wanted]
    return [sent[place::THREADS] for place in range(THREADS)]


def _send(hook: _Hook, share: Sequence[Sent], ends_at: float) -> Counter[int]:
    """Send one after the other, each until it is answered with 2xx; returns how often which status came, 0 for no answer."""
    statuses: Counter[int] = Counter()
    with httpx.Client(timeout=30, trust_env=False) as client:
        for sent in share:
            while True:
                try:
                    status = hook.post(client, sent)
                except httpx.TransportError:
                    status = 0
                statuses[status] += 1
                if status in {200, 202}:
                    break
                if time.monotonic() > ends_at or status not in {0, 429, 500, 502, 503}:
                    raise RuntimeError(f"a delivery was answered with {status}")
                time.sleep(_SENT_AGAIN_AFTER_SECONDS)
    return statuses


def _deadline() -> float:
    return time.monotonic() + _MOST_SECONDS


def _wait(hook: _Hook, handled: int, ends_at: float) -> None:
    """Wait until so many are handled and, at the end, everything left; what is missing at the deadline is counted as lost."""
    while time.monotonic() < ends_at:
        found = hook.counted()
        if found["handled"] >= handled and (handled < found["rows"] or not found["unsent"]):
            return
        time.sleep(0.5)


def _relayed(estate: Estate) -> tuple[int, float]:
    """Ask the collector how many messages the relays of all processes sent, and how late they were at most."""
    address = f"http://127.0.0.1:{estate.suite.processes['collector']}/metrics"
    points: list[dict[str, Any]] = httpx.get(address, trust_env=False).json()["points"]
    sums: dict[str, float] = {}
    for point in points:
        if point["name"] == "driftwise.outbox.relayed":
            sums[point["instance"]] = max(point["value"], sums.get(point["instance"], 0))
    lags = [point["value"] for point in points if point["name"] == "driftwise.outbox.lag"]
    return int(sum(sums.values())), max(lags, default=0.0)
