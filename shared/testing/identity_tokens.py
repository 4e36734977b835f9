"""Identity tokens in memory: signed by nobody."""

from __future__ import annotations


class MemoryIdentityTokens:
    """Tokens that only name their audience.

    Attributes:
        asked: audiences that tokens were made for, in order.
    """

    def __init__(self) -> None:
        self.asked: list[str] = []

    def token_for(self, audience: str) -> str:
        self.asked.append(audience)
        return f"token-for-{audience}"
