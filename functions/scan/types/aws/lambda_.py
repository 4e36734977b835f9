"""Lambda functions and what hangs on them.

Source: Terraform AWS provider 5.100, resource documentation of each type; AWS Lambda API Reference.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ...domain.resources import Attributes
from ...domain.shapes import (
    Canonical,
    block,
    boolean,
    default_is,
    document,
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

_FUNCTION_ARN = re.compile(r"arn:[^:]+:lambda:[^:]+:\d{12}:function:[^:]+")
_ROOT = re.compile(r"arn:[^:]+:iam::(\d{12}):root")


def permission_key(attributes: Attributes) -> str | None:
    """Key of one statement: function, qualifier, statement id.

    A configuration may name the function by ARN, by partial ARN (`account:function:name`) or by its bare name, each with
    or without a qualifier at the end. Only the ARN tells the region; the others are matched by name.
    """
    function, statement = (
        str(attributes.get("function_name") or ""),
        attributes.get("statement_id") or attributes.get("id"),
    )
    if not function or not statement:
        return None
    whole = _FUNCTION_ARN.match(function)
    name = whole.group() if whole else function.rsplit("function:", 1)[-1].split(":", 1)[0]
    rest = function[whole.end() :] if whole else function.rsplit("function:", 1)[-1][len(name) :]
    qualifier = attributes.get("qualifier") or rest.lstrip(":")
    return f"{name}|{qualifier}|{statement}"


def principal(value: object) -> Canonical:
    """The principal of a permission; an account id equals its root ARN."""
    found = text(value)
    account = _ROOT.fullmatch(found) if isinstance(found, str) else None
    return account.group(1) if account else found


def weights(value: object) -> Canonical:
    """Traffic shares by version."""
    if not isinstance(value, Mapping) or not value:
        return None
    return {str(version): number(share) for version, share in value.items()}


_CORS = block(
    {
        "allow_credentials": boolean,
        "allow_headers": set_of(text),
        "allow_methods": set_of(text),
        "allow_origins": set_of(text),
        "expose_headers": set_of(text),
        "max_age": number_or_zero,
    }
)

SPECS = (
    TypeSpec(
        "aws_lambda_function",
        {
            "architectures": set_of(text),
            "code_sha256": text,
            "code_signing_config_arn": text,
            "dead_letter_config": block({"target_arn": text}),
            "description": text,
            "environment": block({"variables": string_map}),
            "ephemeral_storage": block({"size": default_is(512, number)}),
            "file_system_config": set_of(members({"arn": text, "local_mount_path": text})),
            "handler": text,
            "image_config": block({"command": list_of(text), "entry_point": list_of(text), "working_directory": text}),
            "image_uri": text,
            "kms_key_arn": text,
            "layers": list_of(text),
            "logging_config": block(
                {
                    "application_log_level": text,
                    "log_format": default_is("Text", text),
                    "log_group": text,
                    "system_log_level": text,
                }
            ),
            "memory_size": default_is(128, number),
            "package_type": default_is("Zip", text),
            "reserved_concurrent_executions": default_is(-1, number),
            "role": text,
            "runtime": text,
            "snap_start": block({"apply_on": default_is("None", text)}),
            "tags": tags,
            "timeout": default_is(3, number),
            "tracing_config": block({"mode": default_is("PassThrough", text)}),
            "vpc_config": block(
                {
                    "ipv6_allowed_for_dual_stack": boolean,
                    "security_group_ids": set_of(text),
                    "subnet_ids": set_of(text),
                }
            ),
        },
        key=by("arn"),
        sensitive=frozenset({"environment"}),
    ),
    TypeSpec(
        "aws_lambda_permission",
        {
            "action": text,
            "principal": principal,
            "source_arn": text,
            "source_account": text,
            "principal_org_id": text,
            "event_source_token": text,
            "function_url_auth_type": text,
        },
        key=permission_key,
        repeats=unless_arn,
        place="function_name",
        sensitive=frozenset({"event_source_token"}),
    ),
    TypeSpec(
        "aws_lambda_alias",
        {
            "description": text,
            "function_version": text,
            "routing_config": block({"additional_version_weights": weights}),
        },
        key=by("arn"),
    ),
    TypeSpec(
        "aws_lambda_function_url",
        {"authorization_type": text, "invoke_mode": default_is("BUFFERED", text), "cors": _CORS},
        key=by("function_arn"),
    ),
    TypeSpec(
        "aws_lambda_event_source_mapping",
        {
            "batch_size": number_or_zero,
            "bisect_batch_on_function_error": boolean,
            "destination_config": block({"on_failure": block({"destination_arn": text})}),
            "enabled": boolean,
            "event_source_arn": text,
            "filter_criteria": block({"filter": set_of(members({"pattern": document}))}),
            "function_arn": text,
            "function_response_types": set_of(text),
            "kms_key_arn": text,
            "maximum_batching_window_in_seconds": number_or_zero,
            "maximum_record_age_in_seconds": number_or_zero,
            "maximum_retry_attempts": number_or_zero,
            "parallelization_factor": number_or_zero,
            "queues": list_of(text),
            "scaling_config": block({"maximum_concurrency": number_or_zero}),
            "source_access_configuration": set_of(members({"type": text, "uri": text})),
            "tags": tags,
            "topics": set_of(text),
            "tumbling_window_in_seconds": number_or_zero,
        },
    ),
)
