"""VPCs, subnets and flow logs of a stack, where MiniStack falls short of AWS.

- A VPC's default security group lets its own members in.
- A VPC and a subnet have all attributes that AWS documents; a subnet lies within its VPC and overlaps no other.
- A VPC with endpoints, and a subnet with network interfaces, refuse to go.
- Flow logs exist as a resource type; they tell what they were given.
"""

import ipaddress
import secrets

from ministack.core.responses import new_uuid
from ministack.services import ec2
from ministack.services.cloudformation import provisioners

import functions
import provision
from security_groups import default_rules

FLOW_LOG = "AWS::EC2::FlowLog"

# DescribeFlowLogs tells this format of a flow log that was given none.
_DEFAULT_FORMAT = ("${version} ${account-id} ${interface-id} ${srcaddr} ${dstaddr} ${srcport} ${dstport} ${protocol} "
                   "${packets} ${bytes} ${start} ${end} ${action} ${log-status}")
# Everything of a flow log but its tags: what it records and where to cannot change.
_FLOW_LOG_FIXED = ("DeliverCrossAccountRole", "DeliverLogsPermissionArn", "DestinationOptions", "LogDestination",
                   "LogDestinationType", "LogFormat", "LogGroupName", "MaxAggregationInterval", "ResourceId",
                   "ResourceType", "TrafficType")
_STORES = {"VPC": ec2._vpcs, "Subnet": ec2._subnets, "NetworkInterface": ec2._network_interfaces}
# The first four addresses of a subnet and its last one are AWS's.
_RESERVED_ADDRESSES = 5

_delete_vpc = ec2._delete_vpc


def install() -> None:
    ec2._delete_vpc = delete_vpc
    ec2._ACTION_MAP["DeleteVpc"] = delete_vpc
    provision.wrap("AWS::EC2::VPC", attributes=vpc_attributes)
    handler = provisioners._RESOURCE_HANDLERS["AWS::EC2::VPC"]
    create = handler["create"]

    def created(logical_id, props, stack_name):
        made = create(logical_id, props, stack_name)
        default = ec2._security_groups[made[1]["DefaultSecurityGroup"]]
        default["IpPermissions"].append(default_rules(default["GroupId"])["IpPermissions"])
        return made

    handler["create"] = created
    provision.wrap("AWS::EC2::Subnet", attributes=subnet_attributes, before_create=check_subnet, before_delete=check_unused)
    provision.wrap("AWS::EC2::SubnetRouteTableAssociation", attributes=lambda association: {"Id": association})
    provision.register(FLOW_LOG, create_flow_log, update_flow_log, delete_flow_log, replacing=_FLOW_LOG_FIXED, tags="Tags")
    ec2._describe_flow_logs = describe_flow_logs
    ec2._ACTION_MAP["DescribeFlowLogs"] = describe_flow_logs


def vpc_attributes(vpc_id: str) -> dict:
    cidr = ec2._vpcs[vpc_id]["CidrBlock"]
    return {
        "CidrBlock": cidr,
        "CidrBlockAssociations": [f"vpc-cidr-assoc-{vpc_id[4:]}"],
        "Ipv6CidrBlocks": [],
        "VpcId": vpc_id,
    }


def subnet_attributes(subnet_id: str) -> dict:
    subnet = ec2._subnets[subnet_id]
    # MiniStack says 251 whatever the size.
    subnet["AvailableIpAddressCount"] = _addresses(subnet["CidrBlock"]).num_addresses - _RESERVED_ADDRESSES
    told = {field: subnet[field] for field in ("AvailabilityZone", "AvailabilityZoneId", "CidrBlock", "VpcId")}
    return {**told, "SubnetId": subnet_id, "Ipv6CidrBlocks": [], "NetworkAclAssociationId": f"aclassoc-{subnet_id[7:]}"}


def check_subnet(_logical_id, props, _stack_name) -> None:
    vpc = ec2._vpcs.get(props.get("VpcId", ""))
    if vpc is None:
        raise ValueError(f"The vpc ID '{props.get('VpcId', '')}' does not exist (InvalidVpcID.NotFound)")
    block, whole = _addresses(props.get("CidrBlock", "")), _addresses(vpc["CidrBlock"])
    if not block.subnet_of(whole) or not 16 <= block.prefixlen <= 28:
        raise ValueError(f"The CIDR '{block}' is invalid. (InvalidSubnet.Range)")
    for other in ec2._subnets.values():
        if other["VpcId"] == vpc["VpcId"] and block.overlaps(_addresses(other["CidrBlock"])):
            raise ValueError(f"The CIDR '{block}' conflicts with another subnet (InvalidSubnet.Conflict)")


def _addresses(cidr: str) -> ipaddress.IPv4Network:
    try:
        return ipaddress.IPv4Network(cidr)
    except ValueError as problem:
        raise ValueError(f"Value ({cidr}) for parameter cidrBlock is invalid. (InvalidParameterValue)") from problem


def check_unused(subnet_id, _props) -> None:
    attached = any(each["SubnetId"] == subnet_id for each in ec2._network_interfaces.values())
    if attached or subnet_id in functions.in_use("SubnetIds"):
        raise ValueError(f"The subnet '{subnet_id}' has dependencies and cannot be deleted. (DependencyViolation)")


def delete_vpc(params):
    vpc_id = ec2._p(params, "VpcId")
    if any(each["VpcId"] == vpc_id for each in ec2._vpc_endpoints.values()):
        return ec2._error("DependencyViolation", f"The vpc '{vpc_id}' has dependencies and cannot be deleted.", 400)
    return _delete_vpc(params)


def create_flow_log(_logical_id, props, _stack_name):
    resource, kind = props.get("ResourceId", ""), props.get("ResourceType", "VPC")
    if resource not in _STORES.get(kind, {}):
        raise ValueError(f"The {kind} ID '{resource}' does not exist")
    to_logs = props.get("LogDestinationType", "cloud-watch-logs") == "cloud-watch-logs"
    if to_logs and not props.get("DeliverLogsPermissionArn"):
        raise ValueError("DeliverLogsPermissionArn can't be empty if LogDestinationType is cloud-watch-logs.")
    record = {
        "ResourceId": resource,
        "ResourceType": kind,
        "TrafficType": props.get("TrafficType", "ALL"),
        "LogDestinationType": props.get("LogDestinationType", "cloud-watch-logs"),
        "LogDestination": props.get("LogDestination", ""),
        "LogGroupName": props.get("LogGroupName", ""),
        "DeliverLogsPermissionArn": props.get("DeliverLogsPermissionArn", ""),
        "LogFormat": props.get("LogFormat", _DEFAULT_FORMAT),
        "MaxAggregationInterval": int(props.get("MaxAggregationInterval", 600)),
    }
    if any(record.items() <= other.items() for other in ec2._flow_logs.values()):
        raise ValueError("There is an existing Flow Log with the same configuration and log destination. "
                         "(FlowLogAlreadyExists)")
    flow_log = f"fl-{secrets.token_hex(9)[:17]}"
    ec2._flow_logs[flow_log] = {
        **record, "FlowLogId": flow_log, "FlowLogStatus": "ACTIVE", "CreationTime": ec2._now_ts(),
        "ClientToken": new_uuid(),
    }
    provisioners._ec2_apply_tags(flow_log, props)
    return flow_log, {"Id": flow_log}


def update_flow_log(physical_id, old, new, stack_name, logical_id):
    if physical_id not in ec2._flow_logs:
        return create_flow_log(logical_id, new, stack_name)
    provisioners._ec2_apply_tags(physical_id, new, old)
    return physical_id, {"Id": physical_id}


def delete_flow_log(physical_id, _props):
    ec2._flow_logs.pop(physical_id, None)
    ec2._tags.pop(physical_id, None)


_TOLD = ("FlowLogId", "ResourceId", "TrafficType", "LogDestinationType", "LogDestination", "LogGroupName",
         "DeliverLogsPermissionArn", "LogFormat", "MaxAggregationInterval", "FlowLogStatus", "CreationTime")


def describe_flow_logs(params):
    ids, filters = ec2._parse_member_list(params, "FlowLogId"), ec2._parse_filters(params)
    fields = {"resource-id": "ResourceId", "log-group-name": "LogGroupName", "traffic-type": "TrafficType",
              "flow-log-id": "FlowLogId", "log-destination-type": "LogDestinationType"}
    items = ""
    for each in ec2._flow_logs.values():
        wanted = all(each.get(field) in filters[name] for name, field in fields.items() if name in filters)
        if not wanted or ids and each["FlowLogId"] not in ids:
            continue
        if not ec2._resource_matches_tag_filters(each["FlowLogId"], filters):
            continue
        told = "".join(f"<{name[0].lower()}{name[1:]}>{ec2._esc(str(each[name]))}</{name[0].lower()}{name[1:]}>"
                       for name in _TOLD if each.get(name))
        items += f"<item>{told}<deliverLogsStatus>SUCCESS</deliverLogsStatus>{ec2._tag_set_xml(each['FlowLogId'])}</item>"
    return ec2._xml(200, "DescribeFlowLogsResponse", f"<flowLogSet>{items}</flowLogSet>")
