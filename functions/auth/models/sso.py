"""An organisation's own identity provider: what comes in and goes out."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from .sign_in import RETURN_PATH


class PutSsoConfig(BaseModel):
    """How people of the organisation sign in by SAML; the metadata come from an address or with the call."""

    model_config = ConfigDict(extra="forbid")

    enabled: bool = Field(description="Whether people can sign in by it.")
    enforced: bool = Field(
        default=False, description="Whether members who are no owners must; takes effect while enabled."
    )
    metadata_url: str | None = Field(None, min_length=1, max_length=2000, description="Read now, and again every day.")
    metadata_xml: str | None = Field(None, min_length=1, max_length=262_144)
    idp_entity_id: str | None = Field(
        None, min_length=1, max_length=1024, description="Which provider, when the metadata tell of several."
    )
    allow_idp_initiated: bool = Field(
        default=False, description="Take sign-ins that were not begun here; others can plant one."
    )
    allow_cbc_encryption: bool = Field(
        default=False,
        description="Take assertions encrypted with AES-CBC, which some providers offer alone; only inside a signed response.",
    )
    email_attribute: str = Field(
        "", max_length=200, description="The attribute that holds the address; the usual names without."
    )
    default_role: Literal["viewer", "member", "admin"] = Field(
        "viewer", description="Of people who sign in for the first time."
    )

    @model_validator(mode="after")
    def _one_source(self) -> PutSsoConfig:
        if (self.metadata_url is None) == (self.metadata_xml is None):
            raise ValueError("give either metadata_url or metadata_xml")
        if self.enforced and not self.enabled:
            raise ValueError("what is enforced must be enabled")
        return self


class CertificateView(BaseModel):
    """A certificate that the provider signs with."""

    subject: str
    sha256: str
    not_before: datetime
    not_after: datetime


class SsoConfigView(BaseModel):
    """How people of the organisation sign in by SAML; `enabled` is false when nothing is set up."""

    enabled: bool
    enforced: bool = False
    connection_id: UUID | None = None
    idp_entity_id: str | None = None
    certificates: list[CertificateView] = []
    metadata_url: str | None = None
    metadata_fetched_at: datetime | None = None
    metadata_error: str | None = Field(
        default=None, description="Why the metadata could not be read again; the last good ones count."
    )
    allow_idp_initiated: bool = False
    allow_cbc_encryption: bool = False
    email_attribute: str = ""
    default_role: str = "viewer"
    sp_entity_id: str | None = Field(default=None, description="What the provider calls us: audience, entity id.")
    sp_metadata_url: str | None = None
    acs_url: str | None = Field(
        default=None, description="Where the provider sends people back to: ACS, reply URL, single sign-on URL."
    )
    login_url: str | None = None
    scim_endpoint: str | None = Field(default=None, description="Only in plans with SCIM.")


class AddDomain(BaseModel):
    """A domain that the organisation says is its own."""

    model_config = ConfigDict(extra="forbid")

    domain: str = Field(min_length=3, max_length=253)


class DomainView(BaseModel):
    """A domain, and the DNS record that proves it."""

    domain: str
    is_verified: bool
    verified_at: datetime | None
    created_at: datetime
    txt_name: str = Field(description="Name of the TXT record to make.")
    txt_value: str = Field(description="What it must hold; other records may stand beside it.")


class DomainPage(BaseModel):
    """Every domain of the organisation."""

    items: list[DomainView]
    next_cursor: str | None = None


class SamlLoginQuery(BaseModel):
    """How to begin a sign-in by SAML."""

    model_config = ConfigDict(extra="forbid")

    return_to: str = Field("/", max_length=500, pattern=RETURN_PATH, description="Path of ours to come back to.")
    fresh: bool = Field(default=False, description="Prove who you are again, even if the provider still knows you.")


class SamlResponseForm(BaseModel):
    """What the browser posts on behalf of the provider (SAML bindings 3.5.4)."""

    model_config = ConfigDict(extra="ignore")

    SAMLResponse: str = Field(min_length=1, max_length=700_000)
    RelayState: str = Field("", max_length=2000)
