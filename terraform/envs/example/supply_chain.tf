# Where images live, and which may run.

module "supply_chain" {
  source = "../../modules/supply_chain"

  project_id           = module.project.project_id
  region               = var.region
  name                 = local.name
  artifacts_kms_key_id = module.kms.cmek_key_ids.artifacts
  builder_member       = module.identity.jobs.builder.member
  deployer_member      = module.identity.jobs.deployer.member
  kms_key_ring_id      = module.kms.key_ring_id
  labels               = var.labels
  reader_members       = { run = module.project.service_agents.run }
}
