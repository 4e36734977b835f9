variables {
  project_id = "driftwise-test"
  region     = "europe-west4"
  kms_key_id = "projects/p/locations/europe-west4/keyRings/r/cryptoKeys/storage"
  buckets    = { audit-anchors = { retention_days = 400 } }
  writers    = { audit-anchors = { auth = "serviceAccount:auth@example.test" } }
}

run "what_is_written_stays" {
  command = plan

  assert {
    condition = alltrue([
      for bucket in google_storage_bucket.kept : bucket.retention_policy[0].is_locked && bucket.public_access_prevention == "enforced" && bucket.uniform_bucket_level_access
    ])
    error_message = "a bucket can be emptied or opened"
  }

  assert {
    condition     = google_storage_bucket.kept["audit-anchors"].retention_policy[0].retention_period == 34560000
    error_message = "the suite says 400 days"
  }

  assert {
    condition     = toset([for grant in google_storage_bucket_iam_member.writers : grant.role]) == toset(["roles/storage.objectCreator", "roles/storage.objectViewer"])
    error_message = "a writer may do more than add and read"
  }
}

run "a_writer_of_nothing_is_a_mistake" {
  command = plan

  variables {
    writers = { other = { auth = "serviceAccount:auth@example.test" } }
  }

  expect_failures = [var.writers]
}
