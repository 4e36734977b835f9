"""The 42 middlewares for AWS of the first generation of drift tools, each with the place where DriftWise does its work.

Patterns of the field: A hide what the cloud makes by itself, B compare inline and stand-alone forms, C one type and one id
for one thing, D leave out what cannot be compared.
"""

from __future__ import annotations

from typing import Any

from functions.scan.domain.resources import LiveResource, Parent

from . import gateway
from .harness import Family, change, fold, live, one, read

GROUP = "aws_security_group"
IN = "aws_vpc_security_group_ingress_rule"
EVERYONE = "http://acs.amazonaws.com/groups/global/AllUsers"
POLICY = '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"a:Get","Resource":"*"}}'
SAME = '{"Statement":[{"Resource":["*"],"Action":["A:get"],"Principal":"*","Effect":"Allow"}],"Version":"2012-10-17"}'
WIDER = POLICY.replace("a:Get", "a:*")
ROLE_ARN = "arn:aws:iam::123456789012:policy/p"


def _records(*records: dict[str, Any]) -> tuple[LiveResource, ...]:
    zones = {"HostedZones": [{"Id": "/hostedzone/Z1", "Name": "example.com."}]}
    return read(
        "aws_route53_record", list_hosted_zones=zones, list_resource_record_sets={"ResourceRecordSets": list(records)}
    )


def _values(*values: str) -> list[dict[str, str]]:
    return [{"Value": value} for value in values]


def _buckets(**replies: Any) -> tuple[LiveResource, ...]:
    return read("aws_s3_bucket", list_buckets={"Buckets": [{"Name": "b", "BucketRegion": "us-east-1"}]}, **replies)


def _acl(*grantees: dict[str, str]) -> dict[str, Any]:
    owner = {"Type": "CanonicalUser", "ID": "me"}
    grants = [{"Grantee": owner, "Permission": "FULL_CONTROL"}]
    grants += [{"Grantee": item, "Permission": "READ"} for item in grantees]
    return {"Owner": {"ID": "me"}, "Grants": grants}


def _groups(*rules: dict[str, Any], egress: dict[str, Any] | None = None) -> tuple[LiveResource, ...]:
    out = egress or {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    own = {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": "sg-d", "UserId": "123456789012"}]}
    group = {
        "GroupId": "sg-d", "GroupName": "default", "VpcId": "vpc-1", "OwnerId": "123456789012",
        "IpPermissions": [own, *rules], "IpPermissionsEgress": [out],
    }  # fmt: skip
    return read(GROUP, describe_security_groups={"SecurityGroups": [group]}, describe_security_group_rules={})


def _rules(*rules: dict[str, Any]) -> tuple[LiveResource, ...]:
    found = [
        {"SecurityGroupRuleId": f"sgr-{number}", "GroupId": "sg-1", "IsEgress": False, "IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, **rule}
        for number, rule in enumerate(rules)
    ]  # fmt: skip
    return read(IN, describe_security_group_rules={"SecurityGroupRules": found})


def _tables(*routes: dict[str, Any], main: bool = False) -> tuple[LiveResource, ...]:
    local = {"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local", "Origin": "CreateRouteTable"}
    associations = [{"RouteTableAssociationId": "rtbassoc-1", "Main": True}] if main else []
    table = {"RouteTableId": "rtb-1", "VpcId": "vpc-1", "Routes": [local, *routes], "Associations": associations}
    return read("aws_route_table", describe_route_tables={"RouteTables": [table]})


def _acls(*entries: dict[str, Any], default: bool = True) -> tuple[LiveResource, ...]:
    shared = {"Egress": False, "Protocol": "-1", "CidrBlock": "0.0.0.0/0"}
    usual = [{**shared, "RuleNumber": 100, "RuleAction": "allow"}] if default else []
    closing = [
        {**shared, "RuleNumber": 32767, "RuleAction": "deny"},
        {"Egress": False, "Protocol": "-1", "Ipv6CidrBlock": "::/0", "RuleNumber": 32768, "RuleAction": "deny"},
    ]
    acl = {"NetworkAclId": "acl-1", "VpcId": "vpc-1", "IsDefault": default, "Entries": [*usual, *closing, *entries]}
    return read("aws_network_acl", describe_network_acls={"NetworkAcls": [acl]})


def _vpcs(*, default: bool) -> tuple[LiveResource, ...]:
    vpc = {"VpcId": "vpc-1", "CidrBlock": "172.31.0.0/16", "IsDefault": default}
    return read("aws_vpc", describe_vpcs={"Vpcs": [vpc]}, describe_route_tables={"RouteTables": []})


def _subnets(*, default: bool) -> tuple[LiveResource, ...]:
    subnet = {"SubnetId": "subnet-1", "VpcId": "vpc-1", "DefaultForAz": default}
    return read("aws_subnet", describe_subnets={"Subnets": [subnet]})


def _gateways(vpc: str) -> tuple[LiveResource, ...]:
    gateway = {"InternetGatewayId": "igw-1", "Attachments": [{"VpcId": vpc, "State": "available"}]}
    return read(
        "aws_internet_gateway",
        describe_vpcs={"Vpcs": [{"VpcId": "vpc-0"}, {"VpcId": "vpc-d"}]},  # the answer to "which are default ones"
        describe_internet_gateways={"InternetGateways": [gateway]},
    )


def _attachment(principal: str, name: str) -> LiveResource:
    return live(f"aws_iam_{principal}_policy_attachment", f"{name}|{ROLE_ARN}")


def _public_block(*, blocked: bool) -> Any:
    names = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    return {"PublicAccessBlockConfiguration": dict.fromkeys(names, blocked)}


def _unmanaged(number: int, source: str, handled: str, made_by_aws: Any, made_by_people: Any, *keys: str) -> Family:
    shows = [("unmanaged", key, "") for key in keys]
    return Family(
        f"{number} {source.partition(':')[0].lower().replace(' ', '-')}",
        source,
        handled,
        (fold("made by AWS", (), made_by_aws),),
        (change("made by people", (), made_by_people, *shows),),
    )


def _split(number: int, parent: str, key: str, attribute: str, child: str, child_state: dict[str, Any], child_key: str,
           parent_state: dict[str, Any], source: str, same: Any, other: Any) -> Family:  # fmt: skip
    """Make the family of a parent whose attribute may also be a resource of its own."""
    inline = live(parent, key, **{attribute: same})
    alone = LiveResource(
        child, child_key, "us-east-1", {attribute: same}, child_key, parent=Parent(parent, key, attribute)
    )
    changed_inline = live(parent, key, **{attribute: other})
    changed_alone = LiveResource(child, child_key, "us-east-1", {attribute: other}, child_key, parent=alone.parent)
    without = {**parent_state, attribute: ""}
    return Family(
        f"{number} {parent.removeprefix('aws_')}-{attribute}",
        source,
        f"`TypeSpec.inline` of {parent}: the stand-alone form wins, else the attribute is compared.",
        (
            fold("inline, the stand-alone form is not reported", (parent, {**parent_state, attribute: POLICY}), (inline, alone)),
            fold("stand-alone, the parent is silent", ((parent, without), (child, child_state)), (inline, alone)),
        ),
        (
            change("inline", (parent, {**parent_state, attribute: POLICY}), (changed_inline, changed_alone),
                   ("changed", f"{parent}.x", f"{attribute}.Statement")),
            change("stand-alone", ((parent, without), (child, child_state)), (changed_inline, changed_alone),
                   ("changed", f"{child}.x", f"{attribute}.Statement")),
        ),
    )  # fmt: skip


_RECORD = {"zone_id": "Z1", "name": "www", "fqdn": "www.example.com", "type": "A", "ttl": 300, "records": ["10.0.0.1"]}
_WWW = {"Name": "www.example.com.", "Type": "A", "TTL": 300, "ResourceRecords": _values("10.0.0.1")}
_NS = {"Type": "NS", "TTL": 172800, "ResourceRecords": _values("ns-1.awsdns-00.com.")}
_INSTANCE = {"id": "i-1", "instance_type": "t3.micro", "public_ip": "3.3.3.3", "public_dns": "ec2-3-3-3-3"}
_DEVICE = {"device_name": "/dev/sdf", "volume_size": 8, "delete_on_termination": False}
_VOLUMES = {"id": "i-1", "ebs_block_device": []}
_ATTACHED = {"volume_id": "vol-1", "instance_id": "i-1", "device_name": "/dev/sdf"}
_RULE = {
    "type": "ingress", "security_group_id": "sg-1", "protocol": "tcp", "from_port": 22, "to_port": 22,
    "cidr_blocks": ["10.0.0.0/8", "192.168.0.0/16"], "ipv6_cidr_blocks": [], "self": False, "security_group_rule_id": "",
}  # fmt: skip
_EXIT = {"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-1", "Origin": "CreateRoute"}
_FIRST_EXIT = {**_EXIT, "Origin": "CreateRouteTable"}
_SSH = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
_TABLE = {"id": "rtb-1", "vpc_id": "vpc-1", "route": [{"cidr_block": "0.0.0.0/0", "gateway_id": "igw-1"}]}
_ALONE = {"route_table_id": "rtb-1", "destination_cidr_block": "0.0.0.0/0", "gateway_id": "igw-1"}
_NACL_RULE = {"network_acl_id": "acl-1", "rule_number": 10, "egress": False, "protocol": "tcp", "rule_action": "allow",
              "cidr_block": "10.0.0.0/8", "from_port": 22, "to_port": 22}  # fmt: skip
_NACL = {"id": "acl-1", "vpc_id": "vpc-1", "ingress": [
    {"rule_no": 10, "action": "allow", "protocol": "tcp", "cidr_block": "10.0.0.0/8", "from_port": 22, "to_port": 22}
]}  # fmt: skip
_ENTRY = {"RuleNumber": 10, "Egress": False, "Protocol": "6", "RuleAction": "allow", "CidrBlock": "10.0.0.0/8",
          "PortRange": {"From": 22, "To": 22}}  # fmt: skip
_QUEUE = "https://sqs.us-east-1.amazonaws.com/123456789012/q"
_TOPIC = "arn:aws:sns:us-east-1:123456789012:t"
_EIP = {"id": "eipalloc-1", "domain": "vpc", "instance": "i-1", "association_id": "eipassoc-1"}


def _address(instance: str | None, interface: str = "eni-1") -> tuple[LiveResource, ...]:
    item = {"AllocationId": "eipalloc-1", "Domain": "vpc", "InstanceId": instance, "AssociationId": "eipassoc-1"}
    return read("aws_eip", describe_addresses={"Addresses": [{**item, "NetworkInterfaceId": interface}]})


def _queue(policy: str | None) -> tuple[LiveResource, ...]:
    attributes = {"QueueArn": "arn:aws:sqs:us-east-1:123456789012:q", **({"Policy": policy} if policy else {})}
    return read("aws_sqs_queue", list_queues={"QueueUrls": [_QUEUE]}, get_queue_attributes={"Attributes": attributes})


def _roles(path: str) -> tuple[LiveResource, ...]:
    role = {"RoleName": "r", "Path": path, "Arn": f"arn:aws:iam::123456789012:role{path}r", "AssumeRolePolicyDocument": {},
            "RolePolicyList": [{"PolicyName": "p", "PolicyDocument": {}}], "AttachedManagedPolicies": []}  # fmt: skip
    return read(
        "aws_iam_role", list_roles={"Roles": [role]}, get_account_authorization_details={"RoleDetailList": [role]}
    )


FAMILIES: tuple[Family, ...] = (
    Family(
        "1 route53-record-id", "Route53 record id: rebuild from zone, FQDN and type", "`types/aws/route53.record_key`, from `fqdn`.",
        (fold("a short name and the full one", ("aws_route53_record", _RECORD), _records(_WWW)),),
        (
            change("the time to live", ("aws_route53_record", _RECORD), _records({**_WWW, "TTL": 60}), ("changed", "aws_route53_record.x", "ttl")),
            change("another name", ("aws_route53_record", _RECORD), _records({**_WWW, "Name": "api.example.com."}),
                   ("missing", "aws_route53_record.x", ""), ("unmanaged", "Z1|api.example.com|A|", "")),
        ),
    ),
    _unmanaged(2, "Route53 NS and SOA: hidden unless in the state", "`readers/aws/route53._record`: only at the top of the zone.",
               _records({**_NS, "Name": "example.com."}, {**_NS, "Name": "example.com.", "Type": "SOA"}),
               _records({**_NS, "Name": "stolen.example.com."}), "Z1|stolen.example.com|NS|"),
    Family(
        "3 s3-acl", "S3 bucket ACL: a canned ACL and its grants are one thing", "`types/aws/s3.keep_acl_or_grants`: compare the form the state holds.",
        (
            fold("a canned ACL in an old state", ("aws_s3_bucket", {"id": "b", "bucket": "b", "acl": "private", "grant": []}), _buckets(get_bucket_acl=_acl())),
            fold("an owner's canned ACL", ("aws_s3_bucket", {"id": "b", "acl": "bucket-owner-full-control"}), _buckets(get_bucket_acl=_acl())),
        ),
        (change("everybody may read", ("aws_s3_bucket", {"id": "b", "acl": "private"}),
                _buckets(get_bucket_acl=_acl({"Type": "Group", "URI": EVERYONE})), ("changed", "aws_s3_bucket.x", "acl")),),
    ),
    Family(
        "4 instance-block-devices", "Instance block devices: blocks and volumes of their own are one thing",
        "`TypeSpec.inline` of aws_instance: `aws_volume_attachment` takes the place of `ebs_block_device`; the root device is compared as a block.",
        (fold("attached by a resource of its own", (("aws_instance", _VOLUMES), ("aws_volume_attachment", _ATTACHED)),
              (live("aws_instance", "i-1", ebs_block_device=[_DEVICE]), live("aws_volume_attachment", "vol-1|i-1", device_name="/dev/sdf"))),),
        (change("attached by nobody", ("aws_instance", _VOLUMES), live("aws_instance", "i-1", ebs_block_device=[_DEVICE]),
                ("changed", "aws_instance.x", "ebs_block_device")),),
    ),
    Family(
        "5 default-security-group-rules", "Default security-group rules: its own and all outwards are hidden",
        "`readers/aws/ec2_security._is_untouched_default`: the rules must be exactly those that AWS makes.",
        (fold("as AWS made it", (), _groups()),),
        (
            change("one more way in", (), _groups(_SSH), ("unmanaged", "sg-d", "")),
            change("another way out", (), _groups(egress=_SSH), ("unmanaged", "sg-d", "")),
        ),
    ),
    Family(
        "6 default-security-group", "Default security group: hidden", "`cloud_made` while its rules are untouched; `aws_default_security_group` is compared as the group.",
        (fold("declared and empty", ("aws_default_security_group", {"id": "sg-d", "name": "default", "ingress": [], "egress": []}),
              live(GROUP, "sg-d", name="default", ingress=[], egress=[])),),
        (change("declared and opened", ("aws_default_security_group", {"id": "sg-d", "ingress": [], "egress": []}), _groups(),
                ("changed", "aws_default_security_group.x", "ingress"), ("changed", "aws_default_security_group.x", "egress")),),
    ),
    Family(
        "7 security-group-rules", "Security-group rules: one per source, `self` is the own group", "`types/aws/ec2_security._one_by_one`, keys by meaning.",
        (
            fold("two sources in one resource", ("aws_security_group_rule", _RULE), _rules({"CidrIpv4": "10.0.0.0/8"}, {"CidrIpv4": "192.168.0.0/16"})),
            fold("the group itself", ("aws_security_group_rule", {**_RULE, "cidr_blocks": [], "self": True}),
                 _rules({"ReferencedGroupInfo": {"GroupId": "sg-1", "UserId": "123456789012"}})),
        ),
        (
            change("IPv6 everywhere is not IPv4 everywhere", ("aws_security_group_rule", {**_RULE, "cidr_blocks": ["0.0.0.0/0"]}), _rules({"CidrIpv6": "::/0"}),
                   ("missing", "aws_security_group_rule.x", ""), ("unmanaged", "sgr-0", "")),
            change("one source more", ("aws_security_group_rule", {**_RULE, "cidr_blocks": ["10.0.0.0/8"]}), _rules({"CidrIpv4": "10.0.0.0/8"}, {"CidrIpv4": "0.0.0.0/0"}),
                   ("unmanaged", "sgr-1", "")),
        ),
    ),
    Family(
        "8 iam-policy-attachments", "IAM attachments: one common type", "`types/aws/iam.expand_policy_attachment`, one per kind of principal, so that names do not collide.",
        (fold("a role and a user of one name", ("aws_iam_policy_attachment", {"policy_arn": ROLE_ARN, "roles": ["a"], "users": ["a"]}), (_attachment("role", "a"), _attachment("user", "a"))),),
        (change("the user's is gone", ("aws_iam_policy_attachment", {"policy_arn": ROLE_ARN, "roles": ["a"], "users": ["a"]}), _attachment("role", "a"),
                ("missing", "aws_iam_policy_attachment.x", "")),),
    ),
    Family(
        "9 iam-many-principals", "Policy attachments with many principals: one per principal", "`types/aws/iam.expand_policy_attachment`.",
        (fold("declared twice over", (("aws_iam_policy_attachment", {"policy_arn": ROLE_ARN, "roles": ["a", "b"]}),), (_attachment("role", "b"), _attachment("role", "a"))),),
        (change("one more is attached", ("aws_iam_policy_attachment", {"policy_arn": ROLE_ARN, "roles": ["a"]}), (_attachment("role", "a"), _attachment("role", "b")),
                ("unmanaged", f"b|{ROLE_ARN}", "")),),
    ),
    Family(
        "10 instance-with-elastic-ip", "Instance with an Elastic IP: its public address is the address's", "`public_ip` and `public_dns` of an instance are not compared; the address is `aws_eip`.",
        (fold("another public address", ("aws_instance", _INSTANCE), live("aws_instance", "i-1", instance_type="t3.micro", public_ip="4.4.4.4")),),
        (change("the instance's type", ("aws_instance", _INSTANCE), live("aws_instance", "i-1", instance_type="x1.32xlarge"), ("changed", "aws_instance.x", "instance_type")),),
    ),
    _unmanaged(11, "Default route to the internet: of the default VPC, hidden", "`readers/aws/ec2_routing._is_default_exit`.",
               _tables(_FIRST_EXIT, main=True), _tables(_EXIT, main=True), "rtb-1"),
    _unmanaged(12, "Default internet gateway: hidden", "`readers/aws/ec2_network.read_internet_gateways`: of every default VPC, not the first one only.",
               _gateways("vpc-d"), _gateways("vpc-2"), "igw-1"),
    _unmanaged(13, "Default VPC: hidden", "`readers/aws/ec2_network._vpc`; `aws_default_vpc` is compared as `aws_vpc`.", _vpcs(default=True), _vpcs(default=False), "vpc-1"),
    _unmanaged(14, "Default subnets: hidden", "`readers/aws/ec2_network.read_subnets`.", _subnets(default=True), _subnets(default=False), "subnet-1"),
    Family(
        "15 inline-routes", "Route table inline routes: become routes of their own", "`TypeSpec.inline` of aws_route_table.",
        (
            fold("inline", ("aws_route_table", _TABLE), _tables(_EXIT)),
            fold("stand-alone", (("aws_route_table", {**_TABLE, "route": []}), ("aws_route", _ALONE)), _tables(_EXIT)),
        ),
        (
            change("inline", ("aws_route_table", _TABLE), _tables({**_EXIT, "GatewayId": "igw-2"}), ("changed", "aws_route_table.x", "route")),
            change("stand-alone", (("aws_route_table", {**_TABLE, "route": []}), ("aws_route", _ALONE)), _tables({**_EXIT, "GatewayId": "igw-2"}),
                   ("changed", "aws_route.x", "gateway_id")),
        ),
    ),
    _unmanaged(16, "Default route table: hidden", "`cloud_made` while nobody has added a route; `aws_default_route_table` is compared as `aws_route_table`.",
               _tables(main=True), _tables(_EXIT, main=True), "rtb-1"),
    Family(
        "17 local-routes", "Routes made with the table: hidden", "`types/aws/ec2_routing.routes` leaves out routes to `local`; one that points elsewhere stays in.",
        (fold("the local route", ("aws_route_table", {"id": "rtb-1", "vpc_id": "vpc-1", "route": []}), _tables()),),
        (change("the local range goes through an appliance", ("aws_route_table", {"id": "rtb-1", "vpc_id": "vpc-1", "route": []}),
                _tables({"DestinationCidrBlock": "10.0.0.0/16", "NetworkInterfaceId": "eni-1", "Origin": "CreateRoute"}), ("changed", "aws_route_table.x", "route")),),
    ),
    _unmanaged(18, "Default network ACL: hidden", "`readers/aws/ec2_routing.read_network_acls`: while its rules are those of AWS.", _acls(), _acls(_ENTRY), "acl-1"),
    Family(
        "19 default-acl-rules", "Default ACL rules: the closing deny-all hidden", "`readers/aws/ec2_routing._LAST_RULES`: numbers that nobody can write.",
        (fold("the closing rules", ("aws_network_acl", {"id": "acl-1", "vpc_id": "vpc-1", "ingress": []}), _acls(default=False)),),
        (change("a rule with a number of its own", ("aws_network_acl", {"id": "acl-1", "vpc_id": "vpc-1", "ingress": []}), _acls(_ENTRY, default=False),
                ("changed", "aws_network_acl.x", "ingress")),),
    ),
    Family(
        "20 inline-acl-rules", "NACL inline rules: become rules of their own, protocols numbers", "`TypeSpec.inline` of aws_network_acl; `protocol_number`.",
        (
            fold("inline, the protocol by name", ("aws_network_acl", _NACL), _acls(_ENTRY, default=False)),
            fold("stand-alone", (("aws_network_acl", {**_NACL, "ingress": []}), ("aws_network_acl_rule", _NACL_RULE)), _acls(_ENTRY, default=False)),
        ),
        (
            change("another protocol", (("aws_network_acl", {**_NACL, "ingress": []}), ("aws_network_acl_rule", _NACL_RULE)), _acls({**_ENTRY, "Protocol": "17"}, default=False),
                   ("changed", "aws_network_acl_rule.x", "protocol")),
            change("inline and wider", ("aws_network_acl", _NACL), _acls({**_ENTRY, "CidrBlock": "0.0.0.0/0"}, default=False), ("changed", "aws_network_acl.x", "ingress")),
        ),
    ),
    _split(21, "aws_s3_bucket", "b", "policy", "aws_s3_bucket_policy", {"bucket": "b", "policy": POLICY}, "b", {"id": "b", "bucket": "b"},
           "S3 bucket inline policy: a policy of its own wins", SAME, WIDER),
    _split(22, "aws_sqs_queue", "us-east-1/123456789012/q", "policy", "aws_sqs_queue_policy", {"queue_url": _QUEUE, "policy": POLICY}, "us-east-1/123456789012/q", {"id": _QUEUE},
           "SQS queue inline policy: a policy of its own wins", SAME, WIDER),
    Family(
        "23 empty-queue-policy", "Empty SQS policy: hidden", "`readers/aws/sqs` yields no policy resource where there is no policy.",
        (fold("no policy", ("aws_sqs_queue", {"id": _QUEUE, "policy": ""}), _queue(None)),),
        (change("a policy", ("aws_sqs_queue", {"id": _QUEUE, "policy": ""}), _queue(WIDER), ("changed", "aws_sqs_queue.x", "policy")),),
    ),
    _split(24, "aws_sns_topic", _TOPIC, "policy", "aws_sns_topic_policy", {"arn": _TOPIC, "policy": POLICY}, _TOPIC, {"arn": _TOPIC},
           "SNS topic inline policy: a policy of its own wins", SAME, WIDER),
    Family(
        "25 role-managed-policies", "Role managed_policy_arns: become attachments", "`TypeSpec.inline` of aws_iam_role.",
        (fold("attached by resources of their own", (("aws_iam_role", {"id": "r", "managed_policy_arns": []}), ("aws_iam_role_policy_attachment", {"role": "r", "policy_arn": ROLE_ARN})),
              (live("aws_iam_role", "r", managed_policy_arns=[ROLE_ARN]), _attachment("role", "r"))),),
        (change("attached by nobody", ("aws_iam_role", {"id": "r", "managed_policy_arns": []}), live("aws_iam_role", "r", managed_policy_arns=[ROLE_ARN]),
                ("changed", "aws_iam_role.x", "managed_policy_arns")),),
    ),
    Family(
        "26 tags-all", "Provider default tags: tags_all stands for tags", "`domain/difference._state_value`.",
        **one("aws_vpc", {"id": "vpc-1", "tags": {"Name": "a"}, "tags_all": {"Name": "a", "Team": "t"}}, {"tags": {"Team": "t", "Name": "a", "aws:cloudformation:stack-name": "s"}},
              {"tags": {"Name": "a"}}, "tags.Team"),
    ),
    Family(
        "27 address-association", "Elastic IP with an association: has an association resource", "`TypeSpec.inline` of aws_eip.",
        (
            fold("inline", ("aws_eip", _EIP), _address("i-1")),
            fold("stand-alone", (("aws_eip", {**_EIP, "instance": ""}), ("aws_eip_association", {"allocation_id": "eipalloc-1", "instance_id": "i-1", "network_interface_id": "eni-1"})), _address("i-1")),
        ),
        (change("moved to another instance", ("aws_eip", _EIP), _address("i-2"), ("changed", "aws_eip.x", "instance")),),
    ),
    Family(
        "28 nat-gateway-address", "Association made by a NAT gateway: dropped", "It names no instance, so the address's `instance` stays empty and covers it.",
        (fold("held by a gateway", ("aws_eip", {**_EIP, "instance": ""}), _address(None, "eni-nat")),),
        (change("held by an instance", ("aws_eip", {**_EIP, "instance": ""}), _address("i-9"), ("changed", "aws_eip.x", "instance")),),
    ),
    Family(
        "29 cluster-instance", "RDS cluster instance: matched by the same id", "Both are keyed by ARN; the reader tells members of a cluster apart.",
        **one("aws_rds_cluster_instance", {"arn": "arn:1", "id": "m", "instance_class": "db.r6g.large", "promotion_tier": 0}, {"instance_class": "db.r6g.large", "promotion_tier": None},
              {"instance_class": "db.r6g.4xlarge", "promotion_tier": 0}, "instance_class"),
    ),
    *gateway.FAMILIES,
    Family("37 ebs-encryption-by-default", "EBS encryption by default: a random id, hidden while off", "Not needed: the type has no spec here, so it is counted as uncovered and never reported"),
    Family(
        "38 alb", "aws_alb: is aws_lb", "`types/aws/elbv2`, `stand_in`.",
        (fold("the old name", ("aws_alb", {"id": "arn:lb", "internal": False}), live("aws_lb", "arn:lb", internal=False)),),
        (change("open to the internet", ("aws_alb", {"id": "arn:lb", "internal": True}), live("aws_lb", "arn:lb", internal=False), ("changed", "aws_alb.x", "internal")),),
    ),
    Family(
        "39 alb-listener", "aws_alb_listener: is aws_lb_listener", "`types/aws/elbv2`, `stand_in`.",
        (fold("the old name", ("aws_alb_listener", {"id": "arn:l", "port": 443}), live("aws_lb_listener", "arn:l", port=443)),),
        (change("another port", ("aws_alb_listener", {"id": "arn:l", "port": 443}), live("aws_lb_listener", "arn:l", port=80), ("changed", "aws_alb_listener.x", "port")),),
    ),
    Family(
        "40 public-access-block", "S3 public access block: with all four off hidden unless in the state",
        "`readers/aws/s3_shapes.is_usual_block`; one that the state declares is compared, and its loss is `missing`.",
        (fold("nothing is blocked and nobody declared it", ("aws_s3_bucket", {"id": "b", "bucket": "b"}), _buckets(get_public_access_block=_public_block(blocked=False))),),
        (change("declared and switched off", ("aws_s3_bucket_public_access_block", {"bucket": "b", "block_public_acls": True, "block_public_policy": True,
                "ignore_public_acls": True, "restrict_public_buckets": True}),
                tuple(item for item in _buckets(get_public_access_block=_public_block(blocked=False)) if item.type == "aws_s3_bucket_public_access_block"),
                *(("changed", "aws_s3_bucket_public_access_block.x", name) for name in ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets"))),),
    ),
    _unmanaged(41, "Service-linked roles: dropped with their policies", "`readers/aws/iam`: `cloud_made` by their path.",
               _roles("/aws-service-role/ecs.amazonaws.com/"), _roles("/"), "r"),
    Family("42 gateway-account", "API Gateway account singleton: hidden", "Not needed: the type has no spec here, so it is counted as uncovered and never reported"),
)  # fmt: skip
