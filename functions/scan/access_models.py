"""How customers' clouds are signed in to, as callers say it: for accounts and for state sources alike."""

from __future__ import annotations

from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints, model_validator

RegionName = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}$")]
RoleArn = Annotated[
    str, StringConstraints(pattern=r"^arn:aws[a-z-]*:iam::[0-9]{12}:role/[0-9A-Za-z_+=,.@/-]+$", max_length=600)
]
_STRICT = ConfigDict(extra="forbid")


class StaticKey(BaseModel):
    """An access key. Accepted and discouraged: a role leaves no long-lived secret behind."""

    model_config = _STRICT

    kind: Literal["static_key"]
    access_key_id: str = Field(pattern=r"^[A-Z0-9]{16,128}$")
    secret_access_key: SecretStr = Field(min_length=16, max_length=256)


class AssumedRole(BaseModel):
    """A role that DriftWise assumes, with an external id that DriftWise chose.

    Accounts that are reached through the same role of a hub account have the same external id: the hub trusts one.
    """

    model_config = _STRICT

    kind: Literal["role"]
    role_arn: RoleArn
    through: RoleArn | None = Field(
        None, description="a role of a hub account that is assumed first, and assumes this one (a chain)"
    )

    @model_validator(mode="after")
    def _is_chain(self) -> Self:
        if self.through is not None:
            if self.through == self.role_arn:
                raise ValueError("`through` is another role than `role_arn`")
            if self.through.split(":")[1] != self.role_arn.split(":")[1]:
                raise ValueError("`through` lies in the partition of `role_arn`: roles of others cannot assume it")
        return self


class WorkloadIdentity(BaseModel):
    """A workload identity provider of Google Cloud's that trusts DriftWise, with the external id among its audiences."""

    model_config = _STRICT

    kind: Literal["workload_identity"]
    provider: str = Field(
        pattern=r"^projects/[0-9]{1,20}/locations/global/workloadIdentityPools/[a-z0-9-]{4,32}/providers/[a-z0-9-]{4,32}$"
    )
    service_account: str | None = Field(
        None,
        pattern=r"^[a-z0-9-]{1,63}@[a-z0-9.-]{1,200}\.gserviceaccount\.com$",
        description="to act as; the pool's own principal unless said",
    )


class ServiceAccountKey(BaseModel):
    """A Google service account's key file, as JSON. Accepted and discouraged."""

    model_config = _STRICT

    kind: Literal["service_account_key"]
    key_json: SecretStr = Field(min_length=100, max_length=10_000)


class FederatedAccess(BaseModel):
    """A Microsoft Entra app or identity with a federated credential for DriftWise; its audience is the external id."""

    model_config = _STRICT

    kind: Literal["federated"]
    tenant_id: UUID
    client_id: UUID


class ClientSecret(BaseModel):
    """A Microsoft Entra app's secret. Accepted and discouraged."""

    model_config = _STRICT

    kind: Literal["client_secret"]
    tenant_id: UUID
    client_id: UUID
    client_secret: SecretStr = Field(min_length=8, max_length=256)
