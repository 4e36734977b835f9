"""Instances, volumes and key pairs; launch templates stand in `ec2_templates`.

Source: Terraform AWS provider 5.100, resource documentation of each type.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable
from dataclasses import replace

from ...domain.resources import Attributes, Declared, Parent
from ...domain.shapes import Canonical, block, boolean, members, number, number_or_zero, set_of, tags, text
from ...domain.specs import TypeSpec, by

_SHA1 = re.compile(r"[0-9a-f]{40}")
_METADATA = block(
    {
        "http_endpoint": text,
        "http_protocol_ipv6": text,
        "http_put_response_hop_limit": number,
        "http_tokens": text,
        "instance_metadata_tags": text,
    }
)
_DEVICE = {
    "device_name": text,
    "delete_on_termination": boolean,
    "encrypted": boolean,
    "iops": number_or_zero,
    "kms_key_id": text,
    "throughput": number_or_zero,
    "volume_size": number,
    "volume_type": text,
}


def user_data_hash(encoded: str) -> str:
    """Hash user data the way the provider does: SHA-1 of the decoded text, or of the text when it is not Base64."""
    try:
        content = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        content = encoded.encode()
    return hashlib.sha1(content, usedforsecurity=False).hexdigest()


def user_data(value: object) -> Canonical:
    """User data as its hash: a state keeps the hash or, since provider 6 and in launch templates, the text itself."""
    found = text(value)
    if not isinstance(found, str):
        return None
    return found if _SHA1.fullmatch(found) else user_data_hash(found)


def _attached_to(attributes: Attributes) -> Parent | None:
    return Parent("aws_instance", str(attributes.get("instance_id")), "ebs_block_device")


def _with_one_user_data(entry: Declared) -> Iterable[Declared]:
    """Bring `user_data_base64`, which a state keeps in full, into the form of `user_data`, which it keeps as a hash."""
    encoded = entry.attributes.get("user_data_base64")
    if not encoded:
        return (entry,)
    return (replace(entry, attributes={**entry.attributes, "user_data": user_data_hash(str(encoded))}),)


SPECS = (
    TypeSpec(
        "aws_instance",
        {
            "ami": text,
            "instance_type": text,
            "availability_zone": text,
            "subnet_id": text,
            "private_ip": text,
            "secondary_private_ips": set_of(text),
            "ipv6_addresses": set_of(text),
            "vpc_security_group_ids": set_of(text),
            "key_name": text,
            "iam_instance_profile": text,
            "ebs_optimized": boolean,
            "monitoring": boolean,
            "source_dest_check": boolean,
            "tenancy": text,
            "placement_group": text,
            "hibernation": boolean,
            "disable_api_termination": boolean,
            "disable_api_stop": boolean,
            "instance_initiated_shutdown_behavior": text,
            "user_data": user_data,
            "metadata_options": _METADATA,
            "cpu_options": block({"amd_sev_snp": text, "core_count": number, "threads_per_core": number}),
            "enclave_options": block({"enabled": boolean}),
            "maintenance_options": block({"auto_recovery": text}),
            "private_dns_name_options": block(
                {
                    "enable_resource_name_dns_a_record": boolean,
                    "enable_resource_name_dns_aaaa_record": boolean,
                    "hostname_type": text,
                }
            ),
            "capacity_reservation_specification": block(
                {
                    "capacity_reservation_preference": text,
                    "capacity_reservation_target": block(
                        {"capacity_reservation_id": text, "capacity_reservation_resource_group_arn": text}
                    ),
                }
            ),
            "root_block_device": block(_DEVICE),
            "ebs_block_device": set_of(members(_DEVICE)),
            "tags": tags,
        },
        inline={"ebs_block_device": ("aws_volume_attachment",)},
        expand=_with_one_user_data,
        sensitive=frozenset({"user_data"}),
    ),
    TypeSpec(
        "aws_ebs_volume",
        {
            "availability_zone": text,
            "size": number,
            "type": text,
            "iops": number_or_zero,
            "throughput": number_or_zero,
            "encrypted": boolean,
            "kms_key_id": text,
            "snapshot_id": text,
            "multi_attach_enabled": boolean,
            "outpost_arn": text,
            "tags": tags,
        },
    ),
    TypeSpec("aws_volume_attachment", {"device_name": text}, key=by("volume_id", "instance_id"), parent=_attached_to),
    TypeSpec("aws_key_pair", {"fingerprint": text, "key_type": text, "tags": tags}, key=by("arn")),
)
