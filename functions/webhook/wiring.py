"""The one place that builds this function's clients, and what this process remembers of opened secrets."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, fields
from datetime import timedelta
from uuid import UUID

from shared.data.resealing import Resealer
from shared.data.sealed_columns import PurgedColumn, SealedColumn
from shared.http.deps import Deps, build_deps
from shared.ports.clock import Clock
from shared.ports.key_manager import GoogleKeyManager
from shared.ports.secret_store import Secret
from shared.security.egress import EgressGuard, SystemResolver, for_process
from shared.security.envelope import Envelope, Place
from shared.security.signatures import make_secret
from shared.settings import Settings

from .outlets.calling import POLICY
from .outlets.mailing import Mailer, build_mailer
from .queries import channels, configs

SECRETS_KEY = "webhook-secrets"
# One place for both columns, as a rotation moves a ciphertext over without KMS.
_BOTH_SECRETS = "secret_encrypted"
CURRENT_SECRET = SealedColumn(
    "webhook.configs", "current_secret_encrypted", configs.SEALED_CURRENT_SECRETS, place_column=_BOTH_SECRETS
)
PREVIOUS_SECRET = SealedColumn(
    "webhook.configs", "previous_secret_encrypted", configs.SEALED_PREVIOUS_SECRETS, place_column=_BOTH_SECRETS
)
BODY = PurgedColumn("webhook.deliveries_in", "body_encrypted", kept_for=timedelta(days=7))
CHANNEL_TARGET = SealedColumn("webhook.notification_channels", "target_encrypted", channels.SEALED_TARGETS)
CURRENT_CHANNEL_SECRET = SealedColumn(
    "webhook.notification_channels",
    "current_secret_encrypted",
    channels.SEALED_CURRENT_SECRETS,
    place_column=_BOTH_SECRETS,
)
PREVIOUS_CHANNEL_SECRET = SealedColumn(
    "webhook.notification_channels",
    "previous_secret_encrypted",
    channels.SEALED_PREVIOUS_SECRETS,
    place_column=_BOTH_SECRETS,
)
SEALED_COLUMNS = (CURRENT_SECRET, PREVIOUS_SECRET, CHANNEL_TARGET, CURRENT_CHANNEL_SECRET, PREVIOUS_CHANNEL_SECRET)


class SecretMemory:
    """Secrets that were opened a moment ago, so that a busy config does not ask KMS with every delivery.

    Found by their ciphertext: whether a secret still works is read from the database each time, and only how to read it is
    remembered. Safe to share between threads.
    """

    fresh_seconds = 300.0
    most = 1000

    def __init__(self, envelope: Envelope, clock: Clock) -> None:
        self._envelope = envelope
        self._clock = clock
        self._opened: OrderedDict[tuple[Place, bytes], tuple[float, Secret]] = OrderedDict()
        self._lock = threading.Lock()

    def open(self, sealed: bytes, place: Place) -> Secret:
        """Open a sealed secret.

        Raises:
            CiphertextRefused: (500 `ciphertext_refused`).
            ServiceAway: (503 `service_away`) KMS did not answer.
        """
        key = (place, sealed)
        now = self._clock.monotonic_seconds()
        with self._lock:
            known = self._opened.get(key)
        if known is not None and now < known[0]:
            return known[1]
        opened = self._envelope.open(sealed, place)
        with self._lock:
            self._opened[key] = (now + self.fresh_seconds, opened)
            self._opened.move_to_end(key)
            while len(self._opened) > self.most:
                self._opened.popitem(last=False)
        return opened


@dataclass(frozen=True, slots=True)
class WebhookDeps(Deps):
    """Clients of the webhook function.

    Attributes:
        envelope: seals and opens secrets and bodies.
        resealer: seals secrets anew when their key is rotated.
        opened: secrets that this process opened.
        decoy: what a delivery is checked against that meets fewer than two live secrets; nobody knows it.
        egress: judges addresses of notification channels, and calls them.
        mailer: sends e-mail; None where the operator set no server up.
    """

    envelope: Envelope
    resealer: Resealer
    opened: SecretMemory
    decoy: Secret
    egress: EgressGuard
    mailer: Mailer | None


def secret_place(org_id: UUID, config_id: UUID) -> Place:
    """Say where a config's secrets stand, the present one and the one before."""
    return CURRENT_SECRET.place(org_id, config_id)


def body_place(org_id: UUID, delivery_id: UUID) -> Place:
    """Say where a delivery's body stands."""
    return BODY.place(org_id, delivery_id)


def channel_target_place(org_id: UUID, channel_id: UUID) -> Place:
    """Say where a channel's address stands."""
    return CHANNEL_TARGET.place(org_id, channel_id)


def channel_secret_place(org_id: UUID, channel_id: UUID) -> Place:
    """Say where a channel's secrets stand, the present one and the one before."""
    return CURRENT_CHANNEL_SECRET.place(org_id, channel_id)


def load_deps(settings: Settings) -> WebhookDeps:
    """Build the clients of one process."""
    common = build_deps(settings)
    envelope = Envelope(GoogleKeyManager(settings), SECRETS_KEY, common.entropy)
    shared = {field.name: getattr(common, field.name) for field in fields(common)}
    return WebhookDeps(
        **shared,
        envelope=envelope,
        resealer=Resealer(common.db, envelope, SEALED_COLUMNS, common.clock),
        opened=SecretMemory(envelope, common.clock),
        decoy=make_secret(common.entropy),
        egress=EgressGuard(for_process(POLICY, settings), SystemResolver(), common.clock),
        mailer=build_mailer(settings, common.secrets),
    )
