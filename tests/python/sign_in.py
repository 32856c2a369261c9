"""Signs people in without a browser, and tries what a browser would not: an assertion twice, a token of somebody else.

    sign_in.py saml BASE IDP PERSON
    sign_in.py cognito BASE USER PASSWORD

Prints what came of it as JSON, with the secrets that were seen, for a look through the logs.
"""

import base64
import hashlib
import html
import http.client
import json
import re
import sys
import urllib.parse
from concurrent.futures import ThreadPoolExecutor


class Person:
    """A user agent: cookies by site, no redirect followed by itself."""

    def __init__(self):
        self.cookies = {}

    def ask(self, method, url, form=None, headers=None):
        parts = urllib.parse.urlsplit(url)
        # Names under `.localhost` are this machine, whatever the resolver knows.
        connection = http.client.HTTPConnection("127.0.0.1", parts.port, timeout=30)
        sent = {"Host": parts.netloc, **(headers or {})}
        jar = self.cookies.setdefault(parts.netloc, {})
        if jar:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in jar.items())
        body = None
        if form is not None:
            body = urllib.parse.urlencode(form)
            sent["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request(method, (parts.path or "/") + (f"?{parts.query}" if parts.query else ""), body, sent)
        answer = connection.getresponse()
        text = answer.read().decode()
        for cookie in answer.headers.get_all("Set-Cookie") or []:
            name, _, value = cookie.split(";")[0].partition("=")
            jar[name] = value
        connection.close()
        return answer.status, answer.headers, text


def inputs(page):
    """The hidden fields of a page's form."""
    found = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', page)
    return {name: html.unescape(value) for name, value in found}


def started_at_the_idp(idp, person):
    """The form that the identity provider makes for somebody, as its portal does."""
    query = urllib.parse.urlencode({"person": person, "app": "studio"})
    status, _, page = Person().ask("GET", f"{idp}/start?{query}")
    assert status == 200, page
    return inputs(page)


def saml(base, idp, person):
    secrets = []

    def post(form):
        status, headers, _ = Person().ask("POST", f"{base}/saml", form)
        if headers.get("Location"):
            secrets.append(urllib.parse.urlsplit(headers["Location"]).query)
        return status

    form = started_at_the_idp(idp, person)
    in_a_row = [post(form), post(form)]
    raced = started_at_the_idp(idp, person)
    with ThreadPoolExecutor(4) as pool:
        at_once = sorted(pool.map(post, [raced] * 4))
    fresh = started_at_the_idp(idp, person)["SAMLResponse"]
    text = base64.b64decode(fresh).decode()
    value = re.search(r"SignatureValue>\s*([A-Za-z0-9+/])", text)
    at = value.start(1)
    forged = text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1:]
    for form in (form, raced, {"SAMLResponse": fresh}):
        secrets += [form["SAMLResponse"][:400], form["SAMLResponse"][-400:]]
        secrets.append(re.search(r"SignatureValue>\s*([A-Za-z0-9+/=]{40})", base64.b64decode(form["SAMLResponse"]).decode())[1])
    return {
        "in a row": in_a_row,
        "at once": at_once,
        "of another key": post({"SAMLResponse": base64.b64encode(forged.encode()).decode()}),
        "without a form": post({}),
        "by GET": Person().ask("GET", f"{base}/saml")[0],
        "secrets": secrets,
    }


def token_of(base, user, password):
    """An access token, by the code grant with our own verifier; the way that `/login` takes."""
    person = Person()
    status, headers, _ = person.ask("GET", f"{base}/login")
    assert status == 303, status
    authorize = urllib.parse.urlsplit(headers["Location"])
    query = dict(urllib.parse.parse_qsl(authorize.query))
    assert query["code_challenge_method"] == "S256", query
    verifier = "v" * 64
    digest = hashlib.sha256(verifier.encode()).digest()
    query["code_challenge"] = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    hosted = f"{authorize.scheme}://{authorize.netloc}"
    status, _, page = person.ask("GET", f"{hosted}{authorize.path}?{urllib.parse.urlencode(query)}")
    assert status == 200, page
    status, headers, page = person.ask("POST", f"{hosted}/login", {**inputs(page), "username": user, "password": password})
    assert status == 302, page
    code = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(headers["Location"]).query))["code"]
    form = {"grant_type": "authorization_code", "code": code, "client_id": query["client_id"],
            "redirect_uri": query["redirect_uri"], "code_verifier": verifier}
    status, _, body = Person().ask("POST", f"{hosted}/oauth2/token", form)
    assert status == 200, body
    return json.loads(body)["access_token"], code


def cognito(base, user, password):
    token, code = token_of(base, user, password)
    head, claims, signature = token.split(".")
    spoilt = ".".join([head, claims, ("A" if signature[0] != "A" else "B") + signature[1:]])

    def ask(domain, bearer):
        headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        status, headers, body = Person().ask("GET", f"{base}/domainName/{domain}/getPresignedUrl", headers=headers)
        assert headers["Cache-Control"] == "no-store" or status == 401, dict(headers)
        return status, json.loads(body)

    answers = {domain: ask(domain, token) for domain in ("team1", "team2", "team10")}
    answers |= {"no token": ask("team1", None), "another's key": ask("team1", spoilt)}
    url = answers["team1"][1]["url"]
    return {
        "answers": {name: status for name, (status, _) in answers.items()},
        "url": url,
        "secrets": [token, signature, code, urllib.parse.urlsplit(url).query],
    }


print(json.dumps({"saml": saml, "cognito": cognito}[sys.argv[1]](*sys.argv[2:])))
