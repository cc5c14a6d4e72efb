"""Federation metadata, read by programs that are not ours (protocol.md 6; engineering 10; O5, O9)."""
import datetime
import re
import subprocess
import threading
import time

import pytest
from lxml import etree
from onelogin.saml2.idp_metadata_parser import OneLogin_Saml2_IdPMetadataParser as OneLoginParser
from onelogin.saml2.utils import OneLogin_Saml2_Utils as OneLogin

from conftest import FIRST
from support.echo import bring, token_for
from support.lab import IS_SANITIZED, run
from support.metadata import (NAMES, PATH, TYPE, WSFED, base64_of, found_by_shibboleth, read_by_passport,
                              verified_by_xml_crypto, verified_by_xmlsec1)
from support.schema import METADATA, complaints
from support.settings import set_setting
from support.sign_in import TokenPage, credentials, request_for, sign_in
from support.tokens import Token

CLAIMS = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"


@pytest.fixture
def served(client):
    return client.get(PATH)


@pytest.fixture
def metadata(served):
    return served.body


@pytest.fixture
def entity(metadata):
    return etree.fromstring(metadata)


@pytest.fixture
def token_service(entity):
    """The role, found as readers of little XML find it: by the letters of its type."""
    found = [role for role in entity.findall("md:RoleDescriptor", NAMES) if role.get(TYPE) == "fed:SecurityTokenServiceType"]
    assert len(found) == 1
    return found[0]


@pytest.fixture
def identity_provider(entity):
    return entity.find("md:IDPSSODescriptor", NAMES)


# How it is served ------------------------------------------------------------------------------

@pytest.mark.parametrize("path", [PATH, PATH.lower(), PATH.upper(), "/federationMetadata/2007-06/FederationMetadata.xml"])
def test_it_is_found_however_the_path_is_spelled(client, metadata, path):
    answer = client.get(path)
    assert answer.status == 200 and answer.body == metadata
    assert answer.header("Content-Type").startswith("application/samlmetadata+xml")


def test_it_is_the_same_bytes_after_a_restart(fresh_lab, make_client):
    """O9: whoever keeps a copy need not fetch it again."""
    first = make_client(fresh_lab).get(PATH)
    fresh_lab.restart()
    again = make_client(fresh_lab).get(PATH)
    assert again.body == first.body and again.header("ETag") == first.header("ETag")


def test_it_may_be_kept_for_a_short_time_and_asked_for_again_by_its_tag(client, served):
    """O9"""
    tag = served.header("ETag")
    assert tag.startswith('"') and tag.endswith('"') and len(tag) > 20
    assert served.header("Cache-Control") == "public, max-age=300"
    for asked in (tag, f'"other", {tag}', f"W/{tag}", "*", f'"other",{tag},"third"'):
        answer = client.request(PATH, "-H", f"If-None-Match: {asked}")
        assert (answer.status, answer.body) == (304, b""), asked
        assert answer.header("ETag") == tag and answer.header("Cache-Control") == "public, max-age=300"
        assert answer.header("Content-Length") in (None, str(len(served.body)))


@pytest.mark.parametrize("asked", ['"other"', "", "W/", "x", '"', "**", ","])
def test_another_tag_gets_the_document(client, served, asked):
    answer = client.request(PATH, "-H", f"If-None-Match: {asked}" if asked else "If-None-Match;")
    assert answer.status == 200 and answer.body == served.body


def test_part_of_its_tag_is_another_tag(client, served):
    tag = served.header("ETag")
    for asked in (tag[:-1], tag[1:], tag.strip('"'), tag[:-2] + '"', tag + "x"):
        assert client.request(PATH, "-H", f"If-None-Match: {asked}").status == 200, asked


def test_head_tells_what_get_would(client, served):
    answer = client.request(PATH, "--head")
    assert answer.status == 200 and answer.header("ETag") == served.header("ETag")
    assert answer.header("Content-Length") == str(len(served.body))


def test_no_other_site_may_read_it_by_script(client):
    """B7"""
    assert client.request(PATH, "-H", "Origin: https://evil.test").all("Access-Control-Allow-Origin") == []


def test_it_takes_no_post_and_is_not_on_the_plain_port(lab, client):
    refused = client.post(PATH, {"a": "b"})
    assert refused.status == 405 and refused.header("Allow") == "GET, HEAD"
    assert client.get(lab.plain + PATH).status == 404


def test_it_is_served_while_everybody_signs_in(fresh_lab, make_client):
    """O9: hashing passwords holds nobody else up."""
    stop, errors = threading.Event(), []

    def hammer():
        client = make_client(fresh_lab)
        while not stop.is_set():
            try:
                client.post("/adfs/ls/", credentials(fresh_lab, "alice", "wrong"), request_for(FIRST))
            except subprocess.SubprocessError as error:
                errors.append(error)

    crowd = [threading.Thread(target=hammer) for _ in range(12)]
    for each in crowd:
        each.start()
    try:
        client = make_client(fresh_lab)
        for _ in range(10):
            answer = client.request(PATH, "--max-time", "20" if IS_SANITIZED else "5")
            assert answer.status == 200
    finally:
        stop.set()
        for each in crowd:
            each.join()


# What it says ----------------------------------------------------------------------------------

def test_it_is_valid_by_its_schema(metadata, tmp_path):
    assert complaints(metadata, METADATA, tmp_path) == ""


def test_the_schema_refuses_metadata_that_is_out_of_order_or_lacks_an_endpoint(entity, token_service, tmp_path):
    """The check above can fail."""
    passive = token_service.find("fed:PassiveRequestorEndpoint", NAMES)
    token_service.insert(0, passive)
    assert "PassiveRequestorEndpoint" in complaints(etree.tostring(entity), METADATA, tmp_path)
    token_service.append(passive)
    assert complaints(etree.tostring(entity), METADATA, tmp_path) == ""
    for endpoint in token_service.findall("fed:SecurityTokenServiceEndpoint", NAMES):
        token_service.remove(endpoint)
    assert "SecurityTokenServiceEndpoint" in complaints(etree.tostring(entity), METADATA, tmp_path)


def test_its_name_is_the_issuer_of_every_token(lab, client, entity):
    token = Token(TokenPage(sign_in(client, FIRST)).wresult)
    assert entity.get("entityID") == lab.ready["issuer"] == token.assertion.get("Issuer")


def addresses(token_service, name):
    return token_service.xpath(f"fed:{name}/wsa:EndpointReference/wsa:Address/text()", namespaces=NAMES)


def test_the_passive_endpoint_is_where_one_signs_in(lab, client, token_service):
    assert addresses(token_service, "PassiveRequestorEndpoint") == [f"{lab.main}/adfs/ls/"]
    assert "loginForm" in client.get(f"{lab.main}/adfs/ls/", request_for(FIRST)).text


def test_every_active_endpoint_listens_at_its_address(lab, client, token_service):
    """protocol.md 5.2, 6: with the WSDL beside each."""
    where = {"usernamemixed": lab.main, "certificatetransport": lab.ready["certificate"]}
    active = addresses(token_service, "SecurityTokenServiceEndpoint")
    assert sorted(active) == sorted(f"{where[name]}/adfs/services/trust/{version}/{name}" for version in ("2005", "13") for name in where)
    for address in active:
        answer = client.get(address)
        assert (answer.status, answer.header("Allow")) == (405, "POST"), address
    wsdls = token_service.xpath("fed:SecurityTokenServiceEndpoint/wsa:EndpointReference/wsa:Metadata//wsa:Address/text()", namespaces=NAMES)
    assert len(wsdls) == len(active) and set(wsdls) == {f"{lab.main}/adfs/services/trust/mex"}
    assert b"wsdl:definitions" in client.get(wsdls[0]).body


def test_what_is_spoken_stands_in_the_protocols(token_service):
    assert token_service.get("protocolSupportEnumeration").split() == [
        "http://docs.oasis-open.org/ws-sx/ws-trust/200512", "http://schemas.xmlsoap.org/ws/2005/02/trust",
        "http://docs.oasis-open.org/wsfed/federation/200706"]


def test_what_is_switched_off_is_not_in_it(make_lab, make_client):
    """Decision 12: then the active endpoint, which readers want, is the passive one."""
    lab = make_lab()
    lab.stop()
    for version in ("2005", "13"):
        for name in ("usernamemixed", "certificatetransport"):
            set_setting(lab.settings_file, f"enable_{version}_{name}", "false")
    lab.start()
    metadata = make_client(lab).get(PATH).body
    role = etree.fromstring(metadata).find("md:RoleDescriptor", NAMES)
    assert b"/adfs/services/trust/" not in metadata and b"ws-trust" not in metadata
    assert role.get("protocolSupportEnumeration") == "http://docs.oasis-open.org/wsfed/federation/200706"
    assert addresses(role, "SecurityTokenServiceEndpoint") == [f"{lab.main}/adfs/ls/"]


def test_endpoints_are_in_a_default_namespace_for_those_who_look_for_the_bare_word(metadata):
    """As AD FS writes them: "EndpointReference" and "Address" without a prefix."""
    assert metadata.count(b"<EndpointReference xmlns=") == metadata.count(b"<Address>") == 5


def test_only_what_works_is_offered(entity, metadata, token_service, identity_provider):
    """decision 12: no SAML protocol, no other endpoint, nothing that asks for a role of a relying party."""
    assert b"urn:oasis:names:tc:SAML:2.0:protocol" not in metadata and b"SAML:2.0:bindings" not in metadata
    assert set(re.findall(rb"/adfs/services/trust/\w+/(\w+)", metadata)) == {b"usernamemixed", b"certificatetransport"}
    assert {etree.QName(role).localname for role in entity} == {"Signature", "RoleDescriptor", "IDPSSODescriptor"}
    assert token_service.xpath("fed:TokenTypesOffered/fed:TokenType/@Uri", namespaces=NAMES) == [
        "urn:oasis:names:tc:SAML:2.0:assertion", "urn:oasis:names:tc:SAML:1.0:assertion"]
    assert identity_provider.get("protocolSupportEnumeration") == WSFED


def test_every_claim_that_a_token_carries_is_offered_with_a_name(client, token_service):
    offered = {claim.get("Uri"): claim.findtext("auth:DisplayName", namespaces=NAMES)
               for claim in token_service.iterfind("fed:ClaimTypesOffered/auth:ClaimType", NAMES)}
    carried = Token(TokenPage(sign_in(client, FIRST)).wresult).claims
    assert set(carried) <= set(offered) and all(offered.values())
    assert offered[CLAIMS + "emailaddress"] == "E-Mail Address" and offered[CLAIMS + "upn"] == "UPN"


def test_it_holds_no_secret(lab, metadata):
    """O9"""
    assert b"PRIVATE" not in metadata and b"password" not in metadata.lower()
    for user in lab.ready["users"]:
        assert user["name"].encode() not in metadata


# Its signature ---------------------------------------------------------------------------------

def test_it_is_signed_with_the_key_that_signs_tokens(lab, metadata, entity, tmp_path):
    certificate = base64_of(lab.signing_certificate)
    assert entity.xpath("ds:Signature//ds:X509Certificate/text()", namespaces=NAMES) == [certificate]
    assert entity.xpath("//md:KeyDescriptor[@use='signing']//ds:X509Certificate/text()", namespaces=NAMES) == [certificate] * 2
    assert entity.xpath("string(ds:Signature//ds:SignatureMethod/@Algorithm)", namespaces=NAMES).endswith("#rsa-sha256")
    assert verified_by_xmlsec1(metadata, lab.signing_certificate, tmp_path)
    assert verified_by_xml_crypto(metadata, lab.signing_certificate, tmp_path).startswith("<EntityDescriptor ")
    assert OneLogin.validate_metadata_sign(metadata, cert=open(lab.signing_certificate).read())


@pytest.mark.parametrize("old, new", [(b"https://localhost", b"https://evil.test"), (b"E-Mail", b"E-mail"),
                                      (b'use="signing"', b'use="encryption"'), (b"fed:SecurityT", b"fed:ApplicationT")])
def test_changed_metadata_is_refused_by_each_verifier(lab, metadata, tmp_path, old, new):
    assert old in metadata
    changed = metadata.replace(old, new, 1)
    assert not verified_by_xmlsec1(changed, lab.signing_certificate, tmp_path)
    assert verified_by_xml_crypto(changed, lab.signing_certificate, tmp_path) is None
    assert not OneLogin.validate_metadata_sign(changed, cert=open(lab.signing_certificate).read())


# Who reads it ----------------------------------------------------------------------------------

def test_shibboleth_loads_it_unedited_as_a_wsfed_identity_provider(lab, metadata, tmp_path):
    found = found_by_shibboleth(metadata, lab.signing_certificate, lab.ready["issuer"], tmp_path)
    assert found is not None and found.get("entityID") == lab.ready["issuer"]


def test_shibboleth_does_not_load_it_by_another_key_or_once_changed(lab, metadata, tmp_path):
    """The check above can fail."""
    issuer = lab.ready["issuer"]
    assert found_by_shibboleth(metadata, lab.ready["issuing_certificate"], issuer, tmp_path) is None
    changed = metadata.replace(b"https://localhost", b"https://evil.test", 1)
    assert found_by_shibboleth(changed, lab.signing_certificate, issuer, tmp_path) is None


def test_npms_passport_saml_metadata_reads_it(lab, metadata, tmp_path):
    read = read_by_passport(metadata, tmp_path)
    assert read["entityId"] == lab.ready["issuer"]
    assert read["identityProviderUrl"] == read["logoutUrl"] == f"{lab.main}/adfs/ls/"
    assert read["signingCertificates"] == [base64_of(lab.signing_certificate)]
    assert CLAIMS + "upn" in read["claims"]


def test_onelogins_reader_takes_address_and_certificate(lab, metadata):
    read = OneLoginParser.parse(metadata.decode(), required_sso_binding=WSFED, required_slo_binding=WSFED)["idp"]
    assert read["entityId"] == lab.ready["issuer"] and read["x509cert"] == base64_of(lab.signing_certificate)
    assert read["singleSignOnService"]["url"] == read["singleLogoutService"]["url"] == f"{lab.main}/adfs/ls/"


def test_a_saml_protocol_reader_is_not_led_astray(metadata):
    """decision 12: who speaks SAML's own protocol finds no address for it."""
    assert "singleSignOnService" not in OneLoginParser.parse(metadata.decode())["idp"]


# A new key -------------------------------------------------------------------------------------

def test_the_next_keys_certificate_is_announced_before_it_signs(fresh_lab, make_client, tmp_path):
    """O5: announce, exchange, withdraw; relying parties that read metadata in between never fail."""
    pki = fresh_lab.settings_file.parent / "pki"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=next", "-days", "30",
                    "-keyout", str(pki / "next.key"), "-out", str(pki / "next.pem")], check=True, capture_output=True)
    (pki / "next.key").chmod(0o600)
    old, new = base64_of(pki / "signing.pem"), base64_of(pki / "next.pem")
    client = make_client(fresh_lab)

    def announced():
        tree = etree.fromstring(client.get(PATH).body)
        return [role.xpath("md:KeyDescriptor[@use='signing']//ds:X509Certificate/text()", namespaces=NAMES)
                for role in (tree.find("md:RoleDescriptor", NAMES), tree.find("md:IDPSSODescriptor", NAMES))]

    def reread(settings):
        for key, value in settings.items():
            set_setting(fresh_lab.settings_file, key, value)
        fresh_lab.restart()

    assert announced() == [[old]] * 2
    reread({"token_signing_secondary_certificate": "pki/next.pem"})
    assert announced() == [[old, new]] * 2
    assert verified_by_xmlsec1(client.get(PATH).body, str(pki / "signing.pem"), tmp_path)
    reread({"token_signing_secondary_certificate": "pki/signing.pem", "token_signing_certificate": "pki/next.pem",
            "token_signing_key": "pki/next.key"})
    assert announced() == [[new, old]] * 2
    assert verified_by_xmlsec1(client.get(PATH).body, str(pki / "next.pem"), tmp_path)
    token = Token(TokenPage(sign_in(client, FIRST, wfresh="0")).wresult)
    assert token.one("//ds:X509Certificate").text == new


def make_next_key(lab):
    pki = lab.settings_file.parent / "pki"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=next", "-days", "30",
                    "-keyout", str(pki / "next.key"), "-out", str(pki / "next.pem")], check=True, capture_output=True)
    (pki / "next.key").chmod(0o600)
    return base64_of(pki / "signing.pem"), base64_of(pki / "next.pem")


def set_promotion(lab, seconds_from_now):
    at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds_from_now)
    for key, value in {"token_signing_secondary_certificate": "pki/next.pem", "token_signing_secondary_key": "pki/next.key",
                       "token_signing_promote_at": at.strftime("%Y-%m-%dT%H:%M:%SZ")}.items():
        set_setting(lab.settings_file, key, value)


def signers(client):
    """The certificate a new token is signed with, and those the metadata announces."""
    token = Token(TokenPage(sign_in(client, FIRST, wfresh="0")).wresult)
    role = etree.fromstring(client.get(PATH).body).find("md:RoleDescriptor", NAMES)
    return (token.one("//ds:X509Certificate").text,
            role.xpath("md:KeyDescriptor[@use='signing']//ds:X509Certificate/text()", namespaces=NAMES))


def test_the_next_key_is_promoted_at_its_time_without_a_restart(fresh_lab, make_client, tmp_path):
    """O5: and whoever holds a token by the old one is believed as before"""
    old, new = make_next_key(fresh_lab)
    client = make_client(fresh_lab)
    set_promotion(fresh_lab, 4)
    fresh_lab.signal(1)
    fresh_lab.event_where(event="reload", outcome="done")
    assert signers(client) == (old, [old, new])
    token = token_for(client)
    fresh_lab.wait_for(lambda: len([event for event in fresh_lab.events() if event["event"] == "reload"]) == 2, 10)
    assert signers(client) == (new, [new, old])
    assert verified_by_xmlsec1(client.get(PATH).body, str(fresh_lab.settings_file.parent / "pki" / "next.pem"), tmp_path)
    assert bring(client, token.wresult).text_of("verdict").startswith("Signed in as")
    assert bring(client, token_for(client).wresult).text_of("verdict").startswith("Signed in as")


def test_after_a_crash_the_time_alone_decides_which_key_signs(fresh_lab, make_client):
    """O5: nothing is moved on disk, so there is no middle to crash in"""
    old, new = make_next_key(fresh_lab)
    set_promotion(fresh_lab, 1)
    time.sleep(1.2)
    before = sorted(path.read_bytes() for path in (fresh_lab.settings_file.parent / "pki").glob("*.key"))
    fresh_lab.restart()
    assert signers(make_client(fresh_lab)) == (new, [new, old])
    assert fresh_lab.ready["signing_certificate"].endswith("/pki/next.pem")
    fresh_lab.kill()
    fresh_lab.start()
    assert signers(make_client(fresh_lab)) == (new, [new, old])
    fresh_lab.move_clock("-1h")
    assert signers(make_client(fresh_lab)) == (old, [old, new])
    assert sorted(path.read_bytes() for path in (fresh_lab.settings_file.parent / "pki").glob("*.key")) == before


@pytest.mark.parametrize("key, value, words", [
    ("token_signing_secondary_key", "pki/signing.key", "next.pem"),
    ("token_signing_secondary_key", "pki/nowhere.key", "nowhere.key"),
    ("token_signing_secondary_key", None, "token_signing_promote_at without a key to promote"),
    ("token_signing_secondary_certificate", None, "token_signing_promote_at without a key to promote"),
    ("token_signing_promote_at", "tomorrow", "a time such as"),
])
def test_a_promotion_that_cannot_happen_is_refused_long_before(fresh_lab, key, value, words):
    """O5"""
    make_next_key(fresh_lab)
    set_promotion(fresh_lab, 86400)
    text = fresh_lab.settings_file.read_text()
    assert run("check", "-c", fresh_lab.settings_file).returncode == 0
    fresh_lab.settings_file.write_text("".join(line for line in text.splitlines(True) if not line.startswith(key + ":")))
    if value:
        set_setting(fresh_lab.settings_file, key, value)
    checked = run("check", "-c", fresh_lab.settings_file)
    assert checked.returncode == 1 and words in checked.stdout + checked.stderr


def test_an_announced_certificate_that_cannot_be_read_is_named(fresh_lab):
    """O5"""
    set_setting(fresh_lab.settings_file, "token_signing_secondary_certificate", "pki/nowhere.pem")
    checked = run("check", "-c", fresh_lab.settings_file)
    assert checked.returncode == 1 and "nowhere.pem" in checked.stdout + checked.stderr
