"""What keeps a bundle from being built."""

from __future__ import annotations


class BuildError(Exception):
    """The sources, the lock and the environment do not fit together; the message says which and what to do."""
