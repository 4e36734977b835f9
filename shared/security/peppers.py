"""The versions of the pepper that API keys are hashed under."""

from __future__ import annotations

from shared.ports.clock import Clock, SystemClock
from shared.ports.secret_store import SecretStore

from .secret_versions import SecretVersions


class Peppers(SecretVersions):
    """The versions of the pepper: keys are hashed under the newest, and verified under the one that their row names."""

    def __init__(self, secrets: SecretStore, clock: Clock | None = None) -> None:
        super().__init__("api-key-pepper", secrets, clock or SystemClock())
