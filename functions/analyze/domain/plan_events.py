"""A plan as a webhook delivers it: where in the body it stands, and what the sender says of where it comes from. Pure.

Atlantis' own webhooks carry no plan; a hook of its users sends the plan itself, or an object `{plan_json, ci, fail_on}`. A `standard`
event of the type `terraform.plan` has the same in its `data`.
Source: https://www.runatlantis.io/docs/post-workflow-hooks; Standard Webhooks 1.0, "Payload structure".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from ..errors import PlanUnreadable
from .plan import load_document
from .plan.documents import EXAMPLE

_PLAN: Final = "plan_json"
_BESIDE: Final = ("ci", "fail_on")
_DATA: Final = "data"


@dataclass(frozen=True, slots=True)
class DeliveredPlan:
    """A plan out of a delivery.

    Attributes:
        plan: as the tools write it.
        beside: `ci` and `fail_on` as the sender wrote them, unchecked; empty when the body is the plan itself.
    """

    plan: str | Mapping[str, Any]
    beside: Mapping[str, Any]


def find_plan(provider: str, content: bytes) -> DeliveredPlan:
    """Return the plan that a delivery carries.

    Args:
        provider: whose delivery it is, `atlantis` or `standard`.
        content: the raw body.

    Raises:
        PlanUnreadable: (422 `plan_unreadable`) there is none.
        PlanTooLarge: (413 `plan_too_large`).
    """
    document = load_document(content)
    if provider == "standard":
        document = _data(document)
    if _PLAN not in document:
        return DeliveredPlan(document, {})
    plan = document[_PLAN]
    if not isinstance(plan, str | dict):
        raise PlanUnreadable(f"`{_PLAN}` is neither a text nor an object; {EXAMPLE}", looks_like="json")
    return DeliveredPlan(plan, {name: document[name] for name in _BESIDE if document.get(name) is not None})


def _data(document: Mapping[str, Any]) -> dict[str, Any]:
    data = document.get(_DATA)
    if not isinstance(data, dict):
        raise PlanUnreadable(f"the event has no object `{_DATA}`; {EXAMPLE}", looks_like="json")
    return data
