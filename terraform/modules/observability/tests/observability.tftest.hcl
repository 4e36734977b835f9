variables {
  project_id               = "driftwise-test"
  region                   = "europe-west1"
  domain                   = "app.driftwise.example"
  load_balancer_name       = "driftwise-https"
  database_instance        = "driftwise"
  database_max_connections = 200
  cache_instance_id        = "projects/driftwise-test/locations/europe-west1/instances/driftwise"
  logging_kms_key_id       = "projects/driftwise-test/locations/europe-west1/keyRings/driftwise/cryptoKeys/logging"
  notification_emails      = ["on-call@driftwise.example"]
  runbook_base_url         = "https://docs.driftwise.example/runbooks"
  backend_services         = { scan = "driftwise-scan", webhook = "driftwise-webhook" }
  entry_points = {
    scan           = { function = "scan", trigger = "http", health_path = "/scan/health" }
    scan_worker    = { function = "scan", trigger = "events" }
    webhook        = { function = "webhook", trigger = "http", health_path = "/webhooks/health" }
    webhook_worker = { function = "webhook", trigger = "events" }
  }
  services = {
    scan           = { name = "scan" }
    scan_worker    = { name = "scan-worker" }
    webhook        = { name = "webhook" }
    webhook_worker = { name = "webhook-worker" }
  }
  subscriptions = {
    scan-shards        = { function = "scan" }
    webhook-deliveries = { function = "webhook" }
  }
}

run "what_is_promised_watched_and_kept" {
  command = apply

  assert {
    condition     = toset(keys(output.slo_names)) == toset(["availability/scan", "availability/webhook", "latency/scan", "latency/webhook", "queue-age/scan-shards", "scan-success", "webhook-delay"])
    error_message = "Every function with public paths has an availability and a latency; scans, webhooks and queues have their own."
  }

  assert {
    condition     = google_monitoring_slo.latency["scan"].request_based_sli[0].distribution_cut[0].range[0].max == 3000 && google_monitoring_slo.latency["webhook"].request_based_sli[0].distribution_cut[0].range[0].max == 1000
    error_message = "A function's own limit wins over the default."
  }

  assert {
    condition     = strcontains(google_monitoring_slo.availability["scan"].request_based_sli[0].good_total_ratio[0].bad_service_filter, "backend_target_name=\"driftwise-scan\"")
    error_message = "Availability is counted at the load balancer, per function."
  }

  assert {
    condition = strcontains(
      google_monitoring_slo.scan_success.request_based_sli[0].good_total_ratio[0].bad_service_filter,
      google_logging_metric.counter["scan-messages-given-up"].name,
    )
    error_message = "A scan that the queue gave up counts against the promise."
  }

  assert {
    condition = strcontains(google_monitoring_alert_policy.burn["scan-success/fast"].conditions[0].condition_threshold[0].filter, google_monitoring_slo.scan_success.name) && alltrue([
      for policy in google_monitoring_alert_policy.burn : policy.combiner == "AND" && length(policy.conditions) == 2
    ])
    error_message = "A burn alert needs both windows of its own objective."
  }

  assert {
    condition = toset(keys(output.runbooks)) == toset(concat(
      keys(google_monitoring_alert_policy.burn), keys(google_monitoring_alert_policy.limit), keys(google_monitoring_alert_policy.quiet),
      keys(google_monitoring_alert_policy.asked), keys(google_monitoring_alert_policy.audited),
    )) && length(google_monitoring_alert_policy.burn) == 14
    error_message = "Every alert has a runbook, every objective a fast and a slow alert."
  }

  assert {
    condition = alltrue([
      for policy in concat(
        values(google_monitoring_alert_policy.burn), values(google_monitoring_alert_policy.limit), values(google_monitoring_alert_policy.quiet),
        values(google_monitoring_alert_policy.asked), values(google_monitoring_alert_policy.audited),
      ) :
      policy.documentation[0].links[0].url == "https://docs.driftwise.example/runbooks/${policy.user_labels.runbook}.md"
    ])
    error_message = "Every alert links to its runbook."
  }

  assert {
    condition     = google_monitoring_alert_policy.limit["database-connections"].conditions[0].condition_threshold[0].threshold_value == 160
    error_message = "The alert comes before the database refuses."
  }

  assert {
    condition = (
      google_monitoring_alert_policy.limit["certificate-expiry"].conditions[0].condition_threshold[0].comparison == "COMPARISON_LT"
      && google_monitoring_alert_policy.limit["given-up"].conditions[0].condition_threshold[0].comparison == "COMPARISON_GT"
    )
    error_message = "A certificate's remaining days alert from below, counts from above."
  }

  assert {
    condition = alltrue([
      for check in google_monitoring_uptime_check_config.step :
      check.http_check[0].use_ssl && check.http_check[0].validate_ssl && check.monitored_resource[0].labels.host == "app.driftwise.example"
    ])
    error_message = "Every check goes through the edge over TLS."
  }

  assert {
    condition     = google_monitoring_uptime_check_config.step["health-webhook"].http_check[0].path == "/webhooks/health" && google_monitoring_uptime_check_config.step["health-webhook"].content_matchers[0].json_path_matcher[0].json_path == "$.status"
    error_message = "Every function's health is read, not only reached."
  }

  assert {
    condition     = google_monitoring_uptime_check_config.step["journey-6-the-queue-is-closed-from-outside"].http_check[0].accepted_response_status_codes[0].status_value == 404
    error_message = "It must be seen when the queue's paths open to the world."
  }

  assert {
    condition     = length(google_logging_metric.journey) == 0 && length(google_monitoring_slo.journey) == 0 && !contains(keys(output.runbooks), "journey-failed")
    error_message = "Without a job there is nothing to hear of."
  }

  assert {
    condition = (
      google_monitoring_alert_policy.limit["outbox-lag"].conditions[0].condition_threshold[0].threshold_value == 120
      && contains(google_logging_metric.relay["outbox-lag"].bucket_options[0].explicit_buckets[0].bounds, 120)
      && google_monitoring_alert_policy.quiet["outbox-silent"].conditions[0].condition_threshold[0].evaluation_missing_data == "EVALUATION_MISSING_DATA_ACTIVE"
      && google_monitoring_alert_policy.asked["outbox-relayed"].conditions[0].condition_prometheus_query_language[0].query == "sum(increase(logging_googleapis_com:user_driftwise_outbox_relayed_messages_sum{monitored_resource=\"cloud_run_revision\"}[10m])) > 100"
    )
    error_message = "An outbox that is late, a relay that does not run and one that carries the load are each seen."
  }

  assert {
    condition     = google_logging_project_bucket_config.audit.locked && google_logging_project_bucket_config.audit.retention_days >= 365 && coalesce(google_logging_project_bucket_config.suite.locked, false) == false
    error_message = "Audit logs are kept for a year at least, locked."
  }

  assert {
    condition = alltrue([
      for bucket in [google_logging_project_bucket_config.audit, google_logging_project_bucket_config.suite] : bucket.cmek_settings[0].kms_key_name == var.logging_kms_key_id
    ])
    error_message = "Every log bucket is under our own key."
  }

  assert {
    condition     = length(google_logging_project_sink.audit.exclusions) == 0 && google_logging_project_sink.audit.filter == "logName:\"cloudaudit.googleapis.com\"" && strcontains(google_logging_project_exclusion.suite.filter, "NOT logName:\"cloudaudit.googleapis.com\"")
    error_message = "No audit log is left out anywhere."
  }

  assert {
    condition = alltrue([
      for service in ["cloudkms.googleapis.com", "secretmanager.googleapis.com"] :
      contains([for config in google_project_iam_audit_config.service[service].audit_log_config : config.log_type], "DATA_READ")
      ]) && alltrue(flatten([
        for service in google_project_iam_audit_config.service : [for config in service.audit_log_config : length(coalesce(config.exempted_members, [])) == 0]
    ]))
    error_message = "Decrypts and reads of secrets are written down, whoever does them."
  }

  assert {
    condition = alltrue([
      for dashboard in google_monitoring_dashboard.dashboard :
      length(jsondecode(dashboard.dashboard_json).mosaicLayout.tiles) >= 8
      && alltrue([for tile in jsondecode(dashboard.dashboard_json).mosaicLayout.tiles : length(tile.widget.xyChart.dataSets) > 0])
    ]) && length(google_monitoring_dashboard.dashboard) == 3
    error_message = "Each dashboard is a JSON document with a query in every chart."
  }
}

run "the_whole_journey" {
  command = plan

  variables {
    journey = { job_name = "driftwise-journey", every_seconds = 600 }
  }

  assert {
    condition     = alltrue([for metric in google_logging_metric.journey : strcontains(metric.filter, "resource.labels.job_name=\"driftwise-journey\"")])
    error_message = "Lines of other jobs count as journeys."
  }

  assert {
    condition     = output.runbooks["journey-failed"] == "journey-failed" && output.runbooks["journey-silent"] == "journey-failed" && google_monitoring_slo.journey[0].goal == 0.99
    error_message = "A journey that fails, and one that is not taken, are each seen."
  }

  assert {
    condition     = google_monitoring_alert_policy.limit["journey-failed"].conditions[0].condition_threshold[0].threshold_value == 1 && google_monitoring_alert_policy.limit["journey-failed"].conditions[0].condition_threshold[0].aggregations[0].alignment_period == "1800s"
    error_message = "One failure in a row of three is no alarm, two are."
  }
}

run "wrong_values_are_refused" {
  command = plan

  variables {
    alert_limits              = { cache_memory_share = 80 }
    audit_log_retention_days  = 30
    burn_rates                = { odd = { factor = 14.4, long_seconds = 300, short_seconds = 3600, severity = "CRITICAL" } }
    database_max_connections  = 0
    log_bucket_retention_days = 0
    notification_emails       = []
    runbook_base_url          = "http://docs/"
    slo                       = { availability_goal = 1 }
    uptime_period_seconds     = 1
  }

  expect_failures = [
    var.alert_limits, var.audit_log_retention_days, var.burn_rates, var.database_max_connections, var.log_bucket_retention_days,
    var.notification_emails, var.runbook_base_url, var.slo, var.uptime_period_seconds,
  ]
}
