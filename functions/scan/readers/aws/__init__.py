"""The AWS readers, one module per service; `SERVICES` is what a scan shards over."""

from __future__ import annotations

from . import (
    ec2_compute,
    ec2_network,
    ec2_security,
    elbv2,
    iam,
    kms,
    lambda_,
    s3,
    secretsmanager,
    ssm,
)
from .base import Service

SERVICES: tuple[Service, ...] = (
    ec2_compute.SERVICE,
    ec2_network.SERVICE,
    ec2_security.SERVICE,
    elbv2.SERVICE,
    iam.SERVICE,
    kms.SERVICE,
    lambda_.SERVICE,
    s3.SERVICE,
    secretsmanager.SERVICE,
    ssm.SERVICE,
)
