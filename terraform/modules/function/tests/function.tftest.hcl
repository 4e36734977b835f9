variables {
  name            = "driftwise"
  project_id      = "driftwise-test"
  project_number  = "123456789012"
  region          = "europe-west4"
  image           = "europe-west4-docker.pkg.dev/driftwise-test/driftwise/scan@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
  kms_key_id      = "projects/p/locations/europe-west4/keyRings/r/cryptoKeys/run"
  service_account = "driftwise-scan@driftwise-test.iam.gserviceaccount.com"
  deployer_member = "serviceAccount:driftwise-deployer@driftwise-test.iam.gserviceaccount.com"
  events_caller   = "driftwise-events@driftwise-test.iam.gserviceaccount.com"
  network         = { network_id = "n", subnet_id = "s" }
  environment     = { DW_ENV = "production" }
  entry_points = {
    scan        = { service = "scan", trigger = "http", memory_mib = 512, cpu = 1, concurrency = 20, timeout_seconds = 60, max_instances = 3, pool_connections = 4 }
    scan_worker = { service = "scan-worker", trigger = "events", memory_mib = 512, cpu = 1, concurrency = 4, timeout_seconds = 540, max_instances = 3, pool_connections = 4 }
  }
}

run "nobody_goes_around_the_load_balancer_and_the_queue" {
  command = plan

  assert {
    condition     = google_cloud_run_v2_service.this["scan"].ingress == "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER"
    error_message = "the service answers on the internet"
  }

  assert {
    condition     = google_cloud_run_v2_service.this["scan_worker"].ingress == "INGRESS_TRAFFIC_INTERNAL_ONLY" && google_cloud_run_v2_service.this["scan_worker"].invoker_iam_disabled == false
    error_message = "the worker answers to more than the queue"
  }

  assert {
    condition     = [for grant in google_cloud_run_v2_service_iam_member.events : grant.member] == ["serviceAccount:driftwise-events@driftwise-test.iam.gserviceaccount.com"]
    error_message = "somebody else may call the worker"
  }
}

run "a_first_deployment_serves_everybody" {
  command = plan

  variables {
    canary_percent = 5
  }

  assert {
    condition     = [for part in google_cloud_run_v2_service.this["scan"].traffic : part.percent] == [100]
    error_message = "calls go nowhere"
  }
}

run "a_canary_gets_its_share" {
  command = plan

  variables {
    canary_percent   = 5
    stable_revisions = { driftwise-scan = "driftwise-scan-old" }
  }

  assert {
    condition     = { for part in google_cloud_run_v2_service.this["scan"].traffic : part.revision => part.percent }["driftwise-scan-old"] == 95
    error_message = "the revision that serves now does not get the rest"
  }
}

run "a_canary_that_is_through_serves_everybody" {
  command = plan

  variables {
    canary_percent   = 100
    stable_revisions = { driftwise-scan = "driftwise-scan-old" }
  }

  assert {
    condition     = [for part in google_cloud_run_v2_service.this["scan"].traffic : part.percent] == [100]
    error_message = "the old revision still serves"
  }
}

run "what_is_wrong_is_refused" {
  command = plan

  variables {
    image          = "europe-west4-docker.pkg.dev/driftwise-test/driftwise/scan:latest"
    environment    = { PYTHONPATH = "/tmp" }
    canary_percent = 101
  }

  expect_failures = [var.image, var.environment, var.canary_percent]
}
