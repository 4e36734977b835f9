# Alerts on single facts. Each has the runbook of its own name, or of what it is about.

locals {
  # What does not come any more says as much as what comes: no number is below any limit.
  quiet = merge(
    {
      outbox-silent = {
        title    = "The outboxes' relay does not run"
        severity = "ERROR"
        filter   = "metric.type=\"logging.googleapis.com/user/${google_logging_metric.counter["outbox-relays"].name}\" resource.type=\"cloud_run_revision\""
        period   = 300
        runbook  = "outbox-lag"
      }
    },
    {
      for outcome, metric in google_logging_metric.journey : "journey-silent" => {
        title    = "No journey passes any more"
        severity = "CRITICAL"
        filter   = "metric.type=\"logging.googleapis.com/user/${metric.name}\" resource.type=\"cloud_run_job\""
        period   = 3 * var.journey.every_seconds
        runbook  = "journey-failed"
      } if outcome == "passed"
    },
  )

  failing = {
    for outcome, metric in google_logging_metric.journey : "journey-failed" => {
      title    = "The journey with a customer's key failed twice"
      severity = "CRITICAL"
      filter   = "metric.type=\"logging.googleapis.com/user/${metric.name}\" resource.type=\"cloud_run_job\""
      aligner  = "ALIGN_DELTA", reducer = "REDUCE_SUM", group_by = []
      period   = 3 * var.journey.every_seconds, duration = 0, above = 1
      runbook  = "journey-failed"
    } if outcome == "failed"
  }

  limits = merge(local.failing, {
    outbox-lag = {
      title    = "Messages wait in an outbox"
      severity = "ERROR"
      filter   = "metric.type=\"logging.googleapis.com/user/${google_logging_metric.relay["outbox-lag"].name}\" resource.type=\"cloud_run_revision\""
      aligner  = "ALIGN_PERCENTILE_99", reducer = "REDUCE_MAX", group_by = []
      period   = 120, duration = 300, above = var.alert_limits.outbox_lag_seconds # two minutes: the scheduler ticks once in each, so that no window is empty
      runbook  = "outbox-lag"
    }
    given-up = {
      title    = "A message or a delivery was given up"
      severity = "WARNING"
      filter   = "metric.type=\"logging.googleapis.com/user/${google_logging_metric.counter["given-up"].name}\" resource.type=\"cloud_run_revision\""
      aligner  = "ALIGN_DELTA", reducer = "REDUCE_SUM", group_by = ["metric.labels.function"]
      period   = 300, duration = 0, above = 0
      runbook  = "given-up"
    }
    unexpected-errors = {
      title    = "A function met an error that nobody foresaw"
      severity = "ERROR"
      filter   = "metric.type=\"logging.googleapis.com/user/${google_logging_metric.counter["unexpected-errors"].name}\" resource.type=\"cloud_run_revision\""
      aligner  = "ALIGN_DELTA", reducer = "REDUCE_SUM", group_by = ["metric.labels.function"]
      period   = 300, duration = 0, above = 0
      runbook  = "unexpected-errors"
    }
    csp-violations = {
      title    = "Browsers report violations of the pages' policy"
      severity = "WARNING"
      filter   = "metric.type=\"logging.googleapis.com/user/${google_logging_metric.counter["csp-violations"].name}\" resource.type=\"cloud_run_revision\""
      aligner  = "ALIGN_DELTA", reducer = "REDUCE_SUM", group_by = ["metric.labels.function"]
      period   = 600, duration = 0, above = 5
      runbook  = "csp-violations"
    }
    secret-due = {
      title    = "A secret is due for a new version"
      severity = "WARNING"
      filter   = "metric.type=\"logging.googleapis.com/user/${google_logging_metric.counter["secrets-due"].name}\" resource.type=\"cloud_run_revision\""
      aligner  = "ALIGN_DELTA", reducer = "REDUCE_SUM", group_by = ["metric.labels.function"]
      period   = 300, duration = 0, above = 0
      runbook  = "secret-due"
    }
    rate-limiter-away = {
      title    = "The rate limiter does not answer: calls go uncounted or are refused"
      severity = "ERROR"
      filter   = "metric.type=\"logging.googleapis.com/user/${google_logging_metric.counter["rate-limiter-away"].name}\" resource.type=\"cloud_run_revision\""
      aligner  = "ALIGN_DELTA", reducer = "REDUCE_SUM", group_by = ["metric.labels.function"]
      period   = 60, duration = 120, above = 0
      runbook  = "rate-limiter-away"
    }
    secrets-unusable = {
      title    = "A secret, a key or a sealed row cannot be used"
      severity = "ERROR"
      filter   = "metric.type=\"logging.googleapis.com/user/${google_logging_metric.counter["secrets-unusable"].name}\" resource.type=\"cloud_run_revision\""
      aligner  = "ALIGN_DELTA", reducer = "REDUCE_SUM", group_by = ["metric.labels.function"]
      period   = 300, duration = 0, above = 0
      runbook  = "secrets-unusable"
    }
    schedule-failing = {
      title    = "A job of the scheduler fails again and again"
      severity = "WARNING"
      filter   = "metric.type=\"logging.googleapis.com/user/${google_logging_metric.schedule_failures.name}\" resource.type=\"cloud_scheduler_job\""
      aligner  = "ALIGN_DELTA", reducer = "REDUCE_SUM", group_by = ["metric.labels.job"]
      period   = 7200, duration = 0, above = 2
      runbook  = "schedule-failing"
    }
    edge-attack = {
      title    = "The edge refuses unusually many requests"
      severity = "WARNING"
      filter   = "metric.type=\"logging.googleapis.com/user/${google_logging_metric.edge_refusals.name}\" resource.type=\"l7_lb_rule\""
      aligner  = "ALIGN_DELTA", reducer = "REDUCE_SUM", group_by = ["metric.labels.priority"]
      period   = 60, duration = 300, above = var.alert_limits.edge_refused_per_minute
      runbook  = "edge-attack"
    }
    database-connections = {
      title    = "The database runs out of connections"
      severity = "ERROR"
      filter   = "metric.type=\"cloudsql.googleapis.com/database/postgresql/num_backends\" resource.type=\"cloudsql_database\" resource.labels.database_id=\"${var.project_id}:${var.database_instance}\""
      aligner  = "ALIGN_MAX", reducer = "REDUCE_SUM", group_by = ["resource.labels.database_id"]
      period   = 60, duration = 300, above = floor(var.database_max_connections * var.alert_limits.database_connections_share)
      runbook  = "database-connections"
    }
    database-storage = {
      title    = "The database's disk fills up"
      severity = "WARNING"
      filter   = "metric.type=\"cloudsql.googleapis.com/database/disk/utilization\" resource.type=\"cloudsql_database\" resource.labels.database_id=\"${var.project_id}:${var.database_instance}\""
      aligner  = "ALIGN_MAX", reducer = "REDUCE_MAX", group_by = ["resource.labels.database_id"]
      period   = 300, duration = 900, above = var.alert_limits.database_disk_share
      runbook  = "database-storage"
    }
    cache-memory = {
      title    = "The rate limiter's memory fills up"
      severity = "WARNING"
      filter   = "metric.type=\"redis.googleapis.com/stats/memory/usage_ratio\" resource.type=\"redis_instance\" resource.labels.instance_id=\"${var.cache_instance_id}\""
      aligner  = "ALIGN_MAX", reducer = "REDUCE_MAX", group_by = ["resource.labels.instance_id"]
      period   = 300, duration = 900, above = var.alert_limits.cache_memory_share
      runbook  = "cache-memory"
    }
    edge-down = {
      title    = "A step of the journey through the edge fails from several places"
      severity = "CRITICAL"
      filter   = "metric.type=\"monitoring.googleapis.com/uptime_check/check_passed\" resource.type=\"uptime_url\" resource.labels.host=\"${var.domain}\""
      aligner  = "ALIGN_NEXT_OLDER", reducer = "REDUCE_COUNT_FALSE", group_by = ["metric.labels.check_id"]
      period   = 2 * var.uptime_period_seconds, duration = 60, above = 1
      runbook  = "edge-down"
    }
    certificate-expiry = {
      title      = "The edge's certificate was not renewed"
      severity   = "ERROR"
      filter     = "metric.type=\"monitoring.googleapis.com/uptime_check/time_until_ssl_cert_expires\" resource.type=\"uptime_url\" resource.labels.host=\"${var.domain}\""
      aligner    = "ALIGN_NEXT_OLDER", reducer = "REDUCE_MIN", group_by = ["resource.labels.host"]
      period     = 1200, duration = 600, above = var.alert_limits.certificate_days
      comparison = "COMPARISON_LT"
      runbook    = "certificate-expiry"
    }
  })
}

resource "google_monitoring_alert_policy" "limit" {
  for_each = local.limits

  project               = var.project_id
  display_name          = each.value.title
  combiner              = "OR"
  severity              = each.value.severity
  notification_channels = local.notification_channels
  user_labels           = merge(var.labels, { runbook = each.value.runbook })

  conditions {
    display_name = each.value.title

    condition_threshold {
      filter          = each.value.filter
      comparison      = lookup(each.value, "comparison", "COMPARISON_GT")
      threshold_value = each.value.above
      duration        = "${each.value.duration}s"

      aggregations {
        alignment_period     = "${each.value.period}s"
        per_series_aligner   = each.value.aligner
        cross_series_reducer = each.value.reducer
        group_by_fields      = each.value.group_by
      }

      trigger {
        count = 1
      }
    }
  }

  documentation {
    subject   = each.value.title
    content   = "Runbook: ${var.runbook_base_url}/${each.value.runbook}.md"
    mime_type = "text/markdown"

    links {
      display_name = "Runbook ${each.value.runbook}"
      url          = "${var.runbook_base_url}/${each.value.runbook}.md"
    }
  }

  alert_strategy {
    auto_close = "86400s"
  }
}

resource "google_monitoring_alert_policy" "quiet" {
  for_each = local.quiet

  project               = var.project_id
  display_name          = each.value.title
  combiner              = "OR"
  severity              = each.value.severity
  notification_channels = local.notification_channels
  user_labels           = merge(var.labels, { runbook = each.value.runbook })

  conditions {
    display_name = each.value.title

    condition_threshold {
      filter                  = each.value.filter
      comparison              = "COMPARISON_LT"
      threshold_value         = 1
      duration                = "60s"
      evaluation_missing_data = "EVALUATION_MISSING_DATA_ACTIVE"

      aggregations {
        alignment_period     = "${each.value.period}s"
        per_series_aligner   = "ALIGN_DELTA"
        cross_series_reducer = "REDUCE_SUM"
      }

      trigger {
        count = 1
      }
    }
  }

  documentation {
    subject   = each.value.title
    content   = "Runbook: ${var.runbook_base_url}/${each.value.runbook}.md"
    mime_type = "text/markdown"

    links {
      display_name = "Runbook ${each.value.runbook}"
      url          = "${var.runbook_base_url}/${each.value.runbook}.md"
    }
  }

  alert_strategy {
    auto_close = "86400s"
  }
}

# What takes arithmetic: the sum of a number that lines hold. In PromQL a metric's first slash is a colon, and what is no letter an underscore.
# Source: https://cloud.google.com/monitoring/promql/promql-mapping

locals {
  relayed_series = "logging_googleapis_com:user_${replace(google_logging_metric.relay["outbox-relayed-messages"].name, "/[^A-Za-z0-9]/", "_")}"

  asked = {
    outbox-relayed = {
      title    = "Much is left in outboxes: functions end in the middle of their work, or cannot reach the queue"
      severity = "WARNING"
      query    = "sum(increase(${local.relayed_series}_sum{monitored_resource=\"cloud_run_revision\"}[10m])) > ${var.alert_limits.outbox_relayed}"
      runbook  = "outbox-lag"
    }
  }
}

resource "google_monitoring_alert_policy" "asked" {
  for_each = local.asked

  project               = var.project_id
  display_name          = each.value.title
  combiner              = "OR"
  severity              = each.value.severity
  notification_channels = local.notification_channels
  user_labels           = merge(var.labels, { runbook = each.value.runbook })

  conditions {
    display_name = each.value.title

    condition_prometheus_query_language {
      query               = each.value.query
      duration            = "0s"
      evaluation_interval = "60s"
    }
  }

  documentation {
    subject   = each.value.title
    content   = "Runbook: ${var.runbook_base_url}/${each.value.runbook}.md"
    mime_type = "text/markdown"

    links {
      display_name = "Runbook ${each.value.runbook}"
      url          = "${var.runbook_base_url}/${each.value.runbook}.md"
    }
  }

  alert_strategy {
    auto_close = "86400s"
  }
}

# What must not pass unseen even once, straight from the audit log.

locals {
  audited = {
    key-used-by-person = {
      title  = "A person, not a function, used a key or read a secret"
      filter = "logName:\"cloudaudit.googleapis.com\" AND ((protoPayload.serviceName=\"cloudkms.googleapis.com\" AND protoPayload.methodName=~\"(Decrypt|AsymmetricSign)$\") OR (protoPayload.serviceName=\"secretmanager.googleapis.com\" AND protoPayload.methodName=~\"AccessSecretVersion$\")) AND NOT protoPayload.authenticationInfo.principalEmail=~\"gserviceaccount[.]com$\""
      facts = {
        method    = "EXTRACT(protoPayload.methodName)"
        principal = "EXTRACT(protoPayload.authenticationInfo.principalEmail)"
        resource  = "EXTRACT(protoPayload.resourceName)"
      }
      runbook = "key-used-by-person"
    }
    platform-change = {
      title  = "Somebody changed what protects the platform"
      filter = "logName:\"cloudaudit.googleapis.com%2Factivity\" AND (protoPayload.methodName=~\"(DestroyCryptoKeyVersion|CreateServiceAccountKey|google.logging.v2.ConfigServiceV2.(DeleteSink|UpdateSink|DeleteBucket|UpdateBucket|CreateExclusion)|SetOrgPolicy|DeletePolicy|UpdatePolicy|compute.securityPolicies.(delete|patch|removeRule))$\" OR (protoPayload.methodName=\"SetIamPolicy\" AND protoPayload.serviceName=\"cloudresourcemanager.googleapis.com\"))"
      facts = {
        method    = "EXTRACT(protoPayload.methodName)"
        principal = "EXTRACT(protoPayload.authenticationInfo.principalEmail)"
        resource  = "EXTRACT(protoPayload.resourceName)"
      }
      runbook = "platform-change"
    }
  }
}

resource "google_monitoring_alert_policy" "audited" {
  for_each = local.audited

  project               = var.project_id
  display_name          = each.value.title
  combiner              = "OR"
  severity              = "CRITICAL"
  notification_channels = local.notification_channels
  user_labels           = merge(var.labels, { runbook = each.value.runbook })

  conditions {
    display_name = each.value.title

    condition_matched_log {
      filter           = each.value.filter
      label_extractors = each.value.facts
    }
  }

  documentation {
    subject   = each.value.title
    content   = "Runbook: ${var.runbook_base_url}/${each.value.runbook}.md"
    mime_type = "text/markdown"

    links {
      display_name = "Runbook ${each.value.runbook}"
      url          = "${var.runbook_base_url}/${each.value.runbook}.md"
    }
  }

  alert_strategy {
    auto_close = "604800s"

    notification_rate_limit {
      period = "300s"
    }
  }
}
