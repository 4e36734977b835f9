"""One asset as Cloud Asset Inventory tells it, and the names by which Terraform knows what it calls by number.

Owns the value types that the reader fills and the mapping consumes. Must not do I/O.
Source: https://docs.cloud.google.com/asset-inventory/docs/reference/rest/v1/Asset
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

PROJECT = "cloudresourcemanager.googleapis.com/Project"
SERVICE_ACCOUNT = "iam.googleapis.com/ServiceAccount"
ZONE = "dns.googleapis.com/ManagedZone"
NAMED = (PROJECT, SERVICE_ACCOUNT, ZONE)
"""Asset types whose own names, or those of what lies below them, hold a number where a state holds a word."""

_MOST_NAMES = 500_000
_IN_PROJECT = re.compile(r"/projects/([^/]+)")
_IN_ZONE = re.compile(r"/managedZones/([^/]+)")
_IN_ACCOUNTS = re.compile(r"/serviceAccounts/(\d+)(?=/|$)")
_PLACE = re.compile(r"/(?:zones|regions|locations)/([^/]+)")


@dataclass(frozen=True, slots=True)
class Asset:
    """One asset with what a service says about it.

    Attributes:
        name: full resource name, e.g. `//compute.googleapis.com/projects/p/global/networks/n`, projects by id where known.
        kind: asset type, e.g. `compute.googleapis.com/Network`.
        data: the service's own JSON; empty when only a policy was asked for.
        location: as the inventory says: a region, a zone or `global`; empty when it does not.
        project: id (or number, where the id is not known); empty above projects.
        project_number: empty above projects, and where the inventory names no ancestors.
        zone, zone_dns: of a record set, the name of its managed zone and the zone's DNS name; empty for others.
    """

    name: str
    kind: str
    data: Mapping[str, Any] = field(repr=False)
    location: str = ""
    project: str = ""
    project_number: str = ""
    zone: str = ""
    zone_dns: str = ""

    @property
    def place(self) -> str:
        """Region or zone, from the inventory or from the name; `global` when there is none."""
        found = _PLACE.search(self.name)
        return self.location or (found[1] if found else "global")


@dataclass(slots=True)
class Names:
    """What was learned about numbers, bounded: beyond the bound a number stays one, and is then not matched.

    Attributes:
        projects: project number -> id.
        accounts: unique id of a service account -> e-mail address.
        zones: number of a managed zone -> (name, DNS name).
    """

    projects: dict[str, str] = field(default_factory=dict)
    accounts: dict[str, str] = field(default_factory=dict)
    zones: dict[str, tuple[str, str]] = field(default_factory=dict)

    def learn(self, kind: str, data: Mapping[str, Any]) -> None:
        """Remember the names in one asset of a kind in `NAMED`."""
        if len(self.projects) + len(self.accounts) + len(self.zones) >= _MOST_NAMES:
            return
        if kind == PROJECT:
            # Version 1 of the API says `projectNumber`, version 3 `name` ("projects/123").
            number = _word(data.get("projectNumber")) or _word(data.get("name")).removeprefix("projects/")
            if number.isdecimal() and (identity := _word(data.get("projectId"))):
                self.projects[number] = identity
        elif kind == SERVICE_ACCOUNT:
            number, email = _word(data.get("uniqueId")), _word(data.get("email"))
            if number and email:
                self.accounts[number] = email
        elif kind == ZONE:
            number, name = _word(data.get("id")), _word(data.get("name"))
            if number and name:
                self.zones[number] = (name, _word(data.get("dnsName")))

    def named(self, name: str) -> str:
        """Return a full resource name with words instead of the numbers that are known."""
        name = _IN_PROJECT.sub(lambda found: f"/projects/{self.projects.get(found[1], found[1])}", name, count=1)
        name = _IN_ACCOUNTS.sub(lambda found: f"/serviceAccounts/{self.accounts.get(found[1], found[1])}", name)
        if name.startswith("//container.googleapis.com/"):
            # One path for all clusters since version 1 of the API; the inventory may still tell zones from regions.
            name = re.sub(r"^(//container\.googleapis\.com/projects/[^/]+)/(?:zones|regions)/", r"\1/locations/", name)
        return name

    def zone_of(self, name: str) -> tuple[str, str]:
        """Return name and DNS name of the managed zone that a full resource name lies in; empty when it is not known."""
        found = _IN_ZONE.search(name)
        if found is None or (found[1].isdecimal() and found[1] not in self.zones):
            return ("", "")
        return self.zones.get(found[1], (found[1], ""))


def project_of(name: str) -> str:
    """Return the project in a full resource name; empty when there is none."""
    found = _IN_PROJECT.search(name)
    return found[1] if found else ""


def _word(value: object) -> str:
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
