"""Reads WAF's web ACLs, rule groups and sets, of a region or (once, in us-east-1) of CloudFront.

Source: AWS WAFV2 API Reference, the List and Get actions named in each listing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from ...domain.resources import LiveResource
from .base import Finding, Gap, Item, Listing, Scope, Service, attempt, each, tag_map
from .ec2_compute import snake

_GONE = ("WAFNonexistentItemException",)
_ACL = "aws_wafv2_web_acl"
_LOGGING = "aws_wafv2_web_acl_logging_configuration"
_EDGE = "CLOUDFRONT"


@dataclass(frozen=True, slots=True)
class _Kind:
    """One kind of thing: its Terraform type, its list and get calls with the members of their replies, and its attributes."""

    type: str
    listed: str
    list_member: str
    got: str
    get_member: str
    attributes: Callable[[Item], Mapping[str, object]]


def _visible(item: Item) -> list[object]:
    found = item.get("VisibilityConfig") or {}
    return [
        {
            "cloudwatch_metrics_enabled": found.get("CloudWatchMetricsEnabled"),
            "metric_name": found.get("MetricName"),
            "sampled_requests_enabled": found.get("SampledRequestsEnabled"),
        }
    ]


def _rules(item: Item) -> list[object]:
    """Return the rules with their first members spelled as in Terraform; the shape spells what is below."""
    return [
        {"name": rule.get("Name"), **{name: part for name, part in rule.items() if name != "Name"}}
        for rule in item.get("Rules") or ()
    ]


def _acl(item: Item) -> Mapping[str, object]:
    return {
        "default_action": [item.get("DefaultAction") or {}],
        "rule": _rules(item),
        "token_domains": item.get("TokenDomains"),
        "visibility_config": _visible(item),
    }


def _group(item: Item) -> Mapping[str, object]:
    return {"capacity": item.get("Capacity"), "rule": _rules(item), "visibility_config": _visible(item)}


def _addresses(item: Item) -> Mapping[str, object]:
    return {"ip_address_version": item.get("IPAddressVersion"), "addresses": item.get("Addresses")}


def _patterns(item: Item) -> Mapping[str, object]:
    return {"regular_expression": [snake(one) for one in item.get("RegularExpressionList") or ()]}


_KINDS = (
    _Kind(_ACL, "list_web_acls", "WebACLs", "get_web_acl", "WebACL", _acl),
    _Kind("aws_wafv2_rule_group", "list_rule_groups", "RuleGroups", "get_rule_group", "RuleGroup", _group),
    _Kind("aws_wafv2_ip_set", "list_ip_sets", "IPSets", "get_ip_set", "IPSet", _addresses),
    _Kind("aws_wafv2_regex_pattern_set", "list_regex_pattern_sets", "RegexPatternSets", "get_regex_pattern_set", "RegexPatternSet", _patterns),
)  # fmt: skip


def _read(kind: _Kind, place: str, scope: Scope) -> Iterator[Finding]:
    yield from each(_listed(scope, kind.listed, kind.list_member, place), partial(_one, scope, kind, place))


def _listed(scope: Scope, operation: str, member: str, place: str) -> Iterator[Item]:
    """Yield every page by hand: botocore knows no paginator for WAF."""
    call = getattr(scope.client("wafv2"), operation)
    marker: str | None = None
    while True:
        reply = call(Scope=place, Limit=100, **({"NextMarker": marker} if marker else {}))
        found = reply.get(member) or []
        yield from found
        before, marker = marker, reply.get("NextMarker")
        if not marker or not found or marker == before:
            return


def _one(scope: Scope, kind: _Kind, place: str, item: Item) -> Iterator[Finding]:
    key, client = item["ARN"], scope.client("wafv2")
    region = "global" if place == _EDGE else scope.region
    call = partial(getattr(client, kind.got), Name=item["Name"], Scope=place, Id=item["Id"])
    found = attempt("wafv2", call, *_GONE)
    if isinstance(found, Gap):
        yield found.unread(kind.type, key)
        return
    if not found:  # deleted since the list was made
        return
    thing, tags = found[kind.get_member], dict[str, str]()
    attributes: dict[str, object] = {
        "name": thing.get("Name"),
        "description": thing.get("Description"),
        **kind.attributes(thing),
    }
    tagged = attempt("wafv2", partial(client.list_tags_for_resource, ResourceARN=key), *_GONE)
    if isinstance(tagged, Gap):
        yield tagged.unread(kind.type, key, "tags")
    else:
        attributes["tags"] = tags = tag_map((tagged.get("TagInfoForResource") or {}).get("TagList"))
    is_made = bool(thing.get("ManagedByFirewallManager"))
    yield LiveResource(kind.type, key, region, attributes, key, cloud_made=is_made, tags=tags)


def _read_logging(place: str, scope: Scope) -> Iterator[Finding]:
    region = "global" if place == _EDGE else scope.region
    for item in _listed(scope, "list_logging_configurations", "LoggingConfigurations", place):
        key = item["ResourceArn"]
        attributes = {"log_destination_configs": item.get("LogDestinationConfigs")}
        is_made = bool(item.get("ManagedByFirewallManager"))
        yield LiveResource(_LOGGING, key, region, attributes, key, cloud_made=is_made)


_NAMES = {"web_acl": "WebACL", "rule_group": "RuleGroup", "ip_set": "IPSet", "regex_pattern_set": "RegexPatternSet"}


def _listings() -> Iterator[Listing]:
    for place in ("REGIONAL", _EDGE):
        for kind in _KINDS:
            word = _NAMES[kind.type.removeprefix("aws_wafv2_")]
            yield Listing(
                types=(kind.type,),
                read=partial(_read, kind, place),
                permissions=(f"wafv2:List{word}s", f"wafv2:Get{word}", "wafv2:ListTagsForResource"),
                is_global=place == _EDGE,
            )
        yield Listing(
            types=(_LOGGING,),
            read=partial(_read_logging, place),
            permissions=("wafv2:ListLoggingConfigurations",),
            is_global=place == _EDGE,
        )


SERVICE = Service("wafv2", tuple(_listings()))
