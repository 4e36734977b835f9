"""Records of public name zones: one resource for all records of one kind under one name.

Source: Terraform AzureRM provider 4, resource documentation of each type; Azure REST API, "Record Sets - List By Dns Zone".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from ...domain.shapes import Shape, dns_name, ip_address, members, number, set_of, text
from .mapping import Attribute, Attributes, AzureType, reference, tags

ZONE: Final = "microsoft.network/dnszones"


def _values(member: str) -> Callable[[Any], object]:
    """Make a spelling: each record is one value."""
    return lambda found: [item.get(member) for item in found if isinstance(item, Mapping)]


def _chunks(found: Any) -> object:
    """Write texts, which Azure keeps in pieces of 255 characters at most."""
    return [{"value": "".join(map(str, item.get("value") or []))} for item in found if isinstance(item, Mapping)]


def _listed(path: str, member: str, shape: Shape) -> Attributes:
    return {"records": Attribute(set_of(shape), f"properties.{path}", _values(member))}


def _blocks(path: str, shapes: Mapping[str, Shape], spelled: Callable[[Any], object] | None = None) -> Attributes:
    return {"record": Attribute(set_of(members(shapes)), f"properties.{path}", spelled)}


_POINTS: Attributes = {"target_resource_id": reference("properties.targetResource.id")}
RECORDS: Final[Mapping[str, Attributes]] = {
    "a": {**_POINTS, **_listed("ARecords", "ipv4Address", ip_address)},
    "aaaa": {**_POINTS, **_listed("AAAARecords", "ipv6Address", ip_address)},
    "caa": _blocks("caaRecords", {"flags": number, "tag": text, "value": text}),
    "cname": {**_POINTS, "record": Attribute(dns_name, "properties.CNAMERecord.cname")},
    "mx": _blocks("MXRecords", {"exchange": dns_name, "preference": number}),
    "ns": _listed("NSRecords", "nsdname", dns_name),
    "ptr": _listed("PTRRecords", "ptrdname", dns_name),
    "srv": _blocks("SRVRecords", {"port": number, "priority": number, "target": dns_name, "weight": number}),
    "txt": _blocks("TXTRecords", {"value": text}, _chunks),
}
TYPES = tuple(
    AzureType(
        f"azurerm_dns_{kind}_record",
        f"{ZONE}/{kind}",
        {"tags": Attribute(tags, "properties.metadata"), "ttl": Attribute(number, "properties.TTL"), **attributes},
    )
    for kind, attributes in RECORDS.items()
)
