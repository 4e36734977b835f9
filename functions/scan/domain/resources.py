"""The two sides of a comparison: what a state declares and what a cloud runs.

Owns the value types that readers emit and the comparison consumes. Must not know any cloud, database or file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Attributes = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Parent:
    """The resource whose attribute also describes this one (an inline block against a stand-alone resource).

    Attributes:
        type: Terraform type of the parent, e.g. `aws_route_table`.
        key: match key of the parent.
        attribute: the parent's attribute that would hold this resource inline, e.g. `route`.
    """

    type: str
    key: str
    attribute: str


@dataclass(frozen=True, slots=True)
class LiveResource:
    """One resource as a cloud reports it, in the shape of its Terraform schema.

    Attributes:
        type: the Terraform type it is compared under, e.g. `aws_vpc`.
        key: match key, unique within (account, type): what the type's `TypeSpec.key` makes from a state, with the region before
            it where that is a name that other regions may have as well (see `regional.py`).
        region: cloud region, or `global`.
        attributes: mapped attributes only. A name that is absent was not read and is not compared; `None` is null.
        cloud_id: what a person would search for in the console: the ARN when there is one, else the id.
        cloud_made: the cloud made it by itself (default VPC, service-linked role): never reported as unmanaged.
        parent: set when a parent's inline block may describe this resource.
        aliases: further (type, key) pairs under which a state may declare the very same thing.
        tags: the resource's tags, for ignore rules and reports.
        document: what the cloud said about it, where the reader has it at hand (see `traced.py`); for the second detector.
    """

    type: str
    key: str
    region: str
    attributes: Attributes
    cloud_id: str
    cloud_made: bool = False
    parent: Parent | None = None
    aliases: tuple[tuple[str, str], ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    document: Mapping[str, Any] | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Unread:
    """One resource, or some of its attributes, that could not be read although its listing succeeded.

    Attributes:
        type: Terraform type.
        key: match key of the resource.
        attributes: the attributes that are unknown; empty means the whole resource is unknown.
        permission: the missing permission by the cloud's own name, when that is the reason.
        reason: stable word: `access_denied`, `throttled`, `unavailable`, `malformed`, `digest_key_gone`.
        detail: one sentence for people, without secrets.
    """

    type: str
    key: str
    attributes: tuple[str, ...] = ()
    permission: str | None = None
    reason: str = "access_denied"
    detail: str = ""


@dataclass(frozen=True, slots=True)
class NotChecked:
    """A listing that failed: nothing may be concluded about these types in this region.

    Attributes:
        types: Terraform types the listing would have read.
        region: cloud region, or `global`.
        permission: the missing permission by the cloud's own name, when that is the reason.
        reason: `access_denied`, `throttled`, `unavailable`, `not_enabled`, `malformed`.
        detail: one sentence for people, without secrets.
    """

    types: tuple[str, ...]
    region: str
    reason: str
    permission: str | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Declared:
    """One resource instance as a Terraform state records it.

    Attributes:
        address: Terraform address with its index key, e.g. `module.net.aws_subnet.private["a"]`.
        type: the type it is matched under (an `aws_alb` in the state is matched as `aws_lb`).
        key: match key from the type's rule, as of a live resource; None when the state holds too little to match by.
        attributes: the state's attributes, unchanged.
        sensitive: top-level attribute names whose values must never be shown.
        parent: set when it is a stand-alone form of a parent's inline block.
        account: the cloud account its ARN names, when it has one.
        region: its region, when the state tells it and the thing lies in one.
        is_deposed: Terraform has replaced it and will destroy it, or it goes away by itself (a job that is done): it is neither unmanaged nor missed, and is not compared.
    """

    address: str
    type: str
    key: str | None
    attributes: Attributes
    sensitive: frozenset[str] = frozenset()
    parent: Parent | None = None
    account: str | None = None
    region: str | None = None
    is_deposed: bool = False
