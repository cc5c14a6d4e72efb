"""Tokens of every kind, looked at with programs that are not ours."""
import re
import subprocess
from pathlib import Path

from lxml import etree

from support.metadata import verified_by_xml_crypto  # the same script verifies any document
from support.schema import SAML11, SAML20, complaints
from support.tokens import ORIGINAL_ISSUER, time_of

NAMESPACES = {"saml11": "urn:oasis:names:tc:SAML:1.0:assertion", "saml20": "urn:oasis:names:tc:SAML:2.0:assertion"}
ID = {"saml11": "AssertionID", "saml20": "ID"}
SCHEMAS = {"saml11": SAML11, "saml20": SAML20}
BOOLEAN = "{http://www.w3.org/2001/XMLSchema-instance}type"


def cut_out(wresult):
    """The token as client libraries take it: by text."""
    return re.search(r"<t:RequestedSecurityToken>(.*)</t:RequestedSecurityToken>", wresult, re.S).group(1)


class Assertion:
    """An assertion of either kind; what both say is asked for in one way."""

    def __init__(self, xml):
        self.xml = xml
        self.tree = etree.fromstring(xml.encode())
        self.kind = next(kind for kind, space in NAMESPACES.items() if etree.QName(self.tree).namespace == space)
        self.is_saml11 = self.kind == "saml11"
        self.names = {"s": NAMESPACES[self.kind], "ds": "http://www.w3.org/2000/09/xmldsig#"}

    def find(self, path):
        return self.tree.xpath(path, namespaces=self.names)

    def one(self, path):
        found = self.find(path)
        assert len(found) == 1, f"{path}: {len(found)} found"
        return found[0]

    @property
    def attributes(self):
        """(claim type, element) of every Attribute, in order; types joined as relying parties join them."""
        def type_of(attribute):
            if self.is_saml11:
                return f"{attribute.get('AttributeNamespace')}/{attribute.get('AttributeName')}"
            return attribute.get("Name")
        return [(type_of(attribute), attribute) for attribute in self.find("s:AttributeStatement/s:Attribute")]

    @property
    def claims(self):
        return {name: [value.text or "" for value in attribute] for name, attribute in self.attributes}

    @property
    def audience(self):
        return self.one("s:Conditions//s:Audience").text

    @property
    def name_identifiers(self):
        """(value, format) of every one."""
        return [(each.text, each.get("Format")) for each in self.find("//s:NameIdentifier" if self.is_saml11 else "//s:NameID")]

    @property
    def method(self):
        if self.is_saml11:
            return self.one("s:AuthenticationStatement").get("AuthenticationMethod")
        return self.one("s:AuthnStatement/s:AuthnContext/s:AuthnContextClassRef").text

    @property
    def instant(self):
        statement = self.one("s:AuthenticationStatement" if self.is_saml11 else "s:AuthnStatement")
        return time_of(statement.get("AuthenticationInstant" if self.is_saml11 else "AuthnInstant"))

    # What others say ---------------------------------------------------------------------------

    def verified_by_xmlsec1(self, certificate, folder):
        path = Path(folder) / "assertion.xml"
        path.write_text(self.xml)
        finished = subprocess.run(
            ["xmlsec1", "--verify", f"--id-attr:{ID[self.kind]}", f"{NAMESPACES[self.kind]}:Assertion", "--pubkey-cert-pem",
             certificate, "--enabled-key-data", "key-name", "--enabled-reference-uris", "same-doc", str(path)],
            capture_output=True, text=True, check=False)
        return finished.returncode == 0 and (finished.stdout + finished.stderr).startswith("OK")

    def verified_by_xml_crypto(self, certificate, folder):
        signed = verified_by_xml_crypto(self.xml, certificate, folder)
        return signed is not None and etree.fromstring(signed).get(ID[self.kind]) == self.tree.get(ID[self.kind])

    def schema_complaints(self, folder):
        """Once a:OriginalIssuer is gone from SAML 1.1 (decision 10)."""
        tree = etree.fromstring(self.xml.encode())
        for attribute in tree.iter(f"{{{NAMESPACES['saml11']}}}Attribute"):
            attribute.attrib.pop(ORIGINAL_ISSUER, None)
        return complaints(etree.tostring(tree), SCHEMAS[self.kind], folder)


def decrypted_by_xmlsec1(xml, key, folder):
    """What the xmlsec1 command makes of an encrypted token: the assertion as text, or None."""
    path = Path(folder) / "encrypted.xml"
    path.write_text(xml)
    finished = subprocess.run(["xmlsec1", "--decrypt", "--privkey-pem", str(key), str(path)],
                              capture_output=True, text=True, check=False)
    if finished.returncode != 0:
        return None
    tree = etree.fromstring(finished.stdout.encode())
    assertion = tree if etree.QName(tree).localname == "Assertion" else tree[0]
    return finished.stdout[finished.stdout.index(f"<{'saml:' if assertion.prefix else ''}Assertion "):].split("</EncryptedAssertion>")[0].strip()
