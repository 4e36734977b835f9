# Jobs of one rhythm start at different minutes, so that an hour's work does not begin all at once.

locals {
  places = { for place, name in sort(keys(var.schedules)) : name => place }

  cron = {
    for name, schedule in var.schedules : name => (
      schedule.every_seconds <= 60 ? "* * * * *" :
      schedule.every_seconds < 3600 ? "${local.places[name] % (schedule.every_seconds / 60)}-59/${schedule.every_seconds / 60} * * * *" :
      schedule.every_seconds == 3600 ? "${local.places[name] * 7 % 60} * * * *" :
      schedule.every_seconds < 86400 ? "${local.places[name] * 7 % 60} */${schedule.every_seconds / 3600} * * *" :
      "${local.places[name] * 7 % 60} 3 * * *"
    )
  }
}

resource "google_cloud_scheduler_job" "tick" {
  for_each = var.schedules

  project          = var.project_id
  region           = var.region
  name             = each.key
  description      = "POST ${each.value.path} of ${each.value.entry_point}, every ${max(each.value.every_seconds, 60)} seconds."
  schedule         = local.cron[each.key]
  time_zone        = "Etc/UTC"
  attempt_deadline = "600s"
  paused           = var.paused

  # The next tick is the way to try again; work that is tried twice at once waits for a lock of its own.
  retry_config {
    retry_count          = each.value.every_seconds < 600 ? 0 : 2
    min_backoff_duration = "30s"
    max_backoff_duration = "120s"
  }

  http_target {
    http_method = "POST"
    uri         = "${var.services[each.value.entry_point].uri}${each.value.path}"

    oidc_token {
      service_account_email = var.sender.email
      audience              = var.services[each.value.entry_point].audience
    }
  }
}
