"""SSM parameters.

Source: Terraform AWS provider 5.100, `aws_ssm_parameter`; AWS Systems Manager API Reference.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ...domain.resources import Declared
from ...domain.shapes import Canonical, default_is, number, tags, text
from ...domain.specs import TypeSpec, by


def verbatim(value: object) -> Canonical:
    """A value in which every character counts."""
    return None if value is None else str(value)


def keep_one_evidence(entry: Declared) -> Iterator[Declared]:
    """Keep the one attribute that shows a change of the value.

    The state holds a plain value in `value` or in `insecure_value`, whichever the configuration uses. Only where it
    holds no comparable value (`SecureString`, write-only) does the version tell; elsewhere it repeats the value.
    """
    attributes = dict(entry.attributes)
    held = "value" if attributes.get("value") else "insecure_value" if attributes.get("insecure_value") else None
    evidence = held if held and attributes.get("type") != "SecureString" else "version"
    for name in {"value", "insecure_value", "version"} - {evidence}:
        attributes.pop(name, None)
    yield replace(entry, attributes=attributes)


SPECS = (
    TypeSpec(
        "aws_ssm_parameter",
        {
            "type": text,
            "value": verbatim,
            "insecure_value": verbatim,
            "version": number,
            "description": text,
            "allowed_pattern": text,
            "tier": default_is("Standard", text),
            "data_type": default_is("text", text),
            "key_id": text,
            "tags": tags,
        },
        key=by("arn"),
        expand=keep_one_evidence,
        sensitive=frozenset({"value", "insecure_value"}),  # readers give the live value under both names
    ),
)
