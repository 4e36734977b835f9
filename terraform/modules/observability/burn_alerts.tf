# Alerts on the error budget: both windows must burn, so that an alert comes soon and ends soon.
# Source: Google, The Site Reliability Workbook, chapter 5, "Multiwindow, Multi-Burn-Rate Alerts".

locals {
  objectives = merge(
    { for function, slo in google_monitoring_slo.availability : "availability/${function}" => { name = slo.name, title = slo.display_name, runbook = "availability-burn" } },
    { for function, slo in google_monitoring_slo.latency : "latency/${function}" => { name = slo.name, title = slo.display_name, runbook = "latency-burn" } },
    { for name, slo in google_monitoring_slo.queue_age : "queue-age/${name}" => { name = slo.name, title = slo.display_name, runbook = "queue-age-burn" } },
    {
      "scan-success"  = { name = google_monitoring_slo.scan_success.name, title = google_monitoring_slo.scan_success.display_name, runbook = "scan-success-burn" }
      "webhook-delay" = { name = google_monitoring_slo.webhook_delay.name, title = google_monitoring_slo.webhook_delay.display_name, runbook = "webhook-delay-burn" }
    },
  )

  burns = merge([
    for objective, facts in local.objectives : {
      for speed, rate in var.burn_rates : "${objective}/${speed}" => merge(facts, rate, { speed = speed })
    }
  ]...)
}

resource "google_monitoring_alert_policy" "burn" {
  for_each = local.burns

  project               = var.project_id
  display_name          = "${each.value.title} (${each.value.speed} burn)"
  combiner              = "AND"
  severity              = each.value.severity
  notification_channels = local.notification_channels
  user_labels           = merge(var.labels, { runbook = each.value.runbook })

  dynamic "conditions" {
    for_each = { long = each.value.long_seconds, short = each.value.short_seconds }

    content {
      display_name = "More than ${each.value.factor} times the budget over ${conditions.value} s"

      condition_threshold {
        filter          = "select_slo_burn_rate(\"${each.value.name}\", \"${conditions.value}s\")"
        comparison      = "COMPARISON_GT"
        threshold_value = each.value.factor
        duration        = "0s"

        trigger {
          count = 1
        }
      }
    }
  }

  documentation {
    subject   = "${each.value.title} (${each.value.speed} burn)"
    content   = "The error budget of 28 days burns ${each.value.factor} times too fast. Runbook: ${var.runbook_base_url}/${each.value.runbook}.md"
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
