"""The steps of a WS-Federation sign-in, as a script would take them."""
import html
import re

PASSWORD_METHOD = "http://schemas.microsoft.com/ws/2008/06/identity/authenticationmethod/password"

# protocol.md 2.1: exact up to the script, which is ours (decision 1).
TOKEN_PAGE = re.compile(
    r'<html><head><title>Working\.\.\.</title></head><body><form method="POST" name="hiddenform" action="([^"<>]*)">'
    r'<input type="hidden" name="wa" value="wsignin1\.0" />'
    r'<input type="hidden" name="wresult" value="([^"<>]*)" />'
    r'(?:<input type="hidden" name="wctx" value="([^"<>]*)" />)?'
    r'<noscript><p>Script is disabled\. Click Submit to continue\.</p><input type="submit" value="Submit" />'
    r'</noscript></form><script>document\.forms\[0\]\.submit\(\);?</script></body></html>\n?')


def request_for(realm, **more):
    """The query of a sign-in request; a name given as None is left out."""
    query = {"wa": "wsignin1.0", "wtrealm": realm, **more}
    return {name: value for name, value in query.items() if value is not None}


def credentials(lab, name="alice", password=None):
    return {"UserName": lab.upn(name), "Password": password or lab.user(name)["password"],
            "AuthMethod": "FormsAuthentication"}


def sign_in(client, realm, name="alice", **more):
    """Signs in by password and gives the answer that carries the token."""
    query = request_for(realm, **more)
    answer = client.post("/adfs/ls/", credentials(client.lab, name), query)
    return client.get(answer.location) if answer.status == 302 else answer


class TokenPage:
    """The page that posts the token; refuses one that differs from AD FS's by a byte."""

    def __init__(self, answer):
        assert answer.status == 200, (answer.status, answer.text[:2000])
        found = TOKEN_PAGE.fullmatch(answer.text)
        assert found, answer.text[:2000]
        self.action, self.wresult, self.wctx = (None if part is None else html.unescape(part)
                                                for part in found.groups())


def is_token_page(answer):
    return 'name="wresult"' in answer.text


def is_sign_in_page(answer):
    return answer.status == 200 and answer.page.xpath("//form[@id='loginForm']") != []
