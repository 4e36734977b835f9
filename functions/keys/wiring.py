"""The one place that builds this function's clients."""

from __future__ import annotations

from dataclasses import dataclass, fields

from shared.http.deps import Deps, build_deps
from shared.ports.clock import Clock
from shared.security.reporter_signatures import ReporterKeys, read_reporter_keys
from shared.settings import Settings


@dataclass(frozen=True, slots=True)
class KeysDeps(Deps):
    """Clients of the keys function.

    Attributes:
        reporter_keys: published keys of the secret-scanning partner.
    """

    reporter_keys: ReporterKeys


def load_deps(settings: Settings) -> KeysDeps:
    """Build the clients of one process."""
    common = build_deps(settings)
    shared = {field.name: getattr(common, field.name) for field in fields(common)}
    return KeysDeps(**shared, reporter_keys=_reporter_keys(settings, common.clock))


def _reporter_keys(settings: Settings, clock: Clock) -> ReporterKeys:
    if not settings.secret_scanning_keys_url:  # no reports are taken: every signature is by an unknown key
        return ReporterKeys("", clock, fetch=lambda _url: b'{"public_keys": []}', read=read_reporter_keys)
    return ReporterKeys(settings.secret_scanning_keys_url, clock, read=read_reporter_keys)
