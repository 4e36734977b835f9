"""One asset, as the inventory tells it, to the resources it stands for; what cannot be understood is unread, never absent.

Must not call anybody.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeAlias

from ...domain.asset_feeds import VOLATILE
from ...domain.resources import LiveResource, NotChecked, Unread
from ...domain.traced import Traced
from ...types.gcp import Mapped, by_asset
from ...types.gcp.assets import Asset, Names, project_of
from ...types.gcp.iam import BY_ASSET, MEMBER, grants_of, parent_of
from ...types.gcp.mapping import attributes_of, key_from, names_in

Finding: TypeAlias = LiveResource | Unread | NotChecked

SOURCE: Final = "Cloud Asset Inventory v1"
_TRUNCATED = "TRUNCATION"
_MOST_WITHIN: Final = 1000
_AGENT = re.compile(r"serviceAccount:service-(\d+)@[a-z0-9.-]+\.iam\.gserviceaccount\.com")
_BUCKET_ROLES: Mapping[str, tuple[str, ...]] = {
    "roles/storage.legacyBucketOwner": ("projectEditor:", "projectOwner:"),
    "roles/storage.legacyBucketReader": ("projectViewer:",),
    "roles/storage.legacyObjectOwner": ("projectEditor:", "projectOwner:"),
    "roles/storage.legacyObjectReader": ("projectViewer:",),
}


@dataclass(frozen=True, slots=True)
class Existing:
    """Something that no mapping covers: that it exists is all that is known of it, and its document.

    Attributes:
        kind: asset type.
        name: full resource name.
        place: region, zone or `global`.
        labels: its labels.
        document: what its service says about it.
    """

    kind: str
    name: str
    place: str
    labels: Mapping[str, str]
    document: Mapping[str, Any]


def asset_of(raw: object, names: Names) -> Asset | None:
    """Read the outside of an asset; None when not even its name and type can be told."""
    if not isinstance(raw, Mapping):
        return None
    name, kind = raw.get("name"), raw.get("assetType")
    if not isinstance(name, str) or not name.startswith("//") or not isinstance(kind, str) or not kind:
        return None
    resource = raw.get("resource")
    resource = resource if isinstance(resource, Mapping) else {}
    data, location, ancestors = resource.get("data"), resource.get("location"), raw.get("ancestors")
    first = str(ancestors[0]) if isinstance(ancestors, list) and ancestors else ""
    number = first.removeprefix("projects/") if first.startswith("projects/") else ""
    named = names.named(name)
    zone, zone_dns = names.zone_of(named)
    return Asset(
        name=named,
        kind=kind,
        data=Traced(data, SOURCE) if isinstance(data, Mapping) else {},
        location=location if isinstance(location, str) else "",
        project=project_of(named) or names.projects.get(number, number),
        project_number=number,
        zone=zone,
        zone_dns=zone_dns,
    )


def resources_of(raw: Mapping[str, Any], asset: Asset, read_time: str) -> Iterator[Finding | Existing]:
    """Yield what an asset stands for: one resource, several, or something that no mapping covers."""
    is_mapped = False
    for item in by_asset().get(asset.kind, ()):
        try:
            if not _is_whole(raw, asset):
                is_mapped = True
                yield from _unread(item, asset, "malformed", "the inventory does not tell the whole of the resource")
                continue
            if not item.kind.when(asset):
                continue
            is_mapped = True
            found = [] if item.kind.gone(asset) else list(_resources(item, asset))
        except (TypeError, ValueError, AttributeError, KeyError):
            is_mapped = True
            yield from _unread(
                item, asset, "malformed", "the inventory tells the resource in a form that it does not document"
            )
            continue
        if is_volatile(raw, read_time):
            yield from (
                Unread(one.type, one.key, reason="unavailable", detail="it changed shortly before it was read")
                for one in found
            )
        else:
            yield from found
    if not is_mapped:
        yield Existing(asset.kind, asset.name, asset.place, _labels(asset.data), asset.data)


def grants(raw: Mapping[str, Any], asset: Asset, read_time: str) -> Iterator[Finding]:
    """Yield the grants of an asset's policy; of kinds of resources whose grants Terraform types are mapped for."""
    kind = BY_ASSET.get(asset.kind)
    if kind is None or not raw.get("iamPolicy"):
        return
    terraform = kind.prefix + MEMBER
    try:
        found = list(grants_of(raw["iamPolicy"], asset.name))
    except TypeError:
        yield NotChecked((terraform,), "global", "malformed", None, "a policy is not in the documented form")
        return
    volatile = is_volatile(raw, read_time)
    for key, role, _condition, member in found:
        if volatile:
            yield Unread(terraform, key, reason="unavailable", detail="the policy changed shortly before it was read")
            continue
        made = _is_made_grant(asset, role, member)
        yield LiveResource(
            terraform,
            key,
            "global",
            {},
            f"{asset.name} {role} {member}",
            cloud_made=made,
            parent=parent_of(kind, asset.name),
            aliases=tuple((prefix + MEMBER, key) for prefix, _ in kind.also),
        )


def is_volatile(raw: Mapping[str, Any], read_time: str) -> bool:
    """Say whether an asset changed so shortly before the snapshot that the next one may tell something else."""
    changed_at, read_at = _moment(raw.get("updateTime")), _moment(read_time)
    return changed_at is not None and read_at is not None and changed_at > read_at - VOLATILE


def _resources(item: Mapped, asset: Asset) -> Iterator[LiveResource]:
    if not item.kind.within:
        yield _resource(item, asset, asset.data)
        return
    held = asset.data.get(item.kind.within) or []
    if not isinstance(held, list) or len(held) > _MOST_WITHIN:
        raise TypeError("no list")
    for element in held:
        if not isinstance(element, Mapping):
            raise TypeError("no object")
        yield _resource(item, asset, element)


def _resource(item: Mapped, asset: Asset, data: Mapping[str, Any]) -> LiveResource:
    key = _key(item, asset, data)
    attributes = attributes_of(item.fields, data, asset)
    for one in item.fields:  # a value that its shape cannot take is told here, and not in the middle of the comparison
        if one.name in attributes:
            one.shape(attributes[one.name])
    return LiveResource(
        type=item.kind.type,
        key=key,
        region=asset.place,
        attributes=attributes,
        cloud_id=asset.name,
        cloud_made=item.kind.made(asset),
        aliases=tuple((name, key) for name in item.kind.aliases),
        tags=_labels(data),
        document=data,
    )


def _key(item: Mapped, asset: Asset, data: Mapping[str, Any]) -> str:
    if not item.kind.live_key:
        return asset.name
    known: dict[str, object] = {"asset": asset.name, "project": asset.project, "zone": asset.zone}
    template = item.kind.live_key
    key = key_from(template, {name: known[name] if name in known else data.get(name) for name in names_in(template)})
    if key is None:
        raise TypeError("no name")
    return key


def _unread(item: Mapped, asset: Asset, reason: str, detail: str) -> Iterator[Unread | NotChecked]:
    if item.kind.live_key or item.kind.within:  # its key lies in what could not be read
        yield NotChecked((item.kind.type,), asset.place, reason, None, detail)
    else:
        yield Unread(item.kind.type, asset.name, reason=reason, detail=detail)


def _is_whole(raw: Mapping[str, Any], asset: Asset) -> bool:
    found = raw.get("assetExceptions")
    exceptions = found if isinstance(found, list) else []
    is_cut = any(isinstance(one, Mapping) and one.get("exceptionType") == _TRUNCATED for one in exceptions)
    return bool(asset.data) and not is_cut


def _is_made_grant(asset: Asset, role: str, member: str) -> bool:
    """Tell the grants that Google makes: what buckets begin with, and its own agents' roles in the project they work for."""
    if asset.kind == "storage.googleapis.com/Bucket":
        return member.startswith(_BUCKET_ROLES.get(role, ("?",)))
    if asset.kind != "cloudresourcemanager.googleapis.com/Project" or not asset.project_number:
        return False
    agent = _AGENT.fullmatch(member)
    if agent is not None and agent[1] == asset.project_number:
        return role.startswith("roles/") and role.lower().endswith("serviceagent")
    own = f"serviceAccount:{asset.project_number}@cloudservices.gserviceaccount.com"
    return member == own and role == "roles/editor"


def _labels(data: Mapping[str, Any]) -> dict[str, str]:
    """Return labels without noting that they were read."""
    held = dict.get(data, "labels") or dict.get(data, "resourceLabels") if isinstance(data, dict) else None
    return {str(name): str(value) for name, value in dict.items(held)} if isinstance(held, dict) else {}


def _moment(value: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(value)[:40]) if value else None
    except ValueError:
        return None
    return found if found is not None and found.tzinfo is not None else None
