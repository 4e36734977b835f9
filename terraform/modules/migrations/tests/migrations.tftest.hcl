variables {
  name            = "driftwise"
  project_id      = "driftwise-test"
  region          = "europe-west4"
  image           = "europe-west4-docker.pkg.dev/driftwise-test/driftwise/migrations@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
  kms_key_id      = "projects/p/locations/europe-west4/keyRings/r/cryptoKeys/run"
  deployer_member = "serviceAccount:driftwise-deployer@driftwise-test.iam.gserviceaccount.com"
  service_account = "driftwise-migrations@driftwise-test.iam.gserviceaccount.com"
  database        = { connection_name = "p:r:i", name = "driftwise", user = "driftwise-migrations@driftwise-test.iam" }
  logins          = { keys_login = "driftwise-keys@driftwise-test.iam" }
  network         = { network_id = "n", subnet_id = "s" }
}

run "the_job_knows_who_logs_in_as_whom" {
  command = plan

  assert {
    condition     = google_cloud_run_v2_job.this.template[0].template[0].containers[0].args == tolist(["python", "-m", "infra.deploy.migrations", "keys_login=driftwise-keys@driftwise-test.iam"])
    error_message = "the job lets nobody in"
  }

  assert {
    condition     = google_cloud_run_v2_job.this.template[0].template[0].max_retries == 0
    error_message = "a failed migration is tried again by itself"
  }
}

run "a_tag_is_no_name_for_an_image" {
  command = plan

  variables {
    image = "europe-west4-docker.pkg.dev/driftwise-test/driftwise/migrations:latest"
  }

  expect_failures = [var.image]
}
