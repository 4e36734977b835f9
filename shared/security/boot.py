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
    if not settings.public_url.startswith("https://"):
        unsafe.append("DW_PUBLIC_URL is not an https address")
    if not settings.events_issuer.startswith("https://") or not settings.events_jwks_url.startswith("https://"):
        unsafe.append("DW_EVENTS_ISSUER or DW_EVENTS_JWKS_URL is not an https address")
    if unsafe:
        raise UnsafeStart("refusing to start: " + "; ".join(unsafe))


_EMULATOR_ONLY = ("database_url", "kms_endpoint", "secrets_endpoint", "pubsub_endpoint", "aws_endpoint")
