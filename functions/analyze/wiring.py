"""The one place that builds this function's clients."""

from __future__ import annotations

from dataclasses import dataclass, fields

from shared.http.deps import Deps, build_deps
from shared.settings import Settings


@dataclass(frozen=True, slots=True)
class AnalyzeDeps(Deps):
    """Clients of the analyze function."""


def load_deps(settings: Settings) -> AnalyzeDeps:
    """Build the clients of one process."""
    common = build_deps(settings)
    return AnalyzeDeps(**{field.name: getattr(common, field.name) for field in fields(common)})
