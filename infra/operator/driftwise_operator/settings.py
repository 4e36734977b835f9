"""What the operator is told by its environment; secrets come as files, which are read again when they are needed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

from .kinds import KINDS, Kind, kinds_of

_MOUNTED = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_LEAST_DIGEST_KEY = 32


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that is set.

    Attributes:
        url: of DriftWise.
        account_id: of the cluster, as DriftWise knows it.
        api_key_file: holds an API key of the scope `report`.
        digest_key_file: holds the key of digests; None for no digests.
        api_server: of the cluster.
        token_file: holds the service account's token, which the cluster renews.
        ca_file: certifies the API server; None for the machine's own certificates.
        kinds: that are read.
        page: objects per page of a list.
        flush_seconds: how long changes wait for others.
        heartbeat_seconds: after how long without a change it is told that there was none.
        relist_seconds: after how long everything is read anew, whatever watches told.
        health_port: of the health endpoint.
        is_loopback: addresses without TLS are taken; for tests.
    """

    url: str
    account_id: str
    api_key_file: Path
    digest_key_file: Path | None = None
    api_server: str = "https://kubernetes.default.svc"
    token_file: Path | None = _MOUNTED / "token"
    ca_file: Path | None = _MOUNTED / "ca.crt"
    kinds: tuple[Kind, ...] = KINDS
    page: int = 250
    flush_seconds: float = 30.0
    heartbeat_seconds: float = 600.0
    relist_seconds: float = 6 * 3600.0
    health_port: int = 8081
    is_loopback: bool = field(default=False, repr=False)

    def __post_init__(self) -> None:
        """Check.

        Raises:
            ValueError: an address is not HTTPS, or the account is no id.
        """
        for address in (self.url, self.api_server):
            parts = urlsplit(address)
            if not parts.hostname or (parts.scheme != "https" and not self.is_loopback):
                raise ValueError("addresses begin with https://")
        UUID(self.account_id)

    def api_key(self) -> str:
        """Read the API key, which may have been replaced."""
        return self.api_key_file.read_text("utf-8").strip()

    def token(self) -> str:
        """Read the token for the cluster, which is renewed about every hour."""
        return self.token_file.read_text("utf-8").strip() if self.token_file else ""

    def digest_key(self) -> bytes:
        """Read the key of digests.

        Raises:
            ValueError: it is too short to keep guesses out.
        """
        if self.digest_key_file is None:
            return b""
        found = self.digest_key_file.read_bytes().strip()
        if len(found) < _LEAST_DIGEST_KEY:
            raise ValueError(f"the digest key has at least {_LEAST_DIGEST_KEY} bytes")
        return found


def load(environment: Mapping[str, str] = os.environ) -> Settings:
    """Read the environment.

    Raises:
        ValueError: something is missing or cannot be.
    """
    missing = [name for name in ("DRIFTWISE_URL", "DRIFTWISE_ACCOUNT_ID") if not environment.get(name)]
    if missing:
        raise ValueError(f"set {', '.join(missing)}")
    digest_key = environment.get("DRIFTWISE_DIGEST_KEY_FILE")
    return Settings(
        url=environment["DRIFTWISE_URL"].rstrip("/"),
        account_id=environment["DRIFTWISE_ACCOUNT_ID"],
        api_key_file=Path(environment.get("DRIFTWISE_API_KEY_FILE", "/etc/driftwise/api-key")),
        digest_key_file=Path(digest_key) if digest_key else None,
        kinds=kinds_of(environment.get("DRIFTWISE_WITHOUT_KINDS", ""), environment.get("DRIFTWISE_FURTHER_KINDS", "")),
        flush_seconds=float(environment.get("DRIFTWISE_FLUSH_SECONDS", "30")),
        relist_seconds=float(environment.get("DRIFTWISE_RELIST_SECONDS", "21600")),
        health_port=int(environment.get("DRIFTWISE_HEALTH_PORT", "8081")),
    )
