"""Athena and Glue.

Source: Terraform AWS provider 5.100, resource documentation of each type.
"""

from __future__ import annotations

from ...domain.shapes import (
    Canonical,
    block,
    boolean,
    default_is,
    list_of,
    members,
    number,
    number_or_zero,
    set_of,
    string_map,
    tags,
    text,
)
from ...domain.specs import TypeSpec, by, unless_arn

_CRAWLED = frozenset({"averageRecordSize", "objectCount", "recordCount", "sizeKey"})


def table_parameters(value: object) -> Canonical:
    """Parameters of a table; counts that a crawler writes anew with each run are left out, and nothing else is."""
    if not isinstance(value, dict):
        return None
    return string_map({name: item for name, item in value.items() if name not in _CRAWLED})


def connection_properties(value: object) -> Canonical:
    """Properties of a connection but for its password, which is written and not asked for."""
    if not isinstance(value, dict):
        return None
    return string_map({name: item for name, item in value.items() if name not in {"PASSWORD", "ENCRYPTED_PASSWORD"}})


def role_name(value: object) -> Canonical:
    """A role by its name, which may be spelled as its ARN."""
    found = text(value)
    return found.rsplit(":role/", 1)[-1] if isinstance(found, str) else found


def slashless(value: object) -> Canonical:
    """A location; a slash at its end carries no meaning to Glue."""
    found = text(value)
    return found.rstrip("/") if isinstance(found, str) else found


_COLUMN = {"comment": text, "name": text, "parameters": string_map, "type": text}
_SERDE = {"name": text, "parameters": string_map, "serialization_library": text}
_STORAGE = {
    "bucket_columns": list_of(text),
    "columns": list_of(members(_COLUMN)),
    "compressed": boolean,
    "input_format": text,
    "location": slashless,
    "number_of_buckets": number_or_zero,
    "output_format": text,
    "parameters": string_map,
    "ser_de_info": block(_SERDE),
    "stored_as_sub_directories": boolean,
}
_RESULT = block(
    {
        "acl_configuration": block({"s3_acl_option": text}),
        "encryption_configuration": block({"encryption_option": text, "kms_key_arn": text}),
        "expected_bucket_owner": text,
        "output_location": text,
    }
)
_WORKGROUP = block(
    {
        "bytes_scanned_cutoff_per_query": number_or_zero,
        "enforce_workgroup_configuration": boolean,
        "execution_role": text,
        "publish_cloudwatch_metrics_enabled": boolean,
        "requester_pays_enabled": boolean,
        "result_configuration": _RESULT,
    }
)
_COMMAND = {"name": default_is("glueetl", text), "python_version": text, "runtime": text, "script_location": text}
_S3_TARGET = {
    "connection_name": text,
    "dlq_event_queue_arn": text,
    "event_queue_arn": text,
    "exclusions": list_of(text),
    "path": text,
    "sample_size": number_or_zero,
}
_ACTION = {
    "arguments": string_map,
    "crawler_name": text,
    "job_name": text,
    "security_configuration": text,
    "timeout": number_or_zero,
}

SPECS = (
    TypeSpec(
        "aws_athena_workgroup",
        {"configuration": _WORKGROUP, "description": text, "state": text, "tags": tags},
        key=by("arn"),
    ),
    TypeSpec("aws_athena_named_query", {"database": text, "description": text, "name": text, "query": text, "workgroup": text}),
    TypeSpec(
        "aws_athena_data_catalog",
        {"description": text, "parameters": string_map, "tags": tags, "type": text},
        key=by("arn"),
    ),
    TypeSpec(
        "aws_glue_catalog_database",
        {"description": text, "location_uri": slashless, "parameters": string_map, "tags": tags},
        key=by("arn"),
    ),
    TypeSpec(
        "aws_glue_catalog_table",
        {
            "description": text,
            "owner": text,
            "parameters": table_parameters,
            "partition_keys": list_of(members(_COLUMN)),
            "retention": number_or_zero,
            "storage_descriptor": block(_STORAGE),
            "table_type": text,
            "view_expanded_text": text,
            "view_original_text": text,
        },
        key=by("arn"),
    ),
    TypeSpec(
        "aws_glue_job",
        {
            "command": block(_COMMAND),
            "connections": list_of(text),
            "default_arguments": string_map,
            "description": text,
            "execution_class": default_is("STANDARD", text),
            "execution_property": block({"max_concurrent_runs": default_is(1, number)}),
            "glue_version": text,
            "max_retries": number_or_zero,
            "non_overridable_arguments": string_map,
            "notification_property": block({"notify_delay_after": number_or_zero}),
            "number_of_workers": number_or_zero,
            "role_arn": text,
            "security_configuration": text,
            "tags": tags,
            "timeout": number_or_zero,
            "worker_type": text,
        },
        key=by("arn"),
    ),
    TypeSpec(
        "aws_glue_crawler",
        {
            "classifiers": list_of(text),
            "configuration": text,
            "database_name": text,
            "description": text,
            "role": role_name,
            "s3_target": list_of(members(_S3_TARGET)),
            "schedule": text,
            "schema_change_policy": block(
                {
                    "delete_behavior": default_is("DEPRECATE_IN_DATABASE", text),
                    "update_behavior": default_is("UPDATE_IN_DATABASE", text),
                }
            ),
            "security_configuration": text,
            "table_prefix": text,
            "tags": tags,
        },
        key=by("arn"),
    ),
    TypeSpec(
        "aws_glue_trigger",
        {
            "actions": list_of(members(_ACTION)),
            "description": text,
            "enabled": boolean,
            "schedule": text,
            "tags": tags,
            "type": text,
            "workflow_name": text,
        },
        key=by("arn"),
    ),
    TypeSpec("aws_glue_registry", {"description": text, "tags": tags}, key=by("arn")),
    TypeSpec(
        "aws_glue_workflow",
        {
            "default_run_properties": string_map,
            "description": text,
            "max_concurrent_runs": number_or_zero,
            "tags": tags,
        },
        key=by("arn"),
    ),
    TypeSpec(
        "aws_glue_connection",
        {
            "connection_properties": connection_properties,
            "connection_type": default_is("JDBC", text),
            "description": text,
            "match_criteria": list_of(text),
            "physical_connection_requirements": block(
                {"availability_zone": text, "security_group_id_list": set_of(text), "subnet_id": text}
            ),
            "tags": tags,
        },
        key=by("arn"),
        sensitive=frozenset({"connection_properties"}),
    ),
    TypeSpec(
        "aws_glue_security_configuration",
        {
            "encryption_configuration": block(
                {
                    "cloudwatch_encryption": block({"cloudwatch_encryption_mode": default_is("DISABLED", text), "kms_key_arn": text}),
                    "job_bookmarks_encryption": block({"job_bookmarks_encryption_mode": default_is("DISABLED", text), "kms_key_arn": text}),
                    "s3_encryption": block({"kms_key_arn": text, "s3_encryption_mode": default_is("DISABLED", text)}),
                }
            )
        },
        repeats=unless_arn,
    ),
)  # fmt: skip
