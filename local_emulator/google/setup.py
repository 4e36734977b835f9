"""Creates what `infra/suite.yaml` describes in the emulator, with the real client libraries, as often as it is asked.

Google Cloud gets the same resources from Terraform; this is the laptop's `terraform apply`.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, TypeVar

import grpc
from google.api_core.exceptions import AlreadyExists
from google.cloud import kms_v1, secretmanager_v1
from google.cloud.kms_v1.services.key_management_service.transports import KeyManagementServiceGrpcTransport
from google.cloud.secretmanager_v1.services.secret_manager_service.transports import SecretManagerServiceGrpcTransport
from google.pubsub_v1 import PublisherClient, SubscriberClient, types
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport
from pydantic import BaseModel, ConfigDict, Field

Result = TypeVar("Result")
KEY_RING = "driftwise"
SUBSCRIPTION_FIELDS = ("push_config", "ack_deadline_seconds", "retry_policy", "dead_letter_policy")


class _Described(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _Key(_Described):
    purpose: Literal["asymmetric_sign", "encrypt_decrypt", "mac"]
    algorithm: Literal["google_symmetric_encryption", "ec_sign_p256_sha256", "hmac_sha256"] = (
        "google_symmetric_encryption"
    )
    rotation_days: int | None = None


class _Secret(_Described):
    generated_bytes: int = Field(ge=16, le=1024)


class _Subscription(_Described):
    topic: str
    ack_deadline_seconds: int
    minimum_backoff_seconds: float | None = None
    maximum_backoff_seconds: float | None = None
    max_delivery_attempts: int | None = None
    dead_letter_topic: str | None = None
    enable_message_ordering: bool = False


class _Suite(_Described):
    kms_keys: dict[str, _Key] = Field(default_factory=dict)
    secrets: dict[str, _Secret] = Field(default_factory=dict)
    topics: dict[str, dict[str, object] | None] = Field(default_factory=dict)
    subscriptions: dict[str, _Subscription] = Field(default_factory=dict)


@dataclass(frozen=True)
class Place:
    """Where the resources live, and who the push tokens speak for."""

    project: str
    region: str
    sender: str


def provision(
    endpoint: str,
    suite: Mapping[str, object],
    push_endpoints: Mapping[str, str],
    project: str,
    region: str,
    *,
    sender: str | None = None,
) -> None:
    """Create key ring, keys, secrets, topics and subscriptions; what is there stays, subscriptions are updated.

    Args:
        endpoint: host:port of the emulator's gRPC server.
        suite: `infra/suite.yaml`, loaded.
        push_endpoints: subscription id -> URL, also the audience of its tokens; one that is missing is for pull.
        project: id of the project, as it stands in the resource names.
        region: location of the key ring.
        sender: service account of the push tokens; default events@<project>.iam.gserviceaccount.com.
    """
    described = _Suite.model_validate(suite)
    place = Place(project, region, sender or f"events@{project}.iam.gserviceaccount.com")
    with grpc.insecure_channel(endpoint) as channel:
        _provision_keys(channel, described, place)
        _provision_secrets(channel, described, place)
        _provision_topics(channel, described, place)
        _provision_subscriptions(channel, described, place, push_endpoints)


def _provision_keys(channel: grpc.Channel, suite: _Suite, place: Place) -> None:
    client = kms_v1.KeyManagementServiceClient(transport=KeyManagementServiceGrpcTransport(channel=channel))
    parent = f"projects/{place.project}/locations/{place.region}"
    _unless_there(lambda: client.create_key_ring(parent=parent, key_ring_id=KEY_RING, key_ring=kms_v1.KeyRing()))
    for name, described in suite.kms_keys.items():
        key = kms_v1.CryptoKey(
            purpose=getattr(kms_v1.CryptoKey.CryptoKeyPurpose, described.purpose.upper()),
            version_template={
                "algorithm": getattr(kms_v1.CryptoKeyVersion.CryptoKeyVersionAlgorithm, described.algorithm.upper())
            },
        )
        if described.rotation_days is not None:
            period = timedelta(days=described.rotation_days)
            key.rotation_period, key.next_rotation_time = period, datetime.now(UTC) + period
        _unless_there(
            lambda name=name, key=key: client.create_crypto_key(  # type: ignore[misc]
                parent=f"{parent}/keyRings/{KEY_RING}", crypto_key_id=name, crypto_key=key
            )
        )


def _provision_secrets(channel: grpc.Channel, suite: _Suite, place: Place) -> None:
    client = secretmanager_v1.SecretManagerServiceClient(transport=SecretManagerServiceGrpcTransport(channel=channel))
    parent = f"projects/{place.project}"
    for name, described in suite.secrets.items():
        secret = secretmanager_v1.Secret(replication={"automatic": {}})
        _unless_there(
            lambda name=name, secret=secret: client.create_secret(  # type: ignore[misc]
                parent=parent, secret_id=name, secret=secret
            )
        )
        full_name = f"{parent}/secrets/{name}"
        if not any(client.list_secret_versions(parent=full_name)):
            data = secrets.token_bytes(described.generated_bytes)
            client.add_secret_version(parent=full_name, payload=secretmanager_v1.SecretPayload(data=data))


def _provision_topics(channel: grpc.Channel, suite: _Suite, place: Place) -> None:
    client = PublisherClient(transport=PublisherGrpcTransport(channel=channel))
    for name in suite.topics:
        topic = f"projects/{place.project}/topics/{name}"
        _unless_there(lambda topic=topic: client.create_topic(name=topic))  # type: ignore[misc]


def _provision_subscriptions(
    channel: grpc.Channel, suite: _Suite, place: Place, push_endpoints: Mapping[str, str]
) -> None:
    client = SubscriberClient(transport=SubscriberGrpcTransport(channel=channel))
    for name, described in suite.subscriptions.items():
        subscription = _subscription(name, described, place, push_endpoints.get(name))
        try:
            client.create_subscription(request=subscription)
        except AlreadyExists:
            client.update_subscription(subscription=subscription, update_mask={"paths": list(SUBSCRIPTION_FIELDS)})


def _subscription(name: str, described: _Subscription, place: Place, push_endpoint: str | None) -> types.Subscription:
    prefix = f"projects/{place.project}"
    subscription = types.Subscription(
        name=f"{prefix}/subscriptions/{name}",
        topic=f"{prefix}/topics/{described.topic}",
        ack_deadline_seconds=described.ack_deadline_seconds,
        enable_message_ordering=described.enable_message_ordering,
    )
    if push_endpoint is not None:
        token = types.PushConfig.OidcToken(service_account_email=place.sender, audience=push_endpoint)
        subscription.push_config = types.PushConfig(push_endpoint=push_endpoint, oidc_token=token)
    if described.minimum_backoff_seconds is not None and described.maximum_backoff_seconds is not None:
        subscription.retry_policy = types.RetryPolicy(
            minimum_backoff=timedelta(seconds=described.minimum_backoff_seconds),
            maximum_backoff=timedelta(seconds=described.maximum_backoff_seconds),
        )
    if described.dead_letter_topic is not None:
        subscription.dead_letter_policy = types.DeadLetterPolicy(
            dead_letter_topic=f"{prefix}/topics/{described.dead_letter_topic}",
            max_delivery_attempts=described.max_delivery_attempts or 0,
        )
    return subscription


def _unless_there(create: Callable[[], Result]) -> Result | None:
    try:
        return create()
    except AlreadyExists:
        return None
