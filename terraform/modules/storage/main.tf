# Buckets whose objects are written once and stay: heads of audit chains, bills of materials.

locals {
  day_seconds = 86400

  buckets = merge(var.buckets, { sboms = { retention_days = var.sbom_retention_days } })

  writes = merge([
    for bucket, members in var.writers : merge([
      for name, member in members : {
        for role in ["roles/storage.objectCreator", "roles/storage.objectViewer"] : "${bucket} ${name} ${role}" => { bucket = bucket, member = member, role = role }
      }
    ]...)
  ]...)
}

resource "google_storage_bucket" "kept" {
  #checkov:skip=CKV_GCP_78:Cloud Storage refuses versioning beside a retention policy, under which no object can be replaced or deleted at all
  for_each = local.buckets

  project                     = var.project_id
  name                        = "${var.project_id}-${each.key}"
  location                    = var.region
  storage_class               = "STANDARD"
  public_access_prevention    = "enforced"
  uniform_bucket_level_access = true
  force_destroy               = false

  encryption {
    default_kms_key_name = var.kms_key_id
  }

  retention_policy {
    is_locked        = var.lock_retention
    retention_period = each.value.retention_days * local.day_seconds
  }

  logging {
    log_bucket        = google_storage_bucket.access_logs.name
    log_object_prefix = each.key
  }

  lifecycle {
    prevent_destroy = true
  }
}

resource "google_storage_bucket" "access_logs" {
  #checkov:skip=CKV_GCP_63:it does not log to itself; it does not log at all
  #checkov:skip=CKV_GCP_62:this is the bucket that records who used the others; one that recorded itself would never rest
  project                     = var.project_id
  name                        = "${var.project_id}-access-logs"
  location                    = var.region
  storage_class               = "NEARLINE"
  public_access_prevention    = "enforced"
  uniform_bucket_level_access = true
  force_destroy               = false

  encryption {
    default_kms_key_name = var.kms_key_id
  }

  versioning {
    enabled = true
  }

  lifecycle_rule {
    action {
      type = "Delete"
    }

    condition {
      age        = var.log_retention_days
      with_state = "ANY"
    }
  }
}

# Cloud Storage writes the records as this group. Source: https://cloud.google.com/storage/docs/access-logs#delivery
resource "google_storage_bucket_iam_member" "access_logs" {
  bucket = google_storage_bucket.access_logs.name
  role   = "roles/storage.objectCreator"
  member = "group:cloud-storage-analytics@google.com"
}

resource "google_storage_bucket_iam_member" "writers" {
  for_each = local.writes

  bucket = google_storage_bucket.kept[each.value.bucket].name
  role   = each.value.role
  member = each.value.member
}
