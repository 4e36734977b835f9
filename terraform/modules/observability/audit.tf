# What Google writes down about the platform itself, and where logs are kept.

locals {
  # Decrypts, signatures and reads of secrets are "data reads"; logins to the database and pgaudit's lines come with Cloud SQL's.
  audited_services = {
    "artifactregistry.googleapis.com" = ["ADMIN_READ", "DATA_WRITE"]
    "cloudkms.googleapis.com"         = ["ADMIN_READ", "DATA_READ", "DATA_WRITE"]
    "cloudsql.googleapis.com"         = ["ADMIN_READ", "DATA_READ", "DATA_WRITE"]
    "iam.googleapis.com"              = ["ADMIN_READ", "DATA_READ", "DATA_WRITE"]
    "logging.googleapis.com"          = ["ADMIN_READ", "DATA_READ", "DATA_WRITE"]
    "run.googleapis.com"              = ["ADMIN_READ", "DATA_WRITE"]
    "secretmanager.googleapis.com"    = ["ADMIN_READ", "DATA_READ", "DATA_WRITE"]
    "storage.googleapis.com"          = ["ADMIN_READ", "DATA_READ", "DATA_WRITE"]
    "sts.googleapis.com"              = ["ADMIN_READ", "DATA_READ", "DATA_WRITE"]
  }
}

resource "google_project_iam_audit_config" "service" {
  for_each = local.audited_services

  project = var.project_id
  service = each.key

  dynamic "audit_log_config" {
    for_each = each.value

    content {
      log_type = audit_log_config.value
    }
  }
}

resource "google_logging_project_bucket_config" "audit" {
  project        = var.project_id
  location       = var.region
  bucket_id      = "${var.name}-audit"
  description    = "Audit logs; kept whatever anybody wishes."
  retention_days = var.audit_log_retention_days
  locked         = var.audit_log_bucket_locked

  cmek_settings {
    kms_key_name = var.logging_kms_key_id
  }
}

resource "google_logging_project_sink" "audit" {
  project                = var.project_id
  name                   = "${var.name}-audit"
  description            = "Every audit log of the project into its locked bucket."
  destination            = "logging.googleapis.com/${google_logging_project_bucket_config.audit.id}"
  filter                 = "logName:\"cloudaudit.googleapis.com\""
  unique_writer_identity = true
}

resource "google_logging_project_bucket_config" "suite" {
  project        = var.project_id
  location       = var.region
  bucket_id      = var.name
  description    = "Logs of the functions, the edge and the queue, in their region under our own key."
  retention_days = var.log_bucket_retention_days

  cmek_settings {
    kms_key_name = var.logging_kms_key_id
  }
}

locals {
  suite_logs = "resource.type=(\"cloud_run_revision\" OR \"cloud_run_job\" OR \"cloud_scheduler_job\" OR \"http_load_balancer\" OR \"cloudsql_database\") AND NOT logName:\"cloudaudit.googleapis.com\""
}

resource "google_logging_project_sink" "suite" {
  project                = var.project_id
  name                   = "${var.name}-suite"
  description            = "The suite's own logs into their bucket."
  destination            = "logging.googleapis.com/${google_logging_project_bucket_config.suite.id}"
  filter                 = local.suite_logs
  unique_writer_identity = true
}

# The same lines would be kept a second time in the default bucket, which is under Google's key. Audit logs stay there too.
resource "google_logging_project_exclusion" "suite" {
  project     = var.project_id
  name        = "${var.name}-suite"
  description = "Kept in the bucket ${var.name} instead."
  filter      = local.suite_logs
}
