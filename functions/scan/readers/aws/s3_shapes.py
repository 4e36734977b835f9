"""How S3's replies about one bucket look in Terraform's schema. Pure; makes no call.

Source: Amazon S3 API Reference; AWS provider 5.100 schema of `aws_s3_bucket` and of the stand-alone types.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime

from .base import Item

# --- versioning, encryption, exposure ------------------------------------------------------------------------------


def versioning_inline(reply: Item) -> object:
    return [{"enabled": reply.get("Status") == "Enabled", "mfa_delete": reply.get("MFADelete") == "Enabled"}]


def versioning(reply: Item) -> dict[str, object]:
    status = reply.get("Status") or "Disabled"  # a bucket that never had versioning reports nothing
    return {"versioning_configuration": [{"status": status, "mfa_delete": reply.get("MFADelete")}]}


def is_unversioned(reply: Item) -> bool:
    return not reply.get("Status") and reply.get("MFADelete") != "Enabled"


def encryption_rules(reply: Item) -> list[dict[str, object]]:
    rules = (reply.get("ServerSideEncryptionConfiguration") or {}).get("Rules") or ()
    return [
        {
            "bucket_key_enabled": bool(rule.get("BucketKeyEnabled")),
            "apply_server_side_encryption_by_default": [
                {"sse_algorithm": applied.get("SSEAlgorithm"), "kms_master_key_id": applied.get("KMSMasterKeyID")}
                for applied in [rule.get("ApplyServerSideEncryptionByDefault")]
                if applied
            ],
        }
        for rule in rules
    ]


PLAIN_ENCRYPTION = [
    {
        "bucket_key_enabled": False,
        "apply_server_side_encryption_by_default": [{"sse_algorithm": "AES256", "kms_master_key_id": None}],
    }
]


def encryption_inline(reply: Item) -> object:
    rules = encryption_rules(reply)
    return [{"rule": rules}] if rules else []


def encryption(reply: Item) -> dict[str, object] | None:
    rules = encryption_rules(reply)
    return {"rule": rules} if rules else None


_BLOCKS = {
    "block_public_acls": "BlockPublicAcls",
    "block_public_policy": "BlockPublicPolicy",
    "ignore_public_acls": "IgnorePublicAcls",
    "restrict_public_buckets": "RestrictPublicBuckets",
}


def public_access_block(reply: Item) -> dict[str, object] | None:
    found = reply.get("PublicAccessBlockConfiguration")
    return {name: bool(found.get(member)) for name, member in _BLOCKS.items()} if found else None


def is_usual_block(reply: Item) -> bool:
    """All four on is what AWS sets on a new bucket (since April 2023); all four off equals having none."""
    return len(set((public_access_block(reply) or {}).values())) == 1


def policy(reply: Item) -> dict[str, object] | None:
    return {"policy": reply["Policy"]} if reply.get("Policy") else None


def ownership(reply: Item) -> dict[str, object] | None:
    rules = (reply.get("OwnershipControls") or {}).get("Rules")
    return {"rule": [{"object_ownership": rule.get("ObjectOwnership")} for rule in rules]} if rules else None


def is_usual_ownership(reply: Item) -> bool:
    return ownership(reply) == {"rule": [{"object_ownership": "BucketOwnerEnforced"}]}


# --- access control lists ------------------------------------------------------------------------------------------


def grants(reply: Item) -> object:
    grouped: dict[tuple[object, object, object], list[object]] = {}
    for grant in reply.get("Grants") or ():
        grantee = grant.get("Grantee") or {}
        name = (grantee.get("Type"), grantee.get("ID"), grantee.get("URI"))
        grouped.setdefault(name, []).append(grant.get("Permission"))
    return [
        {"type": kind, "id": identity, "uri": uri, "permissions": permissions}
        for (kind, identity, uri), permissions in grouped.items()
    ]


_GROUPS = "http://acs.amazonaws.com/groups/"
_ALL, _SIGNED_IN, _LOGS = f"{_GROUPS}global/AllUsers", f"{_GROUPS}global/AuthenticatedUsers", f"{_GROUPS}s3/LogDelivery"
# What each canned ACL grants beyond the owner's full control.
_CANNED: Mapping[frozenset[tuple[object, object]], str] = {
    frozenset(): "private",
    frozenset({(_ALL, "READ")}): "public-read",
    frozenset({(_ALL, "READ"), (_ALL, "WRITE")}): "public-read-write",
    frozenset({(_SIGNED_IN, "READ")}): "authenticated-read",
    frozenset({(_LOGS, "WRITE"), (_LOGS, "READ_ACP")}): "log-delivery-write",
}


def canned_acl(reply: Item) -> str:
    """Name the canned ACL that gives exactly these grants; `custom` when none does."""
    owner = ((reply.get("Owner") or {}).get("ID"), "FULL_CONTROL")
    found = set()
    for grant in reply.get("Grants") or ():
        grantee = grant.get("Grantee") or {}
        found.add((grantee.get("URI") or grantee.get("ID"), grant.get("Permission")))
    return _CANNED.get(frozenset(found - {owner}), "custom") if owner in found else "custom"


def _grant_blocks(grants: Iterable[Item] | None) -> list[dict[str, object]]:
    return [
        {
            "permission": grant.get("Permission"),
            "grantee": [
                {"type": grantee.get("Type"), "id": grantee.get("ID"), "uri": grantee.get("URI")}
                for grantee in [grant.get("Grantee") or {}]
            ],
        }
        for grant in grants or ()
    ]


def acl(reply: Item) -> dict[str, object]:
    owner = {"id": (reply.get("Owner") or {}).get("ID")}
    return {"access_control_policy": [{"owner": [owner], "grant": _grant_blocks(reply.get("Grants"))}]}


def is_private_acl(reply: Item) -> bool:
    """Only the owner may do anything, which is what every new bucket has."""
    owner = (reply.get("Owner") or {}).get("ID")
    grants = [(grant["permission"], grant["grantee"]) for grant in _grant_blocks(reply.get("Grants"))]
    return grants == [("FULL_CONTROL", [{"type": "CanonicalUser", "id": owner, "uri": None}])]


# --- lifecycle -----------------------------------------------------------------------------------------------------


def _date(value: object) -> str | None:
    return value.strftime("%Y-%m-%dT%H:%M:%SZ") if isinstance(value, datetime) else None


def _lifecycle_filter(rule: Item) -> dict[str, object]:
    """Put the filter's forms (none, one criterion, `And`, the old rule prefix) into one."""
    found = rule.get("Filter") or {}
    both = found.get("And") or {}
    tags = both.get("Tags") or ([found["Tag"]] if found.get("Tag") else [])
    return {
        "prefix": rule.get("Prefix") or found.get("Prefix") or both.get("Prefix"),
        "tags": {tag["Key"]: tag.get("Value") or "" for tag in tags},
        "object_size_greater_than": found.get("ObjectSizeGreaterThan") or both.get("ObjectSizeGreaterThan"),
        "object_size_less_than": found.get("ObjectSizeLessThan") or both.get("ObjectSizeLessThan"),
    }


def _expiration(rule: Item) -> list[dict[str, object]]:
    found = rule.get("Expiration")
    if not found:
        return []
    return [
        {
            "date": _date(found.get("Date")),
            "days": found.get("Days"),
            "expired_object_delete_marker": bool(found.get("ExpiredObjectDeleteMarker")),
        }
    ]


def _transitions(rule: Item) -> list[dict[str, object]]:
    return [
        {"date": _date(step.get("Date")), "days": step.get("Days"), "storage_class": step.get("StorageClass")}
        for step in rule.get("Transitions") or ()
    ]


def lifecycle_inline(reply: Item) -> object:
    rules = []
    for rule in reply.get("Rules") or ():
        scope = _lifecycle_filter(rule)
        old = rule.get("NoncurrentVersionExpiration")
        rules.append(
            {
                "id": rule.get("ID"),
                "enabled": rule.get("Status") == "Enabled",
                "prefix": scope["prefix"],
                "tags": scope["tags"],
                "abort_incomplete_multipart_upload_days": (rule.get("AbortIncompleteMultipartUpload") or {}).get(
                    "DaysAfterInitiation"
                ),
                "expiration": _expiration(rule),
                "transition": _transitions(rule),
                "noncurrent_version_expiration": [{"days": old.get("NoncurrentDays")}] if old else [],
                "noncurrent_version_transition": [
                    {"days": step.get("NoncurrentDays"), "storage_class": step.get("StorageClass")}
                    for step in rule.get("NoncurrentVersionTransitions") or ()
                ],
            }
        )
    return rules


def lifecycle(reply: Item) -> dict[str, object] | None:
    rules = []
    for rule in reply.get("Rules") or ():
        abort, old = rule.get("AbortIncompleteMultipartUpload"), rule.get("NoncurrentVersionExpiration")
        rules.append(
            {
                "id": rule.get("ID"),
                "status": rule.get("Status"),
                "filter": [_lifecycle_filter(rule)],
                "abort_incomplete_multipart_upload": [{"days_after_initiation": abort.get("DaysAfterInitiation")}]
                if abort
                else [],
                "expiration": _expiration(rule),
                "transition": _transitions(rule),
                "noncurrent_version_expiration": [_noncurrent(old)] if old else [],
                "noncurrent_version_transition": [
                    {**_noncurrent(step), "storage_class": step.get("StorageClass")}
                    for step in rule.get("NoncurrentVersionTransitions") or ()
                ],
            }
        )
    if not rules:
        return None
    minimum = reply.get("TransitionDefaultMinimumObjectSize")
    return {"rule": rules} | ({"transition_default_minimum_object_size": minimum} if minimum else {})


def _noncurrent(step: Item) -> dict[str, object]:
    return {
        "noncurrent_days": step.get("NoncurrentDays"),
        "newer_noncurrent_versions": step.get("NewerNoncurrentVersions"),
    }


# --- logging, CORS, website, lock, cost ----------------------------------------------------------------------------


def logging_inline(reply: Item) -> object:
    found = reply.get("LoggingEnabled")
    return [{"target_bucket": found["TargetBucket"], "target_prefix": found.get("TargetPrefix")}] if found else []


def logging(reply: Item) -> dict[str, object] | None:
    found = reply.get("LoggingEnabled")
    if not found:
        return None
    layout = found.get("TargetObjectKeyFormat") or {}
    partition = layout.get("PartitionedPrefix")
    return {
        "target_bucket": found["TargetBucket"],
        "target_prefix": found.get("TargetPrefix"),
        "target_grant": _grant_blocks(found.get("TargetGrants")),
        "target_object_key_format": [
            {
                "partitioned_prefix": [{"partition_date_source": partition.get("PartitionDateSource")}]
                if partition
                else []
            }
        ]
        if layout
        else [],
    }


def cors_rules(reply: Item) -> list[dict[str, object]]:
    return [
        {
            "id": rule.get("ID"),
            "allowed_headers": rule.get("AllowedHeaders"),
            "allowed_methods": rule.get("AllowedMethods"),
            "allowed_origins": rule.get("AllowedOrigins"),
            "expose_headers": rule.get("ExposeHeaders"),
            "max_age_seconds": rule.get("MaxAgeSeconds"),
        }
        for rule in reply.get("CORSRules") or ()
    ]


def cors(reply: Item) -> dict[str, object] | None:
    rules = cors_rules(reply)
    return {"cors_rule": rules} if rules else None


_WEBSITE_MEMBERS = ("IndexDocument", "ErrorDocument", "RedirectAllRequestsTo", "RoutingRules")


def website_inline(reply: Item) -> object:
    if not any(reply.get(name) for name in _WEBSITE_MEMBERS):
        return []
    all_to = reply.get("RedirectAllRequestsTo") or {}
    host, protocol = all_to.get("HostName"), all_to.get("Protocol")
    rules = reply.get("RoutingRules")
    return [
        {
            "index_document": (reply.get("IndexDocument") or {}).get("Suffix"),
            "error_document": (reply.get("ErrorDocument") or {}).get("Key"),
            "redirect_all_requests_to": f"{protocol}://{host}" if protocol and host else host,
            "routing_rules": json.dumps(rules) if rules else None,
        }
    ]


def website(reply: Item) -> dict[str, object] | None:
    if not any(reply.get(name) for name in _WEBSITE_MEMBERS):
        return None
    index, error = reply.get("IndexDocument"), reply.get("ErrorDocument")
    all_to = reply.get("RedirectAllRequestsTo")
    return {
        "index_document": [{"suffix": index.get("Suffix")}] if index else [],
        "error_document": [{"key": error.get("Key")}] if error else [],
        "redirect_all_requests_to": [{"host_name": all_to.get("HostName"), "protocol": all_to.get("Protocol")}]
        if all_to
        else [],
        "routing_rule": [_routing_rule(rule) for rule in reply.get("RoutingRules") or ()],
    }


def _routing_rule(rule: Item) -> dict[str, object]:
    when, then = rule.get("Condition"), rule.get("Redirect") or {}
    return {
        "condition": [
            {
                "http_error_code_returned_equals": when.get("HttpErrorCodeReturnedEquals"),
                "key_prefix_equals": when.get("KeyPrefixEquals"),
            }
        ]
        if when
        else [],
        "redirect": [
            {
                "host_name": then.get("HostName"),
                "http_redirect_code": then.get("HttpRedirectCode"),
                "protocol": then.get("Protocol"),
                "replace_key_prefix_with": then.get("ReplaceKeyPrefixWith"),
                "replace_key_with": then.get("ReplaceKeyWith"),
            }
        ],
    }


def _lock(reply: Item) -> Item:
    found = reply.get("ObjectLockConfiguration")
    return found if isinstance(found, dict) else {}


def _lock_rule(reply: Item) -> list[dict[str, object]]:
    kept = (_lock(reply).get("Rule") or {}).get("DefaultRetention")
    if not kept:
        return []
    return [{"default_retention": [{"mode": kept.get("Mode"), "days": kept.get("Days"), "years": kept.get("Years")}]}]


def lock_inline(reply: Item) -> object:
    enabled = _lock(reply).get("ObjectLockEnabled")
    return [{"object_lock_enabled": enabled, "rule": _lock_rule(reply)}] if enabled else []


def lock_alone(reply: Item) -> dict[str, object] | None:
    rule = _lock_rule(reply)
    return {"rule": rule} if rule else None


def is_paid_by_owner(reply: Item) -> bool:
    return reply.get("Payer") == "BucketOwner"


# --- notifications -------------------------------------------------------------------------------------------------

_TARGETS = {
    "lambda_function": ("LambdaFunctionConfigurations", "LambdaFunctionArn", "lambda_function_arn"),
    "queue": ("QueueConfigurations", "QueueArn", "queue_arn"),
    "topic": ("TopicConfigurations", "TopicArn", "topic_arn"),
}


def notification(reply: Item) -> dict[str, object] | None:
    found: dict[str, object] = {"eventbridge": reply.get("EventBridgeConfiguration") is not None}
    for attribute, (member, arn_member, arn_name) in _TARGETS.items():
        found[attribute] = [
            {"id": item.get("Id"), arn_name: item.get(arn_member), "events": item.get("Events"), **_key_filter(item)}
            for item in reply.get(member) or ()
        ]
    return found if any(found.values()) else None


def _key_filter(item: Item) -> dict[str, object]:
    rules = ((item.get("Filter") or {}).get("Key") or {}).get("FilterRules") or ()
    named = {str(rule.get("Name")).lower(): rule.get("Value") for rule in rules}
    return {"filter_prefix": named.get("prefix"), "filter_suffix": named.get("suffix")}
