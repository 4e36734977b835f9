"""Which API calls make and delete which Terraform type. Tables and their reading.

Owns what is known about calls. A call whose name tells the thing that it is about (`DeleteQueue` for `aws_sqs_queue`) needs no
entry. Source: Service Authorization Reference, "Actions defined by" each service, and the services' API references.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

Effect = Literal["create", "delete", "modify"]

GLOBAL_SOURCES = frozenset(
    {"iam", "route53", "cloudfront", "organizations", "globalaccelerator", "waf", "shield", "sts"}
)

_EC2 = (
    "instance", "ebs", "volume", "key_pair", "vpc", "default_vpc", "subnet", "default_subnet", "internet_gateway", "egress_only", "nat_gateway",
    "eip", "route", "default_route", "main_route", "network_acl", "default_network", "network_interface", "security_group", "default_security",
    "launch_template", "vpn", "customer_gateway", "flow_log", "ami", "placement_group", "snapshot", "ec2", "spot", "carrier_gateway",
    "vpc_endpoint", "vpc_peering", "customer_gateway", "dx_gateway",
)  # fmt: skip
# A type's beginning (without `aws_`) and the event source it belongs to, where the type's first word is not that source's name.
_SOURCES: tuple[tuple[str, str], ...] = (
    ("cloudwatch_log", "logs"), ("cloudwatch_event", "events"), ("cloudwatch", "monitoring"), ("db_", "rds"), ("rds", "rds"),
    ("route53", "route53"), ("lb", "elasticloadbalancing"), ("alb", "elasticloadbalancing"), ("elb", "elasticloadbalancing"),
    ("docdb", "rds"), ("neptune", "rds"), ("api_gateway", "apigateway"), ("apigatewayv2", "apigateway"), ("sfn", "states"),
    ("scheduler", "scheduler"), ("efs", "elasticfilesystem"), ("autoscaling", "autoscaling"), ("launch_configuration", "autoscaling"),
    ("appautoscaling", "application-autoscaling"), ("cognito_identity_pool", "cognito-identity"), ("cognito", "cognito-idp"), ("msk", "kafka"),
    ("opensearch", "es"), ("elasticsearch", "es"), ("service_discovery", "servicediscovery"), ("ses", "ses"), ("wafv2", "wafv2"),
    ("codestarconnections", "codestar-connections"), ("acm", "acm"), ("kinesis_firehose", "firehose"), ("mq", "amazonmq"), ("resourcegroups", "resource-groups"),
    *((word, "ec2") for word in _EC2),
)  # fmt: skip

_VERBS: Mapping[str, Effect] = {
    **dict.fromkeys(("Create", "Run", "Allocate", "Register", "Import", "Publish", "Authorize", "Associate", "Attach", "Add", "Subscribe", "Request", "Copy", "Restore", "Put"), "create"),
    **dict.fromkeys(("Delete", "Terminate", "Release", "Deregister", "Revoke", "Disassociate", "Detach", "Remove", "Unsubscribe"), "delete"),
}  # fmt: skip
_LINKING = frozenset({"Attach", "Associate", "Detach", "Disassociate"})
_LINKS = ("attachment", "association", "propagation")  # types that are nothing but a link
_CAMEL = re.compile(r"[A-Z]+(?=[A-Z][a-z]|\d|$|[A-Z]s$)|[A-Z]?[a-z]+|[A-Z]+|\d+")
_VERSION = re.compile(r"(20\d{6}|\d{4}_\d{2}_\d{2})(v\d+)?$")

# Types whose calls do not name them.
_CREATES: Mapping[str, frozenset[str]] = {
    "aws_eip": frozenset({"AllocateAddress"}),
    "aws_eip_association": frozenset({"AssociateAddress"}),
    "aws_sns_topic_subscription": frozenset({"Subscribe"}),
    "aws_sns_topic_policy": frozenset({"SetTopicAttributes"}),
    "aws_sqs_queue_policy": frozenset({"SetQueueAttributes"}),
    "aws_route53_record": frozenset({"ChangeResourceRecordSets"}),
    "aws_route53_zone": frozenset({"CreateHostedZone"}),
    "aws_route53_zone_association": frozenset({"AssociateVPCWithHostedZone"}),
    "aws_network_acl_rule": frozenset({"CreateNetworkAclEntry"}),
    "aws_network_acl_association": frozenset({"ReplaceNetworkAclAssociation"}),
    "aws_security_group_rule": frozenset({"AuthorizeSecurityGroupIngress", "AuthorizeSecurityGroupEgress"}),
    "aws_vpc_ipv4_cidr_block_association": frozenset({"AssociateVpcCidrBlock"}),
    "aws_vpc_ipv6_cidr_block_association": frozenset({"AssociateVpcCidrBlock"}),
    "aws_lambda_function_url": frozenset({"CreateFunctionUrlConfig"}),
    "aws_iam_group_membership": frozenset({"AddUserToGroup"}),
    "aws_iam_user_group_membership": frozenset({"AddUserToGroup"}),
    "aws_secretsmanager_secret_policy": frozenset({"PutResourcePolicy"}),
    "aws_secretsmanager_secret_rotation": frozenset({"RotateSecret"}),
    "aws_ecr_repository_policy": frozenset({"SetRepositoryPolicy"}),
    "aws_s3_bucket_server_side_encryption_configuration": frozenset({"PutBucketEncryption"}),
    "aws_s3_bucket_lifecycle_configuration": frozenset({"PutBucketLifecycle", "PutBucketLifecycleConfiguration"}),
    "aws_cloudwatch_event_target": frozenset({"PutTargets"}),
    "aws_launch_template": frozenset({"CreateLaunchTemplate"}),
    "aws_lambda_permission": frozenset({"AddPermission"}),
    "aws_rds_cluster_instance": frozenset({"CreateDBInstance"}),
    "aws_lb_target_group": frozenset({"CreateTargetGroup"}),
    "aws_route_table": frozenset({"CreateRouteTable"}),
    "aws_vpc_security_group_ingress_rule": frozenset({"AuthorizeSecurityGroupIngress"}),
    "aws_vpc_security_group_egress_rule": frozenset({"AuthorizeSecurityGroupEgress"}),
    "aws_ecs_task_definition": frozenset({"RegisterTaskDefinition"}),
    "aws_cloudwatch_event_rule": frozenset({"PutRule"}),
    "aws_s3_bucket_object_lock_configuration": frozenset({"PutBucketObjectLockConfiguration"}),
    "aws_ami": frozenset({"RegisterImage", "CreateImage", "CopyImage"}),
    "aws_ami_copy": frozenset({"CopyImage"}),
    "aws_ami_from_instance": frozenset({"CreateImage"}),
    "aws_ami_launch_permission": frozenset({"ModifyImageAttribute"}),
    "aws_api_gateway_method_settings": frozenset({"UpdateStage"}),
    "aws_autoscaling_attachment": frozenset(
        {"AttachLoadBalancerTargetGroups", "AttachLoadBalancers", "AttachTrafficSources"}
    ),
    "aws_autoscaling_schedule": frozenset({"PutScheduledUpdateGroupAction", "BatchPutScheduledUpdateGroupAction"}),
    "aws_ecr_registry_scanning_configuration": frozenset({"PutRegistryScanningConfiguration"}),
    "aws_ecr_replication_configuration": frozenset({"PutReplicationConfiguration"}),
    "aws_rds_cluster": frozenset(
        {"CreateDBCluster", "RestoreDBClusterFromSnapshot", "RestoreDBClusterToPointInTime", "RestoreDBClusterFromS3"}
    ),
    "aws_rds_cluster_parameter_group": frozenset({"CreateDBClusterParameterGroup", "CopyDBClusterParameterGroup"}),
    "aws_redshift_parameter_group": frozenset({"CreateClusterParameterGroup"}),
    "aws_redshift_subnet_group": frozenset({"CreateClusterSubnetGroup"}),
    "aws_ses_domain_identity": frozenset({"VerifyDomainIdentity", "VerifyDomainDkim", "CreateEmailIdentity"}),
    "aws_ses_email_identity": frozenset({"VerifyEmailIdentity", "VerifyEmailAddress", "CreateEmailIdentity"}),
}
_DELETES: Mapping[str, frozenset[str]] = {
    "aws_eip": frozenset({"ReleaseAddress"}),
    "aws_eip_association": frozenset({"DisassociateAddress", "ReleaseAddress"}),
    "aws_kms_key": frozenset({"ScheduleKeyDeletion"}),
    "aws_kms_replica_key": frozenset({"ScheduleKeyDeletion"}),
    "aws_kms_external_key": frozenset({"ScheduleKeyDeletion"}),
    "aws_sns_topic_subscription": frozenset({"Unsubscribe", "DeleteTopic"}),
    "aws_sns_topic_policy": frozenset({"SetTopicAttributes", "DeleteTopic"}),
    "aws_sqs_queue_policy": frozenset({"SetQueueAttributes", "DeleteQueue"}),
    "aws_route53_record": frozenset({"ChangeResourceRecordSets", "DeleteHostedZone"}),
    "aws_route53_zone": frozenset({"DeleteHostedZone"}),
    "aws_route53_zone_association": frozenset({"DisassociateVPCFromHostedZone"}),
    "aws_network_acl_rule": frozenset({"DeleteNetworkAclEntry", "DeleteNetworkAcl"}),
    "aws_network_acl_association": frozenset({"ReplaceNetworkAclAssociation"}),
    "aws_security_group_rule": frozenset(
        {"RevokeSecurityGroupIngress", "RevokeSecurityGroupEgress", "DeleteSecurityGroup"}
    ),
    "aws_vpc_ipv4_cidr_block_association": frozenset({"DisassociateVpcCidrBlock"}),
    "aws_vpc_ipv6_cidr_block_association": frozenset({"DisassociateVpcCidrBlock"}),
    "aws_lambda_function_url": frozenset({"DeleteFunctionUrlConfig", "DeleteFunction"}),
    "aws_lambda_permission": frozenset({"RemovePermission", "DeleteFunction"}),
    "aws_iam_group_membership": frozenset({"RemoveUserFromGroup"}),
    "aws_iam_user_group_membership": frozenset({"RemoveUserFromGroup"}),
    "aws_secretsmanager_secret_policy": frozenset({"DeleteResourcePolicy", "DeleteSecret"}),
    "aws_secretsmanager_secret_rotation": frozenset({"CancelRotateSecret", "DeleteSecret"}),
    "aws_s3_bucket_server_side_encryption_configuration": frozenset({"DeleteBucketEncryption", "DeleteBucket"}),
    "aws_s3_bucket_lifecycle_configuration": frozenset({"DeleteBucketLifecycle", "DeleteBucket"}),
    "aws_cloudwatch_event_target": frozenset({"RemoveTargets"}),
    "aws_launch_template": frozenset({"DeleteLaunchTemplate"}),
    "aws_rds_cluster_instance": frozenset({"DeleteDBInstance"}),
    "aws_lb_target_group": frozenset({"DeleteTargetGroup"}),
    "aws_route_table": frozenset({"DeleteRouteTable"}),
    "aws_vpc_security_group_ingress_rule": frozenset({"RevokeSecurityGroupIngress", "DeleteSecurityGroup"}),
    "aws_vpc_security_group_egress_rule": frozenset({"RevokeSecurityGroupEgress", "DeleteSecurityGroup"}),
    "aws_ecs_task_definition": frozenset({"DeregisterTaskDefinition", "DeleteTaskDefinitions"}),
    "aws_cloudwatch_event_rule": frozenset({"DeleteRule"}),
    "aws_s3_bucket_object_lock_configuration": frozenset({"DeleteBucket"}),
    "aws_ami": frozenset({"DeregisterImage"}),
    "aws_ami_copy": frozenset({"DeregisterImage"}),
    "aws_ami_from_instance": frozenset({"DeregisterImage"}),
    "aws_ami_launch_permission": frozenset(
        {"ModifyImageAttribute", "ResetImageAttribute", "CancelImageLaunchPermission", "DeregisterImage"}
    ),
    "aws_api_gateway_method_settings": frozenset({"UpdateStage", "DeleteStage", "DeleteMethod"}),
    "aws_autoscaling_attachment": frozenset(
        {"DetachLoadBalancerTargetGroups", "DetachLoadBalancers", "DetachTrafficSources", "DeleteAutoScalingGroup"}
    ),
    "aws_autoscaling_schedule": frozenset(
        {"DeleteScheduledAction", "BatchDeleteScheduledAction", "DeleteAutoScalingGroup"}
    ),
    "aws_ecr_registry_scanning_configuration": frozenset({"PutRegistryScanningConfiguration"}),
    "aws_ecr_replication_configuration": frozenset({"PutReplicationConfiguration"}),
    "aws_rds_cluster": frozenset({"DeleteDBCluster"}),
    "aws_rds_cluster_parameter_group": frozenset({"DeleteDBClusterParameterGroup"}),
    "aws_redshift_parameter_group": frozenset({"DeleteClusterParameterGroup"}),
    "aws_redshift_subnet_group": frozenset({"DeleteClusterSubnetGroup"}),
    "aws_ses_domain_identity": frozenset({"DeleteIdentity", "DeleteEmailIdentity"}),
    "aws_ses_email_identity": frozenset({"DeleteIdentity", "DeleteEmailIdentity", "DeleteVerifiedEmailAddress"}),
}


def base_name(call: str) -> str:
    """Return a call's name without the version of its API, e.g. `CreateFunction` for `CreateFunction20150331`."""
    return _VERSION.sub("", call)


def source_of(type_name: str) -> str:
    """Return the event source that records the calls on a type, e.g. `ec2.amazonaws.com`."""
    rest = type_name.removeprefix("aws_")
    known = (source for beginning, source in _SOURCES if rest.startswith(beginning))
    return f"{next(known, rest.split('_', 1)[0])}.amazonaws.com"


def is_global(type_name: str) -> bool:
    """Say whether a type's calls are recorded in the partition's home region, whichever region the caller is in.

    Source: AWS CloudTrail User Guide, "Global service events".
    """
    return source_of(type_name).split(".", 1)[0] in GLOBAL_SOURCES


def effect_on(type_name: str, call: str) -> Effect:
    """Return what a call does to things of a type: it makes one, deletes one, or changes something about one."""
    name = base_name(call)
    if name in _CREATES.get(type_name, ()) and name in _DELETES.get(type_name, ()):
        return "modify"
    if type_name in _CREATES or type_name in _DELETES:
        for table, effect in ((_CREATES, "create"), (_DELETES, "delete")):
            if name in table.get(type_name, ()):
                return "create" if effect == "create" else "delete"
    words = _CAMEL.findall(name)
    effect_word = _VERBS.get(words[0]) if words else None
    if effect_word is None or type_name in (_CREATES if effect_word == "create" else _DELETES):
        return "modify"
    if words[0] in _LINKING and not any(link in type_name for link in _LINKS):
        return "modify"
    nouns = [_singular(word) for word in words[1:]]
    joined = type_name.replace("_", "").replace("alb", "lb").replace("lb", "loadbalancer")
    return effect_word if nouns and all(noun in joined for noun in nouns) else "modify"


def is_call_for(type_name: str, kind: str, call: str) -> bool:
    """Say whether a call explains a drift of a whole resource: a delete for `missing`, a create for `unmanaged`."""
    name = base_name(call)
    table, effect = (_DELETES, "delete") if kind == "missing" else (_CREATES, "create")
    return name in table.get(type_name, ()) or effect_on(type_name, call) == effect


def calls_for(type_name: str, kind: str) -> tuple[str, ...]:
    """Return the names of calls to search for when a type's events name no resource; only where the table knows them."""
    table = {"missing": _DELETES, "unmanaged": _CREATES}.get(kind, {})
    return tuple(sorted(table.get(type_name, ())))


def _singular(word: str) -> str:
    lower = word.lower()
    return lower[:-1] if lower.endswith("s") and not lower.endswith(("ss", "dns", "access")) else lower
