variables {
  name                        = "driftwise"
  project_id                  = "driftwise-test"
  region                      = "europe-west4"
  kms_key_id                  = "projects/p/locations/europe-west4/keyRings/r/cryptoKeys/redis"
  secret_kms_key_id           = "projects/p/locations/europe-west4/keyRings/r/cryptoKeys/secrets"
  network_id                  = "projects/p/global/networks/driftwise"
  private_services_range_name = "driftwise-private-services"
  readers                     = { keys = "serviceAccount:keys@example.test" }
}

run "nobody_gets_in_without_tls_and_password" {
  command = plan

  assert {
    condition     = google_redis_instance.this.auth_enabled && google_redis_instance.this.transit_encryption_mode == "SERVER_AUTHENTICATION"
    error_message = "the server takes callers without a password or without TLS"
  }

  assert {
    condition     = google_redis_instance.this.customer_managed_key == var.kms_key_id && google_redis_instance.this.tier == "BASIC"
    error_message = "another key, or a larger footprint than asked for"
  }
}

run "a_second_zone_where_it_was_asked_for" {
  command = plan

  variables {
    high_availability = true
  }

  assert {
    condition     = google_redis_instance.this.tier == "STANDARD_HA"
    error_message = "one zone only"
  }
}

run "no_memory_is_too_little" {
  command = plan

  variables {
    memory_gib = 0
  }

  expect_failures = [var.memory_gib]
}
