"""Cognito's user pools of a stack, where MiniStack falls short of AWS.

- A pool has the attribute ProviderURL, which is the issuer of its tokens.
"""

from ministack.core.responses import get_region

import provision


def install() -> None:
    provision.wrap("AWS::Cognito::UserPool", attributes=attributes)


def attributes(pool_id: str) -> dict:
    return {"ProviderURL": f"https://cognito-idp.{get_region()}.amazonaws.com/{pool_id}"}
