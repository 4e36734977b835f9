variables {
  project_id        = "driftwise-test"
  secrets           = { api-key-pepper = { generated_bytes = 32 } }
  readers           = { api-key-pepper = { keys = "serviceAccount:keys@example.test" } }
  replicas          = { europe-west4 = "projects/p/locations/europe-west4/keyRings/r/cryptoKeys/secrets" }
  rotation_topic_id = "projects/driftwise-test/topics/secret-rotations"
  rotators          = { api-key-pepper = { auth = "serviceAccount:auth@example.test" } }
}

run "secrets_are_under_our_key_and_ask_to_be_rotated" {
  command = plan

  assert {
    condition     = google_secret_manager_secret.this["api-key-pepper"].replication[0].user_managed[0].replicas[0].customer_managed_encryption[0].kms_key_name == var.replicas["europe-west4"]
    error_message = "the secret is under another key"
  }

  assert {
    condition     = google_secret_manager_secret.this["api-key-pepper"].rotation[0].rotation_period == "31536000s"
    error_message = "nobody is asked for a new version after a year"
  }

  assert {
    condition     = [for grant in google_secret_manager_secret_iam_member.readers : grant.member] == ["serviceAccount:keys@example.test"]
    error_message = "somebody else may read the secret"
  }
}

run "who_rotates_a_secret_does_not_read_it" {
  command = plan

  assert {
    condition     = [for grant in google_secret_manager_secret_iam_member.rotators : grant.member] == ["serviceAccount:auth@example.test"]
    error_message = "somebody else may add versions"
  }

  assert {
    condition     = google_secret_manager_secret.this["api-key-pepper"].topics[0].name == var.rotation_topic_id
    error_message = "notices go elsewhere"
  }
}

run "what_is_wrong_is_refused" {
  command = plan

  variables {
    readers  = { other = { keys = "serviceAccount:keys@example.test" } }
    rotators = { other = { auth = "serviceAccount:auth@example.test" } }
    replicas = {}
  }

  expect_failures = [var.readers, var.replicas, var.rotators]
}
