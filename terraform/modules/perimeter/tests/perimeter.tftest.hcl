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
    automation_members = ["serviceAccount:driftwise-platform@driftwise-test.iam.gserviceaccount.com"]
    dry_run            = false
    operator_ranges    = ["203.0.113.0/24"]
  }

  assert {
    condition = alltrue([
      for service in ["binaryauthorization", "cloudkms", "iam", "run", "secretmanager", "sqladmin", "storage"] :
      contains(google_access_context_manager_service_perimeter.this.status[0].restricted_services, "${service}.googleapis.com")
    ])
    error_message = "keys can be used, or what runs can be changed, from outside"
  }

  assert {
    condition = (
      google_access_context_manager_access_level.operators.basic[0].combining_function == "OR"
      && google_access_context_manager_access_level.operators.basic[0].conditions[0].ip_subnetworks == tolist(["203.0.113.0/24"])
      && google_access_context_manager_access_level.operators.basic[0].conditions[0].members == tolist(["user:operator@example.com"])
      && google_access_context_manager_access_level.operators.basic[0].conditions[1].members == tolist(["serviceAccount:driftwise-platform@driftwise-test.iam.gserviceaccount.com"])
    )
    error_message = "operators are not bound to their networks, or CI is shut out"
  }
}

run "it_is_not_enforced_without_networks" {
  command = plan

  variables {
    dry_run = false
  }

  expect_failures = [var.operator_ranges]
}

run "everywhere_is_no_network" {
  command = plan

  variables {
    operator_ranges = ["0.0.0.0/0"]
  }

  expect_failures = [var.operator_ranges]
}

run "no_person_works_from_anywhere" {
  command = plan

  variables {
    automation_members = ["user:operator@example.com"]
  }

  expect_failures = [var.automation_members]
}

run "somebody_must_be_able_to_take_it_away" {
  command = plan

  variables {
    operator_members = []
  }

  expect_failures = [var.operator_members]
}
