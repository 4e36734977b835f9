"""Reads CloudWatch metric alarms; the tags of an alarm take a call each.

Source: Amazon CloudWatch API Reference, DescribeAlarms, ListTagsForResource.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ...domain.resources import LiveResource
from .base import Finding, Gap, Item, Listing, Scope, Service, attempt, each, tag_map

_TARGET_TRACKING = "TargetTracking-"  # alarms that Application Auto Scaling makes and deletes with its policies
_MEMBERS = {
    "actions_enabled": "ActionsEnabled",
    "alarm_actions": "AlarmActions",
    "alarm_description": "AlarmDescription",
    "comparison_operator": "ComparisonOperator",
    "datapoints_to_alarm": "DatapointsToAlarm",
    "evaluate_low_sample_count_percentiles": "EvaluateLowSampleCountPercentile",
    "evaluation_periods": "EvaluationPeriods",
    "extended_statistic": "ExtendedStatistic",
    "insufficient_data_actions": "InsufficientDataActions",
    "metric_name": "MetricName",
    "namespace": "Namespace",
    "ok_actions": "OKActions",
    "period": "Period",
    "statistic": "Statistic",
    "threshold": "Threshold",
    "threshold_metric_id": "ThresholdMetricId",
    "treat_missing_data": "TreatMissingData",
    "unit": "Unit",
}


def read_metric_alarms(scope: Scope) -> Iterator[Finding]:
    """List metric alarms with their tags."""
    client = scope.client("cloudwatch")

    def one(item: Item) -> Iterable[Finding]:
        arn = item["AlarmArn"]
        attributes: dict[str, object] = {
            **{name: item.get(member) for name, member in _MEMBERS.items()},
            "dimensions": _dimensions(item),
            "metric_query": [_query(query) for query in item.get("Metrics") or ()],
        }
        tags: dict[str, str] = {}
        tagged = attempt(
            "cloudwatch", lambda: client.list_tags_for_resource(ResourceARN=arn), "ResourceNotFoundException"
        )
        if isinstance(tagged, Gap):
            yield tagged.unread("aws_cloudwatch_metric_alarm", arn, "tags")
        else:
            attributes["tags"] = tags = tag_map(tagged.get("Tags"))
        yield LiveResource(
            type="aws_cloudwatch_metric_alarm",
            document=item,
            key=arn,
            region=scope.region,
            cloud_id=arn,
            cloud_made=item["AlarmName"].startswith(_TARGET_TRACKING),
            tags=tags,
            attributes=attributes,
        )

    yield from each(scope.pages("cloudwatch", "describe_alarms", "MetricAlarms", AlarmTypes=["MetricAlarm"]), one)


def _dimensions(item: Item) -> dict[str, str]:
    return {dimension["Name"]: dimension["Value"] for dimension in item.get("Dimensions") or ()}


def _query(query: Item) -> Item:
    stat = query.get("MetricStat")
    metric = (stat or {}).get("Metric") or {}
    return {
        "account_id": query.get("AccountId"),
        "expression": query.get("Expression"),
        "id": query.get("Id"),
        "label": query.get("Label"),
        "period": query.get("Period"),
        "return_data": query.get("ReturnData"),
        "metric": [
            {
                "dimensions": _dimensions(metric),
                "metric_name": metric.get("MetricName"),
                "namespace": metric.get("Namespace"),
                "period": stat.get("Period"),
                "stat": stat.get("Stat"),
                "unit": stat.get("Unit"),
            }
        ]
        if stat
        else [],
    }


SERVICE = Service(
    "cloudwatch",
    (
        Listing(
            types=("aws_cloudwatch_metric_alarm",),
            read=read_metric_alarms,
            permissions=("cloudwatch:DescribeAlarms", "cloudwatch:ListTagsForResource"),
        ),
    ),
)
