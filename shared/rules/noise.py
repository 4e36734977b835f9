"""Changes that change nothing: two spellings of one value, and values that the provider only computes again.

Every rule here is gated on equality: a difference is noise only when both sides are equal in the form the rule names. What is
unknown is noise only where the configuration does not set it. A replacement, a creation and a deletion are never noise.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from math import isfinite
from typing import Any

from .plan import Change, Plan
from .values import Mark, holds_mark, is_list, is_mark, is_object, parsed, raw

_POLICY_NAMES = frozenset(
    {
        "policy",
        "assume_role_policy",
        "access_policies",
        "inline_policy",
        "policy_data",
        "bucket_policy",
        "container_definitions",
        "definition",
        "redrive_policy",
    }
)
# Sets that providers write as lists: order carries no meaning there.
_UNORDERED = frozenset({
    "security_groups", "vpc_security_group_ids", "security_group_ids", "subnets", "subnet_ids", "cidr_blocks", "ipv6_cidr_blocks", "prefix_list_ids", "source_ranges", "source_tags",
    "target_tags", "ports", "members", "permissions", "availability_zones", "subject_alternative_names", "aliases", "records", "enabled_cluster_log_types",
    "enabled_cloudwatch_logs_exports", "source_address_prefixes", "destination_port_ranges", "ip_rules", "authorized_ip_ranges", "public_access_cidrs", "tags_set",
})  # fmt: skip
# What two providers are known to write back in another spelling. Source: issues of the providers' repositories.
_FLAPPING: tuple[tuple[str, str, str], ...] = (
    ("azurerm_*", "*_id", "case of an Azure id"), ("azurerm_*", "id", "case of an Azure id"), ("azurerm_*", "location", "spelling of a location"),
    ("*_dns_*", "name", "dot at the end of a name"), ("aws_route53_*", "*", "dot at the end of a name"), ("google_dns_*", "*", "dot at the end of a name"),
)  # fmt: skip
_ARM_ID = re.compile(r"/subscriptions/[^/]+(?:/.*)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Noise:
    """What of a change is noise.

    Attributes:
        reasons: (attribute, why) of every difference that is none.
        is_whole: nothing else is left: the change changes nothing.
    """

    reasons: tuple[tuple[str, str], ...]
    is_whole: bool


def judge_noise(change: Change, plan: Plan) -> Noise | None:
    """Return what of an update is noise, None when nothing is.

    Args:
        change: any change; only updates can be noise.
        plan: the plan it stands in.
    """
    if not change.is_update or change.before is None or change.after is None or change.is_import:
        return None
    before, after = change.before, change.after
    differing = sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
    reasons = [(name, why) for name in differing if (why := _reason(change, plan, name)) is not None]
    if not reasons:
        return None
    return Noise(tuple(reasons), len(reasons) == len(differing) and any(why != _COMPUTED for _, why in reasons))


_COMPUTED = "computed by the provider"


def _reason(change: Change, plan: Plan, name: str) -> str | None:
    before, after = raw(change.before, name), raw(change.after, name)
    if is_mark(after):
        is_computed = plan.references is not None and not plan.configured(change, name) and not _is_sensitive(after)
        return _COMPUTED if is_computed else None
    return spelled_alike(change.type, name, before, after)


def spelled_alike(kind: str, name: str, one: Any, other: Any) -> str | None:
    """Return why two values of an attribute are the same in spite of their spelling, None when they are not or cannot be told.

    Args:
        kind: type of the resource.
        name: the attribute.
        one: a value.
        other: another one.
    """
    if holds_mark(one) or holds_mark(other):
        return None
    return next((why for why, form in _forms(kind, name) if form(one) == form(other)), None)


def _is_sensitive(value: Mark) -> bool:
    return value.text.startswith("(sensitive")


def _forms(kind: str, name: str) -> Iterator[tuple[str, Callable[[Any], Any]]]:
    """Yield why two spellings may be equal, and the form in which they then are."""
    yield "null and empty are the same", _without_empty
    yield "a number or a flag in another spelling", lambda value: _plain(_without_empty(value))
    if name in _POLICY_NAMES or name.endswith(("_policy", "_json")):
        yield "JSON in another spelling", _json
    if name in _UNORDERED:
        yield "order of a set", _sorted
    for kinds, names, why in _FLAPPING:
        if fnmatchcase(kind, kinds) and fnmatchcase(name, names):
            yield why, _FORMS[why]


def _without_empty(value: Any) -> Any:
    """Return null for an empty text, list or object; members that are null or empty are left out of blocks (not of maps of text)."""
    if is_object(value):
        if all(isinstance(inner, str | None) for inner in value.values()):
            return dict(value) or None  # a map of text: an empty text in it means something
        found = {name: _without_empty(inner) for name, inner in value.items()}
        return {name: inner for name, inner in found.items() if inner is not None} or None
    if is_list(value):
        return [_without_empty(inner) for inner in value] or None
    return None if value == "" else _Tagged(value) if isinstance(value, bool) else value


@dataclass(frozen=True, slots=True)
class _Tagged:
    """A flag: `True == 1` in Python, and a rule that is gated on equality must not think so."""

    value: bool


def _plain(value: Any) -> Any:
    if is_object(value):
        return {name: _plain(inner) for name, inner in value.items()}
    if is_list(value):
        return [_plain(inner) for inner in value]
    if isinstance(value, _Tagged):
        return "true" if value.value else "false"
    if isinstance(value, int | float):
        return str(int(value)) if isfinite(value) and value == int(value) else repr(value)
    return value


def _json(value: Any) -> Any:
    found = parsed(value)
    return json.dumps(found, sort_keys=True) if isinstance(found, dict | list) else ("text", value)


def _sorted(value: Any) -> Any:
    return (
        sorted(value) if is_list(value) and all(isinstance(item, str) for item in value) else ("as it is", repr(value))
    )


def _arm_id(value: Any) -> Any:
    return value.lower() if isinstance(value, str) and _ARM_ID.fullmatch(value) else ("as it is", repr(value))


def _location(value: Any) -> Any:
    return value.replace(" ", "").lower() if isinstance(value, str) else ("as it is", repr(value))


def _dotless(value: Any) -> Any:
    return value.rstrip(".").lower() if isinstance(value, str) else ("as it is", repr(value))


_FORMS: Mapping[str, Callable[[Any], Any]] = {
    "case of an Azure id": _arm_id,
    "spelling of a location": _location,
    "dot at the end of a name": _dotless,
}
