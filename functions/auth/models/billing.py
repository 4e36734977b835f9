"""Billing: what comes in and goes out. No card, no amount, no address of a person: Stripe's pages have those."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

PriceId = Annotated[str, StringConstraints(pattern=r"^price_[0-9A-Za-z]{1,200}$")]


class PriceView(BaseModel):
    """Something that can be bought; what it costs is shown by Stripe's page."""

    price_id: str
    plan: str


class BillingView(BaseModel):
    """What an organisation pays for."""

    is_enabled: bool = Field(description="whether plans are sold in this installation")
    plan: str = Field(description="what holds now, whoever set it")
    granted_plan: str | None = Field(description="what the subscription pays for; none: nothing")
    status: str | None = Field(description="of the subscription, in Stripe's words; none: there never was one")
    warning: Literal["payment_failed", "payment_pending", "plan_lapsed"] | None = Field(
        description="`payment_failed`: the plan still holds while Stripe tries again; `payment_pending`: the first payment is not "
        "through; `plan_lapsed`: the subscription pays for nothing until it is mended in the portal"
    )
    has_portal: bool = Field(description="whether there is something to be changed in the billing portal")
    period_ends_at: datetime | None
    cancels_at: datetime | None = Field(description="when the subscription ends because it was cancelled")
    prices: list[PriceView] = Field(description="what can be bought")


class CreateCheckout(BaseModel):
    """A wish to buy a plan."""

    model_config = ConfigDict(extra="forbid")

    price_id: PriceId


class BillingPageView(BaseModel):
    """A page of Stripe's to go on to."""

    url: str | None = Field(
        description="where the browser is to go, soon and once; none in the answer to a repeated request"
    )


class StripeEventView(BaseModel):
    """What became of an event of Stripe's."""

    outcome: Literal["applied", "unchanged", "ignored", "already_processed", "refused"]
