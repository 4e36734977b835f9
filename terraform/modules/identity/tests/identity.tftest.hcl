variables {
  name       = "driftwise"
  project_id = "driftwise-test"
  functions  = ["auth", "scan"]
}

run "every_function_has_an_account_of_its_own" {
  command = plan

  assert {
    condition     = toset([for account in google_service_account.functions : account.account_id]) == toset(["driftwise-auth", "driftwise-scan"])
    error_message = "accounts are missing or shared"
  }

  assert {
    condition     = length(google_service_account_iam_member.builder) == 0 && length(google_service_account_iam_member.deployer) == 0
    error_message = "somebody may act as CI although no CI was named"
  }
}

run "ci_is_named_by_an_attribute" {
  command = plan

  variables {
    ci = {
      deployer = ["principalSet://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/ci/attribute.deploy/production"]
    }
  }

  assert {
    condition     = length(google_service_account_iam_member.deployer) == 1
    error_message = "CI cannot deploy"
  }
}

run "a_whole_pool_is_too_many" {
  command = plan

  variables {
    ci = { builder = ["principalSet://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/ci/*"] }
  }

  expect_failures = [var.ci]
}
