# Three dashboards: what customers see, what waits, what the data stores do. A chart is a title and queries; the layout is the same.

locals {
  dashboards = {
    customers = {
      title = "${var.name}: what customers see"
      charts = [
        { title = "Requests per second by function", unit = "1/s", series = [{ filter = "metric.type=\"loadbalancing.googleapis.com/https/request_count\" resource.type=\"https_lb_rule\" resource.labels.url_map_name=\"${var.load_balancer_name}\"", aligner = "ALIGN_RATE", reducer = "REDUCE_SUM", group_by = ["resource.label.backend_target_name"] }] },
        { title = "Answers by class of status", unit = "1/s", series = [{ filter = "metric.type=\"loadbalancing.googleapis.com/https/request_count\" resource.type=\"https_lb_rule\" resource.labels.url_map_name=\"${var.load_balancer_name}\"", aligner = "ALIGN_RATE", reducer = "REDUCE_SUM", group_by = ["metric.label.response_code_class"] }] },
        { title = "Latency, 95th percentile by function", unit = "ms", series = [{ filter = "metric.type=\"logging.googleapis.com/user/${google_logging_metric.request_latency.name}\" resource.type=\"cloud_run_revision\"", aligner = "ALIGN_PERCENTILE_95", reducer = "REDUCE_MAX", group_by = ["metric.label.function"] }] },
        { title = "Latency, 95th percentile of the slowest routes", unit = "ms", series = [{ filter = "metric.type=\"logging.googleapis.com/user/${google_logging_metric.request_latency.name}\" resource.type=\"cloud_run_revision\"", aligner = "ALIGN_PERCENTILE_95", reducer = "REDUCE_MAX", group_by = ["metric.label.route"] }] },
        { title = "Refused by the edge, by rule", unit = "1/s", series = [{ filter = "metric.type=\"logging.googleapis.com/user/${google_logging_metric.edge_refusals.name}\" resource.type=\"l7_lb_rule\"", aligner = "ALIGN_RATE", reducer = "REDUCE_SUM", group_by = ["metric.label.priority"] }] },
        { title = "Steps of the journey that fail", unit = "1", series = [{ filter = "metric.type=\"monitoring.googleapis.com/uptime_check/check_passed\" resource.type=\"uptime_url\" resource.labels.host=\"${var.domain}\"", aligner = "ALIGN_NEXT_OLDER", reducer = "REDUCE_COUNT_FALSE", group_by = ["metric.label.check_id"] }] },
        { title = "Latency of the journey's steps", unit = "ms", series = [for metric in google_logging_metric.journey_latency : { filter = "metric.type=\"logging.googleapis.com/user/${metric.name}\" resource.type=\"cloud_run_job\" metric.labels.outcome=\"passed\"", aligner = "ALIGN_PERCENTILE_95", reducer = "REDUCE_MAX", group_by = ["metric.label.step"] }] },
        { title = "Errors that nobody foresaw", unit = "1", series = [{ filter = "metric.type=\"logging.googleapis.com/user/${google_logging_metric.counter["unexpected-errors"].name}\" resource.type=\"cloud_run_revision\"", aligner = "ALIGN_DELTA", reducer = "REDUCE_SUM", group_by = ["metric.label.function"] }] },
        { title = "Instances by service", unit = "1", series = [{ filter = "metric.type=\"run.googleapis.com/container/instance_count\" resource.type=\"cloud_run_revision\"", aligner = "ALIGN_MAX", reducer = "REDUCE_SUM", group_by = ["resource.label.service_name"] }] },
      ]
    }
    queue = {
      title = "${var.name}: what waits"
      charts = [
        { title = "Age of the oldest message by subscription", unit = "s", series = [{ filter = "metric.type=\"pubsub.googleapis.com/subscription/oldest_unacked_message_age\" resource.type=\"pubsub_subscription\"", aligner = "ALIGN_MAX", reducer = "REDUCE_MAX", group_by = ["resource.label.subscription_id"] }] },
        { title = "Messages that wait, by subscription", unit = "1", series = [{ filter = "metric.type=\"pubsub.googleapis.com/subscription/num_undelivered_messages\" resource.type=\"pubsub_subscription\"", aligner = "ALIGN_MAX", reducer = "REDUCE_SUM", group_by = ["resource.label.subscription_id"] }] },
        { title = "Pushes by answer", unit = "1/s", series = [{ filter = "metric.type=\"pubsub.googleapis.com/subscription/push_request_count\" resource.type=\"pubsub_subscription\"", aligner = "ALIGN_RATE", reducer = "REDUCE_SUM", group_by = ["resource.label.subscription_id", "metric.label.response_class"] }] },
        { title = "Dead letters", unit = "1", series = [{ filter = "metric.type=\"pubsub.googleapis.com/subscription/dead_letter_message_count\" resource.type=\"pubsub_subscription\"", aligner = "ALIGN_DELTA", reducer = "REDUCE_SUM", group_by = ["resource.label.subscription_id"] }] },
        { title = "Scans done and given up", unit = "1", series = [
          { filter = "metric.type=\"logging.googleapis.com/user/${google_logging_metric.counter["scans-done"].name}\" resource.type=\"cloud_run_revision\"", aligner = "ALIGN_DELTA", reducer = "REDUCE_SUM", group_by = [] },
          { filter = "metric.type=\"logging.googleapis.com/user/${google_logging_metric.counter["scan-messages-given-up"].name}\" resource.type=\"cloud_run_revision\"", aligner = "ALIGN_DELTA", reducer = "REDUCE_SUM", group_by = [] },
        ] },
        { title = "Age of what is left in outboxes", unit = "s", series = [{ filter = "metric.type=\"logging.googleapis.com/user/${google_logging_metric.relay["outbox-lag"].name}\" resource.type=\"cloud_run_revision\"", aligner = "ALIGN_PERCENTILE_99", reducer = "REDUCE_MAX", group_by = [] }] },
        { title = "Left in outboxes by crashes", unit = "1", series = [{ filter = "metric.type=\"logging.googleapis.com/user/${google_logging_metric.counter["outbox-relayed"].name}\" resource.type=\"cloud_run_revision\"", aligner = "ALIGN_DELTA", reducer = "REDUCE_SUM", group_by = [] }] },
        { title = "Jobs of the scheduler that failed", unit = "1", series = [{ filter = "metric.type=\"logging.googleapis.com/user/${google_logging_metric.schedule_failures.name}\" resource.type=\"cloud_scheduler_job\"", aligner = "ALIGN_DELTA", reducer = "REDUCE_SUM", group_by = ["metric.label.job"] }] },
        { title = "Plans and drifts that no model told", unit = "1", series = [{ filter = "metric.type=\"logging.googleapis.com/user/${google_logging_metric.counter["models-silent"].name}\" resource.type=\"cloud_run_revision\"", aligner = "ALIGN_DELTA", reducer = "REDUCE_SUM", group_by = [] }] },
      ]
    }
    stores = {
      title = "${var.name}: what the stores do"
      charts = [
        { title = "Database: connections (at most ${var.database_max_connections})", unit = "1", series = [{ filter = "metric.type=\"cloudsql.googleapis.com/database/postgresql/num_backends\" resource.type=\"cloudsql_database\"", aligner = "ALIGN_MAX", reducer = "REDUCE_SUM", group_by = ["metric.label.database"] }] },
        { title = "Database: processor", unit = "1", series = [{ filter = "metric.type=\"cloudsql.googleapis.com/database/cpu/utilization\" resource.type=\"cloudsql_database\"", aligner = "ALIGN_MEAN", reducer = "REDUCE_MAX", group_by = ["resource.label.database_id"] }] },
        { title = "Database: memory", unit = "1", series = [{ filter = "metric.type=\"cloudsql.googleapis.com/database/memory/utilization\" resource.type=\"cloudsql_database\"", aligner = "ALIGN_MEAN", reducer = "REDUCE_MAX", group_by = ["resource.label.database_id"] }] },
        { title = "Database: disk", unit = "1", series = [{ filter = "metric.type=\"cloudsql.googleapis.com/database/disk/utilization\" resource.type=\"cloudsql_database\"", aligner = "ALIGN_MEAN", reducer = "REDUCE_MAX", group_by = ["resource.label.database_id"] }] },
        { title = "Rate limiter: memory", unit = "1", series = [{ filter = "metric.type=\"redis.googleapis.com/stats/memory/usage_ratio\" resource.type=\"redis_instance\"", aligner = "ALIGN_MAX", reducer = "REDUCE_MAX", group_by = ["resource.label.instance_id"] }] },
        { title = "Rate limiter: calls that went uncounted", unit = "1", series = [{ filter = "metric.type=\"logging.googleapis.com/user/${google_logging_metric.counter["rate-limiter-away"].name}\" resource.type=\"cloud_run_revision\"", aligner = "ALIGN_DELTA", reducer = "REDUCE_SUM", group_by = ["metric.label.function"] }] },
        { title = "Secrets, keys and rows that could not be used", unit = "1", series = [{ filter = "metric.type=\"logging.googleapis.com/user/${google_logging_metric.counter["secrets-unusable"].name}\" resource.type=\"cloud_run_revision\"", aligner = "ALIGN_DELTA", reducer = "REDUCE_SUM", group_by = ["metric.label.function"] }] },
        { title = "Given up for good", unit = "1", series = [{ filter = "metric.type=\"logging.googleapis.com/user/${google_logging_metric.counter["given-up"].name}\" resource.type=\"cloud_run_revision\"", aligner = "ALIGN_DELTA", reducer = "REDUCE_SUM", group_by = ["metric.label.function"] }] },
      ]
    }
  }
}

resource "google_monitoring_dashboard" "dashboard" {
  for_each = local.dashboards

  project = var.project_id
  dashboard_json = templatefile("${path.module}/dashboard.json.tftpl", {
    title  = each.value.title
    charts = [for chart in each.value.charts : chart if length(chart.series) > 0]
  })
}
