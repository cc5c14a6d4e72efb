"""Requests made by the real curl, and what came back."""
import re
import subprocess
import tempfile
from pathlib import Path
from urllib.parse import urlencode, urljoin

import lxml.html

from support.secrets import ledger


class Answer:
    def __init__(self, address, head, body):
        lines = head.decode("latin-1").split("\r\n")
        self.address = address
        self.status = int(lines[0].split(" ")[1])
        self.headers = [tuple(part.strip() for part in line.split(":", 1)) for line in lines[1:] if ":" in line]
        self.head = head
        self.body = body
        self.note_secrets()

    def note_secrets(self):
        for line in self.all("Set-Cookie"):
            ledger.note_secret("cookie", line.split(";")[0].partition("=")[2])
        if b'name="wresult"' in self.body or b"RequestedSecurityToken>" in self.body:
            signature = re.search(rb"SignatureValue(?:&gt;|>)([^&<]+)", self.body)
            if signature:
                ledger.note_secret("token", signature.group(1))
        else:
            ledger.pages.append((self.address, self.body))

    def all(self, name):
        return [value for header, value in self.headers if header.lower() == name.lower()]

    def header(self, name):
        values = self.all(name)
        assert len(values) <= 1, f"{name} came {len(values)} times"
        return values[0] if values else None

    @property
    def text(self):
        return self.body.decode("utf-8")

    @property
    def page(self):
        return lxml.html.document_fromstring(self.text)

    @property
    def location(self):
        return urljoin(self.address, self.header("Location"))

    def text_of(self, identifier):
        """The text of the element with that id, or None."""
        found = self.page.xpath("//*[@id=$id]", id=identifier)
        return " ".join(found[0].text_content().split()) if found else None

    @property
    def set_cookie(self):
        """The session cookie as it was set: (value, {attribute: value or True}), or None."""
        lines = [line for line in self.all("Set-Cookie") if line.startswith("MSISAuth=")]
        if not lines:
            return None
        first, *attributes = [part.strip() for part in lines[0].split(";")]
        pairs = (part.partition("=") for part in attributes)
        return first.partition("=")[2], {name.lower(): value if equals else True for name, equals, value in pairs}


class Client:
    """A user of curl with a cookie jar of its own. Follows no redirect unless told to."""

    def __init__(self, lab):
        self.lab = lab
        self.jar = Path(tempfile.mkstemp(prefix="jar-")[1])

    def close(self):
        self.jar.unlink(missing_ok=True)

    def request(self, address, *options, cookies=True):
        """One request to a path of the lab's or an absolute address; `options` are curl's own."""
        address = address if re.match(r"https?://", address) else self.lab.main + address
        with tempfile.TemporaryDirectory() as folder:
            head, body = Path(folder, "head"), Path(folder, "body")
            jar = ["--cookie", self.jar, "--cookie-jar", self.jar] if cookies else []
            subprocess.run(["curl", "--silent", "--show-error", "--max-time", "30", "--path-as-is", "--noproxy", "*",
                            "--cacert", self.lab.root_certificate, "--dump-header", head, "--output", body,
                            *jar, *options, address], check=True, capture_output=True)
            last_head = head.read_bytes().strip(b"\r\n").split(b"\r\n\r\n")[-1]
            return Answer(address, last_head, body.read_bytes() if body.exists() else b"")

    def get(self, address, query=None, *options):
        return self.request(with_query(address, query), *options)

    def post(self, address, form, query=None, *options):
        data = form if isinstance(form, bytes) else urlencode(form).encode()
        with tempfile.NamedTemporaryFile() as file:
            file.write(data)
            file.flush()
            return self.request(with_query(address, query), "--data-binary", f"@{file.name}", *options)

    def forget(self):
        """Becomes a browser that was never here."""
        self.jar.write_text("")

    def cookie(self):
        """The session cookie in the jar, or None."""
        for line in self.jar.read_text().splitlines():
            fields = line.removeprefix("#HttpOnly_").split("\t")
            if len(fields) == 7 and fields[5] == "MSISAuth":
                return fields[6]
        return None


def with_query(address, query):
    """`query` is a dict, a list of pairs, or text that is taken as it is."""
    if not query:
        return address
    return address + "?" + (query if isinstance(query, str) else urlencode(query))
