"""The settings of sites, which Resource Graph does not hold: one call each, some at a time.

Must not ask for settings of applications (`config/appsettings/list` and the like): they hold secrets.
Source: Azure REST API, "Web Apps - Get Configuration".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from ...types.azure.ids import key_of
from ...types.azure.mapping import Row
from ...types.azure.web import SITES, has_settings, settings_of
from .client import Arm, CallFailed
from .rights import READS_SETTINGS

_WIDTH: Final = 8


def settings_of_sites(arm: Arm, rows: Sequence[Row]) -> Mapping[str | None, Row | CallFailed | None]:
    """Return the settings of the sites among some rows, by the site's key; None for a site that is gone since.

    Args:
        arm: signed in.
        rows: as Resource Graph gives them.
    """
    sites = [row for row in rows if str(row.get("type")).lower() == SITES and has_settings(row)]
    if not sites:
        return {}
    with ThreadPoolExecutor(max_workers=_WIDTH) as pool:
        found = pool.map(lambda row: _asked(arm, row), sites)
        return dict(zip((key_of(row["id"]) for row in sites), found, strict=True))


def _asked(arm: Arm, row: Row) -> Row | CallFailed | None:
    try:
        found = arm.found(f"{row['id']}/config/web?api-version=2023-12-01", READS_SETTINGS)
        return None if found is None else settings_of(found)
    except CallFailed as failure:
        return failure
    except TypeError:
        return CallFailed("malformed", "Azure told settings in another form")
