"""The emulated Pub/Sub delivers to the real clients, and pushes as Google documents it."""

from __future__ import annotations

import base64
import time
from datetime import UTC, datetime, timedelta
from importlib import import_module
from itertools import count, pairwise
from pathlib import Path
from threading import Event
from typing import Protocol

import httpx
import jwt
import pytest
import yaml
from google.api_core import exceptions
from google.pubsub_v1 import PublisherClient, SubscriberClient, types
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

from local_emulator.google.setup import provision
from tests.support.google_emulator import ROOT, Emulator, Push, receiver

PROJECT = "projects/driftwise-local"
SENDER = "events@driftwise-local.iam.gserviceaccount.com"
QUICK = types.RetryPolicy(minimum_backoff=timedelta(seconds=0.1), maximum_backoff=timedelta(seconds=0.3))
NUMBERS = count(1)
pubsub_v1 = import_module("google.cloud.pubsub_v1")  # the streaming client; it ships no types


class Streamed(Protocol):
    """A message of the streaming client."""

    data: bytes

    def ack(self) -> None:
        """Acknowledge it."""


@pytest.fixture(scope="module")
def publisher(emulator: Emulator) -> PublisherClient:
    return emulator.publisher()


@pytest.fixture(scope="module")
def subscriber(emulator: Emulator) -> SubscriberClient:
    return emulator.subscriber()


@pytest.fixture
def topic(publisher: PublisherClient) -> str:
    return publisher.create_topic(name=f"{PROJECT}/topics/topic-{next(NUMBERS)}").name


def subscribe(subscriber: SubscriberClient, topic: str, **fields: object) -> str:
    name = f"{PROJECT}/subscriptions/subscription-{next(NUMBERS)}"
    return subscriber.create_subscription(request={"name": name, "topic": topic, **fields}).name


def publish(publisher: PublisherClient, topic: str, *data: bytes, key: str = "") -> list[str]:
    messages = [types.PubsubMessage(data=item, attributes={"kind": "test"}, ordering_key=key) for item in data]
    return list(publisher.publish(topic=topic, messages=messages).message_ids)


def pull(subscriber: SubscriberClient, name: str, most: int = 10, seconds: float = 5) -> list[types.ReceivedMessage]:
    return list(subscriber.pull(subscription=name, max_messages=most, timeout=seconds).received_messages)


def data_of(push: Push) -> bytes:
    return base64.b64decode(push.message["data"])


def test_pulls_and_acknowledges(publisher: PublisherClient, subscriber: SubscriberClient, topic: str) -> None:
    name = subscribe(subscriber, topic)
    ids = publish(publisher, topic, b"one", b"two")
    received = pull(subscriber, name)
    assert [(item.message.data, item.message.message_id) for item in received] == [(b"one", ids[0]), (b"two", ids[1])]
    assert received[0].message.attributes == {"kind": "test"}
    assert received[0].message.publish_time <= datetime.now(UTC)
    assert received[0].delivery_attempt == 0, "attempts are counted with a dead-letter policy only"
    subscriber.acknowledge(subscription=name, ack_ids=[received[0].ack_id])
    subscriber.modify_ack_deadline(subscription=name, ack_ids=[received[1].ack_id], ack_deadline_seconds=0)
    again = pull(subscriber, name)
    assert [item.message.data for item in again] == [b"two"]


def test_a_lease_ends_and_can_be_extended(publisher: PublisherClient, subscriber: SubscriberClient, topic: str) -> None:
    name = subscribe(subscriber, topic, ack_deadline_seconds=1)
    publish(publisher, topic, b"ends", b"extended")
    ends, extended = pull(subscriber, name)
    subscriber.modify_ack_deadline(subscription=name, ack_ids=[extended.ack_id], ack_deadline_seconds=60)
    again = pull(subscriber, name)
    assert [item.message.data for item in again] == [b"ends"]
    assert again[0].ack_id != ends.ack_id
    subscriber.acknowledge(subscription=name, ack_ids=[ends.ack_id, "unknown"])


def test_the_streaming_client_receives(emulator: Emulator, publisher: PublisherClient, topic: str) -> None:
    client = pubsub_v1.SubscriberClient(transport=SubscriberGrpcTransport(channel=emulator.channel))
    name = subscribe(emulator.subscriber(), topic)
    seen: list[bytes] = []
    done = Event()

    def keep(message: Streamed) -> None:
        seen.append(message.data)
        message.ack()
        if len(seen) == 25:
            done.set()

    flow = pubsub_v1.types.FlowControl(max_messages=10)
    future = client.subscribe(name, callback=keep, flow_control=flow, await_callbacks_on_shutdown=True)
    expected = [f"{number}".encode() for number in range(25)]
    publish(publisher, topic, *expected)
    assert done.wait(5), f"{len(seen)} of 25 messages arrived"
    future.cancel()
    future.result(timeout=5)
    assert sorted(seen) == sorted(expected)
    assert not pull(emulator.subscriber(), name, seconds=0.6)


def test_pushes_with_a_token_that_verifies(
    emulator: Emulator, publisher: PublisherClient, subscriber: SubscriberClient, topic: str
) -> None:
    with receiver() as endpoint:
        token = {"service_account_email": SENDER, "audience": "https://scan.example"}
        name = subscribe(subscriber, topic, push_config={"push_endpoint": endpoint.url, "oidc_token": token})
        (message_id,) = publish(publisher, topic, b"payload")
        (push,) = endpoint.wait_for(1)
    assert push.body["subscription"] == name
    assert data_of(push) == b"payload"
    assert push.message["attributes"] == {"kind": "test"}
    assert push.message["messageId"] == push.message["message_id"] == message_id
    assert datetime.fromisoformat(push.message["publishTime"]) <= datetime.now(UTC)
    assert "deliveryAttempt" not in push.body
    scheme, _, bearer = push.headers["Authorization"].partition(" ")
    discovery = emulator.get("/.well-known/openid-configuration")
    key = jwt.PyJWKClient(discovery["jwks_uri"]).get_signing_key_from_jwt(bearer)
    claims = jwt.decode(bearer, key, algorithms=["RS256"], audience="https://scan.example", issuer=discovery["issuer"])
    assert scheme == "Bearer"
    assert (claims["email"], claims["email_verified"]) == (SENDER, True)
    assert claims["exp"] - claims["iat"] == 3600


def test_the_scheduler_gets_a_token(emulator: Emulator) -> None:
    token = emulator.get("/_token?audience=https://scan.example/tick")["token"]
    key = jwt.PyJWKClient(f"{emulator.url}/oauth2/v3/certs").get_signing_key_from_jwt(token)
    claims = jwt.decode(token, key, algorithms=["RS256"], audience="https://scan.example/tick")
    assert claims["email"] == SENDER
    assert httpx.get(f"{emulator.url}/_token").status_code == 400
    rebound = httpx.get(f"{emulator.url}/_token?audience=x", headers={"Host": "evil.example"})
    assert rebound.status_code == 421, "a page under another name can fetch tokens"


def test_retries_with_growing_back_off(publisher: PublisherClient, subscriber: SubscriberClient, topic: str) -> None:
    failures = iter((500, 500, 500))
    with receiver(lambda push: next(failures, 204) if data_of(push) == b"bad" else 204) as endpoint:
        subscribe(subscriber, topic, push_config={"push_endpoint": endpoint.url}, retry_policy=QUICK)
        publish(publisher, topic, b"bad", b"good")
        pushes = endpoint.wait_for(5)
    times = [push.at for push in pushes if data_of(push) == b"bad"]
    gaps = [later - earlier for earlier, later in pairwise(times)]
    good = next(push.at for push in pushes if data_of(push) == b"good")
    assert good < times[1], "a failing message held up another"
    for gap, least in zip(gaps, (0.1, 0.2, 0.3), strict=True):
        assert least <= gap < least + 1, f"the back-off was {gaps}"


def test_a_slow_reply_is_a_failure_after_the_ack_deadline(
    publisher: PublisherClient, subscriber: SubscriberClient, topic: str
) -> None:
    released = Event()

    def slow_once(_: Push) -> int:
        if len(endpoint.pushes) == 1:
            released.wait(5)
        return 204

    with receiver(slow_once) as endpoint:
        subscribe(
            subscriber,
            topic,
            push_config={"push_endpoint": endpoint.url},
            ack_deadline_seconds=1,
            retry_policy=QUICK,
        )
        publish(publisher, topic, b"slow")
        first, second = endpoint.wait_for(2)
        released.set()
    assert 1.0 <= second.at - first.at < 4.0


def test_dead_letters_after_the_last_attempt(
    publisher: PublisherClient, subscriber: SubscriberClient, topic: str
) -> None:
    dead = publisher.create_topic(name=f"{topic}-dead").name
    letters = subscribe(subscriber, dead)
    with receiver(lambda _: 500) as endpoint:
        policy = {"dead_letter_topic": dead, "max_delivery_attempts": 5}
        none = types.RetryPolicy(minimum_backoff=timedelta(0), maximum_backoff=timedelta(0))
        name = subscribe(
            subscriber,
            topic,
            push_config={"push_endpoint": endpoint.url},
            retry_policy=none,
            dead_letter_policy=policy,
        )
        publish(publisher, topic, b"poison")
        (letter,) = pull(subscriber, letters)
        attempts = [push.body["deliveryAttempt"] for push in endpoint.pushes]
    assert attempts == [1, 2, 3, 4, 5]
    assert letter.message.data == b"poison"
    attributes = dict(letter.message.attributes)
    published_at = attributes.pop("CloudPubSubDeadLetterSourceTopicPublishTime")
    assert datetime.fromisoformat(published_at) <= datetime.now(UTC)
    assert attributes == {
        "kind": "test",
        "CloudPubSubDeadLetterSourceDeliveryCount": "5",
        "CloudPubSubDeadLetterSourceSubscription": name.rsplit("/", 1)[1],
        "CloudPubSubDeadLetterSourceSubscriptionProject": "driftwise-local",
    }


def test_an_ordering_key_is_delivered_in_order(
    publisher: PublisherClient, subscriber: SubscriberClient, topic: str
) -> None:
    failures = {b"a-1": 2}

    def answer(push: Push) -> int:
        data = data_of(push)
        failures[data] = failures.get(data, 0) - 1
        return 500 if failures[data] >= 0 else 204

    with receiver(answer) as endpoint:
        subscribe(
            subscriber,
            topic,
            push_config={"push_endpoint": endpoint.url},
            enable_message_ordering=True,
            retry_policy=QUICK,
        )
        publish(publisher, topic, b"a-0", b"a-1", b"a-2", b"a-3", key="a")
        publish(publisher, topic, b"b-0", b"b-1", key="b")
        pushes = endpoint.wait_for(8)
    order = [data_of(push) for push in pushes]
    assert [data for data in order if data[:1] == b"a"] == [b"a-0", b"a-1", b"a-1", b"a-1", b"a-2", b"a-3"]
    assert [data for data in order if data[:1] == b"b"] == [b"b-0", b"b-1"]
    assert order.index(b"b-1") < order.index(b"a-2"), "a failing key held up another key"
    assert pushes[0].message["orderingKey"] == "a"


def test_push_turns_to_pull_and_back(publisher: PublisherClient, subscriber: SubscriberClient, topic: str) -> None:
    with receiver() as endpoint:
        name = subscribe(subscriber, topic, push_config={"push_endpoint": endpoint.url})
        with pytest.raises(exceptions.FailedPrecondition):
            subscriber.pull(subscription=name, max_messages=1)
        subscriber.modify_push_config(subscription=name, push_config=types.PushConfig())
        publish(publisher, topic, b"pulled")
        (received,) = pull(subscriber, name)
        subscriber.acknowledge(subscription=name, ack_ids=[received.ack_id])
        publish(publisher, topic, b"pushed")
        subscriber.modify_push_config(subscription=name, push_config=types.PushConfig(push_endpoint=endpoint.url))
        (push,) = endpoint.wait_for(1)
        assert data_of(push) == b"pushed"


def test_seeks_in_time(publisher: PublisherClient, subscriber: SubscriberClient, topic: str) -> None:
    name = subscribe(subscriber, topic, retain_acked_messages=True)
    publish(publisher, topic, b"old")
    (received,) = pull(subscriber, name)
    moment = received.message.publish_time
    subscriber.acknowledge(subscription=name, ack_ids=[received.ack_id])
    subscriber.seek(request={"subscription": name, "time": moment})
    assert [item.message.data for item in pull(subscriber, name)] == [b"old"]
    subscriber.seek(request={"subscription": name, "time": datetime.now(UTC)})
    assert not pull(subscriber, name, seconds=0.6)


def test_refuses_what_google_refuses(publisher: PublisherClient, subscriber: SubscriberClient, topic: str) -> None:
    name = subscribe(subscriber, topic)
    with pytest.raises(exceptions.AlreadyExists):
        publisher.create_topic(name=topic)
    with pytest.raises(exceptions.AlreadyExists):
        subscriber.create_subscription(name=name, topic=topic)
    for missing in (
        lambda: publisher.get_topic(topic=f"{PROJECT}/topics/none"),
        lambda: publisher.publish(topic=f"{PROJECT}/topics/none", messages=[types.PubsubMessage(data=b"x")]),
        lambda: publisher.delete_topic(topic=f"{PROJECT}/topics/none"),
        lambda: subscriber.create_subscription(name=f"{name}-2", topic=f"{PROJECT}/topics/none"),
        lambda: subscriber.get_subscription(subscription=f"{PROJECT}/subscriptions/none"),
        lambda: subscriber.pull(subscription=f"{PROJECT}/subscriptions/none", max_messages=1),
        lambda: subscriber.create_subscription(
            request={"name": f"{name}-2", "topic": topic, "dead_letter_policy": {"dead_letter_topic": f"{topic}-none"}}
        ),
    ):
        with pytest.raises(exceptions.NotFound):
            missing()
    policy = {"dead_letter_topic": topic, "max_delivery_attempts": 4}
    for wrong in (
        lambda: publisher.publish(topic=topic, messages=[types.PubsubMessage()]),
        lambda: publisher.publish(
            topic=topic, messages=[types.PubsubMessage(data=b"x", ordering_key=key) for key in "ab"]
        ),
        lambda: publisher.publish(topic=topic, messages=[types.PubsubMessage(attributes={"googid": "x"})]),
        lambda: publisher.create_topic(name=f"{PROJECT}/topics/1"),
        lambda: subscriber.create_subscription(
            request={"name": f"{name}-2", "topic": topic, "ack_deadline_seconds": 601}
        ),
        lambda: subscriber.create_subscription(
            request={"name": f"{name}-2", "topic": topic, "dead_letter_policy": policy}
        ),
    ):
        with pytest.raises(exceptions.InvalidArgument):
            wrong()
    with pytest.raises(exceptions.MethodNotImplemented):
        subscriber.create_subscription(request={"name": f"{name}-2", "topic": topic, "filter": 'attributes.a = "b"'})
    subscriber.delete_subscription(subscription=name)
    with pytest.raises(exceptions.NotFound):
        subscriber.get_subscription(subscription=name)
    publisher.delete_topic(topic=topic)
    assert topic not in {found.name for found in publisher.list_topics(project=PROJECT)}


def test_faults(emulator: Emulator, publisher: PublisherClient, subscriber: SubscriberClient, topic: str) -> None:
    name = subscribe(subscriber, topic)
    with emulator.fault("pubsub", "unavailable", methods=["Publish"]):
        with pytest.raises(exceptions.ServiceUnavailable):
            publisher.publish(topic=topic, messages=[types.PubsubMessage(data=b"x")], retry=None)
        assert publisher.get_topic(topic=topic).name == topic
    publish(publisher, topic, b"after")
    assert [item.message.data for item in pull(subscriber, name)] == [b"after"]
    bad = httpx.post(f"{emulator.url}/_faults", json={"service": "pubsub", "mode": "explode"})
    assert bad.status_code == 400


def test_a_restart_keeps_what_was_not_delivered(tmp_path: Path) -> None:
    emulator = Emulator(tmp_path, {"push_concurrency": 2})
    publisher, subscriber = emulator.publisher(), emulator.subscriber()
    topic = publisher.create_topic(name=f"{PROJECT}/topics/kept").name
    with receiver(lambda _: 503) as endpoint:
        policy = {"dead_letter_topic": topic, "max_delivery_attempts": 100}
        push = {"push_endpoint": endpoint.url}
        name = subscribe(subscriber, topic, push_config=push, dead_letter_policy=policy, retry_policy=QUICK)
        waiting = subscribe(subscriber, topic)
        publish(publisher, topic, *[f"{number}".encode() for number in range(5)])
        (acknowledged, *_) = pull(subscriber, waiting)
        subscriber.acknowledge(subscription=waiting, ack_ids=[acknowledged.ack_id])
        endpoint.wait_for(10)
        emulator.kill()
        before = len(endpoint.pushes)
        endpoint.answer = lambda _: 204
        emulator.start()
        pushes = endpoint.wait_for(before + 5)[before:]
        assert sorted(data_of(item) for item in pushes) == [b"0", b"1", b"2", b"3", b"4"]
        assert all(item.body["deliveryAttempt"] > 1 for item in pushes), "the attempts were counted from the start"
        left = [item.message.data for item in pull(emulator.subscriber(), waiting)]
        assert sorted([*left, acknowledged.message.data]) == [b"0", b"1", b"2", b"3", b"4"]
        assert emulator.subscriber().get_subscription(subscription=name).push_config.push_endpoint == endpoint.url
        assert emulator.stop() == 0


def test_one_endpoint_gets_no_more_than_its_share_at_once(
    publisher: PublisherClient, subscriber: SubscriberClient, topic: str
) -> None:
    released = Event()

    def hold(_: Push) -> int:
        released.wait(5)
        return 204

    with receiver(hold) as endpoint:
        narrow = {"name": f"{PROJECT}/subscriptions/narrow", "topic": topic}  # conftest.py gives it three at once
        subscriber.create_subscription(request=narrow | {"push_config": {"push_endpoint": endpoint.url}})
        publish(publisher, topic, *[f"{number}".encode() for number in range(9)])
        endpoint.wait_for(3)
        time.sleep(0.1)
        assert len(endpoint.pushes) == 3
        released.set()
        assert len({data_of(push) for push in endpoint.wait_for(9)}) == 9


def test_provisions_the_suite_as_often_as_asked(emulator: Emulator) -> None:
    suite = yaml.safe_load((ROOT / "infra" / "suite.yaml").read_text())
    place = {"project": "suite-local", "region": "europe-west1"}
    secret = f"projects/suite-local/secrets/{next(iter(suite['secrets']))}/versions/latest"
    kept = set()
    for port in (9001, 9002):
        endpoints = {name: f"http://127.0.0.1:{port}{item['path']}" for name, item in suite["subscriptions"].items()}
        provision(emulator.endpoint, suite, endpoints, **place)
        kept.add(emulator.secrets().access_secret_version(name=secret).payload.data)
    assert len(kept) == 1, "a secret was generated twice"
    subscriptions = list(emulator.subscriber().list_subscriptions(project="projects/suite-local"))
    assert {item.name.rsplit("/", 1)[1]: item.push_config.push_endpoint for item in subscriptions} == endpoints
    for item in subscriptions:
        described = suite["subscriptions"][item.name.rsplit("/", 1)[1]]
        assert item.push_config.oidc_token.audience == item.push_config.push_endpoint
        assert item.push_config.oidc_token.service_account_email == "events@suite-local.iam.gserviceaccount.com"
        assert item.ack_deadline_seconds == described["ack_deadline_seconds"]
        assert item.retry_policy.minimum_backoff.total_seconds() == described["minimum_backoff_seconds"]
        assert bool(item.dead_letter_policy.dead_letter_topic) == ("dead_letter_topic" in described)
    topics = {item.name.rsplit("/", 1)[1] for item in emulator.publisher().list_topics(project="projects/suite-local")}
    assert topics == set(suite["topics"])
    ring = "projects/suite-local/locations/europe-west1/keyRings/driftwise"
    keys = {item.name.rsplit("/", 1)[1] for item in emulator.kms().list_crypto_keys(parent=ring)}
    assert keys == set(suite["kms_keys"])
