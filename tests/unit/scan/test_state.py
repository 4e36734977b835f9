"""State files: what is read out of them, and what people are told about files that cannot be read."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from functions.scan.domain import state as state_module
from functions.scan.domain import state_json
from functions.scan.domain.resources import Attributes, Declared, Parent
from functions.scan.domain.specs import TypeSpec, by, index
from functions.scan.domain.state import StateFile, parse_state
from functions.scan.errors import StateEncrypted, StateTooLarge, StateUnreadable, StateVersionUnsupported
from functions.scan.types.aws import SPECS as AWS_SPECS


def _two(entry: Declared) -> list[Declared]:
    return [replace(entry, type="aws_thing", key=f"{entry.key}-{side}") for side in ("a", "b")]


def _table_of(attributes: Attributes) -> Parent:
    return Parent("aws_thing", str(attributes.get("table")), "route")


SPECS = index(
    (
        TypeSpec("aws_thing", {}, key=by("id")),
        TypeSpec("aws_pair", {}, key=by("id"), expand=_two),
        TypeSpec("aws_part", {}, key=by("table", "name"), parent=_table_of),
    )
)


def _state(*resources: object, **members: object) -> dict[str, object]:
    base = {"version": 4, "terraform_version": "1.9.8", "serial": 7, "lineage": "3f6c", "outputs": {}}
    return {**base, "resources": list(resources), **members}


def _resource(kind: str = "aws_thing", name: str = "one", *instances: Any, **members: object) -> dict[str, object]:
    found = list(instances) or [{"attributes": {"id": "t-1"}}]
    return {"mode": "managed", "type": kind, "name": name, "provider": "p", "instances": found, **members}


def _parse(document: object, encoding: str = "utf-8") -> StateFile:
    return parse_state(json.dumps(document).encode(encoding), SPECS)


def _addresses(*resources: object) -> list[str]:
    return [item.address for item in _parse(_state(*resources)).declared]


def _refused(content: bytes, kind: type[Exception] = StateUnreadable) -> Any:
    with pytest.raises(kind) as raised:
        parse_state(content, SPECS)
    return raised.value


# --- What cannot be read ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content", [b"", b"  \n\t ", b"\xef\xbb\xbf", b"\xef\xbb\xbf\r\n", b"\xff\xfe", b"\xff\xfe\n\x00"]
)
def test_an_empty_state_is_called_empty(content: bytes) -> None:
    assert "empty" in str(_refused(content))


def test_text_that_is_no_json_is_refused_with_line_and_column() -> None:
    error = _refused(b'{\n  "version": 4,\n  "serial" 7\n}')
    assert "not JSON" in str(error)
    assert (error.facts["line"], error.facts["column"]) == (3, 12)


@pytest.mark.parametrize("content", [b"# Terraform\nresource {}", b'{"version": 4', b"<html></html>"])
def test_other_text_is_not_json(content: bytes) -> None:
    assert "not JSON" in str(_refused(content))


def test_a_compressed_state_is_refused_as_no_text() -> None:
    assert "not UTF-8" in str(_refused(gzip.compress(json.dumps(_state()).encode())))


@pytest.mark.parametrize("content", [b"[]", b"null", b'"state"', b"4", b"[" + b'{"version": 4}' + b"]"])
def test_json_that_is_no_object_is_refused(content: bytes) -> None:
    assert "object at its top level" in str(_refused(content))


@pytest.mark.parametrize("version", [1, 3, 5, 40, "4", 4.5, [4], True])
def test_another_format_version_is_refused_by_name(version: object) -> None:
    error = _refused(json.dumps(_state(version=version)).encode(), StateVersionUnsupported)
    assert error.code == "state_version_unsupported"
    assert str(error.facts["version"]) == str(version)


@pytest.mark.parametrize("document", [{}, {"serial": 7}, {"resources": []}, _state(version=None)])
def test_json_without_a_version_is_no_state(document: object) -> None:
    assert "no `version`" in str(_refused(json.dumps(document).encode()))


@pytest.mark.parametrize(
    "document",
    [
        {"format_version": "1.0", "terraform_version": "1.9.8", "values": {"root_module": {}}},
        {"format_version": "1.2", "planned_values": {}, "resource_changes": []},
    ],
)
def test_the_output_of_terraform_show_is_recognised(document: object) -> None:
    assert "terraform show -json" in str(_refused(json.dumps(document).encode()))


def test_a_state_that_opentofu_encrypted_is_called_encrypted() -> None:
    document = {"serial": 1, "lineage": "x", "meta": {"key_provider.pbkdf2.k": "ey"}, "encrypted_data": "AAAA"}
    error = _refused(json.dumps({**document, "encryption_version": "v0"}).encode(), StateEncrypted)
    assert error.code == "state_encrypted"


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_numbers_that_json_does_not_have_are_refused(word: str) -> None:
    text = json.dumps(_state(_resource("aws_thing", "one", {"attributes": {"id": "t", "size": 12321}})))
    assert _refused(text.replace("12321", word).encode()).code == "state_unreadable"


def test_a_number_of_thousands_of_digits_is_refused() -> None:
    assert "digits" in str(_refused(json.dumps(_state()).replace("7", "7" * 5000).encode()))


def test_a_member_that_comes_twice_is_refused_by_name() -> None:
    error = _refused(b'{"version": 4, "serial": 1, "serial": 2, "resources": []}')
    assert error.facts["member"] == "serial"


@pytest.mark.parametrize("levels", [state_json.MOST_LEVELS + 1, 900, 100_000])
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_deep_nesting_is_refused(levels: int, opening: str, closing: str) -> None:
    value = opening * levels + "1" + closing * levels
    assert "nested" in str(_refused(b'{"version": 4, "resources": ' + value.encode() + b"}"))


def test_the_nesting_of_real_resources_is_accepted() -> None:
    value: object = "leaf"
    for _ in range(60):
        value = [{"statement": value}]
    assert len(_parse(_state(_resource("aws_thing", "one", {"attributes": {"id": "t", "rule": value}}))).declared) == 1


@pytest.mark.parametrize("text", ["a\\u0000b", "\\ud800", "\\udc00x"])
def test_text_that_no_database_keeps_is_refused(text: str) -> None:
    content = json.dumps(_state(_resource("aws_thing", "one", {"attributes": {"id": "MARK"}}))).replace("MARK", text)
    assert "NUL" in str(_refused(content.encode()))


def test_a_pair_of_surrogates_is_one_character_and_accepted() -> None:
    content = json.dumps(_state(_resource("aws_thing", "one", {"attributes": {"id": "\U0001f600"}})))
    assert "\\ud83d" in content
    assert parse_state(content.encode(), SPECS).declared[0].key == "\U0001f600"


def test_more_values_than_memory_holds_are_refused_before_they_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state_json, "MOST_VALUES", 50)
    error = _refused(b'{"version": 4, "resources": [' + b"{}," * 60 + b"{}]}", StateTooLarge)
    assert (error.status, error.facts["limit_values"]) == (413, 50)


def test_more_resources_than_a_scan_compares_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state_module, "MOST_RESOURCES", 3)
    three = [{"index_key": number, "attributes": {"id": str(number)}} for number in range(3)]
    assert len(_parse(_state(_resource("aws_thing", "one", *three))).declared) == 3
    many = json.dumps(_state(_resource("aws_pair", "one", *three))).encode()
    assert _refused(many, StateTooLarge).facts["limit_resources"] == 3


@pytest.mark.parametrize("resources", [None, {}, "none", 3])
def test_resources_that_are_no_list_are_refused_by_name(resources: object) -> None:
    assert _refused(json.dumps(_state(resources=resources)).encode()).facts["member"] == "resources"


def test_a_state_without_the_resources_member_is_refused() -> None:
    assert _refused(b'{"version": 4, "serial": 1}').facts["member"] == "resources"


@pytest.mark.parametrize("element", [None, "aws_thing.one", {}, {"mode": "managed", "instances": {}}, []])
def test_a_malformed_resource_is_refused_by_its_place(element: object) -> None:
    error = _refused(json.dumps(_state(_resource(), element)).encode())
    assert error.facts["member"] == "resources[1]"


@pytest.mark.parametrize("serial", [None, -1, "7", 1.5, True, 2**63, 10**40])
def test_a_serial_that_terraform_never_writes_is_refused(serial: object) -> None:
    assert _refused(json.dumps(_state(serial=serial)).encode()).facts["member"] == "serial"


@pytest.mark.parametrize("serial", [0, 1, 2**53 + 1, 2**63 - 1])
def test_serials_are_kept_exactly(serial: int) -> None:
    assert _parse(_state(serial=serial)).serial == serial


def test_an_address_that_is_too_long_to_be_kept_is_refused() -> None:
    assert "address" in str(_refused(json.dumps(_state(_resource("aws_thing", "x" * 3000))).encode()))


# --- What is read -----------------------------------------------------------------------------------------------------


def test_an_empty_infrastructure_declares_nothing() -> None:
    found = _parse(_state())
    assert found == StateFile(7, "3f6c", "1.9.8", ())


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_every_encoding_that_tools_write_is_read(encoding: str) -> None:
    document = json.dumps(_state(_resource("aws_thing", "größe")), ensure_ascii=False)
    assert parse_state(document.encode(encoding), SPECS).declared[0].address == "aws_thing.größe"


def test_big_endian_utf16_with_its_mark_is_read() -> None:
    content = b"\xfe\xff" + json.dumps(_state()).encode("utf-16-be")
    assert parse_state(content, SPECS).serial == 7


def test_data_sources_are_left_out_and_of_deposed_objects_only_their_identity_is_kept() -> None:
    deposed = {"deposed": "00000001", "attributes": {"id": "t-old", "name": "n"}}
    kept = {"attributes": {"id": "t-new"}}
    found = _parse(
        _state(_resource("aws_thing", "looked_up", mode="data"), _resource("aws_thing", "one", deposed, kept))
    ).declared
    assert [(item.address, item.key, item.is_deposed) for item in found] == [
        ("aws_thing.one (deposed object 00000001)", "t-old", True),
        ("aws_thing.one", "t-new", False),
    ]
    assert found[0].attributes == {"id": "t-old"}


def test_a_deposed_object_without_an_identity_is_left_out() -> None:
    assert _parse(_state(_resource("aws_thing", "one", {"deposed": "00000001", "attributes": {}}))).declared == ()


def test_a_tainted_instance_still_exists() -> None:
    assert _addresses(_resource("aws_thing", "one", {"status": "tainted", "attributes": {"id": "t"}})) == [
        "aws_thing.one"
    ]


@pytest.mark.parametrize(
    ("index_key", "address"),
    [
        (None, "aws_thing.one"),
        (0, "aws_thing.one[0]"),
        (12, "aws_thing.one[12]"),
        ("a", 'aws_thing.one["a"]'),
        ("", 'aws_thing.one[""]'),
        ("a.b/c d", 'aws_thing.one["a.b/c d"]'),
        ('say "hi"', 'aws_thing.one["say \\"hi\\""]'),
        ("back\\slash", 'aws_thing.one["back\\\\slash"]'),
        ("line\nend\ttab\r", 'aws_thing.one["line\\nend\\ttab\\r"]'),
        ("größe-日本", 'aws_thing.one["größe-日本"]'),
        ("\U0001f600", 'aws_thing.one["\U0001f600"]'),
        ("\x08", 'aws_thing.one["\\u0008"]'),
        ("\u200b", 'aws_thing.one["\\u200b"]'),
        ("\U000e0001", 'aws_thing.one["\\U000e0001"]'),
        ("${var.x}", 'aws_thing.one["$${var.x}"]'),
        ("%{if}", 'aws_thing.one["%%{if}"]'),
        ("50% $5", 'aws_thing.one["50% $5"]'),
    ],
)
def test_addresses_are_spelled_as_terraform_prints_them(index_key: object, address: str) -> None:
    instance = {"attributes": {"id": "t"}} | ({} if index_key is None else {"index_key": index_key})
    assert _addresses(_resource("aws_thing", "one", instance)) == [address]


def test_module_paths_stand_before_the_address() -> None:
    path = 'module.net["a \\"b\\""].module.subnets[0]'
    assert _addresses(_resource("aws_thing", "one", {"index_key": 1, "attributes": {}}, module=path)) == [
        f"{path}.aws_thing.one[1]"
    ]


def test_only_the_first_step_of_a_sensitive_path_counts() -> None:
    paths = [
        [{"type": "get_attr", "value": "password"}],
        [{"type": "get_attr", "value": "env"}, {"type": "index", "value": {"value": 0, "type": "number"}}],
        [{"type": "index", "value": {"value": "x", "type": "string"}}],
        [],
        "nonsense",
    ]
    instance = {"attributes": {"id": "t", "password": "hunter2"}, "sensitive_attributes": paths}
    assert _parse(_state(_resource("aws_thing", "one", instance))).declared[0].sensitive == {"password", "env"}


def test_one_resource_may_stand_for_several() -> None:
    found = _parse(_state(_resource("aws_pair", "both", {"attributes": {"id": "p"}}))).declared
    assert [(item.address, item.type, item.key) for item in found] == [
        ("aws_pair.both", "aws_thing", "p-a"),
        ("aws_pair.both", "aws_thing", "p-b"),
    ]


def test_a_stand_alone_block_knows_its_parent() -> None:
    found = _parse(_state(_resource("aws_part", "r", {"attributes": {"table": "t-1", "name": "n"}}))).declared[0]
    assert (found.key, found.parent) == ("t-1|n", Parent("aws_thing", "t-1", "route"))


@pytest.mark.parametrize("attributes", [None, [], "flat", {}])
def test_an_instance_without_attributes_has_no_key(attributes: object) -> None:
    found = _parse(_state(_resource("aws_thing", "one", {"attributes": attributes}))).declared[0]
    assert (found.key, found.attributes) == (None, {})


@pytest.mark.parametrize(
    ("arn", "place"),
    [
        ("arn:aws:ec2:eu-west-1:123456789012:vpc/vpc-1", ("123456789012", "eu-west-1")),
        ("arn:aws:iam::123456789012:role/app", ("123456789012", None)),
        ("arn:aws:s3:::bucket", (None, None)),
        ("arn:aws-cn:sqs:cn-north-1:123456789012:q:with:colons", ("123456789012", "cn-north-1")),
        ("not an arn", (None, None)),
        ("arn:too:short", (None, None)),
        (None, (None, None)),
        (17, (None, None)),
    ],
)
def test_account_and_region_come_from_the_arn(arn: object, place: tuple[str | None, str | None]) -> None:
    found = _parse(_state(_resource("aws_thing", "one", {"attributes": {"id": "t", "arn": arn}}))).declared[0]
    assert (found.account, found.region) == place


def test_types_that_nothing_is_known_of_are_kept_without_a_key() -> None:
    found = _parse(_state(_resource("random_pet", "name", {"attributes": {"id": "x"}}))).declared[0]
    assert (found.type, found.key) == ("random_pet", None)


@pytest.mark.parametrize("kind", sorted(AWS_SPECS))
@pytest.mark.parametrize("attributes", [{}, {"id": None}, {"id": 3, "arn": 4}])
def test_no_known_type_stumbles_over_an_instance_that_says_little(kind: str, attributes: dict[str, object]) -> None:
    document = _state(_resource(kind, "one", {"attributes": attributes}))
    assert parse_state(json.dumps(document).encode(), AWS_SPECS).serial == 7


# --- Every release since 0.12 -----------------------------------------------------------------------------------------


def test_what_version_0_12_took_over_as_flat_text_is_looked_for_and_not_compared() -> None:
    flat = {
        "id": "t-1",
        "arn": "arn:aws:x:eu-west-1:123456789012:thing/t-1",
        "enabled": "true",
        "tags.%": "1",
        "tags.Name": "x",
    }
    resource = _resource("aws_thing", "one", {"schema_version": 0, "attributes_flat": flat}, each="list")
    found = _parse(_state(resource, terraform_version="0.12.31")).declared[0]
    assert (found.key, found.account, found.region) == ("t-1", "123456789012", "eu-west-1")
    assert dict(found.attributes) == {"id": "t-1", "arn": flat["arn"]}


def test_flat_text_tells_the_parent_and_a_key_of_several_parts() -> None:
    found = _parse(_state(_resource("aws_part", "one", {"attributes_flat": {"table": "rtb-1", "name": "x"}}))).declared[
        0
    ]
    assert (found.key, found.parent) == ("rtb-1|x", Parent("aws_thing", "rtb-1", "route"))
    assert dict(found.attributes) == {}


def _written_by(terraform_version: str, provider: str, **members: object) -> dict[str, object]:
    """Return a state as a release writes it: two of a count, one tainted, one with a deposed twin; a for_each in a module; a data source."""
    one = {"schema_version": 1, "attributes": {"id": "c-0"}, "private": "bnVsbA==", "dependencies": ["aws_thing.base"]}
    two = {"schema_version": 1, "attributes": {"id": "c-1"}, "status": "tainted", "private": "bnVsbA=="}
    old = {"schema_version": 1, "attributes": {"id": "c-old"}, "deposed": "0a1b2c3d", "status": "tainted"}
    return _state(
        _resource("aws_thing", "looked_up", {"attributes": {"id": "d-1"}}, mode="data", provider=provider),
        _resource("aws_thing", "counted", one | {"index_key": 0}, two | {"index_key": 1}, old | {"index_key": 1}, provider=provider),
        _resource(
            "aws_thing", "keyed", {"index_key": "a.b", "attributes": {"id": "k-1"}, "sensitive_attributes": []},
            module='module.net["eu"].module.inner', provider=provider,
        ),
        _resource("aws_thing", "none_left", provider=provider) | {"instances": []},
        terraform_version=terraform_version, **members,
    )  # fmt: skip


@pytest.mark.parametrize(
    "document",
    [
        _written_by("0.12.31", "provider.aws"),
        _written_by("0.13.7", 'provider["registry.terraform.io/hashicorp/aws"]'),
        _written_by("0.14.11", 'provider["registry.terraform.io/hashicorp/aws"]'),
        _written_by("1.5.7", 'module.net.provider["registry.terraform.io/hashicorp/aws"].eu', check_results=None),
        _written_by(
            "1.14.0", 'provider["registry.terraform.io/hashicorp/aws"]', check_results=[{"object_kind": "resource"}]
        ),
        _written_by("1.10.6", 'provider["registry.opentofu.org/hashicorp/aws"]', check_results=None),
    ],
    ids=["0.12", "0.13", "0.14", "1.5", "1.14", "opentofu"],
)
def test_what_any_release_writes_is_read_alike(document: dict[str, object]) -> None:
    found = {item.address: item.key for item in _parse(document).declared}
    assert found == {
        "aws_thing.counted[0]": "c-0",
        "aws_thing.counted[1]": "c-1",
        "aws_thing.counted[1] (deposed object 0a1b2c3d)": "c-old",
        'module.net["eu"].module.inner.aws_thing.keyed["a.b"]': "k-1",
    }


@pytest.mark.parametrize(
    ("version", "says"), [(3, "terraform apply"), (1, "terraform apply"), (5, "newer"), ("4", "newer")]
)
def test_a_version_that_is_not_read_comes_with_what_to_do(version: object, says: str) -> None:
    error = _refused(json.dumps(_state(version=version)).encode(), StateVersionUnsupported)
    assert says in str(error)
    assert "version 4" in str(error)


def test_an_encrypted_state_comes_with_what_to_do() -> None:
    document = {
        "serial": 3, "lineage": "3f6c", "meta": {"key_provider.pbkdf2.mykey": "eyJzYWx0IjoiQUFBQSJ9"},
        "encrypted_data": "AAAA", "encryption_version": "v0",
    }  # fmt: skip
    assert "tofu state pull" in str(_refused(json.dumps(document).encode(), StateEncrypted))


@pytest.mark.parametrize("group", ["demo", "identity", "network", "services"])
def test_what_terraform_wrote_in_earnest_is_read_whole(group: str) -> None:
    content = (Path(__file__).parents[2] / "fixtures" / "aws" / group / "state.json").read_bytes()
    managed = [item for item in json.loads(content)["resources"] if item["mode"] == "managed"]
    found = parse_state(content, AWS_SPECS)
    assert {item.address.partition("[")[0] for item in found.declared} == {
        f"{item['type']}.{item['name']}" for item in managed
    }
    assert found.terraform_version
    assert all(item.key for item in found.declared if item.type in AWS_SPECS)
