"""Reads CloudWatch log groups and metric filters; the tags of a group take a call each.

Source: Amazon CloudWatch Logs API Reference, DescribeLogGroups, ListTagsForResource, DescribeMetricFilters.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ...domain.resources import LiveResource, Parent
from .base import Finding, Gap, Item, Listing, Scope, Service, attempt, each

_GONE = "ResourceNotFoundException"


def _group_arn(item: Item) -> str:
    """Return the ARN as Terraform keeps it: DescribeLogGroups appends `:*` in `arn`."""
    return str(item.get("logGroupArn") or item["arn"]).removesuffix(":*")


def read_log_groups(scope: Scope) -> Iterator[Finding]:
    """List log groups with their tags."""
    client = scope.client("logs")

    def one(item: Item) -> Iterable[Finding]:
        arn = _group_arn(item)
        attributes: dict[str, object] = {
            "retention_in_days": item.get("retentionInDays"),
            "kms_key_id": item.get("kmsKeyId"),
            "log_group_class": item.get("logGroupClass"),
        }
        tags: dict[str, str] = {}
        tagged = attempt("logs", lambda: client.list_tags_for_resource(resourceArn=arn), _GONE)
        if isinstance(tagged, Gap):
            yield tagged.unread("aws_cloudwatch_log_group", arn, "tags")
        else:
            attributes["tags"] = tags = tagged.get("tags") or {}
        yield LiveResource("aws_cloudwatch_log_group", arn, scope.region, attributes, arn, tags=tags, document=item)

    yield from each(scope.pages("logs", "describe_log_groups", "logGroups"), one)


def read_metric_filters(scope: Scope) -> Iterator[Finding]:
    """List the metric filters of all groups."""
    for item in scope.pages("logs", "describe_metric_filters", "metricFilters"):
        group, name = item["logGroupName"], item["filterName"]
        yield LiveResource(
            type="aws_cloudwatch_log_metric_filter",
            document=item,
            key=f"{group}|{name}",
            region=scope.region,
            cloud_id=f"{group}:{name}",
            parent=Parent("aws_cloudwatch_log_group", scope.arn("logs", f"log-group:{group}"), "metric_filter"),
            attributes={
                "pattern": item.get("filterPattern"),
                "metric_transformation": [
                    {
                        "default_value": change.get("defaultValue"),
                        "dimensions": change.get("dimensions"),
                        "name": change.get("metricName"),
                        "namespace": change.get("metricNamespace"),
                        "unit": change.get("unit"),
                        "value": change.get("metricValue"),
                    }
                    for change in item.get("metricTransformations") or ()
                ],
            },
        )


SERVICE = Service(
    "logs",
    (
        Listing(
            types=("aws_cloudwatch_log_group",),
            read=read_log_groups,
            permissions=("logs:DescribeLogGroups", "logs:ListTagsForResource"),
        ),
        Listing(
            types=("aws_cloudwatch_log_metric_filter",),
            read=read_metric_filters,
            permissions=("logs:DescribeMetricFilters",),
        ),
    ),
)
