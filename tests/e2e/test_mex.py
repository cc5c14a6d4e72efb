"""MEX: the WSDL of WS-Trust's endpoints, as MSAL, ADAL and SOAP toolkits read it (protocol.md 5.7)."""
import re

import pytest
import requests
import zeep
from lxml import etree
from msal.mex import Mex
from zeep.transports import Transport
from zeep.wsse.username import UsernameToken

from conftest import FIRST
from support.kinds import Assertion
from support.settings import set_setting
from support.wstrust import POLICY, TRUST, VERSIONS, WSA, WSU, applies_to, path

PATH = "/adfs/services/trust/mex"
NAMES = {"wsdl": "http://schemas.xmlsoap.org/wsdl/", "soap12": "http://schemas.xmlsoap.org/wsdl/soap12/", "wsp": POLICY,
         "wsa10": WSA, "wsu": WSU, "sp": "http://docs.oasis-open.org/ws-sx/ws-securitypolicy/200702",
         "sp2005": "http://schemas.xmlsoap.org/ws/2005/07/securitypolicy", "xsd": "http://www.w3.org/2001/XMLSchema",
         "wsaw": "http://www.w3.org/2006/05/addressing/wsdl"}
BINDINGS = {("2005", "certificatetransport"): "CertificateWSTrustBinding_IWSTrustFeb2005Async1",
            ("2005", "usernamemixed"): "UserNameWSTrustBinding_IWSTrustFeb2005Async",
            ("13", "certificatetransport"): "CertificateWSTrustBinding_IWSTrust13Async1",
            ("13", "usernamemixed"): "UserNameWSTrustBinding_IWSTrust13Async"}


@pytest.fixture
def served(client):
    return client.get(PATH)


@pytest.fixture
def wsdl(served):
    return etree.fromstring(served.body)


def addresses(wsdl):
    """Port -> address, as ADAL for Node and WCF find them; both places must agree."""
    found = {}
    for port in wsdl.xpath("/wsdl:definitions/wsdl:service/wsdl:port", namespaces=NAMES):
        location = port.find("soap12:address", NAMES).get("location")
        assert port.findtext("wsa10:EndpointReference/wsa10:Address", namespaces=NAMES) == location
        assert port.get("binding") == f"tns:{port.get('name')}"
        found[port.get("name")] = location
    return found


def where(lab, version, credential):
    return (lab.main if credential == "usernamemixed" else lab.ready["certificate"]) + path(version, credential)


# The document --------------------------------------------------------------------------------------

def test_it_is_a_plain_wsdl(served, wsdl):
    assert served.status == 200 and served.header("Content-Type") == "text/xml; charset=utf-8"
    assert wsdl.tag == "{http://schemas.xmlsoap.org/wsdl/}definitions" and wsdl.get("name") == "SecurityTokenService"
    assert wsdl.get("targetNamespace") == "http://schemas.microsoft.com/ws/2008/06/identity/securitytokenservice"


@pytest.mark.parametrize("spelling", [PATH + "/", PATH.upper(), "/adfs/services/Trust/Mex"])
def test_it_is_found_however_the_path_is_spelled(client, served, spelling):
    assert client.get(spelling).body == served.body


def test_it_names_the_host_and_the_port_of_each_endpoint(lab, wsdl):
    assert addresses(wsdl) == {name: where(lab, *which) for which, name in BINDINGS.items()}


def test_the_addresses_come_from_the_settings_and_not_from_the_host_header(lab, client, served):
    """H8"""
    assert client.get(f"https://127.0.0.1:{lab.port()}{PATH}").body == served.body


def test_the_other_binding_of_certificates_has_another_address(make_lab, make_client):
    """protocol.md 4.1: certauth.HOST on the main port."""
    lab = make_lab()
    lab.stop()
    set_setting(lab.settings_file, "alternate_tls_client_binding", "true")
    lab.start()
    found = addresses(etree.fromstring(make_client(lab).get(PATH).body))
    other = f"https://certauth.localhost:{lab.port()}"
    assert found[BINDINGS["2005", "certificatetransport"]] == other + path("2005", "certificatetransport")
    assert found[BINDINGS["2005", "usernamemixed"]] == where(lab, "2005", "usernamemixed")


def test_each_binding_has_its_policy_its_transport_and_its_action(wsdl):
    """What MSAL for Python crashes without, and MSAL.NET throws at when it is there twice."""
    policies = wsdl.xpath("/wsdl:definitions/wsp:Policy/@wsu:Id", namespaces=NAMES)
    bindings = wsdl.xpath("/wsdl:definitions/wsdl:binding", namespaces=NAMES)
    assert sorted(policies) == sorted(f"{name}_policy" for name in BINDINGS.values())
    assert sorted(binding.get("name") for binding in bindings) == sorted(BINDINGS.values())
    for binding in bindings:
        version = "2005" if "2005" in binding.get("name") else "13"
        assert binding.find("wsp:PolicyReference", NAMES).get("URI") == f"#{binding.get('name')}_policy"
        assert binding.find("soap12:binding", NAMES).get("transport") == "http://schemas.xmlsoap.org/soap/http"
        assert binding.find("wsdl:operation/soap12:operation", NAMES).get("soapAction") == f"{TRUST[version]}/RST/Issue"


def policy(wsdl, version, credential):
    return wsdl.xpath("/wsdl:definitions/wsp:Policy[@wsu:Id=$id]/wsp:ExactlyOne/wsp:All", namespaces=NAMES,
                      id=f"{BINDINGS[version, credential]}_policy")[0]


@pytest.mark.parametrize("version, space, tokens", [("2005", "sp2005", "SignedSupportingTokens"),
                                                    ("13", "sp", "SignedEncryptedSupportingTokens")])
def test_a_policy_says_which_credential_is_wanted(wsdl, version, space, tokens):
    by_password, by_certificate = (policy(wsdl, version, credential) for credential in ("usernamemixed", "certificatetransport"))
    token = f"{space}:{tokens}/wsp:Policy/{space}:UsernameToken/wsp:Policy/{space}:WssUsernameToken10"
    assert by_password.find(token, NAMES) is not None and by_certificate.find(token, NAMES) is None
    stamp = f"{space}:TransportBinding/wsp:Policy/{space}:IncludeTimestamp"
    assert by_password.find(stamp, NAMES) is not None and by_certificate.find(stamp, NAMES) is None
    assert b"RequireClientCertificate" in etree.tostring(by_certificate)
    assert b'RequireClientCertificate="true"' not in etree.tostring(by_password)


def test_what_is_not_built_is_not_in_it(served):
    for word in ("windows", "kerberos", "issuedtoken", "certificatemixed", "NegotiateAuthentication"):
        assert word not in served.text


def test_only_what_is_enabled_is_in_it(make_lab, make_client):
    lab = make_lab()
    lab.stop()
    for version, credential in BINDINGS:
        is_on = (version, credential) == ("2005", "usernamemixed")
        set_setting(lab.settings_file, f"enable_{version}_{credential}", "true" if is_on else "false")
    lab.start()
    wsdl = etree.fromstring(make_client(lab).get(PATH).body)
    assert list(addresses(wsdl)) == [BINDINGS["2005", "usernamemixed"]]
    assert wsdl.xpath("//wsdl:portType/@name", namespaces=NAMES) == ["IWSTrustFeb2005Async"]
    assert Mex(etree.tostring(wsdl).decode()).get_wstrust_username_password_endpoint()["address"].endswith(path("2005"))


def test_it_can_be_switched_off(make_lab, make_client):
    lab = make_lab()
    lab.stop()
    set_setting(lab.settings_file, "enable_mex", "false")
    lab.start()
    client = make_client(lab)
    assert client.get(PATH).status == 404 and client.get(PATH + "?xsd=xsd1").status == 404
    assert "/mex" not in client.get("/FederationMetadata/2007-06/FederationMetadata.xml").text


def test_it_takes_no_post_and_is_on_the_main_port_only(lab, client):
    assert client.post(PATH, {"a": "b"}).status == 405
    assert client.get(lab.plain + PATH).status == 404 and client.get(lab.ready["certificate"] + PATH).status == 404


# Its schemas ---------------------------------------------------------------------------------------

def test_the_schemas_it_imports_are_there(client, wsdl):
    imports = wsdl.xpath("/wsdl:definitions/wsdl:types/xsd:schema/xsd:import", namespaces=NAMES)
    assert [each.get("namespace") for each in imports] == ["http://schemas.microsoft.com/Message", TRUST["2005"], TRUST["13"]]
    for each in imports:
        answer = client.get(each.get("schemaLocation"))
        assert answer.status == 200 and etree.XMLSchema(etree.fromstring(answer.body)) is not None
        assert etree.fromstring(answer.body).get("targetNamespace") == each.get("namespace")


@pytest.mark.parametrize("name", ["xsd3", "", "../xsd1", "XSD1"])
def test_no_other_schema_is_there(client, name):
    assert client.get(f"{PATH}?xsd={name}").status == 404


# Readers -------------------------------------------------------------------------------------------

def test_msal_for_python_prefers_1_3(lab, served):
    assert Mex(served.text).get_wstrust_username_password_endpoint() == {
        "address": where(lab, "13", "usernamemixed"), "action": f"{TRUST['13']}/RST/Issue"}


def test_msal_for_python_takes_2005_where_1_3_is_off(make_lab, make_client):
    lab = make_lab()
    lab.stop()
    set_setting(lab.settings_file, "enable_13_usernamemixed", "false")
    lab.start()
    found = Mex(make_client(lab).get(PATH).text).get_wstrust_username_password_endpoint()
    assert found == {"address": where(lab, "2005", "usernamemixed"), "action": f"{TRUST['2005']}/RST/Issue"}


def test_msal_net_finds_its_endpoint_by_the_policy_of_2005(lab, wsdl):
    """Its steps: policies by a UsernameToken of the 2005 namespace, bindings by their reference, ports
    by their binding's local name."""
    policies = wsdl.xpath("/*/wsp:Policy[.//sp2005:SignedSupportingTokens//sp2005:UsernameToken]/@wsu:Id", namespaces=NAMES)
    bindings = [binding.get("name") for binding in wsdl.findall("wsdl:binding", NAMES)
                if binding.find("wsp:PolicyReference", NAMES).get("URI").lstrip("#") in policies]
    ports = [port for port in wsdl.findall("wsdl:service/wsdl:port", NAMES) if port.get("binding").split(":", 1)[1] in bindings]
    assert [port.find("wsa10:EndpointReference/wsa10:Address", NAMES).text for port in ports] == [where(lab, "2005", "usernamemixed")]


def toolkit(lab, wsse=None, certificate=None):
    """python3-zeep, which knows nothing but the WSDL."""
    session = requests.Session()
    session.verify, session.trust_env = lab.root_certificate, False
    session.cert = certificate
    return zeep.Client(lab.main + PATH, transport=Transport(session=session), wsse=wsse)


def zeep_issue(soap, version, credential):
    """Asks through the WSDL's own service, binding and operation."""
    service = soap.bind("SecurityTokenService", BINDINGS[version, credential])
    operation = service["TrustFeb2005IssueAsync" if version == "2005" else "Trust13IssueAsync"]
    applies = etree.fromstring(applies_to(FIRST).replace("<wsp:AppliesTo ", f'<wsp:AppliesTo xmlns:a="{WSA}" '))
    kind = etree.Element(f"{{{TRUST[version]}}}RequestType")
    kind.text = f"{TRUST[version]}/Issue"
    return operation(_value_1=[applies, kind])


def zeep_token(soap, version, credential):
    with soap.settings(raw_response=True):
        answer = zeep_issue(soap, version, credential)
    assert answer.status_code == 200, answer.text
    return Assertion(re.search(r"RequestedSecurityToken>(.*)</\w+:RequestedSecurityToken", answer.text).group(1))


@pytest.mark.parametrize("version", VERSIONS)
def test_zeep_gets_a_token_by_password(lab, version, tmp_path):
    user = lab.user()
    token = zeep_token(toolkit(lab, UsernameToken(user["name"], user["password"])), version, "usernamemixed")
    assert token.audience == FIRST and token.verified_by_xmlsec1(lab.signing_certificate, tmp_path)


@pytest.mark.parametrize("version", VERSIONS)
def test_zeep_gets_a_token_by_certificate(lab, version, tmp_path):
    user = lab.user()
    token = zeep_token(toolkit(lab, certificate=(user["certificate"], user["key"])), version, "certificatetransport")
    assert token.audience == FIRST and token.verified_by_xmlsec1(lab.signing_certificate, tmp_path)


def test_zeep_understands_a_fault(lab):
    with pytest.raises(zeep.exceptions.Fault, match="ID3242"):
        zeep_issue(toolkit(lab, UsernameToken("alice@lab.test", "wrong password")), "13", "usernamemixed")
