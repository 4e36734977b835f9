"""Rights, alone or together, with which one gives oneself further rights. Data only."""

from __future__ import annotations

AWS_ALONE = (
    "iam:CreatePolicyVersion", "iam:SetDefaultPolicyVersion", "iam:AttachUserPolicy", "iam:AttachGroupPolicy", "iam:AttachRolePolicy", "iam:PutUserPolicy",
    "iam:PutGroupPolicy", "iam:PutRolePolicy", "iam:AddUserToGroup", "iam:CreateAccessKey", "iam:CreateLoginProfile", "iam:UpdateLoginProfile",
    "iam:UpdateAssumeRolePolicy", "iam:DeleteRolePermissionsBoundary", "iam:DeleteUserPermissionsBoundary", "sts:AssumeRole",
)  # fmt: skip
AWS_PAIRS = (
    ("iam:PassRole", "ec2:RunInstances"), ("iam:PassRole", "lambda:CreateFunction", "lambda:InvokeFunction"), ("iam:PassRole", "lambda:CreateFunction", "lambda:CreateEventSourceMapping"),
    ("iam:PassRole", "lambda:CreateFunction", "lambda:AddPermission"), ("iam:PassRole", "cloudformation:CreateStack"), ("iam:PassRole", "glue:CreateDevEndpoint"), ("iam:PassRole", "glue:CreateJob"),
    ("iam:PassRole", "datapipeline:CreatePipeline"), ("iam:PassRole", "sagemaker:CreateNotebookInstance"), ("iam:PassRole", "sagemaker:CreateTrainingJob"),
    ("iam:PassRole", "ecs:RunTask"), ("iam:PassRole", "ecs:RegisterTaskDefinition"), ("iam:PassRole", "codebuild:CreateProject"), ("iam:PassRole", "states:CreateStateMachine"),
    ("iam:PassRole", "autoscaling:CreateLaunchConfiguration"), ("iam:PassRole", "ssm:StartAutomationExecution"), ("iam:PassRole", "bedrock-agentcore:CreateCodeInterpreter"),
)  # fmt: skip
GOOGLE_ALONE = (
    "iam.serviceAccounts.getAccessToken", "iam.serviceAccounts.implicitDelegation", "iam.serviceAccounts.signBlob", "iam.serviceAccounts.signJwt", "iam.serviceAccountKeys.create",
    "iam.roles.update", "iam.serviceAccounts.setIamPolicy", "resourcemanager.projects.setIamPolicy", "resourcemanager.folders.setIamPolicy",
    "resourcemanager.organizations.setIamPolicy", "deploymentmanager.deployments.create", "cloudbuild.builds.create", "orgpolicy.policy.set", "storage.hmacKeys.create",
    "serviceusage.apiKeys.create",
)  # fmt: skip
_ACT = "iam.serviceAccounts.actAs"
GOOGLE_PAIRS = (
    (_ACT, "compute.instances.create"), (_ACT, "cloudfunctions.functions.create"), (_ACT, "cloudfunctions.functions.update"), (_ACT, "run.services.create"),
    (_ACT, "run.services.update"), (_ACT, "run.jobs.create"), (_ACT, "cloudscheduler.jobs.create"), (_ACT, "composer.environments.create"), (_ACT, "dataproc.clusters.create"),
    (_ACT, "dataflow.jobs.create"), (_ACT, "workflows.workflows.create"), (_ACT, "notebooks.instances.create"), (_ACT, "aiplatform.customJobs.create"),
    (_ACT, "compute.instances.setServiceAccount"), (_ACT, "compute.instances.setMetadata"),
)  # fmt: skip
AZURE_ALONE = (
    "Microsoft.Authorization/roleAssignments/write", "Microsoft.Authorization/roleDefinitions/write", "Microsoft.Authorization/elevateAccess/action",
    "Microsoft.Compute/virtualMachines/runCommand/action", "Microsoft.Compute/virtualMachines/extensions/write",
    "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/write", "Microsoft.Automation/automationAccounts/runbooks/write",
    "Microsoft.ContainerService/managedClusters/listClusterAdminCredential/action", "Microsoft.KeyVault/vaults/accessPolicies/write",
)  # fmt: skip
_ASSIGN = "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action"
AZURE_PAIRS = (
    (_ASSIGN, "Microsoft.Compute/virtualMachines/write"), (_ASSIGN, "Microsoft.Web/sites/write"), (_ASSIGN, "Microsoft.ContainerInstance/containerGroups/write"),
    (_ASSIGN, "Microsoft.Logic/workflows/write"), (_ASSIGN, "Microsoft.Resources/deploymentScripts/write"),
)  # fmt: skip
