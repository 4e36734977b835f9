"""An operator that works in a thread of the test, and a DriftWise that writes down what it is sent."""

from __future__ import annotations

import asyncio
import gzip
import json
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from flask import Flask, Response, request

from driftwise_operator.cluster import Cluster
from driftwise_operator.operator import Health, Operator
from driftwise_operator.report import Sender
from driftwise_operator.settings import Settings
from functions.scan.domain.cluster_reports import signing_secret
from functions.scan.report_models import ReportPart
from shared.ports.clock import SystemClock
from shared.security.signatures import verify

from .wsgi_server import serving

KEY = "dw2_test"
ACCOUNT = "0190c9f0-0000-7000-8000-000000000001"
DIGEST_KEY = "k" * 40


@dataclass
class Receiver:
    """DriftWise, as far as an operator sees it: checks every part as the report call does, and keeps the objects.

    Attributes:
        parts: every part that was taken, in order.
        attempts: how many requests came.
        faults: answers that come before any other: status, code, headers.
        objects: report -> kind and key -> object.
    """

    parts: list[dict[str, Any]] = field(default_factory=list)
    attempts: int = 0
    faults: deque[tuple[int, str, dict[str, str]]] = field(default_factory=deque)
    drops: int = 0
    objects: dict[str, dict[tuple[str, str], dict[str, Any]]] = field(default_factory=dict)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    @property
    def reports(self) -> list[str]:
        """Return the reports that began, in order."""
        return list(dict.fromkeys(str(part["report_id"]) for part in self.parts))

    @property
    def latest(self) -> dict[tuple[str, str], dict[str, Any]]:
        """Return the objects of the report that began last, by kind and key."""
        return self.objects[self.reports[-1]]

    def listings(self) -> list[dict[str, Any]]:
        """Return what each whole report says it listed."""
        return [part["listing"] for part in self.parts if part.get("listing")]

    def wait_for(self, wanted: Any, seconds: float = 15.0) -> None:
        """Return once something holds."""
        with self._changed:
            assert self._changed.wait_for(wanted, seconds), f"it did not come: {self.parts[-2:]}"

    @contextmanager
    def serve(self) -> Iterator[str]:
        """Serve for the length of a block; yields the address."""
        app = Flask("driftwise")

        @app.post("/api/v2/operator/report")
        def take() -> Response:
            return self._take()

        with serving(app) as url:
            yield url

    def _take(self) -> Response:
        with self._changed:
            self.attempts += 1
            self._changed.notify_all()
            if self.faults:
                status, code, headers = self.faults.popleft()
                return Response(json.dumps({"code": code}), status, headers, content_type="application/problem+json")
            content = gzip.decompress(request.get_data())
            headers = {name.lower(): value for name, value in request.headers.items()}
            verify("standard", headers, content, [signing_secret(headers["x-api-key"])], SystemClock())
            body = json.loads(content)
            part = ReportPart.model_validate(body)
            if not (
                self.parts
                and (self.parts[-1]["report_id"], self.parts[-1]["part"]) == (body["report_id"], body["part"])
            ):
                self._keep(part, body)
            self._changed.notify_all()
            if self.drops:
                self.drops -= 1
                return Response("", 502)  # it was taken, and the answer got lost
            return Response(json.dumps({"status": "accepted", "next_part": part.part + 1}), 200)

    def _keep(self, part: ReportPart, body: dict[str, Any]) -> None:
        self.parts.append(body)
        kept = self.objects.setdefault(str(part.report_id), {})
        for item in part.deleted:
            kept.pop((item.kind_name, item.key), None)
        for item in part.objects:
            metadata = item["metadata"]
            group, _, _ = item["apiVersion"].rpartition("/")
            kind = f"{item['kind']}.{group}" if group else item["kind"]
            key = f"{metadata['namespace']}/{metadata['name']}" if metadata.get("namespace") else metadata["name"]
            kept[kind, key] = item


def settings_of(folder: Path, url: str, api_server: str, **more: Any) -> Settings:
    """Write the operator's files and return its settings, with short waits."""
    (folder / "api-key").write_text(KEY + "\n")
    (folder / "digest-key").write_text(DIGEST_KEY)
    (folder / "token").write_text("cluster-token\n")
    values: dict[str, Any] = {
        "url": url, "account_id": str(UUID(ACCOUNT)), "api_key_file": folder / "api-key", "digest_key_file": folder / "digest-key",
        "api_server": api_server, "token_file": folder / "token", "ca_file": None, "page": 2, "flush_seconds": 0.05,
        "is_loopback": True,
    } | more  # fmt: skip
    return Settings(**values)


@dataclass
class Running:
    """An operator at work."""

    health: Health
    operator: Operator
    _loop: asyncio.AbstractEventLoop
    _stop: asyncio.Event
    _task: asyncio.Task[None]
    _thread: threading.Thread

    def end(self) -> float:
        """Tell it to end, as the cluster does; returns how many seconds it took."""
        began = time.monotonic()
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(15)
        assert not self._thread.is_alive(), "the operator does not end"
        return time.monotonic() - began

    def kill(self) -> None:
        """End it in the middle of whatever it does."""
        self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join(15)


@contextmanager
def operating(settings: Settings) -> Iterator[Running]:
    """Let an operator work for the length of a block."""
    started: dict[str, Any] = {}
    is_up = threading.Event()

    async def work() -> None:
        health = Health()
        cluster, sender = Cluster(settings), Sender(settings, on_answer=health.told)
        stop = asyncio.Event()
        operator = Operator(settings, cluster, sender, health)
        task = asyncio.create_task(operator.run(stop))
        started.update(health=health, operator=operator, _loop=asyncio.get_running_loop(), _stop=stop, _task=task)
        is_up.set()
        try:
            await asyncio.gather(task, return_exceptions=True)
        finally:
            await cluster.close()
            await sender.close()

    thread = threading.Thread(target=lambda: asyncio.run(work()), daemon=True)
    thread.start()
    assert is_up.wait(10)
    running = Running(**started, _thread=thread)
    try:
        yield running
    finally:
        if thread.is_alive():
            running.kill()
