"""Every rule there is, by family. A new family joins here."""

from __future__ import annotations

from ..rule import Rule
from . import access, audit, capacity, destruction, drift, encryption, identity, ingress, keys, names, protection, reach

RULES: tuple[Rule, ...] = (
    *destruction.RULES,
    *protection.RULES,
    *ingress.RULES,
    *access.RULES,
    *identity.RULES,
    *encryption.RULES,
    *keys.RULES,
    *names.RULES,
    *reach.RULES,
    *capacity.RULES,
    *audit.RULES,
    *drift.RULES,
)
