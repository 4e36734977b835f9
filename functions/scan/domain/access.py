"""Which ways of signing in there are to which cloud, and what each of them leaves behind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from .shards import GLOBAL

WAYS: Final[Mapping[str, tuple[str, ...]]] = {
    "aws": ("role", "static_key"),
    "gcp": ("workload_identity", "service_account_key"),
    "azure": ("federated", "client_secret"),
    "kubernetes": ("report",),
}
TRUSTING: Final = frozenset({"role", "workload_identity", "federated"})
"""Ways by which the customer's side trusts our identity, with an external id that we chose."""

ANYWHERE: Final = (GLOBAL,)
"""The regions of an account whose cloud is read in one go."""


def check_way(provider: str, way: str) -> dict[str, str] | None:
    """Return what is wrong with a way of signing in, None when the provider has it."""
    if way in WAYS[provider]:
        return None
    return {"field": "auth.kind", "problem": f"an account of {provider} has one of {', '.join(WAYS[provider])}"}
