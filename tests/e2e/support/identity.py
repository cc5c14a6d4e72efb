"""Client certificates made by the real openssl, with the lab's own CA or another."""
import subprocess
from pathlib import Path

UPN = "1.3.6.1.4.1.311.20.2.3"
KEYS = {"rsa": ["rsa:2048"], "p256": ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
        "p384": ["ec", "-pkeyopt", "ec_paramgen_curve:P-384"], "ed25519": ["ed25519"]}
EXTENSIONS = {"basicConstraints": "critical,CA:FALSE", "keyUsage": "critical,digitalSignature",
              "extendedKeyUsage": "clientAuth", "authorityKeyIdentifier": "keyid", "subjectKeyIdentifier": "hash"}
AUTHORITY = {"basicConstraints": "critical,CA:TRUE", "keyUsage": "critical,keyCertSign,cRLSign",
             "subjectKeyIdentifier": "hash"}


def openssl(*arguments):
    return subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


class Identity:
    """The files of a certificate and its key; `chain` holds the leaf and what is above it."""

    def __init__(self, folder, name):
        self.certificate, self.key, self.chain = (Path(folder) / f"{name}{end}" for end in (".pem", ".key", "-chain.pem"))

    def pkcs12(self, password, with_chain=False):
        """A file for browsers; the leaf alone, or with what is above it."""
        made = self.certificate.with_suffix(".pfx")
        above = ["-certfile", self.chain] if with_chain else []
        openssl("pkcs12", "-export", "-in", self.certificate, "-inkey", self.key, "-name", self.certificate.stem, *above,
                "-out", made, "-passout", f"pass:{password}")
        return made

    def pem(self):
        """Certificate and key in one file, which is a key's."""
        made = self.certificate.with_suffix(".both.key")
        made.write_text(self.certificate.read_text() + self.key.read_text())
        return made

    def options(self, with_chain=False):
        """What curl is to be told."""
        return ["--cert", str(self.chain if with_chain else self.certificate), "--key", str(self.key)]


def of_user(user):
    """The identity that the lab made for one of its users."""
    made = Identity(Path(user["certificate"]).parent, Path(user["certificate"]).stem)
    assert made.certificate.exists() and made.key.exists()
    return made


class Authority:
    """A CA: the lab's own issuing CA, or one that nobody knows."""

    def __init__(self, certificate, key, above=()):
        self.certificate, self.key, self.above = Path(certificate), Path(key), [Path(certificate), *above]

    @classmethod
    def of_lab(cls, lab):
        pki = lab.settings_file.parent / "pki"
        return cls(pki / "issuing.pem", pki / "issuing.key", [pki / "root.pem"])

    @classmethod
    def stranger(cls, folder, name="Nobody's CA"):
        folder.mkdir(parents=True, exist_ok=True)
        certificate, key = folder / "ca.pem", folder / "ca.key"
        extensions = [part for each, value in AUTHORITY.items() for part in ("-addext", f"{each}={value}")]
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", 30,
                "-subj", f"/CN={name}", "-keyout", key, "-out", certificate, *extensions)
        return cls(certificate, key)

    def issue(self, folder, name, key="p256", upn=None, subject=None, days=(-1, 30), authority=False, **extensions):
        """Extensions by their openssl names; None leaves one out. `days`: from and until, counted from today. `key`: one
        of KEYS, or the options by which openssl finds one that lies elsewhere."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        made, request, extra = Identity(folder, name), folder / f"{name}.csr", folder / f"{name}.ext"
        wanted = {**(AUTHORITY if authority else EXTENSIONS), **extensions}
        if upn:
            wanted["subjectAltName"] = f"otherName:{UPN};UTF8:{upn}"
        extra.write_text("".join(f"{each}={value}\n" for each, value in wanted.items() if value))
        key_options = key if isinstance(key, list) else ["-newkey", *KEYS[key], "-nodes", "-keyout", made.key]
        openssl("req", "-new", *key_options, "-subj", subject or f"/CN={name}", "-out", request)
        self.sign(folder, request, extra, made.certificate, days)
        made.chain.write_text("".join(each.read_text() for each in [made.certificate, *self.above]))
        return made

    def sign(self, folder, request, extra, certificate, days):
        """By `openssl ca`, which alone lets one say both dates."""
        settings, index = folder / "ca.cnf", folder / "index.txt"
        index.write_text("")
        settings.write_text("[ca]\ndefault_ca=here\n[here]\n"
                            f"database={index}\nnew_certs_dir={folder}\nrand_serial=yes\ndefault_md=sha256\n"
                            "policy=any\nunique_subject=no\n[any]\ncommonName=supplied\norganizationName=optional\n"
                            "emailAddress=optional\n")
        begins, ends = (subprocess.run(["date", "-u", "-d", f"{day} days", "+%Y%m%d%H%M%SZ"], check=True,
                                       capture_output=True, text=True).stdout.strip() for day in days)
        openssl("ca", "-batch", "-notext", "-config", settings, "-in", request, "-out", certificate,
                "-cert", self.certificate, "-keyfile", self.key, "-startdate", begins, "-enddate", ends,
                "-extfile", extra)
