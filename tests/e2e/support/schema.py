"""Checking XML against schemas that Debian ships."""
import subprocess
from pathlib import Path

HERE = Path(__file__).parent
OPENSAML = Path("/usr/share/xml/opensaml")
SAML11 = OPENSAML / "cs-sstc-schema-assertion-1.1.xsd"
SAML20 = OPENSAML / "saml-schema-assertion-2.0.xsd"
METADATA = HERE / "wsfed.xsd"  # SAML's metadata, and the roles of WS-Federation


def complaints(xml, schema, folder):
    """What xmllint says against it; "" if it is valid."""
    path = Path(folder) / "checked.xml"
    path.write_bytes(xml if isinstance(xml, bytes) else xml.encode())
    finished = subprocess.run(["xmllint", "--nonet", "--noout", "--schema", str(schema), str(path)],
                              env={"XML_CATALOG_FILES": str(HERE / "catalog.xml")},
                              capture_output=True, text=True, check=False)
    return "" if finished.returncode == 0 else finished.stderr
