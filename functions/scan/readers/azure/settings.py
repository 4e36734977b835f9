"""Settings that Resource Graph does not hold, each by a call of its own, some at a time.

Must not ask for settings of applications (`config/appsettings/list` and the like), nor for keys: they are secrets.
Source: Azure REST API, "Web Apps - Get Configuration", "Blob Services - Get Service Properties".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from ...types.azure.ids import key_of
from ...types.azure.mapping import Row, kept_of
from ...types.azure.storage import ACCOUNTS, BLOB_SETTINGS, BLOBS_KEPT, has_blobs
from ...types.azure.web import SETTINGS, SETTINGS_KEPT, SITES, has_settings
from .client import Arm, CallFailed

_WIDTH: Final = 8


@dataclass(frozen=True, slots=True)
class Apart:
    """Settings of one ARM type.

    Attributes:
        arm: type of what they are of.
        segment: what follows its id.
        version: of the API.
        action: that reads them.
        member: where they are put into what Resource Graph tells.
        kept: members of theirs; others are dropped unseen.
        has: says whether a resource has such settings.
    """

    arm: str
    segment: str
    version: str
    action: str
    member: str
    kept: tuple[str, ...]
    has: Callable[[Row], bool]


APART: Final[tuple[Apart, ...]] = (
    Apart(
        SITES,
        "/config/web",
        "2023-12-01",
        "Microsoft.Web/sites/config/read",
        SETTINGS,
        SETTINGS_KEPT,
        has_settings,
    ),
    Apart(
        ACCOUNTS,
        "/blobServices/default",
        "2023-05-01",
        "Microsoft.Storage/storageAccounts/blobServices/read",
        BLOB_SETTINGS,
        BLOBS_KEPT,
        has_blobs,
    ),
)
_BY_ARM: Final[Mapping[str, Apart]] = {item.arm: item for item in APART}


def with_settings(arm: Arm, rows: Sequence[Row]) -> Iterator[tuple[Row, CallFailed | None]]:
    """Yield rows with the settings that belong to them, and why those could not be read.

    Args:
        arm: signed in.
        rows: as Resource Graph gives them.
    """
    asked = [row for row in rows if _apart(row)]
    if not asked:
        yield from ((row, None) for row in rows)
        return
    with ThreadPoolExecutor(max_workers=_WIDTH) as pool:
        told = dict(
            zip((key_of(row["id"]) for row in asked), pool.map(lambda row: _told(arm, row), asked), strict=True)
        )
    for row in rows:
        yield told.get(key_of(row["id"]), (row, None))


def _apart(row: Row) -> Apart | None:
    found = _BY_ARM.get(str(row.get("type")).lower())
    return found if found is not None and found.has(row) else None


def _told(arm: Arm, row: Row) -> tuple[Row, CallFailed | None]:
    apart = _apart(row)
    if apart is None:
        return row, None
    try:
        found = arm.found(f"{row['id']}{apart.segment}?api-version={apart.version}", apart.action)
        # Without any it is gone since.
        return (row if found is None else {**row, apart.member: kept_of(found, apart.kept)}), None
    except CallFailed as failure:
        return row, failure
    except TypeError:
        return row, CallFailed("malformed", "Azure told settings in another form")
