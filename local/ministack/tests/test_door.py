"""Who may use the local cloud: programs of this machine, and browsers where AWS has doors for them."""

import unittest

from in_process import Case

import door


def asks(host, path="/", method="GET", **headers):
    sent = [(b"host", host.encode()), *((name.encode(), value.encode()) for name, value in headers.items())]
    return door._is_local({"type": "http", "method": method, "path": path, "headers": sent})


class Door(Case):
    def test_programs_of_this_machine_come_in_and_pages_of_others_do_not(self):
        self.assertTrue(asks("127.0.0.1:4566"))
        self.assertFalse(asks("127.0.0.1:4566", origin="http://example.com"))
        self.assertFalse(asks("127.0.0.1:4566", origin="null"))
        self.assertFalse(asks("rebound.example.com:4566"))

    def test_a_deployed_api_takes_posts_of_pages_elsewhere_and_nothing_else_does(self):
        self.assertFalse(asks("studio.localhost:4566", "/saml", "POST", origin="null"))
        client = self.client("apigateway")
        api = client.create_rest_api(name="one")["id"]
        client.create_domain_name(domainName="studio.localhost")
        client.create_base_path_mapping(domainName="studio.localhost", restApiId=api, stage="access")
        self.assertTrue(asks("studio.localhost:4566", "/saml", "POST", origin="null"))
        self.assertTrue(asks(f"{api}.execute-api.localhost:4566", "/access/saml", "POST", origin="http://example.com"))
        self.assertFalse(asks("other.localhost:4566", "/saml", "POST", origin="null"))

    def test_the_form_of_a_user_pool_posts_to_its_own_origin_alone(self):
        self.assertTrue(asks("127.0.0.1:4566", "/login", "POST", origin="http://127.0.0.1:4566"))
        self.assertFalse(asks("127.0.0.1:4566", "/login", "POST", origin="http://127.0.0.1:4567"))
        self.assertFalse(asks("127.0.0.1:4566", "/", "POST", origin="http://127.0.0.1:4566"))


if __name__ == "__main__":
    unittest.main()
