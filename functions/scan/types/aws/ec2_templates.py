"""Launch templates, compared by the data of their latest version, as the provider reads them.

Source: Terraform AWS provider 5.100, `aws_launch_template`; EC2 API, ResponseLaunchTemplateData.
"""

from __future__ import annotations

from collections.abc import Mapping

from ...domain.shapes import (
    Canonical,
    Shape,
    block,
    boolean,
    list_of,
    members,
    number,
    number_or_zero,
    set_of,
    tags,
    text,
)
from ...domain.specs import TypeSpec
from .ec2_compute import user_data


def optional_boolean(value: object) -> Canonical:
    """A flag that may be left to AWS: unset stays apart from false. States spell it as text."""
    return None if value is None or value == "" else boolean(value)


def by_resource_type(value: object) -> Canonical:
    """Tag specifications; one per resource type, in no order."""
    return set_of(members({"resource_type": text, "tags": tags}))(value)


_EBS: Mapping[str, Shape] = {
    "delete_on_termination": optional_boolean,
    "encrypted": optional_boolean,
    "iops": number_or_zero,
    "kms_key_id": text,
    "snapshot_id": text,
    "throughput": number_or_zero,
    "volume_initialization_rate": number_or_zero,
    "volume_size": number_or_zero,
    "volume_type": text,
}
_INTERFACE: Mapping[str, Shape] = {
    "associate_carrier_ip_address": optional_boolean,
    "associate_public_ip_address": optional_boolean,
    "delete_on_termination": optional_boolean,
    "description": text,
    "device_index": number_or_zero,
    "interface_type": text,
    "network_card_index": number_or_zero,
    "network_interface_id": text,
    "primary_ipv6": optional_boolean,
    "private_ip_address": text,
    "security_groups": set_of(text),
    "subnet_id": text,
}

SPECS = (
    TypeSpec(
        "aws_launch_template",
        {
            "name": text,
            "description": text,
            "default_version": number,
            "latest_version": number,
            "image_id": text,
            "instance_type": text,
            "key_name": text,
            "kernel_id": text,
            "ram_disk_id": text,
            "user_data": user_data,
            "ebs_optimized": optional_boolean,
            "disable_api_stop": boolean,
            "disable_api_termination": boolean,
            "instance_initiated_shutdown_behavior": text,
            "vpc_security_group_ids": set_of(text),
            "security_group_names": set_of(text),
            "block_device_mappings": list_of(
                members({"device_name": text, "no_device": text, "virtual_name": text, "ebs": block(_EBS)})
            ),
            "network_interfaces": list_of(members(_INTERFACE)),
            "iam_instance_profile": block({"arn": text, "name": text}),
            "metadata_options": block(
                {
                    "http_endpoint": text,
                    "http_protocol_ipv6": text,
                    "http_put_response_hop_limit": number_or_zero,
                    "http_tokens": text,
                    "instance_metadata_tags": text,
                }
            ),
            "monitoring": block({"enabled": boolean}),
            "placement": block(
                {
                    "affinity": text,
                    "availability_zone": text,
                    "group_name": text,
                    "host_id": text,
                    "host_resource_group_arn": text,
                    "partition_number": number_or_zero,
                    "spread_domain": text,
                    "tenancy": text,
                }
            ),
            "cpu_options": block(
                {"amd_sev_snp": text, "core_count": number_or_zero, "threads_per_core": number_or_zero}
            ),
            "credit_specification": block({"cpu_credits": text}),
            "enclave_options": block({"enabled": boolean}),
            "hibernation_options": block({"configured": boolean}),
            "maintenance_options": block({"auto_recovery": text}),
            "instance_market_options": block(
                {
                    "market_type": text,
                    "spot_options": block(
                        {
                            "block_duration_minutes": number_or_zero,
                            "instance_interruption_behavior": text,
                            "max_price": text,
                            "spot_instance_type": text,
                        }
                    ),
                }
            ),
            "license_specification": set_of(members({"license_configuration_arn": text})),
            "private_dns_name_options": block(
                {
                    "enable_resource_name_dns_a_record": boolean,
                    "enable_resource_name_dns_aaaa_record": boolean,
                    "hostname_type": text,
                }
            ),
            "tag_specifications": by_resource_type,
            "tags": tags,
        },
        sensitive=frozenset({"user_data"}),
    ),
)
