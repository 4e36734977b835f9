"""The boot guard: in production a process with a safety off does not start."""

from __future__ import annotations

from shared.settings import Settings


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
    addresses = [*_ALWAYS_HTTPS, *(name for name in _HTTPS_WHEN_SET if getattr(settings, name))]
    unsafe += [
        f"DW_{name.upper()} is not an https address"
        for name in addresses
        if not getattr(settings, name).startswith("https://")
    ]
    if unsafe:
        raise UnsafeStart("refusing to start: " + "; ".join(unsafe))


_EMULATOR_ONLY = (
    "database_url", "kms_endpoint", "secrets_endpoint", "pubsub_endpoint", "aws_endpoint", "egress_bypass",
)  # fmt: skip
_ALWAYS_HTTPS = ("public_url", "events_issuer", "events_jwks_url")
_HTTPS_WHEN_SET = ("jwks_url", "oidc_issuer")  # keys and people's identities come from there
