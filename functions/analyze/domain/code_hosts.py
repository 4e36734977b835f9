"""Which connection a pull request is commented on by, and where a host's API is. Pure; trusts nothing that CI systems tell.

Source: https://docs.github.com/en/enterprise-server@3.16/rest/using-the-rest-api/getting-started-with-the-rest-api (`/api/v3`);
https://docs.github.com/en/enterprise-cloud@latest/admin/data-residency/network-details-for-ghecom (`api.SUBDOMAIN.ghe.com`);
https://docs.gitlab.com/api/rest/ (`/api/v4`); https://developer.hashicorp.com/terraform/cloud-docs/api-docs (`/api/v2`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

URLS: Final[Mapping[str, str]] = {
    "github": "https://github.com",
    "gitlab": "https://gitlab.com",
    "terraform_cloud": "https://app.terraform.io",
}
COMMENTED: Final = frozenset({"github", "gitlab"})
_SEGMENT: Final = re.compile(r"(?!\.{1,2}\Z)[A-Za-z0-9_.][A-Za-z0-9_.-]{0,149}")  # `.github` is one
_MOST_SEGMENTS: Final = 21
_ADDRESS: Final = re.compile(r"(?:[^@/\s]+@)?(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(?::[0-9]+)?(?:[/:].*)?", re.IGNORECASE)
_ENTERPRISE_CLOUD: Final = ".ghe.com"


@dataclass(frozen=True, slots=True)
class PullRequestPlace:
    """One pull request, or merge request.

    Attributes:
        owner: account, or path of groups.
        name: of the repository.
        number: as people see it.
        host: where the repository is, in lower case; empty when nobody said.
        commit: what was planned, in lower case; empty when nobody said.
    """

    owner: str
    name: str
    number: int
    host: str = ""
    commit: str = ""

    @property
    def repository(self) -> str:
        """The whole path, in lower case: hosts tell no cases apart."""
        return f"{self.owner}/{self.name}".lower()


def place_of(ci: Mapping[str, Any] | None) -> PullRequestPlace | None:
    """Return the pull request that an analysis is for; None when it is for none, or for one that cannot be.

    Args:
        ci: what the CI system told; every part of it becomes part of a path, so it is held against what hosts let through.
    """
    owner, name, number = ((ci or {}).get(key) for key in ("repo_owner", "repo_name", "pr_number"))
    if not isinstance(owner, str) or not isinstance(name, str) or not isinstance(number, int):
        return None
    segments = [*owner.split("/"), name]
    if len(segments) > _MOST_SEGMENTS or not all(_SEGMENT.fullmatch(item) for item in segments):
        return None
    told = ci or {}
    return PullRequestPlace(
        owner, name, number, host_of(told.get("repo_url") or ""), (told.get("commit_sha") or "").lower()
    )


def host_of(address: str) -> str:
    """Return the host in a repository's address (`https://host/x`, `git@host:x`, `ssh://git@host:22/x`), empty when there is none."""
    before, separator, after = address.strip().partition("://")
    rest = after if separator else before
    found = _ADDRESS.fullmatch(rest)
    return found[1].lower() if found and (separator or "@" in rest or "." in found[1]) else ""


def choose(hosts: Sequence[Mapping[str, Any]], place: PullRequestPlace) -> Mapping[str, Any] | None:
    """Return the connection for a pull request: the one with the narrowest owner; None when there is none, or two that fit alike.

    Args:
        hosts: rows of connections that are used.
        place: the pull request.
    """
    fitting = [
        host
        for host in hosts
        if host["kind"] in COMMENTED
        and f"{place.repository}/".startswith(f"{host['owner']}/")
        and place.host in {"", host_of(host["url"])}
        and (host["kind"] != "github" or place.owner.count("/") == 0)
    ]
    longest = max((len(host["owner"]) for host in fitting), default=0)
    narrowest = [host for host in fitting if len(host["owner"]) == longest]
    return narrowest[0] if len(narrowest) == 1 else None


def api_of(kind: str, url: str) -> str:
    """Return where a host's API is.

    Args:
        kind: of the connection.
        url: where people open it, without a slash at its end.
    """
    if kind == "terraform_cloud":
        return f"{url}/api/v2"
    if kind == "gitlab":
        return f"{url}/api/v4"
    scheme, _, host = url.partition("://")
    if host == "github.com" or (host.endswith(_ENTERPRISE_CLOUD) and host.count(".") == _ENTERPRISE_CLOUD.count(".")):
        return f"{scheme}://api.{host}"
    return f"{url}/api/v3"


def clean_url(url: str) -> str:
    """Return a host's address in one form, so that the same host is not connected twice: scheme and host in lower case."""
    scheme, _, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme.lower()}://{host.lower()}{slash}{path}".rstrip("/")
