"""Notifications through the running suite: an event becomes a signed message that our own intake takes in, once."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.support.running_suite import RunningSuite
from tests.support.scanning import Estate, Org
from tests.support.waiting import wait_until

_LONG_SECONDS = 120.0


@pytest.fixture(scope="module")
def estate(emulator: RunningSuite) -> Estate:
    return Estate(emulator, "none")  # its other back ends; nothing is scanned here


@pytest.fixture
def org(estate: Estate) -> Org:
    return Org.make(estate)


def deliveries(org: Org, query: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = org.send("GET", f"/webhook-deliveries?limit=200&{query}")["items"]
    return found


def point_at_itself(org: Org) -> tuple[dict[str, Any], dict[str, Any]]:
    """Make a channel whose address is a config of the organisation's own, with the channel's secret."""
    config = org.send("POST", "/webhook-configs", json={"provider": "standard", "name": "ours"})
    wish = {"kind": "webhook", "name": "ours", "url": config["url"], "events": ["webhook:config:changed"]}
    channel = org.send("POST", "/notification-channels", json=wish)
    rotated = {"secret": channel["secret"], "grace_seconds": 0}
    org.send("POST", f"/webhook-configs/{config['id']}/rotate", json=rotated)
    return channel, config


def end_leases_of_the_dead(org: Org) -> None:
    """Let the two minutes be over for which a sender keeps others away: nobody sends now, so who has a lease is dead."""
    org.arrange(
        "update webhook.notification_channels set leased_until = now() - interval '1 second' "
        "where org_id = :org_id and leased_until is not null"
    )


def test_an_event_is_told_in_order_signed_and_once(org: Org) -> None:
    channel, config = point_at_itself(org)
    for number in range(5):
        org.send("PATCH", f"/webhook-configs/{config['id']}", json={"name": f"name {number}"})
    wait_until(
        lambda: len(deliveries(org, "direction=in&status=handled")) >= 5,
        "five messages came round",
        timeout_seconds=_LONG_SECONDS,
    )
    out, came = deliveries(org, "direction=out"), deliveries(org, "direction=in")
    assert {(each["status"], each["response_status"], each["tries"]) for each in out} == {("delivered", 202, 1)}
    assert [each["external_id"] for each in sorted(came, key=lambda each: str(each["received_at"]))] == [
        each["id"] for each in sorted(out, key=lambda each: int(each["seq"]))
    ]
    assert {each["event_kind"] for each in came} == {"webhook:config:changed"}
    assert org.send("GET", f"/notification-channels/{channel['id']}")["failing_since"] is None


def test_a_worker_that_is_killed_loses_no_message(org: Org, estate: Estate) -> None:
    _, config = point_at_itself(org)
    wanted = 12
    for number in range(wanted):
        org.send("PATCH", f"/webhook-configs/{config['id']}", json={"name": f"name {number}"})
        if number in {3, 8}:
            estate.kill("webhook_worker")
            end_leases_of_the_dead(org)
            time.sleep(0.5)
    wait_until(
        lambda: len(deliveries(org, "direction=out&status=delivered")) >= wanted,
        "every message went out",
        timeout_seconds=2 * _LONG_SECONDS,
    )
    wait_until(
        lambda: len(deliveries(org, "direction=in&status=handled")) >= wanted,
        "every message was taken in",
        timeout_seconds=_LONG_SECONDS,
    )
    assert len(deliveries(org, "direction=in")) == wanted, "a message was lost, or taken in twice"
