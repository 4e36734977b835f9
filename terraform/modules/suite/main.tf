# The one place of Terraform that reads the description of the suite. Everything else takes what it needs of it as a variable.

locals {
  suite = yamldecode(file("${path.module}/../../../infra/suite.yaml"))

  functions = {
    for name, found in local.suite.functions : name => {
      database     = found.database
      kms_keys     = toset(found.kms_keys)
      secrets      = toset(found.secrets)
      rotates      = toset(try(found.rotates, []))
      buckets      = toset(try(found.buckets, []))
      publishes    = toset(found.publishes)
      internet     = try(found.internet, false)
      entry_points = keys(found.entry_points)
    }
  }

  entry_points = merge([
    for name, found in local.suite.functions : {
      for entry_point, limits in found.entry_points : entry_point => merge(limits, {
        function = name
        service  = replace(entry_point, "_", "-")
      })
    }
  ]...)
}
