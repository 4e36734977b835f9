"""What happens in a customer's project, subscription or cluster while a running suite scans it: what was applied, what somebody does.

Owns the steps that each cloud's journey has; both sides of each, what is put into the stand-in and what must be told about it, stand
in a module of its own. The tests say in which order.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any, ClassVar

import httpx

from .scanning import Estate, Org

Found = tuple[str, str, str]
WHO = "eve@example.com"


@dataclass
class Told:
    """What must be told about one finding.

    Attributes:
        actor: who did it; None where the cloud does not tell.
        import_id: of what is unmanaged; None where no import block is given.
    """

    actor: str | None = WHO
    import_id: str | None = None


@dataclass
class Journey(ABC):
    """One account.

    Attributes:
        estate: the running suite.
        permission: what is taken away at first.
        org: whose account it is, and `account` its id, once it is connected.
    """

    estate: Estate
    permission: ClassVar[str]
    org: Org = field(init=False)
    account: str = field(init=False)

    @abstractmethod
    def wish(self) -> dict[str, Any]:
        """Return how the account is connected."""

    @abstractmethod
    def state(self) -> bytes:
        """Return the state of what was applied."""

    @abstractmethod
    def deny(self) -> None:
        """Put in place what was applied, for somebody whose permission is missing."""

    @abstractmethod
    def allow(self) -> None:
        """Give the permission."""

    @abstractmethod
    def plant(self) -> dict[Found, Told]:
        """Change, delete and make something behind Terraform's back; returns what must be found."""

    @abstractmethod
    def heal(self) -> set[Found]:
        """Put the change right; returns what must be gone."""


def stand_in(estate: Estate, cloud: str, **document: Any) -> None:
    """Put other things into a stand-in."""
    url = estate.described["customers"][cloud]
    httpx.post(f"{url}/_seed", json=document, timeout=30, trust_env=False).raise_for_status()
