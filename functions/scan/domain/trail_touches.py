"""Which attributes an API call touches. A table and its reading.

Owns what is known about calls that change one side of a resource. Source: the services' API references.
"""

from __future__ import annotations

from collections.abc import Mapping

from .trail_calls import base_name

_TAGGING = frozenset({
    "CreateTags", "DeleteTags", "TagResource", "UntagResource", "TagRole", "UntagRole", "TagUser", "UntagUser", "TagPolicy", "UntagPolicy", "TagQueue",
    "UntagQueue", "AddTags", "RemoveTags", "AddTagsToResource", "RemoveTagsFromResource", "PutBucketTagging", "DeleteBucketTagging", "TagLogGroup",
    "UntagLogGroup", "ChangeTagsForResource", "TagInstanceProfile", "UntagInstanceProfile", "AddTagsToStream", "TagResources", "UntagResources",
})  # fmt: skip
# What a call touches, by the attributes' first names; a call that is named here touches nothing else.
_TOUCHES: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(("AuthorizeSecurityGroupIngress", "RevokeSecurityGroupIngress", "UpdateSecurityGroupRuleDescriptionsIngress"), frozenset({"ingress"})),
    **dict.fromkeys(("AuthorizeSecurityGroupEgress", "RevokeSecurityGroupEgress", "UpdateSecurityGroupRuleDescriptionsEgress"), frozenset({"egress"})),
    "ModifySecurityGroupRules": frozenset({"ingress", "egress", "ip_protocol", "from_port", "to_port", "cidr_ipv4", "cidr_ipv6", "prefix_list_id", "referenced_security_group_id", "description"}),
    **dict.fromkeys(("CreateNetworkAclEntry", "DeleteNetworkAclEntry", "ReplaceNetworkAclEntry"), frozenset({"ingress", "egress", "rule_action", "protocol", "cidr_block", "ipv6_cidr_block", "from_port", "to_port", "icmp_type", "icmp_code"})),
    "ReplaceNetworkAclAssociation": frozenset({"subnet_ids", "network_acl_id"}),
    **dict.fromkeys(("CreateRoute", "DeleteRoute", "ReplaceRoute"), frozenset({"route", "gateway_id", "nat_gateway_id", "vpc_peering_connection_id", "transit_gateway_id", "network_interface_id", "vpc_endpoint_id", "egress_only_gateway_id", "carrier_gateway_id", "core_network_arn", "local_gateway_id"})),
    **dict.fromkeys(("EnableVgwRoutePropagation", "DisableVgwRoutePropagation"), frozenset({"propagating_vgws"})),
    **dict.fromkeys(("ReplaceRouteTableAssociation", "AssociateRouteTable", "DisassociateRouteTable"), frozenset({"route_table_id", "main_route_table_id"})),
    "ModifyVpcAttribute": frozenset({"enable_dns_support", "enable_dns_hostnames", "enable_network_address_usage_metrics"}),
    "ModifyVpcTenancy": frozenset({"instance_tenancy"}),
    **dict.fromkeys(("AttachInternetGateway", "DetachInternetGateway"), frozenset({"vpc_id"})),
    **dict.fromkeys(("AssociateAddress", "DisassociateAddress"), frozenset({"instance", "instance_id", "network_interface_id", "private_ip_address", "public_ip"})),
    "ModifyInstanceMetadataOptions": frozenset({"metadata_options"}),
    **dict.fromkeys(("MonitorInstances", "UnmonitorInstances"), frozenset({"monitoring"})),
    **dict.fromkeys(("AssociateIamInstanceProfile", "DisassociateIamInstanceProfile", "ReplaceIamInstanceProfileAssociation"), frozenset({"iam_instance_profile"})),
    **dict.fromkeys(("AttachVolume", "DetachVolume"), frozenset({"ebs_block_device", "root_block_device", "device_name"})),
    "ModifyNetworkInterfaceAttribute": frozenset({"vpc_security_group_ids", "source_dest_check"}),
    "UpdateAssumeRolePolicy": frozenset({"assume_role_policy"}),
    **dict.fromkeys(("AttachRolePolicy", "DetachRolePolicy"), frozenset({"managed_policy_arns"})),
    **dict.fromkeys(("PutRolePolicy", "DeleteRolePolicy"), frozenset({"inline_policy", "policy"})),
    **dict.fromkeys(("PutUserPolicy", "DeleteUserPolicy", "PutGroupPolicy", "DeleteGroupPolicy"), frozenset({"policy"})),
    **dict.fromkeys(("CreatePolicyVersion", "SetDefaultPolicyVersion", "DeletePolicyVersion"), frozenset({"policy"})),
    **dict.fromkeys(("PutRolePermissionsBoundary", "DeleteRolePermissionsBoundary", "PutUserPermissionsBoundary", "DeleteUserPermissionsBoundary"), frozenset({"permissions_boundary"})),
    "UpdateRoleDescription": frozenset({"description"}),
    **dict.fromkeys(("AddRoleToInstanceProfile", "RemoveRoleFromInstanceProfile"), frozenset({"role"})),
    "PutBucketVersioning": frozenset({"versioning", "versioning_configuration"}),
    **dict.fromkeys(("PutBucketEncryption", "DeleteBucketEncryption"), frozenset({"server_side_encryption_configuration", "rule"})),
    **dict.fromkeys(("PutBucketPolicy", "DeleteBucketPolicy"), frozenset({"policy"})),
    "PutBucketAcl": frozenset({"acl", "grant", "access_control_policy"}),
    **dict.fromkeys(("PutBucketLifecycle", "PutBucketLifecycleConfiguration", "DeleteBucketLifecycle"), frozenset({"lifecycle_rule", "rule", "transition_default_minimum_object_size"})),
    "PutBucketLogging": frozenset({"logging", "target_bucket", "target_prefix", "target_grant", "target_object_key_format"}),
    **dict.fromkeys(("PutBucketCors", "DeleteBucketCors"), frozenset({"cors_rule"})),
    **dict.fromkeys(("PutBucketWebsite", "DeleteBucketWebsite"), frozenset({"website", "index_document", "error_document", "redirect_all_requests_to", "routing_rule"})),
    "PutBucketObjectLockConfiguration": frozenset({"object_lock_configuration", "rule"}),
    "PutBucketAccelerateConfiguration": frozenset({"acceleration_status", "status"}),
    "PutBucketRequestPayment": frozenset({"request_payer", "payer"}),
    **dict.fromkeys(("PutBucketPublicAccessBlock", "DeleteBucketPublicAccessBlock"), frozenset({"block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets"})),
    **dict.fromkeys(("PutBucketOwnershipControls", "DeleteBucketOwnershipControls"), frozenset({"rule"})),
    "PutBucketNotification": frozenset({"eventbridge", "lambda_function", "queue", "topic"}),
    **dict.fromkeys(("EnableKeyRotation", "DisableKeyRotation"), frozenset({"enable_key_rotation", "rotation_period_in_days"})),
    **dict.fromkeys(("EnableKey", "DisableKey"), frozenset({"is_enabled", "enabled"})),
    "PutKeyPolicy": frozenset({"policy"}),
    "UpdateKeyDescription": frozenset({"description"}),
    "UpdateAlias": frozenset({"target_key_id", "description", "function_version", "routing_config"}),
    "UpdateFunctionCode": frozenset({"code_sha256", "architectures", "image_uri", "package_type"}),
    **dict.fromkeys(("PutFunctionConcurrency", "DeleteFunctionConcurrency"), frozenset({"reserved_concurrent_executions"})),
    **dict.fromkeys(("PutRetentionPolicy", "DeleteRetentionPolicy"), frozenset({"retention_in_days"})),
    **dict.fromkeys(("AssociateKmsKey", "DisassociateKmsKey"), frozenset({"kms_key_id"})),
    "UpdateTimeToLive": frozenset({"ttl"}),
    "UpdateContinuousBackups": frozenset({"point_in_time_recovery"}),
    **dict.fromkeys(("PutResourcePolicy", "DeleteResourcePolicy"), frozenset({"policy"})),
    "RotateSecret": frozenset({"rotation_lambda_arn", "rotation_rules"}),
    "SetRepositoryPolicy": frozenset({"policy"}),
    "PutImageTagMutability": frozenset({"image_tag_mutability"}),
    "PutImageScanningConfiguration": frozenset({"image_scanning_configuration"}),
    "SetSecurityGroups": frozenset({"security_groups"}),
    "SetSubnets": frozenset({"subnets", "subnet_mapping"}),
    "SetIpAddressType": frozenset({"ip_address_type"}),
    **dict.fromkeys(("RegisterTargets", "DeregisterTargets"), frozenset({"targets"})),
    **dict.fromkeys(("EnableAlarmActions", "DisableAlarmActions"), frozenset({"actions_enabled"})),
    **dict.fromkeys(("EnableRule", "DisableRule"), frozenset({"state", "is_enabled"})),
    **dict.fromkeys(_TAGGING, frozenset({"tags"})),
}  # fmt: skip


def touches(call: str, attribute: str, request: Mapping[str, object]) -> bool | None:
    """Say whether a call touches an attribute: by the table, else by what its parameters name; None when that is open."""
    name = base_name(call)
    if name in _TOUCHES:
        return attribute in _TOUCHES[name]
    named = {_plain(key) for key in request}
    return True if _plain(attribute) in named else None


def _plain(name: str) -> str:
    return name.replace("_", "").lower()
