"""The public health route that every function offers below its own root."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from .call import Call
from .deps import Deps
from .permissions import may
from .reply import Reply
from .routes import Route


class Health(BaseModel):
    """Whether the function answers."""

    status: str = "ok"


def show_health(_call: Call, _deps: Deps) -> Reply:
    """Answer that the function is up; tells nothing else, so anyone may ask."""
    return Reply.ok(Health())


def health_route(root: str) -> Route[Any]:
    """Make the health route below a function's root, e.g. `/keys`."""
    return Route("GET", f"{root}/health", show_health, may("health:read"), reply=Health)
