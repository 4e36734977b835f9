"""ACM certificates.

Source: Terraform AWS provider 5.100, resource documentation of each type.
"""

from __future__ import annotations

from ...domain.shapes import block, set_of, tags, text
from ...domain.specs import TypeSpec, by

# `status`, the dates and what renewal says stay out: they move by themselves.
SPECS = (
    TypeSpec(
        "aws_acm_certificate",
        {
            "domain_name": text,
            "subject_alternative_names": set_of(text),
            "key_algorithm": text,
            "certificate_authority_arn": text,
            "options": block({"certificate_transparency_logging_preference": text}),
            "tags": tags,
        },
        key=by("arn"),
    ),
)
