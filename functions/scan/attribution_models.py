"""What goes out about who made a drift."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field


class AttributionView(BaseModel):
    """Who made a drift, when, by which call and through what; or why nobody knows.

    `status` is `pending` until it was looked up. `confidence` says how sure it is: `exact` when the call does precisely this,
    `likely` when it changed the resource and may have done it, `possible` when it is older than the last scan without the drift.
    """

    status: Literal["pending", "found", "unknown"]
    confidence: Literal["exact", "likely", "possible"] | None = None
    actor: str | None = Field(
        None,
        description="whom the cloud names: an ARN, an address or an object id; else the service, else the kind of identity",
    )
    actor_type: str | None = None
    user_name: str | None = None
    session_name: str | None = None
    issuer_arn: str | None = Field(None, description="the role (or user) that a session was made from")
    invoked_by: str | None = None
    at: datetime | None = None
    call: str | None = Field(
        None,
        description="by the cloud's own name, e.g. `ec2.amazonaws.com:ModifyVpcAttribute`, `v1.compute.firewalls.patch`",
    )
    channel: Literal["console", "terraform", "cli", "service", "api"] | None = None
    source_address: str | None = None
    user_agent: str | None = None
    region: str | None = None
    request_id: str | None = None
    event_id: str | None = None
    reason: str | None = Field(None, description="why nobody knows, e.g. `access_denied`, `no_event`")
    permission: str | None = Field(None, description="the permission that is missing")
