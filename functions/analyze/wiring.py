"""The one place that builds this function's clients."""

from __future__ import annotations

from dataclasses import dataclass, fields
from uuid import UUID

from shared.data.resealing import Resealer
from shared.data.sealed_columns import SealedColumn
from shared.http.deps import Deps, build_deps
from shared.ports.key_manager import GoogleKeyManager
from shared.security.egress import EgressGuard, SystemResolver, for_process
from shared.security.envelope import Envelope, Place
from shared.settings import Settings

from .code_hosts.connecting import CodeHosts
from .code_hosts.exchange import POLICY as CODE_HOST_POLICY
from .code_hosts.terraform_cloud import DOWNLOADS
from .language_models.asking import POLICY
from .language_models.choosing import Models
from .models.llm import NEEDS
from .queries import code_hosts, llm

CREDENTIALS_KEY = "model-credentials"
BODIES_KEY = "webhook-secrets"  # of the webhook function, whose deliveries may carry plans
PLATFORM_SECRET = "platform-model-key"  # noqa: S105  # a name
MODEL_CREDENTIALS = SealedColumn("analysis.llm_configs", "credentials_encrypted", llm.SEALED_CREDENTIALS)
_PLATFORM_SETTINGS = ("endpoint", "region")
CODE_HOST_CREDENTIALS = SealedColumn("analysis.code_hosts", "credentials_encrypted", code_hosts.SEALED_CREDENTIALS)
SEALED_COLUMNS = (MODEL_CREDENTIALS, CODE_HOST_CREDENTIALS)


@dataclass(frozen=True, slots=True)
class AnalyzeDeps(Deps):
    """Clients of the analyze function.

    Attributes:
        envelope: seals and opens credentials of language models and code hosts.
        bodies: opens bodies of deliveries that carry plans; seals nothing.
        resealer: seals them anew when their key is rotated.
        egress: judges endpoints of language models, and calls them.
        models: makes language models that can be asked.
        code_hosts: makes clients of code hosts.
    """

    envelope: Envelope
    bodies: Envelope
    resealer: Resealer
    egress: EgressGuard
    models: Models
    code_hosts: CodeHosts


def credentials_place(org_id: UUID, config_id: UUID) -> Place:
    """Say where the credentials of an organisation's own model stand."""
    return MODEL_CREDENTIALS.place(org_id, config_id)


def code_host_place(org_id: UUID, host_id: UUID) -> Place:
    """Say where the credentials of a connection to a code host stand."""
    return CODE_HOST_CREDENTIALS.place(org_id, host_id)


def body_place(org_id: UUID, delivery_id: UUID) -> Place:
    """Say where a delivery's body stands, as the webhook function sealed it."""
    return Place("webhook.deliveries_in", "body_encrypted", org_id, delivery_id)


def check_platform_model(settings: Settings) -> None:
    """Refuse settings of the platform's model that cannot work, before anybody waits for it.

    Raises:
        ValueError: names what is wrong.
    """
    provider = settings.llm_provider
    if not provider:
        return
    if provider not in NEEDS:
        raise ValueError(f"DW_LLM_PROVIDER must be one of {', '.join(NEEDS)}")
    needed = {"model", *(name for name in NEEDS[provider][0] if name in _PLATFORM_SETTINGS)}
    missing = sorted(f"DW_LLM_{name.upper()}" for name in needed if not getattr(settings, f"llm_{name}"))
    if missing:
        raise ValueError(f"DW_LLM_PROVIDER is {provider}, which also needs {', '.join(missing)}")


def load_deps(settings: Settings) -> AnalyzeDeps:
    """Build the clients of one process."""
    check_platform_model(settings)
    common = build_deps(settings)
    keys = GoogleKeyManager(settings)
    envelope = Envelope(keys, CREDENTIALS_KEY, common.entropy)
    egress = EgressGuard(for_process(POLICY, settings), SystemResolver(), common.clock)
    return AnalyzeDeps(
        **{field.name: getattr(common, field.name) for field in fields(common)},
        envelope=envelope,
        bodies=Envelope(keys, BODIES_KEY, common.entropy),
        resealer=Resealer(common.db, envelope, SEALED_COLUMNS, common.clock),
        egress=egress,
        models=Models(egress, common.clock, common.entropy),
        code_hosts=CodeHosts(
            EgressGuard(for_process(CODE_HOST_POLICY, settings), SystemResolver(), common.clock),
            EgressGuard(for_process(DOWNLOADS, settings), SystemResolver(), common.clock),
            common.clock,
            common.entropy,
        ),
    )
