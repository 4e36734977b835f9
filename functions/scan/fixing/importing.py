"""The fix of an unmanaged resource: an import block and the configuration that goes with it.

A plan with both takes the resource over and changes nothing; where that cannot be promised, the notes say why.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..types.aws.imports import RULES, ImportRule, Source
from ..types.aws.schema import SCHEMA
from ..types.provider_schema import AttributeSchema
from .configuration import named, resource_body, variable_blocks
from .hcl import Block, Raw, block

_UNREADABLE = (
    "These arguments exist in Terraform only and cannot be read from the cloud; take the line out to set them."
)


@dataclass(frozen=True, slots=True)
class Import:
    """How to take a resource over.

    Attributes:
        to: address of the resource in the configuration.
        id: import id; None when the type has no known form of one.
        import_block: the import block; None without an id.
        configuration: variables and the resource block; None when it cannot be generated.
        notes: what to know before running it.
    """

    to: str
    id: str | None
    import_block: str | None
    configuration: str | None
    notes: tuple[str, ...]


def build_import(type_name: str, source: Source, *, suffix: str = "") -> Import:
    """Build the fix of an unmanaged resource.

    Args:
        type_name: its Terraform type.
        source: what runs.
        suffix: added to the resource's name, where many are put into one configuration.
    """
    name = (
        named((source.tags.get("Name", ""), str(source.attributes.get("name") or ""), source.name, source.key)) + suffix
    )
    to = f"{type_name}.{name}"
    rule, schema = RULES.get(type_name), SCHEMA.attribute_schema(type_name)
    if rule is None or schema is None:
        note = f"The provider's page of {type_name} says what its import id is; then `terraform plan -generate-config-out=generated.tf` writes a configuration."
        return Import(to, None, None, None, (note,))
    found = rule.id(source)
    import_block = block(Block("import", [("to", Raw(to)), ("id", found)]))
    configuration, notes = _configuration(type_name, name, source, rule, schema)
    return Import(to, found, import_block, configuration, notes)


def _configuration(
    type_name: str, name: str, source: Source, rule: ImportRule, schema: Mapping[str, AttributeSchema]
) -> tuple[str, tuple[str, ...]]:
    tags = {"tags": {key: value for key, value in source.tags.items() if not key.startswith("aws:")}}
    attributes = {**source.attributes, **(tags if "tags" in schema else {}), **rule.adds(source)}
    written = resource_body(attributes, schema, prefix=name, left_out=rule.left_out)
    notes: list[str] = []
    body = list(written.body)
    if rule.unreadable:
        body.append(Block("lifecycle", [("ignore_changes", [Raw(item) for item in rule.unreadable])]))
        notes.append(_UNREADABLE)
    if written.variables:
        notes.append("Secrets are variables: give them the values that run, or the plan shows a change.")
    text = "\n\n".join([*variable_blocks(written), block(Block(f'resource "{type_name}" "{name}"', body))])
    return text + "\n", tuple(notes)
