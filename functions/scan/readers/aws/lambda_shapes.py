"""How Lambda's replies look in Terraform's schema. Pure; makes no call.

Source: AWS Lambda API Reference (FunctionConfiguration, EventSourceMappingConfiguration, FunctionUrlConfig); AWS
provider 5.100 schema of each type.
"""

from __future__ import annotations

from collections.abc import Mapping

from .base import Item


def function_attributes(item: Item) -> dict[str, object]:
    """Put a `FunctionConfiguration` into the attributes of `aws_lambda_function`."""
    environment = (item.get("Environment") or {}).get("Variables") or {}
    dead_letters = (item.get("DeadLetterConfig") or {}).get("TargetArn")
    image = (item.get("ImageConfigResponse") or {}).get("ImageConfig")
    storage = (item.get("EphemeralStorage") or {}).get("Size")
    snap = (item.get("SnapStart") or {}).get("ApplyOn")
    return {
        "architectures": item.get("Architectures"),
        "code_sha256": item.get("CodeSha256"),
        "dead_letter_config": [{"target_arn": dead_letters}] if dead_letters else [],
        "description": item.get("Description"),
        "environment": [{"variables": environment}] if environment else [],
        "ephemeral_storage": [{"size": storage}] if storage else [],
        "file_system_config": [
            {"arn": found.get("Arn"), "local_mount_path": found.get("LocalMountPath")}
            for found in item.get("FileSystemConfigs") or ()
        ],
        "handler": item.get("Handler"),
        "image_config": [
            {
                "command": image.get("Command"),
                "entry_point": image.get("EntryPoint"),
                "working_directory": image.get("WorkingDirectory"),
            }
        ]
        if image
        else [],
        "kms_key_arn": item.get("KMSKeyArn"),
        "layers": [layer.get("Arn") for layer in item.get("Layers") or ()],
        "logging_config": _logging(item.get("LoggingConfig")),
        "memory_size": item.get("MemorySize"),
        "package_type": item.get("PackageType"),
        "role": item.get("Role"),
        "runtime": item.get("Runtime"),
        "snap_start": [{"apply_on": snap}] if snap else [],
        "timeout": item.get("Timeout"),
        "tracing_config": [{"mode": (item.get("TracingConfig") or {}).get("Mode")}],
        "vpc_config": _vpc(item.get("VpcConfig")),
    }


def _logging(found: Item | None) -> list[dict[str, object]]:
    if not found:
        return []
    return [
        {
            "application_log_level": found.get("ApplicationLogLevel"),
            "log_format": found.get("LogFormat"),
            "log_group": found.get("LogGroup"),
            "system_log_level": found.get("SystemLogLevel"),
        }
    ]


def _vpc(found: Item | None) -> list[dict[str, object]]:
    if not found or not found.get("SubnetIds"):
        return []  # a function taken out of its VPC keeps an empty configuration
    return [
        {
            "ipv6_allowed_for_dual_stack": bool(found.get("Ipv6AllowedForDualStack")),
            "security_group_ids": found.get("SecurityGroupIds"),
            "subnet_ids": found.get("SubnetIds"),
        }
    ]


_CONDITIONS = {
    "aws:sourcearn": "source_arn",
    "aws:sourceaccount": "source_account",
    "aws:principalorgid": "principal_org_id",
    "lambda:eventsourcetoken": "event_source_token",
    "lambda:functionurlauthtype": "function_url_auth_type",
}


def permission_attributes(statement: Item) -> dict[str, object]:
    """Put one statement of a function's resource policy into the attributes of `aws_lambda_permission`."""
    principal = statement.get("Principal")
    if isinstance(principal, Mapping):
        principal = next(iter(principal.values()), None)
    found: dict[str, object] = {"action": statement.get("Action"), "principal": principal}
    found |= dict.fromkeys(_CONDITIONS.values())
    for keys in (statement.get("Condition") or {}).values():
        for key, value in keys.items():
            name = _CONDITIONS.get(key.lower())
            if name:
                found[name] = value
    return found


def url_attributes(item: Item) -> dict[str, object]:
    """Put a `FunctionUrlConfig` into the attributes of `aws_lambda_function_url`."""
    cors = item.get("Cors")
    return {
        "authorization_type": item.get("AuthType"),
        "invoke_mode": item.get("InvokeMode"),
        "cors": [
            {
                "allow_credentials": bool(cors.get("AllowCredentials")),
                "allow_headers": cors.get("AllowHeaders"),
                "allow_methods": cors.get("AllowMethods"),
                "allow_origins": cors.get("AllowOrigins"),
                "expose_headers": cors.get("ExposeHeaders"),
                "max_age": cors.get("MaxAge"),
            }
        ]
        if cors
        else [],
    }


_MAPPING_MEMBERS = {
    "batch_size": "BatchSize",
    "bisect_batch_on_function_error": "BisectBatchOnFunctionError",
    "event_source_arn": "EventSourceArn",
    "function_arn": "FunctionArn",
    "function_response_types": "FunctionResponseTypes",
    "kms_key_arn": "KMSKeyArn",
    "maximum_batching_window_in_seconds": "MaximumBatchingWindowInSeconds",
    "maximum_record_age_in_seconds": "MaximumRecordAgeInSeconds",
    "maximum_retry_attempts": "MaximumRetryAttempts",
    "parallelization_factor": "ParallelizationFactor",
    "queues": "Queues",
    "topics": "Topics",
    "tumbling_window_in_seconds": "TumblingWindowInSeconds",
}


def mapping_attributes(item: Item) -> dict[str, object]:
    """Put an `EventSourceMappingConfiguration` into the attributes of `aws_lambda_event_source_mapping`."""
    failure = ((item.get("DestinationConfig") or {}).get("OnFailure") or {}).get("Destination")
    scaling = (item.get("ScalingConfig") or {}).get("MaximumConcurrency")
    filters = (item.get("FilterCriteria") or {}).get("Filters")
    found: dict[str, object] = {name: item.get(member) for name, member in _MAPPING_MEMBERS.items()}
    if item.get("State") in ("Enabled", "Enabling", "Disabled", "Disabling"):  # others say nothing of the switch
        found["enabled"] = item["State"] in ("Enabled", "Enabling")
    return found | {
        "destination_config": [{"on_failure": [{"destination_arn": failure}]}] if failure else [],
        "filter_criteria": [{"filter": [{"pattern": one.get("Pattern")} for one in filters]}] if filters else [],
        "scaling_config": [{"maximum_concurrency": scaling}] if scaling else [],
        "source_access_configuration": [
            {"type": one.get("Type"), "uri": one.get("URI")} for one in item.get("SourceAccessConfigurations") or ()
        ],
    }
