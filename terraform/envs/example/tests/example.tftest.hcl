# The large footprint, and refusals that several modules make together; the small one is what tests/integration/terraform applies.

variables {
  project_id          = "driftwise-test"
  region              = "europe-west4"
  recovery_region     = "europe-west1"
  backup_location     = "eu"
  domain              = "driftwise.example.com"
  notification_emails = ["operations@example.com"]
  runbook_base_url    = "https://git.example.com/driftwise/infra/runbooks"

  oidc_providers = [
    { id = "workspace", name = "Example", issuer = "https://accounts.google.com", client_id = "example" },
  ]

  images = {
    for name in ["analyze", "auth", "console", "journey", "keys", "migrations", "scan", "scim", "webhook"] :
    name => "europe-west4-docker.pkg.dev/driftwise-test/driftwise/${name}@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
  }
}

run "the_large_footprint_outlives_a_zone_and_a_region" {
  command = plan

  variables {
    high_availability = true
    recovery_replica  = true
    mail              = { host = "mail.example.com", from = "driftwise@example.com" }
    perimeter         = { access_policy = "123456", operator_members = ["user:operator@example.com"] }
  }

  assert {
    condition     = local.demanded_connections == sum([for entry_point in module.suite.entry_points : entry_point.max_instances * (module.suite.functions[entry_point.function].database == null ? 0 : min(entry_point.concurrency, local.size.pool))])
    error_message = "a service may have fewer instances than the suite allows"
  }

  assert {
    condition     = length(module.perimeter) == 1
    error_message = "there is no perimeter"
  }
}

run "what_is_wrong_is_refused" {
  command = plan

  variables {
    recovery_region = "europe-west4"
    images          = { keys = "europe-west4-docker.pkg.dev/driftwise-test/driftwise/keys:latest" }
    oidc_providers  = []
  }

  expect_failures = [var.images, var.oidc_providers, var.recovery_region]
}
