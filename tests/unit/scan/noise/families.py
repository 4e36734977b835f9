"""The rule families of the second generation, each gated on equality: what is folded means the same, whatever its value."""

from __future__ import annotations

import json
from typing import Any

from functions.scan.domain.resources import LiveResource, Parent

from .harness import Case, Family, change, fold, live, one, read

_ROLE: dict[str, Any] = {"id": "r"}
_LAMBDA: dict[str, Any] = {"arn": "arn:aws:lambda:us-east-1:123456789012:function:f"}
_RECORD: dict[str, Any] = {"zone_id": "Z1", "fqdn": "www.example.com"}
_TARGET: dict[str, Any] = {"rule": "r", "target_id": "t", "event_bus_name": "default"}
_QUEUE: dict[str, Any] = {"id": "https://sqs.us-east-1.amazonaws.com/123456789012/q"}


def _trust(principal: object, **members: object) -> str:
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal, **members}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _role(state: str, same: str, other: str, path: str = "assume_role_policy.Statement") -> dict[str, tuple[Case, ...]]:
    name = "assume_role_policy"
    return one("aws_iam_role", {**_ROLE, name: state}, {name: same}, {name: other}, path)


def _conditioned(condition: object) -> str:
    return _trust({"AWS": "*"}, Condition=condition)


def _records(kind: str, state: list[str], same: list[str], other: list[str]) -> dict[str, tuple[Case, ...]]:
    def answered(values: list[str]) -> tuple[LiveResource, ...]:
        item = {"Name": "www.example.com.", "Type": kind, "ResourceRecords": [{"Value": value} for value in values]}
        zones = {"HostedZones": [{"Id": "/hostedzone/Z1", "Name": "example.com."}]}
        sets = {"ResourceRecordSets": [item]}
        return read("aws_route53_record", list_hosted_zones=zones, list_resource_record_sets=sets)

    declared = ("aws_route53_record", {**_RECORD, "type": kind, "records": state})
    shown = ("changed", "aws_route53_record.x", "records")
    return {
        "folds": (fold(f"{kind} in another spelling", declared, answered(same)),),
        "changes": (change(f"{kind} with another meaning", declared, answered(other), shown),),
    }


def _bucket_policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


_OWN = {"Sid": "Tls", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::b/*"}
_CHECKED: dict[str, dict[str, Any]] = {
    "StringEquals": {"aws:SourceAccount": ["123456789012"]},
    "ArnLike": {"aws:SourceArn": ["arn:aws:logs:us-east-1:123456789012:*"]},
}
_CHECK: dict[str, Any] = {
    "Sid": "AWSLogDeliveryAclCheck1", "Effect": "Allow", "Principal": {"Service": "delivery.logs.amazonaws.com"},
    "Action": "s3:GetBucketAcl", "Resource": "arn:aws:s3:::b", "Condition": _CHECKED,
}  # fmt: skip
_WRITE: dict[str, Any] = {
    **_CHECK, "Sid": "AWSLogDeliveryWrite1", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::b/flow/AWSLogs/123456789012/*",
    "Condition": {**_CHECKED, "StringEquals": {**_CHECKED["StringEquals"], "s3:x-amz-acl": "bucket-owner-full-control"}},
}  # fmt: skip
_LOOSE: dict[str, dict[str, Any]] = {
    "to everybody": {**_WRITE, "Principal": "*"},
    "to another service as well": {**_WRITE, "Principal": {"Service": ["delivery.logs.amazonaws.com", "evil.amazonaws.com"]}},
    "to an account as well": {**_WRITE, "Principal": {"Service": "delivery.logs.amazonaws.com", "AWS": "210987654321"}},
    "with every action": {**_WRITE, "Action": "s3:*"},
    "with reading": {**_WRITE, "Action": ["s3:PutObject", "s3:GetObject"]},
    "to the whole bucket": {**_WRITE, "Resource": "arn:aws:s3:::b/*"},
    "to a pattern of prefixes": {**_WRITE, "Resource": "arn:aws:s3:::b/*/AWSLogs/123456789012/*"},
    "to the logs of another account": {**_WRITE, "Resource": "arn:aws:s3:::b/AWSLogs/210987654321/*"},
    "without a condition": {name: item for name, item in _WRITE.items() if name != "Condition"},
    "for any source": {**_WRITE, "Condition": {**_WRITE["Condition"], "ArnLike": {"aws:SourceArn": "*"}}},
    "for two accounts": {**_WRITE, "Condition": {**_WRITE["Condition"], "StringEquals": {
        "aws:SourceAccount": ["123456789012", "210987654321"], "s3:x-amz-acl": "bucket-owner-full-control"}}},
    "with a looser operator": {**_WRITE, "Condition": {"StringLike": _WRITE["Condition"]["StringEquals"], "ArnLike": _WRITE["Condition"]["ArnLike"]}},
    "under a name of one's own": {**_WRITE, "Sid": "Logs"},
    "that denies nothing any more": {**_WRITE, "NotResource": "arn:aws:s3:::b/keep"},
}  # fmt: skip


def _log_cases() -> tuple[tuple[Case, ...], tuple[Case, ...]]:
    kind, shown = "aws_s3_bucket_policy", ("changed", "aws_s3_bucket_policy.x", "policy.Statement")
    declared = (kind, {"bucket": "b", "policy": _bucket_policy(_OWN)})
    folds = (
        fold("AWS added its two statements", declared, live(kind, "b", policy=_bucket_policy(_OWN, _CHECK, _WRITE))),
        fold("a policy of AWS alone", ("aws_s3_bucket", {"id": "b", "policy": ""}), live("aws_s3_bucket", "b", policy=_bucket_policy(_CHECK, _WRITE))),
    )  # fmt: skip
    changes = [
        change(f"a statement {name}", declared, live(kind, "b", policy=_bucket_policy(_OWN, item)), shown)
        for name, item in _LOOSE.items()
    ]
    with_logs = (kind, {"bucket": "b", "policy": _bucket_policy(_OWN, _WRITE)})
    changes += [
        change("a declared one is gone", with_logs, live(kind, "b", policy=_bucket_policy(_OWN)), shown),
        change("the own one is gone", declared, live(kind, "b", policy=_bucket_policy(_CHECK, _WRITE)), shown),
    ]
    return folds, tuple(changes)


def _member(user: str) -> LiveResource:
    return live("aws_iam_user_group_membership", f"{user}|g")


_GROUP = ("aws_iam_group_membership", {"group": "g", "users": ["a", "b"]})
_RATE = {"arn": "arn:rule", "schedule_expression": "rate(1 hour)"}
_DB = {"arn": "arn:d", "engine_version": "13", "engine_version_actual": "13.4"}
_METRIC = {"arn": "arn:a", "metric_query": [{"id": "a", "expression": "x"}, {"id": "b", "expression": "y"}]}
_ORDERED = {"id": "arn:s", "ordered_placement_strategy": [{"type": "spread", "field": "host"}, {"type": "binpack", "field": "cpu"}]}  # fmt: skip
_VARIABLES = {"Etag": "1", "last_modified": "2", "Owner": "3"}
_BLOCK = {"environment": [{"variables": _VARIABLES}]}

FAMILIES: tuple[Family, ...] = (
    Family("provider defaults", "Equality-gated provider defaults, top-level", "`domain/shapes.default_is`: the default and nothing are one, any other value is not.",
           **one("aws_lambda_function", {**_LAMBDA, "timeout": None}, {"timeout": 3}, {"timeout": 900}, "timeout")),
    Family("nested defaults", "Equality-gated provider defaults, nested", "`default_is` within `block`.",
           **one("aws_lambda_function", {**_LAMBDA, "ephemeral_storage": []}, {"ephemeral_storage": [{"size": 512}]}, {"ephemeral_storage": [{"size": 10240}]}, "ephemeral_storage")),
    Family("one-of defaults", "Defaults that are one of a set", "A shape of its own: 0 and 35 days both say that nobody chose.",
           **one("aws_dynamodb_table", {"arn": "arn:t", "point_in_time_recovery": [{"enabled": True, "recovery_period_in_days": 0}]},
                 {"point_in_time_recovery": [{"enabled": True, "recovery_period_in_days": 35}]}, {"point_in_time_recovery": [{"enabled": True, "recovery_period_in_days": 1}]},
                 "point_in_time_recovery.recovery_period_in_days")),
    Family("reset to the default", "A value reset to the default after being recorded is drift", "Each side is brought into its form alone: a recorded value is never taken for the default.",
           **one("aws_lambda_function", {**_LAMBDA, "memory_size": 1024}, {"memory_size": "1024"}, {"memory_size": 128}, "memory_size")),
    Family("defaults by kind", "Defaults by region, account, engine, balancer type or protocol", "A state holds what AWS answered for this very resource; what it does not hold is not compared.",
           **one("aws_lb", {"id": "arn:lb", "idle_timeout": 60}, {"idle_timeout": 60, "enable_cross_zone_load_balancing": True}, {"idle_timeout": 4000}, "idle_timeout")),
    Family("derived defaults", "Defaults derived from a sibling: a log group from the function's name", "The state holds the answer; an old one without the attribute is not compared on it.",
           **one("aws_lambda_function", _LAMBDA | {"timeout": 3}, {"timeout": 3, "logging_config": [{"log_group": "/aws/lambda/f"}]}, {"timeout": 4}, "timeout")),
    Family("recorded log group", "The same where it is recorded", "`logging_config` is compared as a block.",
           **one("aws_lambda_function", {**_LAMBDA, "logging_config": [{"log_group": "/aws/lambda/f", "log_format": "Text"}]}, {"logging_config": [{"log_group": "/aws/lambda/f"}]},
                 {"logging_config": [{"log_group": "/elsewhere"}]}, "logging_config.log_group")),
    Family("generated names", "Generated names and prefixes", "Things are matched by what AWS calls them; `name_prefix` is compared nowhere.",
           (fold("a generated name", ("aws_iam_role", {"id": "app-2026", "name_prefix": "app-", "path": "/"}), live("aws_iam_role", "app-2026", path="/")),),
           (change("made anew under another one", ("aws_iam_role", {"id": "app-2026", "name_prefix": "app-"}), live("aws_iam_role", "app-2027"),
                   ("missing", "aws_iam_role.x", ""), ("unmanaged", "app-2027", "")),)),
    Family("stripped words", "Timestamps, owner and revision are stripped, never inside free-form maps", "Maps of people are compared whole (`string_map`), whatever their keys are called.",
           **one("aws_lambda_function", {**_LAMBDA, **_BLOCK, "last_modified": "a"}, {**_BLOCK, "last_modified": "b"}, {"environment": [{"variables": {**_VARIABLES, "Owner": "4"}}]}, "environment")),
    Family("case in free-form maps", "Case is never folded in maps of people", "`string_map` and `tags` keep case, in names and in values.",
           **one("aws_vpc", {"id": "vpc-1", "tags": {"Team": "Red"}}, {"tags": {"Team": "Red"}}, {"tags": {"team": "red"}}, "tags.Team", "tags.team")),
    Family("empty values in maps", "An empty value in a map is not an absent one", "`string_map`.",
           **one("aws_vpc", {"id": "vpc-1", "tags": {"Team": None}}, {"tags": {"Team": ""}}, {"tags": {}}, "tags.Team")),
    Family("tags of AWS", "`aws:*` and stack-level tags", "`domain/shapes.tags`: only AWS can write the prefix, and only in lower case.",
           **one("aws_vpc", {"id": "vpc-1", "tags": {}}, {"tags": {"aws:cloudformation:stack-name": "s"}}, {"tags": {"awsome": "s"}}, "tags.awsome")),
    Family("keyed arrays", "Arrays matched by Id, Name or Key instead of place", "`domain/shapes.keyed`.",
           **one("aws_cloudwatch_metric_alarm", _METRIC, {"metric_query": [*reversed(_METRIC["metric_query"])]},
                 {"metric_query": [{"id": "a", "expression": "x"}, {"id": "b", "expression": "z"}]}, "metric_query.b.expression")),
    Family("order that counts", "Order-significant exceptions", "`domain/shapes.list_of`.",
           **one("aws_ecs_service", _ORDERED, {"ordered_placement_strategy": [{"type": "SPREAD", "field": "instanceId"}, {"type": "binpack", "field": "cpu"}]},
                 {"ordered_placement_strategy": [*reversed(_ORDERED["ordered_placement_strategy"])]}, "ordered_placement_strategy[0].type", "ordered_placement_strategy[1].type",
                 "ordered_placement_strategy[0].field", "ordered_placement_strategy[1].field")),
    Family("layers keep their order", "Order-significant exceptions: later layers win", "`list_of`.",
           **one("aws_lambda_function", {**_LAMBDA, "layers": ["a", "b"]}, {"layers": ["a", "b"]}, {"layers": ["b", "a"]}, "layers[0]", "layers[1]")),
    Family("sets", "Order that says nothing", "`domain/shapes.set_of`.",
           **one("aws_instance", {"id": "i-1", "vpc_security_group_ids": ["sg-1", "sg-2"]}, {"vpc_security_group_ids": ["sg-2", "sg-1"]}, {"vpc_security_group_ids": ["sg-2"]}, "vpc_security_group_ids")),
    Family("scalar and array", "Scalar against array", "`domain/shapes.policy` and `set_of`.", **_role(_trust({"Service": "ec2.amazonaws.com"}), _trust({"Service": ["ec2.amazonaws.com"]}),
           _trust({"Service": ["ec2.amazonaws.com", "lambda.amazonaws.com"]}))),
    Family("null, empty and default", "Null, empty list and none", "`set_of`, `list_of`, `block`, `text`.",
           **one("aws_instance", {"id": "i-1", "secondary_private_ips": [], "key_name": ""}, {"secondary_private_ips": None, "key_name": None}, {"secondary_private_ips": ["10.0.0.9"]}, "secondary_private_ips")),
    Family("number and string", "Number against string", "`domain/shapes.number`.",
           **one("aws_sqs_queue", {**_QUEUE, "delay_seconds": 90}, {"delay_seconds": "90"}, {"delay_seconds": "900"}, "delay_seconds")),
    Family("zero and nothing", "Zero is a value where the provider means it", "`number` keeps 0 and nothing apart, `number_or_zero` does not.",
           **one("aws_route53_record", {**_RECORD, "type": "A", "weighted_routing_policy": [{"weight": 0}]}, {"weighted_routing_policy": [{"weight": "0"}]},
                 {"weighted_routing_policy": []}, "weighted_routing_policy")),
    Family("boolean tokens", "Boolean tokens", "`domain/shapes.boolean`.",
           **one("aws_sqs_queue", {**_QUEUE, "sqs_managed_sse_enabled": True}, {"sqs_managed_sse_enabled": "true"}, {"sqs_managed_sse_enabled": "false"}, "sqs_managed_sse_enabled")),
    Family("flags and numbers in documents", "A flag in a document is no number", "`domain/difference._is_same`: to Python, true equals 1.",
           **one("aws_cloudwatch_event_target", {**_TARGET, "input": '{"on": true}'}, {"input": '{ "on":true }'}, {"input": '{"on": 1}'}, "input.on")),
    Family("case-insensitive values", "Case-insensitive values", "`domain/shapes.folded_text`, only for words of the protocol.",
           **one("aws_db_instance", {"arn": "arn:d", "maintenance_window": "Mon:03:00-Mon:04:00"}, {"maintenance_window": "mon:03:00-mon:04:00"}, {"maintenance_window": "tue:03:00-tue:04:00"}, "maintenance_window")),
    Family("case-insensitive map keys", "Case-insensitive map keys", "Condition keys in `shapes.policy`; two spellings of one key stay apart.",
           **_role(_conditioned({"StringEquals": {"aws:SourceAccount": "1", "AWS:PrincipalOrgID": "o"}}), _conditioned({"StringEquals": {"AWS:sourceaccount": "1", "aws:principalorgid": "o"}}),
                   _conditioned({"StringEquals": {"aws:SourceAccount": "1", "aws:sourceaccount": "2"}}))),
    Family("JSON in strings", "JSON-string equality", "`domain/shapes.document`.",
           **one("aws_cloudwatch_event_rule", {"arn": "arn:r", "event_pattern": '{"source": ["aws.ec2"]}'}, {"event_pattern": '{\n "source":["aws.ec2"]}'}, {"event_pattern": '{"source": ["aws.ec2", "aws.s3"]}'}, "event_pattern.source")),
    Family("JSON with a member twice", "JSON strings that name a member twice", "`domain/shapes._unambiguous`: such a text is compared as text.",
           **one("aws_cloudwatch_event_rule", {"arn": "arn:r", "event_pattern": '{"source": ["a"]}'}, {"event_pattern": '{ "source": ["a"] }'}, {"event_pattern": '{"source": ["b"], "source": ["a"]}'}, "event_pattern")),
    Family("empty input", "An empty document is not none where it is sent", "`domain/shapes.whole_document`.",
           **one("aws_cloudwatch_event_target", {**_TARGET, "input": "{}"}, {"input": " {} "}, {"input": None}, "input")),
    Family("properties files", "Properties-file equality", "Not needed: the types that hold them (managed Kafka configurations) have no spec here"),
    Family("keys and certificates", "PEM and SSH key equality", "A key pair is compared by the fingerprint that AWS computes; the text of the key, its comment and its white space are not.",
           **one("aws_key_pair", {"arn": "arn:k", "fingerprint": "aa:bb", "public_key": "ssh-ed25519 AAAA me@host\n"}, {"fingerprint": "aa:bb"}, {"fingerprint": "cc:dd"}, "fingerprint")),
    Family("access strings", "Access-string equality", "Compared as the text that AWS answered with, which the state holds: no two spellings are taken for one.",
           **one("aws_elasticache_user", {"arn": "arn:u", "user_id": "u", "access_string": "on ~app::* -@all +@read", "engine": "REDIS"}, {"access_string": "on ~app::* -@all +@read", "engine": "redis"},
                 {"access_string": "on ~* +@all", "engine": "redis"}, "access_string")),
    Family("trailing dot", "Trailing dot and case of DNS names", "`types/aws/route53.record_values`, only for types whose values are names.",
           **_records("CNAME", ["Lb.example.com"], ["lb.example.com."], ["lb.example.org."])),
    Family("trailing dot behind a number", "Mail exchangers: a number and a name", "`types/aws/route53.record_values`.", **_records("MX", ["10 mail.example.com"], ["10 mail.example.com."], ["1 mail.example.com."])),
    Family("dots in texts", "A dot at the end of a text is part of it", "TXT values are compared as they are, but for the quotation marks between strings.",
           **_records("TXT", ['v=spf1 -all" "x'], ['"v=spf1 -all"  "x"'], ['"v=spf1 -all" "x."'])),
    Family("quoted quotation marks", "White space between quotation marks that belong to a text", "`types/aws/route53._GAP` leaves escaped ones alone.",
           **_records("TXT", ['say \\" \\"'], ['"say \\" \\""'], ['"say \\"\\""'])),
    Family("escaped names", "Escaped `\\052` in names", "`types/aws/route53.plain_name`; a dot within a label stays escaped.",
           (fold("a wildcard", ("aws_route53_record", {**_RECORD, "fqdn": "*.example.com", "type": "A", "ttl": 60}),
                 read("aws_route53_record", list_hosted_zones={"HostedZones": [{"Id": "/hostedzone/Z1", "Name": "example.com."}]},
                      list_resource_record_sets={"ResourceRecordSets": [{"Name": "\\052.example.com.", "Type": "A", "TTL": 60}]})),),
           (change("a label with a dot", ("aws_route53_record", {**_RECORD, "fqdn": "a.b.example.com", "type": "A", "ttl": 60}),
                   read("aws_route53_record", list_hosted_zones={"HostedZones": [{"Id": "/hostedzone/Z1", "Name": "example.com."}]},
                        list_resource_record_sets={"ResourceRecordSets": [{"Name": "a\\056b.example.com.", "Type": "A", "TTL": 60}]}),
                   ("missing", "aws_route53_record.x", ""), ("unmanaged", "Z1|a\\056b.example.com|A|", "")),)),
    Family("alias targets", "Alias targets: dot, case, escapes and the `dualstack.` prefix", "`types/aws/route53.alias_name`, as the provider does.",
           **one("aws_route53_record", {**_RECORD, "type": "A", "alias": [{"name": "*.Example.com", "zone_id": "Z2", "evaluate_target_health": False}]},
                 {"alias": [{"name": "\\052.example.com.", "zone_id": "Z2", "evaluate_target_health": False}]}, {"alias": [{"name": "www.example.com.", "zone_id": "Z2"}]}, "alias.name")),
    Family("trailing slash", "Trailing slash", "Not needed: no attribute that is compared here may come with and without one; a path of IAM with another end is another path"),
    Family("IPv6", "IPv6 in canonical form", "`domain/shapes.cidr` and `ip_address`.",
           **one("aws_route_table", {"id": "rtb-1", "route": [{"ipv6_cidr_block": "2001:0DB8:0::/48", "egress_only_gateway_id": "eigw-1"}]},
                 {"route": [{"ipv6_cidr_block": "2001:db8::/48", "egress_only_gateway_id": "eigw-1"}]}, {"route": [{"ipv6_cidr_block": "2001:db8::/32", "egress_only_gateway_id": "eigw-1"}]}, "route")),
    Family("IPv6 addresses", "IPv6 addresses in records", "`types/aws/route53.record_values`.", **_records("AAAA", ["2001:DB8:0:0::1"], ["2001:db8::1"], ["2001:db8::2"])),
    Family("everywhere twice", "`0.0.0.0/0` is not `::/0`", "`domain/shapes.cidr` keeps the families apart.",
           **one("aws_vpc_security_group_ingress_rule", {"id": "sgr-1", "ip_protocol": "tcp", "cidr_ipv4": "10.0.0.0/8"}, {"ip_protocol": "6", "cidr_ipv4": "10.0.0.7/8", "cidr_ipv6": None},
                 {"ip_protocol": "tcp", "cidr_ipv4": "0.0.0.0/0"}, "cidr_ipv4")),
    Family("version prefix", "`13` is `13.4` where the engine chooses", "`engine_version_actual` is compared, the version that was asked for is not.",
           **one("aws_db_instance", _DB, {"engine_version_actual": "13.4"}, {"engine_version_actual": "13.9"}, "engine_version_actual")),
    Family("latest", "The `latest` sentinel", "AWS answers with the word that was given; the number behind it is not compared.",
           **one("aws_ecs_service", {"id": "arn:s", "platform_version": "LATEST"}, {"platform_version": "LATEST"}, {"platform_version": "1.3.0"}, "platform_version")),
    Family("rates", "Forms of rate(1 minute)", "`domain/shapes.schedule`.", **one("aws_cloudwatch_event_rule", _RATE, {"schedule_expression": "rate(60 minutes)"}, {"schedule_expression": "rate(1 minute)"}, "schedule_expression")),
    Family("accounts as principals", "An account id is its root ARN", "`domain/shapes._principal_name`, in every partition.",
           **_role(_trust({"AWS": "123456789012"}), _trust({"AWS": ["arn:aws:iam::123456789012:root"]}), _trust({"AWS": "arn:aws:iam::123456789012:user/root"}))),
    Family("accounts in other partitions", "An account id is its root ARN", "`domain/shapes._ROOT`.",
           **_role(_trust({"AWS": "123456789012"}), _trust({"AWS": "arn:aws-us-gov:iam::123456789012:root"}), _trust({"AWS": "*"}))),
    Family("everybody", "Everybody is not every account of AWS", '`domain/shapes._principal` keeps `*` and `{"AWS": "*"}` apart.',
           **_role(_trust({"Service": ["b.amazonaws.com", "a.amazonaws.com"]}), _trust({"Service": ["a.amazonaws.com", "b.amazonaws.com"]}), _trust("*"))),
    Family("condition values", "Condition value sets", "`domain/shapes._condition_keys`.",
           **_role(_conditioned({"Bool": {"aws:MultiFactorAuthPresent": True}, "StringEquals": {"k": ["a", "b"]}}), _conditioned({"StringEquals": {"k": ["b", "a"]}, "Bool": {"aws:multifactorauthpresent": "true"}}),
                   _conditioned({"Bool": {"aws:MultiFactorAuthPresent": True}, "StringEquals": {"k": ["a", "b", "*"]}}))),
    Family("condition operators", "Condition operators say different things", "`domain/shapes._statement`.",
           **_role(_conditioned({"StringEquals": {"k": "a"}}), _conditioned({"StringEquals": {"K": ["a"]}}), _conditioned({"StringEqualsIfExists": {"k": "a"}}))),
    Family("NotAction", "NotAction, NotResource and NotPrincipal are no lists of the others", "`domain/shapes._statement` keeps the members' names.",
           **one("aws_iam_policy", {"id": "p", "policy": '{"Statement": [{"Effect": "Deny", "NotAction": "IAM:*", "Resource": "*"}]}'},
                 {"policy": '{"Statement": {"Effect": "Deny", "NotAction": ["iam:*"], "Resource": ["*"]}}'}, {"policy": '{"Statement": [{"Effect": "Deny", "Action": "iam:*", "Resource": "*"}]}'}, "policy.Statement")),
    Family("language version", "The version of the policy language", "`domain/shapes.policy`: none is 2008-10-17, in which variables are plain text.",
           **one("aws_iam_policy", {"id": "p", "policy": '{"Statement": []}'}, {"policy": '{"Version": "2008-10-17", "Statement": []}'}, {"policy": '{"Version": "2012-10-17", "Statement": []}'}, "policy.Version")),
    Family("a policy that is none", "A text that is no policy does not pass for none", "`domain/shapes.policy`.",
           **one("aws_iam_policy", {"id": "p", "policy": ""}, {"policy": None}, {"policy": '{"Statement": [], "Statement": [1]}'}, "policy")),
    Family("sids", "Sids: empty ones are none; numeric ones made by tools", "AWS keeps the Sid that was written and the state holds it: an empty one is none, any other counts.",
           **_role(_trust("*", Sid=""), _trust("*"), _trust("*", Sid="1"))),
    Family("log delivery", "Log-delivery statements only in the documented safe shape", "`domain/shapes.without_log_delivery`.", *_log_cases()),
    Family("read gaps", "Read gaps are reported, not passed", "`Unread` and `NotChecked`: an attribute that was not read is absent from the live side and never compared.",
           **one("aws_vpc", {"id": "vpc-1", "enable_dns_support": True, "cidr_block": "10.0.0.0/16"}, {"cidr_block": "10.0.0.0/16"}, {"cidr_block": "10.0.0.0/16", "enable_dns_support": None}, "enable_dns_support")),
    Family("members of attachments", "Attachments are compared by member: one that left is drift, one more is undeclared", "`types/aws/iam.expand_group_membership`.",
           (fold("in another order", _GROUP, (_member("b"), _member("a"))),),
           (change("one left", _GROUP, _member("a"), ("missing", "aws_iam_group_membership.x", "")), change("one more", _GROUP, (_member("a"), _member("b"), _member("c")), ("unmanaged", "c|g", "")))),
    Family("children of unmanaged parents", "A parent that nobody declared is one finding", "`comparison._is_covered_by_parent`.",
           (fold("declared inline", ("aws_route_table", {"id": "rtb-1", "route": [{"cidr_block": "10.9.0.0/16", "gateway_id": "igw-1"}]}),
                 (live("aws_route_table", "rtb-1", route=[{"cidr_block": "10.9.0.0/16", "gateway_id": "igw-1"}]), LiveResource("aws_route", "rtb-1|10.9.0.0/16", "us-east-1", {}, "r", parent=Parent("aws_route_table", "rtb-1", "route")))),),
           (change("undeclared, once", (), (live("aws_route_table", "rtb-1", route=[]), LiveResource("aws_route", "rtb-1|10.9.0.0/16", "us-east-1", {}, "r", parent=Parent("aws_route_table", "rtb-1", "route"))),
                   ("unmanaged", "rtb-1", "")),)),
    Family("create-only and cosmetic", "Value-independent rules only for create-only or cosmetic fields", "DriftWise has no value-independent rule: what is in a shape is compared by value, what is in none is named by the type's documentation.",
           **one("aws_ecs_service", {"id": "arn:s", "wait_for_steady_state": True, "desired_count": 2}, {"desired_count": 2}, {"desired_count": 0}, "desired_count")),
)  # fmt: skip
