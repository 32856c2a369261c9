"""What a stack says of its user pools, as the tokens say it."""

import unittest

from in_process import REGION, Case

POOL = {"Type": "AWS::Cognito::UserPool", "Properties": {"UserPoolName": "people"}}


class UserPools(Case):
    def test_a_pool_knows_the_issuer_of_its_tokens(self):
        outputs = {"Issuer": {"Value": {"Fn::GetAtt": ["Pool", "ProviderURL"]}}, "Id": {"Value": {"Ref": "Pool"}}}
        told = self.make({"Pool": POOL}, outputs)
        self.assertEqual(told["Issuer"], f"https://cognito-idp.{REGION}.amazonaws.com/{told['Id']}")

    def test_somebody_is_invited_whatever_the_policy_of_passwords(self):
        client = self.client("cognito-idp")
        policy = {"PasswordPolicy": {"MinimumLength": 30, "RequireSymbols": True, "RequireNumbers": True}}
        pool = client.create_user_pool(PoolName="people", Policies=policy)["UserPool"]["Id"]
        made = client.admin_create_user(UserPoolId=pool, Username="ann", MessageAction="SUPPRESS")["User"]
        self.assertEqual(made["UserStatus"], "FORCE_CHANGE_PASSWORD")


if __name__ == "__main__":
    unittest.main()
