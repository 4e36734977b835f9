"""How a type is imported, whatever cloud it belongs to. Loads the table of one cloud at the first question about it."""

from __future__ import annotations

from collections.abc import Mapping

from .import_rules import ImportRule
from .provider_schema import AttributeSchema


def rule_of(type_name: str) -> ImportRule | None:
    """Return the rule of a Terraform type; None when the form of its import id is not known."""
    cloud = type_name.partition("_")[0]
    if cloud == "aws":
        from .aws.imports import RULES

        return RULES.get(type_name)
    if cloud == "google":
        from .gcp.imports import rule_of as of_google

        return of_google(type_name)
    if cloud == "azurerm":
        from .azure.imports import rule_of as of_azure

        return of_azure(type_name)
    if cloud in {"kubernetes", "helm"}:
        from .kubernetes.imports import rule_of as of_kubernetes

        return of_kubernetes(type_name)
    return None


def schema_of(type_name: str) -> Mapping[str, AttributeSchema] | None:
    """Return what the provider says of a type; None where that is not kept, as of Azure's and Helm's."""
    cloud = type_name.partition("_")[0]
    if cloud == "aws":
        from .aws.schema import SCHEMA as OF_AWS

        return OF_AWS.attribute_schema(type_name)
    if cloud == "google":
        from .gcp.schema import SCHEMA as OF_GOOGLE

        return OF_GOOGLE.attribute_schema(type_name)
    if cloud == "kubernetes":
        from .kubernetes.schema import SCHEMA as OF_KUBERNETES

        return OF_KUBERNETES.attribute_schema(type_name)
    return None
