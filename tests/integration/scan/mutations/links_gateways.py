"""Changes to customer, VPN and transit gateways, and to what is joined to them."""

from __future__ import annotations

from typing import Any

from tests.support.aws_account import Mutation

from ._changes import Attributes, changed, ec2_tag, missing, unmanaged
from .links_vpc import fixed, still


def _create(operation: str, member: str, identity: str, **arguments: object) -> Any:
    return lambda client, _it: str(getattr(client, operation)(**arguments)[member][identity])


def _connect(client: Any, it: Attributes) -> str:
    made = client.create_vpn_connection(
        CustomerGatewayId=it["id"], Type="ipsec.1", VpnGatewayId=client.describe_vpn_gateways()["VpnGateways"][0]["VpnGatewayId"]
    )  # fmt: skip
    return str(made["VpnConnection"]["VpnConnectionId"])


def _attach_more(client: Any, vpc: Attributes) -> str:
    gateways = client.describe_vpn_gateways()["VpnGateways"]
    key = str(next(item["VpnGatewayId"] for item in gateways if not item.get("Tags")))
    client.attach_vpn_gateway(VpnGatewayId=key, VpcId=vpc["id"])
    return f"{key}|{vpc['id']}"


_VPN = (
    ec2_tag("aws_customer_gateway.office"),
    unmanaged("aws_customer_gateway.office", "aws_customer_gateway", _create(
        "create_customer_gateway", "CustomerGateway", "CustomerGatewayId", Type="ipsec.1", PublicIp="203.0.113.99", BgpAsn=65099)),
    ec2_tag("aws_vpn_gateway.there"),
    changed("aws_vpn_gateway.there", "vpc_id", lambda client, it: client.detach_vpn_gateway(
        VpnGatewayId=it["id"], VpcId=it["vpc_id"])),
    missing("aws_vpn_gateway_attachment.loose", lambda client, it: client.detach_vpn_gateway(
        VpnGatewayId=it["vpn_gateway_id"], VpcId=it["vpc_id"])),
    unmanaged("aws_vpc.there", "aws_vpn_gateway_attachment", _attach_more),
    unmanaged("aws_vpn_gateway.there", "aws_vpn_gateway", _create(
        "create_vpn_gateway", "VpnGateway", "VpnGatewayId", Type="ipsec.1")),
    ec2_tag("aws_vpn_connection.office"),
    unmanaged("aws_customer_gateway.office", "aws_vpn_connection", _connect),
    missing("aws_vpn_connection.office", lambda client, it: client.delete_vpn_connection(VpnConnectionId=it["id"])),
    missing("aws_vpn_gateway.there", lambda client, it: client.delete_vpn_gateway(VpnGatewayId=it["id"])),
    missing("aws_customer_gateway.office", lambda client, it: client.delete_customer_gateway(CustomerGatewayId=it["id"])),
)  # fmt: skip


def _hub(path: str, name: str, value: object) -> Mutation:
    return changed("aws_ec2_transit_gateway.hub", path, lambda client, it: client.modify_transit_gateway(
        TransitGatewayId=it["id"], Options={name: value}))  # fmt: skip


def _attachment(path: str, name: str, value: object) -> Mutation:
    return changed("aws_ec2_transit_gateway_vpc_attachment.here", path, lambda client, it: (
        client.modify_transit_gateway_vpc_attachment(TransitGatewayAttachmentId=it["id"], Options={name: value})))  # fmt: skip


def _attach_vpc(client: Any, hub: Attributes) -> str:
    vpc = next(item["VpcId"] for item in client.describe_vpcs()["Vpcs"] if item["CidrBlock"] == "10.21.0.0/16")
    subnet = client.create_subnet(VpcId=vpc, CidrBlock="10.21.9.0/24")["Subnet"]["SubnetId"]
    made = client.create_transit_gateway_vpc_attachment(TransitGatewayId=hub["id"], VpcId=vpc, SubnetIds=[subnet])
    return str(made["TransitGatewayVpcAttachment"]["TransitGatewayAttachmentId"])


def _route(client: Any, table: Attributes) -> str:
    client.create_transit_gateway_route(
        TransitGatewayRouteTableId=table["id"], DestinationCidrBlock="10.98.0.0/16", Blackhole=True
    )
    return f"{table['id']}|10.98.0.0/16"


def _drop_route(client: Any, route: Attributes) -> object:
    return client.delete_transit_gateway_route(
        TransitGatewayRouteTableId=route["transit_gateway_route_table_id"],
        DestinationCidrBlock=route["destination_cidr_block"],
    )


def _drop_propagation(client: Any, it: Attributes) -> object:
    return client.disable_transit_gateway_route_table_propagation(
        TransitGatewayRouteTableId=it["transit_gateway_route_table_id"],
        TransitGatewayAttachmentId=it["transit_gateway_attachment_id"],
    )


def _join(operation: str) -> Any:
    """Join an attachment to the table that it is not in."""

    def apply(client: Any, it: Attributes) -> str:
        tables = client.describe_transit_gateway_route_tables()["TransitGatewayRouteTables"]
        table = next(
            item["TransitGatewayRouteTableId"]
            for item in tables
            if not item["DefaultAssociationRouteTable"] and not item.get("Tags")
        )
        getattr(client, operation)(TransitGatewayRouteTableId=table, TransitGatewayAttachmentId=it["id"])
        return f"{table}|{it['id']}"

    return apply


def _other_subnet(client: Any, it: Attributes) -> object:
    subnets = client.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [it["vpc_id"]]}])["Subnets"]
    more = next(item["SubnetId"] for item in subnets if item["SubnetId"] not in it["subnet_ids"])
    return client.modify_transit_gateway_vpc_attachment(TransitGatewayAttachmentId=it["id"], AddSubnetIds=[more])


_TRANSIT = (
    ec2_tag("aws_ec2_transit_gateway.hub"),
    changed("aws_ec2_transit_gateway.hub", "description", lambda client, it: client.modify_transit_gateway(
        TransitGatewayId=it["id"], Description="other")),
    _hub("auto_accept_shared_attachments", "AutoAcceptSharedAttachments", "enable"),
    _hub("default_route_table_association", "DefaultRouteTableAssociation", "disable"),
    _hub("default_route_table_propagation", "DefaultRouteTablePropagation", "disable"),
    _hub("dns_support", "DnsSupport", "disable"),
    _hub("vpn_ecmp_support", "VpnEcmpSupport", "disable"),
    _hub("security_group_referencing_support", "SecurityGroupReferencingSupport", "enable"),
    ec2_tag("aws_ec2_transit_gateway_vpc_attachment.here"),
    _attachment("appliance_mode_support", "ApplianceModeSupport", "enable"),
    _attachment("dns_support", "DnsSupport", "disable"),
    _attachment("ipv6_support", "Ipv6Support", "enable"),
    _attachment("security_group_referencing_support", "SecurityGroupReferencingSupport", "disable"),
    changed("aws_ec2_transit_gateway_vpc_attachment.here", "subnet_ids", _other_subnet),
    unmanaged("aws_ec2_transit_gateway.hub", "aws_ec2_transit_gateway_vpc_attachment", _attach_vpc),
    ec2_tag("aws_ec2_transit_gateway_route_table.shared"),
    unmanaged("aws_ec2_transit_gateway.hub", "aws_ec2_transit_gateway_route_table", lambda client, it: str(
        client.create_transit_gateway_route_table(TransitGatewayId=it["id"])["TransitGatewayRouteTable"]["TransitGatewayRouteTableId"])),
    unmanaged("aws_ec2_transit_gateway_route_table.shared", "aws_ec2_transit_gateway_route", _route),
    missing("aws_ec2_transit_gateway_route.nowhere", _drop_route),
    missing("aws_ec2_transit_gateway_route_table_propagation.here", _drop_propagation),
    missing("aws_ec2_transit_gateway_route_table_association.here", lambda client, it: (
        client.disassociate_transit_gateway_route_table(
            TransitGatewayRouteTableId=it["transit_gateway_route_table_id"],
            TransitGatewayAttachmentId=it["transit_gateway_attachment_id"]))),
    unmanaged("aws_ec2_transit_gateway_vpc_attachment.here", "aws_ec2_transit_gateway_route_table_association",
              _join("associate_transit_gateway_route_table")),
    unmanaged("aws_ec2_transit_gateway_vpc_attachment.here", "aws_ec2_transit_gateway_route_table_propagation",
              _join("enable_transit_gateway_route_table_propagation")),
    unmanaged("aws_ec2_transit_gateway_route_table.alone", "aws_ec2_transit_gateway", _create(
        "create_transit_gateway", "TransitGateway", "TransitGatewayId", Description="more")),
    missing("aws_ec2_transit_gateway_vpc_attachment.here", lambda client, it: (
        client.delete_transit_gateway_vpc_attachment(TransitGatewayAttachmentId=it["id"]))),
    missing("aws_ec2_transit_gateway.hub", lambda client, it: client.delete_transit_gateway(TransitGatewayId=it["id"])),
    missing("aws_ec2_transit_gateway_route_table.alone", lambda client, it: (
        client.delete_transit_gateway_route_table(TransitGatewayRouteTableId=it["id"]))),
)  # fmt: skip

MUTATIONS: tuple[Mutation, ...] = (*_TRANSIT, *_VPN)

EXCEPTIONS: dict[str, str] = {
    **fixed(
        "aws_customer_gateway", "bgp_asn", "bgp_asn_extended", "certificate_arn", "device_name", "ip_address", "type"
    ),
    **fixed("aws_vpn_gateway", "amazon_side_asn", "availability_zone"),
    **fixed("aws_vpn_connection", "type", "static_routes_only", "enable_acceleration", "outside_ip_address_type", "tunnel_inside_ip_version"),
    **still(
        "aws_vpn_connection", "customer_gateway_id", "vpn_gateway_id", "transit_gateway_id", "local_ipv4_network_cidr",
        "remote_ipv4_network_cidr",
    ),
    **fixed("aws_ec2_transit_gateway", "amazon_side_asn", "multicast_support"),
    **still("aws_ec2_transit_gateway", "transit_gateway_cidr_blocks"),
    **fixed("aws_ec2_transit_gateway_vpc_attachment", "transit_gateway_id", "vpc_id"),
    **fixed("aws_ec2_transit_gateway_route_table", "transit_gateway_id"),
    **still("aws_ec2_transit_gateway_route", "blackhole", "transit_gateway_attachment_id"),
}  # fmt: skip
