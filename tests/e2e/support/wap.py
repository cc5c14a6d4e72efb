"""A Web Application Proxy as lanyard meets it: it hands over its users' requests (MS-ADFSPIP, 3.11.5.2)."""
import base64
import json
import ssl
from urllib.parse import urlencode

from support.identity import Authority

PATH = "/adfs/backendproxytls"
USER = "192.0.2.7"
FORM = "application/x-www-form-urlencoded"
NO_CERTIFICATE = {"ErrorType": "1", "ErrorCode": "1168"}


def der(identity):
    return ssl.PEM_cert_to_DER_cert(identity.certificate.read_text())


def pairs(fields):
    return [{"Name": name, "Value": value} for name, value in fields]


def wrap(body):
    """base64url without padding, as .NET writes it; bytes and text are taken for what they are."""
    text = body if isinstance(body, bytes) else (body if isinstance(body, str) else json.dumps(body)).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=")


class Wap:
    """One that connects from `address` and shows `identity` (None: nothing) in TLS."""

    def __init__(self, client, identity, address):
        self.client, self.identity, self.address = client, identity, address

    def options(self, *headers):
        """What curl is to be told; the headers of 2.2.1 among it."""
        shown = [] if self.identity is None else self.identity.options()
        lines = ["X-MS-Proxy: wap1", f"X-MS-Forwarded-Client-IP: {USER}", "X-MS-Endpoint-Absolute-Path: /adfs/ls/", *headers]
        return ["--interface", self.address, *shown, *(part for line in lines for part in ("-H", line))]

    def forward(self, address, *options):
        """What a user's client asks for without a certificate: passed on as it is."""
        return self.client.request(address, *self.options(), *options)

    def send(self, body, *headers):
        """A body of ours, whatever it is."""
        return self.client.post(PATH, wrap(body), None, *self.options("Content-Type: application/json; charset=utf-8", *headers))

    def message(self, uri, identity=None, method="GET", content=None, media=FORM, cookie=None, headers=(), **more):
        """The JSON of a request that came with that certificate; `more` goes beside Request."""
        content = urlencode(content).encode() if isinstance(content, dict) else content or b""
        host = uri.split("/")[2]
        fields = [("Host", host), ("User-Agent", "Mozilla/5.0 (a user's)"), *headers]
        fields += [("Content-Type", media), ("Content-Length", str(len(content)))] if content else []
        fields += [("Cookie", f"MSISAuth={cookie}")] if cookie else []
        request = {"AcceptTypes": ["text/html"], "Content": list(content), "ContentEncoding": "utf-8", "ContentLength": len(content),
                   "ContentType": media if content else None, "Cookies": [], "Headers": pairs(fields), "HttpMethod": method,
                   "RequestUri": uri, "QueryString": [], "UserAgent": "Mozilla/5.0 (a user's)",
                   "UserHostAddress": "10.0.0.5:49443", "UserHostName": host, "UserLanguages": ["en"]}
        shown = {} if identity is None else {"SerializedClientCertificate": base64.b64encode(der(identity)).decode()}
        return {"Request": request, **shown, "CertificateUsage": "1", "ErrorType": "0", "ErrorCode": "0", **more}

    def hand_over(self, *arguments, **more):
        return self.send(self.message(*arguments, **more))


def identities(folder):
    """Of proxies: one in its time, one that is over, and one that nobody knows. They are trusted for what they are, and
    not for who issued them."""
    authority = Authority.stranger(folder)
    return {"good": authority.issue(folder, "good"), "over": authority.issue(folder, "over", days=(-3, -1)),
            "other": authority.issue(folder, "other")}
