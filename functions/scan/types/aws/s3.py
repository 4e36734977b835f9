"""S3 buckets and their stand-alone settings.

Source: Terraform AWS provider 5.100, resource documentation of each type; Amazon S3 API Reference.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace

from ...domain.resources import Attributes, Declared, Parent
from ...domain.shapes import (
    Canonical,
    Shape,
    block,
    boolean,
    bucket_policy,
    default_is,
    keyed,
    list_of,
    members,
    number_or_zero,
    set_of,
    string_map,
    tags,
    text,
)
from ...domain.specs import ParentRule, TypeSpec, by


def _setting_of(attribute: str) -> ParentRule:
    def parent(attributes: Attributes) -> Parent | None:
        bucket = attributes.get("bucket")
        return Parent("aws_s3_bucket", str(bucket), attribute) if bucket else None

    return parent


def _setting(kind: str, attribute: str, shapes: Mapping[str, Shape]) -> TypeSpec:
    """Make the spec of a stand-alone setting: one per bucket, whatever its id looks like."""
    return TypeSpec(kind, shapes, key=by("bucket"), parent=_setting_of(attribute))


def day(value: object) -> Canonical:
    """A date at midnight UTC, with or without the time (S3 lifecycle knows no other)."""
    found = text(value)
    return found[:10] if isinstance(found, str) else found


def json_list(value: object) -> Canonical:
    """Routing rules as a JSON text: members that are empty or null count as absent."""
    try:
        parsed = json.loads(value) if isinstance(value, str) and value else value
    except ValueError:
        return text(value)
    return json.dumps(_without_nothing(parsed), sort_keys=True) if parsed else None


def _without_nothing(value: object) -> object:
    if isinstance(value, Mapping):
        return {name: _without_nothing(item) for name, item in value.items() if item not in (None, "", {}, [])}
    return [_without_nothing(item) for item in value] if isinstance(value, list) else value


def lifecycle_filter(rule: object) -> object:
    """Flatten the spellings of a rule's filter (old prefix, one criterion, `and`) into one block."""
    if not isinstance(rule, Mapping):
        return rule
    found = _first(rule.get("filter"))
    both, tag = _first(found.get("and")), _first(found.get("tag"))
    return {
        **rule,
        "filter": [
            {
                "prefix": rule.get("prefix") or found.get("prefix") or both.get("prefix"),
                "tags": both.get("tags") or found.get("tags") or ({tag.get("key"): tag.get("value")} if tag else None),
                **{
                    size: found.get(size) or both.get(size)
                    for size in ("object_size_greater_than", "object_size_less_than")
                },
            }
        ],
    }


def _first(value: object) -> Mapping[str, object]:
    item = value[0] if isinstance(value, list) and value else value
    return item if isinstance(item, Mapping) else {}


def lifecycle_rules(value: object) -> Canonical:
    """Rules by their id: S3 keeps no order between them."""
    rules = value if isinstance(value, list) else []
    return _LIFECYCLE_RULES([lifecycle_filter(rule) for rule in rules])


def canned_acl(value: object) -> Canonical:
    """A canned ACL by its effect on a bucket: the ones about the bucket owner concern objects only."""
    found = text(value)
    return "private" if found in {"bucket-owner-read", "bucket-owner-full-control"} else found


def keep_acl_or_grants(entry: Declared) -> Iterator[Declared]:
    """Keep the one attribute that holds the access list.

    `grant` has it where it was recorded (no bucket is without a grant); states of early providers hold the name of the
    canned ACL instead and leave `grant` empty.
    """
    attributes = dict(entry.attributes)
    if attributes.get("grant"):
        attributes.pop("acl", None)
    else:
        attributes.pop("grant", None)
        if not attributes.get("acl"):
            attributes.pop("acl", None)
    yield replace(entry, attributes=attributes)


_EXPIRATION = block({"date": day, "days": number_or_zero, "expired_object_delete_marker": boolean})
_TRANSITION = set_of(members({"date": day, "days": number_or_zero, "storage_class": text}))
_NONCURRENT: Mapping[str, Shape] = {"noncurrent_days": number_or_zero, "newer_noncurrent_versions": number_or_zero}
_LIFECYCLE_RULES = keyed(
    "id",
    {
        "status": text,
        "filter": block(
            {
                "prefix": text,
                "tags": string_map,
                "object_size_greater_than": number_or_zero,
                "object_size_less_than": number_or_zero,
            }
        ),
        "abort_incomplete_multipart_upload": block({"days_after_initiation": number_or_zero}),
        "expiration": _EXPIRATION,
        "transition": _TRANSITION,
        "noncurrent_version_expiration": block(_NONCURRENT),
        "noncurrent_version_transition": set_of(members({**_NONCURRENT, "storage_class": text})),
    },
)
_LIFECYCLE_INLINE = keyed(
    "id",
    {
        "enabled": boolean,
        "prefix": text,
        "tags": string_map,
        "abort_incomplete_multipart_upload_days": number_or_zero,
        "expiration": _EXPIRATION,
        "transition": _TRANSITION,
        "noncurrent_version_expiration": block({"days": number_or_zero}),
        "noncurrent_version_transition": set_of(members({"days": number_or_zero, "storage_class": text})),
    },
)
_ENCRYPTION_RULE = members(
    {
        "bucket_key_enabled": boolean,
        "apply_server_side_encryption_by_default": block({"sse_algorithm": text, "kms_master_key_id": text}),
    }
)
_GRANTEE = block({"type": text, "id": text, "uri": text})
_GRANT = set_of(members({"permission": text, "grantee": _GRANTEE}))
_CORS: Mapping[str, Shape] = {
    "allowed_headers": set_of(text),
    "allowed_methods": set_of(text),
    "allowed_origins": set_of(text),
    "expose_headers": set_of(text),
    "max_age_seconds": number_or_zero,
}
_LOCK_RULE = block({"default_retention": block({"mode": text, "days": number_or_zero, "years": number_or_zero})})
_TARGET: Mapping[str, Shape] = {"events": set_of(text), "filter_prefix": text, "filter_suffix": text}

SPECS = (
    TypeSpec(
        "aws_s3_bucket",
        {
            "versioning": block({"enabled": boolean, "mfa_delete": boolean}),
            "server_side_encryption_configuration": block({"rule": set_of(_ENCRYPTION_RULE)}),
            "policy": bucket_policy,
            "acl": canned_acl,
            "grant": set_of(members({"type": text, "id": text, "uri": text, "permissions": set_of(text)})),
            "lifecycle_rule": _LIFECYCLE_INLINE,
            "logging": block({"target_bucket": text, "target_prefix": text}),
            "cors_rule": list_of(members(_CORS)),
            "website": block(
                {
                    "index_document": text,
                    "error_document": text,
                    "redirect_all_requests_to": text,
                    "routing_rules": json_list,
                }
            ),
            "object_lock_configuration": block({"object_lock_enabled": text, "rule": _LOCK_RULE}),
            "acceleration_status": text,
            "request_payer": default_is("BucketOwner", text),
            "tags": tags,
        },
        inline={
            "versioning": ("aws_s3_bucket_versioning",),
            "server_side_encryption_configuration": ("aws_s3_bucket_server_side_encryption_configuration",),
            "policy": ("aws_s3_bucket_policy",),
            "grant": ("aws_s3_bucket_acl",),
            "lifecycle_rule": ("aws_s3_bucket_lifecycle_configuration",),
            "logging": ("aws_s3_bucket_logging",),
            "cors_rule": ("aws_s3_bucket_cors_configuration",),
            "website": ("aws_s3_bucket_website_configuration",),
            "object_lock_configuration": ("aws_s3_bucket_object_lock_configuration",),
            "acceleration_status": ("aws_s3_bucket_accelerate_configuration",),
            "request_payer": ("aws_s3_bucket_request_payment_configuration",),
        },
        expand=keep_acl_or_grants,
    ),
    _setting(
        "aws_s3_bucket_versioning",
        "versioning",
        {"versioning_configuration": block({"status": text, "mfa_delete": default_is("Disabled", text)})},
    ),
    _setting(
        "aws_s3_bucket_server_side_encryption_configuration",
        "server_side_encryption_configuration",
        {"rule": set_of(_ENCRYPTION_RULE)},
    ),
    _setting(
        "aws_s3_bucket_public_access_block",
        "aws_s3_bucket_public_access_block",
        {
            "block_public_acls": boolean,
            "block_public_policy": boolean,
            "ignore_public_acls": boolean,
            "restrict_public_buckets": boolean,
        },
    ),
    _setting("aws_s3_bucket_policy", "policy", {"policy": bucket_policy}),
    _setting(
        "aws_s3_bucket_ownership_controls",
        "aws_s3_bucket_ownership_controls",
        {"rule": block({"object_ownership": text})},
    ),
    _setting(
        "aws_s3_bucket_acl",
        "grant",
        {"access_control_policy": block({"owner": block({"id": text}), "grant": _GRANT})},
    ),
    _setting(
        "aws_s3_bucket_lifecycle_configuration",
        "lifecycle_rule",
        {"rule": lifecycle_rules, "transition_default_minimum_object_size": text},
    ),
    _setting(
        "aws_s3_bucket_logging",
        "logging",
        {
            "target_bucket": text,
            "target_prefix": text,
            "target_grant": _GRANT,
            "target_object_key_format": block({"partitioned_prefix": block({"partition_date_source": text})}),
        },
    ),
    _setting("aws_s3_bucket_cors_configuration", "cors_rule", {"cors_rule": set_of(members({"id": text, **_CORS}))}),
    _setting(
        "aws_s3_bucket_website_configuration",
        "website",
        {
            "index_document": block({"suffix": text}),
            "error_document": block({"key": text}),
            "redirect_all_requests_to": block({"host_name": text, "protocol": text}),
            "routing_rule": list_of(
                members(
                    {
                        "condition": block({"http_error_code_returned_equals": text, "key_prefix_equals": text}),
                        "redirect": block(
                            {
                                "host_name": text,
                                "http_redirect_code": text,
                                "protocol": text,
                                "replace_key_prefix_with": text,
                                "replace_key_with": text,
                            }
                        ),
                    }
                )
            ),
        },
    ),
    _setting("aws_s3_bucket_object_lock_configuration", "object_lock_configuration", {"rule": _LOCK_RULE}),
    _setting("aws_s3_bucket_accelerate_configuration", "acceleration_status", {"status": text}),
    _setting("aws_s3_bucket_request_payment_configuration", "request_payer", {"payer": text}),
    _setting(
        "aws_s3_bucket_notification",
        "aws_s3_bucket_notification",
        {
            "eventbridge": boolean,
            "lambda_function": set_of(members({**_TARGET, "lambda_function_arn": text})),
            "queue": set_of(members({**_TARGET, "queue_arn": text})),
            "topic": set_of(members({**_TARGET, "topic_arn": text})),
        },
    ),
)
