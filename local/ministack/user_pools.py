"""Cognito's user pools of a stack, where MiniStack falls short of AWS.

- A pool has the attribute ProviderURL, which is the issuer of its tokens.
- A password that the pool makes for somebody who is invited keeps the pool's own policy.
"""

from ministack.core.responses import get_region
from ministack.services import cognito

import provision

# The most that a policy may ask for (PasswordPolicyType of Cognito's API).
_LONGEST_PASSWORD = 99

_generate_temp_password = cognito._generate_temp_password


def install() -> None:
    provision.wrap("AWS::Cognito::UserPool", attributes=attributes)
    cognito._generate_temp_password = generate_temp_password


def generate_temp_password() -> str:
    made = ""
    while len(made) < _LONGEST_PASSWORD:
        made += _generate_temp_password()
    return made[:_LONGEST_PASSWORD]


def attributes(pool_id: str) -> dict:
    return {"ProviderURL": f"https://cognito-idp.{get_region()}.amazonaws.com/{pool_id}"}
