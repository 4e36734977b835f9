"""The AWS type table: `SPECS` by Terraform type."""

from __future__ import annotations

from ...domain.specs import index
from . import (
    ec2_compute,
    ec2_network,
    ec2_routing,
    ec2_security,
    ec2_templates,
    elbv2,
    iam,
    kms,
    lambda_,
    s3,
    secretsmanager,
    ssm,
)

SPECS = index(
    (
        *ec2_compute.SPECS,
        *ec2_network.SPECS,
        *ec2_routing.SPECS,
        *ec2_security.SPECS,
        *ec2_templates.SPECS,
        *elbv2.SPECS,
        *iam.SPECS,
        *kms.SPECS,
        *lambda_.SPECS,
        *s3.SPECS,
        *secretsmanager.SPECS,
        *ssm.SPECS,
    )
)
