"""What can be changed behind Terraform's back in the `identity` group: one tuple per service, here put together."""

from __future__ import annotations

from functions.scan.types.aws import iam, kms, lambda_, s3, secretsmanager, ssm
from tests.support.aws_account import Mutation

from . import identity_iam, identity_keys, identity_lambda, identity_s3

SPECS = (*s3.SPECS, *iam.SPECS, *kms.SPECS, *secretsmanager.SPECS, *ssm.SPECS, *lambda_.SPECS)

# Lambda and S3 come first: what they use (roles, keys) is deleted later.
MUTATIONS: tuple[Mutation, ...] = (
    *identity_lambda.MUTATIONS,
    *identity_s3.MUTATIONS,
    *identity_keys.MUTATIONS,
    *identity_iam.MUTATIONS,
)

EXCEPTIONS: dict[str, str] = {
    **identity_lambda.EXCEPTIONS,
    **identity_s3.EXCEPTIONS,
    **identity_keys.EXCEPTIONS,
    **identity_iam.EXCEPTIONS,
}
