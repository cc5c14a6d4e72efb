"""Metadata of relying parties, by their own programs, and a server to get it from."""
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from onelogin.saml2.metadata import OneLogin_Saml2_Metadata as OneLoginMetadata

from support.metadata import base64_of

WIF = """<?xml version="1.0" encoding="utf-8"?>
<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" ID="_5a7b0b6e-8f0b-4a6b-9d52-3d2d3f1f0a11" entityID="{entity}">
  <!-- as Visual Studio's tool writes it -->
  <RoleDescriptor xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:fed="http://docs.oasis-open.org/wsfed/federation/200706"
      xsi:type="fed:ApplicationServiceType" ServiceDisplayName="{name}"
      protocolSupportEnumeration="http://docs.oasis-open.org/wsfed/federation/200706">{key}
    <fed:TargetScopes><EndpointReference xmlns="http://www.w3.org/2005/08/addressing"><Address>{entity}</Address></EndpointReference></fed:TargetScopes>
    <fed:ApplicationServiceEndpoint><EndpointReference xmlns="http://www.w3.org/2005/08/addressing"><Address>https://rp.test/active</Address></EndpointReference></fed:ApplicationServiceEndpoint>
    {endpoints}
  </RoleDescriptor>
</EntityDescriptor>
"""
ENDPOINT = """<fed:PassiveRequestorEndpoint>
      <EndpointReference xmlns="http://www.w3.org/2005/08/addressing">
        <Address>{}</Address>
      </EndpointReference>
    </fed:PassiveRequestorEndpoint>"""
KEY = """
    <KeyDescriptor use="encryption"><KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data>
      <X509Certificate>{}</X509Certificate></X509Data></KeyInfo></KeyDescriptor>"""


def wif_metadata(*urls, entity="https://rp.test/app", name="The application", certificate=None):
    """The metadata of an application of Windows Identity Foundation."""
    return WIF.format(entity=entity, name=name, key=KEY.format(base64_of(certificate)) if certificate else "",
                      endpoints="\n    ".join(map(ENDPOINT.format, urls or ["https://rp.test/app/"])))


def onelogin_metadata(entity="https://sp.test/metadata", url="https://sp.test/acs", certificate=None):
    """The metadata of a SAML service provider, by OneLogin's toolkit."""
    provider = {"entityId": entity, "assertionConsumerService": {
        "url": url, "binding": "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"}, "NameIDFormat": "", "attributeConsumingService": {}}
    metadata = OneLoginMetadata.builder(provider)
    if certificate:
        metadata = OneLoginMetadata.add_x509_key_descriptors(metadata, base64_of(certificate))
    return metadata.decode() if isinstance(metadata, bytes) else metadata


def sign(metadata, key, certificate):
    """Signed by OneLogin's toolkit."""
    signed = OneLoginMetadata.sign_metadata(metadata, open(key).read(), open(certificate).read())
    return signed.decode() if isinstance(signed, bytes) else signed


class Server:
    """A context: answers each path with what `paths` says: (status, headers, body), or a function of
    the handler that does it all. With a certificate it speaks https."""

    def __init__(self, paths, certificate=None, key=None):
        outer = self
        self.seen = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                outer.seen.append((self.path, dict(self.headers)))
                answer = paths.get(self.path, (404, {}, b""))
                if callable(answer):
                    answer(self)
                    return
                status, headers, body = answer
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body.encode() if isinstance(body, str) else body)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate, key)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.address = f"{'https' if certificate else 'http'}://localhost:{self.server.server_address[1]}"

    def __enter__(self):
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,))
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
