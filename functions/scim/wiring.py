"""The one place that builds this function's clients."""

from __future__ import annotations

from shared.http.deps import Deps, build_deps
from shared.settings import Settings


def load_deps(settings: Settings) -> Deps:
    """Build the clients of one process."""
    return build_deps(settings, takes_scim_tokens=True)
