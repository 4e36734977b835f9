"""The type tables against what the provider itself says about its types: no invented attribute, no shape that cannot fit."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from functions.scan.domain.sealing import NEVER_KEPT
from functions.scan.domain.shapes import constant
from functions.scan.types.aws import SPECS
from functions.scan.types.aws.schema import SCHEMA
from functions.scan.types.provider_schema import AttributeSchema, ProviderSchema
from infra.build import type_schema as generator

# Compared although the provider's type has no such attribute: what readers add to tell a difference that it leaves to a type of its own.
OWN = {"aws_lb_target_group.targets": "registered targets, which stand-alone attachments take over"}
# Lists by the provider's word whose order says nothing in the cloud.
UNORDERED_LISTS = {
    "aws_api_gateway_rest_api.binary_media_types": "API Gateway keeps a set of names and answers in an order of its own",
    "aws_batch_job_queue.compute_environment_order": "each block says its place",
    "aws_instance.ipv6_addresses": "EC2 answers in any order",
    "aws_lambda_function.architectures": "Lambda takes one",
    "aws_s3_bucket.lifecycle_rule": "rules carry ids",
    "aws_s3_bucket_lifecycle_configuration.rule": "rules carry ids",
    "aws_s3_bucket_notification.lambda_function": "notifications carry ids",
    "aws_s3_bucket_notification.queue": "notifications carry ids",
    "aws_s3_bucket_notification.topic": "notifications carry ids",
    "aws_launch_template.tag_specifications": "one per resource type",
}
# So that the provider can tell "false" from "not set".
FLAGS_AS_TEXT = {"aws_launch_template.ebs_optimized", "aws_elasticache_cluster.auto_minor_version_upgrade"}
_DEPTH = 4


def attributes() -> Iterator[tuple[str, str]]:
    return ((kind, name) for kind, spec in sorted(SPECS.items()) for name in spec.shapes)


def sample(item: AttributeSchema, variant: int, depth: int = 0) -> object:
    """A value of the attribute: two variants that mean different things."""
    if item.members is not None:
        inner = {name: sample(member, variant, depth + 1) for name, member in item.members.items() if depth < _DEPTH}
        return inner if item.kind == "single" else [inner]
    return _of(item.kind, item.element, variant)


def _of(kind: str, element: str, variant: int) -> object:
    if kind in {"list", "set"}:
        return [_terse(element, variant)]
    if kind == "map":
        return {"Name": _terse(element, variant)}
    if kind == "object":
        inside = element.rstrip("}")
        return {part.split("=")[0]: _terse(part.split("=")[1], variant) for part in inside.split(",") if "=" in part}
    return {"number": 4 + variant, "bool": variant == 1}.get(kind, f'{{"Name": "{variant}"}}')


def _terse(spelled: str, variant: int) -> object:
    kinds = {"L": "list", "T": "set", "M": "map", "{": "object", "n": "number", "b": "bool"}
    return _of(kinds.get(spelled[0], "string"), spelled[1:], variant)


def test_every_mapped_type_and_attribute_is_one_of_the_provider() -> None:
    assert set(SPECS) - SCHEMA.known_types() == set()
    unknown = {f"{kind}.{name}" for kind, name in attributes() if name not in (SCHEMA.attribute_schema(kind) or {})}
    assert unknown == set(OWN)


def test_every_shape_sees_a_change_of_its_attribute() -> None:
    blind = {
        f"{kind}.{name}"
        for kind, name, item in _known()
        if SPECS[kind].shapes[name](sample(item, 1)) == SPECS[kind].shapes[name](sample(item, 2))
    }
    assert blind == set(FLAGS_AS_TEXT)
    for name in FLAGS_AS_TEXT:
        kind, _, attribute = name.partition(".")
        assert SPECS[kind].shapes[attribute]("true") != SPECS[kind].shapes[attribute]("false")


def test_sets_are_compared_without_order_and_lists_with_it() -> None:
    wrong: list[str] = []
    unordered: set[str] = set()
    for kind, name, item in _known():
        if item.kind not in {"set", "list"} or item.most == 1:
            continue
        shape = SPECS[kind].shapes[name]
        one, other = sample(item, 1), sample(item, 2)
        assert isinstance(one, list)
        assert isinstance(other, list)
        is_ordered = shape([*one, *other]) != shape([*other, *one])
        if item.kind == "set" and is_ordered:
            wrong.append(f"{kind}.{name}")
        elif item.kind == "list" and not is_ordered:
            unordered.add(f"{kind}.{name}")
    assert wrong == [], "a set of the provider is compared with its order"
    assert unordered == set(UNORDERED_LISTS)


def test_what_the_provider_calls_sensitive_is_never_kept_in_clear() -> None:
    open_values = {
        f"{kind}.{'.'.join(path)}"
        for kind, spec in SPECS.items()
        for path in SCHEMA.sensitive_paths(kind)
        if path[0] in spec.shapes and path[0] not in spec.sensitive and path[-1] not in NEVER_KEPT
    }
    assert open_values == set()


def test_who_sets_an_attribute_is_told() -> None:
    queue = SCHEMA.attribute_schema("aws_sqs_queue") or {}
    assert queue["arn"].is_computed_only
    assert not queue["name"].is_computed_only
    assert queue["name"].optional
    assert queue["name"].computed
    rule = (SCHEMA.attribute_schema("aws_s3_bucket_versioning") or {})["versioning_configuration"]
    assert (rule.kind, rule.fewest, rule.most, rule.required) == ("list", 1, 1, True)
    assert rule.members is not None
    assert rule.members["status"].required
    assert SCHEMA.attribute_schema("aws_nothing") is None
    assert SCHEMA.sensitive_paths("aws_db_instance") == {("password",), ("password_wo",)} or (
        "password",
    ) in SCHEMA.sensitive_paths("aws_db_instance")


def test_the_count_is_that_of_the_file() -> None:
    assert SCHEMA.known_count == len(SCHEMA.known_types()) > 1500


def test_the_file_stays_small() -> None:
    assert SCHEMA.file.stat().st_size < 150_000


def test_a_file_of_another_provider_is_refused(tmp_path: Path) -> None:
    import lzma

    other = tmp_path / "schema.xz"
    other.write_bytes(lzma.compress(b'{"version": "4.0.0", "types": 0}\n'))
    with pytest.raises(ValueError, match="not the schema of hashicorp/aws"):
        ProviderSchema(other, SCHEMA.provider, SCHEMA.version).known_types()


def test_the_layout_of_a_type() -> None:
    block = {
        "attributes": {
            "arn": {"type": "string", "computed": True},
            "password": {"type": "string", "optional": True, "sensitive": True},
            "route": {"type": ["set", ["object", {"b": "number", "a": ["list", "string"]}]], "optional": True},
        },
        "block_types": {"rule": {"nesting_mode": "set", "max_items": 3, "block": {"attributes": {}}}},
    }
    lines = generator.schema_text({"aws_x": {"block": block}}).splitlines()
    assert lines[1] == 'aws_x\t{"arn":"c:s","password":"o!:s","route":"o:T{a=Ls,b=n}","rule":["T",0,3,{}]}'


def test_a_document_of_another_provider_is_refused() -> None:
    with pytest.raises(generator.SchemaUnavailable, match="hashicorp/aws"):
        generator.schemas_of({"provider_schemas": {}})


@pytest.mark.terraform
@pytest.mark.skipif(not os.environ.get("DRIFTWISE_TF_MIRROR"), reason="DRIFTWISE_TF_MIRROR names no provider mirror")
def test_the_file_is_what_the_provider_says() -> None:
    try:
        schemas = generator.provider_schema()
    except generator.SchemaUnavailable as error:
        pytest.skip(str(error))
    text: Mapping[str, str] = dict(line.split("\t", 1) for line in generator.schema_text(schemas).splitlines()[1:])
    assert text == SCHEMA.lines, "run `python -m infra.build.type_schema` and commit the file"


def _known() -> Iterator[tuple[str, str, AttributeSchema]]:
    for kind, name in attributes():
        item = (SCHEMA.attribute_schema(kind) or {}).get(name)
        if item is not None and SPECS[kind].shapes[name] is not constant:
            yield kind, name, item
