"""Puts the suite's buckets, keys, secrets, topics and subscriptions into the Google services, as Terraform does in Google Cloud.

Owns two differences from `local_emulator.google.setup`: secrets whose value the emulator must know (the identity
provider's client secret), and the audience of the push tokens, which is the address of the service and not of the path,
because one service receives several subscriptions and verifies one audience.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import grpc
import httpx
from google.api_core.exceptions import AlreadyExists, NotFound
from google.cloud import secretmanager_v1
from google.cloud.secretmanager_v1.services.secret_manager_service.transports import SecretManagerServiceGrpcTransport
from google.pubsub_v1 import SubscriberClient, types
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

from infra.suite import load_suite, read_document

from .google import setup
from .names import PROJECT, REGION, SENDER


def provision(
    endpoint: str, suite_file: Path, targets: Mapping[str, str], *, secrets: Mapping[str, str], storage_url: str
) -> None:
    """Create or update everything; what is there stays.

    Args:
        endpoint: host:port of the gRPC server.
        suite_file: the description.
        targets: subscription to `http://host:port` of its entry point.
        secrets: values that the latest version of a secret must have.
        storage_url: base URL of Cloud Storage.
    """
    suite = load_suite(suite_file)
    for name in suite.buckets:
        _ensure_bucket(storage_url, f"{PROJECT}-{name}")
    push_endpoints = {name: target + suite.subscriptions[name].path for name, target in targets.items()}
    with grpc.insecure_channel(endpoint) as channel:
        client = secretmanager_v1.SecretManagerServiceClient(
            transport=SecretManagerServiceGrpcTransport(channel=channel)
        )
        for name, value in secrets.items():
            if name in suite.secrets:
                _ensure_secret(client, name, value.encode())
    setup.provision(endpoint, read_document(suite_file), push_endpoints, PROJECT, REGION, sender=SENDER)
    with grpc.insecure_channel(endpoint) as channel:
        subscriber = SubscriberClient(transport=SubscriberGrpcTransport(channel=channel))
        for name, target in targets.items():
            token = types.PushConfig.OidcToken(service_account_email=SENDER, audience=target)
            subscriber.modify_push_config(
                subscription=f"projects/{PROJECT}/subscriptions/{name}",
                push_config=types.PushConfig(push_endpoint=push_endpoints[name], oidc_token=token),
            )


def _ensure_bucket(storage_url: str, name: str) -> None:
    reply = httpx.post(f"{storage_url}/storage/v1/b", params={"project": PROJECT}, json={"name": name}, trust_env=False)
    if reply.status_code != httpx.codes.CONFLICT:  # it is there
        reply.raise_for_status()


def _ensure_secret(client: secretmanager_v1.SecretManagerServiceClient, name: str, value: bytes) -> None:
    full_name = f"projects/{PROJECT}/secrets/{name}"
    try:
        client.create_secret(
            parent=f"projects/{PROJECT}", secret_id=name, secret=secretmanager_v1.Secret(replication={"automatic": {}})
        )
    except AlreadyExists:
        try:
            found = client.access_secret_version(name=f"{full_name}/versions/latest")
        except NotFound:
            pass
        else:
            if found.payload.data == value:
                return
    client.add_secret_version(parent=full_name, payload=secretmanager_v1.SecretPayload(data=value))
