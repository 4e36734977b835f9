# Counters of log lines. The messages are constants of the code; a test holds both together.

locals {
  from_functions = "resource.type=\"cloud_run_revision\""
  from_journey   = var.journey == null ? "" : "resource.type=\"cloud_run_job\" AND resource.labels.job_name=\"${var.journey.job_name}\""
  relay          = "jsonPayload.message=\"outbox relayed\""

  # Numbers that the relay's line holds. What an alert compares with is the bound of a bucket, as a percentile is read off those.
  relay_numbers = {
    outbox-lag              = { description = "Seconds that the oldest message left in an outbox waits, at each run of the relay.", field = "lag_seconds", unit = "s", bounds = [1, 10, var.alert_limits.outbox_lag_seconds / 2, var.alert_limits.outbox_lag_seconds, var.alert_limits.outbox_lag_seconds * 2, 3600, 86400] }
    outbox-relayed-messages = { description = "Messages that each run of the relay sent.", field = "messages", unit = "1", bounds = [1, 10, 100, 1000, 10000] }
  }

  counters = {
    scans-done = {
      description = "Scans that came to a result."
      filter      = "jsonPayload.message=\"scan done\""
    }
    scan-messages-given-up = {
      description = "Shards and comparisons of scans that the queue gave up."
      filter      = "jsonPayload.message=\"message given up\" AND jsonPayload.subscription=~\"scan-(shards|comparisons)$\""
    }
    given-up = {
      description = "Messages and deliveries that were tried until the end, or that no further try could help."
      filter      = "jsonPayload.message=(\"message given up\" OR \"delivery given up\" OR \"messages given up\" OR \"event refused for good\")"
    }
    unexpected-errors = {
      description = "Errors that nobody foresaw; the caller got 500."
      filter      = "jsonPayload.message=\"unexpected error\""
    }
    rate-limiter-away = {
      description = "Calls that the rate limiter could not count."
      filter      = "jsonPayload.message=\"rate limiter away\""
    }
    secrets-unusable = {
      description = "Secrets, keys and sealed rows that could not be used."
      filter      = "jsonPayload.message=(\"no version of the password is right\" OR \"secret version not usable\" OR \"newest secret version not refreshed\" OR \"sealed row unreadable\" OR \"token keys not refreshed\" OR \"digests of a key version that is gone\")"
    }
    csp-violations = {
      description = "Violations of the pages' policy that browsers reported."
      filter      = "jsonPayload.message=\"content security policy violated\""
    }
    secrets-due = {
      description = "Secrets that are due for a new version, which people have to get from a vendor."
      filter      = "jsonPayload.message=\"secret due for rotation\""
    }
    outbox-relays = {
      description = "Runs of the outboxes' relay, whatever they found."
      filter      = local.relay
    }
    outbox-relayed = {
      description = "Runs of the relay that sent messages which their function had left behind."
      filter      = "${local.relay} AND jsonPayload.messages>0"
    }
    models-silent = {
      description = "Plans that no language model told, and drifts that none explained."
      filter      = "jsonPayload.message=(\"no model told the plan\" OR \"a narrative failed\")"
    }
  }
}

resource "google_logging_metric" "counter" {
  for_each = local.counters

  project     = var.project_id
  name        = "${var.name}/${each.key}"
  description = each.value.description
  filter      = "${local.from_functions} AND ${each.value.filter}"

  label_extractors = {
    function = "EXTRACT(jsonPayload.function)"
  }

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
    unit        = "1"

    labels {
      key         = "function"
      value_type  = "STRING"
      description = "The function that wrote the line."
    }
  }
}

resource "google_logging_metric" "relay" {
  for_each = local.relay_numbers

  project         = var.project_id
  name            = "${var.name}/${each.key}"
  description     = each.value.description
  filter          = "${local.from_functions} AND ${local.relay}"
  value_extractor = "EXTRACT(jsonPayload.${each.value.field})"

  bucket_options {
    explicit_buckets {
      bounds = each.value.bounds
    }
  }

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "DISTRIBUTION"
    unit        = each.value.unit
  }
}

resource "google_logging_metric" "journey" {
  for_each = { for outcome in ["failed", "passed"] : outcome => "jsonPayload.message=\"journey ${outcome}\"" if var.journey != null }

  project     = var.project_id
  name        = "${var.name}/journey-${each.key}"
  description = "Journeys with a customer's key that ${each.key}."
  filter      = "${local.from_journey} AND ${each.value}"

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
    unit        = "1"
  }
}

resource "google_logging_metric" "journey_latency" {
  count = var.journey == null ? 0 : 1

  project         = var.project_id
  name            = "${var.name}/journey-latency"
  description     = "Milliseconds that the journey's steps took, by step and outcome."
  filter          = "${local.from_journey} AND jsonPayload.message=\"journey step\""
  value_extractor = "EXTRACT(jsonPayload.latency_ms)"

  label_extractors = {
    outcome = "EXTRACT(jsonPayload.outcome)"
    step    = "EXTRACT(jsonPayload.step)"
  }

  bucket_options {
    exponential_buckets {
      scale              = 1
      growth_factor      = 1.6
      num_finite_buckets = 28
    }
  }

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "DISTRIBUTION"
    unit        = "ms"

    labels {
      key         = "outcome"
      value_type  = "STRING"
      description = "passed, failed or skipped."
    }
    labels {
      key         = "step"
      value_type  = "STRING"
      description = "Name of the step."
    }
  }
}

resource "google_logging_metric" "schedule_failures" {
  project     = var.project_id
  name        = "${var.name}/schedule-failures"
  description = "Ticks of the scheduler that were not answered with a success."
  filter      = "resource.type=\"cloud_scheduler_job\" AND severity>=ERROR"

  label_extractors = {
    job = "EXTRACT(resource.labels.job_id)"
  }

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
    unit        = "1"

    labels {
      key         = "job"
      value_type  = "STRING"
      description = "The job that failed."
    }
  }
}

resource "google_logging_metric" "edge_refusals" {
  project     = var.project_id
  name        = "${var.name}/edge-refusals"
  description = "Requests that Cloud Armor refused."
  filter      = "resource.type=\"http_load_balancer\" AND jsonPayload.enforcedSecurityPolicy.outcome=\"DENY\""

  label_extractors = {
    priority = "EXTRACT(jsonPayload.enforcedSecurityPolicy.priority)"
  }

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
    unit        = "1"

    labels {
      key         = "priority"
      value_type  = "STRING"
      description = "Priority of the rule that refused."
    }
  }
}

# The functions' own measure of each answer, by route: what the load balancer cannot tell.
resource "google_logging_metric" "request_latency" {
  project         = var.project_id
  name            = "${var.name}/request-latency"
  description     = "Milliseconds that answers took, by function, route and status."
  filter          = "${local.from_functions} AND jsonPayload.message=\"request\""
  value_extractor = "EXTRACT(jsonPayload.latency_ms)"

  label_extractors = {
    function = "EXTRACT(jsonPayload.function)"
    route    = "EXTRACT(jsonPayload.route)"
    status   = "EXTRACT(jsonPayload.status)"
  }

  bucket_options {
    exponential_buckets {
      scale              = 1
      growth_factor      = 1.6
      num_finite_buckets = 26
    }
  }

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "DISTRIBUTION"
    unit        = "ms"

    labels {
      key         = "function"
      value_type  = "STRING"
      description = "The function that answered."
    }
    labels {
      key         = "route"
      value_type  = "STRING"
      description = "Path template of the route."
    }
    labels {
      key         = "status"
      value_type  = "STRING"
      description = "HTTP status of the answer."
    }
  }
}
