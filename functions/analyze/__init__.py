"""Plan analysis: judges Terraform plans before they are applied."""
