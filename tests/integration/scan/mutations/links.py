"""What can be changed behind Terraform's back in the `links` group: what joins VPCs with each other and with the outside."""

from __future__ import annotations

from functions.scan.types.aws import ec2_gateways, ec2_links
from tests.support.aws_account import Mutation

from . import links_gateways, links_vpc

SPECS = (*ec2_links.SPECS, *ec2_gateways.SPECS)

MUTATIONS: tuple[Mutation, ...] = (*links_gateways.MUTATIONS, *links_vpc.MUTATIONS)

EXCEPTIONS: dict[str, str] = {**links_vpc.EXCEPTIONS, **links_gateways.EXCEPTIONS}
