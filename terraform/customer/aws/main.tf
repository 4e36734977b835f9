# A role that DriftWise may take on, and what it may do with it: read how resources are configured, never what they hold.

data "aws_partition" "current" {}

resource "aws_iam_role" "driftwise" {
  name                 = var.role_name
  description          = "Read by DriftWise for drift detection."
  max_session_duration = var.max_session_seconds
  permissions_boundary = var.permissions_boundary_arn
  assume_role_policy   = data.aws_iam_policy_document.trust.json
  tags                 = var.tags
}

# Google's tokens name who asks (azp, sub) and for whom (aud): DriftWise's account, and your external id. A role behind a hub trusts
# the hub's role alone, by its name: trust in its unique id would end when the hub's role is made anew.
# Source: IAM User Guide, "Available keys for AWS OIDC federation": `aud` is the token's azp here, `oaud` its aud.
data "aws_iam_policy_document" "trust" {
  dynamic "statement" {
    for_each = var.hub_role_arn == null ? [var.driftwise_google_account_id] : []

    content {
      sid     = "DriftWise"
      actions = ["sts:AssumeRoleWithWebIdentity"]

      principals {
        type        = "Federated"
        identifiers = ["accounts.google.com"]
      }

      condition {
        test     = "StringEquals"
        variable = "accounts.google.com:sub"
        values   = [statement.value]
      }

      condition {
        test     = "StringEquals"
        variable = "accounts.google.com:aud"
        values   = [statement.value]
      }

      condition {
        test     = "StringEquals"
        variable = "accounts.google.com:oaud"
        values   = [var.external_id]
      }
    }
  }

  dynamic "statement" {
    for_each = var.hub_role_arn == null ? [] : [var.hub_role_arn]

    content {
      sid     = "DriftWiseThroughHub"
      actions = ["sts:AssumeRole"]

      principals {
        type        = "AWS"
        identifiers = ["arn:${data.aws_partition.current.partition}:iam::${split(":", statement.value)[4]}:root"]
      }

      condition {
        test     = "ArnEquals"
        variable = "aws:PrincipalArn"
        values   = [statement.value]
      }

      condition {
        test     = "StringEquals"
        variable = "sts:ExternalId"
        values   = [var.external_id]
      }
    }
  }
}

# The other side of it: which roles of other accounts a hub's role takes on.
data "aws_iam_policy_document" "hub" {
  count = length(var.spoke_role_arns) > 0 ? 1 : 0

  statement {
    sid       = "TakeOnRoles"
    actions   = ["sts:AssumeRole"]
    resources = var.spoke_role_arns
  }
}

resource "aws_iam_role_policy" "hub" {
  count = length(var.spoke_role_arns) > 0 ? 1 : 0

  name   = "hub"
  role   = aws_iam_role.driftwise.id
  policy = data.aws_iam_policy_document.hub[0].json
}

# Made from what DriftWise's readers call: python -m infra.build.customer_rights. A managed policy takes 6,144 characters.
locals {
  read_policies = jsondecode(file("${path.module}/read_policies.json"))
}

resource "aws_iam_policy" "read" {
  count = var.reads_configuration ? length(local.read_policies) : 0

  name        = count.index == 0 ? "${var.role_name}-configuration" : "${var.role_name}-configuration-${count.index + 1}"
  description = "Reads how resources are configured."
  policy      = jsonencode(local.read_policies[count.index])
  tags        = var.tags
}

resource "aws_iam_role_policy_attachment" "read" {
  count = var.reads_configuration ? length(local.read_policies) : 0

  role       = aws_iam_role.driftwise.name
  policy_arn = aws_iam_policy.read[count.index].arn
}

locals {
  # A family of states is listed by what its names begin with: by bucket, the keys up to their first asterisk.
  state_prefixes = {
    for item in var.state_objects : split("/", item)[0] => "${split("*", trimprefix(item, "${split("/", item)[0]}/"))[0]}*"...
    if strcontains(item, "*")
  }
}

data "aws_iam_policy_document" "states" {
  count = length(var.state_objects) > 0 ? 1 : 0

  statement {
    sid       = "FetchStates"
    actions   = ["s3:GetObject"]
    resources = [for item in var.state_objects : "arn:${data.aws_partition.current.partition}:s3:::${item}"]
  }

  dynamic "statement" {
    for_each = local.state_prefixes

    content {
      actions   = ["s3:ListBucket"]
      resources = ["arn:${data.aws_partition.current.partition}:s3:::${statement.key}"]

      condition {
        test     = "StringLike"
        variable = "s3:prefix"
        values   = statement.value
      }
    }
  }

  dynamic "statement" {
    for_each = length(var.state_kms_key_arns) > 0 ? [var.state_kms_key_arns] : []

    content {
      sid       = "OpenStates"
      actions   = ["kms:Decrypt"]
      resources = statement.value

      condition {
        test     = "StringLike"
        variable = "kms:ViaService"
        values   = ["s3.*.amazonaws.com"]
      }
    }
  }
}

resource "aws_iam_role_policy" "states" {
  count = length(var.state_objects) > 0 ? 1 : 0

  name   = "states"
  role   = aws_iam_role.driftwise.id
  policy = data.aws_iam_policy_document.states[0].json
}
