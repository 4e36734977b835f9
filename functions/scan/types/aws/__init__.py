"""The AWS type table: `SPECS` by Terraform type."""

from __future__ import annotations

from collections.abc import Mapping

from ...domain.specs import TypeSpec, index, never, unless_arn, worldwide
from . import (
    acm,
    apigateway,
    apigatewayv2,
    audit,
    autoscaling,
    caches,
    catalogues,
    cloudfront,
    cloudwatch,
    discovery,
    dynamodb,
    ec2_compute,
    ec2_gateways,
    ec2_images,
    ec2_links,
    ec2_network,
    ec2_routing,
    ec2_security,
    ec2_templates,
    ecr,
    ecs,
    elbv2,
    events,
    iam,
    kms,
    lambda_,
    logs,
    people,
    rds,
    rds_clusters,
    route53,
    runtime,
    s3,
    secretsmanager,
    sns,
    sqs,
    ssm,
    stores,
    wafv2,
)
from .catalogue import READABLE

SPECS = index(
    (
        *acm.SPECS,
        *apigateway.SPECS,
        *apigatewayv2.SPECS,
        *audit.SPECS,
        *autoscaling.SPECS,
        *caches.SPECS,
        *catalogues.SPECS,
        *worldwide(cloudfront.SPECS),
        *cloudwatch.SPECS,
        *discovery.SPECS,
        *dynamodb.SPECS,
        *ec2_compute.SPECS,
        *ec2_gateways.SPECS,
        *ec2_images.SPECS,
        *ec2_links.SPECS,
        *ec2_network.SPECS,
        *ec2_routing.SPECS,
        *ec2_security.SPECS,
        *ec2_templates.SPECS,
        *ecr.SPECS,
        *ecs.SPECS,
        *elbv2.SPECS,
        *events.SPECS,
        *worldwide(iam.SPECS),
        *kms.SPECS,
        *lambda_.SPECS,
        *logs.SPECS,
        *people.SPECS,
        *rds.SPECS,
        *rds_clusters.SPECS,
        *worldwide(route53.SPECS),
        *runtime.SPECS,
        *worldwide(s3.SPECS),
        *secretsmanager.SPECS,
        *sns.SPECS,
        *sqs.SPECS,
        *ssm.SPECS,
        *stores.SPECS,
        *wafv2.SPECS,
    )
)
# With the types that Cloud Control reads: nothing of them is compared, but a state's resources are told apart by their keys.
DECLARABLE: Mapping[str, TypeSpec] = {
    **{
        name: TypeSpec(
            name, {}, key=item.key, repeats=never if item.is_global else unless_arn, is_global=item.is_global
        )
        for name, item in READABLE.items()
    },
    **SPECS,
}
