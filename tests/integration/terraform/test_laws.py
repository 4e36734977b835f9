"""What must hold of the whole platform, read from the example environment as it is applied."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from infra.suite import Function, Suite
from shared.security.boot import guard
from shared.settings import PREFIX, Settings, load_settings
from tests.support.terraform import Applied, Resource

INVENTORY = Path(__file__).with_name("inventory.txt")
_IAM = re.compile(r"_iam_(member|binding|policy)$")
_PINNED = re.compile(r"^[a-z0-9-]+-docker\.pkg\.dev/.+@sha256:[0-9a-f]{64}$")
_KEY = re.compile(r"^projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+$")

# Every kind of thing that stores something, and where it says under which key.
STORES: Mapping[str, str] = {
    "google_artifact_registry_repository": "kms_key_name",
    "google_cloud_run_v2_job": "template.0.template.0.encryption_key",
    "google_cloud_run_v2_service": "template.0.encryption_key",
    "google_logging_project_bucket_config": "cmek_settings.0.kms_key_name",
    "google_pubsub_topic": "kms_key_name",
    "google_redis_instance": "customer_managed_key",
    "google_secret_manager_secret": "replication.0.user_managed.0.replicas.0.customer_managed_encryption.0.kms_key_name",
    "google_sql_database_instance": "encryption_key_name",
    "google_storage_bucket": "encryption.0.default_kms_key_name",
}
# What holds data of its own in other Google products; one of these that appears must be put above.
OTHER_STORES = re.compile(
    r"^google_(bigquery|bigtable|spanner|firestore|datastore|filestore|alloydb|memcache|compute_(disk|instance|snapshot|image)"
    r"|container_cluster|dataflow|composer|workflows_workflow|redis_cluster|memorystore|sql_database_instance|cloudfunctions)"
)

# What runs processes outside of Cloud Run's sandbox.
MACHINES = re.compile(
    r"^google_(compute_(instance|region_instance|autoscaler)|container_(aws|azure|attached|cluster|node_pool)|gke_|app_engine_|cloudfunctions|tpu_|dataproc_|notebooks_|workbench_)"
)

# What the server writes down, and what it must not: customers' values stand in statements.
AUDITED = {
    "cloudsql.enable_pgaudit": "on",
    "cloudsql.iam_authentication": "on",
    "log_checkpoints": "on",
    "log_connections": "on",
    "log_disconnections": "on",
    "log_hostname": "on",
    "log_lock_waits": "on",
    "log_min_duration_statement": "-1",
    "log_min_error_statement": "error",
    "log_statement": "ddl",
    "pgaudit.log": "ddl,role",
    "pgaudit.log_parameter": "off",
}


def value_at(values: Any, path: str) -> Any:
    """Walk a path such as `template.0.encryption_key`; None where it ends early."""
    for step in path.split("."):
        if isinstance(values, list):
            values = values[int(step)] if int(step) < len(values) else None
        elif isinstance(values, Mapping):
            values = values.get(step)
        else:
            return None
    return values


def containers(example: Applied) -> Iterator[tuple[Resource, dict[str, Any]]]:
    """Yield what runs: each service and job with its container."""
    for item in example.of("google_cloud_run_v2_service"):
        for container in item.values["template"][0]["containers"]:
            yield item, container
    for item in example.of("google_cloud_run_v2_job"):
        for container in item.values["template"][0]["template"][0]["containers"]:
            yield item, container


def members(item: Resource) -> list[str]:
    """Return whom an IAM resource grants something."""
    return [*(item.values.get("members") or []), *([item.values["member"]] if item.values.get("member") else [])]


def grants(example: Applied) -> list[Resource]:
    """Return every resource that grants a right."""
    return [item for item in example.resources if _IAM.search(item.type)]


# who is reached from where


def test_no_public_address_but_the_edge_and_the_way_out(example: Applied) -> None:
    public = [
        item.address
        for item in example.of("google_compute_address", "google_compute_global_address")
        if item.values.get("address_type") != "INTERNAL"
    ]
    assert [
        address
        for address in public
        if not address.startswith(("module.edge.", "module.network.google_compute_address.nat"))
    ] == []
    for item in example.of("google_sql_database_instance"):
        assert item.values["settings"][0]["ip_configuration"][0]["ipv4_enabled"] is False
        assert item.values["settings"][0]["ip_configuration"][0]["authorized_networks"] == []


def test_functions_answer_to_the_load_balancer_and_the_queue_only(example: Applied, suite: Suite) -> None:
    found = {
        item.values["template"][0]["containers"][0]["env"] and item.values["name"]: item.values
        for item in example.of("google_cloud_run_v2_service")
    }
    triggers = {f"driftwise-{entry.name.replace('_', '-')}": entry.trigger for entry in suite.entry_points()}
    assert set(found) == set(triggers)
    for name, trigger in triggers.items():
        if trigger == "http":
            assert found[name]["ingress"] == "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER"
        else:
            assert found[name]["ingress"] == "INGRESS_TRAFFIC_INTERNAL_ONLY"
            assert found[name]["invoker_iam_disabled"] is False


def test_workers_are_called_by_one_account(example: Applied, suite: Suite) -> None:
    invokers = {
        item.values["name"]: members(item)
        for item in example.of("google_cloud_run_v2_service_iam_member")
        if item.values["role"] == "roles/run.invoker"
    }
    workers = {
        f"driftwise-{entry.name.replace('_', '-')}" for entry in suite.entry_points() if entry.trigger == "events"
    }
    assert set(invokers) == workers
    assert {member for found in invokers.values() for member in found} == {
        "serviceAccount:driftwise-events@example-driftwise.iam.gserviceaccount.com"
    }


def test_nobody_is_everybody(example: Applied) -> None:
    everybody = {"allUsers", "allAuthenticatedUsers"}
    assert [item.address for item in grants(example) if everybody & set(members(item))] == []


def test_only_functions_that_call_the_internet_may(example: Applied, suite: Suite) -> None:
    tagged = {
        item.address.split('"')[1]
        for item in example.of("google_cloud_run_v2_service")
        if item.values["template"][0]["vpc_access"][0]["network_interfaces"][0]["tags"]
    }
    assert tagged == {function.name for function in suite.functions.values() if function.internet}
    for item in example.of("google_cloud_run_v2_service"):
        assert item.values["template"][0]["vpc_access"][0]["egress"] == "ALL_TRAFFIC"


def test_what_no_rule_allows_stays_inside(example: Applied) -> None:
    rules = example.of("google_compute_firewall")
    denied = {item.values["direction"]: item.values for item in rules if item.values["deny"]}
    assert set(denied) == {"EGRESS", "INGRESS"}
    for item in rules:
        for allow in item.values["allow"]:
            assert item.values["direction"] == "EGRESS"
            assert allow["protocol"] == "tcp"
            assert allow["ports"], f"{item.address} allows every port"
            assert item.values["priority"] < denied["EGRESS"]["priority"]


# who may do what


def test_no_primitive_role_and_no_key_of_an_account(example: Applied) -> None:
    primitive = {"roles/owner", "roles/editor", "roles/viewer"}
    assert [item.address for item in grants(example) if item.values.get("role") in primitive] == []
    assert example.of("google_service_account_key") == []
    assert [item.address for item in example.resources if item.type.endswith(("_iam_policy", "_iam_binding"))] == []


def expected_roles(function: Function, suite: Suite) -> set[tuple[str, str]]:
    """Derive what a function's account may do from the suite: (role, on what)."""
    found: set[tuple[str, str]] = {("roles/secretmanager.secretAccessor", "driftwise-redis-url")}
    if function.database is not None:
        found |= {("roles/cloudsql.client", "project"), ("roles/cloudsql.instanceUser", "project")}
    for key in function.kms_keys:
        signs = suite.kms_keys[key].purpose == "asymmetric_sign"
        roles = ("publicKeyViewer", "signer", "viewer") if signs else ("cryptoKeyEncrypterDecrypter",)
        found |= {(f"roles/cloudkms.{role}", key) for role in roles}
    for secret in function.secrets:
        found |= {("roles/secretmanager.secretAccessor", secret), ("roles/secretmanager.viewer", secret)}
    for secret in function.rotates:
        found |= {("roles/secretmanager.secretVersionAdder", secret), ("roles/secretmanager.viewer", secret)}
    for bucket in function.buckets:
        found |= {
            (f"roles/storage.{role}", f"example-driftwise-{bucket}") for role in ("objectCreator", "objectViewer")
        }
    found |= {("roles/pubsub.publisher", topic) for topic in function.publishes}
    return found


def target(item: Resource) -> str:
    """Name what a grant is about, shortly."""
    for name in ("secret_id", "crypto_key_id", "bucket", "topic", "service_account_id", "subscription", "repository"):
        if value := item.values.get(name):
            return str(value).rsplit("/", 1)[-1]
    return "project"


def test_every_function_may_do_what_the_suite_says_and_nothing_more(example: Applied, suite: Suite) -> None:
    for function in suite.functions.values():
        account = f"serviceAccount:driftwise-{function.name}@example-driftwise.iam.gserviceaccount.com"
        found = {(item.values["role"], target(item)) for item in grants(example) if account in members(item)}
        assert found == expected_roles(function, suite), function.name


def test_rights_on_the_project_are_few(example: Applied) -> None:
    for item in example.of("google_project_iam_member"):
        if item.values["role"].startswith("roles/cloudsql."):
            (condition,) = item.values["condition"]
            assert "instances/driftwise" in condition["expression"], f"{item.address} is for every instance"


# what is stored


def test_every_store_is_under_a_key_of_ours(example: Applied) -> None:
    for item in example.resources:
        if path := STORES.get(item.type):
            key = value_at(item.values, path)
            assert _KEY.match(key or ""), f"{item.address} is under no key of ours"
        else:
            assert not OTHER_STORES.match(item.type), f"{item.address}: say in STORES under which key it is"


def test_every_copy_of_a_secret_is_under_a_key_of_its_region(example: Applied) -> None:
    for item in example.of("google_secret_manager_secret"):
        for replica in item.values["replication"][0]["user_managed"][0]["replicas"]:
            key = replica["customer_managed_encryption"][0]["kms_key_name"]
            assert f"/locations/{replica['location']}/" in key, item.address


def test_keys_rotate_and_cannot_be_lost_by_mistake(example: Applied, suite: Suite) -> None:
    for item in example.of("google_kms_crypto_key"):
        assert int(item.values["destroy_scheduled_duration"].rstrip("s")) >= 7 * 86400, item.address
        if item.values["purpose"] == "ENCRYPT_DECRYPT":
            assert 0 < int(item.values["rotation_period"].rstrip("s")) <= 90 * 86400, item.address
    for key in suite.kms_keys.values():
        (found,) = [item for item in example.of("google_kms_crypto_key") if item.values["name"] == key.name]
        assert found.values["purpose"] == key.purpose.upper()
        assert found.values["key_ring"].endswith(f"/keyRings/{suite.name}"), "the functions look for it elsewhere"


def test_buckets_are_closed_and_anchors_stay(example: Applied, suite: Suite) -> None:
    found = {item.values["name"]: item.values for item in example.of("google_storage_bucket")}
    for name, bucket in found.items():
        assert bucket["public_access_prevention"] == "enforced", name
        assert bucket["uniform_bucket_level_access"] is True, name
    for kept in suite.buckets.values():
        (policy,) = found[f"example-driftwise-{kept.name}"]["retention_policy"]
        assert policy == {"is_locked": True, "retention_period": kept.retention_days * 86400}


def test_no_secret_is_in_a_setting_or_in_the_state(example: Applied) -> None:
    for item in example.of("google_secret_manager_secret_version"):
        assert not item.values.get("secret_data"), f"{item.address} has its value in the state"
    for item, container in containers(example):
        for variable in container["env"]:
            assert variable["value_source"] or "rediss://" not in (variable["value"] or ""), item.address


# what runs


def test_everything_that_runs_is_named_by_its_digest_and_admitted(example: Applied) -> None:
    running = list(containers(example))
    assert running
    for item, container in running:
        assert _PINNED.match(container["image"]), item.address
        assert item.values["binary_authorization"][0]["use_default"] is True, item.address


def test_everything_runs_in_the_platforms_own_sandbox_and_nothing_on_a_machine_of_ours(example: Applied) -> None:
    for item in example.of("google_cloud_run_v2_service"):
        assert item.values["template"][0]["execution_environment"] == "EXECUTION_ENVIRONMENT_GEN2", item.address
    for item in example.of("google_cloud_run_v2_job"):
        assert item.values["template"][0]["template"][0]["execution_environment"] == "EXECUTION_ENVIRONMENT_GEN2", (
            item.address
        )
    for item, container in containers(example):
        assert not container.get("volume_mounts"), f"{item.address} mounts something of its surroundings"
    assert [item.address for item in example.resources if MACHINES.match(item.type)] == []


def test_bills_of_materials_are_kept_for_years_and_only_ci_adds_to_them(example: Applied) -> None:
    (bucket,) = [
        item.values for item in example.of("google_storage_bucket") if item.values["name"] == "example-driftwise-sboms"
    ]
    (policy,) = bucket["retention_policy"]
    assert policy["is_locked"]
    assert policy["retention_period"] >= 365 * 86400
    rights = {
        (item.values["member"], item.values["role"])
        for item in example.of("google_storage_bucket_iam_member")
        if item.values["bucket"] == bucket["name"]
    }
    builder = "serviceAccount:driftwise-builder@example-driftwise.iam.gserviceaccount.com"
    assert rights == {(builder, "roles/storage.objectCreator"), (builder, "roles/storage.objectViewer")}


def test_only_ci_pushes_and_signs_images_and_cannot_roll_them_out(example: Applied) -> None:
    builder = "serviceAccount:driftwise-builder@example-driftwise.iam.gserviceaccount.com"
    may = {"roles/artifactregistry.writer", "roles/cloudkms.signerVerifier", "roles/containeranalysis.notes.attacher"}
    for role in may:
        holders = {item.values["member"] for item in example.resources if item.values.get("role") == role}
        assert holders == {builder}, role
    roles = {
        item.values["role"]
        for item in example.resources
        if item.values.get("member") == builder and "role" in item.values
    }
    assert not {role for role in roles if role.startswith(("roles/run.", "roles/iam."))}


def test_every_function_acts_as_itself(example: Applied) -> None:
    for item in example.of("google_cloud_run_v2_service"):
        function = item.address.split('"')[1]
        expected = f"driftwise-{function}@example-driftwise.iam.gserviceaccount.com"
        assert item.values["template"][0]["service_account"] == expected


def environment_of(container: Mapping[str, Any]) -> dict[str, str]:
    """Return a container's settings; a secret one as a deployment would fill it in."""
    return {
        item["name"]: item["value"] if not item["value_source"] else "rediss://:secret@10.64.0.4:6378/0"
        for item in container["env"]
    }


def test_the_boot_guard_lets_every_function_start(example: Applied, suite: Suite) -> None:
    known = {PREFIX + field.name.upper() for field in fields(Settings)}
    for item in example.of("google_cloud_run_v2_service"):
        found = environment_of(item.values["template"][0]["containers"][0])
        assert {name for name in found if name.startswith(PREFIX)} <= known, f"{item.address}: no such setting"
        settings = load_settings(found)
        guard(settings)
        entry_point = next(entry for entry in suite.entry_points() if entry.name == settings.entry_point)
        assert settings.function == entry_point.function
        assert settings.is_production
        for name in ("project", "region", "public_url", "jwks_url", "redis_url", "redis_ca"):
            assert settings.require(name)
        if suite.functions[settings.function].database is not None:
            for name in ("database_instance", "database_name", "database_user"):
                assert settings.require(name)
        if entry_point.trigger == "events":
            assert settings.require("events_audience") in item.values["custom_audiences"]
            assert settings.require("events_sender")


def test_services_have_the_limits_of_the_suite(example: Applied, suite: Suite) -> None:
    found = {item.values["name"]: item.values["template"][0] for item in example.of("google_cloud_run_v2_service")}
    for entry in suite.entry_points():
        template = found[f"driftwise-{entry.name.replace('_', '-')}"]
        assert template["timeout"] == f"{entry.timeout_seconds}s"
        assert template["max_instance_request_concurrency"] == entry.concurrency
        assert template["containers"][0]["resources"][0]["limits"] == {
            "cpu": str(entry.cpu),
            "memory": f"{entry.memory_mib}Mi",
        }
        assert 0 < template["scaling"][0]["max_instance_count"] <= entry.max_instances


def test_a_process_takes_as_many_requests_at_once_as_its_service_is_sent(example: Applied, suite: Suite) -> None:
    """THREADS is what the Functions Framework reads; fewer would let requests wait where Cloud Run sees room."""
    wanted = {f"driftwise-{entry.name.replace('_', '-')}": entry.concurrency for entry in suite.entry_points()}
    found = {
        item.values["name"]: (
            template["max_instance_request_concurrency"],
            environment_of(template["containers"][0])["THREADS"],
        )
        for item in example.of("google_cloud_run_v2_service")
        for template in item.values["template"]
    }
    assert found == {name: (concurrency, str(concurrency)) for name, concurrency in wanted.items()}


def test_the_database_takes_every_connection_that_the_functions_may_open(example: Applied) -> None:
    (database,) = example.of("google_sql_database_instance")
    flags = {item["name"]: item["value"] for item in database.values["settings"][0]["database_flags"]}
    demanded = 0
    for item in example.of("google_cloud_run_v2_service"):
        template = item.values["template"][0]
        settings = load_settings(environment_of(template["containers"][0]))
        if settings.database_instance:
            demanded += template["scaling"][0]["max_instance_count"] * settings.pool_size
    assert 0 < demanded < int(flags["max_connections"])


def test_the_database_is_the_one_of_the_suite(example: Applied, suite: Suite) -> None:
    (database,) = example.of("google_sql_database_instance")
    assert database.values["database_version"] == f"POSTGRES_{suite.database.version}"
    assert [item.values["name"] for item in example.of("google_sql_database")] == [suite.database.name]
    settings = database.values["settings"][0]
    assert settings["ip_configuration"][0]["ssl_mode"] == "TRUSTED_CLIENT_CERTIFICATE_REQUIRED"
    assert settings["backup_configuration"][0]["point_in_time_recovery_enabled"] is True
    flags = {item["name"]: item["value"] for item in settings["database_flags"]}
    assert AUDITED.items() <= flags.items()


def test_the_database_can_be_had_back(example: Applied) -> None:
    (database,) = example.of("google_sql_database_instance")
    settings = database.values["settings"][0]
    (backup,) = settings["backup_configuration"]
    assert backup["point_in_time_recovery_enabled"] is True
    assert backup["transaction_log_retention_days"] == 7
    assert backup["location"] != database.values["region"]
    assert database.values["deletion_protection"] is True
    assert settings["deletion_protection_enabled"] is True


def test_everybody_who_logs_in_is_an_identity(example: Applied, suite: Suite) -> None:
    users = {item.values["name"]: item.values for item in example.of("google_sql_user")}
    functions = {function.name for function in suite.functions.values() if function.database is not None}
    assert set(users) == {f"driftwise-{name}@example-driftwise.iam" for name in functions | {"migrations"}}
    for name, user in users.items():
        assert user["type"] == "CLOUD_IAM_SERVICE_ACCOUNT", name
        assert not user["password"], name


def test_the_journey_has_its_key_and_nothing_else(example: Applied) -> None:
    account = "serviceAccount:driftwise-journey@example-driftwise.iam.gserviceaccount.com"
    assert [(item.values["role"], target(item)) for item in grants(example) if account in members(item)] == [
        ("roles/secretmanager.secretAccessor", "journey-api-key")
    ]
    readers = {
        member
        for item in example.of("google_secret_manager_secret_iam_member")
        if target(item) == "journey-api-key"
        for member in members(item)
    }
    assert readers == {account}, "somebody else may read the journey's key"
    (job,) = [item for item in example.of("google_cloud_run_v2_job") if item.values["name"] == "driftwise-journey"]
    template = job.values["template"][0]["template"][0]
    assert f"serviceAccount:{template['service_account']}" == account
    (interface,) = template["vpc_access"][0]["network_interfaces"]
    assert not interface["tags"], "the journey may call the internet"
    (container,) = template["containers"]
    assert container["args"][:3] == ["python", "-m", "infra.journey"]
    assert {item["name"] for item in container["env"]} == {"DW_PROJECT", "JOURNEY_API_KEY"}
    (clock,) = [item for item in example.of("google_cloud_scheduler_job") if item.values["name"] == "journey"]
    (started,) = clock.values["http_target"]
    assert started["uri"].endswith("/jobs/driftwise-journey:run")
    starters = [
        member
        for item in example.of("google_cloud_run_v2_job_iam_member")
        if item.values["role"] == "roles/run.invoker"
        for member in members(item)
    ]
    assert starters == [f"serviceAccount:{started['oauth_token'][0]['service_account_email']}"]


def test_the_migrations_job_knows_every_login(example: Applied, suite: Suite) -> None:
    (job,) = [item for item in example.of("google_cloud_run_v2_job") if item.values["name"] == "driftwise-migrations"]
    (container,) = job.values["template"][0]["template"][0]["containers"]
    assert container["args"][:3] == ["python", "-m", "infra.deploy.migrations"]
    assert set(container["args"][3:]) == {
        f"{function.database.login}=driftwise-{function.name}@example-driftwise.iam"
        for function in suite.functions.values()
        if function.database is not None
    }


# what there is


def test_the_inventory_is_the_one_that_was_agreed(example: Applied) -> None:
    """A resource that comes or goes is meant: `python -m tests.integration.terraform.inventory` writes the file anew."""
    assert example.addresses == INVENTORY.read_text("utf-8").splitlines()


@pytest.mark.parametrize(
    "type_name", ["google_service_account_key", "google_project_iam_policy", "google_project_iam_binding"]
)
def test_some_things_are_never_made(example: Applied, type_name: str) -> None:
    assert not [address for address in example.addresses if f"{type_name}." in address]
