# What is promised, per function. Every objective is over 28 days; alerts follow in burn_alerts.tf.

locals {
  http_functions = {
    for entry_point, facts in var.entry_points : facts.function => entry_point if facts.trigger == "http" && contains(keys(var.backend_services), facts.function)
  }
  functions = toset([for facts in values(var.entry_points) : facts.function])

  webhook_subscription = "webhook-deliveries"
  aged_subscriptions   = { for name, facts in var.subscriptions : name => facts if name != local.webhook_subscription }
}

resource "google_monitoring_custom_service" "function" {
  for_each = local.functions

  project      = var.project_id
  service_id   = "${var.name}-${each.key}"
  display_name = "${var.name} ${each.key}"
}

# Counted at the load balancer, so that a function that cannot answer at all counts too.
resource "google_monitoring_slo" "availability" {
  for_each = local.http_functions

  project             = var.project_id
  service             = google_monitoring_custom_service.function[each.key].service_id
  slo_id              = "availability"
  display_name        = "${each.key}: requests answered without a fault of ours"
  goal                = var.slo.availability_goal
  rolling_period_days = 28

  request_based_sli {
    good_total_ratio {
      total_service_filter = local.requests[each.key]
      bad_service_filter   = "${local.requests[each.key]} metric.labels.response_code_class=500"
    }
  }
}

locals {
  requests = {
    for function, backend in var.backend_services : function => join(" ", [
      "metric.type=\"loadbalancing.googleapis.com/https/request_count\"",
      "resource.type=\"https_lb_rule\"",
      "resource.labels.url_map_name=\"${var.load_balancer_name}\"",
      "resource.labels.backend_target_name=\"${backend}\"",
    ])
  }
}

# Counted at the function, so that a caller's slow line does not.
resource "google_monitoring_slo" "latency" {
  for_each = local.http_functions

  project             = var.project_id
  service             = google_monitoring_custom_service.function[each.key].service_id
  slo_id              = "latency"
  display_name        = "${each.key}: requests answered within ${lookup(var.slo.latency_ms, each.key, var.slo.default_latency_ms)} ms"
  goal                = var.slo.latency_goal
  rolling_period_days = 28

  request_based_sli {
    distribution_cut {
      distribution_filter = "metric.type=\"run.googleapis.com/request_latencies\" resource.type=\"cloud_run_revision\" resource.labels.service_name=\"${var.services[each.value].name}\""

      range {
        max = lookup(var.slo.latency_ms, each.key, var.slo.default_latency_ms)
      }
    }
  }
}

resource "google_monitoring_slo" "scan_success" {
  project             = var.project_id
  service             = google_monitoring_custom_service.function["scan"].service_id
  slo_id              = "scan-success"
  display_name        = "scan: scans that came to a result"
  goal                = var.slo.scan_success_goal
  rolling_period_days = 28

  request_based_sli {
    good_total_ratio {
      good_service_filter = "metric.type=\"logging.googleapis.com/user/${google_logging_metric.counter["scans-done"].name}\" resource.type=\"cloud_run_revision\""
      bad_service_filter  = "metric.type=\"logging.googleapis.com/user/${google_logging_metric.counter["scan-messages-given-up"].name}\" resource.type=\"cloud_run_revision\""
    }
  }
}

# What waits longest says how late a webhook is acted on: the work itself takes milliseconds.
resource "google_monitoring_slo" "webhook_delay" {
  project             = var.project_id
  service             = google_monitoring_custom_service.function["webhook"].service_id
  slo_id              = "webhook-delay"
  display_name        = "webhook: no delivery waits longer than ${var.slo.webhook_delay_seconds} s"
  goal                = var.slo.webhook_delay_goal
  rolling_period_days = 28

  windows_based_sli {
    window_period = "300s"

    metric_mean_in_range {
      time_series = "metric.type=\"pubsub.googleapis.com/subscription/oldest_unacked_message_age\" resource.type=\"pubsub_subscription\" resource.labels.subscription_id=\"${local.webhook_subscription}\""

      range {
        max = var.slo.webhook_delay_seconds
      }
    }
  }
}

resource "google_monitoring_slo" "queue_age" {
  for_each = local.aged_subscriptions

  project             = var.project_id
  service             = google_monitoring_custom_service.function[each.value.function].service_id
  slo_id              = "queue-age-${each.key}"
  display_name        = "${each.value.function}: no message of ${each.key} waits longer than ${var.slo.queue_age_seconds} s"
  goal                = var.slo.queue_age_goal
  rolling_period_days = 28

  windows_based_sli {
    window_period = "300s"

    metric_mean_in_range {
      time_series = "metric.type=\"pubsub.googleapis.com/subscription/oldest_unacked_message_age\" resource.type=\"pubsub_subscription\" resource.labels.subscription_id=\"${each.key}\""

      range {
        max = var.slo.queue_age_seconds
      }
    }
  }
}

# What a customer's machine sees of the whole. No burn alert stands on it: a window of five minutes holds one journey or none, so that
# `journey-failed` counts by itself.
resource "google_monitoring_custom_service" "journey" {
  count = var.journey == null ? 0 : 1

  project      = var.project_id
  service_id   = "${var.name}-journey"
  display_name = "${var.name} journey"
}

resource "google_monitoring_slo" "journey" {
  count = var.journey == null ? 0 : 1

  project             = var.project_id
  service             = google_monitoring_custom_service.journey[0].service_id
  slo_id              = "journey"
  display_name        = "journey: every step passes"
  goal                = var.slo.journey_goal
  rolling_period_days = 28

  request_based_sli {
    good_total_ratio {
      good_service_filter = "metric.type=\"logging.googleapis.com/user/${google_logging_metric.journey["passed"].name}\" resource.type=\"cloud_run_job\""
      bad_service_filter  = "metric.type=\"logging.googleapis.com/user/${google_logging_metric.journey["failed"].name}\" resource.type=\"cloud_run_job\""
    }
  }
}
