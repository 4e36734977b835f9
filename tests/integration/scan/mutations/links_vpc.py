"""Changes to endpoints, peering, DHCP options, flow logs, prefix lists and network interfaces."""

from __future__ import annotations

import json
from typing import Any

from tests.support.aws_account import Mutation

from ._changes import Attributes, changed, ec2_tag, missing, unmanaged

FIXED = "fixed at creation in AWS; only a replacement changes it, which is missing and unmanaged"
NO_MOTO = "the AWS stand-in cannot change it"
_OPEN = json.dumps({"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]})


def _endpoint(**arguments: object) -> Any:
    return lambda client, it: client.modify_vpc_endpoint(
        VpcEndpointId=it.get("vpc_endpoint_id") or it["id"], **arguments
    )


def _second(client: Any, it: Attributes, kind: str) -> str:
    """Return the id of a subnet or route table of the endpoint's VPC that the endpoint does not use."""
    filters = [{"Name": "vpc-id", "Values": [it["vpc_id"]]}]
    if kind == "subnet":
        names = [item["SubnetId"] for item in client.describe_subnets(Filters=filters)["Subnets"]]
        return str(next(name for name in names if name not in it["subnet_ids"]))
    tables = client.describe_route_tables(Filters=filters)["RouteTables"]
    return str(next(item["RouteTableId"] for item in tables if item["RouteTableId"] not in it["route_table_ids"]))


def _part_missing(address: str, argument: str, member: str) -> Mutation:
    return missing(
        address,
        lambda client, it: client.modify_vpc_endpoint(VpcEndpointId=it["vpc_endpoint_id"], **{argument: [it[member]]}),
    )


def _part_more(near: str, kind: str, argument: str, find: Any) -> Mutation:
    def apply(client: Any, it: Attributes) -> str:
        more = find(client, it)
        client.modify_vpc_endpoint(VpcEndpointId=it["id"], **{argument: [more]})
        return f"{it['id']}|{more}"

    return unmanaged(near, kind, apply)


def _create_endpoint(client: Any, vpc: Attributes) -> str:
    made = client.create_vpc_endpoint(VpcId=vpc["id"], ServiceName="com.amazonaws.us-east-1.s3")
    return str(made["VpcEndpoint"]["VpcEndpointId"])


_ENDPOINTS = (
    ec2_tag("aws_vpc_endpoint.storage"),
    changed("aws_vpc_endpoint.storage", "policy.Version", _endpoint(
        PolicyDocument=json.dumps({"Version": "2012-10-17", **json.loads(_OPEN)}))),
    changed("aws_vpc_endpoint_policy.tables", "policy.Statement", _endpoint(
        PolicyDocument=json.dumps({"Version": "2012-10-17", **json.loads(_OPEN)}))),
    changed("aws_vpc_endpoint.storage", "route_table_ids", lambda client, it: client.modify_vpc_endpoint(
        VpcEndpointId=it["id"], AddRouteTableIds=[_second(client, it, "table")])),
    changed("aws_vpc_endpoint.queues", "subnet_ids", lambda client, it: client.modify_vpc_endpoint(
        VpcEndpointId=it["id"], AddSubnetIds=[_second(client, it, "subnet")])),
    changed("aws_vpc_endpoint.queues", "security_group_ids", lambda client, it: client.modify_vpc_endpoint(
        VpcEndpointId=it["id"], AddSecurityGroupIds=[_named_group(client, it["vpc_id"], "second")])),
    # Beside a stand-alone part, one more part is nobody's.
    _part_more("aws_vpc_endpoint.tables", "aws_vpc_endpoint_route_table_association", "AddRouteTableIds",
               lambda client, it: _spare_table(client, it["vpc_id"])),
    _part_more("aws_vpc_endpoint.keys", "aws_vpc_endpoint_subnet_association", "AddSubnetIds",
               lambda client, it: _spare_subnet(client, it["vpc_id"])),
    _part_more("aws_vpc_endpoint.keys", "aws_vpc_endpoint_security_group_association", "AddSecurityGroupIds",
               lambda client, it: _named_group(client, it["vpc_id"], "first")),
    _part_missing("aws_vpc_endpoint_route_table_association.tables", "RemoveRouteTableIds", "route_table_id"),
    _part_missing("aws_vpc_endpoint_subnet_association.keys", "RemoveSubnetIds", "subnet_id"),
    _part_missing("aws_vpc_endpoint_security_group_association.keys", "RemoveSecurityGroupIds", "security_group_id"),
    unmanaged("aws_vpc.there", "aws_vpc_endpoint", _create_endpoint),
    missing("aws_vpc_endpoint.keys", lambda client, it: client.delete_vpc_endpoints(VpcEndpointIds=[it["id"]])),
)  # fmt: skip


def _none(_reply: object) -> None:
    return None


def _spare_table(client: Any, vpc: str) -> str:
    tables = client.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["RouteTables"]
    return str(next(item["RouteTableId"] for item in tables if any(one["Main"] for one in item["Associations"])))


def _spare_subnet(client: Any, vpc: str) -> str:
    subnets = client.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["Subnets"]
    return str(next(item["SubnetId"] for item in subnets if item["CidrBlock"] == "10.20.1.0/24"))


def _options(side: str, *, on: bool) -> Any:
    name = f"{side}PeeringConnectionOptions"
    return lambda client, it: client.modify_vpc_peering_connection_options(
        VpcPeeringConnectionId=it["id"], **{name: {"AllowDnsResolutionFromRemoteVpc": on}}
    )


def _ask(client: Any, vpc: Attributes) -> str:
    made = client.create_vpc_peering_connection(VpcId=vpc["id"], PeerVpcId=vpc["id"])
    return f"us-east-1|{made['VpcPeeringConnection']['VpcPeeringConnectionId']}"


_SIDE = "allow_remote_vpc_dns_resolution"


def _told_twice(side: str) -> Mutation:
    kinds = ("aws_vpc_peering_connection", "aws_vpc_peering_connection_accepter")
    expected = {("changed", f"{kind}.asked", side.lower()) for kind in kinds}
    turn = _options(side, on=True)
    return Mutation("aws_vpc_peering_connection.asked", expected, lambda call, it: _none(turn(call("ec2"), it)))


_PEERING = (
    ec2_tag("aws_vpc_peering_connection.between"),
    changed("aws_vpc_peering_connection_options.between", "accepter", _options("Accepter", on=False)),
    changed("aws_vpc_peering_connection_options.between", "requester", _options("Requester", on=True)),
    # One connection, declared from both ends: both tell.
    _told_twice("Accepter"),
    _told_twice("Requester"),
    unmanaged("aws_vpc.there", "aws_vpc_peering_connection", _ask),
    Mutation("aws_vpc_peering_connection.between", {
        ("missing", "aws_vpc_peering_connection.between", ""), ("missing", "aws_vpc_peering_connection_options.between", "")},
        lambda call, it: _none(call("ec2").delete_vpc_peering_connection(VpcPeeringConnectionId=it["id"]))),
)  # fmt: skip


def _dhcp(client: Any, _it: Attributes) -> str:
    made = client.create_dhcp_options(DhcpConfigurations=[{"Key": "domain-name", "Values": ["other.example"]}])
    return str(made["DhcpOptions"]["DhcpOptionsId"])


def _other_options(client: Any) -> str:
    found = client.describe_dhcp_options()["DhcpOptions"]
    return str(next(item["DhcpOptionsId"] for item in found if "other.example" in str(item)))


def _associate(client: Any, vpc: Attributes) -> str:
    client.associate_dhcp_options(VpcId=vpc["id"], DhcpOptionsId=_other_options(client))
    return str(vpc["id"])


def _entries(client: Any, it: Attributes, **arguments: object) -> object:
    key = it.get("prefix_list_id") or it["id"]
    version = client.describe_managed_prefix_lists(PrefixListIds=[key])["PrefixLists"][0]["Version"]
    return client.modify_managed_prefix_list(PrefixListId=key, CurrentVersion=version, **arguments)


def _more_entry(client: Any, it: Attributes) -> str:
    _entries(client, it, AddEntries=[{"Cidr": "203.0.113.0/24"}])
    return f"{it['id']}|203.0.113.0/24"


def _create_list(client: Any, _it: Attributes) -> str:
    made = client.create_managed_prefix_list(PrefixListName="more", MaxEntries=1, AddressFamily="IPv4")
    return str(made["PrefixList"]["PrefixListId"])


def _watch(client: Any, vpc: Attributes) -> str:
    made = client.create_flow_logs(ResourceIds=[vpc["id"]], ResourceType="VPC", TrafficType="REJECT",
                                   LogDestinationType="s3", LogDestination="arn:aws:s3:::flows")  # fmt: skip
    return str(made["FlowLogIds"][0])


def _create_bucket(call: Any, _it: Attributes) -> None:
    call("s3").create_bucket(Bucket="flows")


_REPLACED = [{"Cidr": "198.51.100.0/24", "Description": "other"}]
_ADDRESSING = (
    ec2_tag("aws_vpc_dhcp_options.spare"),
    unmanaged("aws_vpc.there", "aws_vpc_dhcp_options", _dhcp),
    missing("aws_vpc_dhcp_options.spare", lambda client, it: client.delete_dhcp_options(DhcpOptionsId=it["id"])),
    changed("aws_vpc_dhcp_options_association.here", "dhcp_options_id", lambda client, it: client.associate_dhcp_options(
        VpcId=it["vpc_id"], DhcpOptionsId=_other_options(client))),
    unmanaged("aws_vpc.there", "aws_vpc_dhcp_options_association", _associate),
    missing("aws_vpc_dhcp_options_association.here", lambda client, it: client.associate_dhcp_options(
        VpcId=it["vpc_id"], DhcpOptionsId="default")),
    ec2_tag("aws_ec2_managed_prefix_list.offices"),
    changed("aws_ec2_managed_prefix_list.offices", "entry", lambda client, it: _entries(
        client, it, AddEntries=[{"Cidr": "203.0.113.0/24"}])),
    changed("aws_ec2_managed_prefix_list.offices", "name", lambda client, it: _entries(client, it, PrefixListName="hq")),
    unmanaged("aws_ec2_managed_prefix_list.partners", "aws_ec2_managed_prefix_list_entry", _more_entry),
    changed("aws_ec2_managed_prefix_list_entry.partners", "description", lambda client, it: _entries(
        client, it, AddEntries=_REPLACED, RemoveEntries=[{"Cidr": it["cidr"]}])),
    missing("aws_ec2_managed_prefix_list_entry.partners", lambda client, it: _entries(
        client, it, RemoveEntries=[{"Cidr": it["cidr"]}])),
    unmanaged("aws_vpc.there", "aws_ec2_managed_prefix_list", _create_list),
    missing("aws_ec2_managed_prefix_list.offices", lambda client, it: client.delete_managed_prefix_list(PrefixListId=it["id"])),
    Mutation("", set(), _create_bucket),
    ec2_tag("aws_flow_log.here"),
    unmanaged("aws_vpc.there", "aws_flow_log", _watch),
    missing("aws_flow_log.here", lambda client, it: client.delete_flow_logs(FlowLogIds=[it["id"]])),
)  # fmt: skip


def _interface(**arguments: object) -> Any:
    return lambda client, it: client.modify_network_interface_attribute(NetworkInterfaceId=it["id"], **arguments)


def _more_group(client: Any, it: Attributes) -> str:
    found = client.describe_network_interfaces(NetworkInterfaceIds=[it["id"]])["NetworkInterfaces"][0]
    more = _named_group(client, found["VpcId"], "first")
    client.modify_network_interface_attribute(
        NetworkInterfaceId=it["id"], Groups=[*(group["GroupId"] for group in found["Groups"]), more]
    )
    return f"{it['id']}|{more}"


def _named_group(client: Any, vpc: str, name: str) -> str:
    filters = [{"Name": "vpc-id", "Values": [vpc]}, {"Name": "group-name", "Values": [name]}]
    return str(client.describe_security_groups(Filters=filters)["SecurityGroups"][0]["GroupId"])


def _less_group(client: Any, it: Attributes) -> object:
    key = it["network_interface_id"]
    found = client.describe_network_interfaces(NetworkInterfaceIds=[key])["NetworkInterfaces"][0]
    kept = [group["GroupId"] for group in found["Groups"] if group["GroupId"] != it["security_group_id"]]
    return client.modify_network_interface_attribute(NetworkInterfaceId=key, Groups=kept)


def _attach(client: Any, it: Attributes) -> object:
    instance = next(
        one["InstanceId"] for part in client.describe_instances()["Reservations"] for one in part["Instances"]
    )
    return client.attach_network_interface(NetworkInterfaceId=it["id"], InstanceId=instance, DeviceIndex=2)


def _other_attachment(client: Any, it: Attributes) -> object:
    client.detach_network_interface(AttachmentId=it["attachment_id"])
    return client.attach_network_interface(
        NetworkInterfaceId=it["network_interface_id"], InstanceId=it["instance_id"], DeviceIndex=3
    )


def _detach(client: Any, it: Attributes) -> object:
    key = it["network_interface_id"]
    found = client.describe_network_interfaces(NetworkInterfaceIds=[key])["NetworkInterfaces"][0]
    return client.detach_network_interface(AttachmentId=found["Attachment"]["AttachmentId"])


_INTERFACES = (
    ec2_tag("aws_network_interface.alone"),
    changed("aws_network_interface.alone", "source_dest_check", _interface(SourceDestCheck={"Value": True})),
    changed("aws_network_interface.alone", "description", _interface(Description={"Value": "other"})),
    changed("aws_network_interface.alone", "security_groups", lambda client, it: client.modify_network_interface_attribute(
        NetworkInterfaceId=it["id"], Groups=[_named_group(client, _vpc_of(client, it), "second")])),
    changed("aws_network_interface.alone", "private_ips", lambda client, it: client.assign_private_ip_addresses(
        NetworkInterfaceId=it["id"], PrivateIpAddresses=["10.20.1.60"])),
    changed("aws_network_interface.alone", "attachment", _attach),
    unmanaged("aws_network_interface.second", "aws_network_interface_sg_attachment", _more_group),
    missing("aws_network_interface_sg_attachment.second", _less_group),
    changed("aws_network_interface_attachment.second", "device_index", _other_attachment),
    missing("aws_network_interface_attachment.second", _detach),
    unmanaged("aws_network_interface.alone", "aws_network_interface", lambda client, it: str(
        client.create_network_interface(SubnetId=it["subnet_id"])["NetworkInterface"]["NetworkInterfaceId"])),
    missing("aws_network_interface.second", lambda client, it: client.delete_network_interface(NetworkInterfaceId=it["id"])),
)  # fmt: skip


def _vpc_of(client: Any, it: Attributes) -> str:
    found = client.describe_network_interfaces(NetworkInterfaceIds=[it["id"]])["NetworkInterfaces"]
    return str(found[0]["VpcId"])


MUTATIONS: tuple[Mutation, ...] = (*_INTERFACES, *_ENDPOINTS, *_PEERING, *_ADDRESSING)


def fixed(kind: str, *names: str) -> dict[str, str]:
    """Excuse attributes that AWS fixes at creation."""
    return {f"{kind}.{name}": FIXED for name in names}


def still(kind: str, *names: str) -> dict[str, str]:
    """Excuse attributes that the stand-in cannot change."""
    return {f"{kind}.{name}": NO_MOTO for name in names}


EXCEPTIONS: dict[str, str] = {
    **fixed("aws_vpc_endpoint", "vpc_id", "service_name", "vpc_endpoint_type"),
    **still("aws_vpc_endpoint", "private_dns_enabled", "ip_address_type", "dns_options"),
    "aws_vpc_endpoint_policy.missing": "every endpoint has a policy: it goes with the endpoint alone",
    "aws_vpc_endpoint_policy.unmanaged": "every endpoint has a policy: it shows on the endpoint",
    **fixed("aws_vpc_peering_connection", "vpc_id", "peer_vpc_id", "peer_owner_id", "peer_region"),
    "aws_vpc_peering_connection_options.unmanaged": "every connection has options: they show on the connection",
    **fixed(
        "aws_vpc_dhcp_options", "domain_name", "domain_name_servers", "ntp_servers", "netbios_name_servers",
        "netbios_node_type", "ipv6_address_preferred_lease_time",
    ),
    **fixed("aws_ec2_managed_prefix_list", "address_family"),
    **still("aws_ec2_managed_prefix_list", "max_entries"),
    **fixed(
        "aws_flow_log", "vpc_id", "subnet_id", "eni_id", "transit_gateway_id", "transit_gateway_attachment_id", "traffic_type",
        "log_destination_type", "log_destination", "log_format", "max_aggregation_interval", "iam_role_arn",
        "deliver_cross_account_role", "destination_options",
    ),
    **fixed("aws_network_interface", "subnet_id", "interface_type"),
    **still("aws_network_interface", "ipv6_addresses", "ipv4_prefixes", "ipv6_prefixes"),
    "aws_network_interface_attachment.instance_id": "moving it changes the device too; shown with `device_index`",
    "aws_network_interface_attachment.unmanaged": "an undeclared attachment shows on its interface",
}  # fmt: skip
