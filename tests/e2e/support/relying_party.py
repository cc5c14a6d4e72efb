"""Runs the express app of relying_party/ with a TLS certificate of the lab's own issuing CA."""
import json
import subprocess
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "relying_party"


def issue_certificate(lab, folder):
    """A TLS certificate for localhost, signed by the lab's issuing CA through openssl."""
    key, request, certificate, names = (folder / f"rp.{ending}" for ending in ("key", "csr", "pem", "ext"))
    issuing = Path(lab.ready["issuing_certificate"])
    names.write_text("subjectAltName=DNS:localhost\nextendedKeyUsage=serverAuth\n")
    for command in (["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=rp",
                     "-keyout", key, "-out", request],
                    ["x509", "-req", "-in", request, "-CA", issuing, "-CAkey", issuing.with_suffix(".key"),
                     "-set_serial", "0x7f01020304050607", "-days", "30", "-extfile", names, "-out", certificate]):
        subprocess.run(["openssl", *map(str, command)], check=True, capture_output=True)
    certificate.write_text(certificate.read_text() + issuing.read_text())
    return certificate, key


class RelyingParty:
    """A context: the app runs inside it, and is ended by its pid."""

    def __init__(self, lab, port, realm, folder):
        certificate, key = issue_certificate(lab, Path(folder))
        self.address = f"https://localhost:{port}"
        self.settings = {"port": port, "realm": realm, "identityProvider": f"{lab.main}/adfs/ls/",
                         "signingCertificate": lab.signing_certificate, "tlsCertificate": str(certificate), "tlsKey": str(key)}
        self.log = open(Path(folder) / "relying-party.log", "wb")

    def __enter__(self):
        self.process = subprocess.Popen(["node", "server.js", json.dumps(self.settings)], cwd=FOLDER, stdout=subprocess.PIPE,
                                        stderr=self.log)
        line = self.process.stdout.readline()
        assert line, Path(self.log.name).read_text()
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(10)
        self.process.stdout.close()
        self.log.close()
