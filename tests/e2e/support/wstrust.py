"""WS-Trust as the programs do that sign in by it: their messages (protocol.md 5.4), and their ways of
reading an answer."""
import re
import tempfile
from datetime import datetime, timedelta, timezone
from html import escape
from pathlib import Path

from lxml import etree

from support.kinds import Assertion
from support.schema import complaints

SOAP12 = Path(__file__).parent / "soap12.xsd"
SOAP = "http://www.w3.org/2003/05/soap-envelope"
WSA = "http://www.w3.org/2005/08/addressing"
WSS = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-"
WSSE, WSU = WSS + "wssecurity-secext-1.0.xsd", WSS + "wssecurity-utility-1.0.xsd"
POLICY = "http://schemas.xmlsoap.org/ws/2004/09/policy"
TRUST = {"2005": "http://schemas.xmlsoap.org/ws/2005/02/trust", "13": "http://docs.oasis-open.org/ws-sx/ws-trust/200512"}
BEARER = {"2005": "http://schemas.xmlsoap.org/ws/2005/05/identity/NoProofKey", "13": TRUST["13"] + "/Bearer"}
ANSWER = {"2005": TRUST["2005"] + "/RSTR/Issue", "13": TRUST["13"] + "/RSTRC/IssueFinal"}
SAML11, SAML20 = "urn:oasis:names:tc:SAML:1.0:assertion", "urn:oasis:names:tc:SAML:2.0:assertion"
PROFILE = "http://docs.oasis-open.org/wss/oasis-wss-saml-token-profile-1.1#"
VERSIONS = ("2005", "13")
NAMES = {"s": SOAP, "a": WSA, "o": WSSE, "u": WSU, "wsp": POLICY, "k": "http://docs.oasis-open.org/wss/oasis-wss-wssecurity-secext-1.1.xsd"}


def path(version, credential="usernamemixed"):
    return f"/adfs/services/trust/{version}/{credential}"


def moment(seconds=0, form="%Y-%m-%dT%H:%M:%S.000Z"):
    return (datetime.now(timezone.utc) + timedelta(seconds=seconds)).strftime(form)


# What a wrong password gets, a certificate that is not believed, and a nonce that came before.
FAILED = ("s:Sender", (WSSE, "FailedAuthentication"), "ID3242: The security token could not be authenticated or authorized.")

# Messages ----------------------------------------------------------------------------------------

def username_token(user, password, more="", attributes=' u:Id="uuid-1"'):
    return (f"<o:UsernameToken{attributes}><o:Username>{escape(user)}</o:Username>"
            f"<o:Password>{escape(password)}</o:Password>{more}</o:UsernameToken>")


def timestamp(created=0, expires=600):
    return (f'<u:Timestamp u:Id="_0"><u:Created>{moment(created)}</u:Created>'
            f"<u:Expires>{moment(expires)}</u:Expires></u:Timestamp>")


def security(*parts):
    return f'<o:Security s:mustUnderstand="1" xmlns:o="{WSSE}" xmlns:u="{WSU}">{"".join(parts)}</o:Security>'


def applies_to(party):
    return (f'<wsp:AppliesTo xmlns:wsp="{POLICY}"><a:EndpointReference><a:Address>{escape(party)}</a:Address>'
            "</a:EndpointReference></wsp:AppliesTo>")


def request(version, party, *more, issue=True):
    """A RequestSecurityToken; `more` are elements with the prefix t."""
    kind = f"<t:RequestType>{TRUST[version]}/Issue</t:RequestType>" if issue else ""
    return (f'<t:RequestSecurityToken xmlns:t="{TRUST[version]}">{applies_to(party)}'
            f'<t:KeyType>{BEARER[version]}</t:KeyType>{kind}{"".join(more)}</t:RequestSecurityToken>')


def action(version, word="Issue"):
    return f'<a:Action s:mustUnderstand="1">{TRUST[version]}/RST/{word}</a:Action>'


def envelope(header, body, space=SOAP):
    return (f'<s:Envelope xmlns:s="{space}" xmlns:a="{WSA}"><s:Header>{header}</s:Header>'
            f"<s:Body>{body}</s:Body></s:Envelope>")


def message(version, party, *more, user=None, header="", token_more=""):
    """A plain message; `user` is an entry of the ready line, for usernamemixed."""
    parts = security(timestamp(), username_token(user["name"], user["password"], token_more)) if user else ""
    return envelope(action(version) + header + parts, request(version, party, *more))


# The same as each client writes it: (message, headers) -------------------------------------------

TYPE = "Content-Type: application/soap+xml; charset=utf-8"


def as_wcf(version, party, user, url):
    """Windows Communication Foundation: the action in the media type, a debugger's header."""
    header = (f"{action(version)}<a:MessageID>urn:uuid:5a7b0b6e-8f0b-4a6b-9d52-3d2d3f1f0a11</a:MessageID>"
              f"<a:ReplyTo><a:Address>{WSA}/anonymous</a:Address></a:ReplyTo>"
              '<VsDebuggerCausalityData xmlns="http://schemas.microsoft.com/vstudio/diagnostics/servicemodelsink">uIDPo2V5'
              f'</VsDebuggerCausalityData><a:To s:mustUnderstand="1">{url}</a:To>'
              + security(timestamp(expires=300), username_token(user["name"], user["password"])))
    return envelope(header, request(version, party)), [f'{TYPE}; action="{TRUST[version]}/RST/Issue"']


def as_msal_net(version, party, user, url):
    """MSAL.NET: a declaration, a fixed fraction of a second, ids of its own."""
    made, ends = moment(form="%Y-%m-%dT%H:%M:%S.068Z"), moment(600, "%Y-%m-%dT%H:%M:%S.068Z")
    stamp = f'<u:Timestamp u:Id="MSATimeStamp"><u:Created>{made}</u:Created><u:Expires>{ends}</u:Expires></u:Timestamp>'
    token = username_token(user["name"], user["password"], attributes=' u:Id="UnPwSecTok2005-c1e5f3a2"')
    header = (f"{action(version)}<a:MessageID>urn:uuid:1</a:MessageID><a:ReplyTo><a:Address>{WSA}/anonymous</a:Address></a:ReplyTo>"
              f'<a:To s:mustUnderstand="1">{url}</a:To>{security(stamp, token)}')
    return "<?xml version='1.0' encoding='utf-8'?>" + envelope(header, request(version, party)), [
        TYPE, f"SOAPAction: {TRUST[version]}/RST/Issue"]


def as_adal_node(version, party, user, url):
    """ADAL for Node: an element that WS-Addressing does not know."""
    header = (f"{action(version)}<a:messageID>urn:uuid:2</a:messageID><a:ReplyTo><a:Address>{WSA}/anonymous</a:Address></a:ReplyTo>"
              f'<a:To s:mustUnderstand="1">{url}</a:To>'
              + security(timestamp(), username_token(user["name"], user["password"], attributes=' u:Id="ADALUsernameToken"')))
    return envelope(header, request(version, party)), [TYPE, f"SOAPAction: {TRUST[version]}/RST/Issue"]


def as_powershell(version, party, user, url):
    """Microsoft's PowerShell modules: no MessageID, no Timestamp, KeySize 0, the type of SAML 2.0 by its profile."""
    body = (f'<t:RequestSecurityToken xmlns:t="{TRUST[version]}">{applies_to(party)}<t:KeySize>0</t:KeySize>'
            f"<t:KeyType>{BEARER[version]}</t:KeyType><t:RequestType>{TRUST[version]}/Issue</t:RequestType>"
            f"<t:TokenType>{PROFILE}SAMLV2.0</t:TokenType></t:RequestSecurityToken>")
    header = f'{action(version)}<a:To s:mustUnderstand="1">{url}</a:To>{security(username_token(user["name"], user["password"]))}'
    return envelope(header, body), [TYPE]


def as_keystone(version, party, user, url):
    """OpenStack's keystoneauth: microseconds, an id under a wrong name, white space."""
    made, ends = moment(form="%Y-%m-%dT%H:%M:%S.123456Z"), moment(120, "%Y-%m-%dT%H:%M:%S.123456Z")
    stamp = f'\n<u:Timestamp u:Id="_0">\n<u:Created>{made}</u:Created>\n<u:Expires>{ends}</u:Expires></u:Timestamp>\n'
    token = username_token(user["name"], user["password"], attributes=' u:u="uuid-4"')
    header = (f"\n{action(version)}\n<a:MessageID>urn:uuid:3</a:MessageID>\n"
              f"<a:ReplyTo>\n<a:Address>{WSA}/anonymous</a:Address>\n</a:ReplyTo>\n"
              f'<a:To s:mustUnderstand="1">{url}</a:To>\n{security(stamp, token)}\n')
    return envelope(header, "\n" + request(version, party) + "\n"), [TYPE]


def as_curl(version, party, user, url):
    """A script of 2014: nothing that is not needed, and another host's name."""
    header = (f'{action(version)}<a:To s:mustUnderstand="1">https://sts.example.test/adfs/services/trust/x</a:To>'
              + security(username_token(user["name"], user["password"], attributes="")))
    return envelope(header, request(version, party, f"<t:TokenType>{SAML20}</t:TokenType>")), [TYPE]


CLIENTS = {"WCF": as_wcf, "MSAL.NET": as_msal_net, "ADAL for Node": as_adal_node, "PowerShell": as_powershell,
           "keystoneauth": as_keystone, "curl": as_curl}


# Answers -----------------------------------------------------------------------------------------

class Reply:
    """What came back: a token or a fault. Every answer is valid against the schema of SOAP 1.2."""

    def __init__(self, answer):
        assert answer.header("Content-Type") == "application/soap+xml; charset=utf-8", (answer.status, answer.text[:2000])
        self.status, self.text, self.answer = answer.status, answer.text, answer
        self.tree = etree.fromstring(answer.body)
        with tempfile.TemporaryDirectory() as folder:
            assert complaints(answer.body, SOAP12, folder) == ""

    def find(self, where, **names):
        return self.tree.xpath(where, namespaces={**NAMES, **names})

    def one(self, where, **names):
        found = self.find(where, **names)
        assert len(found) == 1, f"{where}: {len(found)} found in {self.text}"
        return found[0]

    @property
    def action(self):
        return self.one("/s:Envelope/s:Header/a:Action").text

    @property
    def relates_to(self):
        found = self.find("/s:Envelope/s:Header/a:RelatesTo")
        return found[0].text if found else None

    @property
    def token_type(self):
        """As MSAL for Python finds it."""
        return re.search(r"<(?:\w+:)?TokenType>(.*)</(?:\w+:)?TokenType>", self.text).group(1)

    @property
    def token(self):
        """The assertion, cut out as clients do: by text, and used alone."""
        assert self.status == 200, self.text
        cut = re.search(r"<(?:\w+:)?RequestedSecurityToken(?:[^>]*)>(.*)</(?:\w+:)?RequestedSecurityToken>", self.text, re.S).group(1)
        return Assertion(cut)

    @property
    def fault(self):
        """(code, (namespace, name) of the subcode, reason), as strictly as ADAL for Node reads it."""
        fault = self.one("/s:Envelope/s:Body/s:Fault")
        value = self.one("//s:Fault/s:Code/s:Subcode/s:Value")
        prefix, name = value.text.split(":")
        return (fault.findtext("s:Code/s:Value", namespaces=NAMES), (value.nsmap[prefix], name),
                fault.findtext("s:Reason/s:Text", namespaces=NAMES))


def post(client, address, body, *headers, options=()):
    """Posts a message with the real curl; `address` is a path of the main port, or a whole address."""
    data = body if isinstance(body, bytes) else body.encode()
    lines = [part for header in (headers or [TYPE]) for part in ("-H", header)]
    return client.post(address, data, None, *lines, *map(str, options))


def ask(client, version, *arguments, name="alice", **options):
    """A token by password, or a fault."""
    return Reply(post(client, path(version), message(version, *arguments, user=client.lab.user(name), **options)))


def certificate_of(lab, name="alice"):
    user = lab.user(name)
    return ["--cert", user["certificate"], "--key", user["key"]]


def ask_by_certificate(client, version, *arguments, where=None, options=None, **more):
    """The same by client certificate, on its own port."""
    address = (where or client.lab.ready["certificate"]) + path(version, "certificatetransport")
    shown = certificate_of(client.lab) if options is None else options
    return Reply(post(client, address, message(version, *arguments, **more), options=shown))


def refused(client, body, version="2005", **options):
    """The fault that a message gets."""
    reply = Reply(post(client, path(version), body, **options))
    assert reply.status == 500
    return reply


def trust_fault(version, name):
    """A subcode in the namespace of that version of WS-Trust."""
    return TRUST[version], name
