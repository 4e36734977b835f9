"""KMS keys, their policies and aliases.

Source: Terraform AWS provider 5.100, resource documentation of each type; AWS KMS API Reference.
"""

from __future__ import annotations

from ...domain.resources import Attributes, Parent
from ...domain.shapes import Canonical, boolean, number_or_zero, policy, tags, text
from ...domain.specs import TypeSpec, by


def key_id(value: object) -> Canonical:
    """The id of a key, which may be spelled as its ARN."""
    found = text(value)
    return found.rsplit("/", 1)[-1] if isinstance(found, str) and found.startswith("arn:") else found


def _key_of_policy(attributes: Attributes) -> str | None:
    found = key_id(attributes.get("key_id"))
    return found if isinstance(found, str) else None


def _parent_of_policy(attributes: Attributes) -> Parent | None:
    found = _key_of_policy(attributes)
    return Parent("aws_kms_key", found, "policy") if found else None


def is_in_regions(key: str) -> bool:
    """Say whether the id is that of a multi-Region key, which its replicas share.

    Source: AWS KMS Developer Guide, "Multi-Region keys".
    """
    return key.startswith("mrk-")


SPECS = (
    TypeSpec(
        "aws_kms_key",
        {
            "description": text,
            "enable_key_rotation": boolean,
            "rotation_period_in_days": number_or_zero,
            "is_enabled": boolean,
            "key_usage": text,
            "customer_master_key_spec": text,
            "multi_region": boolean,
            "policy": policy,
            "tags": tags,
        },
        repeats=is_in_regions,
        inline={"policy": ("aws_kms_key_policy",)},
    ),
    TypeSpec(  # replicas of one key share its id
        "aws_kms_replica_key",
        {"description": text, "enabled": boolean, "policy": policy, "tags": tags},
        key=by("arn"),
    ),
    TypeSpec(
        "aws_kms_external_key",
        {"description": text, "enabled": boolean, "multi_region": boolean, "policy": policy, "tags": tags},
        repeats=is_in_regions,
    ),
    TypeSpec(
        "aws_kms_key_policy",
        {"policy": policy},
        key=_key_of_policy,
        repeats=is_in_regions,
        place="key_id",
        parent=_parent_of_policy,
    ),
    TypeSpec("aws_kms_alias", {"target_key_id": key_id}, key=by("arn")),
)
