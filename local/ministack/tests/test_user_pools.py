"""What a stack says of its user pools, as the tokens say it."""

import unittest

from in_process import REGION, Case

POOL = {"Type": "AWS::Cognito::UserPool", "Properties": {"UserPoolName": "people"}}


class UserPools(Case):
    def test_a_pool_knows_the_issuer_of_its_tokens(self):
        outputs = {"Issuer": {"Value": {"Fn::GetAtt": ["Pool", "ProviderURL"]}}, "Id": {"Value": {"Ref": "Pool"}}}
        told = self.make({"Pool": POOL}, outputs)
        self.assertEqual(told["Issuer"], f"https://cognito-idp.{REGION}.amazonaws.com/{told['Id']}")


if __name__ == "__main__":
    unittest.main()
