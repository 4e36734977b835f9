"""One module per fixture group: what can be changed behind Terraform's back, and which drift each change is."""
