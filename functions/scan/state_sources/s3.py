"""States in S3, read with the clients of a signed-in account: AWS's own endpoints, never an address that a user gave.

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html (If-None-Match), API_ListObjectsV2.html;
Terraform, backend `s3` (a workspace's state lies under `env:/<workspace>/`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from ..cloud_access.calling import MOST_STATE_BYTES, text_of
from ..errors import StateUnreachable
from ..readers.aws.base import reason_of
from .port import Fetched, Found, within_cap

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

    from ..readers.aws.session import AwsAccount

_ACTION = re.compile(r"not authorized to perform: ([a-z0-9-]{1,40}:[A-Za-z]{1,80})")
_REGION = "us-east-1"  # botocore follows S3's hint to where a bucket really lies


class S3Source:
    """One bucket."""

    def __init__(self, account: Callable[[], AwsAccount], bucket: str, region: str | None) -> None:
        """Make one; asks nothing yet.

        Args:
            account: signs in; called for each call, so it remembers.
            bucket: its name.
            region: where it lies; found out when None.
        """
        self._account = account
        self._bucket = bucket
        self._region = region or _REGION

    def find(self, prefix: str) -> Iterator[Found]:
        pages = self._ask("s3:ListBucket", lambda client: _pages(client, self._bucket, prefix))
        while (page := self._ask("s3:ListBucket", lambda _: next(pages, None))) is not None:
            for item in page.get("Contents", ()):
                yield Found(str(item["Key"]), text_of(item.get("ETag")))

    def fetch(self, name: str, known: str | None) -> Fetched | None:
        condition = {"IfNoneMatch": known} if known else {}
        reply = self._ask("s3:GetObject", lambda client: _object(client, Bucket=self._bucket, Key=name, **condition))
        return None if reply is None else Fetched(reply[0], reply[1])

    def _ask(self, permission: str, call: Callable[[Any], Any]) -> Any:
        """Call S3.

        Raises:
            StateUnreachable: (422 `state_unreachable`) AWS says no; names the permission when that is missing.
        """
        from botocore.exceptions import BotoCoreError, ClientError
        from botocore.parsers import ResponseParserError

        try:
            return call(self._account().client("s3", self._region))
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", "unknown"))
            if code in {"304", "NotModified"}:
                return None
            is_denied = reason_of(error) == "access_denied"
            facts: dict[str, Any] = {"permission": _named(error) or permission} if is_denied else {}
            raise StateUnreachable(f"AWS answered {code}", aws_code=code, **facts) from error
        except (BotoCoreError, ResponseParserError) as error:
            raise StateUnreachable(f"AWS cannot be asked: {type(error).__name__}") from error


def _pages(client: Any, bucket: str, prefix: str) -> Iterator[Any]:
    return iter(client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix))


def _object(client: Any, **wish: str) -> tuple[bytes, str | None]:
    reply = client.get_object(**wish)
    body = reply["Body"]
    try:
        within_cap(reply["ContentLength"])
        content: bytes = body.read(MOST_STATE_BYTES + 1)
    finally:
        body.close()
    within_cap(len(content))
    return content, text_of(reply.get("ETag"))


def _named(error: ClientError) -> str | None:
    """Return the action that AWS itself names as missing: a state may also want `kms:Decrypt`."""
    found = _ACTION.search(str(error.response.get("Error", {}).get("Message", "")))
    return found[1] if found else None
