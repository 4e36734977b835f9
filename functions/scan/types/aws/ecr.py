"""ECR repositories and their policies.

Source: Terraform AWS provider 5.100, resource documentation of each type.
"""

from __future__ import annotations

from ...domain.shapes import block, boolean, default_is, document, policy, tags, text
from ...domain.specs import TypeSpec, by, unless_arn

_REPOSITORY = by("registry_id", "repository")

SPECS = (
    TypeSpec(
        "aws_ecr_repository",
        {
            "encryption_configuration": block({"encryption_type": default_is("AES256", text), "kms_key": text}),
            "image_scanning_configuration": block({"scan_on_push": boolean}),
            "image_tag_mutability": text,
            "tags": tags,
        },
        key=by("arn"),
    ),
    TypeSpec("aws_ecr_repository_policy", {"policy": policy}, key=_REPOSITORY, repeats=unless_arn),
    TypeSpec("aws_ecr_lifecycle_policy", {"policy": document}, key=_REPOSITORY, repeats=unless_arn),
)
