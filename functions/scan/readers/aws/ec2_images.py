"""Reads the account's own machine images, and with whom each is shared (a call per image).

Source: Amazon EC2 API Reference, DescribeImages, DescribeImageAttribute.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

from ...domain.resources import LiveResource
from .base import Finding, Gap, Item, Listing, Scope, Service, attempt, each, tag_map

_OWNED = ["self"]
_BACKUP = ("aws:backup:", "aws:dlm:")  # only AWS can write such tags: a plan made it, and the plan ends it
_GONE = ("InvalidAMIID.NotFound", "InvalidAMIID.Unavailable")


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
            types=("aws_ami", "aws_ami_launch_permission"),
            read=read_images,
            permissions=("ec2:DescribeImages", "ec2:DescribeImageAttribute"),
        ),
    ),
)
