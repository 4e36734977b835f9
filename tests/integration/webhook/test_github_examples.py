"""Real payloads of GitHub, and what fuzzing makes of them, signed and delivered: each is taken in, and its work ends, in time."""

from __future__ import annotations

import json
import time
from collections import Counter
from uuid import uuid4

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.github_examples import Example, github_examples, mutated
from tests.support.http_app import call
from tests.support.webhook_function import WebhookOrg, sender_of

_MOST_SECONDS = 5.0


def deliver(org: WebhookOrg, config: dict[str, str], example: Example, body: bytes) -> str | None:
    """Deliver a body as GitHub does, and have it worked on; returns the delivery's id, None when it came before."""
    began = time.monotonic()
    sent = sender_of(config).send(body, org.function.now, uuid4().hex)
    answer = org.function.deliver(config["url"], sent, **{"x-github-event": example.event})
    found = json.loads(answer.get_data())
    assert (answer.status_code, found["status"]) in {(202, "accepted"), (200, "already_processed")}, found
    if answer.status_code == 202:
        worked = org.function.push(org.function.waiting()[-1])
        assert worked.status_code == 204, worked.get_data(as_text=True)
    assert time.monotonic() - began < _MOST_SECONDS, f"{example.event}: {body[:200]!r}"
    return found.get("id")


def test_every_payload_of_github_is_taken_in_and_worked_on_once(org: WebhookOrg) -> None:
    config = org.make_config("github")
    expected: Counter[str] = Counter()
    bodies: set[bytes] = set()
    for example in github_examples("api.github.com"):
        is_new = example.body not in bodies
        assert (deliver(org, config, example, example.body) is not None) == is_new, example.kind
        if is_new:
            bodies.add(example.body)
            expected[example.kind] += 1
    rows = org.function.database.owner.run(
        "select event_kind, status, tries, count(*) from webhook.deliveries_in where org_id = :id group by 1, 2, 3",
        id=org.id,
    )
    assert {row[0]: row[3] for row in rows} == expected
    assert {(row[1], row[2]) for row in rows} == {("handled", 1)}
    told = org.function.events(org.id)
    assert Counter(item["event"] for item in told) == {"webhook:delivery:handled": len(bodies)}


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(data=st.data())
def test_what_fuzzing_makes_of_them_ends_as_handled_or_as_unreadable(org: WebhookOrg, data: st.DataObject) -> None:
    config = org.function.__dict__.setdefault("config", None) or org.make_config("github")
    org.function.__dict__["config"] = config
    example, body = data.draw(mutated(github_examples()))
    delivery_id = deliver(org, config, example, body)
    if delivery_id is None:
        return
    (row,) = org.function.database.owner.run(
        "select status, error_code from webhook.deliveries_in where id = cast(:id as uuid)", id=delivery_id
    )
    assert tuple(row) in {("handled", None), ("failed", "body_unreadable")}
    listed = call(org.function.app, "GET", f"/api/v2/orgs/{org.id}/webhook-deliveries?limit=1", token=org.token())
    assert listed.status_code == 200, listed.get_data(as_text=True)
