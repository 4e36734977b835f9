"""Reads S3 buckets and what is set on them, each setting both inside its bucket and as its stand-alone resource.

The bucket list is global; each bucket is then asked in its own region. Which setting is read by which call is data
(`s3_settings`); this module makes the calls.
Source: Amazon S3 API Reference, the operations named in `s3_settings`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

from ...domain.resources import LiveResource, Parent, Unread
from .base import Finding, Gap, Item, Listing, Scope, Service, attempt, each, tag_map
from .s3_settings import SETTINGS, Setting

_MAX_BUCKETS = 10_000  # of ListBuckets; naming it also makes the reply carry each bucket's region


def read_buckets(scope: Scope) -> Iterator[Finding]:
    """List every bucket of the account, whatever its region, with all its settings."""
    buckets = scope.pages("s3", "list_buckets", "Buckets", PaginationConfig={"PageSize": _MAX_BUCKETS})
    yield from each(buckets, lambda item: _bucket(scope, item))


def _bucket(scope: Scope, item: Item) -> Iterable[Finding]:
    name = item["Name"]
    region = _region(scope, item)
    if isinstance(region, Gap):
        return [region.unread(kind, name) for kind in TYPES]
    client = scope.client_in("s3", region)
    attributes: dict[str, object] = {"bucket": name}
    found: list[Finding] = []
    tags = _tags(client, name)
    if isinstance(tags, Gap):
        found.append(tags.unread("aws_s3_bucket", name, "tags"))
    else:
        attributes["tags"] = tags
    for setting in SETTINGS:
        call = partial(getattr(client, setting.operation), Bucket=name)
        reply = attempt("s3", call, *setting.missing)
        if isinstance(reply, Gap):
            found.extend(_unread(setting, reply, name))
            continue
        attributes.update({attribute: inline(reply) for attribute, inline in setting.inline.items()})
        found.extend(_alone(setting, reply, name, region))
    bucket = LiveResource(
        type="aws_s3_bucket",
        key=name,
        region=region,
        cloud_id=scope.arn("s3", name, region="", account=""),
        tags={} if isinstance(tags, Gap) else tags,
        attributes=attributes,
    )
    return [bucket, *found]


def _region(scope: Scope, item: Item) -> str | Gap:
    if item.get("BucketRegion"):
        return str(item["BucketRegion"])
    client = scope.client("s3")
    reply = attempt("s3", lambda: client.get_bucket_location(Bucket=item["Name"]))
    if isinstance(reply, Gap):
        return reply
    place = reply.get("LocationConstraint") or "us-east-1"
    return "eu-west-1" if place == "EU" else str(place)


def _tags(client: Any, name: str) -> dict[str, str] | Gap:
    reply = attempt("s3", lambda: client.get_bucket_tagging(Bucket=name), "NoSuchTagSet")
    return reply if isinstance(reply, Gap) else tag_map(reply.get("TagSet"))


def _unread(setting: Setting, gap: Gap, name: str) -> Iterator[Unread]:
    if setting.inline:
        yield gap.unread("aws_s3_bucket", name, *setting.inline)
    if setting.type:
        yield gap.unread(setting.type, name)


def _alone(setting: Setting, reply: Item, name: str, region: str) -> Iterator[LiveResource]:
    attributes = setting.alone(reply)
    if setting.type is None or attributes is None:
        return
    yield LiveResource(
        type=setting.type,
        key=name,
        region=region,
        cloud_id=name,
        cloud_made=setting.is_default(reply),
        parent=Parent("aws_s3_bucket", name, next(iter(setting.inline), setting.type)),
        attributes={"bucket": name, **attributes},
    )


TYPES = ("aws_s3_bucket", *(setting.type for setting in SETTINGS if setting.type))

SERVICE = Service(
    "s3",
    (
        Listing(
            types=TYPES,
            read=read_buckets,
            permissions=(
                "s3:ListAllMyBuckets",
                "s3:GetBucketLocation",
                "s3:GetBucketTagging",
                *(setting.permission for setting in SETTINGS),
            ),
            is_global=True,
        ),
    ),
)
