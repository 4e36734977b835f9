"""Resource names of the three services: their shapes, and the rules for the ids in them."""

from __future__ import annotations

import re
from enum import Enum

from local_emulator.google.rpc import invalid


class Shape(Enum):
    """A resource name's pattern, `*` standing for one id."""

    PROJECT = "projects/*"
    LOCATION = "projects/*/locations/*"
    KEY_RING = "projects/*/locations/*/keyRings/*"
    CRYPTO_KEY = "projects/*/locations/*/keyRings/*/cryptoKeys/*"
    CRYPTO_KEY_VERSION = "projects/*/locations/*/keyRings/*/cryptoKeys/*/cryptoKeyVersions/*"
    SECRET = "projects/*/secrets/*"  # noqa: S105 - the form of a name
    SECRET_VERSION = "projects/*/secrets/*/versions/*"  # noqa: S105 - the form of a name
    TOPIC = "projects/*/topics/*"
    SUBSCRIPTION = "projects/*/subscriptions/*"

    def matches(self, name: str) -> bool:
        """Say whether a name has this shape."""
        return re.fullmatch(self.value.replace("*", "[^/]+"), name) is not None


KMS_ID = re.compile(r"[a-zA-Z0-9_-]{1,63}")
SECRET_ID = re.compile(r"[a-zA-Z0-9_-]{1,255}")
PUBSUB_ID = re.compile(r"(?!goog)[a-zA-Z][a-zA-Z0-9._~%+-]{2,254}")


def require(name: str, shape: Shape) -> str:
    """Return the name when it has the shape. Raises: INVALID_ARGUMENT otherwise."""
    if not shape.matches(name):
        raise invalid(f"The resource name {name!r} does not have the form {shape.value}.")
    return name


def require_id(value: str, rule: re.Pattern[str], field: str) -> str:
    """Return the id when it obeys the rule. Raises: INVALID_ARGUMENT otherwise."""
    if not rule.fullmatch(value):
        raise invalid(f"The {field} {value!r} must match {rule.pattern}.")
    return value


def parent_of(name: str) -> str:
    """Cut the collection and the id off a name."""
    return name.rsplit("/", 2)[0]


def id_of(name: str) -> str:
    """Return the last id of a name."""
    return name.rsplit("/", 1)[1]
