provider "aws" {
  region                      = "eu-west-1"
  access_key                  = "test"
  secret_key                  = "test"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
}

variables {
  driftwise_google_account_id = "117234567890123456789"
  external_id                 = "dw-abcdefghijklmnopqrstuvwxyz234567"
}

run "keyless" {
  command = plan

  assert {
    condition = jsondecode(aws_iam_role.driftwise.assume_role_policy).Statement == [{
      Sid       = "DriftWise"
      Effect    = "Allow"
      Action    = "sts:AssumeRoleWithWebIdentity"
      Principal = { Federated = "accounts.google.com" }
      Condition = {
        StringEquals = {
          "accounts.google.com:aud"  = "117234567890123456789"
          "accounts.google.com:oaud" = "dw-abcdefghijklmnopqrstuvwxyz234567"
          "accounts.google.com:sub"  = "117234567890123456789"
        }
      }
    }]
    error_message = "Only DriftWise's own account, with a token for this external id, may take the role on."
  }

  assert {
    condition = alltrue(flatten([
      for policy in aws_iam_policy.read : [
        for action in jsondecode(policy.policy).Statement[0].Action : can(regex("^([a-z0-9-]+:(Describe|Get|List|BatchGet|Lookup|Search)[A-Za-z0-9]+|apigateway:GET)$", action))
      ]
    ])) && alltrue([for policy in aws_iam_policy.read : length(jsondecode(policy.policy).Statement) == 1 && length(policy.policy) <= 6144])
    error_message = "Every action reads, and is named whole."
  }

  assert {
    condition     = length(aws_iam_role_policy.states) == 0 && aws_iam_role.driftwise.max_session_duration == 3600
    error_message = "Without states there is no right to read an object; a session lasts an hour."
  }
}

run "states" {
  command = plan

  variables {
    state_objects      = ["states/network/terraform.tfstate"]
    state_kms_key_arns = ["arn:aws:kms:eu-west-1:123456789012:key/00000000-0000-0000-0000-000000000000"]
  }

  assert {
    condition     = data.aws_iam_policy_document.states[0].statement[0].resources == toset(["arn:aws:s3:::states/network/terraform.tfstate"]) && data.aws_iam_policy_document.states[0].statement[0].actions == toset(["s3:GetObject"])
    error_message = "Only the named states may be fetched."
  }

  assert {
    condition     = !strcontains(data.aws_iam_policy_document.states[0].json, "s3:ListBucket")
    error_message = "Who names every state has nothing listed."
  }

  assert {
    condition     = one(data.aws_iam_policy_document.states[0].statement[1].condition).variable == "kms:ViaService"
    error_message = "The key opens states on their way out of S3 and nothing else."
  }
}

run "an_account_that_only_holds_states" {
  command = plan

  variables {
    reads_configuration = false
    state_objects       = ["states/network/*"]
  }

  assert {
    condition     = length(aws_iam_policy.read) == 0 && length(aws_iam_role_policy_attachment.read) == 0 && length(aws_iam_role_policy.states) == 1
    error_message = "A role for states reads nothing else."
  }
}

run "families_of_states_are_listed_by_their_prefix" {
  command = plan

  variables {
    state_objects = ["states/network/*", "states/teams/*/terraform.tfstate", "states/one.tfstate", "others/all/*.tfstate"]
  }

  assert {
    condition = {
      for statement in jsondecode(data.aws_iam_policy_document.states[0].json).Statement :
      statement.Resource => statement.Condition if statement.Action == "s3:ListBucket"
      } == {
      "arn:aws:s3:::others" = { StringLike = { "s3:prefix" = "all/*" } }
      "arn:aws:s3:::states" = { StringLike = { "s3:prefix" = ["network/*", "teams/*"] } }
    }
    error_message = "A bucket may be listed by the beginnings of the named families alone."
  }
}

run "a_hub_takes_on_named_roles_and_reads_nothing" {
  command = plan

  variables {
    reads_configuration = false
    role_name           = "driftwise-hub"
    spoke_role_arns     = ["arn:aws:iam::*:role/driftwise-read"]
  }

  assert {
    condition = jsondecode(aws_iam_role_policy.hub[0].policy).Statement == [{
      Sid      = "TakeOnRoles"
      Effect   = "Allow"
      Action   = "sts:AssumeRole"
      Resource = "arn:aws:iam::*:role/driftwise-read"
    }]
    error_message = "The hub may take on the named roles and nothing else."
  }

  assert {
    condition     = length(aws_iam_policy.read) == 0 && jsondecode(aws_iam_role.driftwise.assume_role_policy).Statement[0].Sid == "DriftWise"
    error_message = "DriftWise itself takes on the hub, by the external id, and reads nothing there."
  }
}

run "behind_a_hub" {
  command = plan

  variables {
    driftwise_google_account_id = null
    hub_role_arn                = "arn:aws:iam::210987654321:role/driftwise-hub"
  }

  assert {
    condition = jsondecode(aws_iam_role.driftwise.assume_role_policy).Statement == [{
      Sid       = "DriftWiseThroughHub"
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { AWS = "arn:aws:iam::210987654321:root" }
      Condition = {
        ArnEquals    = { "aws:PrincipalArn" = "arn:aws:iam::210987654321:role/driftwise-hub" }
        StringEquals = { "sts:ExternalId" = "dw-abcdefghijklmnopqrstuvwxyz234567" }
      }
    }]
    error_message = "Only the hub's role, with this external id, may take the role on."
  }

  assert {
    condition     = length(aws_iam_role_policy.hub) == 0 && length(aws_iam_policy.read) > 0
    error_message = "It reads its own account, and takes on nothing."
  }
}

run "wrong_values_are_refused" {
  command = plan

  variables {
    driftwise_google_account_id = "somebody@example.com"
    external_id                 = "mine"
    max_session_seconds         = 60
    role_name                   = "not a name"
    spoke_role_arns             = ["arn:aws:iam::*:role/*"]
    state_kms_key_arns          = ["*"]
    state_objects               = ["states/*"]
  }

  expect_failures = [
    var.driftwise_google_account_id, var.external_id, var.max_session_seconds, var.role_name, var.spoke_role_arns,
    var.state_kms_key_arns, var.state_objects,
  ]
}

run "a_hub_is_named_by_its_role" {
  command = plan

  variables {
    hub_role_arn = "arn:aws:iam::210987654321:root"
  }

  expect_failures = [var.hub_role_arn]
}
