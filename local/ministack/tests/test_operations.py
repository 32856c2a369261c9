"""Exports, change sets, conditions and events of stacks."""

import unittest

from in_process import Case

TRUST = {"Statement": []}


def parameter(value, **properties):
    return {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": value, **properties}}


def export(value, name="shared"):
    return {"Shared": {"Value": value, "Export": {"Name": name}}}


class Operations(Case):
    def exports(self):
        return {each["Name"]: each["Value"] for each in self.client("cloudformation").list_exports()["Exports"]}

    def test_an_export_in_use_neither_changes_nor_goes(self):
        self.make({"P": parameter("1")}, export("1"), name="giver")
        self.make({"P": parameter({"Fn::ImportValue": "shared"})}, name="taker")
        changed = {"P": parameter("2")}
        self.assertEqual(self.deploy(changed, export("2"), name="giver"), "UPDATE_ROLLBACK_COMPLETE")
        self.assertIn("Export shared cannot be updated as it is in use by taker", self.reasons("giver"))
        self.assertEqual(self.deploy(changed, export("1", "other"), name="giver"), "UPDATE_ROLLBACK_COMPLETE")
        self.assertIn("Export shared cannot be deleted as it is in use by taker", self.reasons("giver"))
        self.assertEqual(self.exports(), {"shared": "1"})
        self.make(changed, export("1"), name="giver")
        self.destroy("taker")
        self.make({"P": parameter("3")}, export("3"), name="giver")
        self.assertEqual(self.exports(), {"shared": "3"})

    def test_a_stack_whose_export_is_in_use_does_not_go(self):
        self.make({"P": parameter("1")}, export("1"), name="giver")
        self.make({"P": parameter({"Fn::ImportValue": "shared"})}, name="taker")
        with self.assertRaisesRegex(Exception, "shared is imported by stack taker"):
            self.destroy("giver")
        self.assertEqual([self.destroy("taker"), self.destroy("giver"), self.exports()], ["DELETE_COMPLETE"] * 2 + [{}])

    def test_an_export_that_is_dropped_is_gone(self):
        self.make({"P": parameter("1")}, export("1"))
        self.make({"P": parameter("1")}, export("1", "other"))
        self.assertEqual(self.exports(), {"other": "1"})

    def test_two_stacks_do_not_export_one_name(self):
        self.make({"P": parameter("1")}, export("1"), name="first")
        self.assertEqual(self.deploy({"P": parameter("1")}, export("1"), name="second"), "ROLLBACK_COMPLETE")
        self.assertIn("already exported by stack first", self.reasons("second"))

    def test_a_change_of_outputs_only_is_deployed_and_tells_of_no_resource(self):
        self.make({"P": parameter("1")})
        before = len(self.events())
        self.assertEqual(self.make({"P": parameter("1")}, export("1")), {"Shared": "1"})
        self.assertEqual((self.changes, self.exports()), ([], {"shared": "1"}))
        new = self.events()[:len(self.events()) - before]
        self.assertEqual({each["ResourceType"] for each in new}, {"AWS::CloudFormation::Stack"})

    def test_a_second_deployment_of_the_same_changes_nothing(self):
        resources, outputs = {"P": parameter("1"), "Q": parameter({"Fn::GetAtt": ["P", "Value"]})}, export("1")
        self.make(resources, outputs)
        before = self.stack(), self.events()
        self.assertIsNone(self.deploy(resources, outputs))
        self.assertEqual((self.stack(), self.events()), before)

    def test_an_update_tells_of_what_changes_only(self):
        self.make({"P": parameter("1"), "Q": parameter("1")})
        before = len(self.events())
        self.make({"P": parameter("2"), "Q": parameter("1")})
        new = self.events()[:len(self.events()) - before]
        self.assertEqual({each["LogicalResourceId"] for each in new}, {"P", "ground"})

    def test_another_attribute_is_a_change(self):
        two = {"P": parameter("1", Name="/p"), "Q": parameter("2", Name="/q")}
        copy = lambda source: {**two, "Copy": parameter({"Fn::GetAtt": [source, "Value"]}, Name="/copy")}  # noqa: E731
        for source, value in (("P", "1"), ("Q", "2")):
            self.make(copy(source))
            self.assertEqual(self.client("ssm").get_parameter(Name="/copy")["Parameter"]["Value"], value)

    def test_conditions_know_where_they_are_and_what_is_joined(self):
        conditions = {"Here": {"Fn::Equals": [{"Ref": "AWS::Region"}, "us-east-1"]},
                      "Given": {"Fn::Not": [{"Fn::Equals": [{"Fn::Join": ["", {"Ref": "Names"}]}, ""]}]}}
        names = {"Names": {"Type": "CommaDelimitedList", "Default": ""}}
        self.make({"Here": {**parameter("1"), "Condition": "Here"}, "Given": {**parameter("1"), "Condition": "Given"}},
                  Conditions=conditions, Parameters=names)
        told = self.client("cloudformation").describe_stack_resources(StackName="ground")["StackResources"]
        self.assertEqual([each["LogicalResourceId"] for each in told], ["Here"])

    def test_a_list_of_parameters_is_read_by_name_at_every_deployment(self):
        self.make({"P": parameter("a,b", Name="/list", Type="StringList")}, name="giver")
        taken = lambda: self.deploy(  # noqa: E731
            {"Q": parameter({"Fn::Select": [1, {"Ref": "List"}]}, Name="/second")}, name="taker",
            Parameters={"List": {"Type": "AWS::SSM::Parameter::Value<List<String>>", "Default": "/list"}})
        self.assertEqual(taken(), "CREATE_COMPLETE")
        self.assertIsNone(taken())
        self.make({"P": parameter("a,c", Name="/list", Type="StringList")}, name="giver")
        self.assertEqual(taken(), "UPDATE_COMPLETE")
        self.assertEqual(self.client("ssm").get_parameter(Name="/second")["Parameter"]["Value"], "c")


if __name__ == "__main__":
    unittest.main()
