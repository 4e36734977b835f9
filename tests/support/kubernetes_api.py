"""An API server on loopback that speaks the documented shapes of lists and watches, with faults that a test orders.

Sources: https://kubernetes.io/docs/reference/using-api/api-concepts/ (chunked lists with `limit` and `continue`, watches with
bookmarks, 410 Gone for versions and tokens that are too old, `Status` objects for failures).
"""

from __future__ import annotations

import json
import threading
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from driftwise_operator.kinds import KINDS, Kind

_PATHS = {kind.path: kind for kind in KINDS}


def status_of(code: int, reason: str) -> dict[str, Any]:
    """Return a failure as the API server writes it."""
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "reason": reason, "code": code}


@dataclass
class ApiServer:
    """One cluster.

    Attributes:
        kinds: further kinds than the usual ones.
        objects: path -> namespace and name -> object.
        faults: path -> answers that come before any other: status and headers.
        requests: every request: path and query.
        watching: paths that are watched now.
    """

    kinds: tuple[Kind, ...] = ()
    objects: dict[str, dict[tuple[str, str], dict[str, Any]]] = field(default_factory=lambda: defaultdict(dict))
    faults: dict[str, deque[tuple[int, Mapping[str, str]]]] = field(default_factory=lambda: defaultdict(deque))
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    url: str = ""
    version: int = 1000
    tokens: list[str] = field(default_factory=list)
    _events: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _is_over: bool = False
    watching: set[str] = field(default_factory=set)

    def put(self, data: Mapping[str, Any]) -> None:
        """Create or change an object."""
        path = self._path_of(data)
        with self._changed:
            self.version += 1
            name = _name(data)
            kept = {"metadata": {}, **{k: v for k, v in data.items() if k not in {"apiVersion", "kind"}}}
            kept["metadata"] = {
                **data["metadata"],
                "resourceVersion": str(self.version),
                "managedFields": [{"manager": "kubectl"}],
            }
            event = "MODIFIED" if name in self.objects[path] else "ADDED"
            self.objects[path][name] = kept
            self._tell(path, event, data, kept)

    def delete(self, data: Mapping[str, Any]) -> None:
        """Delete an object."""
        path = self._path_of(data)
        with self._changed:
            self.version += 1
            kept = self.objects[path].pop(_name(data))
            kept["metadata"]["resourceVersion"] = str(self.version)
            self._tell(path, "DELETED", data, kept)

    def expire(self, path: str) -> None:
        """Forget what happened before: whoever watches is told 410 Gone, as an event."""
        with self._changed:
            self._events[path].append({"type": "ERROR", "object": status_of(410, "Expired")})
            self._changed.notify_all()

    def bookmark(self, path: str, version: int) -> None:
        """Tell whoever watches a version from which a watch may go on."""
        with self._changed:
            mark = {"metadata": {"resourceVersion": str(version)}}
            self._events[path].append({"type": "BOOKMARK", "object": mark})
            self._changed.notify_all()

    def lists(self, path: str) -> list[dict[str, str]]:
        """Return the queries of every list of a kind."""
        return [query for at, query in self.requests if at == path and "watch" not in query]

    def wait_for_watch(self, path: str, seconds: float = 10.0) -> None:
        """Return once somebody watches a kind."""
        with self._changed:
            assert self._changed.wait_for(lambda: path in self.watching, seconds), f"nobody watches {path}"

    @contextmanager
    def serve(self) -> Iterator[str]:
        """Serve for the length of a block; yields the address."""
        api = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                api._answer(self)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the server's own name
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        self.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield self.url
        finally:
            with self._changed:
                self._is_over = True
                self._changed.notify_all()
            server.shutdown()
            server.server_close()

    def _path_of(self, data: Mapping[str, Any]) -> str:
        for kind in (*KINDS, *self.kinds):
            if (kind.api_version, kind.kind) == (data["apiVersion"], data["kind"]):
                return kind.path
        raise AssertionError(f"the cluster has no {data['kind']}")

    def _tell(self, path: str, event: str, data: Mapping[str, Any], kept: Mapping[str, Any]) -> None:
        whole = {"apiVersion": data["apiVersion"], "kind": data["kind"], **kept}
        self._events[path].append({"type": event, "object": whole})
        self._changed.notify_all()

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(handler.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.requests.append((parts.path, query))
        self.tokens.append(handler.headers.get("Authorization", ""))
        faults = self.faults[parts.path]
        if faults:
            status, headers = faults.popleft()
            _send(handler, status, status_of(status, "Fault"), headers)
        elif parts.path == "/version":
            _send(handler, 200, {"gitVersion": "v1.34.1"}, {})
        elif parts.path not in {**_PATHS, **{kind.path: kind for kind in self.kinds}}:
            _send(handler, 404, status_of(404, "NotFound"), {})
        elif "watch" in query:
            self._watch(handler, parts.path, query)
        else:
            self._list(handler, parts.path, query)

    def _list(self, handler: BaseHTTPRequestHandler, path: str, query: Mapping[str, str]) -> None:
        with self._changed:
            items, version = [item for _, item in sorted(self.objects[path].items())], self.version
        start, limit = int(query.get("continue", "0")), int(query.get("limit", "0")) or len(items)
        metadata: dict[str, Any] = {"resourceVersion": str(version)}
        if start + limit < len(items):
            metadata |= {"continue": str(start + limit), "remainingItemCount": len(items) - start - limit}
        _send(
            handler,
            200,
            {"kind": "List", "apiVersion": "v1", "metadata": metadata, "items": items[start : start + limit]},
            {},
        )

    def _watch(self, handler: BaseHTTPRequestHandler, path: str, query: Mapping[str, str]) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        since = int(query["resourceVersion"])
        sent = 0
        with self._changed:
            sent = len([event for event in self._events[path] if _version(event) <= since])
            self.watching.add(path)
            self._changed.notify_all()
        try:
            while True:
                with self._changed:
                    while not self._is_over and len(self._events[path]) <= sent:
                        self._changed.wait(30)
                    waiting = self._events[path][sent:]
                    sent += len(waiting)
                    if self._is_over:
                        break
                for event in waiting:
                    line = json.dumps(event).encode() + b"\n"
                    for piece in (line[: len(line) // 2], line[len(line) // 2 :]):  # an event may come in pieces
                        handler.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
                    handler.wfile.flush()
                    if event["type"] == "ERROR":
                        self._events[path].clear()
                        handler.wfile.write(b"0\r\n\r\n")
                        return
            handler.wfile.write(b"0\r\n\r\n")
        except OSError:
            pass  # whoever watched has gone
        finally:
            with self._changed:
                self.watching.discard(path)


def _version(event: Mapping[str, Any]) -> int:
    return int(event["object"].get("metadata", {}).get("resourceVersion") or 0)


def _name(data: Mapping[str, Any]) -> tuple[str, str]:
    return str(data["metadata"].get("namespace") or ""), str(data["metadata"]["name"])


def _send(handler: BaseHTTPRequestHandler, status: int, body: object, headers: Mapping[str, str]) -> None:
    content = json.dumps(body).encode()
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    handler.wfile.write(content)
