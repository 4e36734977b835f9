"""Reads the account's own snapshots and machine images, and with whom each is shared (a call per snapshot or image).

Source: Amazon EC2 API Reference, DescribeSnapshots, DescribeSnapshotAttribute, DescribeImages, DescribeImageAttribute.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

from ...domain.resources import LiveResource
from .base import Finding, Gap, Item, Listing, Scope, Service, attempt, each, tag_map

_OWNED = ["self"]
_BACKUP = ("aws:backup:", "aws:dlm:")  # only AWS can write such tags: a plan made it, and the plan ends it
_GONE = ("InvalidSnapshot.NotFound", "InvalidAMIID.NotFound", "InvalidAMIID.Unavailable")


def read_snapshots(scope: Scope) -> Iterator[Finding]:
    """Yield snapshots; one that an image of the account is made of belongs to that image."""
    images = scope.pages("ec2", "describe_images", "Images", Owners=_OWNED)
    imaged = {
        (device.get("Ebs") or {}).get("SnapshotId") for item in images for device in item.get("BlockDeviceMappings", ())
    }
    snapshots = scope.pages("ec2", "describe_snapshots", "Snapshots", OwnerIds=_OWNED)
    yield from each(snapshots, lambda item: _snapshot(scope, item, is_imaged=item["SnapshotId"] in imaged))


def _snapshot(scope: Scope, item: Item, *, is_imaged: bool) -> Iterator[Finding]:
    key, tags = item["SnapshotId"], tag_map(item.get("Tags"))
    yield LiveResource(
        type="aws_ebs_snapshot",
        key=key,
        region=scope.region,
        cloud_id=scope.arn("ec2", f"snapshot/{key}", account=""),
        cloud_made=is_imaged or any(name.startswith(_BACKUP) for name in tags),
        tags=tags,
        attributes={
            "volume_id": item.get("VolumeId"),
            "volume_size": item.get("VolumeSize"),
            "description": item.get("Description"),
            "encrypted": item.get("Encrypted"),
            "kms_key_id": item.get("KmsKeyId"),
            "storage_tier": item.get("StorageTier"),
            "tags": tags,
        },
    )
    kind, name = "aws_snapshot_create_volume_permission", "createVolumePermission"
    call = partial(scope.client("ec2").describe_snapshot_attribute, SnapshotId=key, Attribute=name)
    found = attempt("ec2", call, *_GONE)
    if isinstance(found, Gap):
        yield found.not_checked(kind, scope.region)
    else:
        yield from _shares(scope, kind, key, found.get("CreateVolumePermissions") or [])


def read_images(scope: Scope) -> Iterator[Finding]:
    yield from each(scope.pages("ec2", "describe_images", "Images", Owners=_OWNED), partial(_image, scope))


def _image(scope: Scope, item: Item) -> Iterator[Finding]:
    key, tags = item["ImageId"], tag_map(item.get("Tags"))
    yield LiveResource(
        type="aws_ami",
        key=key,
        region=scope.region,
        cloud_id=scope.arn("ec2", f"image/{key}", account=""),
        cloud_made=any(name.startswith(_BACKUP) for name in tags),
        tags=tags,
        attributes={
            "name": item.get("Name"),
            "description": item.get("Description"),
            "boot_mode": item.get("BootMode"),
            "deprecation_time": item.get("DeprecationTime"),
            "ena_support": item.get("EnaSupport"),
            "imds_support": item.get("ImdsSupport"),
            "root_device_name": item.get("RootDeviceName"),
            "tpm_support": item.get("TpmSupport"),
            "tags": tags,
        },
    )
    kind = "aws_ami_launch_permission"
    call = partial(scope.client("ec2").describe_image_attribute, ImageId=key, Attribute="launchPermission")
    found = attempt("ec2", call, *_GONE)
    if isinstance(found, Gap):
        yield found.not_checked(kind, scope.region)
    else:
        yield from _shares(scope, kind, key, found.get("LaunchPermissions") or [])


def _shares(scope: Scope, kind: str, key: str, permissions: list[Mapping[str, str]]) -> Iterator[LiveResource]:
    for item in permissions:
        whom = next(
            (item[name] for name in ("UserId", "Group", "OrganizationArn", "OrganizationalUnitArn") if item.get(name)),
            "",
        )
        if whom:
            yield LiveResource(kind, f"{key}|{whom}", scope.region, {}, f"{key}-{whom}")


SERVICE = Service(
    "ec2_images",
    (
        Listing(
            types=("aws_ebs_snapshot", "aws_snapshot_create_volume_permission"),
            read=read_snapshots,
            permissions=("ec2:DescribeSnapshots", "ec2:DescribeSnapshotAttribute", "ec2:DescribeImages"),
        ),
        Listing(
            types=("aws_ami", "aws_ami_launch_permission"),
            read=read_images,
            permissions=("ec2:DescribeImages", "ec2:DescribeImageAttribute"),
        ),
    ),
)
