"""CloudWatch log groups and metric filters.

Source: Terraform AWS provider 5.100, resource documentation of each type.
"""

from __future__ import annotations

from ...domain.shapes import block, default_is, number, number_or_zero, string_map, tags, text
from ...domain.specs import TypeSpec, by, unless_arn

SPECS = (
    TypeSpec(
        "aws_cloudwatch_log_group",
        {
            "kms_key_id": text,
            "log_group_class": default_is("STANDARD", text),
            "retention_in_days": number_or_zero,  # 0: kept for ever
            "tags": tags,
        },
        key=by("arn"),
    ),
    TypeSpec(
        "aws_cloudwatch_log_metric_filter",
        {
            "metric_transformation": block(
                {
                    "default_value": number,
                    "dimensions": string_map,
                    "name": text,
                    "namespace": text,
                    "unit": default_is("None", text),
                    "value": text,
                }
            ),
            "pattern": text,
        },
        key=by("log_group_name", "name"),
        repeats=unless_arn,
    ),
)
