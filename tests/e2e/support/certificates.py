"""The steps of a certificate sign-in, as a script would take them."""
from urllib.parse import urlencode

from support.sign_in import request_for

CERTIFICATE_FORM = {"AuthMethod": "CertificateAuthentication", "RetrieveCertificate": "1"}
TLS_METHOD = "urn:ietf:rfc:2246"


def at(lab, origin, realm, **more):
    """The address of a sign-in at "certificate", "main" or a name beneath certauth.localhost."""
    start = lab.ready[origin] if origin in lab.ready else f"https://{origin}"
    return f"{start}/adfs/ls/?{urlencode(request_for(realm, **more))}"


def certauth(lab, name="certauth.localhost"):
    return f"{name}:{lab.port()}"


def show(client, realm, identity, origin="certificate", with_chain=False, **more):
    """Opens the sign-in where a certificate is asked for, and shows that one (None: shows none)."""
    options = [] if identity is None else identity.options(with_chain)
    return client.request(at(client.lab, origin, realm, **more), *options)


def post(client, realm, identity, *options, form=None, origin="certificate", **more):
    """The form of the Select page, posted there."""
    shown = [] if identity is None else identity.options()
    return client.post(at(client.lab, origin, realm, **more), {**CERTIFICATE_FORM, **(form or {})}, None, *shown, *options)


def sign_in_by_certificate(client, realm, identity, **more):
    """Signs in and gives the answer that carries the token."""
    answer = show(client, realm, identity, **more)
    return client.get(answer.location) if answer.status == 302 else answer


def refusal(answer):
    """What the explaining page says decided, or None where it is another page."""
    return answer.text_of("code") if "retryForm" in answer.text or "errorDetails" in answer.text else None
