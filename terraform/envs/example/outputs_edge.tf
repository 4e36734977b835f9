output "addresses" {
  description = "Public addresses of the edge: IPV4, IPV6."
  value       = module.edge.addresses
}

output "customer_trust" {
  description = "Number of the account that scans: what customers name as driftwise_google_account_id (terraform/customer)."
  value       = module.identity.functions["scan"].id
}

output "dns_records" {
  description = "Records that the domain needs, unless `dns_zone` is on."
  value       = module.edge.dns_records
}

output "name_servers" {
  description = "Name servers to delegate to, with `dns_zone`."
  value       = module.edge.name_servers
}

output "repository_url" {
  description = "Where CI pushes images."
  value       = module.supply_chain.repository_url
}

output "signing" {
  description = "What CI signs images with: attestor, and version of its key."
  value       = { attestor = module.supply_chain.attestor_name, key_version = module.supply_chain.attestor_key_version }
}
