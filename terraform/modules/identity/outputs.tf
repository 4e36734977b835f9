output "functions" {
  description = "Function to its account; `id` is the number that customers' clouds know it by."
  value = {
    for name, account in google_service_account.functions : name => {
      email  = account.email
      member = account.member
      name   = account.name
      id     = account.unique_id
    }
  }
}

output "jobs" {
  description = "builder, deployer, events, journey and migrations: their accounts."
  value = {
    for name, account in google_service_account.jobs : name => {
      email  = account.email
      member = account.member
      name   = account.name
    }
  }
}
