"""Looking at tokens with programs and schemas that are not ours."""
import re
import subprocess
from datetime import datetime
from pathlib import Path

from lxml import etree

HERE = Path(__file__).parent
SAML = "urn:oasis:names:tc:SAML:1.0:assertion"
TRUST = "http://schemas.xmlsoap.org/ws/2005/02/trust"
NAMES = {"saml": SAML, "t": TRUST, "ds": "http://www.w3.org/2000/09/xmldsig#",
         "wsa": "http://www.w3.org/2005/08/addressing", "wsp": "http://schemas.xmlsoap.org/ws/2004/09/policy",
         "wsu": "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"}
ORIGINAL_ISSUER = "{http://schemas.xmlsoap.org/ws/2009/09/identity/claims}OriginalIssuer"
SCHEMA = "/usr/share/xml/opensaml/cs-sstc-schema-assertion-1.1.xsd"


def time_of(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


class Token:
    """A SAML 1.1 assertion, cut out of a `wresult` as client libraries do it: by text."""

    def __init__(self, wresult):
        self.response = etree.fromstring(wresult.encode())
        self.xml = re.search(r"<t:RequestedSecurityToken>(.*)</t:RequestedSecurityToken>", wresult, re.S).group(1)
        self.assertion = etree.fromstring(self.xml.encode())

    def find(self, path):
        return self.assertion.xpath(path, namespaces=NAMES)

    def one(self, path):
        found = self.find(path)
        assert len(found) == 1, f"{path}: {len(found)} found"
        return found[0]

    @property
    def id(self):
        return self.assertion.get("AssertionID")

    @property
    def audience(self):
        return self.one("//saml:Audience").text

    @property
    def claims(self):
        """Claim type -> values, types joined as relying parties join them."""
        return {f"{attribute.get('AttributeNamespace')}/{attribute.get('AttributeName')}":
                [value.text or "" for value in attribute]
                for attribute in self.find("//saml:Attribute")}

    @property
    def authentication_instant(self):
        return time_of(self.one("//saml:AuthenticationStatement").get("AuthenticationInstant"))

    @property
    def valid_from(self):
        return time_of(self.one("saml:Conditions").get("NotBefore"))

    @property
    def valid_until(self):
        return time_of(self.one("saml:Conditions").get("NotOnOrAfter"))


def verified_by_xmlsec1(xml, certificate, folder):
    """What the xmlsec1 command thinks of the signature: (verdict, everything it said). The key is
    the one given; what KeyInfo holds is not believed."""
    path = Path(folder) / "token.xml"
    path.write_bytes(xml if isinstance(xml, bytes) else xml.encode())
    finished = subprocess.run(
        ["xmlsec1", "--verify", "--id-attr:AssertionID", f"{SAML}:Assertion", "--pubkey-cert-pem", certificate,
         "--enabled-key-data", "key-name", "--enabled-reference-uris", "same-doc", str(path)],
        capture_output=True, text=True, check=False)
    said = finished.stdout + finished.stderr
    return finished.returncode == 0 and said.startswith("OK"), said


def schema_complaints(xml, folder):
    """What xmllint says against the SAML 1.1 schema, once a:OriginalIssuer is gone (decision 10)."""
    tree = etree.fromstring(xml.encode())
    for attribute in tree.iter(f"{{{SAML}}}Attribute"):
        attribute.attrib.pop(ORIGINAL_ISSUER, None)
    path = Path(folder) / "assertion.xml"
    path.write_bytes(etree.tostring(tree))
    finished = subprocess.run(["xmllint", "--nonet", "--noout", "--schema", SCHEMA, str(path)],
                              env={"XML_CATALOG_FILES": str(HERE / "catalog.xml")},
                              capture_output=True, text=True, check=False)
    return "" if finished.returncode == 0 else finished.stderr
