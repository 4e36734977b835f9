"""What comes in and goes out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from ipaddress import IPv6Network, ip_network
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, RootModel

DAY_SECONDS = 24 * 3600
_NETWORK = re.compile(r"[0-9A-Fa-f.:]{2,45}(?:/\d{1,3})?")


def _in_utc(value: datetime) -> datetime:
    """Turn a time into UTC; near the ends of the calendar that leaves the years that can be stored."""
    try:
        return value.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("the time is out of range") from error


def _network(text: str) -> str:
    """Return a network in its canonical form; one address is the network of itself."""
    if _NETWORK.fullmatch(text) is None:
        raise ValueError("not a network such as 203.0.113.0/24 or 2001:db8::/32")
    try:
        found = ip_network(text)
    except ValueError:
        raise ValueError("not a network: the form is wrong, or bits are set behind the prefix") from None
    if isinstance(found, IPv6Network) and found.network_address.ipv4_mapped is not None:
        raise ValueError("write an IPv4 network as IPv4")
    return str(found)


def _once(networks: list[str]) -> list[str]:
    return list(dict.fromkeys(networks))


Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]
Network = Annotated[str, AfterValidator(_network)]
Networks = Annotated[list[Network], Field(max_length=50), AfterValidator(_once)]


class CreateKey(BaseModel):
    """A wish for a new key."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=100)
    scopes: list[str] = Field(
        min_length=1, max_length=10, description="`read`, `write`, `admin`; `report` for the Kubernetes operator, alone"
    )
    expires_at: Moment | None = None
    cidrs: Networks = Field(
        default=[], description="IPv4 and IPv6 networks that the key may be used from; everywhere when there are none"
    )


class RotateKey(BaseModel):
    """A wish for a new key in the place of an old one."""

    model_config = ConfigDict(extra="forbid")

    grace_seconds: int = Field(
        default=DAY_SECONDS, ge=0, le=7 * DAY_SECONDS, description="how long the old key goes on working", strict=True
    )


class LeakedToken(BaseModel):
    """One find of a secret scanner; members that are new to us are left aside."""

    token: str = Field(max_length=1000)
    type: str = Field(max_length=200)
    url: str = Field(default="", max_length=4000)
    source: str = Field(default="", max_length=100)


class LeakReport(RootModel[list[LeakedToken]]):
    """What a secret scanner reports at once."""


class LeakFeedback(BaseModel):
    """What became of one reported token: whether it was one of ours."""

    token_hash: str = Field(description="SHA-256 of the token, in hexadecimal")
    token_type: str
    label: Literal["true_positive", "false_positive"]


class LeakFeedbacks(RootModel[list[LeakFeedback]]):
    """The answer to a report, in its order, each token once."""


class KeyView(BaseModel):
    """A key as members see it; the key itself is never stored and never shown again."""

    id: UUID
    name: str
    prefix: str
    scopes: list[str]
    cidrs: list[str]
    created_by: UUID | None
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None
    replaces_id: UUID | None = Field(description="the key that this one took over from in a rotation")
    replaced_by_id: UUID | None = Field(description="the key that took over from this one in a rotation")

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        """Make the view of a row."""
        shown = {name: row[name] for name in cls.model_fields if name != "prefix"}
        return cls(prefix=f"dw2_{row['public_id']}", **shown)


class NewKeyView(KeyView):
    """A key right after it was made: the only time that it is shown."""

    raw_key: str | None


class KeyPage(BaseModel):
    """One page of keys."""

    items: list[KeyView]
    next_cursor: str | None
