"""Proxies played by curl: each comes from an address of its own in 127/8 and shows a certificate in TLS."""
import json
from urllib.parse import quote, urlencode

from support.certificates import at
from support.settings import party, set_setting, write_parties
from support.sign_in import request_for

CLIENT = "203.0.113.9"


def put_behind(folder, realm, proxies, settings):
    """Makes a lab that is not being served trust those proxies, and gives it one relying party, which sees every claim."""
    (folder / "rules" / "all.rules").write_text("c:[] => issue(claim = c);\n")
    file = folder / "lanyard.yaml"
    write_parties(file, [party("All", realm, "https://all.test/", issuance_transform_rules="rules/all.rules")])
    for key, value in {"trusted_proxies": json.dumps(proxies), **settings}.items():
        set_setting(file, key, value)


def escaped(text):
    """As nginx has it in $ssl_client_escaped_cert."""
    return quote(text, safe="")


def in_header(identity):
    return escaped(identity.certificate.read_text())


def headers(*lines):
    """curl's options for these; "Name:" is sent with an empty value."""
    return [part for line in lines for part in ("-H", line[:-1] + ";" if line.find(":") == len(line) - 1 else line)]


class Forwarder:
    """Sends a client's requests to a lab as a proxy does. `identity` is what it shows itself; None: nothing."""

    def __init__(self, client, address, identity=None, header="X-Forwarded-For"):
        self.client, self.address, self.header = client, address, header
        self.options = ["--interface", address, *([] if identity is None else identity.options())]

    def name(self, client):
        return [] if client is None else [f"{self.header}: {client}"]

    def get(self, address, *lines, client=CLIENT):
        return self.client.request(address, *self.options, *headers(*self.name(client), *lines))

    def post(self, address, form, *lines, client=CLIENT):
        return self.client.post(address, form, None, *self.options, *headers(*self.name(client), *lines))

    def begin(self, realm, *lines, client=CLIENT, **more):
        """A sign-in at the main port."""
        return self.get(f"/adfs/ls/?{urlencode(request_for(realm, **more))}", *lines, client=client)

    def hand_over(self, realm, *lines, client=CLIENT, **more):
        """A sign-in at the certificate port; the certificate stands in one of the lines."""
        return self.get(at(self.client.lab, "certificate", realm, **more), *lines, client=client)

    def password(self, realm, form, *lines, client=CLIENT, **more):
        return self.post(f"/adfs/ls/?{urlencode(request_for(realm, **more))}", form, *lines, client=client)
