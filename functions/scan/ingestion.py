"""Taking a state in: fetch, parse, store. The one path for uploads and for sources that a scan fetches.

Owns the order and the error that a source shows. Must not compare.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from shared.data.rows import Row
from shared.data.unit_of_work import UnitOfWork

from .domain.records import declared_rows
from .domain.sealing import Sealer
from .domain.state import StateFile, parse_state
from .errors import StateOlder, StateTooLarge, StateUnreachable
from .queries import sources as queries
from .readers.aws.base import reason_of
from .readers.aws.session import AwsAccount
from .types.aws import DECLARABLE, SPECS

MOST_STATE_BYTES = 32 * 1024 * 1024


def read_state(content: bytes) -> StateFile:
    """Parse a state within the size cap.

    Raises:
        StateTooLarge: (413 `state_too_large`).
        StateUnreadable, StateVersionUnsupported, StateEncrypted: (422).
    """
    if len(content) > MOST_STATE_BYTES:
        raise StateTooLarge(limit_bytes=MOST_STATE_BYTES)
    return parse_state(content, DECLARABLE)


def fetch_from_s3(source: Mapping[str, Any], account: AwsAccount) -> bytes:
    """Fetch a state object from S3: one read, never a lock.

    Raises:
        StateUnreachable: (422 `state_unreachable`) AWS says no; names the permission when that is missing.
        StateTooLarge: (413 `state_too_large`).
    """
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.parsers import ResponseParserError

    region = source["bucket_region"] or "us-east-1"
    try:
        reply = account.client("s3", region).get_object(Bucket=source["bucket"], Key=source["object_key"])
        if reply["ContentLength"] > MOST_STATE_BYTES:
            raise StateTooLarge(limit_bytes=MOST_STATE_BYTES)
        content: bytes = reply["Body"].read(MOST_STATE_BYTES + 1)
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", "unknown"))
        facts: dict[str, Any] = {"permission": "s3:GetObject"} if reason_of(error) == "access_denied" else {}
        raise StateUnreachable(f"AWS answered {code}", aws_code=code, **facts) from error
    except (BotoCoreError, ResponseParserError) as error:
        raise StateUnreachable(f"AWS cannot be asked: {type(error).__name__}") from error
    return content


def store_state(
    tx: UnitOfWork, source: Mapping[str, Any], content: bytes, state: StateFile, seal: Sealer, *, force: bool = True
) -> Row:
    """Store what a state declares, unless it is the very state that is known already, under the newest digest key.

    Args:
        tx: the unit of work.
        source: the locked row of its source.
        content: the bytes, for the hash.
        state: the parsed state.
        seal: hides sensitive values.
        force: take a lower serial or another lineage too (a source that fetches always tells the present).

    Raises:
        StateOlder: (409 `state_older`).
    """
    is_same_line = source["lineage"] in (None, "", state.lineage)
    is_older = source["serial"] is not None and state.serial < source["serial"]
    if not force and (not is_same_line or is_older):
        raise StateOlder("send force=true to take it all the same", known_serial=source["serial"], serial=state.serial)
    content_hash = hashlib.sha256(content).digest()
    is_known = source["content_hash"] is not None and bytes(source["content_hash"]) == content_hash
    if not is_known or source["digest_version"] < seal.version:
        queries.replace_resources(tx, source["id"], declared_rows(state.declared, SPECS, seal))
    return queries.set_fetched(
        tx,
        source["id"],
        serial=state.serial,
        lineage=state.lineage,
        terraform_version=state.terraform_version,
        content_hash=content_hash,
        digest_version=max(seal.version, source["digest_version"]) if is_known else seal.version,
        resource_count=len({item.address for item in state.declared}),
    )
