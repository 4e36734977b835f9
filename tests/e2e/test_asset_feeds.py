"""A customer's topic and push subscription, made with Google's own client, tell a feed what changed: over HTTP, with tokens of the subscription."""

from __future__ import annotations

import json
from uuid import uuid4

import grpc
from google.pubsub_v1 import PublisherClient, SubscriberClient, types
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

from tests.support.asset_feed import PUSH_ACCOUNT, WELCOME, temporal_asset
from tests.support.running_suite import RunningSuite
from tests.support.waiting import wait_until

PROJECT = "projects/driftwise-local"


def subscribe(subscriber: SubscriberClient, topic: str, endpoint: str, account: str) -> str:
    token = types.PushConfig.OidcToken(service_account_email=account, audience=endpoint)
    config = types.PushConfig(push_endpoint=endpoint, oidc_token=token)
    name = f"{PROJECT}/subscriptions/feed-{uuid4().hex[:8]}"
    return subscriber.create_subscription(request={"name": name, "topic": topic, "push_config": config}).name


def test_what_a_customers_subscription_pushes_makes_a_scan_wait(emulator: RunningSuite) -> None:
    body = {
        "provider": "gcp",
        "name": "shop",
        "external_account": f"projects/shop-{uuid4().hex[:8]}",
        "auth": {
            "kind": "workload_identity",
            "provider": "projects/123456789012/locations/global/workloadIdentityPools/driftwise/providers/google",
        },
    }
    key = emulator.api_keys["admin"]
    made = emulator.call("POST", emulator.org("/cloud-accounts"), key, json=body)
    assert made.status_code == 201, made.text
    account = made.json()
    path = emulator.org(f"/cloud-accounts/{account['id']}/asset-feed")
    feed = emulator.call("PUT", path, key, json={"push_account": PUSH_ACCOUNT}).json()

    def told() -> set[str]:
        return {name for name, value in emulator.call("GET", path, key).json().items() if value is not None}

    described = json.loads((emulator.logs.parent / "emulator.json").read_bytes())
    with grpc.insecure_channel(described["google"]["grpc"]) as channel:
        publisher = PublisherClient(transport=PublisherGrpcTransport(channel=channel))
        subscriber = SubscriberClient(transport=SubscriberGrpcTransport(channel=channel))
        topic = publisher.create_topic(name=f"{PROJECT}/topics/feed-{uuid4().hex[:8]}").name
        subscription = subscribe(subscriber, topic, feed["endpoint"], PUSH_ACCOUNT)
        try:
            publisher.publish(
                topic=topic, messages=[types.PubsubMessage(data=item) for item in (WELCOME, temporal_asset())]
            )
            wait_until(lambda: {"due_at", "welcomed_at"} <= told(), "the feed hears of the change")
        finally:
            subscriber.delete_subscription(subscription=subscription)
            publisher.delete_topic(topic=topic)
    emulator.call("DELETE", emulator.org(f"/cloud-accounts/{account['id']}"), key)
