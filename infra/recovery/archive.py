"""Point-in-time recovery of a PostgreSQL of one's own: what Cloud SQL does by itself, for a deployment without it.

Owns the settings of the server and of the restore; starts no server. The rehearsal of the recovery runs on it
(tests/integration/recovery). What was committed and not yet archived is lost with the disk: at most `ARCHIVE_SECONDS`.

Source: https://www.postgresql.org/docs/18/continuous-archiving.html
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

ARCHIVE_SECONDS = 60


def archive_settings(archive: Path) -> dict[str, str]:
    """Return the settings of a server that archives every segment of its log.

    A segment is copied under another name, flushed to disk and then renamed, and never written over: whoever reads the archive sees whole
    segments only.

    Args:
        archive: a folder on another disk than the data, which the server may write to.
    """
    kept, under_way = shlex.quote(f"{archive}/%f"), shlex.quote(f"{archive}/.%f")
    return {
        "wal_level": "replica",
        "archive_mode": "on",
        "archive_command": f"test ! -f {kept} && cp %p {under_way} && sync {under_way} && mv {under_way} {kept}",
        "archive_timeout": str(ARCHIVE_SECONDS),
        "max_wal_senders": "4",
    }


def restore_settings(archive: Path, point: datetime | None) -> dict[str, str]:
    """Return the settings of a server that replays the archive over a base backup, then serves.

    Args:
        archive: the folder that segments were archived to.
        point: what was committed up to and including this moment comes back, aware; None for all that was archived.

    Raises:
        ValueError: the moment does not say its time zone.
    """
    found = {
        "restore_command": f"cp {shlex.quote(f'{archive}/%f')} %p",
        "recovery_target_timeline": "latest",
    }
    if point is None:
        return found
    if point.tzinfo is None:
        raise ValueError("say the time zone of the moment")
    target = {"recovery_target_time": point.isoformat(sep=" "), "recovery_target_action": "promote"}
    return found | target


def write_settings(data: Path, settings: Mapping[str, str]) -> None:
    """Add settings to a server's data folder; later lines count.

    Args:
        data: the folder, while no server runs on it.
        settings: name to value.
    """
    lines = [f"{name} = '{value.replace(chr(39), chr(39) * 2)}'\n" for name, value in settings.items()]
    with (data / "postgresql.conf").open("a", encoding="utf-8") as file:
        file.writelines(lines)


def prepare_restore(data: Path, archive: Path, point: datetime | None) -> None:
    """Make a copy of a base backup replay the archive at its next start.

    Args:
        data: the copy.
        archive: as `restore_settings`.
        point: as `restore_settings`.

    Raises:
        ValueError: as `restore_settings`.
    """
    write_settings(data, restore_settings(archive, point))
    (data / "recovery.signal").touch()


def base_backup_command(binaries: Path, server_url: str, target: Path) -> list[str]:
    """Return the command that copies a running server; its password comes from the variable PGPASSWORD.

    Args:
        binaries: where PostgreSQL's programs are.
        server_url: without a password.
        target: a folder that is empty or does not exist.
    """
    return [
        str(binaries / "pg_basebackup"), "--dbname", server_url, "--pgdata", str(target), "--wal-method", "fetch",
        "--checkpoint", "fast", "--no-password", "--manifest-checksums", "SHA256",
    ]  # fmt: skip
