"""Where a declared resource lies, as far as its state tells: account and region.

A state names the region of few resources outright. For the others it names the provider configuration that made them, and a
configuration of the AWS provider works in one region; which one, the ARNs of what else it made tell.
Source: Terraform `internal/states/statefile/version4.go` (`provider`); AWS provider 6, "Enhanced Region Support" (`region`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from .resources import Attributes
from .specs import TypeSpec

_REGION = re.compile(r"[a-z]{2,}(-[a-z]+)+-\d+")
_EVERYWHERE = "global/"  # the resource of an ARN that names a region and lies in none: CloudFront's side of WAF


def place_of(spec: TypeSpec | None, attributes: Attributes, region: str | None) -> tuple[str | None, str | None]:
    """Return account and region of one instance; None for what its state does not tell.

    The region is what the attribute `region` says, else what its ARN says, else that of its provider configuration; of a thing
    that lies in no region only the ARN counts.

    Args:
        spec: the rules of its type; None when there are none, and only the ARN counts.
        attributes: of the state.
        region: where its provider configuration works, if that is known.
    """
    parts = _parts(attributes.get(spec.place if spec else "arn"))
    account, of_arn, resource = (parts[4] or None, parts[3] or None, parts[5]) if parts else (None, None, "")
    if resource.startswith(_EVERYWHERE):
        return account, None
    if spec is None or spec.is_global:
        return account, of_arn
    told = attributes.get("region")
    if isinstance(told, str) and _REGION.fullmatch(told):
        return account, told
    return account, of_arn or region


def provider_of(resource: Mapping[str, object], instance: Mapping[str, object]) -> str:
    """Return the address of the provider configuration, with its module; OpenTofu names it per instance if there are several."""
    return str(instance.get("provider") or resource.get("provider") or "")


def provider_regions(resources: Iterable[object], specs: Mapping[str, TypeSpec]) -> dict[str, str]:
    """Return provider configuration -> region, for those whose resources' ARNs all name the same one.

    A provider of version 6 works in other regions as well, but says so with each resource.

    Args:
        resources: the member `resources` of a state; what is not as it should be is passed over.
        specs: the type table, which knows of each type the attribute with its own ARN.
    """
    found: dict[str, set[str]] = {}
    for resource in resources:
        if not isinstance(resource, Mapping) or resource.get("mode") != "managed":
            continue
        spec = specs.get(str(resource.get("type")))
        instances = resource.get("instances")
        if spec is None or spec.is_global or not isinstance(instances, list):
            continue
        for instance in instances:
            attributes = instance.get("attributes") if isinstance(instance, Mapping) else None
            if isinstance(attributes, Mapping) and not attributes.get("region"):
                _, region = place_of(spec, attributes, None)
                if region is not None:
                    found.setdefault(provider_of(resource, instance), set()).add(region)
    return {provider: next(iter(regions)) for provider, regions in found.items() if provider and len(regions) == 1}


def _parts(arn: object) -> list[str]:
    """Split an ARN into its six parts; nothing when it is none."""
    parts = arn.split(":", 5) if isinstance(arn, str) and arn.startswith("arn:") else []
    return parts if len(parts) == 6 else []
