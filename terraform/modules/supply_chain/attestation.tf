# Nothing runs that CI did not sign. The builder signs an image's digest after all checks of the pipeline passed; Cloud Run asks Binary
# Authorization before it starts one.

resource "google_kms_crypto_key" "attestor" {
  name                       = "attestor"
  key_ring                   = var.kms_key_ring_id
  purpose                    = "ASYMMETRIC_SIGN"
  destroy_scheduled_duration = "2592000s"
  labels                     = var.labels

  version_template {
    algorithm        = "EC_SIGN_P256_SHA256"
    protection_level = var.key_protection_level
  }

  lifecycle {
    prevent_destroy = true
  }
}

data "google_kms_crypto_key_version" "attestor" {
  crypto_key = google_kms_crypto_key.attestor.id
}

resource "google_container_analysis_note" "built_by_ci" {
  project           = var.project_id
  name              = "${var.name}-built-by-ci"
  short_description = "Built by CI, all checks passed."

  attestation_authority {
    hint {
      human_readable_name = "${var.name}: built by CI, all checks passed"
    }
  }
}

resource "google_binary_authorization_attestor" "ci" {
  project     = var.project_id
  name        = "${var.name}-ci"
  description = "Says that an image was built by CI and passed its checks."

  attestation_authority_note {
    note_reference = google_container_analysis_note.built_by_ci.name

    public_keys {
      id = "//cloudkms.googleapis.com/v1/${data.google_kms_crypto_key_version.attestor.name}"

      pkix_public_key {
        public_key_pem      = data.google_kms_crypto_key_version.attestor.public_key[0].pem
        signature_algorithm = "ECDSA_P256_SHA256"
      }
    }
  }
}

resource "google_binary_authorization_policy" "project" {
  project                       = var.project_id
  description                   = "Images run by their attestation only."
  global_policy_evaluation_mode = "DISABLE"

  default_admission_rule {
    evaluation_mode         = "REQUIRE_ATTESTATION"
    enforcement_mode        = "ENFORCED_BLOCK_AND_AUDIT_LOG"
    require_attestations_by = [google_binary_authorization_attestor.ci.name]
  }

  dynamic "admission_whitelist_patterns" {
    for_each = var.trusted_image_patterns

    content {
      name_pattern = admission_whitelist_patterns.value
    }
  }
}

# To sign, the builder uses the key, attaches to the note and writes the occurrence; to deploy, one reads the attestor.

resource "google_kms_crypto_key_iam_member" "signer" {
  crypto_key_id = google_kms_crypto_key.attestor.id
  role          = "roles/cloudkms.signerVerifier"
  member        = var.builder_member
}

resource "google_container_analysis_note_iam_member" "attacher" {
  project = var.project_id
  note    = google_container_analysis_note.built_by_ci.name
  role    = "roles/containeranalysis.notes.attacher"
  member  = var.builder_member
}

resource "google_project_iam_member" "occurrences" {
  #checkov:skip=CKV_GCP_42:an editor of occurrences alone: an attestation that CI signs is one
  project = var.project_id
  role    = "roles/containeranalysis.occurrences.editor"
  member  = var.builder_member
}

# Before it signs an image, the builder has it scanned and reads what was found (infra/release).
resource "google_project_iam_member" "scans" {
  #checkov:skip=CKV_GCP_42:an administrator of scans of images alone: to ask for one is the role's whole right
  project = var.project_id
  role    = "roles/ondemandscanning.admin"
  member  = var.builder_member
}

resource "google_binary_authorization_attestor_iam_member" "viewer" {
  for_each = { builder = var.builder_member, deployer = var.deployer_member }

  project  = var.project_id
  attestor = google_binary_authorization_attestor.ci.name
  role     = "roles/binaryauthorization.attestorsViewer"
  member   = each.value
}
