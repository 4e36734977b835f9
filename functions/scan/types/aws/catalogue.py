"""AWS's own names of things against Terraform's: CloudFormation types, ARN forms, and how Cloud Control identifies each.

Data. What a mapping covers stands in the other modules; this table is for existence and for what no mapping covers.
Source: CloudFormation resource schemas (`primaryIdentifier`); Service Authorization Reference (ARN forms); Terraform AWS provider
5.100, attribute reference of each type.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ...domain.specs import KeyRule, by


@dataclass(frozen=True, slots=True)
class Catalogued:
    """One Terraform type as AWS names it.

    Attributes:
        type: Terraform type.
        cloud_formation: CloudFormation type without `AWS::`; empty when there is none.
        identifier: attributes of a state that make Cloud Control's primary identifier, in its order; empty when Cloud Control
            cannot read the type or a state does not tell.
        arn: service and resource kind of its ARNs, as `service:kind`; empty when they do not tell the type.
        is_global: read through the partition's home region.
    """

    type: str
    cloud_formation: str
    identifier: tuple[str, ...] = ()
    arn: str = ""
    is_global: bool = False

    @property
    def key(self) -> KeyRule:
        """Return the rule that makes the identifier from a state."""
        return by(*self.identifier)


# type | CloudFormation type | identifier | ARN form | global
_ROWS = """
accessanalyzer_analyzer|AccessAnalyzer::Analyzer|arn|access-analyzer:analyzer
acm_certificate|CertificateManager::Certificate|arn|acm:certificate
acmpca_certificate_authority|ACMPCA::CertificateAuthority|arn|acm-pca:certificate-authority
amplify_app|Amplify::App|arn|amplify:apps
amplify_branch|Amplify::Branch|arn|
api_gateway_api_key|ApiGateway::ApiKey|id|
api_gateway_authorizer|ApiGateway::Authorizer|rest_api_id,id|
api_gateway_domain_name|ApiGateway::DomainName|domain_name|
api_gateway_rest_api|ApiGateway::RestApi|id|
api_gateway_stage|ApiGateway::Stage|rest_api_id,stage_name|
api_gateway_usage_plan|ApiGateway::UsagePlan|id|
api_gateway_vpc_link|ApiGateway::VpcLink|id|
apigatewayv2_api|ApiGatewayV2::Api|id|
apigatewayv2_domain_name|ApiGatewayV2::DomainName|domain_name|
apigatewayv2_stage|ApiGatewayV2::Stage|api_id,name|
apigatewayv2_vpc_link|ApiGatewayV2::VpcLink|id|
appautoscaling_target|ApplicationAutoScaling::ScalableTarget|resource_id,scalable_dimension,service_namespace|application-autoscaling:scalable-target
appconfig_application|AppConfig::Application|id|appconfig:application
appconfig_environment|AppConfig::Environment|application_id,environment_id|
apprunner_service|AppRunner::Service|arn|apprunner:service
appsync_graphql_api|AppSync::GraphQLApi|arn|appsync:apis
athena_data_catalog|Athena::DataCatalog|name|athena:datacatalog
athena_workgroup|Athena::WorkGroup|name|athena:workgroup
autoscaling_group|AutoScaling::AutoScalingGroup|name|autoscaling:autoScalingGroup
backup_framework|Backup::Framework|arn|backup:framework
backup_plan|Backup::BackupPlan|id|backup:backup-plan
backup_vault|Backup::BackupVault|name|backup:backup-vault
batch_compute_environment|Batch::ComputeEnvironment|arn|batch:compute-environment
batch_job_definition|Batch::JobDefinition|name|batch:job-definition
batch_job_queue|Batch::JobQueue|arn|batch:job-queue
bedrock_guardrail|Bedrock::Guardrail|guardrail_arn|bedrock:guardrail
bedrockagent_agent|Bedrock::Agent|agent_id|bedrock:agent
cloudformation_stack|CloudFormation::Stack|id|cloudformation:stack
cloudfront_cache_policy|CloudFront::CachePolicy|id|cloudfront:cache-policy|global
cloudfront_distribution|CloudFront::Distribution|id|cloudfront:distribution|global
cloudfront_function|CloudFront::Function|arn|cloudfront:function|global
cloudfront_origin_access_control|CloudFront::OriginAccessControl|id|cloudfront:origin-access-control|global
cloudfront_response_headers_policy|CloudFront::ResponseHeadersPolicy|id|cloudfront:response-headers-policy|global
cloudtrail|CloudTrail::Trail|name|cloudtrail:trail
cloudwatch_composite_alarm|CloudWatch::CompositeAlarm|alarm_name|
cloudwatch_dashboard|CloudWatch::Dashboard|dashboard_name|cloudwatch:dashboard
cloudwatch_event_api_destination|Events::ApiDestination|name|events:api-destination
cloudwatch_event_archive|Events::Archive|name|events:archive
cloudwatch_event_bus|Events::EventBus||events:event-bus
cloudwatch_event_connection|Events::Connection|name|events:connection
cloudwatch_event_rule|Events::Rule||events:rule
cloudwatch_log_destination|Logs::Destination|name|logs:destination
cloudwatch_log_group|Logs::LogGroup||logs:log-group
cloudwatch_log_resource_policy|Logs::ResourcePolicy|policy_name|
cloudwatch_metric_alarm|CloudWatch::Alarm||cloudwatch:alarm
cloudwatch_query_definition|Logs::QueryDefinition|query_definition_id|
codeartifact_domain|CodeArtifact::Domain|arn|codeartifact:domain
codeartifact_repository|CodeArtifact::Repository|arn|codeartifact:repository
codebuild_project|CodeBuild::Project||codebuild:project
codecommit_repository|CodeCommit::Repository|repository_id|
codedeploy_app|CodeDeploy::Application|name|codedeploy:application
codepipeline|CodePipeline::Pipeline|name|
codestarconnections_connection|CodeStarConnections::Connection|arn|codestar-connections:connection
cognito_identity_pool|Cognito::IdentityPool|id|cognito-identity:identitypool
cognito_user_pool|Cognito::UserPool|id|cognito-idp:userpool
cognito_user_pool_client|Cognito::UserPoolClient|user_pool_id,id|
config_config_rule|Config::ConfigRule|name|
config_configuration_recorder|Config::ConfigurationRecorder|name|
customer_gateway|EC2::CustomerGateway|id|ec2:customer-gateway
datasync_task|DataSync::Task|arn|datasync:task
dax_cluster|DAX::Cluster||dax:cache
db_event_subscription|RDS::EventSubscription|name|rds:es
db_instance|RDS::DBInstance||rds:db
db_option_group|RDS::OptionGroup|name|rds:og
db_parameter_group|RDS::DBParameterGroup||rds:pg
db_proxy|RDS::DBProxy|name|rds:db-proxy
db_snapshot|||rds:snapshot
db_subnet_group|RDS::DBSubnetGroup||rds:subgrp
dms_replication_instance|DMS::ReplicationInstance||dms:rep
docdb_cluster|DocDB::DBCluster||
dynamodb_table|DynamoDB::Table||dynamodb:table
ebs_snapshot|||ec2:snapshot
ebs_volume|EC2::Volume||ec2:volume
ec2_capacity_reservation|EC2::CapacityReservation|id|ec2:capacity-reservation
ec2_client_vpn_endpoint|EC2::ClientVpnEndpoint||ec2:client-vpn-endpoint
ec2_managed_prefix_list|EC2::PrefixList|id|ec2:prefix-list
ec2_transit_gateway|EC2::TransitGateway|id|ec2:transit-gateway
ec2_transit_gateway_route_table|EC2::TransitGatewayRouteTable|id|ec2:transit-gateway-route-table
ec2_transit_gateway_vpc_attachment|EC2::TransitGatewayVpcAttachment|id|
ecr_pull_through_cache_rule|ECR::PullThroughCacheRule|ecr_repository_prefix|
ecr_repository|ECR::Repository||ecr:repository
ecrpublic_repository|ECR::PublicRepository|repository_name|ecr-public:repository
ecs_capacity_provider|ECS::CapacityProvider|name|ecs:capacity-provider
ecs_cluster|ECS::Cluster||ecs:cluster
ecs_service|ECS::Service||ecs:service
ecs_task_definition|ECS::TaskDefinition||ecs:task-definition
efs_access_point|EFS::AccessPoint|id|elasticfilesystem:access-point
efs_file_system|EFS::FileSystem|id|elasticfilesystem:file-system
efs_mount_target|EFS::MountTarget|id|
egress_only_internet_gateway|EC2::EgressOnlyInternetGateway||ec2:egress-only-internet-gateway
eip|EC2::EIP||ec2:elastic-ip
eks_access_entry|EKS::AccessEntry|principal_arn,cluster_name|eks:access-entry
eks_addon|EKS::Addon|cluster_name,addon_name|eks:addon
eks_cluster|EKS::Cluster|name|eks:cluster
eks_fargate_profile|EKS::FargateProfile|cluster_name,fargate_profile_name|eks:fargateprofile
eks_node_group|EKS::Nodegroup||eks:nodegroup
elastic_beanstalk_application|ElasticBeanstalk::Application|name|elasticbeanstalk:application
elastic_beanstalk_environment|ElasticBeanstalk::Environment|name|elasticbeanstalk:environment
elasticache_cluster|ElastiCache::CacheCluster|cluster_id|elasticache:cluster
elasticache_parameter_group|ElastiCache::ParameterGroup|name|elasticache:parametergroup
elasticache_replication_group|ElastiCache::ReplicationGroup|replication_group_id|elasticache:replicationgroup
elasticache_serverless_cache|ElastiCache::ServerlessCache|name|elasticache:serverlesscache
elasticache_subnet_group|ElastiCache::SubnetGroup|name|elasticache:subnetgroup
elasticache_user|ElastiCache::User|user_id|elasticache:user
elb|ElasticLoadBalancing::LoadBalancer|name|
emr_cluster|EMR::Cluster||elasticmapreduce:cluster
emrserverless_application|EMRServerless::Application|id|
flow_log|EC2::FlowLog|id|ec2:vpc-flow-log
fsx_lustre_file_system|FSx::FileSystem||fsx:file-system
globalaccelerator_accelerator|GlobalAccelerator::Accelerator||globalaccelerator:accelerator
glue_catalog_database|Glue::Database|name|glue:database
glue_connection|Glue::Connection|catalog_id,name|glue:connection
glue_crawler|Glue::Crawler|name|glue:crawler
glue_job|Glue::Job|name|glue:job
glue_registry|Glue::Registry|arn|glue:registry
glue_trigger|Glue::Trigger|name|glue:trigger
glue_workflow|Glue::Workflow|name|glue:workflow
grafana_workspace|Grafana::Workspace|id|grafana:workspaces
guardduty_detector|GuardDuty::Detector|id|guardduty:detector
iam_group|IAM::Group||iam:group|global
iam_instance_profile|IAM::InstanceProfile||iam:instance-profile|global
iam_openid_connect_provider|IAM::OIDCProvider|arn|iam:oidc-provider|global
iam_policy|IAM::ManagedPolicy||iam:policy|global
iam_role|IAM::Role||iam:role|global
iam_saml_provider|IAM::SAMLProvider|arn|iam:saml-provider|global
iam_server_certificate|IAM::ServerCertificate|name|iam:server-certificate|global
iam_user|IAM::User||iam:user|global
imagebuilder_image_pipeline|ImageBuilder::ImagePipeline|arn|imagebuilder:image-pipeline
instance|EC2::Instance||ec2:instance
internet_gateway|EC2::InternetGateway||ec2:internet-gateway
iot_topic_rule|IoT::TopicRule|name|iot:rule
key_pair|EC2::KeyPair||ec2:key-pair
keyspaces_keyspace|Cassandra::Keyspace|name|
kinesis_firehose_delivery_stream|KinesisFirehose::DeliveryStream|name|firehose:deliverystream
kinesis_stream|Kinesis::Stream|name|kinesis:stream
kinesisanalyticsv2_application|KinesisAnalyticsV2::Application|name|kinesisanalytics:application
kms_alias|KMS::Alias||kms:alias
kms_key|KMS::Key||kms:key
lambda_code_signing_config|Lambda::CodeSigningConfig|arn|lambda:code-signing-config
lambda_event_source_mapping|Lambda::EventSourceMapping||lambda:event-source-mapping
lambda_function|Lambda::Function||lambda:function
lambda_layer_version|Lambda::LayerVersion|arn|lambda:layer
launch_configuration|AutoScaling::LaunchConfiguration|name|autoscaling:launchConfiguration
launch_template|EC2::LaunchTemplate||ec2:launch-template
lb|ElasticLoadBalancingV2::LoadBalancer||elasticloadbalancing:loadbalancer
lb_listener|ElasticLoadBalancingV2::Listener||elasticloadbalancing:listener
lb_listener_rule|ElasticLoadBalancingV2::ListenerRule||elasticloadbalancing:listener-rule
lb_target_group|ElasticLoadBalancingV2::TargetGroup||elasticloadbalancing:targetgroup
lexv2models_bot|Lex::Bot|id|
media_convert_queue|MediaConvert::Queue|name|mediaconvert:queues
memorydb_acl|MemoryDB::ACL|name|memorydb:acl
memorydb_cluster|MemoryDB::Cluster|name|memorydb:cluster
memorydb_user|MemoryDB::User|user_name|memorydb:user
mq_broker|AmazonMQ::Broker|id|mq:broker
msk_cluster|MSK::Cluster|arn|kafka:cluster
msk_configuration|MSK::Configuration|arn|kafka:configuration
msk_serverless_cluster|MSK::ServerlessCluster|arn|
mwaa_environment|MWAA::Environment|name|airflow:environment
nat_gateway|EC2::NatGateway||ec2:natgateway
neptune_cluster|Neptune::DBCluster|cluster_identifier|
network_acl|EC2::NetworkAcl||ec2:network-acl
network_interface|EC2::NetworkInterface|id|ec2:network-interface
networkfirewall_firewall|NetworkFirewall::Firewall|arn|network-firewall:firewall
networkfirewall_firewall_policy|NetworkFirewall::FirewallPolicy|arn|network-firewall:firewall-policy
networkfirewall_rule_group|NetworkFirewall::RuleGroup|arn|network-firewall:stateful-rulegroup
opensearch_domain|OpenSearchService::Domain|domain_name|es:domain
opensearchserverless_collection|OpenSearchServerless::Collection|id|aoss:collection
organizations_account|Organizations::Account|id|organizations:account|global
organizations_organizational_unit|Organizations::OrganizationalUnit|id|organizations:ou|global
organizations_policy|Organizations::Policy|id|organizations:policy|global
pipes_pipe|Pipes::Pipe|name|pipes:pipe
placement_group|EC2::PlacementGroup|name|ec2:placement-group
prometheus_workspace|APS::Workspace|arn|aps:workspace
ram_resource_share|RAM::ResourceShare|arn|ram:resource-share
rds_cluster|RDS::DBCluster|cluster_identifier|rds:cluster
rds_cluster_parameter_group|RDS::DBClusterParameterGroup|name|rds:cluster-pg
rds_global_cluster|RDS::GlobalCluster|global_cluster_identifier|rds:global-cluster
redshift_cluster|Redshift::Cluster|cluster_identifier|redshift:cluster
redshift_parameter_group|Redshift::ClusterParameterGroup|name|redshift:parametergroup
redshift_subnet_group|Redshift::ClusterSubnetGroup|name|redshift:subnetgroup
redshiftserverless_namespace|RedshiftServerless::Namespace|namespace_name|redshift-serverless:namespace
redshiftserverless_workgroup|RedshiftServerless::Workgroup|workgroup_name|redshift-serverless:workgroup
resourcegroups_group|ResourceGroups::Group|name|resource-groups:group
route53_health_check|Route53::HealthCheck|id|route53:healthcheck|global
route53_resolver_endpoint|Route53Resolver::ResolverEndpoint|id|route53resolver:resolver-endpoint
route53_resolver_rule|Route53Resolver::ResolverRule|id|route53resolver:resolver-rule
route53_zone|Route53::HostedZone||route53:hostedzone|global
route_table|EC2::RouteTable||ec2:route-table
s3_access_point|S3::AccessPoint|name|s3:accesspoint
s3_bucket|S3::Bucket||s3:bucket
sagemaker_domain|SageMaker::Domain|id|sagemaker:domain
sagemaker_endpoint|SageMaker::Endpoint|arn|sagemaker:endpoint
sagemaker_model|SageMaker::Model|arn|sagemaker:model
sagemaker_notebook_instance|SageMaker::NotebookInstance|arn|sagemaker:notebook-instance
scheduler_schedule_group|Scheduler::ScheduleGroup|name|scheduler:schedule-group
secretsmanager_secret|SecretsManager::Secret||secretsmanager:secret
security_group|EC2::SecurityGroup||ec2:security-group
security_group_rule|||ec2:security-group-rule
service_discovery_http_namespace|ServiceDiscovery::HttpNamespace|id|
service_discovery_private_dns_namespace|ServiceDiscovery::PrivateDnsNamespace|id|
service_discovery_service|ServiceDiscovery::Service|id|servicediscovery:service
servicecatalog_portfolio|ServiceCatalog::Portfolio|id|catalog:portfolio
sesv2_configuration_set|SES::ConfigurationSet|configuration_set_name|ses:configuration-set
sesv2_email_identity|SES::EmailIdentity|email_identity|ses:identity
sfn_activity|StepFunctions::Activity|id|states:activity
sfn_state_machine|StepFunctions::StateMachine|arn|states:stateMachine
shield_protection|Shield::Protection|arn|shield:protection|global
signer_signing_profile|Signer::SigningProfile|arn|signer:signing-profiles
sns_topic|SNS::Topic||sns:topic
sqs_queue|SQS::Queue||sqs:queue
ssm_association|SSM::Association|association_id|ssm:association
ssm_document|SSM::Document|name|ssm:document
ssm_maintenance_window|SSM::MaintenanceWindow|id|ssm:maintenancewindow
ssm_parameter|SSM::Parameter||ssm:parameter
ssm_patch_baseline|SSM::PatchBaseline|id|ssm:patchbaseline
ssoadmin_permission_set|SSO::PermissionSet|instance_arn,arn|sso:permissionSet
subnet|EC2::Subnet||ec2:subnet
synthetics_canary|Synthetics::Canary|name|synthetics:canary
timestreamwrite_database|Timestream::Database|database_name|timestream:database
timestreamwrite_table|Timestream::Table|database_name,table_name|
transfer_server|Transfer::Server|arn|transfer:server
verifiedaccess_instance|EC2::VerifiedAccessInstance|id|ec2:verified-access-instance
vpc|EC2::VPC||ec2:vpc
vpc_dhcp_options|EC2::DHCPOptions|id|ec2:dhcp-options
vpc_endpoint|EC2::VPCEndpoint|id|ec2:vpc-endpoint
vpc_endpoint_service|EC2::VPCEndpointService|id|ec2:vpc-endpoint-service
vpc_ipam|EC2::IPAM|id|ec2:ipam
vpc_peering_connection|EC2::VPCPeeringConnection|id|ec2:vpc-peering-connection
vpclattice_service|VpcLattice::Service|arn|vpc-lattice:service
vpclattice_service_network|VpcLattice::ServiceNetwork|arn|vpc-lattice:servicenetwork
vpn_connection|EC2::VPNConnection|id|ec2:vpn-connection
vpn_gateway|EC2::VPNGateway|id|ec2:vpn-gateway
wafv2_ip_set|WAFv2::IPSet|name,id,scope|
wafv2_rule_group|WAFv2::RuleGroup|name,id,scope|
wafv2_web_acl|WAFv2::WebACL|name,id,scope|
workspaces_workspace|WorkSpaces::Workspace|id|workspaces:workspace
xray_group|XRay::Group|arn|xray:group
xray_sampling_rule|XRay::SamplingRule|arn|xray:sampling-rule
"""


def _rows() -> tuple[Catalogued, ...]:
    found = []
    for line in _ROWS.strip().splitlines():
        name, cloud_formation, identifier, arn, *rest = line.split("|")
        attributes = tuple(part for part in identifier.split(",") if part)
        found.append(Catalogued(f"aws_{name}", cloud_formation, attributes, arn, rest == ["global"]))
    return tuple(found)


CATALOGUE: Mapping[str, Catalogued] = {item.type: item for item in _rows()}
BY_CLOUD_FORMATION: Mapping[str, str] = {
    f"AWS::{item.cloud_formation}": item.type for item in CATALOGUE.values() if item.cloud_formation
}
BY_ARN_FORM: Mapping[str, str] = {item.arn: item.type for item in CATALOGUE.values() if item.arn}
READABLE: Mapping[str, Catalogued] = {item.type: item for item in CATALOGUE.values() if item.identifier}
