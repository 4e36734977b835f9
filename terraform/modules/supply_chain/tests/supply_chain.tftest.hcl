variables {
  project_id           = "driftwise-test"
  region               = "europe-west1"
  kms_key_ring_id      = "projects/driftwise-test/locations/europe-west1/keyRings/driftwise"
  artifacts_kms_key_id = "projects/driftwise-test/locations/europe-west1/keyRings/driftwise/cryptoKeys/artifacts"
  builder_member       = "serviceAccount:driftwise-builder@driftwise-test.iam.gserviceaccount.com"
  deployer_member      = "serviceAccount:driftwise-deployer@driftwise-test.iam.gserviceaccount.com"
  reader_members       = { run = "serviceAccount:service-1234@serverless-robot-prod.iam.gserviceaccount.com" }
}

# A plan only: the signing key refuses to be destroyed, also after a test.
run "what_may_run" {
  command = plan

  assert {
    condition     = google_artifact_registry_repository.images.kms_key_name == var.artifacts_kms_key_id && google_artifact_registry_repository.images.docker_config[0].immutable_tags
    error_message = "Images are under our own key, and a tag never moves."
  }

  assert {
    condition     = google_artifact_registry_repository.images.vulnerability_scanning_config[0].enablement_config == "INHERITED"
    error_message = "Images are scanned."
  }

  assert {
    condition     = toset([for policy in google_artifact_registry_repository.images.cleanup_policies : policy.action]) == toset(["DELETE", "KEEP"]) && !google_artifact_registry_repository.images.cleanup_policy_dry_run
    error_message = "Old untagged images go, recent ones stay."
  }

  assert {
    condition     = output.repository_url == "europe-west1-docker.pkg.dev/driftwise-test/driftwise"
    error_message = "The address is the one that docker pushes to."
  }

  assert {
    condition = (
      google_binary_authorization_policy.project.default_admission_rule[0].evaluation_mode == "REQUIRE_ATTESTATION"
      && google_binary_authorization_policy.project.default_admission_rule[0].enforcement_mode == "ENFORCED_BLOCK_AND_AUDIT_LOG"
      && google_binary_authorization_policy.project.default_admission_rule[0].require_attestations_by == toset(["driftwise-ci"])
      && length(google_binary_authorization_policy.project.admission_whitelist_patterns) == 0
    )
    error_message = "Only what CI signed may run, without exemptions."
  }

  assert {
    condition     = google_kms_crypto_key.attestor.purpose == "ASYMMETRIC_SIGN" && google_kms_crypto_key.attestor.version_template[0].algorithm == "EC_SIGN_P256_SHA256"
    error_message = "Images are signed by a key in KMS."
  }

  assert {
    condition = (
      google_artifact_registry_repository_iam_member.builder.member == var.builder_member
      && google_kms_crypto_key_iam_member.signer.member == var.builder_member
      && google_container_analysis_note_iam_member.attacher.member == var.builder_member
      && google_project_iam_member.occurrences.member == var.builder_member
      && google_project_iam_member.scans.member == var.builder_member
    )
    error_message = "The builder pushes, scans and signs."
  }

  assert {
    condition     = { for name, grant in google_artifact_registry_repository_iam_member.reader : name => grant.role } == { deployer = "roles/artifactregistry.reader", run = "roles/artifactregistry.reader" }
    error_message = "Everybody else only pulls."
  }
}

run "wrong_values_are_refused" {
  command = plan

  variables {
    deployer_member        = "serviceAccount:driftwise-builder@driftwise-test.iam.gserviceaccount.com"
    kept_versions          = 1
    key_protection_level   = "PAPER"
    reader_members         = { everybody = "allUsers" }
    trusted_image_patterns = ["gcr.io/*"]
    untagged_days          = 0
  }

  expect_failures = [
    var.deployer_member, var.kept_versions, var.key_protection_level, var.reader_members, var.trusted_image_patterns, var.untagged_days,
  ]
}
