"""The one place that builds this function's clients."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from uuid import UUID

from shared.data.resealing import Resealer
from shared.data.sealed_columns import PurgedColumn, SealedColumn
from shared.http.deps import Deps, build_deps
from shared.ports.clock import Clock, SystemClock
from shared.ports.key_manager import GoogleKeyManager
from shared.ports.object_store import GoogleObjectStore, ObjectStore
from shared.ports.secret_rotation import GoogleSecretRotator, SecretRotator
from shared.ports.secret_store import SecretStore
from shared.security.egress import EgressGuard, EgressPolicy, SystemResolver, for_process
from shared.security.envelope import Envelope, Place
from shared.security.secret_versions import SecretVersions
from shared.security.signing_keys import SigningKey
from shared.security.token_issuer import TokenIssuer
from shared.settings import Settings

from .domain.audit_exports import KEPT_FOR
from .domain.billing import read_prices
from .domain.security_txt import Disclosure, read_disclosure
from .domain_records import DomainRecords
from .providers import Providers
from .queries import sso
from .stripe_api import CALLS, EVENT_SECRET, SECRET_KEY, STRIPE, Billing

SIGNING_KEY = "token-signing"
AUDIT_ANCHORS = "audit-anchors"
SEALING_KEY = "identity"
SP_KEY = SealedColumn("core.sso_connections", "sp_key_encrypted", sso.SEALED_SP_KEYS)
SEALED_COLUMNS = (SP_KEY,)
EXPORT_KEY = "export-signing"
EXPORT_PART = PurgedColumn("core.audit_export_parts", "content_encrypted", kept_for=KEPT_FOR)
_METADATA_CALLS = EgressPolicy(methods=frozenset({"GET"}), redirects=2, most_response_bytes=262_144)


@dataclass(frozen=True, slots=True)
class AuthDeps(Deps):
    """Clients of the auth function.

    Attributes:
        issuer: makes access tokens.
        providers: where people sign in.
        admin_domains: e-mail domains of the people who run the platform, as the deployment says.
        export_key: signs what auditors are given.
        anchors: the bucket that keeps heads of audit chains.
        envelope: seals our keys for organisations' own identity providers.
        resealer: seals them anew when their key is rotated.
        egress: reads those providers' metadata.
        domain_records: reads what proves a domain.
        rotator: adds random versions to secrets.
        billing: sells plans through Stripe, where the operator set it up.
        disclosure: where vulnerabilities are reported, where the operator said so.
    """

    issuer: TokenIssuer
    providers: Providers
    admin_domains: frozenset[str]
    export_key: SigningKey
    anchors: ObjectStore
    envelope: Envelope
    resealer: Resealer
    egress: EgressGuard
    domain_records: DomainRecords
    rotator: SecretRotator
    billing: Billing
    disclosure: Disclosure | None


def export_place(org_id: UUID, part_id: UUID) -> Place:
    """Say where a part of a pack for auditors stands."""
    return EXPORT_PART.place(org_id, part_id)


def load_deps(settings: Settings) -> AuthDeps:
    """Build the clients of one process.

    Raises:
        ValueError: a setting cannot be read; names its variable.
    """
    clock = SystemClock()
    keys = GoogleKeyManager(settings)
    issuer = TokenIssuer(
        keys,
        SIGNING_KEY,
        settings.public_url,
        clock,
        activation_seconds=settings.token_activation_seconds,
    )
    common = build_deps(settings, fetch_token_keys=lambda _url: json.dumps(issuer.jwks()).encode())
    envelope = Envelope(keys, SEALING_KEY, common.entropy)
    admin_domains = frozenset(part.strip().lower() for part in settings.admin_domains.split(",") if part.strip())
    return AuthDeps(
        **{field.name: getattr(common, field.name) for field in fields(common)},
        issuer=issuer,
        providers=Providers.of(settings, clock),
        admin_domains=admin_domains,
        export_key=SigningKey(
            keys, EXPORT_KEY, clock, activation_seconds=settings.token_activation_seconds, known_as="export keys"
        ),
        anchors=GoogleObjectStore(settings, AUDIT_ANCHORS),
        envelope=envelope,
        resealer=Resealer(common.db, envelope, SEALED_COLUMNS, common.clock),
        egress=EgressGuard(for_process(_METADATA_CALLS, settings), SystemResolver(), clock),
        domain_records=DomainRecords(settings.dns_server),
        rotator=GoogleSecretRotator(settings),
        billing=build_billing(settings, common.secrets, clock),
        disclosure=read_disclosure(
            settings.security_contact, settings.security_contact_until, settings.security_policy
        ),
    )


def build_billing(settings: Settings, secrets: SecretStore, clock: Clock) -> Billing:
    """Build what speaks with Stripe; without prices it refuses everything and reads no secret.

    Raises:
        ValueError: `DW_STRIPE_PRICES` cannot be read.
    """
    return Billing(
        prices=read_prices(settings.stripe_prices),
        guard=EgressGuard(for_process(CALLS, settings), SystemResolver(), clock),
        keys=SecretVersions(SECRET_KEY, secrets, clock),
        event_secrets=SecretVersions(EVENT_SECRET, secrets, clock),
        root=settings.stripe_endpoint or STRIPE,
    )
