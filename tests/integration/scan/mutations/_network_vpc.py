"""Changes to VPCs, subnets, gateways, addresses, routes and network ACLs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.support.aws_account import CREATED, Mutation

from ._changes import Attributes, changed, ec2_tag, missing, unmanaged

FIXED = "fixed at creation in AWS; only a replacement changes it, which is missing and unmanaged"
NO_MOTO = "the AWS stand-in cannot change it"


def _associations(client: Any, table: str) -> dict[str, str]:
    found = client.describe_route_tables(RouteTableIds=[table])["RouteTables"][0]["Associations"]
    return {item.get("SubnetId", "main"): item["RouteTableAssociationId"] for item in found}


def _table_of(client: Any, subnet: str) -> str:
    found = client.describe_route_tables(Filters=[{"Name": "association.subnet-id", "Values": [subnet]}])
    return str(found["RouteTables"][0]["RouteTableId"])


def _other_table(client: Any, vpc: str, *, but: str) -> str:
    tables = client.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["RouteTables"]
    return str(next(item["RouteTableId"] for item in tables if item["RouteTableId"] != but))


def _move_route(client: Any, route: Attributes) -> object:
    vpc = client.describe_route_tables(RouteTableIds=[route["route_table_id"]])["RouteTables"][0]["VpcId"]
    attached = [{"Name": "attachment.vpc-id", "Values": [vpc]}]
    gateway = client.describe_internet_gateways(Filters=attached)["InternetGateways"][0]["InternetGatewayId"]
    return client.replace_route(
        RouteTableId=route["route_table_id"], DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway
    )


def _reassociate_main(client: Any, association: Attributes) -> object:
    return client.replace_route_table_association(
        AssociationId=_associations(client, association["route_table_id"])["main"],
        RouteTableId=association["original_route_table_id"],
    )


def _reassociate(client: Any, association: Attributes) -> object:
    subnet, table = association["subnet_id"], association["route_table_id"]
    vpc = client.describe_route_tables(RouteTableIds=[table])["RouteTables"][0]["VpcId"]
    return client.replace_route_table_association(
        AssociationId=_associations(client, table)[subnet], RouteTableId=_other_table(client, vpc, but=table)
    )


def _acl_association(client: Any, subnet: str) -> str:
    acls = client.describe_network_acls(Filters=[{"Name": "association.subnet-id", "Values": [subnet]}])["NetworkAcls"]
    return str(next(i["NetworkAclAssociationId"] for i in acls[0]["Associations"] if i["SubnetId"] == subnet))


def _default_acl(client: Any, vpc: str) -> str:
    filters = [{"Name": "vpc-id", "Values": [vpc]}, {"Name": "default", "Values": ["true"]}]
    return str(client.describe_network_acls(Filters=filters)["NetworkAcls"][0]["NetworkAclId"])


def _to_default_acl(client: Any, subnet: str, acl: str) -> object:
    vpc = client.describe_network_acls(NetworkAclIds=[acl])["NetworkAcls"][0]["VpcId"]
    return client.replace_network_acl_association(
        AssociationId=_acl_association(client, subnet), NetworkAclId=_default_acl(client, vpc)
    )


def _entry(acl: str, number: int, **more: object) -> dict[str, object]:
    base: dict[str, object] = {
        "Protocol": "6",
        "RuleAction": "allow",
        "CidrBlock": "10.0.0.0/8",
        "PortRange": {"From": 22, "To": 22},
    }
    return {"NetworkAclId": acl, "RuleNumber": number, "Egress": False, **base, **more}


def _replace_entry(**more: object) -> Any:
    return lambda client, rule: client.replace_network_acl_entry(**_entry(rule["network_acl_id"], 200, **more))


def _setting(path: str, name: str, value: bool) -> Mutation:  # noqa: FBT001 -- a row of the table below
    def apply(client: Any, vpc: Attributes) -> object:
        return client.modify_vpc_attribute(VpcId=vpc["id"], **{name: {"Value": value}})

    return changed("aws_vpc.main", path, apply)


_VPC = (
    _setting("enable_dns_hostnames", "EnableDnsHostnames", False),
    _setting("enable_dns_support", "EnableDnsSupport", False),
    _setting("enable_network_address_usage_metrics", "EnableNetworkAddressUsageMetrics", True),
    ec2_tag("aws_vpc.main"),
    changed("aws_vpc.bare", "tags.Stack", lambda client, vpc: client.delete_tags(Resources=[vpc["id"]], Tags=[{"Key": "Stack"}])),
    changed("aws_default_vpc.default", "tags.Name", lambda client, vpc: client.create_tags(
        Resources=[vpc["id"]], Tags=[{"Key": "Name", "Value": "other"}])),
    unmanaged("aws_vpc.main", "aws_vpc", lambda client, _: str(client.create_vpc(CidrBlock="10.7.0.0/16")["Vpc"]["VpcId"])),
    unmanaged(
        "aws_vpc.bare",
        "aws_vpc_ipv4_cidr_block_association",
        lambda client, vpc: str(
            client.associate_vpc_cidr_block(VpcId=vpc["id"], CidrBlock="10.8.0.0/16")["CidrBlockAssociation"]["AssociationId"]
        ),
    ),
    missing(
        "aws_vpc_ipv4_cidr_block_association.more",
        lambda client, item: client.disassociate_vpc_cidr_block(AssociationId=item["id"]),
    ),
    changed(
        "aws_vpc.dual_stack",
        "ipv6_cidr_block",
        lambda client, vpc: client.disassociate_vpc_cidr_block(AssociationId=vpc["ipv6_association_id"]),
    ),
)  # fmt: skip

_SUBNETS = (
    changed(
        'aws_subnet.public["a"]',
        "map_public_ip_on_launch",
        lambda client, it: client.modify_subnet_attribute(SubnetId=it["id"], MapPublicIpOnLaunch={"Value": False}),
    ),
    changed(
        "aws_subnet.dual_stack",
        "assign_ipv6_address_on_creation",
        lambda client, it: client.modify_subnet_attribute(
            SubnetId=it["id"], AssignIpv6AddressOnCreation={"Value": True}
        ),
    ),
    changed(
        "aws_subnet.dual_stack",
        "enable_resource_name_dns_a_record_on_launch",
        lambda client, it: client.modify_subnet_attribute(
            SubnetId=it["id"], EnableResourceNameDnsARecordOnLaunch={"Value": True}
        ),
    ),
    changed(
        "aws_default_subnet.a",
        "map_public_ip_on_launch",
        lambda client, it: client.modify_subnet_attribute(SubnetId=it["id"], MapPublicIpOnLaunch={"Value": False}),
    ),
    ec2_tag("aws_subnet.private[0]"),
    unmanaged(
        "aws_vpc.main",
        "aws_subnet",
        lambda client, vpc: str(client.create_subnet(VpcId=vpc["id"], CidrBlock="10.0.99.0/24")["Subnet"]["SubnetId"]),
    ),
    missing("aws_subnet.dual_stack", lambda client, it: client.delete_subnet(SubnetId=it["id"])),
)

_GATEWAYS = (
    ec2_tag("aws_internet_gateway.main"),
    missing(
        "aws_internet_gateway_attachment.loose",
        lambda client, it: client.detach_internet_gateway(
            InternetGatewayId=it["internet_gateway_id"], VpcId=it["vpc_id"]
        ),
    ),
    unmanaged(
        "aws_vpc.main",
        "aws_internet_gateway",
        lambda client, _: str(client.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]),
    ),
    Mutation(
        "aws_vpc.bare",
        lambda state: {("unmanaged", f"{_id(state, 'loose')}|{_vpc(state, 'dual_stack')}", "")},
        lambda call, _: _attach_elsewhere(call("ec2")),
        also=("aws_internet_gateway", "aws_internet_gateway_attachment"),
    ),
    missing(
        "aws_internet_gateway.loose",
        lambda client, it: (
            client.detach_internet_gateway(InternetGatewayId=it["id"], VpcId=_attached_vpc(client, it["id"])),
            client.delete_internet_gateway(InternetGatewayId=it["id"]),
        ),
    ),
    changed(
        "aws_internet_gateway.main",
        "vpc_id",
        lambda client, it: client.detach_internet_gateway(InternetGatewayId=it["id"], VpcId=it["vpc_id"]),
    ),
    ec2_tag("aws_egress_only_internet_gateway.main"),
    unmanaged(
        "aws_vpc.dual_stack",
        "aws_egress_only_internet_gateway",
        lambda client, vpc: str(
            client.create_egress_only_internet_gateway(VpcId=vpc["id"])["EgressOnlyInternetGateway"][
                "EgressOnlyInternetGatewayId"
            ]
        ),
    ),
    missing(
        "aws_egress_only_internet_gateway.main",
        lambda client, it: client.delete_egress_only_internet_gateway(EgressOnlyInternetGatewayId=it["id"]),
    ),
    ec2_tag("aws_nat_gateway.main"),
    unmanaged(
        "aws_subnet.private[1]",
        "aws_nat_gateway",
        lambda client, it: str(
            client.create_nat_gateway(SubnetId=it["id"], ConnectivityType="private")["NatGateway"]["NatGatewayId"]
        ),
    ),
    missing("aws_nat_gateway.private", lambda client, it: client.delete_nat_gateway(NatGatewayId=it["id"])),
)


def _id(state: dict[str, Any], name: str, kind: str = "aws_internet_gateway") -> str:
    found = next(item for item in state["resources"] if (item["type"], item["name"]) == (kind, name))
    return str(found["instances"][0]["attributes"]["id"])


def _vpc(state: dict[str, Any], name: str) -> str:
    return _id(state, name, "aws_vpc")


def _attached_vpc(client: Any, gateway: str) -> str:
    return str(
        client.describe_internet_gateways(InternetGatewayIds=[gateway])["InternetGateways"][0]["Attachments"][0][
            "VpcId"
        ]
    )


def _attach_elsewhere(client: Any) -> bool:
    vpc = next(item["VpcId"] for item in client.describe_vpcs()["Vpcs"] if item["CidrBlock"] == "10.2.0.0/16")
    for gateway in client.describe_internet_gateways()["InternetGateways"]:
        tags = {tag["Key"] for tag in gateway["Tags"]}
        if not gateway["Attachments"] and "Stack" in tags:
            client.attach_internet_gateway(InternetGatewayId=gateway["InternetGatewayId"], VpcId=vpc)
    return True


_ADDRESSES = (
    ec2_tag("aws_eip.free"),
    unmanaged("aws_eip.free", "aws_eip", lambda client, _: str(client.allocate_address(Domain="vpc")["AllocationId"])),
    changed(
        "aws_eip.web", "instance", lambda client, it: client.disassociate_address(AssociationId=it["association_id"])
    ),
    missing("aws_eip.free", lambda client, it: client.release_address(AllocationId=it["id"])),
    Mutation(
        "aws_eip_association.associated",
        {
            ("changed", "aws_eip_association.associated", name)
            for name in ("instance_id", "network_interface_id", "private_ip_address")
        },
        lambda call, it: _move_address(call("ec2"), it),
    ),
    missing(
        "aws_eip_association.associated",
        lambda client, it: client.disassociate_address(
            AssociationId=client.describe_addresses(AllocationIds=[it["allocation_id"]])["Addresses"][0][
                "AssociationId"
            ]
        ),
    ),
)


def _move_address(client: Any, association: Attributes) -> None:
    instances = [item for part in client.describe_instances()["Reservations"] for item in part["Instances"]]
    other = next(item["InstanceId"] for item in instances if item["InstanceId"] != association["instance_id"])
    client.associate_address(AllocationId=association["allocation_id"], InstanceId=other, AllowReassociation=True)


def _retarget(path: str, member: str, target: Callable[[Any], str]) -> Mutation:
    """Point the default route at something else."""

    def apply(client: Any, route: Attributes) -> object:
        return client.replace_route(
            RouteTableId=route["route_table_id"], DestinationCidrBlock="0.0.0.0/0", **{member: target(client)}
        )

    return changed("aws_route.nat", path, apply)


def _peering(client: Any) -> str:
    first, second, *_ = (item["VpcId"] for item in client.describe_vpcs()["Vpcs"])
    reply = client.create_vpc_peering_connection(VpcId=first, PeerVpcId=second)
    return str(reply["VpcPeeringConnection"]["VpcPeeringConnectionId"])


def _transit_gateway(client: Any) -> str:
    return str(client.create_transit_gateway()["TransitGateway"]["TransitGatewayId"])


def _egress(client: Any) -> str:
    found = client.describe_egress_only_internet_gateways()["EgressOnlyInternetGateways"]
    return str(found[0]["EgressOnlyInternetGatewayId"])


def _interface(client: Any) -> str:
    return str(client.describe_network_interfaces()["NetworkInterfaces"][0]["NetworkInterfaceId"])


_ROUTES = (
    ec2_tag("aws_route_table.public"),
    changed(
        "aws_route_table.public",
        "route",
        lambda client, it: client.create_route(
            RouteTableId=it["id"], DestinationCidrBlock="198.51.100.0/24", GatewayId=it["route"][0]["gateway_id"]
        ),
    ),
    changed(
        "aws_default_route_table.main",
        "tags.Name",
        lambda client, it: client.create_tags(Resources=[it["id"]], Tags=[{"Key": "Name", "Value": "open"}]),
    ),
    unmanaged(
        "aws_vpc.main",
        "aws_route_table",
        lambda client, vpc: str(client.create_route_table(VpcId=vpc["id"])["RouteTable"]["RouteTableId"]),
    ),
    Mutation(
        "aws_route.nat",
        {("changed", "aws_route.nat", "gateway_id"), ("changed", "aws_route.nat", "nat_gateway_id")},
        lambda call, it: _move_route(call("ec2"), it),
    ),
    Mutation(
        "aws_route.nat",
        lambda state: {("unmanaged", f"{_id(state, 'private', 'aws_route_table')}|198.51.100.0/24", "")},
        lambda call, it: call("ec2").create_route(
            RouteTableId=it["route_table_id"], DestinationCidrBlock="198.51.100.0/24", NatGatewayId=it["nat_gateway_id"]
        ),
    ),
    _retarget("vpc_peering_connection_id", "VpcPeeringConnectionId", _peering),
    _retarget("transit_gateway_id", "TransitGatewayId", _transit_gateway),
    _retarget("egress_only_gateway_id", "EgressOnlyInternetGatewayId", _egress),
    _retarget("network_interface_id", "NetworkInterfaceId", _interface),
    missing(
        "aws_route.nat",
        lambda client, it: client.delete_route(RouteTableId=it["route_table_id"], DestinationCidrBlock="0.0.0.0/0"),
    ),
    changed('aws_route_table_association.public["a"]', "route_table_id", _reassociate),
    missing(
        'aws_route_table_association.public["b"]',
        lambda client, it: client.disassociate_route_table(AssociationId=it["id"]),
    ),
    unmanaged(
        "aws_subnet.private[0]",
        "aws_route_table_association",
        lambda client, it: _associate_new_subnet(client, it["vpc_id"]),
        "ec2",
    ),
    changed("aws_main_route_table_association.bare", "route_table_id", _reassociate_main),
    missing("aws_route_table.empty", lambda client, it: client.delete_route_table(RouteTableId=it["id"])),
    Mutation(
        "aws_vpc.dual_stack",
        {("changed", "aws_vpc.dual_stack", "main_route_table_id"), ("unmanaged", CREATED, "")},
        lambda call, it: _exchange_main_table(call("ec2"), it),
        also=("aws_route_table",),
    ),
)


def _exchange_main_table(client: Any, vpc: Attributes) -> str:
    """Make a new table the main one; the former main table stays behind as one more table that nobody declares."""
    table = str(client.create_route_table(VpcId=vpc["id"])["RouteTable"]["RouteTableId"])
    former = str(vpc["main_route_table_id"])
    client.replace_route_table_association(AssociationId=_associations(client, former)["main"], RouteTableId=table)
    return former


def _associate_new_subnet(client: Any, vpc: str) -> str:
    """Associate the subnet that an earlier mutation created, which no route table names yet."""
    tables = client.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["RouteTables"]
    routed = {item.get("SubnetId") for table in tables for item in table["Associations"]}
    subnets = client.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["Subnets"]
    free = next(
        item["SubnetId"] for item in subnets if item["SubnetId"] not in routed and item["CidrBlock"] == "10.0.99.0/24"
    )
    client.associate_route_table(RouteTableId=tables[0]["RouteTableId"], SubnetId=free)
    return str(free)


def _guard_one_more(client: Any, acl: Attributes) -> str:
    filters = [{"Name": "vpc-id", "Values": [acl["vpc_id"]]}, {"Name": "cidr-block", "Values": ["10.0.2.0/24"]}]
    subnet = str(client.describe_subnets(Filters=filters)["Subnets"][0]["SubnetId"])
    client.replace_network_acl_association(AssociationId=_acl_association(client, subnet), NetworkAclId=acl["id"])
    return subnet


_ACLS = (
    ec2_tag("aws_network_acl.inline"),
    changed(
        "aws_network_acl.inline", "ingress", lambda client, it: client.create_network_acl_entry(**_entry(it["id"], 110))
    ),
    changed(
        "aws_network_acl.inline",
        "egress",
        lambda client, it: client.delete_network_acl_entry(NetworkAclId=it["id"], RuleNumber=100, Egress=True),
    ),
    changed(
        "aws_network_acl.inline",
        "subnet_ids",
        lambda client, it: _to_default_acl(client, it["subnet_ids"][0], it["id"]),
    ),
    changed(
        "aws_default_network_acl.main",
        "ingress",
        lambda client, it: client.create_network_acl_entry(**_entry(it["id"], 90, RuleAction="deny")),
    ),
    changed("aws_network_acl_rule.in", "rule_action", _replace_entry(RuleAction="deny")),
    changed("aws_network_acl_rule.in", "cidr_block", _replace_entry(RuleAction="deny", CidrBlock="0.0.0.0/0")),
    changed(
        "aws_network_acl_rule.in",
        "from_port",
        _replace_entry(RuleAction="deny", CidrBlock="0.0.0.0/0", PortRange={"From": 21, "To": 22}),
    ),
    changed(
        "aws_network_acl_rule.in",
        "to_port",
        _replace_entry(RuleAction="deny", CidrBlock="0.0.0.0/0", PortRange={"From": 21, "To": 23}),
    ),
    changed(
        "aws_network_acl_rule.in",
        "protocol",
        _replace_entry(Protocol="17", RuleAction="deny", CidrBlock="0.0.0.0/0", PortRange={"From": 21, "To": 23}),
    ),
    Mutation(
        "aws_network_acl_rule.in",
        lambda state: {("unmanaged", f"{_id(state, 'split', 'aws_network_acl')}|ingress|210", "")},
        lambda call, rule: call("ec2").create_network_acl_entry(**_entry(rule["network_acl_id"], 210)),
    ),
    missing(
        "aws_network_acl_rule.out",
        lambda client, rule: client.delete_network_acl_entry(
            NetworkAclId=rule["network_acl_id"], RuleNumber=200, Egress=True
        ),
    ),
    changed(
        "aws_network_acl_association.split",
        "network_acl_id",
        lambda client, it: _to_default_acl(client, it["subnet_id"], it["network_acl_id"]),
    ),
    unmanaged(
        "aws_network_acl.split",
        "aws_network_acl_association",
        _guard_one_more,
    ),
    unmanaged(
        "aws_vpc.main",
        "aws_network_acl",
        lambda client, vpc: str(client.create_network_acl(VpcId=vpc["id"])["NetworkAcl"]["NetworkAclId"]),
    ),
    missing("aws_network_acl.inline", lambda client, it: client.delete_network_acl(NetworkAclId=it["id"])),
)


_LAST = (
    missing(
        "aws_vpc_ipv6_cidr_block_association.bare",
        lambda client, it: client.disassociate_vpc_cidr_block(AssociationId=it["id"]),
    ),
    unmanaged(
        "aws_vpc.bare",
        "aws_vpc_ipv6_cidr_block_association",
        lambda client, it: str(
            client.associate_vpc_cidr_block(VpcId=it["id"], AmazonProvidedIpv6CidrBlock=True)[
                "Ipv6CidrBlockAssociation"
            ]["AssociationId"]
        ),
    ),
    Mutation(
        "aws_vpc.bare",
        {("missing", "aws_vpc.bare", ""), ("missing", "aws_main_route_table_association.bare", "")},
        lambda call, it: call("ec2").delete_vpc(VpcId=it["id"]),
        also=("aws_main_route_table_association",),
    ),
)

MUTATIONS = (*_VPC, *_SUBNETS, *_ADDRESSES, *_ROUTES, *_ACLS, *_GATEWAYS, *_LAST)

EXCEPTIONS: dict[str, str] = {
    **dict.fromkeys(("aws_vpc.cidr_block", "aws_vpc.instance_tenancy"), FIXED),
    "aws_vpc_ipv4_cidr_block_association.vpc_id": FIXED,
    "aws_vpc_ipv4_cidr_block_association.cidr_block": FIXED,
    **dict.fromkeys(
        (f"aws_subnet.{name}" for name in ("vpc_id", "cidr_block", "availability_zone", "ipv6_native", "outpost_arn")),
        FIXED,
    ),
    **dict.fromkeys(
        (
            f"aws_subnet.{name}"
            for name in (
                "map_customer_owned_ip_on_launch",
                "customer_owned_ipv4_pool",
                "ipv6_cidr_block",
                "enable_dns64",
                "enable_lni_at_device_index",
                "enable_resource_name_dns_aaaa_record_on_launch",
                "private_dns_hostname_type_on_launch",
            )
        ),
        NO_MOTO,
    ),
    "aws_egress_only_internet_gateway.vpc_id": FIXED,
    **dict.fromkeys(
        (f"aws_nat_gateway.{name}" for name in ("subnet_id", "connectivity_type", "allocation_id", "private_ip")), FIXED
    ),
    "aws_nat_gateway.secondary_allocation_ids": NO_MOTO,
    "aws_nat_gateway.secondary_private_ip_addresses": NO_MOTO,
    **dict.fromkeys(
        (
            f"aws_eip.{name}"
            for name in ("domain", "public_ip", "public_ipv4_pool", "customer_owned_ipv4_pool", "network_border_group")
        ),
        FIXED,
    ),
    "aws_route_table.vpc_id": FIXED,
    "aws_network_acl.vpc_id": FIXED,
    "aws_network_acl_rule.ipv6_cidr_block": "a rule has one source; changing its kind shows as cidr_block as well",
    "aws_network_acl_rule.icmp_type": "the AWS stand-in forgets ICMP types",
    "aws_vpc_ipv6_cidr_block_association.vpc_id": FIXED,
    "aws_vpc_ipv6_cidr_block_association.ipv6_cidr_block": FIXED,
    **dict.fromkeys(
        (
            f"aws_route.{name}"
            for name in ("carrier_gateway_id", "core_network_arn", "local_gateway_id", "vpc_endpoint_id")
        ),
        NO_MOTO,
    ),
    "aws_route_table.propagating_vgws": NO_MOTO,
    "aws_vpn_gateway_route_propagation.missing": NO_MOTO,
    "aws_vpn_gateway_route_propagation.unmanaged": NO_MOTO,
    "aws_main_route_table_association.unmanaged": "every VPC has one, made by AWS; the VPC's main_route_table_id shows it",
    "aws_network_acl_association.missing": "every subnet always has one: a change shows as network_acl_id",
    "aws_eip_association.unmanaged": "shown as the address's instance",
    "aws_network_acl_rule.icmp_code": "the AWS stand-in forgets ICMP codes",
}
