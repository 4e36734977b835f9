variables {
  access_policy    = "123456"
  name             = "driftwise"
  operator_members = ["user:operator@example.com"]
  project_number   = "123456789012"
}

run "first_it_only_watches" {
  command = plan

  assert {
    condition     = length(google_access_context_manager_service_perimeter.this.status) == 0 && length(google_access_context_manager_service_perimeter.this.spec) == 1
    error_message = "it is enforced although nobody has seen what it would break"
  }
}

run "then_it_is_enforced" {
  command = plan

  variables {
    dry_run = false
  }

  assert {
    condition     = contains(google_access_context_manager_service_perimeter.this.status[0].restricted_services, "cloudkms.googleapis.com")
    error_message = "keys can be used from outside"
  }
}

run "somebody_must_be_able_to_take_it_away" {
  command = plan

  variables {
    operator_members = []
  }

  expect_failures = [var.operator_members]
}
