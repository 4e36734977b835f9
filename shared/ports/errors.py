"""What a caller sees when something outside the process is away."""

from __future__ import annotations

from shared.http.errors import AppError


class ServiceAway(AppError):
    """503 `service_away`: a Google service did not answer in time; nothing was changed."""

    code, status, title = "service_away", 503, "A service that this call needs is away"

    def __init__(self, service: str) -> None:
        super().__init__("nothing was changed; try again shortly", retry_after_seconds=5, service=service)


class VersionUnusable(ServiceAway):
    """503 `service_away`: the version of a key or secret that is needed is disabled or destroyed.

    For the caller a service that is away: an operator can enable the version again, and then the same call goes well.
    """


class CiphertextRefused(AppError):
    """500 `ciphertext_refused`: a stored ciphertext does not belong to the record it stands in."""

    code, status, title = "ciphertext_refused", 500, "A stored secret cannot be read"
