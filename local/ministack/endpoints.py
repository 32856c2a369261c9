"""VPC endpoints of a stack.

MiniStack stores them and tells little: here DescribeVpcEndpoints tells policy, private DNS, groups and interfaces too, and
understands filters. An interface endpoint has a network interface in each of its subnets, a gateway endpoint its routes.
Two endpoints of one VPC cannot both answer for a service's name, and private DNS needs the VPC's DNS, as on AWS.
"""

import ipaddress
import json
import secrets

from ministack.core.responses import get_account_id, get_region, now_iso
from ministack.services import ec2
from ministack.services.cloudformation import provisioners

import provision

ENDPOINT = "AWS::EC2::VPCEndpoint"

# What an endpoint without a policy lets through.
_FULL_ACCESS = {"Version": "2008-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]}
_HOSTED_ZONE = "Z7HUB22UULQXV"  # That of the names in us-east-1; each Region has one of its own.


def install() -> None:
    fixed = ("ServiceName", "VpcEndpointType", "VpcId", "ServiceRegion", "ResourceConfigurationArn", "ServiceNetworkArn")
    provision.register(ENDPOINT, create, update, delete, replacing=fixed, tags="Tags")
    ec2._vpce_fields_xml = fields_xml
    for name, action in (("DescribeVpcEndpoints", describe), ("DeleteVpcEndpoints", delete_some)):
        ec2._ACTION_MAP[name] = action


def create(_logical_id, props, _stack_name):
    vpc = ec2._vpcs.get(props.get("VpcId", ""))
    if vpc is None:
        raise ValueError(f"The Vpc Id {props.get('VpcId', '')} does not exist (InvalidVpcId.NotFound)")
    endpoint = {
        "VpcEndpointId": f"vpce-{secrets.token_hex(9)[:17]}",
        "VpcEndpointType": props.get("VpcEndpointType", "Gateway"),
        "VpcId": vpc["VpcId"],
        "ServiceName": props.get("ServiceName", ""),
        "State": "available",
        "OwnerId": get_account_id(),
        "CreationTimestamp": now_iso(),
        "NetworkInterfaceIds": [],
        "_suffix": secrets.token_hex(4),
    }
    settings = _settings(endpoint, props, vpc)
    ec2._vpc_endpoints[endpoint["VpcEndpointId"]] = endpoint
    _apply(endpoint, settings)
    provisioners._ec2_apply_tags(endpoint["VpcEndpointId"], props)
    return endpoint["VpcEndpointId"], attributes(endpoint)


def update(physical_id, old, new, stack_name, logical_id):
    endpoint = ec2._vpc_endpoints.get(physical_id)
    if endpoint is None:
        return create(logical_id, new, stack_name)
    endpoint.setdefault("_suffix", secrets.token_hex(4))  # One that MiniStack's API made has none.
    _apply(endpoint, _settings(endpoint, new, ec2._vpcs[endpoint["VpcId"]]))
    provisioners._ec2_apply_tags(physical_id, new, old)
    return physical_id, attributes(endpoint)


def delete(physical_id, _props):
    endpoint = ec2._vpc_endpoints.get(physical_id)
    if endpoint is not None:
        _apply(endpoint, {"SubnetIds": [], "RouteTableIds": [], "SecurityGroupIds": []})
        ec2._vpc_endpoints.pop(physical_id, None)
        ec2._tags.pop(physical_id, None)


def attributes(endpoint: dict) -> dict:
    return {
        "Id": endpoint["VpcEndpointId"],
        "CreationTimestamp": endpoint["CreationTimestamp"],
        "DnsEntries": [f"{_HOSTED_ZONE}:{name}" for name in _names(endpoint)],
        "NetworkInterfaceIds": list(endpoint["NetworkInterfaceIds"]),
    }


def _settings(endpoint: dict, props: dict, vpc: dict) -> dict:
    """What can change, checked: nothing is changed if AWS would refuse."""
    interface = endpoint["VpcEndpointType"] != "Gateway"
    policy = props.get("PolicyDocument") or _FULL_ACCESS
    settings = {
        "PolicyDocument": policy if isinstance(policy, str) else json.dumps(policy),
        "RouteTableIds": list(props.get("RouteTableIds") or []),
        "SubnetIds": list(props.get("SubnetIds") or []),
        "SecurityGroupIds": list(props.get("SecurityGroupIds") or []),
        "PrivateDnsEnabled": provisioners._cfn_bool(props.get("PrivateDnsEnabled", False)),
    }
    if interface and not settings["SecurityGroupIds"]:
        settings["SecurityGroupIds"] = [vpc["DefaultSecurityGroupId"]]
    for key, store, what in (("RouteTableIds", ec2._route_tables, "route table"), ("SubnetIds", ec2._subnets, "subnet"),
                             ("SecurityGroupIds", ec2._security_groups, "security group")):
        for each in settings[key]:
            if store.get(each, {}).get("VpcId") != vpc["VpcId"]:
                raise ValueError(f"The {what} '{each}' does not exist in the VPC '{vpc['VpcId']}'")
    zones = [ec2._subnets[each]["AvailabilityZone"] for each in settings["SubnetIds"]]
    if len(set(zones)) != len(zones):
        raise ValueError("Found another VPC endpoint subnet in the availability zone of the given ones "
                         "(DuplicateSubnetsInSameZone)")
    if interface and settings["PrivateDnsEnabled"]:
        _check_private_dns(endpoint, vpc)
    return settings


def _check_private_dns(endpoint: dict, vpc: dict) -> None:
    # The defaults of a VPC that is made by the API or a template.
    if not vpc.get("EnableDnsSupport", True) or not vpc.get("EnableDnsHostnames", False):
        raise ValueError("Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC attributes set to "
                         f"true for {vpc['VpcId']} (InvalidParameter)")
    for other in ec2._vpc_endpoints.values():
        alike = all(other.get(key) == endpoint[key] for key in ("VpcId", "ServiceName", "VpcEndpointType"))
        if alike and other.get("PrivateDnsEnabled") and other["VpcEndpointId"] != endpoint["VpcEndpointId"]:
            raise ValueError("private-dns-enabled cannot be set because there is already a conflicting DNS domain for "
                             f"{_service_name(endpoint)} in the VPC {vpc['VpcId']} (InvalidParameter)")


def _apply(endpoint: dict, settings: dict) -> None:
    endpoint.update(settings)
    endpoint_id = endpoint["VpcEndpointId"]
    prefix_list = ec2._aws_pl_id_from_name(endpoint["ServiceName"])
    for table in ec2._route_tables.values():
        table["Routes"] = [each for each in table["Routes"] if each.get("GatewayId") != endpoint_id]
        if table["RouteTableId"] in settings["RouteTableIds"]:
            table["Routes"].append({"DestinationPrefixListId": prefix_list, "GatewayId": endpoint_id, "State": "active",
                                    "Origin": "CreateRoute"})
    kept = {}
    for each in endpoint.get("NetworkInterfaceIds", []):
        interface = ec2._network_interfaces.get(each)
        if interface and interface["SubnetId"] in settings["SubnetIds"]:
            kept[interface["SubnetId"]] = each
        else:
            ec2._network_interfaces.pop(each, None)
    made = {subnet: kept.get(subnet) or _interface(endpoint, subnet) for subnet in settings["SubnetIds"]}
    endpoint["NetworkInterfaceIds"] = list(made.values())
    for each in made.values():
        ec2._network_interfaces[each]["Groups"] = [
            {"GroupId": group, "GroupName": ec2._security_groups[group]["GroupName"]}
            for group in settings["SecurityGroupIds"]
        ]


def _interface(endpoint: dict, subnet_id: str) -> str:
    subnet = ec2._subnets[subnet_id]
    taken = {each["PrivateIpAddress"] for each in ec2._network_interfaces.values()}
    hosts = ipaddress.ip_network(subnet["CidrBlock"]).hosts()
    address = next(str(each) for place, each in enumerate(hosts) if place >= 3 and str(each) not in taken)
    interface = f"eni-{secrets.token_hex(9)[:17]}"
    ec2._network_interfaces[interface] = {
        "NetworkInterfaceId": interface,
        "SubnetId": subnet_id,
        "VpcId": subnet["VpcId"],
        "AvailabilityZone": subnet["AvailabilityZone"],
        "Description": f"VPC Endpoint Interface {endpoint['VpcEndpointId']}",
        "OwnerId": get_account_id(),
        "Status": "in-use",
        "PrivateIpAddress": address,
        "InterfaceType": "vpc_endpoint",
        "SourceDestCheck": True,
        "MacAddress": ":".join(["02", *(secrets.token_hex(1) for _ in range(5))]),
        "Groups": [],
        "Attachment": None,
    }
    return interface


def _service_name(endpoint: dict) -> str:
    """`com.amazonaws.us-east-1.ecr.dkr` is reached as `dkr.ecr.us-east-1.amazonaws.com`."""
    labels = endpoint["ServiceName"].split(".")[3:]
    return ".".join([*reversed(labels), get_region(), "amazonaws.com"])


def _names(endpoint: dict) -> list[str]:
    if endpoint["VpcEndpointType"] == "Gateway":
        return []
    own = f"{endpoint['VpcEndpointId']}-{endpoint.get('_suffix', '')}"
    service = _service_name(endpoint)
    regional = service.removesuffix("amazonaws.com") + "vpce.amazonaws.com"
    zones = [ec2._subnets[each]["AvailabilityZone"] for each in endpoint.get("SubnetIds", []) if each in ec2._subnets]
    return [f"{own}.{regional}", *(f"{own}-{zone}.{regional}" for zone in zones),
            *([service] if endpoint.get("PrivateDnsEnabled") else [])]


def describe(params):
    ids, filters = ec2._parse_member_list(params, "VpcEndpointId"), ec2._parse_filters(params)
    for each in ids:
        if each not in ec2._vpc_endpoints:
            return ec2._error("InvalidVpcEndpointId.NotFound", f"The Vpc Endpoint Id '{each}' does not exist", 400)
    fields = {"vpc-id": "VpcId", "service-name": "ServiceName", "vpc-endpoint-id": "VpcEndpointId",
              "vpc-endpoint-type": "VpcEndpointType", "vpc-endpoint-state": "State"}
    items = "".join(
        ec2._vpce_fields_xml(each) for each in ec2._vpc_endpoints.values()
        if (not ids or each["VpcEndpointId"] in ids)
        and all(each.get(field) in filters[name] for name, field in fields.items() if name in filters)
        and ec2._resource_matches_tag_filters(each["VpcEndpointId"], filters)
    )
    return ec2._xml(200, "DescribeVpcEndpointsResponse", f"<vpcEndpointSet>{items}</vpcEndpointSet>")


def delete_some(params):
    for each in ec2._parse_member_list(params, "VpcEndpointId"):
        delete(each, {})
    return ec2._xml(200, "DeleteVpcEndpointsResponse", "<unsuccessful/>")


def fields_xml(endpoint: dict, tag: str = "item") -> str:
    groups = "".join(
        f"<item><groupId>{each}</groupId><groupName>{ec2._esc(ec2._security_groups.get(each, {}).get('GroupName', ''))}"
        "</groupName></item>" for each in endpoint.get("SecurityGroupIds", [])
    )
    names = "".join(f"<item><dnsName>{name}</dnsName><hostedZoneId>{_HOSTED_ZONE}</hostedZoneId></item>"
                    for name in _names(endpoint))
    policy = endpoint.get("PolicyDocument") or json.dumps(_FULL_ACCESS)
    return f"""<{tag}>
        <vpcEndpointId>{endpoint['VpcEndpointId']}</vpcEndpointId>
        <vpcEndpointType>{endpoint['VpcEndpointType']}</vpcEndpointType>
        <vpcId>{endpoint['VpcId']}</vpcId>
        <serviceName>{endpoint['ServiceName']}</serviceName>
        <state>{endpoint['State']}</state>
        <ownerId>{endpoint['OwnerId']}</ownerId>
        <policyDocument>{ec2._esc(policy if isinstance(policy, str) else json.dumps(policy))}</policyDocument>
        <privateDnsEnabled>{str(bool(endpoint.get('PrivateDnsEnabled'))).lower()}</privateDnsEnabled>
        <requesterManaged>false</requesterManaged>
        <ipAddressType>ipv4</ipAddressType>
        <creationTimestamp>{endpoint.get('CreationTimestamp') or now_iso()}</creationTimestamp>
        <routeTableIdSet>{_items(endpoint.get('RouteTableIds'))}</routeTableIdSet>
        <subnetIdSet>{_items(endpoint.get('SubnetIds'))}</subnetIdSet>
        <networkInterfaceIdSet>{_items(endpoint.get('NetworkInterfaceIds'))}</networkInterfaceIdSet>
        <groupSet>{groups}</groupSet>
        <dnsEntrySet>{names}</dnsEntrySet>
        {ec2._tag_set_xml(endpoint['VpcEndpointId'])}
    </{tag}>"""


def _items(values) -> str:
    return "".join(f"<item>{each}</item>" for each in values or [])
