"""The one place that builds this function's clients."""

from __future__ import annotations

import gc

from shared.http.deps import Deps, build_deps
from shared.settings import Settings


def load_deps(settings: Settings) -> Deps:
    """Build the clients of one process.

    What has been built by now lives as long as the process: the garbage collector goes through it no more, which it otherwise does
    for every few thousand members of a group that is read.
    """
    deps = build_deps(settings, takes_scim_tokens=True)
    gc.freeze()
    return deps
