# Keys. Two rings: what functions sign and wrap with, and what Google's services encrypt their storage under.

locals {
  day_seconds = 86400

  # What a use needs, and no more. Signing functions publish their public keys themselves, so they list versions.
  roles = {
    asymmetric_sign = ["roles/cloudkms.publicKeyViewer", "roles/cloudkms.signer", "roles/cloudkms.viewer"]
    encrypt_decrypt = ["roles/cloudkms.cryptoKeyEncrypterDecrypter"]
  }

  grants = merge(flatten([
    for function, user in var.users : [
      for key in user.kms_keys : [
        for role in local.roles[var.keys[key].purpose] : { "${key} ${function} ${role}" = { key = key, member = user.member, role = role } }
      ]
    ]
  ])...)
}

resource "google_kms_key_ring" "functions" {
  count = length(var.keys) > 0 ? 1 : 0

  project  = var.project_id
  location = var.region
  name     = var.name
}

resource "google_kms_crypto_key" "functions" {
  #checkov:skip=CKV_GCP_43:keys that sign cannot rotate by themselves, and are rotated by infra/runbooks/token-signing-key.md and export-signing-key.md; keys that wrap rotate as the suite says
  for_each = var.keys

  key_ring                   = google_kms_key_ring.functions[0].id
  name                       = each.key
  purpose                    = upper(each.value.purpose)
  rotation_period            = each.value.rotation_days == null ? null : "${each.value.rotation_days * local.day_seconds}s"
  destroy_scheduled_duration = "${var.destroy_scheduled_days * local.day_seconds}s"

  version_template {
    algorithm        = each.value.algorithm == null ? "GOOGLE_SYMMETRIC_ENCRYPTION" : upper(each.value.algorithm)
    protection_level = var.protection_level
  }

  lifecycle {
    prevent_destroy = true # what was sealed under a key is lost with it
  }
}

resource "google_kms_crypto_key_iam_member" "functions" {
  for_each = local.grants

  crypto_key_id = google_kms_crypto_key.functions[each.value.key].id
  role          = each.value.role
  member        = each.value.member
}

resource "google_kms_key_ring" "services" {
  project  = var.project_id
  location = var.region
  name     = "${var.name}-cmek"
}

resource "google_kms_crypto_key" "services" {
  #checkov:skip=CKV_GCP_43:the period is a variable of at most 90 days; tests/integration/terraform reads it from the plan
  for_each = var.cmek

  key_ring                   = google_kms_key_ring.services.id
  name                       = each.key
  purpose                    = "ENCRYPT_DECRYPT"
  rotation_period            = "${var.rotation_days * local.day_seconds}s"
  destroy_scheduled_duration = "${var.destroy_scheduled_days * local.day_seconds}s"

  version_template {
    algorithm        = "GOOGLE_SYMMETRIC_ENCRYPTION"
    protection_level = var.protection_level
  }

  lifecycle {
    prevent_destroy = true # what was stored under a key is lost with it
  }
}

resource "google_kms_crypto_key_iam_member" "services" {
  for_each = var.cmek

  crypto_key_id = google_kms_crypto_key.services[each.key].id
  role          = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
  member        = each.value
}
