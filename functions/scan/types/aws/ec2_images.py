"""Machine images of the account, and with whom they are shared.

Source: Terraform AWS provider 5.100, resource documentation of each type.
"""

from __future__ import annotations

from ...domain.resources import Attributes
from ...domain.shapes import boolean, tags, text
from ...domain.specs import TypeSpec
from .standins import stand_in


def _shared_image(attributes: Attributes) -> str | None:
    names = ("account_id", "group", "organization_arn", "organizational_unit_arn")
    whom = next((attributes[name] for name in names if attributes.get(name)), None)
    image = attributes.get("image_id")
    return f"{image}|{whom}" if image and whom else None


SPECS = (
    TypeSpec(
        "aws_ami",
        {
            "name": text,
            "description": text,
            "boot_mode": text,
            "deprecation_time": text,
            "ena_support": boolean,
            "imds_support": text,
            "root_device_name": text,
            "tpm_support": text,
            "tags": tags,
        },
    ),
    stand_in("aws_ami_copy", "aws_ami"),
    stand_in("aws_ami_from_instance", "aws_ami"),
    TypeSpec("aws_ami_launch_permission", {}, key=_shared_image),
)
