"""Reads instances with their block devices, volumes, launch templates and key pairs.

User data may hold secrets: only its hash leaves this module.
Source: Amazon EC2 API Reference, the Describe actions named in each listing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import partial

from ...domain.resources import LiveResource, Parent
from ...types.aws.ec2_compute import user_data_hash
from .base import Finding, Gap, Item, Listing, Scope, Service, attempt, each, tag_map

_GONE = frozenset({"shutting-down", "terminated"})
_SETTINGS = {  # attribute of an instance -> (name in the request, name in the reply); AWS tells one per call
    "disable_api_termination": ("disableApiTermination", "DisableApiTermination"),
    "disable_api_stop": ("disableApiStop", "DisableApiStop"),
    "instance_initiated_shutdown_behavior": ("instanceInitiatedShutdownBehavior", "InstanceInitiatedShutdownBehavior"),
    "user_data": ("userData", "UserData"),
}


def snake(value: object) -> object:
    """Spell the members of an EC2 reply the way Terraform does (`HttpTokens` becomes `http_tokens`), at every depth."""
    if isinstance(value, Mapping):
        return {re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", str(name)).lower(): snake(item) for name, item in value.items()}
    return [snake(item) for item in value] if isinstance(value, list) else value


def read_instances(scope: Scope) -> Iterator[Finding]:
    """Yield instances and volumes together: which volume belongs to an instance, the instance tells."""
    volumes = {item["VolumeId"]: item for item in scope.pages("ec2", "describe_volumes", "Volumes")}
    found = [
        instance
        for reservation in scope.pages("ec2", "describe_instances", "Reservations")
        for instance in reservation["Instances"]
        if instance["State"]["Name"] not in _GONE
    ]
    yield from each(found, partial(_instance, scope, volumes))
    # A volume made with its instance and gone with it is a block device of that instance, and compared there.
    owned = {
        (mapping.get("Ebs") or {}).get("VolumeId")
        for instance in found
        for mapping in instance.get("BlockDeviceMappings", ())
        if mapping.get("DeviceName") == instance.get("RootDeviceName")
        or (mapping.get("Ebs") or {}).get("DeleteOnTermination")
    }
    for volume in volumes.values():
        yield from _volume(scope, volume, is_owned=volume["VolumeId"] in owned)


def _instance(scope: Scope, volumes: Mapping[str, Item], item: Item) -> Iterator[Finding]:
    key, tags = item["InstanceId"], tag_map(item.get("Tags"))
    settings: dict[str, object] = {}
    for name, (asked, answered) in _SETTINGS.items():
        found = attempt(
            "ec2", partial(scope.client("ec2").describe_instance_attribute, InstanceId=key, Attribute=asked)
        )
        if isinstance(found, Gap):
            yield found.unread("aws_instance", key, name)
        else:
            settings[name] = (found.get(answered) or {}).get("Value")
    if settings.get("user_data"):
        settings["user_data"] = user_data_hash(str(settings["user_data"]))
    yield LiveResource(
        type="aws_instance",
        document=item,
        key=key,
        region=scope.region,
        cloud_id=scope.arn("ec2", f"instance/{key}"),
        cloud_made="aws:autoscaling:groupName" in tags,  # comes and goes with its group; only AWS can write such tags
        tags=tags,
        attributes={**_placed(item), **_devices(item, volumes), **settings, "tags": tags},
    )


def _placed(item: Item) -> dict[str, object]:
    placement, processor = item.get("Placement") or {}, item.get("CpuOptions") or {}
    faces = [
        face for face in item.get("NetworkInterfaces", ()) if (face.get("Attachment") or {}).get("DeviceIndex") == 0
    ]
    first: Item = faces[0] if faces else {}
    profile = str((item.get("IamInstanceProfile") or {}).get("Arn") or "")
    attributes: dict[str, object] = {
        "ami": item.get("ImageId"),
        "instance_type": item.get("InstanceType"),
        "availability_zone": placement.get("AvailabilityZone"),
        "subnet_id": item.get("SubnetId"),
        "private_ip": item.get("PrivateIpAddress"),
        "vpc_security_group_ids": [group["GroupId"] for group in item.get("SecurityGroups", ())],
        "key_name": item.get("KeyName"),
        "iam_instance_profile": profile.rsplit("/", 1)[-1] or None,
        "ebs_optimized": item.get("EbsOptimized"),
        "monitoring": (item.get("Monitoring") or {}).get("State") in {"enabled", "pending"},
        "source_dest_check": item.get("SourceDestCheck", first.get("SourceDestCheck")),
        "tenancy": placement.get("Tenancy"),
        "placement_group": placement.get("GroupName"),
        "cpu_options": [
            {
                "amd_sev_snp": processor.get("AmdSevSnp"),
                "core_count": processor.get("CoreCount"),
                "threads_per_core": processor.get("ThreadsPerCore"),
            }
        ],
        "hibernation": (item.get("HibernationOptions") or {}).get("Configured"),
    }
    if first:
        others = [found for found in first.get("PrivateIpAddresses", ()) if not found.get("Primary")]
        attributes["secondary_private_ips"] = [found["PrivateIpAddress"] for found in others]
        attributes["ipv6_addresses"] = [found["Ipv6Address"] for found in first.get("Ipv6Addresses", ())]
    return {**attributes, **_optional_blocks(item)}


_BLOCKS = {
    "metadata_options": "MetadataOptions",
    "enclave_options": "EnclaveOptions",
    "maintenance_options": "MaintenanceOptions",
    "private_dns_name_options": "PrivateDnsNameOptions",
}


def _optional_blocks(item: Item) -> dict[str, object]:
    """Return the blocks whose members AWS names as Terraform does."""
    found: dict[str, object] = {name: [snake(item[member])] for name, member in _BLOCKS.items() if item.get(member)}
    naming = item.get("PrivateDnsNameOptions")
    if naming:
        found["private_dns_name_options"] = [
            {
                "enable_resource_name_dns_a_record": naming.get("EnableResourceNameDnsARecord"),
                "enable_resource_name_dns_aaaa_record": naming.get("EnableResourceNameDnsAAAARecord"),
                "hostname_type": naming.get("HostnameType"),
            }
        ]
    reserved = item.get("CapacityReservationSpecification")
    if reserved:
        target = reserved.get("CapacityReservationTarget")
        found["capacity_reservation_specification"] = [
            {
                "capacity_reservation_preference": reserved.get("CapacityReservationPreference"),
                "capacity_reservation_target": [snake(target)] if target else [],
            }
        ]
    return found


def _devices(item: Item, volumes: Mapping[str, Item]) -> dict[str, object]:
    root: list[dict[str, object]] = []
    others: list[dict[str, object]] = []
    for mapping in item.get("BlockDeviceMappings", ()):
        disk = mapping.get("Ebs") or {}
        volume = volumes.get(disk.get("VolumeId", ""))
        if volume is None:
            continue
        device: dict[str, object] = {
            "device_name": mapping.get("DeviceName"),
            "delete_on_termination": disk.get("DeleteOnTermination"),
            "encrypted": volume.get("Encrypted"),
            "iops": volume.get("Iops"),
            "kms_key_id": volume.get("KmsKeyId"),
            "throughput": volume.get("Throughput"),
            "volume_size": volume.get("Size"),
            "volume_type": volume.get("VolumeType"),
        }
        (root if mapping.get("DeviceName") == item.get("RootDeviceName") else others).append(device)
    return {"root_block_device": root, "ebs_block_device": others}


def _volume(scope: Scope, volume: Item, *, is_owned: bool) -> Iterator[Finding]:
    key, tags = volume["VolumeId"], tag_map(volume.get("Tags"))
    attached = [item for item in volume.get("Attachments", ()) if item.get("State") != "detached"]
    yield LiveResource(
        type="aws_ebs_volume",
        document=volume,
        key=key,
        region=scope.region,
        cloud_id=scope.arn("ec2", f"volume/{key}"),
        cloud_made=is_owned,
        parent=Parent("aws_instance", attached[0]["InstanceId"], "ebs_block_device") if attached else None,
        tags=tags,
        attributes={
            "availability_zone": volume.get("AvailabilityZone"),
            "size": volume.get("Size"),
            "type": volume.get("VolumeType"),
            "iops": volume.get("Iops"),
            "throughput": volume.get("Throughput"),
            "encrypted": volume.get("Encrypted"),
            "kms_key_id": volume.get("KmsKeyId"),
            "snapshot_id": volume.get("SnapshotId"),
            "multi_attach_enabled": volume.get("MultiAttachEnabled"),
            "outpost_arn": volume.get("OutpostArn"),
            "tags": tags,
        },
    )
    for item in attached:
        yield LiveResource(
            type="aws_volume_attachment",
            key=f"{key}|{item['InstanceId']}",
            region=scope.region,
            cloud_id=f"{item.get('Device')}:{key}:{item['InstanceId']}",
            cloud_made=is_owned,
            parent=Parent("aws_instance", item["InstanceId"], "ebs_block_device"),
            attributes={"device_name": item.get("Device")},
        )


def read_key_pairs(scope: Scope) -> Iterator[Finding]:
    for item in scope.pages("ec2", "describe_key_pairs", "KeyPairs"):
        arn, tags = scope.arn("ec2", f"key-pair/{item['KeyName']}"), tag_map(item.get("Tags"))
        yield LiveResource(
            type="aws_key_pair",
            document=item,
            key=arn,
            region=scope.region,
            cloud_id=arn,
            tags=tags,
            attributes={"fingerprint": item.get("KeyFingerprint"), "key_type": item.get("KeyType"), "tags": tags},
        )


def read_launch_templates(scope: Scope) -> Iterator[Finding]:
    latest = {
        version["LaunchTemplateId"]: version
        for version in scope.pages(
            "ec2", "describe_launch_template_versions", "LaunchTemplateVersions", Versions=["$Latest"]
        )
    }
    for item in scope.pages("ec2", "describe_launch_templates", "LaunchTemplates"):
        key, tags = item["LaunchTemplateId"], tag_map(item.get("Tags"))
        version = latest.get(key, {})
        yield LiveResource(
            type="aws_launch_template",
            key=key,
            region=scope.region,
            cloud_id=scope.arn("ec2", f"launch-template/{key}"),
            tags=tags,
            attributes={
                "name": item.get("LaunchTemplateName"),
                "default_version": item.get("DefaultVersionNumber"),
                "latest_version": item.get("LatestVersionNumber"),
                "tags": tags,
                **(_template(version.get("LaunchTemplateData") or {}, version) if version else {}),
            },
        )


_PLAIN = {
    "image_id": "ImageId",
    "instance_type": "InstanceType",
    "key_name": "KeyName",
    "kernel_id": "KernelId",
    "ram_disk_id": "RamDiskId",
    "user_data": "UserData",
    "ebs_optimized": "EbsOptimized",
    "disable_api_stop": "DisableApiStop",
    "disable_api_termination": "DisableApiTermination",
    "instance_initiated_shutdown_behavior": "InstanceInitiatedShutdownBehavior",
    "vpc_security_group_ids": "SecurityGroupIds",
    "security_group_names": "SecurityGroups",
}
_TEMPLATE_BLOCKS = {
    "iam_instance_profile": "IamInstanceProfile",
    "metadata_options": "MetadataOptions",
    "monitoring": "Monitoring",
    "placement": "Placement",
    "cpu_options": "CpuOptions",
    "credit_specification": "CreditSpecification",
    "enclave_options": "EnclaveOptions",
    "hibernation_options": "HibernationOptions",
    "maintenance_options": "MaintenanceOptions",
}


def _template(data: Item, version: Item) -> dict[str, object]:
    attributes: dict[str, object] = {name: data.get(member) for name, member in _PLAIN.items()}
    for name, member in _TEMPLATE_BLOCKS.items():
        attributes[name] = [snake(data[member])] if data.get(member) else []
    if attributes["user_data"]:
        attributes["user_data"] = user_data_hash(str(attributes["user_data"]))
    naming, market = data.get("PrivateDnsNameOptions"), data.get("InstanceMarketOptions")
    attributes.update(
        description=version.get("VersionDescription"),
        block_device_mappings=[
            {
                "device_name": item.get("DeviceName"),
                "no_device": item.get("NoDevice"),
                "virtual_name": item.get("VirtualName"),
                "ebs": [snake(item["Ebs"])] if item.get("Ebs") else [],
            }
            for item in data.get("BlockDeviceMappings") or ()
        ],
        network_interfaces=[
            {**_mapping(snake(item)), "security_groups": item.get("Groups")}
            for item in data.get("NetworkInterfaces") or ()
        ],
        instance_market_options=[{**_mapping(snake(market)), "spot_options": [snake(market.get("SpotOptions") or {})]}]
        if market
        else [],
        license_specification=[snake(item) for item in data.get("LicenseSpecifications") or ()],
        private_dns_name_options=[
            {
                "enable_resource_name_dns_a_record": naming.get("EnableResourceNameDnsARecord"),
                "enable_resource_name_dns_aaaa_record": naming.get("EnableResourceNameDnsAAAARecord"),
                "hostname_type": naming.get("HostnameType"),
            }
        ]
        if naming
        else [],
        tag_specifications=[
            {"resource_type": item.get("ResourceType"), "tags": tag_map(item.get("Tags"))}
            for item in data.get("TagSpecifications") or ()
        ],
    )
    return attributes


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


SERVICE = Service(
    "ec2_compute",
    (
        Listing(
            types=("aws_instance", "aws_ebs_volume", "aws_volume_attachment"),
            read=read_instances,
            permissions=("ec2:DescribeInstances", "ec2:DescribeVolumes", "ec2:DescribeInstanceAttribute"),
        ),
        Listing(types=("aws_key_pair",), read=read_key_pairs, permissions=("ec2:DescribeKeyPairs",)),
        Listing(
            types=("aws_launch_template",),
            read=read_launch_templates,
            permissions=("ec2:DescribeLaunchTemplates", "ec2:DescribeLaunchTemplateVersions"),
        ),
    ),
)
