variables {
  project_id = "driftwise-test"
}

run "no_organisation_is_needed" {
  command = plan

  assert {
    condition     = length(google_org_policy_policy.enforced) == 0 && length(google_org_policy_policy.members) == 0
    error_message = "policies are set although nobody asked for them"
  }
}

run "policies_forbid_keys_and_public_databases" {
  command = plan

  variables {
    enforce_organization_policies = true
    allowed_customer_ids          = ["C0example"]
  }

  assert {
    condition = alltrue([
      for name in ["compute.requireShieldedVm", "iam.disableServiceAccountKeyCreation", "sql.restrictPublicIp", "storage.publicAccessPrevention"] :
      google_org_policy_policy.enforced[name].spec[0].rules[0].enforce == "TRUE"
    ])
    error_message = "a policy is missing"
  }
}

run "a_customer_id_is_no_domain" {
  command = plan

  variables {
    allowed_customer_ids = ["example.com"]
  }

  expect_failures = [var.allowed_customer_ids]
}
