"""Resource Explorer and Cloud Control for the AWS stand-in, which moto has not got.

The index is there, covers every region and lists nothing beyond what the tagging API lists; Cloud Control knows no type. Owns
these two services' replies only. Source: AWS Resource Explorer and AWS Cloud Control API References.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any, Final

from .moto_server import SCOPE, App, Environ

_VIEW: Final = "arn:aws:resource-explorer-2:us-east-1:123456789012:view/all/0e0e0e0e-0000-4000-8000-000000000000"
_REPLIES: Final[dict[str, dict[str, Any]]] = {
    "/ListIndexes": {
        "Indexes": [{"Arn": _VIEW.replace("view/all", "index"), "Region": "us-east-1", "Type": "AGGREGATOR"}]
    },
    "/GetDefaultView": {"ViewArn": _VIEW},
    "/GetView": {"View": {"ViewArn": _VIEW, "Filters": {"FilterString": ""}}, "Tags": {}},
    "/ListResources": {"Resources": [], "ViewArn": _VIEW},
}


class Indexed:
    """WSGI layer that answers for the two services and leaves all others to the app behind it."""

    def __init__(self, app: App) -> None:
        self._app = app

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        scope = SCOPE.search(environ.get("HTTP_AUTHORIZATION", ""))
        service = scope[2] if scope else ""
        if service == "resource-explorer-2" and environ["PATH_INFO"] in _REPLIES:
            return _answer(start_response, "200 OK", _REPLIES[environ["PATH_INFO"]])
        if service == "cloudcontrolapi":
            refusal = {"__type": "UnsupportedActionException", "Message": "this stand-in knows no such type"}
            return _answer(start_response, "400 Bad Request", refusal)
        return self._app(environ, start_response)


def _answer(start_response: Callable[..., Any], status: str, body: dict[str, Any]) -> Iterable[bytes]:
    content = json.dumps(body).encode()
    start_response(status, [("Content-Type", "application/json"), ("Content-Length", str(len(content)))])
    return [content]
