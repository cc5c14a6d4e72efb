"""A PKI that lanyard did not make: OpenSSL's own `ca`, and nginx that serves what it publishes."""
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

from support.lab import free_port

CONFIGURATION = """
[root]
database = {folder}/root.txt
certificate = {folder}/root.pem
private_key = {folder}/root.key
crlnumber = {folder}/root.number
default_md = sha256
default_crl_days = 7
crl_extensions = crl
[issuing]
database = {folder}/issuing.txt
certificate = {folder}/issuing.pem
private_key = {folder}/issuing.key
crlnumber = {folder}/issuing.number
default_md = sha256
default_crl_days = 7
crl_extensions = crl
[crl]
authorityKeyIdentifier = keyid:always
[issuing_certificate]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid:always
crlDistributionPoints = URI:{address}/root.crl
authorityInfoAccess = caIssuers;URI:{address}/root.crt
[user_certificate]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = clientAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid:always
crlDistributionPoints = URI:{address}/issuing.crl
authorityInfoAccess = caIssuers;URI:{address}/issuing.crt
subjectAltName = email:user@foreign.test
"""


def openssl(*arguments):
    finished = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True)
    assert finished.returncode == 0, finished.stderr


class ForeignCa:
    """Root, issuing CA and a user; its files are published in `folder`/www."""

    def __init__(self, folder, address):
        self.folder, self.address = Path(folder), address
        self.www = self.folder / "www"
        self.www.mkdir(parents=True)
        self.configuration = self.folder / "ca.cnf"
        self.configuration.write_text(CONFIGURATION.format(folder=folder, address=address))
        self.issue_root()
        self.issue("issuing", "/O=Foreign/CN=Foreign Issuing", "root", "issuing_certificate")
        self.user = self.issue("user", "/O=Foreign/CN=user", "issuing", "user_certificate")
        for name in ("root", "issuing"):
            (self.folder / f"{name}.txt").touch()
            (self.folder / f"{name}.number").write_text("01\n")
            openssl("x509", "-in", self.folder / f"{name}.pem", "-outform", "der", "-out", self.www / f"{name}.crt")
            self.publish_crl(name)

    @property
    def root(self):
        return self.folder / "root.pem"

    def issue_root(self):
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "3650",
                "-subj", "/O=Foreign/CN=Foreign Root", "-keyout", self.folder / "root.key", "-out", self.root,
                "-config", "/dev/null", "-addext", "basicConstraints=critical,CA:TRUE",
                "-addext", "keyUsage=critical,keyCertSign,cRLSign", "-addext", "subjectKeyIdentifier=hash")

    def issue(self, name, subject, issuer, extensions):
        made = self.folder / f"{name}.pem"
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", subject,
                "-config", "/dev/null", "-keyout", self.folder / f"{name}.key", "-out", self.folder / f"{name}.csr")
        openssl("x509", "-req", "-in", self.folder / f"{name}.csr", "-CA", self.folder / f"{issuer}.pem",
                "-CAkey", self.folder / f"{issuer}.key", "-days", "365", "-out", made,
                "-extfile", self.configuration, "-extensions", extensions)
        return made

    def publish_crl(self, name):
        """Issues the next CRL and publishes it."""
        openssl("ca", "-config", self.configuration, "-name", name, "-gencrl", "-out", self.folder / "new.crl")
        openssl("crl", "-in", self.folder / "new.crl", "-outform", "der", "-out", self.www / f"{name}.new")
        (self.www / f"{name}.new").rename(self.www / f"{name}.crl")


class Nginx:
    """Serves a folder on loopback; keeps count of who asked for what."""

    def __init__(self, folder, port=None):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = port or free_port()
        self.log = self.folder / "access.log"
        self.more = ""
        self.process = None

    @property
    def address(self):
        return f"http://127.0.0.1:{self.port}"

    def start(self, www, more=""):
        scratch = "".join(f"{name}_temp_path {self.folder}/{name};" for name in
                          ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        (self.folder / "nginx.conf").write_text(f"""
            daemon off; master_process off; pid {self.folder}/pid; error_log {self.folder}/error.log;
            events {{}}
            http {{ access_log {self.log}; {scratch}
                   server {{ listen 127.0.0.1:{self.port}; root {www}; {more} }} }}""")
        program = shutil.which("nginx") or "/usr/sbin/nginx"
        self.process = subprocess.Popen([program, "-p", self.folder, "-c", self.folder / "nginx.conf"],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while not self.answers():
            assert self.process.poll() is None and time.monotonic() < deadline, (self.folder / "error.log").read_text()
            time.sleep(0.02)

    def answers(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True

    def is_connected(self):
        """Whether somebody is being served right now."""
        ours, established = f"0100007F:{self.port:04X}", "01"
        lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
        return any(line.split()[1] == ours and line.split()[3] == established for line in lines)

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGTERM)
            self.process.wait(10)

    def take_requests(self):
        """The paths asked for since the last time, in their order."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        with open(self.log, "w"):
            pass
        return [line.split('"')[1].split()[1] for line in lines]
