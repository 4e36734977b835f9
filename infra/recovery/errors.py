"""What stops a recovery."""

from __future__ import annotations


class RecoveryError(Exception):
    """A step was not done, or not to its end; says which, and what to do."""
