variables {
  name                        = "driftwise"
  project_id                  = "driftwise-test"
  region                      = "europe-west4"
  backup_location             = "eu"
  database                    = { name = "driftwise", version = 18 }
  demanded_connections        = 100
  max_connections             = 200
  kms_key_id                  = "projects/p/locations/europe-west4/keyRings/r/cryptoKeys/database"
  network_id                  = "projects/p/global/networks/driftwise"
  private_services_range_name = "driftwise-private-services"
  tier                        = "db-custom-2-7680"
  users                       = { keys = "driftwise-keys@driftwise-test.iam.gserviceaccount.com" }
}

run "the_server_has_no_public_address_and_wants_certificates" {
  command = plan

  assert {
    condition     = !google_sql_database_instance.this.settings[0].ip_configuration[0].ipv4_enabled
    error_message = "the server has a public address"
  }

  assert {
    condition     = google_sql_database_instance.this.settings[0].ip_configuration[0].ssl_mode == "TRUSTED_CLIENT_CERTIFICATE_REQUIRED"
    error_message = "the server takes connections without a client's certificate"
  }

  assert {
    condition     = google_sql_user.this["keys"].type == "CLOUD_IAM_SERVICE_ACCOUNT" && google_sql_user.this["keys"].name == "driftwise-keys@driftwise-test.iam"
    error_message = "the function logs in by something else than its identity"
  }

  assert {
    condition = alltrue([
      google_sql_database_instance.this.settings[0].backup_configuration[0].point_in_time_recovery_enabled,
      google_sql_database_instance.this.settings[0].backup_configuration[0].location == "eu",
      google_sql_database_instance.this.deletion_protection,
      google_sql_database_instance.this.settings[0].deletion_protection_enabled,
      google_sql_database_instance.this.settings[0].availability_type == "ZONAL",
      length(google_sql_database_instance.replica) == 0,
    ])
    error_message = "recovery is not as it says"
  }
}

run "a_copy_in_another_region" {
  command = plan

  variables {
    high_availability = true
    replica           = { region = "europe-west1", kms_key_id = "projects/p/locations/europe-west1/keyRings/r/cryptoKeys/database" }
  }

  assert {
    condition     = google_sql_database_instance.replica[0].region == "europe-west1" && google_sql_database_instance.this.settings[0].availability_type == "REGIONAL"
    error_message = "there is no copy"
  }
}

run "the_functions_cannot_ask_for_more_connections_than_there_are" {
  command = plan

  variables {
    demanded_connections = 181
  }

  expect_failures = [google_sql_database_instance.this]
}

run "what_is_wrong_is_refused" {
  command = plan

  variables {
    backup_location = "europe-west4"
    replica         = { region = "europe-west4", kms_key_id = "k" }
    tier            = "db-f1-micro"
  }

  expect_failures = [var.backup_location, var.replica, var.tier]
}
