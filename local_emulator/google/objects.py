"""Cloud Storage, as much of its JSON API as the suite uses: make a bucket, upload a new object, read one, list names.

Source: https://cloud.google.com/storage/docs/json_api/v1
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import parse_qs, unquote, urlsplit

from local_emulator.google.faults import Faults
from local_emulator.google.storage import Records

PREFIXES = ("/storage/v1/", "/upload/storage/v1/", "/download/storage/v1/")
PAGE_OBJECTS = 1000
_BUCKET = re.compile(r"[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]")
_MOST_NAME_BYTES = 1024
_KIND, _BUCKET_KIND = "object", "bucket"


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back."""

    status: HTTPStatus
    content: bytes
    content_type: str = "application/json"


class Objects:
    """Buckets and their objects, over one file."""

    def __init__(self, records: Records, faults: Faults) -> None:
        self._records = records
        self._faults = faults

    def answer(self, method: str, target: str, body: bytes) -> Answer:
        """Answer one request."""
        if self._faults.is_unavailable("storage"):
            return _error(HTTPStatus.SERVICE_UNAVAILABLE, "Switched off by a fault of the emulator.")
        parts = urlsplit(target)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        is_upload = parts.path.startswith("/upload/")
        steps = [unquote(step) for step in parts.path.removeprefix("/upload").removeprefix("/download").split("/")[3:]]
        match (method, is_upload, steps):
            case ("POST", False, ["b"]):
                return self._make_bucket(body)
            case ("POST", True, ["b", bucket, "o"]):
                return self._upload(bucket, query, body)
            case ("GET", False, ["b", bucket, "o"]):
                return self._list(bucket, query)
            case ("GET", False, ["b", bucket, "o", name]):
                return self._read(bucket, name, query)
        return _error(HTTPStatus.NOT_FOUND, "The emulator does not know this call.")

    def _make_bucket(self, body: bytes) -> Answer:
        try:
            name = str(json.loads(body)["name"])
        except (ValueError, KeyError, TypeError):
            return _error(HTTPStatus.BAD_REQUEST, "A bucket has a name.")
        if not _BUCKET.fullmatch(name):
            return _error(HTTPStatus.BAD_REQUEST, f"Invalid bucket name: '{name}'")
        with self._records.transaction():
            if self._records.get(_BUCKET_KIND, name) is not None:
                return _error(HTTPStatus.CONFLICT, "Your previous request to create the named bucket succeeded.")
            self._records.put(_BUCKET_KIND, name, b"")
        return _document({"kind": "storage#bucket", "name": name})

    def _upload(self, bucket: str, query: Mapping[str, str], body: bytes) -> Answer:
        name = query.get("name", "")
        if query.get("uploadType") != "media" or not 0 < len(name.encode()) <= _MOST_NAME_BYTES:
            return _error(HTTPStatus.BAD_REQUEST, "The emulator takes simple uploads with a name.")
        if query.get("ifGenerationMatch") != "0":
            return _error(HTTPStatus.BAD_REQUEST, "The emulator takes new objects only: ifGenerationMatch=0.")
        with self._records.transaction():
            if self._records.get(_BUCKET_KIND, bucket) is None:
                return _error(HTTPStatus.NOT_FOUND, "The specified bucket does not exist.")
            if self._records.get(_KIND, f"{bucket}/{name}") is not None:
                return _error(
                    HTTPStatus.PRECONDITION_FAILED, "At least one of the pre-conditions you specified did not hold."
                )
            self._records.put(_KIND, f"{bucket}/{name}", body)
        return _document(_resource(bucket, name) | {"size": str(len(body))})

    def _read(self, bucket: str, name: str, query: Mapping[str, str]) -> Answer:
        found = self._records.get(_KIND, f"{bucket}/{name}")
        if found is None:
            return _error(HTTPStatus.NOT_FOUND, f"No such object: {bucket}/{name}")
        if query.get("alt") != "media":
            return _document(_resource(bucket, name) | {"size": str(len(found))})
        return Answer(HTTPStatus.OK, found, "application/octet-stream")

    def _list(self, bucket: str, query: Mapping[str, str]) -> Answer:
        if self._records.get(_BUCKET_KIND, bucket) is None:
            return _error(HTTPStatus.NOT_FOUND, "The specified bucket does not exist.")
        size = min(int(query.get("maxResults") or PAGE_OBJECTS), PAGE_OBJECTS)
        prefix, after = query.get("prefix", ""), query.get("pageToken", "")
        names = sorted(name for name in self._records.names(_KIND, bucket) if name.startswith(prefix) and name > after)
        found: dict[str, object] = {"kind": "storage#objects"}
        if names:
            found["items"] = [_resource(bucket, name) for name in names[:size]]
        if len(names) > size:
            found["nextPageToken"] = names[size - 1]
        return _document(found)


def _resource(bucket: str, name: str) -> dict[str, object]:
    return {"kind": "storage#object", "bucket": bucket, "name": name, "generation": "1", "metageneration": "1"}


def _document(content: Mapping[str, object]) -> Answer:
    return Answer(HTTPStatus.OK, json.dumps(content).encode())


def _error(status: HTTPStatus, message: str) -> Answer:
    return Answer(status, json.dumps({"error": {"code": status.value, "message": message}}).encode())
