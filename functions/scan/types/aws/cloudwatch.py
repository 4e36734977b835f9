"""CloudWatch metric alarms.

Source: Terraform AWS provider 5.100, `aws_cloudwatch_metric_alarm`; CloudWatch API Reference, PutMetricAlarm.
"""

from __future__ import annotations

from ...domain.shapes import block, boolean, default_is, keyed, number, number_or_zero, set_of, string_map, tags, text
from ...domain.specs import TypeSpec, by

_METRIC = block(
    {
        "dimensions": string_map,
        "metric_name": text,
        "namespace": text,
        "period": number_or_zero,
        "stat": text,
        "unit": text,
    }
)

SPECS = (
    TypeSpec(
        "aws_cloudwatch_metric_alarm",
        {
            "actions_enabled": boolean,
            "alarm_actions": set_of(text),
            "alarm_description": text,
            "comparison_operator": text,
            "datapoints_to_alarm": number_or_zero,
            "dimensions": string_map,
            "evaluate_low_sample_count_percentiles": default_is("evaluate", text),
            "evaluation_periods": number,
            "extended_statistic": text,
            "insufficient_data_actions": set_of(text),
            "metric_name": text,
            "metric_query": keyed(
                "id",
                {
                    "account_id": text,
                    "expression": text,
                    "label": text,
                    "metric": _METRIC,
                    "period": number_or_zero,
                    "return_data": boolean,
                },
            ),
            "namespace": text,
            "ok_actions": set_of(text),
            "period": number_or_zero,
            "statistic": text,
            "tags": tags,
            "threshold": number_or_zero,  # the provider writes 0 where a threshold metric takes its place
            "threshold_metric_id": text,
            "treat_missing_data": default_is("missing", text),
            "unit": text,
        },
        key=by("arn"),
    ),
)
