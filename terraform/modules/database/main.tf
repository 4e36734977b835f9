# Cloud SQL for PostgreSQL: no public address, no password, no connection without both sides' certificates.

locals {
  # Superuser's own, the migrations job, an operator, Cloud SQL's agents.
  reserved_connections = 20

  # Source: https://cloud.google.com/sql/docs/postgres/flags, CIS Google Cloud Platform Foundation Benchmark section 6.2
  flags = {
    "cloudsql.enable_pgaudit"     = "on"
    "cloudsql.iam_authentication" = "on"
    "log_checkpoints"             = "on"
    "log_connections"             = "on"
    "log_disconnections"          = "on"
    "log_hostname"                = "on"
    "log_lock_waits"              = "on"
    "log_min_duration_statement"  = "-1" # statements hold customers' values; query insights has them without
    "log_min_error_statement"     = "error"
    "log_min_messages"            = "warning"
    "log_statement"               = "ddl"
    "log_temp_files"              = "0"
    "max_connections"             = tostring(var.max_connections)
    "pgaudit.log"                 = "ddl,role"
    "pgaudit.log_parameter"       = "off"
  }
}

resource "google_sql_database_instance" "this" {
  #checkov:skip=CKV_GCP_108:the flags stand in a dynamic block that the scanner does not read; tests/integration/terraform reads them from the plan
  #checkov:skip=CKV_GCP_109:the flags stand in a dynamic block that the scanner does not read; tests/integration/terraform reads them from the plan
  #checkov:skip=CKV_GCP_110:the flags stand in a dynamic block that the scanner does not read; tests/integration/terraform reads them from the plan
  #checkov:skip=CKV_GCP_111:the flags stand in a dynamic block that the scanner does not read; tests/integration/terraform reads them from the plan
  #checkov:skip=CKV_GCP_51:the flags stand in a dynamic block that the scanner does not read; tests/integration/terraform reads them from the plan
  #checkov:skip=CKV_GCP_52:the flags stand in a dynamic block that the scanner does not read; tests/integration/terraform reads them from the plan
  #checkov:skip=CKV_GCP_53:the flags stand in a dynamic block that the scanner does not read; tests/integration/terraform reads them from the plan
  #checkov:skip=CKV_GCP_54:the flags stand in a dynamic block that the scanner does not read; tests/integration/terraform reads them from the plan
  #checkov:skip=CKV_GCP_79:the scanner knows PostgreSQL 17 as the newest, infra/suite.yaml wants 18
  #checkov:skip=CKV2_GCP_13:a line of log per statement; query insights has the durations
  project             = var.project_id
  region              = var.region
  name                = var.name
  database_version    = "POSTGRES_${var.database.version}"
  encryption_key_name = var.kms_key_id
  deletion_protection = true

  settings {
    tier                        = var.tier
    edition                     = "ENTERPRISE"
    availability_type           = var.high_availability ? "REGIONAL" : "ZONAL"
    deletion_protection_enabled = true
    retain_backups_on_delete    = true
    disk_type                   = "PD_SSD"
    disk_size                   = var.disk_gib
    disk_autoresize             = true
    disk_autoresize_limit       = var.disk_limit_gib

    # Nobody gets in but through Google's connectors, which show a certificate of an hour and an identity.
    connector_enforcement = "REQUIRED"

    ip_configuration {
      ipv4_enabled       = false
      private_network    = var.network_id
      allocated_ip_range = var.private_services_range_name
      ssl_mode           = "TRUSTED_CLIENT_CERTIFICATE_REQUIRED"
    }

    backup_configuration {
      enabled                        = true
      start_time                     = "01:00"
      location                       = var.backup_location
      point_in_time_recovery_enabled = true
      transaction_log_retention_days = 7

      backup_retention_settings {
        retained_backups = var.backups
        retention_unit   = "COUNT"
      }
    }

    maintenance_window {
      day          = var.maintenance.day
      hour         = var.maintenance.hour
      update_track = "stable"
    }

    insights_config {
      query_insights_enabled  = true
      query_string_length     = 1024
      record_application_tags = true
      record_client_address   = false
    }

    dynamic "database_flags" {
      for_each = local.flags

      content {
        name  = database_flags.key
        value = database_flags.value
      }
    }
  }

  lifecycle {
    prevent_destroy = true
    ignore_changes  = [settings[0].disk_size] # it grows by itself

    precondition {
      condition     = var.demanded_connections + local.reserved_connections <= var.max_connections
      error_message = "The functions may open ${var.demanded_connections} connections, and ${local.reserved_connections} are kept free: max_connections must be larger, or the pools or instances fewer."
    }
  }
}

resource "google_sql_database" "this" {
  project         = var.project_id
  instance        = google_sql_database_instance.this.name
  name            = var.database.name
  charset         = "UTF8"
  collation       = "en_US.UTF8"
  deletion_policy = "ABANDON"
}

resource "google_sql_database_instance" "replica" {
  #checkov:skip=CKV_GCP_108:the flags stand in a dynamic block that the scanner does not read; tests/integration/terraform reads them from the plan
  #checkov:skip=CKV_GCP_109:the flags stand in a dynamic block that the scanner does not read; tests/integration/terraform reads them from the plan
  #checkov:skip=CKV_GCP_110:the flags stand in a dynamic block that the scanner does not read; tests/integration/terraform reads them from the plan
  #checkov:skip=CKV_GCP_111:the flags stand in a dynamic block that the scanner does not read; tests/integration/terraform reads them from the plan
  #checkov:skip=CKV_GCP_51:the flags stand in a dynamic block that the scanner does not read; tests/integration/terraform reads them from the plan
  #checkov:skip=CKV_GCP_52:the flags stand in a dynamic block that the scanner does not read; tests/integration/terraform reads them from the plan
  #checkov:skip=CKV_GCP_53:the flags stand in a dynamic block that the scanner does not read; tests/integration/terraform reads them from the plan
  #checkov:skip=CKV_GCP_54:the flags stand in a dynamic block that the scanner does not read; tests/integration/terraform reads them from the plan
  #checkov:skip=CKV_GCP_79:the scanner knows PostgreSQL 17 as the newest, infra/suite.yaml wants 18
  #checkov:skip=CKV2_GCP_13:a line of log per statement; query insights has the durations
  count = var.replica == null ? 0 : 1

  project              = var.project_id
  region               = var.replica.region
  name                 = "${var.name}-recovery"
  master_instance_name = google_sql_database_instance.this.name
  database_version     = google_sql_database_instance.this.database_version
  encryption_key_name  = var.replica.kms_key_id
  deletion_protection  = true

  settings {
    tier                        = var.tier
    edition                     = "ENTERPRISE"
    availability_type           = "ZONAL"
    deletion_protection_enabled = true
    disk_type                   = "PD_SSD"
    disk_autoresize             = true
    connector_enforcement       = "REQUIRED"

    ip_configuration {
      ipv4_enabled       = false
      private_network    = var.network_id
      allocated_ip_range = var.private_services_range_name
      ssl_mode           = "TRUSTED_CLIENT_CERTIFICATE_REQUIRED"
    }

    dynamic "database_flags" {
      for_each = local.flags

      content {
        name  = database_flags.key
        value = database_flags.value
      }
    }
  }

  lifecycle {
    prevent_destroy = true
  }
}
