"""All journeys of the campaign."""

from __future__ import annotations

from .directory import Directory
from .journey import Journey, Scene
from .keys import Keys
from .notifications import Notifications
from .people import People
from .plans import Plans
from .scans import Scans
from .settings import Settings
from .webhooks import Webhooks


def journeys(scene: Scene) -> list[Journey]:
    """Return one journey of each kind; none of them shares anything with another but the suite."""
    kinds = (Keys, Webhooks, Notifications, Scans, Plans, Directory, People, Settings)
    return [kind(scene) for kind in kinds]
