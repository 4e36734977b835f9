variables {
  name                 = "driftwise"
  project_id           = "driftwise-test"
  secrets              = { api-key-pepper = { generated_bytes = 32 } }
  readers              = { api-key-pepper = { keys = "serviceAccount:keys@example.test" } }
  replicas             = { europe-west4 = "projects/p/locations/europe-west4/keyRings/r/cryptoKeys/secrets" }
  secret_manager_agent = "serviceAccount:agent@example.test"
  topic_kms_key_id     = "projects/p/locations/europe-west4/keyRings/r/cryptoKeys/pubsub"
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

run "what_is_wrong_is_refused" {
  command = plan

  variables {
    readers  = { other = { keys = "serviceAccount:keys@example.test" } }
    replicas = {}
  }

  expect_failures = [var.readers, var.replicas]
}
