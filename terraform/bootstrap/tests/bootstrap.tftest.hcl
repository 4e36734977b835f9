variables {
  project_id = "driftwise-test"
  region     = "europe-west4"
}

run "the_state_is_kept_and_closed" {
  command = plan

  assert {
    condition     = google_storage_bucket.state.versioning[0].enabled && google_storage_bucket.state.public_access_prevention == "enforced"
    error_message = "a state can be lost, or read by anybody"
  }

  assert {
    condition     = length(google_service_account_iam_member.platform) == 0
    error_message = "somebody may act as CI although no CI was named"
  }
}

run "jobs_are_let_in_by_number_and_by_environment" {
  command = plan

  variables {
    github = { owner_id = "11", repository_id = "22" }
    gitlab = { namespace_id = "33", project_id = "44" }
  }

  assert {
    condition     = google_iam_workload_identity_pool_provider.github[0].attribute_condition == "assertion.repository_owner_id == '11' && assertion.repository_id == '22'"
    error_message = "another repository gets in"
  }

  assert {
    condition     = alltrue([for set in output.principal_sets.builder : endswith(set, ":push:refs/heads/main") || endswith(set, "44:true:main")])
    error_message = "images are built from something else than pushes to the protected branch"
  }

  assert {
    condition     = alltrue([for grant in google_service_account_iam_member.platform : endswith(grant.member, ":platform")])
    error_message = "a job without the platform's environment applies the platform"
  }
}

run "what_is_wrong_is_refused" {
  command = plan

  variables {
    github = { owner_id = "someone", repository_id = "22" }
    gitlab = { namespace_id = "33", project_id = "group/project" }
  }

  expect_failures = [var.github, var.gitlab]
}
