"""Webhooks that come in: whoever sends them sends again until it hears 2xx, and some of them again after that."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from itertools import count
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from tests.support.listening import Listener
from tests.support.scanning import Estate
from tests.support.webhook_senders import Sender

from ..calls import Caller, document
from ..violations import Violation
from .journey import OrgOfJourney, Scene, wait_for
from .ledger import Ledger

_UNHANDLED = "select count(*) from webhook.deliveries_in where org_id = :org_id and status = 'received'"
_UNSENT = "select count(*) from core.outbox where org_id = :org_id"


class Webhooks:
    """Two systems that report what happened in them: one signs the time as well, the other does not."""

    name = "webhooks"

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._taken = Ledger()
        self._sent: dict[str, tuple[str, bytes]] = {}  # promised deliveries: name to provider and body
        self._seen: list[Violation] = []
        self._numbers = count(1)

    def prepare(self) -> None:
        """Make a config for each sender, and listen to what the organisation is told of deliveries."""
        self.org: OrgOfJourney = self._scene.make_org()
        self._machine: Caller = self._scene.caller(marker=self.org.marker)
        self._paths: dict[str, str] = {}
        self._senders: dict[str, Sender] = {}
        for provider in ("github", "standard"):
            wish = {"provider": provider, "name": self.org.marker}
            made = self.org.insist("POST", "/webhook-configs", json=wish)
            self._scene.calls.keep_secret(made["secret"])
            self._paths[provider] = urlsplit(made["url"]).path
            self._senders[provider] = Sender(provider, made["secret"])
        self._listener = Listener.start(Estate(self._scene.suite, "none"))

    def turn(self) -> None:
        """Deliver something new, then something that was taken in before."""
        number = next(self._numbers)
        provider, name = ("github", "standard")[number % 2], uuid4().hex
        body = json.dumps({"type": "run.planned", "number": number, "text": self.org.marker}).encode()
        with self._taken.making(name):
            self._deliver(provider, name, body)
        self._sent[name] = (provider, body)
        again = list(self._sent)[number // 2 % len(self._sent)]
        provider, body = self._sent[again]
        told = self._deliver(provider, again, body)
        if told["status"] != "already_processed":
            self._seen.append(Violation("webhooks: doubled", f"delivery {again} was taken in again"))

    def check(self) -> Iterator[Violation]:
        """Wait until all were worked on, then compare: one row each, handled, and told once."""
        if not wait_for(lambda: not self._left(), self._scene.settle_seconds):
            yield Violation("webhooks: stuck", f"{self._left()} deliveries or messages are still waiting")
        yield from self._seen
        rows = self.org.arrange("select external_id, id, status from webhook.deliveries_in where org_id = :org_id")
        yield from self._taken.compare(self.name, "delivery", (str(name) for name, _, _ in rows))
        told = self._listener.hear()
        for name, delivery_id, status in rows:
            if status != "handled":
                yield Violation("webhooks: unhandled", f"delivery {name} is {status}")
            number = len(told.get(str(delivery_id), ()))
            if number != 1:
                yield Violation("webhooks: told", f"of delivery {name} the organisation was told {number} times")

    def _left(self) -> int:
        """Count what is not worked on yet, and events that have not left."""
        return sum(int(str(self.org.arrange(counted)[0][0])) for counted in (_UNHANDLED, _UNSENT))

    def _deliver(self, provider: str, name: str, body: bytes) -> dict[str, Any]:
        sent = self._senders[provider].send(body, int(time.time()), name)
        headers = {"Content-Type": "application/json", **sent.headers}
        return document(self._machine.insist("POST", self._paths[provider], content=body, headers=headers))
