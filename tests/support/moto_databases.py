"""The AWS stand-in with databases that can be told apart: moto gives all of them one resource id, by which Terraform reads them.

Run as `python -m tests.support.moto_databases`, with the options of `local_emulator.moto_server`.
"""

from __future__ import annotations

import hashlib
from typing import Any

from moto.rds.models import DBInstance

from local_emulator.moto_server import main


def _resource_id(database: Any) -> str:
    return f"db-{hashlib.sha256(database.db_instance_identifier.encode()).hexdigest()[:26].upper()}"


def _keep(_database: Any, _value: str) -> None:
    """Moto sets its constant; nothing comes of it."""


if __name__ == "__main__":
    DBInstance.dbi_resource_id = property(_resource_id, _keep)
    main()
