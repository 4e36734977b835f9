"""Settings of the emulator process: the JSON file given with `--config`."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field


class Config(BaseModel):
    """What can be set; every field has a default."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    issuer: str | None = Field(default=None, description="`iss` of the push tokens; default: the HTTP server's URL")
    sender: str = Field(
        default="events@driftwise-local.iam.gserviceaccount.com", description="`email` of tokens from /_token"
    )
    push_concurrency: int = Field(default=8, ge=1, le=256, description="requests at once, for each subscription")
    push_concurrency_by_subscription: dict[str, int] = Field(default_factory=dict, description="id -> requests at once")
    minimum_ack_deadline_seconds: int = Field(default=10, ge=1, description="Google's is 10; tests want less")

    @classmethod
    def read(cls, path: Path | None) -> Config:
        """Read the file, or take the defaults when there is none."""
        return cls() if path is None else cls.model_validate_json(path.read_bytes())

    def concurrency_of(self, subscription_id: str) -> int:
        """Say how many push requests one subscription may have open at once."""
        return self.push_concurrency_by_subscription.get(subscription_id, self.push_concurrency)
