"""What can be changed behind Terraform's back in the `network` group: EC2's network, compute and load balancing."""

from __future__ import annotations

from functions.scan.types.aws import ec2_compute, ec2_network, ec2_routing, ec2_security, ec2_templates, elbv2
from tests.support.aws_account import Mutation

from . import _network_balancers, _network_compute, _network_security, _network_vpc

SPECS = (
    *ec2_network.SPECS,
    *ec2_routing.SPECS,
    *ec2_security.SPECS,
    *ec2_compute.SPECS,
    *ec2_templates.SPECS,
    *elbv2.SPECS,
)

MUTATIONS: tuple[Mutation, ...] = (
    *_network_compute.MUTATIONS,
    *_network_balancers.MUTATIONS,
    *_network_security.MUTATIONS,
    *_network_vpc.MUTATIONS,
)

EXCEPTIONS: dict[str, str] = {
    **_network_vpc.EXCEPTIONS,
    **_network_security.EXCEPTIONS,
    **_network_compute.EXCEPTIONS,
    **_network_balancers.EXCEPTIONS,
}
