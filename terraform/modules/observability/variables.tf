variable "alert_limits" {
  description = "Where alerts begin: shares of what there is (0 to 1), requests that Cloud Armor refuses per minute, days that the certificate still lasts, age of the oldest message in an outbox, messages that the relay sends in ten minutes."
  type = object({
    cache_memory_share         = optional(number, 0.8)
    certificate_days           = optional(number, 21)
    database_connections_share = optional(number, 0.8)
    database_disk_share        = optional(number, 0.8)
    edge_refused_per_minute    = optional(number, 1000)
    outbox_lag_seconds         = optional(number, 120)
    outbox_relayed             = optional(number, 100)
  })
  default  = {}
  nullable = false

  validation {
    condition = alltrue([
      for share in [var.alert_limits.cache_memory_share, var.alert_limits.database_connections_share, var.alert_limits.database_disk_share] :
      share > 0 && share < 1
    ])
    error_message = "A share is above 0 and below 1."
  }

  validation {
    condition     = var.alert_limits.outbox_lag_seconds >= 30 && var.alert_limits.outbox_lag_seconds < 1800 && var.alert_limits.outbox_relayed > 0
    error_message = "A message in an outbox is late after half a minute to half an hour."
  }
}

variable "audit_log_bucket_locked" {
  description = "Whether the retention of the audit log's bucket is locked: nobody can shorten it or delete the bucket any more, also not Terraform."
  type        = bool
  default     = true
}

variable "audit_log_retention_days" {
  description = "How long audit logs are kept, in days."
  type        = number
  default     = 400

  validation {
    condition     = var.audit_log_retention_days >= 365 && var.audit_log_retention_days <= 3650
    error_message = "Audit logs are kept for one to ten years."
  }
}

variable "backend_services" {
  description = "Backend service of the load balancer for each function that has public paths: function to name."
  type        = map(string)
}

variable "burn_rates" {
  description = "Speeds of burning the error budget that alert: how many times faster than the budget allows, over a long and a short window (seconds), and how urgent it is."
  type = map(object({
    factor        = number
    long_seconds  = number
    severity      = string
    short_seconds = number
  }))
  default = {
    fast = { factor = 14.4, long_seconds = 3600, short_seconds = 300, severity = "CRITICAL" }
    slow = { factor = 6, long_seconds = 21600, short_seconds = 1800, severity = "WARNING" }
  }

  validation {
    condition = length(var.burn_rates) > 0 && alltrue([
      for rate in values(var.burn_rates) :
      rate.factor > 1 && rate.short_seconds < rate.long_seconds && contains(["CRITICAL", "ERROR", "WARNING"], rate.severity)
    ])
    error_message = "A burn rate is above 1, its short window is shorter than its long one, its severity is CRITICAL, ERROR or WARNING."
  }
}

variable "cache_instance_id" {
  description = "Id of the Memorystore instance: projects/…/locations/…/instances/…"
  type        = string
}

variable "database_instance" {
  description = "Name of the Cloud SQL instance."
  type        = string
}

variable "database_max_connections" {
  description = "Connections that the database takes at most."
  type        = number

  validation {
    condition     = var.database_max_connections > 0
    error_message = "A database takes connections."
  }
}

variable "domain" {
  description = "Host name under which customers reach the suite."
  type        = string
}

variable "entry_points" {
  description = "Entry points as the module `suite` has them: function, trigger, path of the public health route (http ones)."
  type = map(object({
    function    = string
    health_path = optional(string)
    trigger     = string
  }))
}

variable "journey" {
  description = "The job that takes the journey with a customer's key, and how often it is started, in seconds; null for the steps of uptime checks alone."
  type        = object({ job_name = string, every_seconds = number })
  default     = null
}

variable "labels" {
  description = "Labels of everything that takes labels."
  type        = map(string)
  default     = {}
}

variable "load_balancer_name" {
  description = "Name of the HTTPS URL map."
  type        = string
}

variable "log_bucket_retention_days" {
  description = "How long logs of the functions and the edge are kept, in days."
  type        = number
  default     = 30

  validation {
    condition     = var.log_bucket_retention_days >= 1 && var.log_bucket_retention_days <= 3650
    error_message = "Between one day and ten years."
  }
}

variable "logging_kms_key_id" {
  description = "KMS key that encrypts log buckets; Cloud Logging's service account may use it already."
  type        = string
}

variable "name" {
  description = "Beginning of the names of everything in this module."
  type        = string
  default     = "driftwise"
}

variable "notification_emails" {
  description = "Addresses that alerts go to."
  type        = list(string)

  validation {
    condition     = length(var.notification_emails) > 0 && alltrue([for address in var.notification_emails : can(regex("^[^@\\s]+@[^@\\s]+$", address))])
    error_message = "An alert that nobody receives is none: name at least one address."
  }
}

variable "project_id" {
  description = "Id of the Google Cloud project."
  type        = string
}

variable "region" {
  description = "Region of the log buckets."
  type        = string
}

variable "runbook_base_url" {
  description = "Where the pages of infra/runbooks are read, without a trailing slash; alerts link there."
  type        = string

  validation {
    condition     = startswith(var.runbook_base_url, "https://") && !endswith(var.runbook_base_url, "/")
    error_message = "An https address without a trailing slash."
  }
}

variable "services" {
  description = "Cloud Run service of each entry point: entry point to its name."
  type        = map(object({ name = string }))
}

variable "slo" {
  description = "Objectives over 28 days. Goals are shares (0 to 1), latencies milliseconds, ages seconds; `latency_ms` has an entry per function that may take longer than the default."
  type = object({
    availability_goal     = optional(number, 0.999)
    default_latency_ms    = optional(number, 1000)
    journey_goal          = optional(number, 0.99)
    latency_goal          = optional(number, 0.95)
    latency_ms            = optional(map(number), { analyze = 30000, scan = 3000 })
    queue_age_goal        = optional(number, 0.99)
    queue_age_seconds     = optional(number, 900)
    scan_success_goal     = optional(number, 0.99)
    webhook_delay_goal    = optional(number, 0.99)
    webhook_delay_seconds = optional(number, 60)
  })
  default  = {}
  nullable = false

  validation {
    condition = alltrue([
      for goal in [
        var.slo.availability_goal, var.slo.journey_goal, var.slo.latency_goal, var.slo.queue_age_goal, var.slo.scan_success_goal, var.slo.webhook_delay_goal,
      ] : goal >= 0.5 && goal < 1
    ])
    error_message = "A goal is at least 0.5 and below 1: without an error budget nothing may ever change."
  }
}

variable "subscriptions" {
  description = "Push subscriptions of the suite: name to the function that they call."
  type        = map(object({ function = string }))
}

variable "uptime_period_seconds" {
  description = "How often each uptime check asks from each of its places, in seconds. A million checks a month are free: about 20 checks every 300 seconds."
  type        = number
  default     = 300

  validation {
    condition     = contains([60, 300, 600, 900], var.uptime_period_seconds)
    error_message = "Uptime checks run every 60, 300, 600 or 900 seconds."
  }
}
