"""What must hold of the edge, the queue and the watching, read from the example environment as it is applied."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from infra.build.openapi import routes_of
from infra.suite import Schedule, Subscription, Suite
from shared.http.headers import _HSTS
from tests.support.runbooks import RUNBOOKS
from tests.support.terraform import Applied


def only(example: Applied, address: str) -> Mapping[str, Any]:
    """Return the values of one resource."""
    (found,) = [item.values for item in example.resources if item.address == address]
    return found


def routes(example: Applied) -> list[tuple[re.Pattern[str], str, str]]:
    """Return what the edge routes, most important first: what a path must match, the template of the suite, the service."""
    backends = {item.values["id"]: item.values for item in example.of("google_compute_backend_service")}
    groups = {item.values["id"]: item.values for item in example.of("google_compute_region_network_endpoint_group")}
    found = []
    (matcher,) = only(example, "module.edge.google_compute_url_map.https")["path_matcher"]
    for rule in sorted(matcher["route_rules"], key=lambda rule: int(rule["priority"])):
        (backend,) = backends[rule["service"]]["backend"]
        (service,) = groups[backend["group"]]["cloud_run"]
        (match,) = rule["match_rules"]
        template = str(match["full_path_match"] or match["path_template_match"]).replace("=*}", "}")
        literals = [re.escape(part) for part in re.split(r"\{\w+\}", template)]
        found.append((re.compile("[^/]+".join(literals)), template, str(service["service"])))
    return found


def served_by(example: Applied, path: str) -> str | None:
    """Return the service that a path reaches from outside; None where the edge answers 404 itself."""
    return next((service for pattern, _, service in routes(example) if pattern.fullmatch(path)), None)


# paths


def test_the_edge_routes_the_paths_of_the_route_tables_and_no_other(example: Applied, suite: Suite) -> None:
    served = {
        (route.path, f"driftwise-{entry.name.replace('_', '-')}")
        for name, function in suite.functions.items()
        if (entry := function.http_entry_point) is not None
        for route in routes_of(name)
        if not route.is_internal
    }
    assert {(template, service) for _, template, service in routes(example)} == served


def test_a_path_reaches_the_function_that_serves_it(example: Applied, suite: Suite) -> None:
    table = routes(example)
    for name, function in suite.functions.items():
        for template in function.paths:
            path = re.sub(r"\{\w+\}", "0198c0de-0000-7000-8000-000000000000", template)
            reached = next(service for pattern, _, service in table if pattern.fullmatch(path))
            assert reached == f"driftwise-{name}", f"{path} of {name} reaches {reached}"


def test_the_queue_and_the_probes_cannot_be_reached_from_outside(example: Applied, suite: Suite) -> None:
    senders: list[Subscription | Schedule] = [*suite.subscriptions.values(), *suite.schedules.values()]
    internal = {item.path for item in senders} | {"/_health"}
    for path in internal:
        assert served_by(example, path) is None
    workers = {
        f"driftwise-{entry.name.replace('_', '-')}" for entry in suite.entry_points() if entry.trigger == "events"
    }
    assert workers & {service for _, _, service in routes(example)} == set()
    rules = only(example, "module.edge.google_compute_security_policy.edge")["rule"]
    (refusal,) = [rule for rule in rules if rule["action"] == "deny(404)"]
    assert refusal["match"][0]["expr"][0]["expression"] == "request.path.startsWith('/_')"


def test_what_no_route_names_is_answered_by_the_edge_itself(example: Applied) -> None:
    url_map = only(example, "module.edge.google_compute_url_map.https")
    (matcher,) = url_map["path_matcher"]
    for action in (matcher["default_route_action"], url_map["default_route_action"]):
        (abort,) = action[0]["fault_injection_policy"][0]["abort"]
        assert (abort["http_status"], abort["percentage"]) == (404, 100)
    assert served_by(example, "/wp-login.php") is None


# transport


def test_customers_reach_the_suite_over_tls_alone(example: Applied) -> None:
    policy = only(example, "module.edge.google_compute_ssl_policy.edge")
    assert (policy["min_tls_version"], policy["profile"]) == ("TLS_1_2", "RESTRICTED")
    proxies = {
        item.values["id"]: item.type for item in example.resources if item.type.startswith("google_compute_target_")
    }
    for item in example.of("google_compute_global_forwarding_rule"):
        kind = proxies[item.values["target"]]
        assert (item.values["port_range"], kind) in {
            ("443", "google_compute_target_https_proxy"),
            ("80", "google_compute_target_http_proxy"),
        }
    (redirect,) = only(example, "module.edge.google_compute_url_map.http")["default_url_redirect"]
    assert redirect["https_redirect"] is True
    assert only(example, "module.edge.google_compute_url_map.http")["path_matcher"] == []


def test_the_edge_and_the_functions_say_the_same_of_hsts(example: Applied) -> None:
    (action,) = only(example, "module.edge.google_compute_url_map.https")["header_action"]
    (header,) = action["response_headers_to_add"]
    assert (header["header_name"], header["header_value"], header["replace"]) == (
        "Strict-Transport-Security",
        _HSTS,
        True,
    )


# what is slowed down and refused


def test_every_backend_stands_behind_the_policy_and_logs(example: Applied) -> None:
    policy = only(example, "module.edge.google_compute_security_policy.edge")["id"]
    backends = example.of("google_compute_backend_service")
    assert len(backends) == len({service for _, _, service in routes(example)})
    for item in backends:
        assert item.values["security_policy"] == policy
        assert item.values["log_config"][0]["enable"] is True
        assert item.values["enable_cdn"] is False


def test_every_path_where_somebody_proves_who_they_are_is_slowed_down(example: Applied, suite: Suite) -> None:
    rules = only(example, "module.edge.google_compute_security_policy.edge")["rule"]
    (limit,) = [rule for rule in rules if rule["action"] == "rate_based_ban"]
    (expression,) = re.findall(r"matches\('(.+)'\)", limit["match"][0]["expr"][0]["expression"])
    paths = {path for function in suite.functions.values() for path in function.paths}
    slowed = {path for path in paths if re.search(expression, path)}
    assert {path for path in paths if path.startswith("/auth/")} <= slowed
    assert {"/device", "/api/v2/invitations/accept", "/api/v2/secret-scanning/report"} <= slowed
    options = limit["rate_limit_options"][0]
    assert (options["enforce_on_key"], options["exceed_action"]) == ("IP", "deny(429)")


# the queue


def test_pushes_and_ticks_are_made_for_the_one_service_that_they_call(example: Applied, suite: Suite) -> None:
    services = {item.values["name"]: item.values for item in example.of("google_cloud_run_v2_service")}
    pushes = {
        item.values["name"]: (
            item.values["push_config"][0]["push_endpoint"],
            item.values["push_config"][0]["oidc_token"][0],
        )
        for item in example.of("google_pubsub_subscription")
        if item.values["push_config"]
    }
    ticks = {
        item.values["name"]: (item.values["http_target"][0]["uri"], item.values["http_target"][0]["oidc_token"][0])
        for item in example.of("google_cloud_scheduler_job")
        if item.values["name"] != "journey"
    }
    senders: list[Subscription | Schedule] = [*suite.subscriptions.values(), *suite.schedules.values()]
    wanted = {item.name: item for item in senders}
    found = pushes | ticks
    assert set(wanted) <= set(found)
    for name, item in wanted.items():
        address, token = found[name]
        settings = services[f"driftwise-{item.entry_point.replace('_', '-')}"]["template"][0]["containers"][0]["env"]
        environment = {setting["name"]: setting["value"] for setting in settings}
        assert address.endswith(item.path)
        assert token["audience"] == environment["DW_EVENTS_AUDIENCE"]
        assert token["service_account_email"] == environment["DW_EVENTS_SENDER"]


# the watching


def test_every_alert_leads_to_a_page_that_exists(example: Applied) -> None:
    policies = example.of("google_monitoring_alert_policy")
    assert len(policies) > 50
    for item in policies:
        (link,) = item.values["documentation"][0]["links"]
        assert (RUNBOOKS / link["url"].rsplit("/", 1)[-1]).is_file(), item.address
        assert item.values["notification_channels"], f"nobody hears of {item.address}"


def test_every_function_has_its_promises_and_is_asked_from_outside(example: Applied, suite: Suite) -> None:
    public = {name for name, function in suite.functions.items() if function.paths}
    for promise in ("availability", "latency"):
        slos = [
            item.address
            for item in example.of("google_monitoring_slo")
            if f"google_monitoring_slo.{promise}[" in item.address
        ]
        assert {address.split('"')[1] for address in slos} == public
    asked = {item.values["http_check"][0]["path"] for item in example.of("google_monitoring_uptime_check_config")}
    healths = {path for function in suite.functions.values() for path in function.paths if path.endswith("/health")}
    assert healths <= asked


def test_uses_of_keys_and_secrets_are_written_down_whoever_makes_them(example: Applied) -> None:
    configs = {
        item.values["service"]: item.values["audit_log_config"]
        for item in example.of("google_project_iam_audit_config")
    }
    for service in (
        "cloudkms.googleapis.com",
        "secretmanager.googleapis.com",
        "cloudsql.googleapis.com",
        "iam.googleapis.com",
    ):
        assert {config["log_type"] for config in configs[service]} == {"ADMIN_READ", "DATA_READ", "DATA_WRITE"}
    assert [config for found in configs.values() for config in found if config["exempted_members"]] == []
    bucket = only(example, "module.observability.google_logging_project_bucket_config.audit")
    assert bucket["locked"] is True
    assert bucket["retention_days"] >= 365


# images


def test_nothing_runs_that_ci_did_not_sign(example: Applied) -> None:
    (rule,) = only(example, "module.supply_chain.google_binary_authorization_policy.project")["default_admission_rule"]
    assert (rule["evaluation_mode"], rule["enforcement_mode"]) == (
        "REQUIRE_ATTESTATION",
        "ENFORCED_BLOCK_AND_AUDIT_LOG",
    )
    assert len(rule["require_attestations_by"]) == 1
    policy = only(example, "module.supply_chain.google_binary_authorization_policy.project")
    assert policy["admission_whitelist_patterns"] == []
    signer = only(example, "module.supply_chain.google_kms_crypto_key_iam_member.signer")["member"]
    assert signer == "serviceAccount:driftwise-builder@example-driftwise.iam.gserviceaccount.com"
    pushers = [
        item.values["member"]
        for item in example.of("google_artifact_registry_repository_iam_member")
        if item.values["role"] == "roles/artifactregistry.writer"
    ]
    assert pushers == [signer]
