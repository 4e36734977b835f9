variables {
  name       = "driftwise"
  project_id = "driftwise-test"
  region     = "europe-west4"
}

run "everything_is_denied_that_no_rule_allows" {
  command = plan

  assert {
    condition     = google_compute_firewall.deny_egress.priority > google_compute_firewall.allow_egress["google"].priority
    error_message = "the denial stands before what is allowed"
  }

  assert {
    condition     = toset([for rule in google_compute_firewall.allow_egress : rule.name if contains(rule.destination_ranges, "0.0.0.0/0") && length(coalesce(rule.target_tags, [])) == 0]) == toset([])
    error_message = "everybody may call the internet"
  }
}

run "the_edge_is_reached_by_its_address" {
  command = plan

  variables {
    edge_addresses = ["203.0.113.7"]
  }

  assert {
    condition     = tolist(google_compute_firewall.allow_egress["edge"].destination_ranges) == tolist(["203.0.113.7/32"])
    error_message = "the rule names another address"
  }
}

run "what_is_wrong_is_refused" {
  command = plan

  variables {
    subnet_range  = "10.32.0.0/28"
    nat_addresses = 0
  }

  expect_failures = [var.subnet_range, var.nat_addresses]
}
