"""What comes in and goes out of calls on cloud accounts."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, RootModel, StringConstraints

from .access_models import AssumedRole, ClientSecret, RegionName, ServiceAccountKey, StaticKey, WorkloadIdentity
from .models import GapView, RowView

_STRICT = ConfigDict(extra="forbid")
AccountNumber = Annotated[str, StringConstraints(pattern=r"^[0-9]{12}$")]
# Source: Resource Manager, "Project" (projectId; older ids have a domain before them), "Folder", "Organization".
GoogleParent = Annotated[
    str, StringConstraints(pattern=r"^(projects/[a-z0-9][a-z0-9.:-]{0,63}|(folders|organizations)/[0-9]{1,25})$")
]
ClusterName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/@-]{0,252}$")]
AccountName = Annotated[str, StringConstraints(min_length=1, max_length=100)]


def _all_is_alone(regions: list[str]) -> list[str]:
    if "all" in regions and len(regions) > 1:
        raise ValueError("`all` stands alone: it names every region that is enabled in the account")
    return regions


ScannedRegions = Annotated[
    list[RegionName | Literal["all"]],
    Field(
        min_length=1,
        max_length=50,
        description="by name, or `all` alone: those that are enabled in the account when a scan starts. "
        "With an access key `all` is taken for the regions of the partition `aws`.",
    ),
    AfterValidator(_all_is_alone),
]


class FederatedIdentity(BaseModel):
    """A Microsoft Entra application or managed identity with a federated credential for DriftWise; its audience is the external id."""

    model_config = _STRICT

    kind: Literal["federated"]
    tenant_id: UUID
    client_id: UUID | None = Field(
        None, description="may follow later, when it was made with the external id that the answer has"
    )


class Report(BaseModel):
    """No credentials: the operator in the cluster reports, with an API key."""

    model_config = _STRICT

    kind: Literal["report"] = "report"


class CreateAwsAccount(BaseModel):
    """A wish to connect an account of AWS."""

    model_config = _STRICT

    provider: Literal["aws"]
    name: AccountName
    external_account: AccountNumber = Field(description="the 12-digit AWS account id")
    regions: ScannedRegions = ["us-east-1"]
    auth: StaticKey | AssumedRole = Field(discriminator="kind")


class CreateGoogleAccount(BaseModel):
    """A wish to connect a project, a folder or an organisation of Google Cloud."""

    model_config = _STRICT

    provider: Literal["gcp"]
    name: AccountName
    external_account: GoogleParent = Field(
        description="`projects/ID`, `folders/NUMBER` or `organizations/NUMBER`: with all that lies below it"
    )
    auth: WorkloadIdentity | ServiceAccountKey = Field(discriminator="kind")


class CreateAzureAccount(BaseModel):
    """A wish to connect a subscription of Azure."""

    model_config = _STRICT

    provider: Literal["azure"]
    name: AccountName
    external_account: UUID = Field(description="the id of the subscription")
    auth: FederatedIdentity | ClientSecret = Field(discriminator="kind")


class CreateKubernetesAccount(BaseModel):
    """A wish to connect a cluster of Kubernetes; what the operator there reports under this name is its content."""

    model_config = _STRICT

    provider: Literal["kubernetes"]
    name: AccountName
    external_account: ClusterName = Field(description="the cluster's name, as its operator is told")
    auth: Report = Report()


AnyAccount = CreateAwsAccount | CreateGoogleAccount | CreateAzureAccount | CreateKubernetesAccount
AccountAccess = (
    StaticKey | AssumedRole | WorkloadIdentity | ServiceAccountKey | FederatedIdentity | ClientSecret | Report
)


class CreateAccount(RootModel[Annotated[AnyAccount, Field(discriminator="provider")]]):
    """A wish to connect a cloud account."""


class ChangeAccount(BaseModel):
    """A change of a connected account; what is left out stays. Which account it is does not change: that would be another one."""

    model_config = _STRICT

    name: AccountName | None = None
    regions: ScannedRegions | None = Field(None, description="of AWS only")
    auth: AccountAccess | None = Field(
        None, discriminator="kind", description="another way to sign in to the same account; the external id stays"
    )


class AccountView(RowView):
    """A connected account; credentials are never shown."""

    id: UUID
    provider: str
    name: str
    external_account: str
    regions: list[str]
    auth_kind: str
    role_arn: str | None
    external_id: str | None
    through: str | None
    identity_provider: str | None
    service_account: str | None
    tenant_id: UUID | None
    client_id: UUID | None
    verified_at: datetime | None
    created_at: datetime


class AccountPage(BaseModel):
    """One page of accounts."""

    items: list[AccountView]
    next_cursor: str | None


class VerifyView(BaseModel):
    """What the credentials can read."""

    is_complete: bool
    identity: str
    missing_permissions: list[str]
    gaps: list[GapView]
    reported_at: datetime | None = Field(None, description="of a cluster: when its operator reported last")


class TrustView(BaseModel):
    """What to set up in the customer's cloud so that DriftWise may read the account, ready to paste.

    `trusted_identity` is the number of DriftWise's own Google account; null where this installation has none, and then
    the texts have a placeholder in its place.
    """

    provider: str
    external_id: str | None
    trusted_identity: str | None
    permissions: list[str] = Field(description="all that a complete scan needs, in the provider's own words")
    commands: str = Field(description="for a shell with the provider's command line tool")
    terraform: str
