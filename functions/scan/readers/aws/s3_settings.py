"""The settings of an S3 bucket: the call that reads each, and how its reply looks in Terraform's two spellings.

`inline` is the (mostly computed) attribute of `aws_s3_bucket`, `alone` the stand-alone resource. Pure; makes no call.
Source: Amazon S3 API Reference; AWS provider 5.100 schema of `aws_s3_bucket` and of the stand-alone types.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from . import s3_shapes as shapes
from .base import Item

_Alone = Callable[[Item], dict[str, object] | None]


def _nothing(_reply: Item) -> dict[str, object] | None:
    return None


def _is_never_default(_reply: Item) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of a bucket.

    Attributes:
        operation: boto3 method that reads it.
        permission: IAM action the call needs.
        missing: error codes that say "there is none".
        inline: attribute of `aws_s3_bucket` -> its value from the reply. The first one stands for the setting.
        type: stand-alone type; None when it has none.
        alone: attributes of the stand-alone resource from the reply; None when it does not exist.
        is_default: says whether the reply is what every new bucket gives, without anybody's doing.
    """

    operation: str
    permission: str
    missing: tuple[str, ...] = ()
    inline: Mapping[str, Callable[[Item], object]] = field(default_factory=dict)
    type: str | None = None
    alone: _Alone = _nothing
    is_default: Callable[[Item], bool] = _is_never_default


SETTINGS: tuple[Setting, ...] = (
    Setting(
        "get_bucket_versioning",
        "s3:GetBucketVersioning",
        inline={"versioning": shapes.versioning_inline},
        type="aws_s3_bucket_versioning",
        alone=shapes.versioning,
        is_default=shapes.is_unversioned,
    ),
    Setting(
        "get_bucket_encryption",
        "s3:GetEncryptionConfiguration",
        ("ServerSideEncryptionConfigurationNotFoundError",),
        inline={"server_side_encryption_configuration": shapes.encryption_inline},
        type="aws_s3_bucket_server_side_encryption_configuration",
        alone=shapes.encryption,
        is_default=lambda reply: shapes.encryption_rules(reply) == shapes.PLAIN_ENCRYPTION,
    ),
    Setting(
        "get_public_access_block",
        "s3:GetBucketPublicAccessBlock",
        ("NoSuchPublicAccessBlockConfiguration",),
        type="aws_s3_bucket_public_access_block",
        alone=shapes.public_access_block,
        is_default=shapes.is_usual_block,
    ),
    Setting(
        "get_bucket_policy",
        "s3:GetBucketPolicy",
        ("NoSuchBucketPolicy",),
        inline={"policy": lambda reply: reply.get("Policy")},
        type="aws_s3_bucket_policy",
        alone=shapes.policy,
    ),
    Setting(
        "get_bucket_ownership_controls",
        "s3:GetBucketOwnershipControls",
        ("OwnershipControlsNotFoundError",),
        type="aws_s3_bucket_ownership_controls",
        alone=shapes.ownership,
        is_default=shapes.is_usual_ownership,
    ),
    Setting(
        "get_bucket_acl",
        "s3:GetBucketAcl",
        inline={"grant": shapes.grants, "acl": shapes.canned_acl},
        type="aws_s3_bucket_acl",
        alone=shapes.acl,
        is_default=shapes.is_private_acl,
    ),
    Setting(
        "get_bucket_lifecycle_configuration",
        "s3:GetLifecycleConfiguration",
        ("NoSuchLifecycleConfiguration",),
        inline={"lifecycle_rule": shapes.lifecycle_inline},
        type="aws_s3_bucket_lifecycle_configuration",
        alone=shapes.lifecycle,
    ),
    Setting(
        "get_bucket_logging",
        "s3:GetBucketLogging",
        inline={"logging": shapes.logging_inline},
        type="aws_s3_bucket_logging",
        alone=shapes.logging,
    ),
    Setting(
        "get_bucket_cors",
        "s3:GetBucketCORS",
        ("NoSuchCORSConfiguration",),
        inline={"cors_rule": shapes.cors_rules},
        type="aws_s3_bucket_cors_configuration",
        alone=shapes.cors,
    ),
    Setting(
        "get_bucket_website",
        "s3:GetBucketWebsite",
        ("NoSuchWebsiteConfiguration",),
        inline={"website": shapes.website_inline},
        type="aws_s3_bucket_website_configuration",
        alone=shapes.website,
    ),
    Setting(
        "get_object_lock_configuration",
        "s3:GetBucketObjectLockConfiguration",
        ("ObjectLockConfigurationNotFoundError",),
        inline={"object_lock_configuration": shapes.lock_inline},
        type="aws_s3_bucket_object_lock_configuration",
        alone=shapes.lock_alone,
    ),
    Setting(
        "get_bucket_accelerate_configuration",
        "s3:GetAccelerateConfiguration",
        ("MethodNotAllowed", "UnsupportedArgument"),  # regions without the feature
        inline={"acceleration_status": lambda reply: reply.get("Status")},
        type="aws_s3_bucket_accelerate_configuration",
        alone=lambda reply: {"status": reply["Status"]} if reply.get("Status") else None,
    ),
    Setting(
        "get_bucket_request_payment",
        "s3:GetBucketRequestPayment",
        inline={"request_payer": lambda reply: reply.get("Payer")},
        type="aws_s3_bucket_request_payment_configuration",
        alone=lambda reply: {"payer": reply["Payer"]} if reply.get("Payer") else None,
        is_default=shapes.is_paid_by_owner,
    ),
    Setting(
        "get_bucket_notification_configuration",
        "s3:GetBucketNotification",
        type="aws_s3_bucket_notification",
        alone=shapes.notification,
    ),
)
