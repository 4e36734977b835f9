"""Which members of documents of Google Cloud and Azure change by themselves, beside what `volatile.py` knows of every cloud.

Decides by the cloud (the beginning of a Terraform type), a member's name and its value. What somebody decides stays: `DISABLED`,
`SUSPENDED`, a version that is wished for.
Source: REST references of the named services (members marked "output only"); ARM template reference, read-only properties.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from .volatile import joined

_GOOGLE: Final = frozenset({
    # revisions, and what only moves with them
    "fingerprint", "generation", "labelfingerprint", "metageneration", "observedgeneration", "settingsversion", "uid",
    # versions that Google moves on
    "availablemaintenanceversions", "currentmasterversion", "currentnodeversion", "databaseinstalledversion", "maintenanceversion",
    "upgradabledatabaseversions",
    # how it is doing, and who uses it
    "conditions", "currentactions", "currentdisksize", "instancegroupurls", "latestcreatedrevision", "latestcreatedrevisionname",
    "latestreadyrevision", "latestreadyrevisionname", "reconciling", "satisfiespzi", "satisfiespzs", "statusevents",
    "terminalcondition", "trafficstatuses", "users",
    # what turns by itself: the primary version of a key, the certificate of a server
    "primary", "servercacert",
})  # fmt: skip
_GOOGLE_COUNTS: Final = re.compile(
    r"num(?:active|longterm|timetravel|total|current)?(?:logical|physical)?(?:bytes|rows|partitions)"
)
_GOOGLE_DECIDED: Final = frozenset({
    "DELETED", "DELETE_REQUESTED", "DESTROYED", "DESTROY_SCHEDULED", "DISABLED", "ENABLED", "INACTIVE", "PAUSED", "SUSPENDED",
})  # fmt: skip
_AZURE: Final = frozenset({
    "etag", "provisioningstate", "resourceguid", "uniqueid",
    "currentkubernetesversion", "earliestrestoredate", "lastmodifiedtimeutc", "nodeimageversion", "powerstate", "statusofprimary",
    "statusofsecondary", "timecreated",
    # what others attach shows in the others
    "diskstate", "inboundipaddress", "instanceview", "ipconfiguration", "managedby", "networkinterfaces", "outboundipaddresses",
    "possibleoutboundipaddresses", "virtualmachine",
    # counted, or left over from moving
    "lastswapdestination", "maxnumberofrecordsets", "numberofrecordsets", "numberofsites", "numberofworkers", "targetswapslot",
})  # fmt: skip
_AZURE_RUNNING: Final = frozenset({"availabilitystate", "operationalstate", "state", "usagestate"})
_AZURE_DECIDED: Final = frozenset({"disabled", "enabled", "stopped", "suspended"})


def moves_by_itself(kind: str, name: str, value: object) -> bool:
    """Say whether a member of one of these clouds changes by itself.

    Args:
        kind: Terraform type.
        name: the member's name.
        value: what it holds.
    """
    word = joined(name)
    if kind.startswith("google_"):
        return word in _GOOGLE or bool(_GOOGLE_COUNTS.fullmatch(word)) or _is_google_state(word, value)
    if kind.startswith(("azurerm_", "azapi_")):
        is_state = word in _AZURE_RUNNING and isinstance(value, str) and value.lower() not in _AZURE_DECIDED
        return word in _AZURE or is_state
    return False


def is_body(kind: str, name: str) -> bool:
    """Say whether a member that has free names elsewhere is where an API keeps its own: ARM's `properties`, Cloud Run's `metadata`."""
    if kind.startswith(("azurerm_", "azapi_")):
        return name == "properties"
    return name == "metadata" and kind.startswith("google_cloud_run_")


def is_map_of(kind: str, name: str) -> bool:
    """Say whether the names within a member are people's own in one of these clouds: labels, whatever they are called."""
    return kind.startswith("google_") and joined(name).endswith("labels")


def _is_google_state(word: str, value: object) -> bool:
    """Say whether a `status` or `state` tells how a thing is: an object that only Google fills, or a word that nobody decides."""
    if word not in {"status", "state"}:
        return False
    return isinstance(value, Mapping) or (isinstance(value, str) and value.upper() not in _GOOGLE_DECIDED)
