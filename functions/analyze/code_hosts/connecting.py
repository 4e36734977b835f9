"""Makes a client of a connection out of what was sealed: where calls go is sealed with what they show."""

from __future__ import annotations

import json
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Final

from shared.ports.clock import Clock, Entropy
from shared.ports.secret_store import Secret
from shared.security.egress import EgressGuard

from ..domain.code_hosts import PullRequestPlace
from .exchange import HostApi, Rests
from .github import GitHub, Installation
from .gitlab import GitLab
from .terraform_cloud import TerraformCloud
from .tokens import InstallationTokens

WITHIN_SECONDS: Final = 45.0  # all that one client does


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a connection shows, and to whom.

    Attributes:
        api: where the API is.
        app_id, installation_id: of an App; 0 for a token.
        secret: the App's private key, or the token.
    """

    api: str
    app_id: int
    installation_id: int
    secret: Secret

    def sealed_text(self) -> Secret:
        """Return everything, to be sealed."""
        document = {
            "api": self.api,
            "app_id": self.app_id,
            "installation_id": self.installation_id,
            "secret": self.secret.reveal().decode(),
        }
        return Secret(json.dumps(document).encode())

    @classmethod
    def of_sealed(cls, opened: Secret) -> Credentials:
        """Read what `sealed_text` wrote."""
        found = json.loads(opened.reveal())
        return cls(found["api"], found["app_id"], found["installation_id"], Secret(found["secret"].encode()))


class CodeHosts:
    """What one process knows of code hosts. Safe to share between threads."""

    def __init__(self, guard: EgressGuard, downloads: EgressGuard, clock: Clock, entropy: Entropy) -> None:
        """Make one.

        Args:
            guard: the only way to hosts.
            downloads: the only way to what they point at.
            clock: time.
            entropy: for the jitter of retries.
        """
        self.guard = guard
        self._downloads = downloads
        self._clock = clock
        self._entropy = entropy
        self._rests = Rests(clock)
        self._tokens = InstallationTokens(clock)

    def github(
        self, credentials: Credentials, key: Hashable, place: PullRequestPlace, *, writes_checks: bool
    ) -> GitHub:
        """Return a client for one pull request.

        Args:
            credentials: of the connection.
            key: the connection, and which credentials it has now.
            place: the pull request.
            writes_checks: whether check runs are written, else comments.
        """
        installation = Installation(credentials.app_id, credentials.installation_id, credentials.secret)
        return GitHub(self._api(credentials, key), installation, place, self._tokens, writes_checks=writes_checks)

    def gitlab(self, credentials: Credentials, key: Hashable, place: PullRequestPlace) -> GitLab:
        """Return a client for one merge request; arguments as `github`."""
        return GitLab(self._api(credentials, key), credentials.secret, place)

    def terraform_cloud(self, credentials: Credentials, key: Hashable, run_id: str) -> TerraformCloud:
        """Return a client for one run; arguments as `github`."""
        return TerraformCloud(self._api(credentials, key), self._downloads, credentials.secret, run_id)

    def _api(self, credentials: Credentials, key: Hashable) -> HostApi:
        ends_at = self._clock.monotonic_seconds() + WITHIN_SECONDS
        return HostApi(self.guard, credentials.api, key, self._clock, self._entropy, self._rests, ends_at)
