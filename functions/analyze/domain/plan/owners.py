"""Whose plan it is: the accounts and domains that the state before it shows as the planner's own.

Only three data sources that say who plans, and the ARNs of what is managed already, are read. A change of the plan never is, so
that no change can make an outsider look like one's own.
Source: https://developer.hashicorp.com/terraform/internals/json-format#values-representation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from shared.rules.policies import account_of

_MOST_MODULES = 100_000


def read_owners(state: object) -> frozenset[str]:
    """Return account ids and domains.

    Args:
        state: the plan's `prior_state`; nothing is known when there is none.
    """
    values = state.get("values") if isinstance(state, Mapping) else None
    root = values.get("root_module") if isinstance(values, Mapping) else None
    return frozenset(owner for resource in _resources(root) for owner in _owners(resource))


def _resources(root: object) -> Iterator[Mapping[str, Any]]:
    waiting, walked = [root], 0
    while waiting and walked < _MOST_MODULES:
        module, walked = waiting.pop(), walked + 1
        if isinstance(module, Mapping):
            resources, children = module.get("resources"), module.get("child_modules")
            yield from (item for item in resources if isinstance(item, Mapping)) if isinstance(resources, list) else ()
            waiting.extend(children if isinstance(children, list) else ())


def _owners(resource: Mapping[str, Any]) -> Iterator[str]:
    values = resource.get("values")
    if not isinstance(values, Mapping):
        return
    kind = str(resource.get("type"))
    if resource.get("mode") != "data" and not kind.endswith("_accepter"):  # an accepter bears the ARN of the other side
        account = account_of(values.get("arn"))
    elif kind == "aws_caller_identity":
        account = account_of(values.get("account_id"))
    else:
        account = None
    if account is not None:
        yield account
    source = {"google_organization": "domain", "google_client_openid_userinfo": "email"}.get(kind)
    domain = values.get(source) if source is not None and resource.get("mode") == "data" else None
    if isinstance(domain, str) and "." in domain:
        yield domain.rpartition("@")[2].lower()
