"""Every rule there is, by family. A new family joins here."""

from __future__ import annotations

from ..rule import Rule
from . import (
    access,
    audit,
    capacity,
    cluster_access,
    cluster_pods,
    delivery,
    destruction,
    drift,
    encryption,
    google_members,
    identity,
    ingress,
    keys,
    names,
    protection,
    reach,
    shares,
    ways_aws,
    ways_azure,
    ways_google,
)

RULES: tuple[Rule, ...] = (
    *destruction.RULES,
    *protection.RULES,
    *ingress.RULES,
    *ways_aws.RULES,
    *ways_google.RULES,
    *ways_azure.RULES,
    *access.RULES,
    *identity.RULES,
    *google_members.RULES,
    *shares.RULES,
    *encryption.RULES,
    *keys.RULES,
    *names.RULES,
    *reach.RULES,
    *capacity.RULES,
    *audit.RULES,
    *delivery.RULES,
    *cluster_pods.RULES,
    *cluster_access.RULES,
    *drift.RULES,
)
