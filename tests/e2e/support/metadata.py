"""Reading federation metadata with programs that are not ours."""
import base64
import json
import re
import subprocess
from pathlib import Path

from lxml import etree

PATH = "/FederationMetadata/2007-06/FederationMetadata.xml"
ENTITY = "urn:oasis:names:tc:SAML:2.0:metadata:EntityDescriptor"
WSFED = "http://schemas.xmlsoap.org/ws/2003/07/secext"
NAMES = {"md": "urn:oasis:names:tc:SAML:2.0:metadata", "ds": "http://www.w3.org/2000/09/xmldsig#",
         "fed": "http://docs.oasis-open.org/wsfed/federation/200706", "wsa": "http://www.w3.org/2005/08/addressing",
         "auth": "http://docs.oasis-open.org/wsfed/authorization/200706",
         "saml": "urn:oasis:names:tc:SAML:2.0:assertion"}
TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
MODULES = Path(__file__).parents[1] / "relying_party"


def base64_of(certificate):
    """What stands between the lines of a PEM file, as one line."""
    found = re.search(r"-----BEGIN CERTIFICATE-----(.*?)-----END", Path(certificate).read_text(), re.S).group(1)
    return base64.b64encode(base64.b64decode(found)).decode()


def write(folder, xml):
    path = Path(folder) / "metadata.xml"
    path.write_bytes(xml)
    return path


def verified_by_xmlsec1(xml, certificate, folder):
    finished = subprocess.run(["xmlsec1", "--verify", f"--id-attr:ID", ENTITY, "--pubkey-cert-pem", certificate,
                               "--enabled-key-data", "key-name", "--enabled-reference-uris", "same-doc",
                               str(write(folder, xml))], capture_output=True, text=True, check=False)
    return finished.returncode == 0 and (finished.stdout + finished.stderr).startswith("OK")


def verified_by_xml_crypto(xml, certificate, folder, key=None):
    """What npm's xml-crypto says was signed, or None. `key`: decrypt it before, with xml-encryption."""
    path = write(folder, xml if isinstance(xml, bytes) else xml.encode())
    finished = subprocess.run(["node", str(MODULES / "verify.js"), str(path), str(certificate), *([str(key)] if key else [])],
                              capture_output=True, text=True, check=False, cwd=MODULES)
    return finished.stdout.rstrip("\n") if finished.returncode == 0 else None


def read_by_passport(xml, folder):
    finished = subprocess.run(["node", str(MODULES / "read_metadata.js"), str(write(folder, xml))],
                              capture_output=True, text=True, check=True, cwd=MODULES)
    return json.loads(finished.stdout)


SHIBBOLETH = """<SPConfig xmlns="urn:mace:shibboleth:3.0:native:sp:config" clockSkew="180">
  <OutOfProcess><Extensions><Library path="adfs.so" fatal="true"/></Extensions></OutOfProcess>
  <InProcess/>
  <ApplicationDefaults entityID="urn:test:shibboleth" REMOTE_USER="upn">
    <Sessions lifetime="28800" timeout="3600" checkAddress="false" handlerSSL="true" cookieProps="https" redirectLimit="exact">
      <SSO entityID="{entity}">ADFS</SSO>
    </Sessions>
    <MetadataProvider type="XML" validate="false" path="{metadata}">
      <MetadataFilter type="Signature" certificate="{certificate}" verifyBackup="false"/>
    </MetadataProvider>
  </ApplicationDefaults>
  <SecurityPolicyProvider type="XML" validate="false" path="/etc/shibboleth/security-policy.xml"/>
  <ProtocolProvider type="XML" validate="false" reloadChanges="false" path="/etc/shibboleth/protocols.xml"/>
</SPConfig>
"""


def found_by_shibboleth(xml, certificate, entity, folder):
    """The entity that Shibboleth's mdquery finds as an identity provider for WS-Federation, once it
    has checked the signature with that certificate; None if it finds none."""
    settings = Path(folder) / "shibboleth2.xml"
    settings.write_text(SHIBBOLETH.format(entity=entity, metadata=write(folder, xml), certificate=certificate))
    finished = subprocess.run(["mdquery", "-e", entity, "--idp", "-p", WSFED], capture_output=True, check=False,
                              env={"SHIBSP_CONFIG": str(settings)})
    start = finished.stdout.find(b"<EntityDescriptor")
    return etree.fromstring(finished.stdout[start:]) if start >= 0 else None
