# The whole suite in one project: what it is made of, and who may use what.

module "suite" {
  source = "../../modules/suite"
}

module "project" {
  source = "../../modules/project"

  project_id                    = var.project_id
  enforce_organization_policies = var.enforce_organization_policies
  allowed_customer_ids          = var.allowed_customer_ids
}

module "perimeter" {
  source = "../../modules/perimeter"
  count  = var.perimeter == null ? 0 : 1

  access_policy      = var.perimeter.access_policy
  automation_members = var.perimeter.automation_members
  dry_run            = var.perimeter.dry_run
  name               = local.name
  operator_members   = var.perimeter.operator_members
  operator_ranges    = var.perimeter.operator_ranges
  project_number     = module.project.number
}

module "network" {
  source = "../../modules/network"

  project_id     = module.project.project_id
  region         = var.region
  name           = local.name
  edge_addresses = [module.edge.ip_address]
  internet_ports = var.mail == null ? [443] : [443, var.mail.port]
}

module "identity" {
  source = "../../modules/identity"

  project_id = module.project.project_id
  name       = local.name
  functions  = keys(module.suite.functions)
  ci         = var.ci
}

module "kms" {
  source = "../../modules/kms"

  project_id = module.project.project_id
  region     = var.region
  name       = local.name
  keys       = module.suite.kms_keys
  users = {
    for name, found in module.suite.functions : name => { member = module.identity.functions[name].member, kms_keys = found.kms_keys }
  }
  cmek = {
    artifacts = module.project.service_agents.artifactregistry
    database  = module.project.service_agents.sqladmin
    logging   = module.project.service_agents.logging
    pubsub    = module.project.service_agents.pubsub
    redis     = module.project.service_agents.redis
    run       = module.project.service_agents.run
    secrets   = module.project.service_agents.secretmanager
    storage   = module.project.service_agents.storage
  }
}

# Keys of the second region: what is copied there must open without the first.
module "kms_recovery" {
  source = "../../modules/kms"

  project_id = module.project.project_id
  region     = var.recovery_region
  name       = local.name
  cmek = {
    database = module.project.service_agents.sqladmin
    secrets  = module.project.service_agents.secretmanager
  }
}

module "secrets" {
  source = "../../modules/secrets"

  project_id        = module.project.project_id
  secrets           = module.suite.secrets
  rotation_topic_id = module.events.topic_ids["secret-rotations"]
  readers = {
    for secret in keys(module.suite.secrets) : secret => {
      for name, found in module.suite.functions : name => module.identity.functions[name].member if contains(found.secrets, secret)
    }
  }
  rotators = {
    for secret in keys(module.suite.secrets) : secret => {
      for name, found in module.suite.functions : name => module.identity.functions[name].member if contains(found.rotates, secret)
    }
  }
  replicas = {
    (var.region)          = module.kms.cmek_key_ids.secrets
    (var.recovery_region) = module.kms_recovery.cmek_key_ids.secrets
  }
}

module "storage" {
  source = "../../modules/storage"

  project_id     = module.project.project_id
  region         = var.region
  buckets        = module.suite.buckets
  kms_key_id     = module.kms.cmek_key_ids.storage
  lock_retention = var.lock_retention
  writers = merge(
    {
      for bucket in keys(module.suite.buckets) : bucket => {
        for name, found in module.suite.functions : name => module.identity.functions[name].member if contains(found.buckets, bucket)
      }
    },
    { sboms = { builder = module.identity.jobs.builder.member } },
  )
}

module "cache" {
  source = "../../modules/cache"

  project_id                  = module.project.project_id
  region                      = var.region
  name                        = local.name
  high_availability           = var.high_availability
  memory_gib                  = local.size.redis_gib
  kms_key_id                  = module.kms.cmek_key_ids.redis
  secret_kms_key_id           = module.kms.cmek_key_ids.secrets
  network_id                  = module.network.private_services_network_id
  private_services_range_name = module.network.private_services_range_name
  readers                     = { for name, account in module.identity.functions : name => account.member }
}

module "database" {
  source = "../../modules/database"

  project_id                  = module.project.project_id
  region                      = var.region
  name                        = coalesce(var.database_instance, local.name)
  backup_location             = var.backup_location
  database                    = module.suite.database
  demanded_connections        = local.demanded_connections
  high_availability           = var.high_availability
  kms_key_id                  = module.kms.cmek_key_ids.database
  max_connections             = local.size.max_connections
  network_id                  = module.network.private_services_network_id
  private_services_range_name = module.network.private_services_range_name
  replica                     = var.recovery_replica ? { region = var.recovery_region, kms_key_id = module.kms_recovery.cmek_key_ids.database } : null
  tier                        = local.size.tier
  users = merge(
    { for name, roles in local.with_database : name => module.identity.functions[name].email },
    { migrations = module.identity.jobs.migrations.email },
  )
}

module "migrations" {
  source = "../../modules/migrations"

  project_id      = module.project.project_id
  region          = var.region
  name            = local.name
  deployer_member = module.identity.jobs.deployer.member
  image           = var.images.migrations
  kms_key_id      = module.kms.cmek_key_ids.run
  logins          = { for name, roles in local.with_database : roles.login => module.database.users[name] }
  network         = { network_id = module.network.network_id, subnet_id = module.network.subnet_id }
  service_account = module.identity.jobs.migrations.email
  database = {
    connection_name = module.database.connection_name
    name            = module.database.database_name
    user            = module.database.users.migrations
  }
}

module "journey" {
  source = "../../modules/journey"
  count  = var.journey == null ? 0 : 1

  project_id      = module.project.project_id
  region          = var.region
  name            = local.name
  deployer_member = module.identity.jobs.deployer.member
  domain          = var.domain
  every_minutes   = var.journey.every_minutes
  image           = var.images.journey
  kms_key_id      = module.kms.cmek_key_ids.run
  network         = { network_id = module.network.network_id, subnet_id = module.network.subnet_id }
  secret_id       = module.secrets.secret_ids["journey-api-key"]
  service_account = module.identity.jobs.journey
  starter         = module.identity.jobs.events
}

module "function" {
  source   = "../../modules/function"
  for_each = module.suite.functions

  project_id         = module.project.project_id
  project_number     = module.project.number
  region             = var.region
  name               = local.name
  canary_percent     = var.canary_percent
  deployer_member    = module.identity.jobs.deployer.member
  entry_points       = { for name, found in local.entry_points : name => found if found.function == each.key }
  environment        = local.environments[each.key]
  events_caller      = module.identity.jobs.events.email
  image              = var.images[each.key]
  kms_key_id         = module.kms.cmek_key_ids.run
  min_instances      = local.size.min_instances
  secret_environment = { DW_REDIS_URL = module.cache.url_secret }
  service_account    = module.identity.functions[each.key].email
  stable_revisions   = var.stable_revisions

  network = {
    network_id = module.network.network_id
    subnet_id  = module.network.subnet_id
    tags       = each.value.internet || length(var.trusted_issuers) > 0 ? [module.network.internet_tag] : []
  }
}

# A warning with every plan: an address that nobody vouches for is not published any more.
check "reports_reach_somebody" {
  assert {
    condition     = try(timecmp(plantimestamp(), "${var.disclosure.until}T00:00:00Z") < 0, true)
    error_message = "Nobody vouches any more for where vulnerabilities are reported: write there, see that it is answered, and set another day in disclosure.until."
  }
}
