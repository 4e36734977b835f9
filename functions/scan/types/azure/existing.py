"""What Azure has and no mapping covers: what people call it, and whether anybody would declare it.

Source: Azure documentation of each resource type that is named here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_NAME = re.compile(r"[^a-z0-9]+")
# Parts of other things, or traces of a run: nobody writes them into a configuration.
_PARTS = frozenset({
    "microsoft.alertsmanagement/alerts", "microsoft.authorization/roledefinitions", "microsoft.classiccompute/domainnames",
    "microsoft.compute/restorepointcollections", "microsoft.compute/virtualmachines/extensions",
    "microsoft.containerregistry/registries/webhooks", "microsoft.insights/autoscalesettings/history",
    "microsoft.network/dnszones/soa", "microsoft.operationsmanagement/solutions", "microsoft.portal/dashboards", "microsoft.resourcegraph/queries",
    "microsoft.resources/deployments", "microsoft.security/assessments", "microsoft.saas/resources",
    "microsoft.visualstudio/account",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Existing:
    """One thing that no mapping covers.

    Attributes:
        type: a name in the manner of Terraform's, which need not be the provider's own.
        is_told: it is reported when no state declares it.
    """

    type: str
    is_told: bool


def further_of(arm_type: str, *, cloud_made: bool) -> Existing:
    """Tell what a resource of an ARM type is.

    Args:
        arm_type: in lower case.
        cloud_made: Azure made it by itself.
    """
    plain = arm_type.removeprefix("microsoft.")
    return Existing(f"azurerm_{_NAME.sub('_', plain).strip('_')}"[:200], not cloud_made and arm_type not in _PARTS)
