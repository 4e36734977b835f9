# What must be there before anything else: a place for the state of Terraform, and an identity for CI that has no key.

locals {
  interfaces = toset(["cloudkms", "cloudresourcemanager", "iam", "iamcredentials", "serviceusage", "storage", "sts"])
}

data "google_project" "this" {
  project_id = var.project_id
}

resource "google_project_service" "this" {
  for_each = local.interfaces

  project            = var.project_id
  service            = "${each.key}.googleapis.com"
  disable_on_destroy = false
}

data "google_storage_project_service_account" "this" {
  project = google_project_service.this["storage"].project
}

resource "google_kms_key_ring" "state" {
  project  = google_project_service.this["cloudkms"].project
  location = var.region
  name     = "${var.name}-state"
}

resource "google_kms_crypto_key" "state" {
  key_ring                   = google_kms_key_ring.state.id
  name                       = "state"
  rotation_period            = "7776000s"
  destroy_scheduled_duration = "2592000s"

  lifecycle {
    prevent_destroy = true
  }
}

resource "google_kms_crypto_key_iam_member" "storage" {
  crypto_key_id = google_kms_crypto_key.state.id
  role          = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
  member        = data.google_storage_project_service_account.this.member
}

resource "google_storage_bucket" "state" {
  #checkov:skip=CKV_GCP_62:who reads the state is in the audit log, which terraform/modules/observability switches on for Cloud Storage
  project                     = var.project_id
  name                        = "${var.project_id}-terraform-state"
  location                    = var.region
  storage_class               = "STANDARD"
  public_access_prevention    = "enforced"
  uniform_bucket_level_access = true
  force_destroy               = false

  encryption {
    default_kms_key_name = google_kms_crypto_key_iam_member.storage.crypto_key_id
  }

  versioning {
    enabled = true
  }

  lifecycle_rule {
    action {
      type = "Delete"
    }

    condition {
      days_since_noncurrent_time = 90
      num_newer_versions         = 20
      with_state                 = "ARCHIVED"
    }
  }

  lifecycle {
    prevent_destroy = true
  }
}
