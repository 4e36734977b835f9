"""What comes in and goes out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, RootModel, SecretStr

from shared.http.paging import PageQuery
from shared.security.signatures import Provider

from .channel_models import OutgoingView, OutStatus

DAY_SECONDS = 24 * 3600
_STRICT = ConfigDict(extra="forbid")
_SECRET = re.compile(r"[!-~]{16,200}")


def _plain(secret: SecretStr) -> SecretStr:
    if _SECRET.fullmatch(secret.get_secret_value()) is None:
        raise ValueError("a secret has 16 to 200 printable ASCII characters and no space")
    return secret


VendorSecret = Annotated[SecretStr, AfterValidator(_plain)]
Name = Annotated[str, Field(min_length=1, max_length=100)]
Slot = Literal["current", "previous"]
DeliveryStatus = Literal["received", "handled", "failed"]


class CreateConfig(BaseModel):
    """A wish for a place that one sender delivers to."""

    model_config = _STRICT

    provider: Provider
    name: Name
    secret: VendorSecret | None = Field(
        default=None,
        description="a secret that the provider made: for `gitlab`, `standard`, `stripe`, `slack`. Without one it is made here; "
        "for `stripe` and `slack` nothing is let in until `rotate` brings theirs",
    )


class ChangeConfig(BaseModel):
    """A change of a config; what is left out stays."""

    model_config = _STRICT

    name: Name | None = None
    is_disabled: bool | None = Field(default=None, description="a disabled config lets nothing in")
    end_grace: Literal[True] | None = Field(default=None, description="let the previous secret end now")


class RotateSecret(BaseModel):
    """A wish for a new secret in the place of the present one."""

    model_config = _STRICT

    grace_seconds: int = Field(
        default=DAY_SECONDS,
        ge=0,
        le=7 * DAY_SECONDS,
        description="how long the present secret goes on working",
        strict=True,
    )
    secret: VendorSecret | None = Field(
        default=None, description="as when a config is made; `stripe` and `slack` need it"
    )


class ConfigView(BaseModel):
    """A config as admins see it; its secrets are never shown again."""

    id: UUID
    provider: str
    name: str
    url: str = Field(description="where the sender delivers to")
    has_secret: bool
    previous_expires_at: datetime | None = Field(description="until when the secret before this one works too")
    rotated_at: datetime | None
    disabled_at: datetime | None
    created_at: datetime

    @classmethod
    def of(cls, row: Mapping[str, Any], *, public_url: str, now: datetime, **more: Any) -> Self:
        """Make the view of a row.

        Args:
            row: of `webhook.configs`.
            public_url: of the suite.
            now: a grace that is over is not shown any more.
            more: members of a subclass.
        """
        ends_at = row["previous_expires_at"]
        shown = {name: row[name] for name in ("id", "provider", "name", "rotated_at", "disabled_at", "created_at")}
        return cls(
            **shown,
            url=f"{public_url}/webhooks/{row['provider']}/{row['id']}",
            has_secret=row["current_secret_encrypted"] is not None,
            previous_expires_at=ends_at if ends_at is not None and ends_at > now else None,
            **more,
        )


class NewSecretView(ConfigView):
    """A config right after it got a secret: the only time that one made here is shown."""

    secret: str | None


class ConfigPage(BaseModel):
    """One page of configs."""

    items: list[ConfigView]
    next_cursor: str | None


class Accepted(BaseModel):
    """A delivery that was taken in; one that came before is answered 200 with `already_processed` and nothing else."""

    status: Literal["accepted"]
    id: UUID


class DeliveryQuery(PageQuery):
    """Query of deliveries. A filter that only one direction has leaves the other one out."""

    direction: Literal["in", "out"] | None = None
    config_id: UUID | None = None
    channel_id: UUID | None = None
    provider: Provider | None = None
    status: DeliveryStatus | OutStatus | None = None
    proved_by: Slot | None = Field(default=None, description="`previous`: who still signs with the old secret")

    def shows(self, direction: Literal["in", "out"]) -> bool:
        """Whether deliveries of a direction can pass."""
        if direction == "in":
            is_left_out = self.channel_id is not None or self.status in {"collecting", "pending", "delivered"}
        else:
            is_left_out = bool(
                self.config_id or self.provider or self.proved_by or self.status in {"received", "handled"}
            )
        return self.direction in {None, direction} and not is_left_out


class DeliveryView(BaseModel):
    """A delivery: what came, what became of it. Its body is not shown."""

    id: UUID
    direction: Literal["in"]
    config_id: UUID
    provider: str
    external_id: str | None = Field(description="what the sender calls it")
    proved_by: str
    event_kind: str | None
    status: str
    tries: int
    repeats: int
    error_code: str | None
    error_detail: str | None = Field(description="of a plan that cannot be read: what its reader says")
    body_sha256: str
    body_bytes: int
    has_body: bool
    received_at: datetime
    handled_at: datetime | None

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        """Make the view of a row."""
        own = {"direction": "in", "body_sha256": bytes(row["body_sha256"]).hex()}
        return cls(**own, **{name: row[name] for name in cls.model_fields if name not in own})


class AnyDeliveryView(RootModel[Annotated[DeliveryView | OutgoingView, Field(discriminator="direction")]]):
    """A delivery, either way."""


class DeliveryPage(BaseModel):
    """One page of deliveries."""

    items: list[Annotated[DeliveryView | OutgoingView, Field(discriminator="direction")]]
    next_cursor: str | None
