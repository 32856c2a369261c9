"""What a stack says of its network, as the EC2 API tells it."""

import json
import unittest

from in_process import ACCOUNT, Case

REF = lambda name: {"Ref": name}  # noqa: E731
GET = lambda name, attribute: {"Fn::GetAtt": [name, attribute]}  # noqa: E731
ZONE = lambda place: {"Fn::Select": [place, {"Fn::GetAZs": ""}]}  # noqa: E731
BLOCK = lambda place: {"Fn::Select": [place, {"Fn::Cidr": [GET("Vpc", "CidrBlock"), 3, 8]}]}  # noqa: E731
SERVICE = lambda name: {"Fn::Sub": f"com.amazonaws.${{AWS::Region}}.{name}"}  # noqa: E731
TO = lambda group: {"GroupId": GET(group, "GroupId"), "IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}  # noqa: E731


def of(kind, /, **properties):
    return {"Type": kind, "Properties": properties}


def vpc(**properties):
    return of("AWS::EC2::VPC", CidrBlock="10.7.0.0/20", EnableDnsSupport=True, EnableDnsHostnames=True, **properties)


def subnet(place, **properties):
    return of("AWS::EC2::Subnet", **{"VpcId": REF("Vpc"), "CidrBlock": BLOCK(place), "AvailabilityZone": ZONE(place)},
              **properties)


def group(**properties):
    return of("AWS::EC2::SecurityGroup", VpcId=REF("Vpc"), GroupDescription="one", **properties)


def interface(service="sts", **properties):
    return of("AWS::EC2::VPCEndpoint", VpcId=REF("Vpc"), VpcEndpointType="Interface", ServiceName=SERVICE(service),
              **{"SubnetIds": [REF("A"), REF("B")], "PrivateDnsEnabled": True, **properties})


GROUND = {"Vpc": vpc(), "A": subnet(0), "B": subnet(1), "C": subnet(2), "Group": group()}
OWN = {"Version": "2012-10-17", "Statement": [{
    "Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "*", "Resource": "*",
    "Condition": {"StringEquals": {"aws:PrincipalAccount": REF("AWS::AccountId")}}}]}


class Network(Case):
    def ec2(self, operation, key, **filters):
        named = [{"Name": name.replace("_", "-"), "Values": [value]} for name, value in filters.items()]
        return getattr(self.client("ec2"), operation)(Filters=named)[key]

    def endpoints(self, **filters):
        return self.ec2("describe_vpc_endpoints", "VpcEndpoints", **filters)

    def test_a_vpc_tells_all_that_aws_documents(self):
        names = ("CidrBlock", "DefaultSecurityGroup", "DefaultNetworkAcl", "VpcId")
        told = self.make({"Vpc": vpc()}, {name: {"Value": GET("Vpc", name)} for name in names})
        [found] = self.ec2("describe_vpcs", "Vpcs", vpc_id=told["VpcId"])
        self.assertEqual((told["CidrBlock"], told["VpcId"]), (found["CidrBlock"], self.physical("Vpc")))
        [default] = self.ec2("describe_security_groups", "SecurityGroups", vpc_id=told["VpcId"])
        self.assertEqual(default["GroupId"], told["DefaultSecurityGroup"])
        [rule] = default["IpPermissions"]
        self.assertEqual(rule["UserIdGroupPairs"][0]["GroupId"], default["GroupId"])

    def test_three_zones_have_a_subnet_each_of_its_true_size(self):
        told = self.make(GROUND, {"Zone": {"Value": GET("C", "AvailabilityZone")}, "Block": {"Value": GET("C", "CidrBlock")}})
        self.assertEqual(told, {"Zone": "us-east-1c", "Block": "10.7.2.0/24"})
        self.make({"Vpc": vpc(), "A": subnet(0, **{}) | {"Properties": {
            "VpcId": REF("Vpc"), "CidrBlock": "10.7.4.0/22"}}}, name="other")
        [found] = self.client("ec2").describe_subnets(SubnetIds=[self.physical("A", "other")])["Subnets"]
        self.assertEqual(found["AvailableIpAddressCount"], 1019)

    def test_a_subnet_lies_in_its_vpc_and_overlaps_no_other(self):
        outside = of("AWS::EC2::Subnet", VpcId=REF("Vpc"), CidrBlock="10.8.0.0/24")
        self.refuse({"Vpc": vpc(), "A": outside}, "InvalidSubnet.Range")
        twice = of("AWS::EC2::Subnet", VpcId=REF("Vpc"), CidrBlock="10.7.0.128/25")
        self.refuse({"Vpc": vpc(), "A": subnet(0), "B": {**twice, "DependsOn": "A"}}, "InvalidSubnet.Conflict", name="twice")

    def test_an_interface_endpoint_tells_policy_names_groups_and_interfaces(self):
        made = interface(SecurityGroupIds=[GET("Group", "GroupId")], PolicyDocument=OWN, Tags=[{"Key": "Project", "Value": "x"}])
        told = self.make({**GROUND, "Sts": made}, {"Name": {"Value": {"Fn::Select": [3, GET("Sts", "DnsEntries")]}},
                                                   "Card": {"Value": {"Fn::Select": [1, GET("Sts", "NetworkInterfaceIds")]}}})
        [found] = self.endpoints(vpc_endpoint_type="Interface")
        policy = json.loads(found["PolicyDocument"])
        self.assertEqual(policy["Statement"][0]["Condition"], {"StringEquals": {"aws:PrincipalAccount": ACCOUNT}})
        self.assertEqual((found["PrivateDnsEnabled"], found["State"]), (True, "available"))
        self.assertEqual([each["GroupId"] for each in found["Groups"]], [self.physical("Group")])
        self.assertEqual(found["DnsEntries"][-1]["DnsName"], "sts.us-east-1.amazonaws.com")
        self.assertTrue(told["Name"].endswith(":sts.us-east-1.amazonaws.com"), told)
        self.assertIn({"Key": "Project", "Value": "x"}, found["Tags"])
        cards = self.ec2("describe_network_interfaces", "NetworkInterfaces")
        self.assertEqual({each["NetworkInterfaceId"] for each in cards}, set(found["NetworkInterfaceIds"]))
        self.assertIn(told["Card"], found["NetworkInterfaceIds"])
        self.assertEqual({each["SubnetId"] for each in cards}, {self.physical("A"), self.physical("B")})
        self.assertEqual(self.destroy(), "DELETE_COMPLETE")
        self.assertEqual(self.ec2("describe_network_interfaces", "NetworkInterfaces"), [])

    def test_an_endpoint_without_a_policy_tells_that_it_lets_all_through(self):
        self.make({**GROUND, "Sts": interface()})
        [found] = self.endpoints()
        self.assertEqual(json.loads(found["PolicyDocument"])["Statement"][0]["Action"], "*")

    def test_an_endpoint_changes_in_place_but_for_its_service(self):
        self.make({**GROUND, "Sts": interface()})
        before = self.physical("Sts")
        self.make({**GROUND, "Sts": interface(SubnetIds=[REF("B"), REF("C")], PolicyDocument=OWN)})
        [found] = self.endpoints()
        self.assertEqual((found["VpcEndpointId"], set(found["SubnetIds"])), (before, {self.physical("B"), self.physical("C")}))
        self.assertEqual(len(self.ec2("describe_network_interfaces", "NetworkInterfaces")), 2)
        self.make({**GROUND, "Sts": interface("kms")})
        [found] = self.endpoints()
        self.assertNotEqual(found["VpcEndpointId"], before)
        self.assertEqual(len(self.ec2("describe_network_interfaces", "NetworkInterfaces")), 2)

    def test_one_name_has_one_private_endpoint_and_needs_the_vpcs_dns(self):
        self.refuse({**GROUND, "Sts": interface(), "Again": interface()}, "conflicting DNS domain for sts.us-east-1")
        silent = of("AWS::EC2::VPC", CidrBlock="10.7.0.0/20")
        self.refuse({**GROUND, "Vpc": silent, "Sts": interface()}, "enableDnsHostnames", name="silent")

    def test_a_gateway_endpoint_has_its_routes(self):
        table = of("AWS::EC2::RouteTable", VpcId=REF("Vpc"))
        gateway = of("AWS::EC2::VPCEndpoint", VpcId=REF("Vpc"), ServiceName=SERVICE("s3"), RouteTableIds=[REF("Table")])
        self.make({**GROUND, "Table": table, "S3": gateway})
        routes = lambda: self.client("ec2").describe_route_tables(  # noqa: E731
            RouteTableIds=[self.physical("Table")])["RouteTables"][0]["Routes"]
        self.assertEqual([each.get("GatewayId") for each in routes()], ["local", self.physical("S3")])
        self.assertTrue(routes()[1]["DestinationPrefixListId"].startswith("pl-"))
        self.make({**GROUND, "Table": table})
        self.assertEqual([each.get("GatewayId") for each in routes()], ["local"])

    def test_a_flow_log_tells_what_it_was_given_and_is_replaced(self):
        role = of("AWS::IAM::Role", AssumeRolePolicyDocument={"Statement": []})
        log = lambda traffic, tag: of(  # noqa: E731
            "AWS::EC2::FlowLog", ResourceId=REF("Vpc"), ResourceType="VPC", TrafficType=traffic, LogGroupName="/flow",
            DeliverLogsPermissionArn=GET("Role", "Arn"), MaxAggregationInterval=60, Tags=[{"Key": "k", "Value": tag}])
        logs = lambda: self.client("ec2").describe_flow_logs()["FlowLogs"]  # noqa: E731
        self.make({"Vpc": vpc(), "Role": role, "Log": log("ALL", "a")}, {"Id": {"Value": GET("Log", "Id")}})
        [first] = logs()
        self.assertEqual((first["FlowLogId"], first["ResourceId"], first["LogGroupName"], first["MaxAggregationInterval"]),
                         (self.outputs()["Id"], self.physical("Vpc"), "/flow", 60))
        self.make({"Vpc": vpc(), "Role": role, "Log": log("ALL", "b")})
        self.assertEqual([each["FlowLogId"] for each in logs()], [first["FlowLogId"]])
        self.assertIn({"Key": "k", "Value": "b"}, logs()[0]["Tags"])
        self.make({"Vpc": vpc(), "Role": role, "Log": log("REJECT", "b")})
        [second] = logs()
        self.assertNotEqual(second["FlowLogId"], first["FlowLogId"])
        self.refuse({"Vpc": vpc(), "Log": of("AWS::EC2::FlowLog", ResourceId=REF("Vpc"), ResourceType="VPC", TrafficType="ALL",
                                             LogGroupName="/flow")}, "DeliverLogsPermissionArn", name="mute")
        self.assertEqual(self.destroy(), "DELETE_COMPLETE")
        self.assertEqual(logs(), [])

    def test_rules_of_their_own_come_change_and_go(self):
        rules = lambda port, words: {  # noqa: E731
            "Other": group(),
            "In": of("AWS::EC2::SecurityGroupIngress", SourceSecurityGroupId=GET("Other", "GroupId"), Description=words,
                     GroupId=GET("Group", "GroupId"), IpProtocol="tcp", FromPort=port, ToPort=port),
            "Out": of("AWS::EC2::SecurityGroupEgress", DestinationSecurityGroupId=GET("Group", "GroupId"), **TO("Other")),
        }
        told = lambda name: self.client("ec2").describe_security_groups(  # noqa: E731
            GroupIds=[self.physical(name)])["SecurityGroups"][0]
        self.make({**GROUND, **rules(443, "one")})
        [rule] = told("Group")["IpPermissions"]
        self.assertEqual((rule["FromPort"], rule["UserIdGroupPairs"][0]["GroupId"]), (443, self.physical("Other")))
        self.assertEqual([each["IpProtocol"] for each in told("Other")["IpPermissionsEgress"]], ["tcp"])
        first = self.physical("In")
        self.make({**GROUND, **rules(443, "two")})
        self.assertEqual(self.physical("In"), first)
        self.assertEqual(told("Group")["IpPermissions"][0]["UserIdGroupPairs"][0]["Description"], "two")
        self.make({**GROUND, **rules(8443, "two")})
        self.assertNotEqual(self.physical("In"), first)
        self.assertEqual([each["FromPort"] for each in told("Group")["IpPermissions"]], [8443])
        known = self.client("ec2").describe_security_group_rules(SecurityGroupRuleIds=[self.physical("In")])
        self.assertEqual(len(known["SecurityGroupRules"]), 1)
        self.make(GROUND)
        self.assertEqual(told("Group")["IpPermissions"], [])

    def test_the_same_rule_twice_is_refused(self):
        rule = of("AWS::EC2::SecurityGroupIngress", CidrIp="10.0.0.0/8", **TO("Group"))
        self.refuse({**GROUND, "One": rule, "Two": {**rule, "DependsOn": "One"}}, "InvalidPermission.Duplicate")

    def test_a_group_that_is_used_refuses_to_go(self):
        self.make({**GROUND, "Sts": interface(SecurityGroupIds=[GET("Group", "GroupId")])})
        group_id, subnet_id = self.physical("Group"), self.physical("A")
        from ministack.services.cloudformation import provisioners
        for kind, physical_id in (("AWS::EC2::SecurityGroup", group_id), ("AWS::EC2::Subnet", subnet_id)):
            with self.assertRaisesRegex(ValueError, "DependencyViolation"):
                provisioners._delete_resource(kind, physical_id, {})

    def test_a_function_tells_its_vpc_and_holds_it(self):
        role = of("AWS::IAM::Role", AssumeRolePolicyDocument={"Statement": []})
        function = lambda *groups: of(  # noqa: E731
            "AWS::Lambda::Function", FunctionName="f", Runtime="python3.11", Handler="index.handler", Role=GET("Role", "Arn"),
            Code={"ZipFile": "def handler(event, context): return 1"},
            VpcConfig={"SubnetIds": [REF("A"), REF("B")], "SecurityGroupIds": [GET(each, "GroupId") for each in groups]})
        resources = {**GROUND, "Role": role, "Second": group()}
        self.make({**resources, "F": function("Group")})
        told = lambda: self.client("lambda").get_function_configuration(FunctionName="f")["VpcConfig"]  # noqa: E731
        self.assertEqual((told()["VpcId"], told()["SecurityGroupIds"]), (self.physical("Vpc"), [self.physical("Group")]))
        self.make({**resources, "F": function("Second")})
        self.assertEqual(told()["SecurityGroupIds"], [self.physical("Second")])
        gone = {**function("Second")["Properties"], "FunctionName": "g",
                "VpcConfig": {"SubnetIds": ["subnet-0123456789abcdef0"], "SecurityGroupIds": []}}
        self.refuse({"Role": role, "F": of("AWS::Lambda::Function", **gone)}, "does not exist", name="gone")
        self.assertEqual(self.destroy(), "DELETE_COMPLETE")

    def test_the_default_group_is_closed_and_opened_again(self):
        closed = of("Custom::VpcRestrictDefaultSG", ServiceToken="arn:aws:lambda:us-east-1:000000000000:function:none",
                    DefaultSecurityGroupId=GET("Vpc", "DefaultSecurityGroup"), Account=ACCOUNT)
        self.make({"Vpc": vpc(), "Closed": closed})
        told = lambda: self.ec2("describe_security_groups", "SecurityGroups",  # noqa: E731
                                vpc_id=self.physical("Vpc"))[0]
        self.assertEqual((told()["IpPermissions"], told()["IpPermissionsEgress"]), ([], []))
        self.make({"Vpc": vpc()})
        self.assertEqual((len(told()["IpPermissions"]), len(told()["IpPermissionsEgress"])), (1, 1))

    def test_nothing_is_left(self):
        kinds = {"describe_vpcs": "Vpcs", "describe_subnets": "Subnets", "describe_security_groups": "SecurityGroups",
                 "describe_route_tables": "RouteTables", "describe_network_acls": "NetworkAcls",
                 "describe_vpc_endpoints": "VpcEndpoints", "describe_network_interfaces": "NetworkInterfaces",
                 "describe_tags": "Tags"}
        all_of = lambda: {key: self.ec2(operation, key) for operation, key in kinds.items()}  # noqa: E731
        before = all_of()
        self.make({**GROUND, "Sts": interface(), "Table": of("AWS::EC2::RouteTable", VpcId=REF("Vpc")),
                   "Tie": of("AWS::EC2::SubnetRouteTableAssociation", SubnetId=REF("A"), RouteTableId=REF("Table"))},
                  {"Tie": {"Value": GET("Tie", "Id")}})
        self.assertNotEqual(all_of(), before)
        self.assertEqual(self.destroy(), "DELETE_COMPLETE")
        self.assertEqual(all_of(), before)


if __name__ == "__main__":
    unittest.main()
