"""Notifications that go out: a channel whose address is a config of the organisation's own, so that each one comes round."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

from ..violations import Violation
from .journey import OrgOfJourney, Scene, wait_for
from .ledger import Ledger

_EVENT = "webhook:config:changed"

# A channel that failed waits up to two hours: nobody wants to wait as long to see that nothing was lost.
_HURRY = (
    "update webhook.deliveries_out set due_at = now() where org_id = :org_id and status = 'pending' and due_at > now()",
    "update webhook.notification_channels set retry_at = now() where org_id = :org_id and retry_at > now()",
)
_LEFT = """
select count(*) from core.audit_log a where a.org_id = :org_id and a.action = :event
union all select -count(*) from webhook.deliveries_in d where d.org_id = :org_id and d.status = 'handled'
"""
# What came in, in the order in which transactions took it in: clocks may have jumped meanwhile.
_CAME_IN = """
select d.external_id from webhook.deliveries_in d
join webhook.body_claims c on c.org_id = d.org_id and c.taken_as = d.id
where d.org_id = :org_id order by cast(cast(c.xmin as text) as bigint)
"""


class Notifications:
    """Somebody who wants to be told of every change."""

    name = "notifications"

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._changes = Ledger()
        self._numbers = count(1)

    def prepare(self) -> None:
        """Make the channel and the config it calls, which knows the channel's secret."""
        self.org: OrgOfJourney = self._scene.make_org()
        config = self.org.insist("POST", "/webhook-configs", json={"provider": "standard", "name": self.org.marker})
        wish = {"kind": "webhook", "name": self.org.marker, "url": config["url"], "events": [_EVENT]}
        channel = self.org.insist("POST", "/notification-channels", json=wish)
        self._scene.calls.keep_secret(config["secret"], channel["secret"])
        rotated = {"secret": channel["secret"], "grace_seconds": 0}
        self.org.insist("POST", f"/webhook-configs/{config['id']}/rotate", json=rotated)
        self._config_id = str(config["id"])

    def turn(self) -> None:
        """Change the config's name: one event, or one for each attempt that went through."""
        name = f"{self.org.marker} {next(self._numbers)}"
        with self._changes.making(name):
            self.org.insist("PATCH", f"/webhook-configs/{self._config_id}", json={"name": name})

    def check(self) -> Iterator[Violation]:
        """Wait until every change came round, then compare the audit log, what went out, and what came in."""
        if not wait_for(self._is_over, self._scene.settle_seconds):
            yield Violation("notifications: late", "not every change came round")
        changes = self.org.arrange(
            "select distinct facts::jsonb ->> 'name' from core.audit_log where org_id = :org_id and action = :event",
            event=_EVENT,
        )
        yield from self._changes.compare(self.name, "change", (str(name) for (name,) in changes))
        audited = self.org.arrange(
            "select count(*) from core.audit_log where org_id = :org_id and action = :event", event=_EVENT
        )[0][0]
        out = self.org.arrange("select id, status from webhook.deliveries_out where org_id = :org_id order by seq")
        if len(out) != audited:
            yield Violation("notifications: out", f"{len(out)} messages for {audited} changes")
        went = Ledger()
        for message_id, status in out:
            went.promise(str(message_id))
            if status != "delivered":
                yield Violation("notifications: out", f"message {message_id} is {status}")
        came = self.org.arrange("select external_id from webhook.deliveries_in where org_id = :org_id")
        yield from went.compare(self.name, "message", (str(message_id) for (message_id,) in came))
        ordered = [str(message_id) for (message_id,) in self.org.arrange(_CAME_IN)]
        if ordered != [message_id for message_id in went.promised() if message_id in set(ordered)]:
            yield Violation("notifications: order", "messages came in another order than they were told in")

    def _is_over(self) -> bool:
        for statement in _HURRY:
            self.org.arrange(statement)
        return sum(int(str(number)) for (number,) in self.org.arrange(_LEFT, event=_EVENT)) <= 0
