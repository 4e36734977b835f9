"""Storms of people: signing in, refreshing, and sessions that are used while they are ended.

Signing in goes through the gateway and the emulator's own provider, as a browser does: four requests, of which two are ours.
"""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import cycle, product
from pathlib import Path
from statistics import median

import httpx

from tests.support.browser import Browser, terminal
from tests.support.running_suite import RunningSuite

from .result import Result
from .running import HELLO, ROOT, THREADS, emulator, process, rate, throughput

_ROUNDS = 3
_SESSIONS = 30
_MOST_SECONDS = 120.0


def measure_sessions() -> list[Result]:
    """Measure the three storms on one emulator."""
    data_dir = ROOT / ".local" / "bench"
    with (
        tempfile.TemporaryDirectory() as folder,
        emulator(data_dir),
        process(Path(folder), "hello", HELLO, threads=40) as hello,
    ):
        suite = RunningSuite.of(data_dir / "emulator.json")
        try:
            return [
                _beside(hello, "sign-ins by OpenID Connect", _sign_ins(suite), 0.02),
                _beside(hello, "refreshed tokens", _refreshes(suite), 0.10),
                _revocations(suite),
            ]
        finally:
            suite.client.close()


def _beside(hello: str, what: str, worker: Callable[[int], Callable[[], object]], least: float) -> Result:
    """Measure in turn with hello; in a storm of this size nothing may fail."""
    failed: list[str] = []

    def counted(number: int) -> Callable[[], object]:
        work = worker(number)

        def attempt() -> bool:
            try:
                work()
            except AssertionError as error:
                failed.append(str(error))
                return False
            return True

        return attempt

    pairs = [(throughput(f"{hello}/", {}), rate(counted)) for _ in range(_ROUNDS)]
    ratio = median(our / bare for bare, our in pairs)
    bare, our = (median(pair[side] for pair in pairs) for side in (0, 1))
    measured = f"{our:.1f}/s, {bare:.0f}/s" + (f", {len(failed)} failed: {failed[0][:200]}" if failed else "")
    return Result(what, "hello", measured, ratio, f"at least {least:.2f}, none fails", ratio >= least and not failed)


def _sign_ins(suite: RunningSuite) -> Callable[[int], Callable[[], object]]:
    def sign_in() -> None:
        browser = Browser(suite)
        answer = browser.send("GET", browser.choose(browser.begin()))
        assert answer.status_code == 303, answer.text

    return lambda _number: sign_in


def _refreshes(suite: RunningSuite) -> Callable[[int], Callable[[], object]]:
    """Let each thread keep one terminal signed in, straight at the function's process, as hello is called."""
    url = f"http://127.0.0.1:{suite.processes['auth']}/auth/token"

    def worker(_number: int) -> Callable[[], object]:
        browser = Browser(suite)
        browser.sign_in()
        tokens = terminal(browser)
        client = httpx.Client(timeout=30, trust_env=False)

        def refresh() -> None:
            form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
            answer = client.post(url, data=form)
            assert answer.status_code == 200, answer.text
            tokens.update(answer.json())

        return refresh

    return worker


@dataclass
class _Storm:
    """Sessions in use, and what became of each use.

    Attributes:
        paths: one of each function that is asked.
        ended_at: session to when its end was answered.
        late: uses that began after that: session, path, how many seconds after, whether let in.
    """

    browsers: list[Browser]
    paths: tuple[str, ...]
    ended_at: dict[int, float] = field(default_factory=dict)
    late: list[tuple[int, str, float, bool]] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    def use(self) -> None:
        """Use every session in every function, over and over, until told to stop."""
        for number, path in cycle(product(range(len(self.browsers)), self.paths)):
            if self.stop.is_set():
                return
            began = time.monotonic()
            ended = self.ended_at.get(number)
            status = self.browsers[number].send("GET", path).status_code
            assert status in {200, 401}, status
            if ended is not None:
                self.late.append((number, path, began - ended, status == 200))

    def wait(self) -> None:
        """Wait until every session was used in every function after its end."""
        deadline = time.monotonic() + _MOST_SECONDS
        while len({use[:2] for use in list(self.late)}) < len(self.browsers) * len(self.paths):
            assert time.monotonic() < deadline, "the sessions were not used"
            time.sleep(0.05)


def _revocations(suite: RunningSuite) -> Result:
    """End sessions one by one while all are used in three functions; count uses that were let in afterwards."""
    keeper = Browser(suite)
    csrf = {"X-CSRF-Token": keeper.sign_in()["csrf_token"]}
    browsers = [Browser(suite) for _ in range(_SESSIONS)]
    ids = [browser.sign_in()["session_id"] for browser in browsers]
    storm = _Storm(browsers, ("/api/v2/me", suite.org("/api-keys"), suite.org("/scans")))
    answers: list[float] = []
    with ThreadPoolExecutor(THREADS) as pool:
        users = [pool.submit(storm.use) for _ in range(THREADS)]
        try:
            for number, session_id in enumerate(ids):
                began = time.monotonic()
                answer = keeper.send("DELETE", f"/auth/sessions/{session_id}", headers=csrf)
                assert answer.status_code == 204, answer.text
                storm.ended_at[number] = time.monotonic()
                answers.append(storm.ended_at[number] - began)
            storm.wait()
        finally:
            storm.stop.set()
        for user in users:
            user.result()
    let_in = [after for _, _, after, is_in in storm.late if is_in]
    worst, took = max(let_in, default=0.0) * 1000, median(answers) * 1000
    measured = f"{len(let_in)} of {len(storm.late)}, at most {worst:.0f} ms after it; an end takes {took:.0f} ms"
    ratio = len(let_in) / len(storm.late)
    return Result(
        "uses let in after a session's end", "uses after it", measured, ratio, "none, in three functions", not let_in
    )
