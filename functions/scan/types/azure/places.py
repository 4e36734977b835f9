"""Which subscription or management group a resource of a state lies in, so that a scan of another one leaves it alone.

Source: Azure Resource Manager documentation, "resourceId", "Management group resource id".
"""

from __future__ import annotations

import re
from dataclasses import replace

from ...domain.resources import Declared
from .ids import subscription_of

_GROUP = re.compile(r"/providers/microsoft\.management/managementgroups/[^/|]+", re.IGNORECASE)


def placed(declared: Declared) -> Declared:
    """Note where a resource lies: its id tells, in whatever case; of a link that is its first end."""
    for name in (declared.attributes.get("id"), declared.key):
        place = _place_of(name)
        if place is not None:
            return replace(declared, account=place)
    return declared


def _place_of(name: object) -> str | None:
    group = _GROUP.match(str(name or ""))
    return subscription_of(name) or (group[0].lower() if group else None)
