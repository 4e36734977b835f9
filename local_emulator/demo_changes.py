"""Things that happen to the demo account behind Terraform's back, each with the finding that a scan must make of it.

Owns the stories: what somebody did in the console or on the command line, and why. Works through the AWS API only, by
the names in `tests/fixtures/aws/demo/main.tf`; must not know the engine.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

Clients: TypeAlias = Callable[[str], Any]  # service name -> boto3 client

CREATED = "<created>"  # in `Finding.name`: the cloud id that `apply` returned


@dataclass(frozen=True, slots=True)
class Finding:
    """One expected finding.

    Attributes:
        kind: `missing`, `unmanaged` or `changed`.
        name: Terraform address; for `unmanaged` the match key, or `CREATED`.
        path: attribute path, only for `changed`.
    """

    kind: str
    name: str
    path: str = ""


@dataclass(frozen=True, slots=True)
class DemoChange:
    """One thing that somebody did.

    Attributes:
        slug: short name, unique.
        story: who did what, and why it seemed a good idea.
        findings: exactly what a scan must report for it.
        apply: does it; returns the cloud id of what it made, if it made something without a name of its own.
    """

    slug: str
    story: str
    findings: tuple[Finding, ...]
    apply: Callable[[Clients], str | None]

    def expected(self, created: str | None) -> Iterator[tuple[str, str, str]]:
        """Yield the findings as (kind, address or key, path)."""
        for finding in self.findings:
            yield finding.kind, created or "" if finding.name == CREATED else finding.name, finding.path


def _changed(address: str, *paths: str) -> tuple[Finding, ...]:
    return tuple(Finding("changed", address, path) for path in paths)


_ADMIN = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
_BREAK_GLASS = "arn:aws:iam::123456789012:policy/break-glass"


# --- Looking things up by their names ---------------------------------------------------------------------------------


def _group_id(call: Clients, name: str) -> str:
    found = call("ec2").describe_security_groups(Filters=[{"Name": "group-name", "Values": [name]}])
    return str(found["SecurityGroups"][0]["GroupId"])


def _tagged(name: str) -> list[dict[str, object]]:
    return [{"Name": "tag:Name", "Values": [name]}]


def _instance_id(call: Clients, name: str) -> str:
    found = call("ec2").describe_instances(Filters=_tagged(name))
    return str(found["Reservations"][0]["Instances"][0]["InstanceId"])


def _queue_url(call: Clients, name: str) -> str:
    return str(call("sqs").get_queue_url(QueueName=name)["QueueUrl"])


# --- What people did --------------------------------------------------------------------------------------------------


def open_ssh(call: Clients) -> None:
    world = [{"CidrIp": "0.0.0.0/0", "Description": "temp, remove on monday"}]
    rule = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": world}
    call("ec2").authorize_security_group_ingress(GroupId=_group_id(call, "bastion"), IpPermissions=[rule])


def unblock_public_access(call: Clients) -> None:
    call("s3").put_public_access_block(
        Bucket="lanternhall-tickets",
        PublicAccessBlockConfiguration={
            "BlockPublicAcls": True,
            "IgnorePublicAcls": True,
            "BlockPublicPolicy": False,
            "RestrictPublicBuckets": False,
        },
    )


def attach_admin_policy(call: Clients) -> None:
    call("iam").create_policy(PolicyName="break-glass", PolicyDocument=json.dumps(_ADMIN))
    call("iam").attach_role_policy(RoleName="app", PolicyArn=_BREAK_GLASS)


def resize_bastion(call: Clients) -> None:
    machine = _instance_id(call, "bastion")
    call("ec2").stop_instances(InstanceIds=[machine])
    call("ec2").modify_instance_attribute(InstanceId=machine, InstanceType={"Value": "m5.2xlarge"})
    call("ec2").start_instances(InstanceIds=[machine])


def unprotect_database(call: Clients) -> None:
    call("rds").modify_db_instance(
        DBInstanceIdentifier="orders", DeletionProtection=False, BackupRetentionPeriod=1, ApplyImmediately=True
    )


def shorten_retention(call: Clients) -> None:
    call("logs").put_retention_policy(logGroupName="/shop/app", retentionInDays=7)


def delete_queue(call: Clients) -> None:
    call("sqs").delete_queue(QueueUrl=_queue_url(call, "receipts"))


def add_user(call: Clients) -> str:
    call("iam").create_user(UserName="contractor-jan")
    call("iam").put_user_policy(UserName="contractor-jan", PolicyName="all", PolicyDocument=json.dumps(_ADMIN))
    call("iam").create_access_key(UserName="contractor-jan")
    return "contractor-jan"


def add_security_group(call: Clients) -> str:
    network = call("ec2").describe_vpcs(Filters=_tagged("production"))["Vpcs"][0]["VpcId"]
    reply = call("ec2").create_security_group(GroupName="launch-wizard-1", Description="launch-wizard-1", VpcId=network)
    rule = {"IpProtocol": "tcp", "FromPort": 3389, "ToPort": 3389, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    call("ec2").authorize_security_group_ingress(GroupId=reply["GroupId"], IpPermissions=[rule])
    return str(reply["GroupId"])


def debug_mailer(call: Clients) -> None:
    variables = {"SENDER": "tickets@lanternhall.example", "STAGE": "production", "DEBUG_SMTP_PASSWORD": "hunter2"}
    call("lambda").update_function_configuration(
        FunctionName="mailer", Timeout=300, Environment={"Variables": variables}
    )


def repoint_shop(call: Clients) -> None:
    zones = call("route53").list_hosted_zones_by_name(DNSName="lanternhall.example")["HostedZones"]
    record = {
        "Name": "shop.lanternhall.example",
        "Type": "CNAME",
        "TTL": 300,
        "ResourceRecords": [{"Value": "maintenance.status-pages.example"}],
    }
    call("route53").change_resource_record_sets(
        HostedZoneId=zones[0]["Id"], ChangeBatch={"Changes": [{"Action": "UPSERT", "ResourceRecordSet": record}]}
    )


def retag_bastion(call: Clients) -> None:
    call("ec2").create_tags(Resources=[_instance_id(call, "bastion")], Tags=[{"Key": "Owner", "Value": "jan"}])


def stop_key_rotation(call: Clients) -> None:
    aliases = call("kms").list_aliases()["Aliases"]
    key = next(item["TargetKeyId"] for item in aliases if item["AliasName"] == "alias/data")
    call("kms").disable_key_rotation(KeyId=key)


def scale_shop_down(call: Clients) -> None:
    call("ecs").update_service(cluster="production", service="shop", desiredCount=1)


def unsubscribe_alarms(call: Clients) -> None:
    found = call("sns").list_subscriptions()["Subscriptions"]
    arn = next(item["SubscriptionArn"] for item in found if item["TopicArn"].endswith(":alarms"))
    call("sns").unsubscribe(SubscriptionArn=arn)


def mute_alarm(call: Clients) -> None:
    call("cloudwatch").disable_alarm_actions(AlarmNames=["dead-orders"])


def allow_tag_overwrites(call: Clients) -> None:
    call("ecr").put_image_tag_mutability(repositoryName="shop", imageTagMutability="MUTABLE")


def stop_table_backups(call: Clients) -> None:
    call("dynamodb").update_continuous_backups(
        TableName="carts", PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": False}
    )


def suspend_versioning(call: Clients) -> None:
    call("s3").put_bucket_versioning(Bucket="lanternhall-tickets", VersioningConfiguration={"Status": "Suspended"})


def toggle_feature(call: Clients) -> None:
    value = json.dumps({"refunds": False, "seatmaps": False})
    call("ssm").put_parameter(Name="/shop/features", Value=value, Type="String", Overwrite=True)


def pause_settlement(call: Clients) -> None:
    call("events").disable_rule(Name="settlement")


def delete_mail_record(call: Clients) -> None:
    zones = call("route53").list_hosted_zones_by_name(DNSName="lanternhall.example")["HostedZones"]
    record = {
        "Name": "lanternhall.example",
        "Type": "MX",
        "TTL": 3600,
        "ResourceRecords": [{"Value": "10 mail.lanternhall.example"}],
    }
    call("route53").change_resource_record_sets(
        HostedZoneId=zones[0]["Id"], ChangeBatch={"Changes": [{"Action": "DELETE", "ResourceRecordSet": record}]}
    )


CHANGES: tuple[DemoChange, ...] = (
    DemoChange(
        "ssh-open",
        "Friday evening, an operator away from the office opens SSH to the whole internet, to be closed on Monday.",
        _changed("aws_security_group.bastion", "ingress"),
        open_ssh,
    ),
    DemoChange(
        "public-access-block-off",
        "A developer wants to share one seat map by a public link and unticks two boxes of the bucket's block.",
        _changed("aws_s3_bucket_public_access_block.tickets", "block_public_policy", "restrict_public_buckets"),
        unblock_public_access,
    ),
    DemoChange(
        "admin-policy",
        "During an outage the shop's role is given everything, because nobody could find the missing permission.",
        (
            Finding("unmanaged", _BREAK_GLASS),
            Finding("unmanaged", f"app|{_BREAK_GLASS}"),
        ),
        attach_admin_policy,
    ),
    DemoChange(
        "bastion-resized",
        "Someone needs more memory for an export and resizes the bastion; it is still that large.",
        _changed("aws_instance.bastion", "instance_type"),
        resize_bastion,
    ),
    DemoChange(
        "database-unprotected",
        "For a test restore, deletion protection goes off and backups are cut to one day to save money.",
        _changed("aws_db_instance.orders", "backup_retention_period", "deletion_protection"),
        unprotect_database,
    ),
    DemoChange(
        "logs-shortened",
        "The log bill looks high, so the shop's logs are kept for a week instead of the year the auditors ask for.",
        _changed("aws_cloudwatch_log_group.shop", "retention_in_days"),
        shorten_retention,
    ),
    DemoChange(
        "queue-deleted",
        "A queue that seems empty is cleaned up; the receipts were to go there from next month.",
        (Finding("missing", "aws_sqs_queue.receipts"),),
        delete_queue,
    ),
    DemoChange(
        "contractor-user",
        "A contractor gets a user of his own with a long-lived key and full access, by hand.",
        (Finding("unmanaged", CREATED),),
        add_user,
    ),
    DemoChange(
        "launch-wizard",
        "The console's launch wizard leaves a security group behind that lets remote desktop in from everywhere.",
        (Finding("unmanaged", CREATED),),
        add_security_group,
    ),
    DemoChange(
        "mailer-debugged",
        "To find lost mails, the function gets a longer timeout and a password in an environment variable.",
        _changed("aws_lambda_function.mailer", "environment", "timeout"),
        debug_mailer,
    ),
    DemoChange(
        "shop-repointed",
        "During maintenance the shop's name is pointed at a status page and never back.",
        _changed("aws_route53_record.shop", "records"),
        repoint_shop,
    ),
    DemoChange(
        "mail-record-deleted",
        "While the shop's name is edited, the mail record of the domain is deleted by a slip.",
        (Finding("missing", "aws_route53_record.mail"),),
        delete_mail_record,
    ),
    DemoChange(
        "bastion-retagged",
        "The contractor marks the bastion as his.",
        _changed("aws_instance.bastion", "tags.Owner"),
        retag_bastion,
    ),
    DemoChange(
        "key-rotation-off",
        "A compliance checklist is answered in a hurry: rotation of the data key is switched off.",
        _changed("aws_kms_key.data", "enable_key_rotation"),
        stop_key_rotation,
    ),
    DemoChange(
        "shop-scaled-down",
        "After a quiet week the shop runs on one container instead of three.",
        _changed("aws_ecs_service.shop", "desired_count"),
        scale_shop_down,
    ),
    DemoChange(
        "alarms-unsubscribed",
        "The alarms are too loud at night; the subscription goes.",
        (Finding("missing", "aws_sns_topic_subscription.alarms"),),
        unsubscribe_alarms,
    ),
    DemoChange(
        "alarm-muted",
        "The one alarm for lost orders is muted during a deployment.",
        _changed("aws_cloudwatch_metric_alarm.dead_orders", "actions_enabled"),
        mute_alarm,
    ),
    DemoChange(
        "tags-mutable",
        "A release fails because its image tag exists; the repository lets tags be overwritten since.",
        _changed("aws_ecr_repository.shop", "image_tag_mutability"),
        allow_tag_overwrites,
    ),
    DemoChange(
        "cart-backups-off",
        "Carts are thought to be worthless, and their point-in-time recovery is switched off.",
        _changed("aws_dynamodb_table.carts", "point_in_time_recovery"),
        stop_table_backups,
    ),
    DemoChange(
        "versioning-suspended",
        "To save storage, versioning of the ticket bucket is suspended.",
        _changed("aws_s3_bucket_versioning.tickets", "versioning_configuration.status"),
        suspend_versioning,
    ),
    DemoChange(
        "refunds-off",
        "Support switches refunds off by hand in the parameter that the shop reads.",
        _changed("aws_ssm_parameter.features", "value"),
        toggle_feature,
    ),
    DemoChange(
        "settlement-paused",
        "The nightly payout is paused for a bank holiday and not resumed.",
        _changed("aws_cloudwatch_event_rule.settlement", "state"),
        pause_settlement,
    ),
)
