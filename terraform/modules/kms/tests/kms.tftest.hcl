variables {
  name       = "driftwise"
  project_id = "driftwise-test"
  region     = "europe-west4"
  cmek       = { database = "serviceAccount:sql@example.test" }
  keys = {
    token-signing = { purpose = "asymmetric_sign", algorithm = "ec_sign_p256_sha256" }
    credentials   = { purpose = "encrypt_decrypt", rotation_days = 90 }
  }
  users = {
    auth = { member = "serviceAccount:auth@example.test", kms_keys = ["token-signing"] }
    scan = { member = "serviceAccount:scan@example.test", kms_keys = ["credentials"] }
  }
}

run "keys_rotate_and_are_hard_to_lose" {
  command = plan

  assert {
    condition     = google_kms_crypto_key.functions["credentials"].rotation_period == "7776000s"
    error_message = "the key does not rotate after 90 days"
  }

  assert {
    condition     = google_kms_crypto_key.functions["token-signing"].rotation_period == null
    error_message = "a signing key cannot rotate by itself"
  }

  assert {
    condition     = google_kms_crypto_key.services["database"].destroy_scheduled_duration == "2592000s"
    error_message = "a key is gone in less than 30 days"
  }

  assert {
    condition = toset([for grant in google_kms_crypto_key_iam_member.functions : "${grant.member} ${grant.role}"]) == toset([
      "serviceAccount:auth@example.test roles/cloudkms.publicKeyViewer",
      "serviceAccount:auth@example.test roles/cloudkms.signer",
      "serviceAccount:auth@example.test roles/cloudkms.viewer",
      "serviceAccount:scan@example.test roles/cloudkms.cryptoKeyEncrypterDecrypter",
    ])
    error_message = "somebody may do something else"
  }
}

run "what_is_wrong_is_refused" {
  command = plan

  variables {
    keys                   = { credentials = { purpose = "encrypt_decrypt" } }
    users                  = {}
    destroy_scheduled_days = 1
  }

  expect_failures = [var.keys, var.destroy_scheduled_days]
}

run "a_key_signs_or_wraps" {
  command = plan

  variables {
    keys  = { credentials = { purpose = "raw", rotation_days = 90 } }
    users = {}
  }

  expect_failures = [var.keys]
}
