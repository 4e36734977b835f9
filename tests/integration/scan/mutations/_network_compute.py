"""Changes to instances, volumes, key pairs and launch templates."""

from __future__ import annotations

import base64
from typing import Any

from tests.support.aws_account import Mutation

from ._changes import Attributes, changed, ec2_tag, missing, unmanaged
from ._network_vpc import FIXED, NO_MOTO

_WEB = "aws_instance.web"


def _modify(path: str, **arguments: object) -> Mutation:
    return changed(_WEB, path, lambda client, it: client.modify_instance_attribute(InstanceId=it["id"], **arguments))


def _metadata(path: str, **arguments: object) -> Mutation:
    """Change one metadata option; the stand-in forgets options that a call leaves out."""
    every = {
        "HttpTokens": "required",
        "HttpPutResponseHopLimit": 2,
        "HttpEndpoint": "enabled",
        "HttpProtocolIpv6": "disabled",
    }
    options = {**every, "InstanceMetadataTags": "disabled", **arguments}
    return changed(
        _WEB,
        f"metadata_options.{path}",
        lambda client, it: client.modify_instance_metadata_options(InstanceId=it["id"], **options),
    )


def _groups(client: Any, instance: Attributes) -> object:
    group = next(
        item for item in client.describe_security_groups()["SecurityGroups"] if item["GroupName"] == "one-by-one"
    )
    return client.modify_instance_attribute(InstanceId=instance["id"], Groups=[group["GroupId"]])


def _root(instance: Attributes) -> str:
    return str(instance["root_block_device"][0]["volume_id"])


def _ebs(instance: Attributes) -> str:
    return str(instance["ebs_block_device"][0]["volume_id"])


def _attach(client: Any, instance: Attributes) -> object:
    zone = instance["availability_zone"]
    volume = client.create_volume(AvailabilityZone=zone, Size=1)["VolumeId"]
    return client.attach_volume(VolumeId=volume, InstanceId=instance["id"], Device="/dev/sdk")


def _run(client: Any, instance: Attributes) -> str:
    reply = client.run_instances(
        ImageId=instance["ami"], InstanceType="t3.nano", SubnetId=instance["subnet_id"], MinCount=1, MaxCount=1
    )
    return str(reply["Instances"][0]["InstanceId"])


def _attach_by_hand(client: Any, volume: Attributes) -> None:
    """Attach the declared, loose volume to the instance whose attachments are declared one by one."""
    attached = client.describe_volumes(Filters=[{"Name": "attachment.device", "Values": ["/dev/sdh"]}])["Volumes"]
    client.attach_volume(
        VolumeId=volume["id"], InstanceId=attached[0]["Attachments"][0]["InstanceId"], Device="/dev/sdj"
    )


def _plain(state: dict[str, Any], kind: str, name: str) -> str:
    found = next(item for item in state["resources"] if (item["type"], item["name"]) == (kind, name))
    return str(found["instances"][0]["attributes"]["id"])


_INSTANCES = (
    _modify("instance_type", InstanceType={"Value": "t3.large"}),
    _modify("disable_api_termination", DisableApiTermination={"Value": True}),
    _modify("disable_api_stop", DisableApiStop={"Value": True}),
    _modify("ebs_optimized", EbsOptimized={"Value": False}),
    _modify("source_dest_check", SourceDestCheck={"Value": False}),
    _modify("user_data", UserData={"Value": base64.b64encode(b"#!/bin/sh\necho changed\n")}),
    _modify("instance_initiated_shutdown_behavior", Attribute="instanceInitiatedShutdownBehavior", Value="terminate"),
    changed(_WEB, "vpc_security_group_ids", _groups),
    _metadata("http_tokens", HttpTokens="optional"),
    _metadata("http_put_response_hop_limit", HttpPutResponseHopLimit=3),
    _metadata("http_endpoint", HttpEndpoint="disabled"),
    _metadata("http_protocol_ipv6", HttpProtocolIpv6="enabled"),
    _metadata("instance_metadata_tags", InstanceMetadataTags="enabled"),
    changed(
        _WEB, "root_block_device.volume_size", lambda client, it: client.modify_volume(VolumeId=_root(it), Size=40)
    ),
    changed(
        _WEB,
        "root_block_device.volume_type",
        lambda client, it: client.modify_volume(VolumeId=_root(it), VolumeType="io2"),
    ),
    changed(_WEB, "ebs_block_device", lambda client, it: client.modify_volume(VolumeId=_ebs(it), Size=50)),
    changed(_WEB, "ebs_block_device", _attach),
    ec2_tag(_WEB),
    unmanaged(_WEB, "aws_instance", _run),
    missing("aws_instance.plain[1]", lambda client, it: client.terminate_instances(InstanceIds=[it["id"]])),
)

_VOLUMES = (
    changed("aws_ebs_volume.data", "size", lambda client, it: client.modify_volume(VolumeId=it["id"], Size=16)),
    changed("aws_ebs_volume.data", "iops", lambda client, it: client.modify_volume(VolumeId=it["id"], Iops=4000)),
    changed(
        "aws_ebs_volume.data", "throughput", lambda client, it: client.modify_volume(VolumeId=it["id"], Throughput=300)
    ),
    changed(
        "aws_ebs_volume.data", "type", lambda client, it: client.modify_volume(VolumeId=it["id"], VolumeType="io2")
    ),
    changed(
        "aws_ebs_volume.data",
        "multi_attach_enabled",
        lambda client, it: client.modify_volume(VolumeId=it["id"], MultiAttachEnabled=True),
    ),
    ec2_tag("aws_ebs_volume.data"),
    unmanaged(
        "aws_ebs_volume.data",
        "aws_ebs_volume",
        lambda client, it: str(client.create_volume(AvailabilityZone=it["availability_zone"], Size=1)["VolumeId"]),
    ),
    Mutation(
        "aws_ebs_volume.loose",
        lambda state: {
            (
                "unmanaged",
                f"{_plain(state, 'aws_ebs_volume', 'loose')}|{_plain(state, 'aws_instance', 'plain')}",
                "",
            )
        },
        lambda call, it: _attach_by_hand(call("ec2"), it),
        also=("aws_instance",),
    ),
    Mutation(
        "aws_volume_attachment.data",
        {("changed", "aws_volume_attachment.data", "device_name")},
        lambda call, it: _reattach(call("ec2"), it),
    ),
    missing(
        "aws_volume_attachment.data",
        lambda client, it: client.detach_volume(VolumeId=it["volume_id"], InstanceId=it["instance_id"]),
    ),
    missing("aws_ebs_volume.data", lambda client, it: client.delete_volume(VolumeId=it["id"])),
)


def _reattach(client: Any, attachment: Attributes) -> None:
    client.detach_volume(VolumeId=attachment["volume_id"], InstanceId=attachment["instance_id"])
    client.attach_volume(VolumeId=attachment["volume_id"], InstanceId=attachment["instance_id"], Device="/dev/sdx")


_OTHER_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl other"


def _exchange_key(client: Any, key: Attributes) -> None:
    client.delete_key_pair(KeyName=key["key_name"])
    tags = [
        {"ResourceType": "key-pair", "Tags": [{"Key": name, "Value": item} for name, item in key["tags_all"].items()]}
    ]
    client.import_key_pair(KeyName=key["key_name"], PublicKeyMaterial=_OTHER_KEY.encode(), TagSpecifications=tags)


_KEYS = (
    ec2_tag("aws_key_pair.deploy", "key_pair_id"),
    Mutation(
        "aws_key_pair.deploy",
        {("changed", "aws_key_pair.deploy", "fingerprint")},
        lambda call, it: _exchange_key(call("ec2"), it),
    ),
    unmanaged(
        "aws_key_pair.deploy",
        "aws_key_pair",
        lambda client, it: str(it["arn"]).replace(
            it["key_name"], str(client.create_key_pair(KeyName="by-hand")["KeyName"])
        ),
    ),
    missing("aws_key_pair.deploy", lambda client, it: client.delete_key_pair(KeyName=it["key_name"])),
)


def _version(name: str, data: dict[str, object], path: str, description: str = "") -> Mutation:
    """A new version becomes the latest: its data and its number differ."""
    address = f"aws_launch_template.{name}"

    def apply(client: Any, template: Attributes) -> object:
        # The stand-in keeps the template's own tags in the data of its first version: they have to stay.
        kept = [
            {
                "ResourceType": item["resource_type"],
                "Tags": [{"Key": key, "Value": tag} for key, tag in item["tags"].items()],
            }
            for item in template["tag_specifications"]
        ]
        return client.create_launch_template_version(
            LaunchTemplateId=template["id"],
            LaunchTemplateData={"TagSpecifications": kept, **data},
            VersionDescription=description,
        )

    return Mutation(
        address,
        {("changed", address, path), ("changed", address, "latest_version")},
        lambda call, target: _none(apply(call("ec2"), target)),
    )


def _none(_reply: object) -> None:
    return None


_BARE: tuple[tuple[str, dict[str, object]], ...] = (
    ("image_id", {"ImageId": "ami-12345678"}),
    ("instance_type", {"InstanceType": "m5.large"}),
    ("key_name", {"KeyName": "other"}),
    ("kernel_id", {"KernelId": "aki-12345678"}),
    ("ram_disk_id", {"RamDiskId": "ari-12345678"}),
    ("user_data", {"UserData": "IyEvYmluL3NoCg=="}),
    ("ebs_optimized", {"EbsOptimized": True}),
    ("disable_api_stop", {"DisableApiStop": True}),
    ("disable_api_termination", {"DisableApiTermination": True}),
    ("instance_initiated_shutdown_behavior", {"InstanceInitiatedShutdownBehavior": "terminate"}),
    ("vpc_security_group_ids", {"SecurityGroupIds": ["sg-12345678"]}),
    ("security_group_names", {"SecurityGroups": ["default"]}),
    ("block_device_mappings", {"BlockDeviceMappings": [{"DeviceName": "/dev/sdb", "Ebs": {"VolumeSize": 9}}]}),
    ("network_interfaces", {"NetworkInterfaces": [{"DeviceIndex": 0, "AssociatePublicIpAddress": True}]}),
    ("iam_instance_profile", {"IamInstanceProfile": {"Name": "admin"}}),
    ("metadata_options", {"MetadataOptions": {"HttpTokens": "optional"}}),
    ("monitoring", {"Monitoring": {"Enabled": True}}),
    ("placement", {"Placement": {"Tenancy": "dedicated"}}),
    ("cpu_options", {"CpuOptions": {"CoreCount": 2, "ThreadsPerCore": 1}}),
    ("credit_specification", {"CreditSpecification": {"CpuCredits": "unlimited"}}),
    ("enclave_options", {"EnclaveOptions": {"Enabled": True}}),
    ("hibernation_options", {"HibernationOptions": {"Configured": True}}),
    ("maintenance_options", {"MaintenanceOptions": {"AutoRecovery": "disabled"}}),
    ("instance_market_options", {"InstanceMarketOptions": {"MarketType": "spot"}}),
    (
        "license_specification",
        {"LicenseSpecifications": [{"LicenseConfigurationArn": "arn:aws:license-manager:us-east-1:123456789012:x"}]},
    ),
    ("private_dns_name_options", {"PrivateDnsNameOptions": {"HostnameType": "resource-name"}}),
    (
        "tag_specifications",
        {"TagSpecifications": [{"ResourceType": "volume", "Tags": [{"Key": "Role", "Value": "x"}]}]},
    ),
)

_TEMPLATES = (
    *(_version("bare", data, path) for path, data in _BARE),
    _version("bare", {}, "description", "by hand"),
    changed(
        "aws_launch_template.bare",
        "default_version",
        lambda client, it: client.modify_launch_template(LaunchTemplateId=it["id"], DefaultVersion="2"),
    ),
    unmanaged(
        "aws_launch_template.full",
        "aws_launch_template",
        lambda client, _: str(
            client.create_launch_template(LaunchTemplateName="by-hand", LaunchTemplateData={"InstanceType": "t3.nano"})[
                "LaunchTemplate"
            ]["LaunchTemplateId"]
        ),
    ),
    missing(
        "aws_launch_template.interfaces", lambda client, it: client.delete_launch_template(LaunchTemplateId=it["id"])
    ),
)

MUTATIONS = (*_INSTANCES, *_VOLUMES, *_KEYS, *_TEMPLATES)

EXCEPTIONS: dict[str, str] = {
    **dict.fromkeys(
        (
            f"aws_instance.{name}"
            for name in (
                "ami", "availability_zone", "subnet_id", "private_ip", "key_name", "tenancy", "hibernation", "cpu_options",
            )
        ),
        FIXED,
    ),
    **dict.fromkeys(
        (
            f"aws_instance.{name}"
            for name in ("monitoring", "placement_group", "secondary_private_ips", "ipv6_addresses", "iam_instance_profile")
        ),
        NO_MOTO,
    ),
    **dict.fromkeys(
        (
            f"aws_instance.{name}"
            for name in (
                "enclave_options", "maintenance_options", "private_dns_name_options", "capacity_reservation_specification",
            )
        ),
        "the AWS stand-in does not report it",
    ),
    **dict.fromkeys(
        (
            f"aws_ebs_volume.{name}"
            for name in ("availability_zone", "encrypted", "kms_key_id", "snapshot_id", "outpost_arn")
        ),
        FIXED,
    ),
    "aws_key_pair.key_type": "comes with the key: seen together with the fingerprint",
    "aws_launch_template.name": FIXED,
    "aws_launch_template.tags": "the AWS stand-in reports the tags of the creation for ever",
}  # fmt: skip
