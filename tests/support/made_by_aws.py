"""What AWS made for itself in an account that a test filled: moto does not say whose it is, AWS does."""

from __future__ import annotations

from .aws_account import Expected, clients


def keys_of_aws(endpoint: str) -> Expected:
    """Name the keys behind `alias/aws/*`, which the provider's own reads make: moto calls them the customer's, AWS its own."""
    aliases = clients(endpoint)("kms").list_aliases()["Aliases"]
    keys = [
        item["TargetKeyId"] for item in aliases if item["AliasName"].startswith("alias/aws/") and "TargetKeyId" in item
    ]
    return {("unmanaged", key, "") for key in keys}


def made_by_services(endpoint: str) -> Expected:
    """Name what services made for themselves, which AWS says of it and moto does not."""
    return _zones_of_cloud_map(endpoint) | _interfaces_of_mount_targets(endpoint)


def _interfaces_of_mount_targets(endpoint: str) -> Expected:
    """Name the network interfaces of EFS: AWS says whose they are (`RequesterManaged`), moto does not."""
    client = clients(endpoint)("efs")
    systems = [item["FileSystemId"] for item in client.describe_file_systems()["FileSystems"]]
    targets = [item for key in systems for item in client.describe_mount_targets(FileSystemId=key)["MountTargets"]]
    return {("unmanaged", str(item["NetworkInterfaceId"]), "") for item in targets if item.get("NetworkInterfaceId")}


def _zones_of_cloud_map(endpoint: str) -> Expected:
    """Name the zones that Cloud Map made for its namespaces: AWS says whose they are (`LinkedService`), moto does not."""
    spaces = clients(endpoint)("servicediscovery").list_namespaces()["Namespaces"]
    zones = [((item.get("Properties") or {}).get("DnsProperties") or {}).get("HostedZoneId") for item in spaces]
    return {("unmanaged", str(zone).removeprefix("/hostedzone/"), "") for zone in zones if zone}
