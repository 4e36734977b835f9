"""Rules for queues, topics, tables, databases, names and containers: what each folds, and the change it must still show."""

from __future__ import annotations

import json
from typing import Any

import pytest

from functions.scan.domain.comparison import Sides, compare
from functions.scan.domain.difference import changes
from functions.scan.domain.resources import Declared, LiveResource, Parent
from functions.scan.readers.aws.ecs_shapes import service_attributes
from functions.scan.readers.aws.events_shapes import target_attributes
from functions.scan.readers.aws.rds import _instance
from functions.scan.readers.aws.route53 import _record
from functions.scan.types.aws import SPECS
from functions.scan.types.aws.dynamodb import recovery_period
from functions.scan.types.aws.ecs import last_part, placement_field
from functions.scan.types.aws.events import retry_attempts
from functions.scan.types.aws.rds import parameters, short_name
from functions.scan.types.aws.route53 import alias_name, plain_name, record_key, record_value
from functions.scan.types.aws.sns import signature_version, subscription_key
from functions.scan.types.aws.sqs import queue_key, redrive

QUEUE = "https://sqs.eu-west-1.amazonaws.com/123456789012/orders"


def paths(kind: str, state: dict[str, Any], live: dict[str, Any]) -> list[str]:
    return [change.path for change in changes(SPECS[kind], state, live)]


# --- SQS -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        QUEUE,
        "https://eu-west-1.queue.amazonaws.com/123456789012/orders",
        "https://vpce-0a1b-c2d3.sqs.eu-west-1.vpce.amazonaws.com/123456789012/orders",
    ],
)
def test_a_queue_is_the_same_under_every_host_name(url: str) -> None:
    assert queue_key(url) == queue_key(QUEUE)


def test_the_oldest_host_name_means_us_east_1() -> None:
    old, new = "https://queue.amazonaws.com/1/orders", "https://sqs.us-east-1.amazonaws.com/1/orders"
    assert queue_key(old) == queue_key(new)


def test_queues_of_one_name_in_two_regions_differ() -> None:
    assert queue_key(QUEUE) != queue_key(QUEUE.replace("eu-west-1", "eu-central-1"))


def test_a_stand_alone_queue_policy_belongs_to_its_queue() -> None:
    attributes = {"queue_url": QUEUE, "policy": "{}"}
    assert SPECS["aws_sqs_queue_policy"].parent(attributes) == Parent("aws_sqs_queue", queue_key(QUEUE), "policy")
    assert SPECS["aws_sqs_queue"].key({"id": QUEUE}) == queue_key(QUEUE)


def test_a_receive_count_may_be_text_but_not_another_number() -> None:
    as_text, as_number = '{"maxReceiveCount":"4"}', '{"maxReceiveCount":4}'
    assert redrive(as_text) == redrive(as_number)
    assert redrive(as_text) != redrive('{"maxReceiveCount":5}')


def test_source_queues_come_in_any_order_but_one_more_shows() -> None:
    allow = {"redrivePermission": "byQueue", "sourceQueueArns": ["a", "b"]}
    assert redrive(json.dumps(allow)) == redrive(json.dumps({**allow, "sourceQueueArns": ["b", "a"]}))
    assert redrive(json.dumps(allow)) != redrive(json.dumps({**allow, "sourceQueueArns": ["a", "b", "c"]}))


# --- SNS -----------------------------------------------------------------------------------------------------------


def test_a_subscription_is_found_although_sns_masks_the_password() -> None:
    declared = {"topic_arn": "t", "protocol": "https", "endpoint": "https://me:secret@example.com/hook"}
    assert SPECS["aws_sns_topic_subscription"].key(declared) == subscription_key(
        "t", "https", "https://me:****@example.com/hook"
    )


def test_subscriptions_of_two_endpoints_differ() -> None:
    assert subscription_key("t", "https", "https://a.example.com/@x") != subscription_key(
        "t", "https", "https://b.example.com/@x"
    )


@pytest.mark.parametrize("value", [None, 0, "1", 1])
def test_signature_version_1_is_the_default(value: object) -> None:
    assert signature_version(value) is None


def test_signature_version_2_shows() -> None:
    assert signature_version("2") == 2


# --- DynamoDB ------------------------------------------------------------------------------------------------------


def test_a_table_without_ttl_equals_one_with_ttl_off() -> None:
    off = {"ttl": [{"enabled": False, "attribute_name": ""}]}
    assert paths("aws_dynamodb_table", {"ttl": []}, off) == []
    assert paths("aws_dynamodb_table", off, {"ttl": [{"enabled": True, "attribute_name": "expires"}]}) == ["ttl"]


def test_recovery_of_35_days_is_the_default_and_less_shows() -> None:
    assert recovery_period(0) is recovery_period(35) is None
    assert recovery_period(7) == 7


def test_recovery_that_is_switched_off_shows() -> None:
    on, off = ({"point_in_time_recovery": [{"enabled": flag, "recovery_period_in_days": 35}]} for flag in (True, False))
    assert paths("aws_dynamodb_table", on, off) == ["point_in_time_recovery"]


def test_indexes_are_compared_by_name_whatever_their_order() -> None:
    one, two = ({"name": name, "hash_key": name, "read_capacity": 1} for name in ("one", "two"))
    kind = "aws_dynamodb_table"
    assert paths(kind, {"global_secondary_index": [one, two]}, {"global_secondary_index": [two, one]}) == []
    changed = {"global_secondary_index": [{**two, "read_capacity": 9}, one]}
    assert paths(kind, {"global_secondary_index": [one, two]}, changed) == ["global_secondary_index.two.read_capacity"]


# --- RDS -----------------------------------------------------------------------------------------------------------


def test_parameter_names_have_no_case_but_values_do() -> None:
    assert parameters([{"name": "Work_Mem", "value": "1"}]) == parameters([{"name": "work_mem", "value": "1"}])
    assert parameters([{"name": "a", "value": "ON"}]) != parameters([{"name": "a", "value": "on"}])


def test_a_replica_may_name_its_source_by_arn() -> None:
    assert short_name("arn:aws:rds:eu-west-1:123456789012:db:orders") == short_name("orders")
    assert short_name("orders") != short_name("orders-2")


def test_the_zone_of_an_instance_that_fails_over_is_not_compared() -> None:
    state = {"availability_zone": "us-east-1a", "multi_az": True}
    assert paths("aws_db_instance", state, _instance({"AvailabilityZone": "us-east-1b", "MultiAZ": True})) == []
    moved = _instance({"AvailabilityZone": "us-east-1b", "MultiAZ": False})
    assert paths("aws_db_instance", {**state, "multi_az": False}, moved) == ["availability_zone"]


# --- Route 53 ------------------------------------------------------------------------------------------------------

ZONE = {"Id": "/hostedzone/Z1", "Name": "example.com."}


def test_a_wildcard_record_is_found_under_its_escaped_name() -> None:
    state = {"zone_id": "Z1", "fqdn": "*.Example.com", "type": "A", "set_identifier": ""}
    assert plain_name("\\052.example.com.") == "*.example.com"
    assert SPECS["aws_route53_record"].key(state) == record_key("Z1", "\\052.example.com.", "A", None)


def test_records_of_one_name_differ_by_their_set_identifier() -> None:
    assert record_key("Z1", "a.example.com", "A", "blue") != record_key("Z1", "a.example.com", "A", "green")


@pytest.mark.parametrize(
    ("name", "kind", "expected"),
    [
        ("example.com.", "NS", True),
        ("example.com.", "SOA", True),
        ("team.example.com.", "NS", False),
        ("example.com.", "A", False),
    ],
)
def test_only_the_zones_own_ns_and_soa_are_made_by_the_cloud(name: str, kind: str, expected: bool) -> None:
    assert _record("Z1", ZONE, {"Name": name, "Type": kind}).cloud_made is expected


def test_txt_values_come_with_quotes_and_any_gap_between_strings() -> None:
    assert record_value('"v=spf1 -all"') == record_value("v=spf1 -all")
    assert record_value('"one" "two"') == record_value('one""two')
    assert record_value('"v=spf1 -all"') != record_value('"v=spf1 +all"')


def test_an_alias_may_leave_out_dualstack_but_not_name_another_target() -> None:
    assert alias_name("dualstack.Shop-1.elb.amazonaws.com.") == alias_name("shop-1.elb.amazonaws.com")
    assert alias_name("shop-1.elb.amazonaws.com") != alias_name("shop-2.elb.amazonaws.com")


def test_a_weight_of_zero_is_not_the_lack_of_a_weight() -> None:
    without: dict[str, Any] = {"weighted_routing_policy": []}
    zero, ten = ({"weighted_routing_policy": [{"weight": weight}]} for weight in (0, 10))
    assert paths("aws_route53_record", without, zero) == ["weighted_routing_policy"]
    assert paths("aws_route53_record", ten, zero) == ["weighted_routing_policy.weight"]


def _private_zone(*live_vpcs: str, associated: tuple[str, ...] = ()) -> list[tuple[str, str | None, str]]:
    """Compare a private zone that names `vpc-1` inline with what is live; returns (kind, address, key)."""
    vpcs = [{"vpc_id": "vpc-1", "vpc_region": "us-east-1"}]
    zone = Declared("aws_route53_zone.main", "aws_route53_zone", "Z1", {"name": "x", "vpc": vpcs})
    expand = SPECS["aws_route53_zone"].expand
    assert expand is not None
    declared = [
        *expand(zone),
        *(
            Declared(f"aws_route53_zone_association.{vpc}", "aws_route53_zone_association", f"Z1|{vpc}", {})
            for vpc in associated
        ),
    ]  # fmt: skip
    live = [
        LiveResource("aws_route53_zone", "Z1", "global", {"name": "x"}, "Z1"),
        *(
            LiveResource(
                "aws_route53_zone_association", f"Z1|{vpc}", "global", {"vpc_region": "us-east-1"}, vpc,
                parent=Parent("aws_route53_zone", "Z1", "vpc"),
            )
            for vpc in live_vpcs
        ),
    ]  # fmt: skip
    sides = Sides("123456789012", frozenset({"us-east-1"}), declared, live)
    return [(item.kind, item.address, item.key) for item in compare(sides, SPECS)]


def test_a_private_zone_may_mix_inline_vpcs_with_associations() -> None:
    assert _private_zone("vpc-1", "vpc-2", associated=("vpc-2",)) == []


def test_a_vpc_that_joins_a_private_zone_by_itself_shows() -> None:
    assert _private_zone("vpc-1", "vpc-9") == [("unmanaged", None, "Z1|vpc-9")]


def test_a_vpc_that_leaves_a_private_zone_shows() -> None:
    assert _private_zone() == [("missing", "aws_route53_zone.main", "Z1|vpc-1")]


# --- ECS and EventBridge -------------------------------------------------------------------------------------------


def test_a_task_definition_may_be_spelled_by_its_arn_but_another_revision_shows() -> None:
    arn = "arn:aws:ecs:eu-west-1:123456789012:task-definition/api:7"
    assert last_part(arn) == last_part("api:7")
    assert last_part(arn) != last_part("api:8")


def test_the_size_of_a_daemon_service_is_not_compared() -> None:
    state = {"desired_count": 0, "scheduling_strategy": "DAEMON"}
    assert (
        paths("aws_ecs_service", state, service_attributes({"desiredCount": 7, "schedulingStrategy": "DAEMON"})) == []
    )
    replica = {**state, "scheduling_strategy": "REPLICA"}
    assert paths("aws_ecs_service", replica, service_attributes({"desiredCount": 7})) == ["desired_count"]


def test_host_is_another_word_for_instance_id() -> None:
    assert placement_field("host") == placement_field("instanceId")
    assert placement_field("host") != placement_field("attribute:ecs.availability-zone")


def test_no_retries_is_not_the_default() -> None:
    assert retry_attempts(185) is None
    assert retry_attempts(0) == "0"


def test_a_target_without_blocks_has_none() -> None:
    found = target_attributes({"Id": "1", "Arn": "a"})
    assert [name for name, value in found.items() if value] == ["arn"]


def test_a_rule_pattern_is_compared_as_a_document() -> None:
    state = {"event_pattern": '{"source": ["a"], "detail-type": ["b"]}'}
    kind = "aws_cloudwatch_event_rule"
    assert paths(kind, state, {"event_pattern": '{"detail-type":["b"],"source":["a"]}'}) == []
    assert paths(kind, state, {"event_pattern": '{"detail-type":["b"],"source":["a","c"]}'}) == ["event_pattern.source"]
