"""Changes to queues, topics, subscriptions, event rules and targets."""

from __future__ import annotations

import json
from typing import Any

from functions.scan.types.aws.sns import FEEDBACK
from tests.support.aws_account import Clients, Mutation

from .calls import Apply, call, changed, create, missing, unmanaged

_OPEN = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sqs:*", "Resource": "*"}]}
)
_OPEN_TOPIC = _OPEN.replace("sqs:*", "SNS:Publish")
_DEAD = "arn:aws:sqs:us-east-1:123456789012:orders-dead"
_FIFO = "arn:aws:sqs:us-east-1:123456789012:ledger.fifo"
_TOPIC = "arn:aws:sns:us-east-1:123456789012"
_ROLE = "arn:aws:iam::123456789012:role/other"
_OTHER_DEAD = json.dumps({"deadLetterTargetArn": _DEAD, "maxReceiveCount": 99})


def queue(**attributes: str) -> Apply:
    """Set attributes of the target queue; moto forgets the policy when it is not sent along."""

    def apply(clients: Clients, target: dict[str, Any]) -> None:
        url = target.get("queue_url") or target["url"]
        kept = {"Policy": target["policy"]} if target.get("policy") else {}
        clients("sqs").set_queue_attributes(QueueUrl=url, Attributes={**kept, **attributes})

    return apply


def topic(name: str, value: str) -> Apply:
    """Set one attribute of the target topic."""
    return call("sns", "set_topic_attributes", "TopicArn=arn", AttributeName=name, AttributeValue=value)


def subscription(name: str, value: str) -> Apply:
    """Set one attribute of the target subscription."""
    return call("sns", "set_subscription_attributes", "SubscriptionArn=arn", AttributeName=name, AttributeValue=value)


def _create_queue(clients: Clients, _target: dict[str, Any]) -> str:
    clients("sqs").create_queue(QueueName="extra")
    return "127.0.0.1/123456789012/extra"


def _subscribe(clients: Clients, _target: dict[str, Any]) -> str:
    clients("sns").subscribe(TopicArn=f"{_TOPIC}:plain", Protocol="sqs", Endpoint=_DEAD)
    return f"{_TOPIC}:plain|sqs|{_DEAD}"


_QUEUES: tuple[Mutation, ...] = (
    changed("aws_sqs_queue.orders", "delay_seconds", queue(DelaySeconds="6")),
    changed("aws_sqs_queue.orders", "max_message_size", queue(MaximumMessageSize="2048")),
    changed("aws_sqs_queue.orders", "message_retention_seconds", queue(MessageRetentionPeriod="600")),
    changed("aws_sqs_queue.orders", "receive_wait_time_seconds", queue(ReceiveMessageWaitTimeSeconds="1")),
    changed("aws_sqs_queue.orders", "visibility_timeout_seconds", queue(VisibilityTimeout="61")),
    changed("aws_sqs_queue.orders", "policy.Statement", queue(Policy=_OPEN)),
    changed("aws_sqs_queue.orders", "redrive_policy.maxReceiveCount", queue(RedrivePolicy=_OTHER_DEAD)),
    changed("aws_sqs_queue.orders", "kms_master_key_id", queue(KmsMasterKeyId="alias/aws/sqs")),
    changed("aws_sqs_queue.orders", "sqs_managed_sse_enabled", queue(SqsManagedSseEnabled="false")),
    changed("aws_sqs_queue.orders", "tags.Extra", call("sqs", "tag_queue", "QueueUrl=url", Tags={"Extra": "1"})),
    changed("aws_sqs_queue.orders", "tags.Tier", call("sqs", "untag_queue", "QueueUrl=url", TagKeys=["Tier"])),
    changed("aws_sqs_queue.fifo", "kms_data_key_reuse_period_seconds", queue(KmsDataKeyReusePeriodSeconds="60")),
    changed("aws_sqs_queue.fifo", "content_based_deduplication", queue(ContentBasedDeduplication="false")),
    changed("aws_sqs_queue.fifo", "fifo_throughput_limit", queue(FifoThroughputLimit="perQueue")),
    changed("aws_sqs_queue.fifo", "deduplication_scope", queue(DeduplicationScope="queue")),
    # A policy on a queue for which none is declared shows on the queue itself.
    changed("aws_sqs_queue.dead", "policy", queue(Policy=_OPEN)),
    changed("aws_sqs_queue_policy.separate", "policy.Statement", queue(Policy=_OPEN)),
    missing("aws_sqs_queue_policy.separate", queue(Policy="")),
    Mutation(
        "aws_sqs_queue_redrive_policy.separate",
        {
            ("changed", "aws_sqs_queue_redrive_policy.separate", "redrive_policy.deadLetterTargetArn"),
            ("changed", "aws_sqs_queue_redrive_policy.separate", "redrive_policy.maxReceiveCount"),
        },
        queue(RedrivePolicy=_OTHER_DEAD),
    ),
    missing("aws_sqs_queue_redrive_policy.separate", queue(RedrivePolicy="")),
    unmanaged("aws_sqs_queue", _create_queue),
    missing("aws_sqs_queue.orders", call("sqs", "delete_queue", "QueueUrl=url")),
)

_TOPICS: tuple[Mutation, ...] = (
    changed("aws_sns_topic.orders", "display_name", topic("DisplayName", "Other")),
    changed("aws_sns_topic.orders", "kms_master_key_id", topic("KmsMasterKeyId", "alias/other")),
    changed("aws_sns_topic.orders", "policy.Statement", topic("Policy", _OPEN_TOPIC)),
    Mutation(
        "aws_sns_topic.plain",
        {("changed", "aws_sns_topic.plain", f"policy.{name}") for name in ("Id", "Statement", "Version")},
        topic("Policy", _OPEN_TOPIC),
    ),
    changed("aws_sns_topic.orders", "delivery_policy", topic("DeliveryPolicy", '{"http": {}}')),
    changed("aws_sns_topic.fifo", "content_based_deduplication", topic("ContentBasedDeduplication", "false")),
    changed(
        "aws_sns_topic.orders",
        "tags.Extra",
        call("sns", "tag_resource", "ResourceArn=arn", Tags=[{"Key": "Extra", "Value": "1"}]),
    ),
    changed("aws_sns_topic_policy.separate", "policy.Statement", topic("Policy", _OPEN_TOPIC)),
    unmanaged("aws_sns_topic", create("sns", "create_topic", "TopicArn", Name="extra")),
    changed("aws_sns_topic_subscription.queue", "raw_message_delivery", subscription("RawMessageDelivery", "false")),
    changed("aws_sns_topic_subscription.queue", "filter_policy.kind", subscription("FilterPolicy", '{"kind": ["order"]}')),
    changed("aws_sns_topic_subscription.queue", "filter_policy_scope", subscription("FilterPolicyScope", "MessageBody")),
    changed(
        "aws_sns_topic_subscription.queue",
        "redrive_policy",
        subscription("RedrivePolicy", json.dumps({"deadLetterTargetArn": _DEAD})),
    ),
    changed("aws_sns_topic_subscription.queue", "delivery_policy", subscription("DeliveryPolicy", '{"http": {}}')),
    changed("aws_sns_topic_subscription.queue", "subscription_role_arn", subscription("SubscriptionRoleArn", _ROLE)),
    unmanaged("aws_sns_topic_subscription", _subscribe),
    missing("aws_sns_topic_subscription.queue", call("sns", "unsubscribe", "SubscriptionArn=arn")),
    Mutation(
        "aws_sns_topic.separate",
        {("missing", "aws_sns_topic.separate", ""), ("missing", "aws_sns_topic_policy.separate", "")},
        call("sns", "delete_topic", "TopicArn=arn"),
    ),
)  # fmt: skip

_NIGHTLY: dict[str, Any] = {
    "Name": "nightly",
    "Description": "Every night",
    "ScheduleExpression": "cron(0 3 * * ? *)",
    "RoleArn": "arn:aws:iam::123456789012:role/service",
}
_ORDERS: dict[str, Any] = {
    "Name": "orders",
    "EventBusName": "shop",
    "State": "DISABLED",
    "EventPattern": json.dumps({"source": ["shop.orders"], "detail-type": ["Created", "Refunded"]}),
}
_LEDGER: dict[str, Any] = {
    "Id": "ledger",
    "Arn": _FIFO,
    "Input": json.dumps({"job": "nightly"}),
    "SqsParameters": {"MessageGroupId": "nightly"},
    "RetryPolicy": {"MaximumEventAgeInSeconds": 3600, "MaximumRetryAttempts": 2},
    "DeadLetterConfig": {"Arn": _DEAD},
}


def rule(**changes: Any) -> Apply:
    """Write the nightly rule again with one member changed."""
    return call("events", "put_rule", **{**_NIGHTLY, **changes})


def ledger(**changes: Any) -> Apply:
    """Write the ledger target again with one member changed."""
    return call("events", "put_targets", Rule="nightly", Targets=[{**_LEDGER, **changes}])


def task(member: str, value: object) -> Apply:
    """Write the target of the ECS task again with one member changed."""

    def apply(clients: Clients, target: dict[str, Any]) -> None:
        subnets = target["ecs_target"][0]["network_configuration"][0]["subnets"]
        found: dict[str, Any] = {
            "Id": "task",
            "Arn": target["arn"],
            "RoleArn": target["role_arn"],
            "EcsParameters": {
                "TaskDefinitionArn": target["ecs_target"][0]["task_definition_arn"],
                "TaskCount": 1,
                "LaunchType": "FARGATE",
                "NetworkConfiguration": {"awsvpcConfiguration": {"Subnets": subnets, "AssignPublicIp": "DISABLED"}},
            },
            "InputTransformer": {"InputPathsMap": {"id": "$.detail.id"}, "InputTemplate": '{"order": <id>}'},
        }
        if member in found["EcsParameters"]:
            found["EcsParameters"][member] = value
        else:
            found[member] = value
        clients("events").put_targets(Rule="orders", EventBusName="shop", Targets=[found])

    return apply


def _delete_bus(clients: Clients, _target: dict[str, Any]) -> None:
    clients("events").remove_targets(Rule="orders", EventBusName="shop", Ids=["extra"])
    clients("events").delete_rule(Name="orders", EventBusName="shop")
    clients("events").delete_event_bus(Name="shop")


_TAG = [{"Key": "Extra", "Value": "1"}]
_EVENTS: tuple[Mutation, ...] = (
    changed("aws_cloudwatch_event_rule.nightly", "description", rule(Description="Other")),
    changed(
        "aws_cloudwatch_event_rule.nightly",
        "schedule_expression",
        rule(ScheduleExpression="rate(1 hour)"),
    ),
    changed("aws_cloudwatch_event_rule.nightly", "role_arn", rule(RoleArn=_ROLE)),
    changed("aws_cloudwatch_event_rule.nightly", "state", call("events", "disable_rule", Name="nightly")),
    changed(
        "aws_cloudwatch_event_rule.orders",
        "event_pattern.source[0]",
        call(
            "events",
            "put_rule",
            **{**_ORDERS, "EventPattern": json.dumps({"source": [""], "detail-type": ["Created", "Refunded"]})},
        ),
    ),
    changed(
        "aws_cloudwatch_event_rule.nightly", "tags.Extra", call("events", "tag_resource", "ResourceARN=arn", Tags=_TAG)
    ),
    changed(
        "aws_cloudwatch_event_bus.shop", "tags.Extra", call("events", "tag_resource", "ResourceARN=arn", Tags=_TAG)
    ),
    changed("aws_cloudwatch_event_target.ledger", "arn", ledger(Arn=_DEAD)),
    changed("aws_cloudwatch_event_target.ledger", "input.job", ledger(Input=json.dumps({"job": "weekly"}))),
    changed(
        "aws_cloudwatch_event_target.ledger",
        "sqs_target.message_group_id",
        ledger(SqsParameters={"MessageGroupId": "other"}),
    ),
    changed(
        "aws_cloudwatch_event_target.queue",
        "input_path",
        call("events", "put_targets", Rule="nightly", Targets=[{"Id": "queue", "Arn": _DEAD, "InputPath": "$.other"}]),
    ),
    changed("aws_cloudwatch_event_target.task", "ecs_target.task_count", task("TaskCount", 3)),
    changed("aws_cloudwatch_event_target.task", "role_arn", task("RoleArn", _ROLE)),
    changed(
        "aws_cloudwatch_event_target.task",
        "input_transformer.input_template",
        task("InputTransformer", {"InputPathsMap": {"id": "$.detail.id"}, "InputTemplate": '{"other": <id>}'}),
    ),
    *(
        changed(
            "aws_cloudwatch_event_target.queue",
            attribute,
            call(
                "events",
                "put_targets",
                Rule="nightly",
                Targets=[{"Id": "queue", "Arn": _DEAD, "InputPath": "$.detail", member: value}],
            ),
        )
        for attribute, member, value in (
            ("dead_letter_config", "DeadLetterConfig", {"Arn": _DEAD}),
            ("retry_policy", "RetryPolicy", {"MaximumEventAgeInSeconds": 60, "MaximumRetryAttempts": 0}),
            ("kinesis_target", "KinesisParameters", {"PartitionKeyPath": "$.id"}),
            ("http_target", "HttpParameters", {"HeaderParameters": {"X-Extra": "1"}}),
            ("run_command_targets", "RunCommandParameters", {"RunCommandTargets": [{"Key": "tag:a", "Values": ["b"]}]}),
            ("batch_target", "BatchParameters", {"JobDefinition": "job", "JobName": "name"}),
            ("redshift_target", "RedshiftDataParameters", {"Database": "db", "Sql": "select 1"}),
            (
                "sagemaker_pipeline_target",
                "SageMakerPipelineParameters",
                {"PipelineParameterList": [{"Name": "a", "Value": "b"}]},
            ),
            ("appsync_target", "AppSyncParameters", {"GraphQLOperation": "mutation m { m }"}),
        )
    ),
    unmanaged(
        "aws_cloudwatch_event_target",
        call("events", "put_targets", Rule="orders", EventBusName="shop", Targets=[{"Id": "extra", "Arn": _DEAD}]),
        "us-east-1|shop|orders|extra",
    ),
    missing(
        "aws_cloudwatch_event_target.task",
        call("events", "remove_targets", Rule="orders", EventBusName="shop", Ids=["task"]),
    ),
    unmanaged(
        "aws_cloudwatch_event_rule",
        create("events", "put_rule", "RuleArn", Name="extra", ScheduleExpression="rate(1 day)"),
    ),
    Mutation(
        "aws_cloudwatch_event_rule.orders",
        {
            ("missing", "aws_cloudwatch_event_rule.orders", ""),
            ("missing", "aws_cloudwatch_event_bus.shop", ""),
        },
        _delete_bus,
        also=("aws_cloudwatch_event_bus",),
    ),
    unmanaged("aws_cloudwatch_event_bus", create("events", "create_event_bus", "EventBusArn", Name="extra")),
)

MUTATIONS = (*_EVENTS, *_TOPICS, *_QUEUES)

EXCEPTIONS: dict[str, str] = {
    "aws_sqs_queue.fifo_queue": "fixed at creation",
    "aws_sqs_queue.redrive_allow_policy": "moto does not know RedriveAllowPolicy",
    "aws_sqs_queue_redrive_allow_policy.*": "moto does not know RedriveAllowPolicy",
    "aws_sqs_queue_policy.unmanaged": "an undeclared policy shows as a change of the queue's `policy`",
    "aws_sqs_queue_redrive_policy.unmanaged": "an undeclared policy shows as a change of the queue's `redrive_policy`",
    "aws_sns_topic.fifo_topic": "fixed at creation",
    **{
        f"aws_sns_topic.{name}": "moto does not keep it"
        for name in ("archive_policy", "fifo_throughput_scope", "signature_version", "tracing_config", *FEEDBACK)
    },
    "aws_sns_topic_policy.unmanaged": "an undeclared policy shows as a change of the topic's `policy`",
    "aws_sns_topic_subscription.replay_policy": "moto does not keep ReplayPolicy",
    "aws_cloudwatch_event_bus.description": "moto's bus cannot be updated",
}
