"""The boot guard: in production a process with a safety off does not start."""

from __future__ import annotations

import json

from shared.settings import Settings

from .signing_keys import LEAST_ACTIVATION_SECONDS


class UnsafeStart(Exception):
    """A safety is off in production; the process must not serve."""


def guard(settings: Settings) -> None:
    """Refuse to start when a safety is off. The emulator is the only place where they may be.

    Raises:
        UnsafeStart: names every setting that is unsafe.
    """
    if not settings.is_production:
        return
    unsafe = [f"DW_{name.upper()} is set" for name in _EMULATOR_ONLY if getattr(settings, name)]
    if settings.env != "production":
        unsafe.append("DW_ENV is neither `production` nor `emulator`")
    if settings.debug:
        unsafe.append("DW_DEBUG is on")
    if settings.rate_scale != 1:
        unsafe.append("DW_RATE_SCALE is not 1")
    if settings.token_activation_seconds < LEAST_ACTIVATION_SECONDS:
        unsafe.append(f"DW_TOKEN_ACTIVATION_SECONDS is below {LEAST_ACTIVATION_SECONDS}")
    if not settings.redis_url.startswith("rediss://"):
        unsafe.append("DW_REDIS_URL is not a rediss address")
    if settings.otlp_endpoint and not settings.otlp_endpoint.startswith(_PRIVATE_OR_BESIDE):
        unsafe.append("DW_OTLP_ENDPOINT is neither an https address nor a collector beside this process")
    addresses = [*_ALWAYS_HTTPS, *(name for name in _HTTPS_WHEN_SET if getattr(settings, name))]
    unsafe += [
        f"DW_{name.upper()} is not an https address"
        for name in addresses
        if not getattr(settings, name).startswith("https://")
    ]
    unsafe += _unsafe_issuers(settings)
    if unsafe:
        raise UnsafeStart("refusing to start: " + "; ".join(unsafe))


def _unsafe_issuers(settings: Settings) -> list[str]:
    """Name every list of issuers that cannot be read, or that names one without TLS: identities come from there."""
    unsafe: list[str] = []
    for name in ("oidc_providers", "trusted_issuers"):
        text = getattr(settings, name)
        if not text:
            continue
        try:
            addresses = [item[field] for item in json.loads(text) for field in ("issuer", "jwks_url") if field in item]
        except (ValueError, TypeError):
            unsafe.append(f"DW_{name.upper()} is not a JSON list of objects")
            continue
        if not all(str(address).startswith("https://") for address in addresses):
            unsafe.append(f"DW_{name.upper()} names an address that is not https")
    return unsafe


_EMULATOR_ONLY = (
    "database_url", "database_password_secret", "kms_endpoint", "secrets_endpoint", "pubsub_endpoint", "storage_endpoint",
    "aws_endpoint", "google_endpoint", "azure_endpoint", "egress_bypass", "dns_server", "slack_endpoint",
)  # fmt: skip
_PRIVATE_OR_BESIDE = ("https://", "http://127.0.0.1:", "http://localhost:")
_ALWAYS_HTTPS = ("public_url", "events_issuer", "events_jwks_url")
_HTTPS_WHEN_SET = (
    "jwks_url",
    "oidc_issuer",
    "secret_scanning_keys_url",
    "llm_endpoint",
)  # keys and identities come from there
