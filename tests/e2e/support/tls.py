"""TLS as other people's programs speak it, and certificates of the lab's own CA."""
import subprocess
from pathlib import Path


def s_client(lab, *options, send=b"", seconds=20):
    """The real `openssl s_client` at the main port; whether it got through, and all it said."""
    finished = subprocess.run(["openssl", "s_client", "-connect", f"localhost:{lab.port()}", "-CAfile",
                               lab.root_certificate, "-verify_return_error", *map(str, options)],
                              input=send, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=seconds)
    return finished.returncode == 0, finished.stdout.decode(errors="replace")


def gnutls_cli(lab, *options):
    """The same by `gnutls-cli`."""
    finished = subprocess.run(["gnutls-cli", "--x509cafile", lab.root_certificate, "-p", str(lab.port()),
                               *options, "localhost"], input=b"", stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=20)
    return finished.returncode == 0, finished.stdout.decode(errors="replace")


def make_pair(pki, *key):
    """A TLS certificate for localhost with another key, by the lab's CA; gives its files."""
    def openssl(*arguments):
        subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)

    certificate, private = Path(pki) / "other.pem", Path(pki) / "other.key"
    request, extensions = Path(pki) / "other.csr", Path(pki) / "other.ext"
    extensions.write_text("subjectAltName=DNS:localhost\nextendedKeyUsage=serverAuth\n"
                          "keyUsage=digitalSignature,keyEncipherment\n")
    openssl("req", "-newkey", *key, "-nodes", "-subj", "/CN=localhost", "-keyout", private, "-out", request)
    openssl("x509", "-req", "-in", request, "-CA", Path(pki) / "issuing.pem", "-CAkey", Path(pki) / "issuing.key",
            "-days", "30", "-extfile", extensions, "-out", certificate)
    certificate.write_text(certificate.read_text() + (Path(pki) / "issuing.pem").read_text())
    return certificate, private


def take_pair(lab, *key):
    """Puts such a pair in place of the lab's own."""
    pki = Path(lab.root_certificate).parent
    for new, name in zip(make_pair(pki, *key), ("tls.pem", "tls.key")):
        new.rename(pki / name)
