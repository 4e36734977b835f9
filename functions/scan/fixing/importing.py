"""The fix of an unmanaged resource: an import block and the configuration that goes with it.

A plan with both takes the resource over and changes nothing; where that cannot be promised, the notes say why. Where no whole
configuration can be written, Terraform writes it: the notes say how.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..types.import_rules import ImportRule, Source
from ..types.imports import rule_of, schema_of
from ..types.provider_schema import AttributeSchema
from .configuration import Written, missing_arguments, named, resource_body, variable_blocks
from .hcl import Block, Raw, block

_GENERATE = "`terraform plan -generate-config-out=generated.tf`"
_UNREADABLE = (
    "These arguments exist in Terraform only and cannot be read from the cloud; take the line out to set them."
)
_SECRETS = "Secrets are variables: give them the values that run, or the plan shows a change."
_ONLY_COMPARED = "What is compared with a state is written, and nothing else: look at the plan before applying it."
_THEN_GENERATED = f"; then {_GENERATE} writes a configuration."
_NO_ID = (
    "What is stored does not tell the import id: the provider's page of {type} says what it is made of"
    + _THEN_GENERATED
)
_UNKNOWN = "The provider's page of {type} says what its import id is" + _THEN_GENERATED
_NOT_WRITTEN = f"Put the import block into the configuration: then {_GENERATE} writes the rest."
_HIDDEN = "{missing} is hidden as a whole, so that no configuration is written here. " + _NOT_WRITTEN
_INCOMPLETE = "{missing} is not compared and has to be set, so that no configuration is written here. " + _NOT_WRITTEN


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
    rule = rule_of(type_name)
    if rule is None:
        return Import(to, None, None, None, (_UNKNOWN.format(type=type_name),))
    found = rule.id(source)
    if found is None:
        return Import(to, None, None, None, (_NO_ID.format(type=type_name),))
    import_block = block(Block("import", [("to", Raw(to)), ("id", found)]))
    schema = schema_of(type_name)
    if schema is None:
        return Import(to, found, import_block, None, (_NOT_WRITTEN,))
    configuration, notes = _configuration(type_name, name, source, rule, schema)
    return Import(to, found, import_block, configuration, notes)


def written_body(
    type_name: str, prefix: str, source: Source, rule: ImportRule, schema: Mapping[str, AttributeSchema]
) -> Written:
    """Write the body of the resource.

    Args:
        type_name: its Terraform type.
        prefix: how names of variables begin.
        source: what runs.
        rule: of its type.
        schema: what the provider says of the type.
    """
    attributes, left_out = {**source.attributes, **rule.adds(source)}, rule.left_out
    if type_name.startswith("aws_"):  # elsewhere what AWS calls tags are labels, which are compared attributes
        tags = {key: value for key, value in source.tags.items() if not key.startswith("aws:")}
        attributes = {**source.attributes, **({"tags": tags} if "tags" in schema else {}), **rule.adds(source)}
        left_out |= {"region"}
    return resource_body(
        attributes,
        schema,
        prefix=prefix,
        left_out=left_out,
        present=rule.present,
        secrets=rule.secrets,
        has_documents=type_name.startswith("aws_"),
    )


def _configuration(
    type_name: str, name: str, source: Source, rule: ImportRule, schema: Mapping[str, AttributeSchema]
) -> tuple[str | None, tuple[str, ...]]:
    written = written_body(type_name, name, source, rule, schema)
    missing = written.hidden or sorted(set(missing_arguments(written.body, schema)))
    if missing:
        said = _HIDDEN if written.hidden else _INCOMPLETE
        return None, (said.format(missing=", ".join(f"`{path}`" for path in missing[:3])),)
    notes: list[str] = [] if type_name.startswith("aws_") else [_ONLY_COMPARED]
    body = list(written.body)
    if rule.unreadable:
        body.append(Block("lifecycle", [("ignore_changes", [Raw(item) for item in rule.unreadable])]))
        notes.append(_UNREADABLE)
    if written.variables:
        notes.append(_SECRETS)
    text = "\n\n".join([*variable_blocks(written), block(Block(f'resource "{type_name}" "{name}"', body))])
    return text + "\n", tuple(notes)
