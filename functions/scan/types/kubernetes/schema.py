"""What the provider says about each Kubernetes type: which attributes there are, and of which shape.

Owns the reading of `schema.xz`, which `python -m infra.build.kubernetes_schema` writes; its layout is that of `types/aws/schema.py`.
Nothing is read before the first question; a type is parsed when it is asked for.
"""

from __future__ import annotations

import json
import lzma
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from ..aws.schema import AttributeSchema, members_of

PROVIDER = "hashicorp/kubernetes"
VERSION = "2.38.0"
FILE = Path(__file__).with_name("schema.xz")
_MOST_BYTES = 16 * 1024 * 1024  # of the file's text; it has a fifth of it


def attribute_schema(kind: str) -> Mapping[str, AttributeSchema] | None:
    """Return the attributes and blocks of a type by name; None when the provider has no such type."""
    line = _lines().get(kind)
    return None if line is None else members_of(json.loads(line))


def known_types() -> frozenset[str]:
    """Return the types that the provider has."""
    return frozenset(_lines())


@cache
def known_count() -> int:
    """Return how many types the provider has; reads no further than the first line."""
    with lzma.open(FILE) as file:
        return int(json.loads(file.readline(_MOST_BYTES))["types"])


@cache
def _lines() -> Mapping[str, str]:
    """Read the file.

    Raises:
        ValueError: it is not the schema of this provider, or larger than it can be.
    """
    with lzma.open(FILE) as file:
        content = file.read(_MOST_BYTES + 1)
    head, _, rest = content.decode().partition("\n")
    if len(content) > _MOST_BYTES or json.loads(head).get("version") != VERSION:
        raise ValueError(f"{FILE.name} is not the schema of {PROVIDER} {VERSION}")
    return dict(line.split("\t", 1) for line in rest.splitlines())
