"""Which project, folder, organisation or bucket a resource of a state lies in, so that a scan of another one leaves it alone.

Source: https://cloud.google.com/asset-inventory/docs/asset-names; Terraform Google provider 6.50, `google_project`, `google_folder`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from ...domain.resources import Attributes, Declared

CONTAINERS: Final = ("google_project", "google_folder", "google_storage_bucket")
"""Types whose live resources say what a scan can see into."""
_RESOURCES = "//cloudresourcemanager.googleapis.com/"
_BUCKETS = "//storage.googleapis.com/"
_ABOVE = re.compile(r"(?:folders|organizations)/\d+")
_IN_PROJECT = re.compile(r"(?:^|/)projects/([^/|]+)")
_PATH = re.compile(r"(?:projects|folders|organizations)/[^/]+/.+")


def placed(declared: Declared) -> Declared:
    """Note where a resource lies, as far as its attributes or its key tell."""
    account = _own_place(declared) or _project(declared.account) or _place_of(declared.key or "")
    return declared if account == declared.account else replace(declared, account=account)


def seen_into(parent: str, keys: Iterable[str]) -> frozenset[str]:
    """Name everything that a scan sees into.

    Args:
        parent: what was scanned, e.g. `projects/123`.
        keys: of the live resources of the types in `CONTAINERS`.
    """
    return frozenset({parent, parent.removeprefix("projects/"), *(place for key in keys if (place := _place_of(key)))})


def path_key(attributes: Attributes) -> str | None:
    """Match a resource that no mapping covers by its id, which is the path of its full resource name."""
    identity = attributes.get("id")
    return identity if isinstance(identity, str) and _PATH.fullmatch(identity) else None


def _own_place(declared: Declared) -> str | None:
    """Return what a project or folder lies in itself: whoever scans only a neighbour knows nothing of it."""
    if declared.type == "google_project":
        for name, kind in (("folder_id", "folders"), ("org_id", "organizations")):
            number = str(declared.attributes.get(name) or "").rpartition("/")[2]
            if number:
                return f"{kind}/{number}"
    above = _ABOVE.fullmatch(str(declared.attributes.get("parent") or "")) if declared.type == "google_folder" else None
    return above[0] if above else None


def _project(account: str | None) -> str | None:
    return account.removeprefix("projects/") if account else None


def _place_of(key: str) -> str | None:
    """Return the place that a full resource name, or what is left of it, begins with."""
    if key.startswith(_BUCKETS):
        return _BUCKETS + re.split(r"[/|]", key.removeprefix(_BUCKETS), maxsplit=1)[0]
    above = _ABOVE.match(key.removeprefix(_RESOURCES))
    if above:
        return above[0]
    project = _IN_PROJECT.search(key.partition("|")[0])
    return project[1] if project else None
