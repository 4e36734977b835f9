output "functions" {
  description = "Function to its account."
  value = {
    for name, account in google_service_account.functions : name => {
      email  = account.email
      member = account.member
      name   = account.name
    }
  }
}

output "jobs" {
  description = "builder, deployer, events and migrations: their accounts."
  value = {
    for name, account in google_service_account.jobs : name => {
      email  = account.email
      member = account.member
      name   = account.name
    }
  }
}
