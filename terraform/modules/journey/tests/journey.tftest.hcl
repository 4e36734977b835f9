variables {
  name            = "driftwise"
  project_id      = "driftwise-test"
  region          = "europe-west4"
  domain          = "driftwise.example.com"
  image           = "europe-west4-docker.pkg.dev/driftwise-test/driftwise/journey@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
  kms_key_id      = "projects/p/locations/europe-west4/keyRings/r/cryptoKeys/run"
  deployer_member = "serviceAccount:driftwise-deployer@driftwise-test.iam.gserviceaccount.com"
  secret_id       = "journey-api-key"
  network         = { network_id = "n", subnet_id = "s" }
  service_account = { email = "driftwise-journey@driftwise-test.iam.gserviceaccount.com", member = "serviceAccount:driftwise-journey@driftwise-test.iam.gserviceaccount.com" }
  starter         = { email = "driftwise-events@driftwise-test.iam.gserviceaccount.com", member = "serviceAccount:driftwise-events@driftwise-test.iam.gserviceaccount.com" }
}

run "it_goes_through_the_edge_with_one_key" {
  command = plan

  assert {
    condition     = google_cloud_run_v2_job.this.template[0].template[0].containers[0].args == tolist(["python", "-m", "infra.journey", "--url=https://driftwise.example.com", "--within-seconds=270"])
    error_message = "the journey goes elsewhere"
  }

  assert {
    condition     = alltrue([for interface in google_cloud_run_v2_job.this.template[0].template[0].vpc_access[0].network_interfaces : length(coalesce(interface.tags, [])) == 0])
    error_message = "the journey may call the internet"
  }

  assert {
    condition     = google_cloud_scheduler_job.start.schedule == "*/10 * * * *" && google_cloud_scheduler_job.start.http_target[0].oauth_token[0].service_account_email == var.starter.email
    error_message = "nobody starts it"
  }
}

run "wrong_values_are_refused" {
  command = plan

  variables {
    every_minutes   = 7
    image           = "europe-west4-docker.pkg.dev/driftwise-test/driftwise/journey:latest"
    timeout_seconds = 600
  }

  expect_failures = [var.every_minutes, var.image, var.timeout_seconds]
}
