"""What can be changed behind Terraform's back in the `network` group."""

from __future__ import annotations

from functions.scan.types.aws import ec2_network
from tests.support.aws_account import CREATED, Mutation

SPECS = (*ec2_network.SPECS,)

MUTATIONS: tuple[Mutation, ...] = (
    Mutation(
        "aws_subnet.a",
        {("changed", "aws_subnet.a", "map_public_ip_on_launch")},
        lambda call, subnet: call("ec2").modify_subnet_attribute(
            SubnetId=subnet["id"], MapPublicIpOnLaunch={"Value": True}
        ),
    ),
    Mutation(
        "aws_subnet.a",
        {("changed", "aws_subnet.a", "tags.Extra")},
        lambda call, subnet: call("ec2").create_tags(Resources=[subnet["id"]], Tags=[{"Key": "Extra", "Value": "1"}]),
    ),
    Mutation(
        "aws_vpc.main",
        {("unmanaged", CREATED, "")},
        lambda call, vpc: call("ec2").create_subnet(VpcId=vpc["id"], CidrBlock="10.0.9.0/24")["Subnet"]["SubnetId"],
        also=("aws_subnet",),
    ),
    Mutation(
        "aws_subnet.a",
        {("missing", "aws_subnet.a", "")},
        lambda call, subnet: call("ec2").delete_subnet(SubnetId=subnet["id"]),
    ),
)

EXCEPTIONS: dict[str, str] = {
    "aws_subnet.vpc_id": "fixed at creation",
    "aws_subnet.cidr_block": "fixed at creation",
    "aws_subnet.availability_zone": "fixed at creation",
    "aws_subnet.assign_ipv6_address_on_creation": "to be written",
}
