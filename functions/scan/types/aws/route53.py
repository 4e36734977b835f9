"""Route 53 zones, their VPCs and records.

A private zone must name one VPC inline, and others may join by `aws_route53_zone_association`; both forms are compared as
associations, so that they may be mixed.
Source: Terraform AWS provider 5.100, resource documentation of each type; Route 53 Developer Guide, "DNS domain name format".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from ...domain.resources import Attributes, Declared
from ...domain.shapes import Canonical, block, boolean, default_is, dns_name, ip_address, number, set_of, tags, text
from ...domain.specs import TypeSpec, by

_ESCAPE = re.compile(r"\\([0-7]{3})")
_GAP = re.compile(r'(?<!\\)"\s*"')  # a quotation mark with a backslash before it is part of the text
_KEPT_ESCAPES = frozenset({"056", "134"})  # a dot or a backslash within a label
_NAMES = frozenset({"CNAME", "MX", "NS", "PTR", "SRV"})


def plain_name(name: str) -> str:
    r"""Spell a DNS name as people do: Route 53 answers `\052.example.com.` for `*.example.com`."""
    plain = _ESCAPE.sub(lambda found: found[0] if found[1] in _KEPT_ESCAPES else chr(int(found[1], 8)), name)
    return plain.rstrip(".").lower()


def record_key(zone: str, name: str, kind: str, identifier: str | None) -> str:
    """Return the identity of a record: its zone, full name, type and, where there are several, set identifier."""
    return f"{zone}|{plain_name(name)}|{kind}|{identifier or ''}"


def _record(attributes: Attributes) -> str | None:
    zone, name, kind = (str(attributes.get(part) or "") for part in ("zone_id", "fqdn", "type"))
    identifier = attributes.get("set_identifier")
    return record_key(zone, name, kind, str(identifier) if identifier else None) if zone and name and kind else None


def _with_associations(entry: Declared) -> Iterable[Declared]:
    yield entry
    blocks = entry.attributes.get("vpc")
    for item in blocks if isinstance(blocks, list) else ():
        if isinstance(item, Mapping) and entry.key and item.get("vpc_id"):
            yield replace(
                entry,
                type="aws_route53_zone_association",
                key=f"{entry.key}|{item['vpc_id']}",
                attributes={"vpc_region": item.get("vpc_region"), "id": f"{entry.key}:{item['vpc_id']}"},
            )


def record_value(value: object) -> Canonical:
    """A record's value. The provider keeps a TXT value without its outer quotes; strings within come with any gap."""
    found = text(value)
    if not isinstance(found, str):
        return found
    if len(found) > 1 and found[0] == found[-1] == '"':
        found = found[1:-1]
    return _GAP.sub('""', found)


def record_values(kind: str, values: object) -> list[object]:
    """Spell the values of a record in one way, by its type: names without case and trailing dot, IPv6 addresses short."""
    found = list(values) if isinstance(values, list | tuple) else []
    if kind == "AAAA":
        return [ip_address(item) for item in found]
    return [_named(str(item)) for item in found] if kind in _NAMES else found


def _named(value: str) -> str:
    """Spell the name at the end of a value; numbers may stand before it (MX, SRV)."""
    *numbers, name = value.split() or [""]
    return " ".join([*numbers, str(dns_name(name) or name)])


def _with_plain_values(entry: Declared) -> Iterable[Declared]:
    attributes = entry.attributes
    if "records" in attributes:
        plain = record_values(str(attributes.get("type")), attributes["records"])
        attributes = {**attributes, "records": plain}
    return (replace(entry, attributes=attributes),)


def alias_name(value: object) -> Canonical:
    """An alias target; Route 53 answers load balancers with a `dualstack.` prefix that people leave out."""
    found = text(value)
    return plain_name(found).removeprefix("dualstack.") if isinstance(found, str) else found


def weight(value: object) -> Canonical:
    """A weight, as text: 0 takes a record out of rotation, and differs from no weighted policy at all."""
    found = number(value)
    return None if found is None else str(found)


SPECS = (
    TypeSpec("aws_route53_zone", {"comment": text, "name": dns_name, "tags": tags}, expand=_with_associations),
    TypeSpec("aws_route53_zone_association", {"vpc_region": text}, key=by("zone_id", "vpc_id")),
    TypeSpec(
        "aws_route53_record",
        {
            "alias": block({"name": alias_name, "zone_id": text, "evaluate_target_health": boolean}),
            "cidr_routing_policy": block({"collection_id": text, "location_name": text}),
            "failover_routing_policy": block({"type": text}),
            "geolocation_routing_policy": block({"continent": text, "country": text, "subdivision": text}),
            "geoproximity_routing_policy": block(
                {
                    "aws_region": text,
                    "bias": default_is(0, number),
                    "local_zone_group": text,
                    "coordinates": block({"latitude": number, "longitude": number}),
                }
            ),
            "health_check_id": text,
            "latency_routing_policy": block({"region": text}),
            "multivalue_answer_routing_policy": boolean,
            "records": set_of(record_value),
            "ttl": default_is(0, number),
            "weighted_routing_policy": block({"weight": weight}),
        },
        key=_record,
        expand=_with_plain_values,
    ),
)
