# The one public way in.

module "edge" {
  source = "../../modules/edge"

  project_id         = module.project.project_id
  region             = var.region
  name               = local.name
  additional_domains = var.additional_domains
  bot_management     = var.bot_management
  denied_networks    = var.denied_networks
  dns_zone           = var.dns_zone
  domain             = var.domain
  labels             = var.labels
  paths              = module.suite.paths
  rate_limits        = var.rate_limits
  services           = local.http_services
  waf                = { preview = var.waf_preview }
}
