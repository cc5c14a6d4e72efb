"""Messages that WS-Trust's endpoints refuse: the M cases of security.md, each by name."""
import base64
import concurrent.futures
import os
import re
import socket
import time

import pytest

from conftest import FIRST, SECOND
from support.lab import IS_SANITIZED
from support.tokens import time_of
from support.wstrust import (BEARER, FAILED, SOAP, TRUST, TYPE, VERSIONS, WSA, WSSE, WSU, Reply, action, ask, envelope, message,
                             moment, path, post, refused, request, security, timestamp, trust_fault, username_token)

CLAIMS = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"


@pytest.fixture
def alice(lab):
    return lab.user("alice")


def hostile(client, change, version="2005"):
    """A good message with something done to it."""
    return refused(client, change(message(version, FIRST, user=client.lab.user())), version)


@pytest.mark.parametrize("prolog", [
    '<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd">', '<!DOCTYPE x PUBLIC "-//X" "file:///etc/passwd">',
    '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>', '<!DOCTYPE x [<!ATTLIST s:Envelope x CDATA "y">]>',
    '<!DOCTYPE x [<!ENTITY % p SYSTEM "http://127.0.0.1:9/p"> %p;]>'])
def test_m1_a_document_type_is_refused(client, prolog):
    assert "DOCTYPE" in hostile(client, lambda body: prolog + body).fault[2]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-16-le"])
def test_m1_a_document_type_in_another_encoding_is_refused(client, encoding):
    assert "not plain UTF-8" in hostile(client, lambda body: ("<!DOCTYPE x>" + body).encode(encoding)).fault[2]


def test_m2_billion_laughs_are_refused_at_once(client):
    entities = "".join(f'<!ENTITY l{i + 1} "{f"&l{i};" * 10}">' for i in range(9))
    began = time.monotonic()
    reply = hostile(client, lambda body: f'<!DOCTYPE x [<!ENTITY l0 "ha">{entities}]>' + body.replace(FIRST, "&l9;"))
    assert "DOCTYPE" in reply.fault[2] and time.monotonic() - began < (5 if IS_SANITIZED else 1)


@pytest.mark.parametrize("added", ['<?xml-stylesheet href="http://127.0.0.1:9/"?>', "<?php echo 1 ?>"])
def test_m3_a_processing_instruction_is_refused(client, added):
    assert "processing instruction" in hostile(client, lambda body: body.replace("<s:Body>", added + "<s:Body>")).fault[2]


def test_m3_an_include_is_not_followed(client):
    include = '<x xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="file:///etc/passwd" parse="text"/></x>'
    reply = hostile(client, lambda body: body.replace(f"<a:Address>{FIRST}", f"<a:Address>{include}"))
    assert reply.fault[1] == trust_fault("2005", "InvalidRequest") and "root:" not in reply.text


@pytest.mark.parametrize("crowd", [
    "<x>" * 257 + "</x>" * 257, "<x " + " ".join(f'a{i}="1"' for i in range(4000)) + "/>",
    '<x a="' + "y" * 50000 + '"/>', "<x>" + "".join(f'<n{i}:x xmlns:n{i}="u"/>' for i in range(2000)) + "</x>",
    "<x/>" * 11000, "<x/>" * 60000, "<x a='1'/>" * 24000, "<x>" * 36000 + "</x>" * 36000, "&amp;" * 50000, "<!--x-->" * 30000,
    "<x " + " ".join(f'a{i}="1"' for i in range(20000)) + "/>", "<x>" + "".join(f'<n{i}:x xmlns:n{i}="u"/>' for i in range(9000)) + "</x>",
    '<x a="' + "y" * 240000 + '"/>'], ids=lambda crowd: f"{len(crowd)} bytes of {crowd[:9]}")
def test_m4_too_much_of_anything_is_refused_or_read_in_time(client, crowd):
    body = message("2005", FIRST, user=client.lab.user()).replace("<a:Action", crowd + "<a:Action", 1)
    began = time.monotonic()
    answer = post(client, path("2005"), body)
    assert answer.status in (200, 500) and time.monotonic() - began < (10 if IS_SANITIZED else 2)


def test_m4_a_message_over_the_limit_is_refused(client, alice):
    """H3"""
    body = message("2005", FIRST, user=alice).replace("<a:Action", f"<!--{'x' * 300000}--><a:Action", 1)
    assert post(client, path("2005"), body).status == 413
    body = message("2005", FIRST, user=alice).replace("<a:Action", f"<!--{'x' * 200000}--><a:Action", 1)
    assert post(client, path("2005"), body).status == 200


def padded(body, size):
    """The same message, of that many bytes."""
    return body.replace("<a:Action", f"<!--{'x' * (size - len(body.encode()) - 7)}--><a:Action", 1)


@pytest.mark.parametrize("how", [[], ["-H", "Transfer-Encoding: chunked"], ["-H", "Expect: 100-continue"]], ids=["length", "chunks", "expect"])
@pytest.mark.parametrize("version", VERSIONS)
def test_h3_a_message_has_256_kb_and_not_a_byte_more(client, alice, version, how):
    """However its length is told."""
    body = message(version, FIRST, user=alice)
    whole, longer = padded(body, 256 * 1024), padded(body, 256 * 1024 + 1)
    assert (len(whole), len(longer)) == (262144, 262145)
    assert Reply(post(client, path(version), whole, options=how)).token.audience == FIRST
    assert post(client, path(version), longer, options=how).status == 413


@pytest.mark.parametrize("address", ["/adfs/ls/", "/adfs/services/trust", "/adfs/services/trustee/2005", "/adfs/servicestrust/2005/x"])
def test_h3_what_is_no_message_has_no_more_than_a_form(client, alice, address):
    body = padded(message("2005", FIRST, user=alice), 100_000)
    assert post(client, address, body).status == 413


@pytest.mark.parametrize("change", [
    lambda body: body.replace(FIRST, "urn:é").encode("latin-1"), lambda body: body.encode() + b"\xff",
    lambda body: body.encode().replace(b"urn:test", b"urn:\xef\xbf\xbe"), lambda body: body.encode().replace(b"urn:test", b"urn\x00"),
    lambda body: b"\xef\xbb\xbf" + body.encode(), lambda body: '<?xml version="1.0" encoding="utf-7"?>' + body,
    lambda body: '<?xml version="1.0" encoding="ISO-8859-1"?>' + body, lambda body: body.encode("utf-16"),
    lambda body: body.encode("cp500")])
def test_m5_what_is_no_utf_8_gets_a_clean_fault(client, change):
    """Also MSAL and ADAL for Python, which send ISO-8859-1 (engineering 10)."""
    assert hostile(client, change).fault[1] == trust_fault("2005", "InvalidRequest")


def test_m6_a_comment_splits_no_name(client, alice):
    """The whole name is used: alice's with another one behind a comment is nobody's."""
    body = message("2005", FIRST, user=alice)
    assert hostile(client, lambda _: body.replace("alice@lab.test", "alice@lab.test<!-- -->.evil")).fault == FAILED
    split = alice["password"][:3] + "<!---->" + alice["password"][3:]
    whole = body.replace("alice@lab.test", "ali<!-- -->ce@lab.test").replace(alice["password"], split)
    assert Reply(post(client, path("2005"), whole)).token.claims[CLAIMS + "upn"] == ["alice@lab.test"]


@pytest.mark.parametrize("part, changed", [("alice@", "<b/>alice@"), (FIRST + "<", FIRST + "<b/><"),
                                           ("/RST/Issue</a:Action>", "/RST/Issue<b/></a:Action>")])
def test_m7_elements_where_text_is_due_are_refused(client, part, changed):
    hostile(client, lambda body: body.replace(part, changed, 1))


def test_m8_prefixes_mean_nothing(client, alice):
    body = message("13", FIRST, user=alice)
    renamed = re.sub(r"(</?|xmlns:| )(s|a|t|o|u)([:=])", lambda found: f"{found[1]}{found[2]}x{found[3]}", body)
    assert renamed != body and Reply(post(client, path("13"), renamed)).token.audience == FIRST
    reply = hostile(client, lambda body: body.replace("<o:Username>", '<o:Username xmlns:o="urn:other">'))
    assert reply.fault[1] == (WSSE, "InvalidSecurity")


def test_m9_to_m14_signatures_and_signed_parts_are_refused(client):
    """None is read here, so none may seem to count; nor may the ids that one would refer to."""
    signature = '<Signature xmlns="http://www.w3.org/2000/09/xmldsig#"><SignedInfo><Reference URI="#_0"/></SignedInfo></Signature>'
    reply = hostile(client, lambda body: body.replace("</o:Security>", signature + "</o:Security>"))
    assert reply.fault[1] == (WSSE, "UnsupportedSecurityToken") and "Signature" in reply.fault[2]


@pytest.mark.parametrize("parts, fault", [
    (lambda user: security(timestamp(-3600, -3000), user), (WSU, "MessageExpired")),
    (lambda user: security(timestamp(3600, 7200), user), (WSU, "MessageExpired")),
    (lambda user: security(timestamp(-900, 600), user), (WSU, "MessageExpired")),
    (lambda user: security(timestamp(), timestamp(), user), (WSSE, "InvalidSecurity")),
    (lambda user: security(timestamp(), user, user), (WSSE, "InvalidSecurity")),
    (lambda user: security(user) + security(user), (WSSE, "InvalidSecurity")),
    (lambda user: security(timestamp(100, 50), user), (WSSE, "InvalidSecurity")),
    (lambda user: security(timestamp()), (WSSE, "InvalidSecurity")),
    (lambda user: "", (WSSE, "InvalidSecurity")),
    (lambda user: security("<o:BinarySecurityToken>MII</o:BinarySecurityToken>", user), (WSSE, "UnsupportedSecurityToken"))])
def test_m15_times_and_tokens_that_do_not_fit_are_refused(client, alice, parts, fault):
    header = action("2005") + parts(username_token(alice["name"], alice["password"]))
    reply = refused(client, envelope(header, request("2005", FIRST)))
    assert reply.fault[1] == fault
    assert alice["password"] not in reply.text


# Replay ------------------------------------------------------------------------------------------

def once(user, version="13", nonce=None, created=None):
    """A message that may be used once."""
    nonce = base64.b64encode(nonce or os.urandom(16)).decode()
    more = f"<o:Nonce>{nonce}</o:Nonce><u:Created>{created or moment()}</u:Created>"
    return message(version, FIRST, user=user, token_more=more)


def test_m16_a_message_with_a_nonce_is_used_once(client, alice):
    body = once(alice)
    assert Reply(post(client, path("13"), body)).token.audience == FIRST
    assert refused(client, body, "13").fault == FAILED
    assert Reply(post(client, path("2005"), once(alice, "2005"))).status == 200


def test_m16_the_nonce_counts_and_not_the_rest_of_the_message(client, alice):
    nonce = os.urandom(16)
    assert Reply(post(client, path("13"), once(alice, nonce=nonce))).status == 200
    assert refused(client, once(alice, "2005", nonce=nonce)).fault == FAILED
    assert refused(client, once({**alice, "name": "LAB\\ALICE"}, nonce=nonce, created=moment(1)), "13").fault == FAILED
    assert Reply(post(client, path("13"), once(client.lab.user("bob"), nonce=nonce))).status == 200


def test_m16_of_many_at_once_one_gets_a_token(lab, make_client, alice):
    body = once(alice)
    clients = [make_client(lab) for _ in range(8)]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda client: post(client, path("13"), body).status, clients))
    assert sorted(statuses) == [200] + [500] * 7


@pytest.mark.parametrize("ending", ["stop", "kill"])
def test_m16_a_restart_forgets_no_nonce(fresh_lab, make_client, ending):
    client, body = make_client(fresh_lab), once(fresh_lab.user())
    assert Reply(post(client, path("13"), body)).status == 200
    getattr(fresh_lab, ending)()
    fresh_lab.start()
    assert refused(client, body, "13").fault == FAILED


def test_m16_a_wrong_password_uses_up_no_nonce(client, alice):
    nonce = os.urandom(16)
    assert refused(client, once({**alice, "password": "wrong password"}, nonce=nonce), "13").fault == FAILED
    assert Reply(post(client, path("13"), once(alice, nonce=nonce))).status == 200


def test_m16_a_nonce_whose_life_has_no_end_is_refused(client, alice):
    token = username_token(alice["name"], alice["password"], "<o:Nonce>AAEC</o:Nonce>")
    assert refused(client, envelope(action("13") + security(token), request("13", FIRST)), "13").fault[1] == (WSSE, "InvalidSecurity")


# Actions, versions, addresses --------------------------------------------------------------------

@pytest.mark.parametrize("word", ["Renew", "Validate", "Cancel"])
@pytest.mark.parametrize("version", VERSIONS)
def test_m17_only_issue_is_served(client, alice, version, word):
    named = message(version, FIRST, user=alice).replace("/RST/Issue", f"/RST/{word}")
    reply = refused(client, named, version)
    assert reply.fault[1] == (WSA, "ActionNotSupported") and "ContractFilter mismatch" in reply.fault[2]
    meant = message(version, FIRST, user=alice).replace("/Issue</t:RequestType>", f"/{word}</t:RequestType>")
    assert refused(client, meant, version).fault[1] == trust_fault(version, "InvalidRequest")


def test_m17_a_missing_action_is_refused(client):
    reply = hostile(client, lambda body: re.sub("<a:Action.*</a:Action>", "", body))
    assert reply.fault[1] == (WSA, "MessageAddressingHeaderRequired")


@pytest.mark.parametrize("headers", [[TYPE, "SOAPAction: urn:other"], [TYPE, 'SOAPAction: "urn:other"'], [TYPE + '; action="urn:other"'],
                                     [TYPE + "; action=urn:other"]])
def test_m17_http_and_the_message_name_the_same_action(client, alice, headers):
    reply = Reply(post(client, path("13"), message("13", FIRST, user=alice), *headers))
    assert (reply.status, reply.fault[1]) == (500, (WSA, "ActionMismatch"))


@pytest.mark.parametrize("headers", [
    ["Content-Type: application/soap+xml"], ["Content-Type: APPLICATION/SOAP+XML;charset=UTF-8"], [TYPE, 'SOAPAction: ""'],
    [TYPE, "SOAPAction;"],
    [f'Content-Type: application/soap+xml; charset="utf-8"; action="{TRUST["13"]}/RST/Issue"'],
    [f"Content-Type: application/soap+xml; action={TRUST['13']}/RST/Issue;charset=utf-8", f'SOAPAction: "{TRUST["13"]}/RST/Issue"']])
def test_the_action_may_stand_in_either_header_or_in_none(client, alice, headers):
    assert Reply(post(client, path("13"), message("13", FIRST, user=alice), *headers)).status == 200


@pytest.mark.parametrize("content_type", [
    "text/xml; charset=utf-8", "application/xml", "application/x-www-form-urlencoded", "multipart/related",
    "application/soap+xml; charset=utf-16", "application/soap+xmlx", ""])
def test_m17_another_media_type_is_refused_before_reading(client, alice, content_type):
    header = f"Content-Type: {content_type}" if content_type else "Content-Type:"
    answer = post(client, path("13"), message("13", FIRST, user=alice), header)
    assert answer.status == 415 and "application/soap+xml" in answer.text and answer.text.count("\n") == 1


@pytest.mark.parametrize("parameters", ["; charset", "; charset=", '; charset="utf-8', "; charset=utf-8; charset=utf-8",
                                        "; action=a; action=b", " x"])
def test_m17_a_media_type_that_has_two_readings_is_refused(client, alice, parameters):
    assert post(client, path("13"), message("13", FIRST, user=alice), f"Content-Type: application/soap+xml{parameters}").status == 415


def test_m17_soap_1_1_is_refused_and_told_what_is_read(client):
    reply = hostile(client, lambda body: body.replace(SOAP, "http://schemas.xmlsoap.org/soap/envelope/"))
    assert reply.fault[0] == "s:VersionMismatch" and reply.find("/s:Envelope/s:Header/s:Upgrade/s:SupportedEnvelope") != []


@pytest.mark.parametrize("here, other", [("2005", "13"), ("13", "2005")])
def test_m18_a_request_of_the_other_version_is_refused(client, alice, here, other):
    assert refused(client, message(other, FIRST, user=alice), here).fault[1] == (WSA, "ActionNotSupported")
    mixed = message(here, FIRST, user=alice).replace(f'xmlns:t="{TRUST[here]}"', f'xmlns:t="{TRUST[other]}"')
    assert refused(client, mixed, here).fault[1] == trust_fault(here, "InvalidRequest")


def test_m18_an_unknown_header_that_must_be_understood_is_refused_and_named(client):
    header = '<v:Trick xmlns:v="urn:v" s:mustUnderstand="1"/><a:MessageID>urn:9</a:MessageID>'
    reply = hostile(client, lambda body: body.replace("<o:Security", header + "<o:Security"))
    unknown = reply.one("/s:Envelope/s:Header/s:NotUnderstood")
    prefix, name = unknown.get("qname").split(":")
    assert reply.fault[0] == "s:MustUnderstand" and (unknown.nsmap[prefix], name) == ("urn:v", "Trick")
    assert reply.relates_to == "urn:9"


@pytest.mark.parametrize("name", ["ReplyTo", "FaultTo"])
def test_m18_no_connection_is_made_to_an_address_in_a_message(client, name):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(1)
        header = f"<a:{name}><a:Address>http://127.0.0.1:{listener.getsockname()[1]}/</a:Address></a:{name}>"
        reply = hostile(client, lambda body: body.replace("<o:Security", header + "<o:Security"))
        assert reply.fault[1] == (WSA, "OnlyAnonymousAddressSupported")
        with pytest.raises(TimeoutError):
            listener.accept()


def test_m18_to_is_not_looked_at(client):
    """Clients of real AD FS write other names there; nothing follows from it."""
    header = '<a:To s:mustUnderstand="1">https://127.0.0.1/adfs/services/trust/2005/windowstransport</a:To>'
    assert ask(client, "13", FIRST, header=header).status == 200


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("added, name", [
    ("<t:OnBehalfOf/>", "BadRequest"), ('<w:ActAs xmlns:w="http://docs.oasis-open.org/ws-sx/ws-trust/200802"/>', "BadRequest"),
    ("<t:Entropy/>", "BadRequest"), ("<t:UseKey/>", "BadRequest"), ("<t:Claims/>", "BadRequest"), ("<t:RenewTarget/>", "BadRequest"),
    ("<t:TokenType>urn:ietf:params:oauth:token-type:jwt</t:TokenType>", "BadRequest"), ("<t:KeyType/>", "InvalidRequest"),
    (f'<wsp:AppliesTo xmlns:wsp="http://schemas.xmlsoap.org/ws/2004/09/policy"/>', "InvalidRequest")])
def test_m19_what_is_not_built_is_refused(client, version, added, name):
    assert ask(client, version, FIRST, added).fault[:2] == ("s:Sender", trust_fault(version, name))


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("key", ["SymmetricKey", "PublicKey"])
def test_m19_a_token_bound_to_a_key_is_refused(client, alice, version, key):
    body = message(version, FIRST, user=alice).replace(BEARER[version], f"{TRUST[version]}/{key}")
    assert refused(client, body, version).fault[1] == trust_fault(version, "BadRequest")


def test_m19_a_lifetime_of_ten_years_is_the_relying_partys_hour(client):
    asked = (f'<t:Lifetime><u:Created xmlns:u="{WSU}">{moment()}</u:Created>'
             f'<u:Expires xmlns:u="{WSU}">{moment(315360000)}</u:Expires></t:Lifetime>')
    reply = ask(client, "13", FIRST, asked)
    conditions = reply.token.one("s:Conditions")
    life = time_of(conditions.get("NotOnOrAfter")) - time_of(conditions.get("NotBefore"))
    assert life.total_seconds() == 3600
    assert reply.one("//t:RequestSecurityTokenResponse/t:Lifetime/u:Expires", t=TRUST["13"]).text == conditions.get("NotOnOrAfter")


def test_m19_a_missing_applies_to_is_refused(client):
    reply = hostile(client, lambda body: re.sub("<wsp:AppliesTo.*</wsp:AppliesTo>", "", body))
    assert reply.fault[1] == trust_fault("2005", "InvalidRequest") and "AppliesTo" in reply.fault[2]


def test_o2_a_token_says_for_whom_it_is(client):
    assert {ask(client, "13", each).token.audience for each in (FIRST, SECOND)} == {FIRST, SECOND}
