run "every_entry_point_belongs_to_a_function" {
  command = plan

  assert {
    condition     = alltrue([for entry_point in output.entry_points : contains(keys(output.functions), entry_point.function)])
    error_message = "an entry point belongs to no function"
  }

  assert {
    condition     = toset(keys(output.http_services)) == toset([for name, paths in output.paths : name if length(paths) > 0])
    error_message = "a function with public paths has no service that serves them"
  }

  assert {
    condition     = alltrue([for entry_point in output.entry_points : can(regex("^[a-z][a-z0-9-]*$", entry_point.service))])
    error_message = "a service's name is none that Cloud Run takes"
  }
}
