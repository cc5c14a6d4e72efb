"""What strangers write never becomes markup, and what browsers are told about our pages
(security.md X1-X7, B1-B5, as decisions.md 1-3 read them)."""
import base64
import hashlib
import http.server
import re
import threading
import urllib.parse

import pytest
from selenium.webdriver.common.by import By

from conftest import FIRST, FIRST_REPLY, SECOND
from support.browser import chromium, element_trees, shown
from support.curl import Client
from support.settings import party, write_parties
from support.sign_in import TokenPage, credentials, is_sign_in_page, is_token_page, request_for, sign_in
from support.tokens import Token, verified_by_xmlsec1

HOSTILE = ['"><script>alert(1)</script>', "'-alert(1)-'", "</title><img src=x onerror=alert(1)>", "&#x3c;b&#x3e;",
           "\\u003cscript\\u003e", "javascript:alert(1)", '" onfocus="alert(1)" autofocus="', "</textarea></style></script>",
           "<!--", "]]>", "`${alert(1)}`", "{{error_text}}", "\u2028\u2029", "a\u202eb", "<svg/onload=alert(1)>"]
HARMLESS = "harmless"
NOT_UTF8 = {"a lone 0x80": b"%80", "an overlong <": b"%C0%BC", "a surrogate": b"%ED%A0%80", "NUL": b"%00",
            "past the last plane": b"%F5%80%80%80", "a cut sequence": b"%E2%82"}


@pytest.fixture(scope="module")
def browser(lab, tmp_path_factory):
    driver = chromium(tmp_path_factory.mktemp("pages"), lab.root_certificate)
    yield driver
    driver.quit()


# X: what strangers write -----------------------------------------------------------------------

def pages_showing(client, value):
    """Every page that could show `value` to somebody not signed in, with the place it was put."""
    lab = client.lab
    client.forget()
    shown = {
        "username": client.get("/adfs/ls/", request_for(FIRST, username=value)),
        "login_hint": client.get("/adfs/ls/", request_for(FIRST, login_hint=value)),
        "wctx on the form": client.get("/adfs/ls/", request_for(FIRST, wctx=value)),
        "whr": client.get("/adfs/ls/", request_for(FIRST, whr=value)),
        "an unknown parameter's name": client.get("/adfs/ls/", {**request_for(FIRST), value: "1"}),
        "wtrealm": client.get("/adfs/ls/", request_for(value)),
        "wreply": client.get("/adfs/ls/", request_for(FIRST, wreply=value)),
        "wauth": client.get("/adfs/ls/", request_for(FIRST, wauth=value)),
        "wfresh": client.get("/adfs/ls/", request_for(FIRST, wfresh=value)),
        "wa": client.get("/adfs/ls/", {"wa": value}),
        "UserName": client.post("/adfs/ls/", {**credentials(lab), "UserName": value, "Password": "x"}, request_for(FIRST)),
        "Password": client.post("/adfs/ls/", credentials(lab, password=value), request_for(FIRST)),
        "AuthMethod": client.post("/adfs/ls/", {**credentials(lab), "AuthMethod": value}, request_for(FIRST)),
        "client-request-id": client.get("/adfs/ls/", {"client-request-id": value, **request_for("urn:nobody")}),
        "wreply of a sign-out": client.get("/adfs/ls/", {"wa": "wsignout1.0", "wreply": value}),
        "path": client.request("/adfs/ls/" + urllib.parse.quote(value, safe="")),
        "wctx of a token": client.post("/adfs/ls/", credentials(lab), request_for(FIRST, wctx=value, wfresh="0")),
    }
    header = value.encode("ascii", "ignore").decode() or "x"
    for name in ("User-Agent", "Referer", "Cookie", "Accept-Language", "X-Forwarded-Host", "client-request-id"):
        given = f"MSISAuth={header}" if name == "Cookie" else header
        shown[name] = client.get("/adfs/ls/", request_for("urn:nobody"), "--header", f"{name}: {given}")
    return shown


@pytest.fixture(scope="module")
def hostile_pages(lab):
    """Every hostile value -> every page that could show it."""
    client = Client(lab)
    yield {value: pages_showing(client, value) for value in HOSTILE}
    client.close()


def test_in_a_real_browser_no_value_adds_an_element_or_an_attribute(client, browser, hostile_pages):
    """X1: the element tree is that of a harmless value, wherever a hostile one is put."""
    plain = pages_showing(client, HARMLESS)
    browser.get("about:blank")
    expected = dict(zip(plain, element_trees(browser, [answer.text for answer in plain.values()])))
    differing = []
    for value, shown in hostile_pages.items():
        trees = dict(zip(shown, element_trees(browser, [answer.text for answer in shown.values()])))
        differing += [(place, value) for place, tree in trees.items()
                      if tree != expected[place] and shown[place].status == plain[place].status]
    assert differing == []


def test_no_hostile_value_runs_when_its_page_is_opened(lab, browser):
    """X1: not parsed only, but opened, with our policy and a browser's own eyes."""
    for value in HOSTILE:
        for query in (request_for(FIRST, username=value), request_for(value), {"wa": value},
                      request_for(FIRST, wreply=value)):
            browser.get(f"{lab.main}/adfs/ls/?{urllib.parse.urlencode(query)}")
            assert browser.find_elements(By.CSS_SELECTOR, "script, img, svg, iframe, [onfocus], [onerror]") == []
            assert "lanyard" in browser.page_source or browser.find_element(By.ID, "fullPage")


@pytest.mark.parametrize("place", ["wctx", "wreply", "wtrealm", "username", "whr", "unknown"])
@pytest.mark.parametrize("encoded", NOT_UTF8.values(), ids=NOT_UTF8.keys())
def test_what_is_no_utf8_is_refused_and_not_echoed(client, place, encoded):
    """X1, X6"""
    query = urllib.parse.urlencode({name: value for name, value in request_for(FIRST).items() if name != place})
    answer = client.get("/adfs/ls/", f"{query}&{place}={encoded.decode()}")
    assert answer.status == 400
    assert not is_sign_in_page(answer) and not is_token_page(answer)
    answer.body.decode("utf-8")
    assert encoded not in answer.body and b"\x00" not in answer.body


def test_a_form_that_is_no_utf8_is_refused(lab, client):
    """X6"""
    for encoded in NOT_UTF8.values():
        answer = client.post("/adfs/ls/", b"UserName=alice" + encoded + b"&Password=x&AuthMethod=FormsAuthentication",
                             request_for(FIRST))
        assert answer.status == 400 and answer.set_cookie is None


@pytest.mark.parametrize("context", ["<>\"'&", "a\tb", "😀 𝒳 ä é \u2028", "&amp;lt;", "%41%2B+", "  two  blanks  ", "x" * 3000,
                                     "rm=0&id=passive&ru=%2f", "\ufeffmark", "estsredirect=2&estsrequest=rQIIA-_"])
def test_a_wctx_arrives_byte_for_byte(client, context):
    """X2"""
    assert TokenPage(sign_in(client, FIRST, wctx=context)).wctx == context


@pytest.mark.parametrize("context, sent", [("a\r\nb", "a\r\nb"), ("a\nb", "a\r\nb"), ("a\rb", "a\r\nb"),
                                           ("tab\there <>\"'& 😀", "tab\there <>\"'& 😀")])
def test_a_browser_sends_the_wctx_on_as_it_came(lab, browser, client, context, sent):
    """X2, decision 11: line ends become CRLF in every browser; nothing else changes."""
    answer = sign_in(client, FIRST, wctx=context)
    page = answer.text.replace("<script>", "<!--").replace("</script>", "-->")
    browser.get("about:blank")
    posted = browser.execute_script("""
        const page = new DOMParser().parseFromString(arguments[0], 'text/html');
        return new URLSearchParams(new FormData(page.forms[0])).get('wctx');""", page)
    assert posted.replace("\r\n", "\n").replace("\r", "\n") == sent.replace("\r\n", "\n")
    assert TokenPage(answer).wctx == context


NAMES = ["<b>&amp;\"'</b> ]]>", "𝒳 😀 \ttab", "back\\slash {{x}}", "line\nbreak"]


def test_a_token_keeps_its_bytes_through_the_page_and_still_verifies(make_lab, make_client, tmp_path):
    """X3, X4: markup, line ends and characters beyond the first plane in a user's name."""
    lab = make_lab()
    user_file = lab.settings_file.parent / "users" / "alice.yaml"
    original = user_file.read_text()
    assert re.search(r"^displayName:", original, re.M)
    for name in NAMES:
        quoted = "".join(f"\\U{ord(each):08X}" for each in name)
        user_file.write_text(re.sub(r"^displayName:.*$", lambda _: f'displayName: "{quoted}"', original, flags=re.M))
        lab.restart()
        client = make_client(lab)
        answer = sign_in(client, FIRST)
        token = Token(TokenPage(answer).wresult)
        assert name in [value for values in token.claims.values() for value in values], name
        assert verified_by_xmlsec1(token.xml, lab.signing_certificate, tmp_path)[0], name
        assert b"\r" not in answer.body and answer.text.count("<b>") == 0


def test_a_relying_partys_name_with_markup_is_encoded(make_lab, make_client):
    """X4"""
    lab = make_lab()
    name = "<i>Pay</i> & \"Roll\""
    write_parties(lab.settings_file, [party(name, "urn:pay", "https://pay.test/")])
    lab.restart()
    answer = make_client(lab).get("/adfs/ls/", request_for("urn:pay"))
    assert is_sign_in_page(answer)
    assert answer.page.xpath("//i") == [] and name in answer.page.text_content()


LIBRARY_WORDS = re.compile(r"OpenSSL|error:[0-9A-F]{8}|xmlsec|libxml|GnuTLS|gnutls|sqlite|SQLITE|jansson|yaml|errno|"
                           r"microhttpd|/tmp/|\.c:\d+", re.I)


def test_no_words_of_a_library_are_on_any_page(hostile_pages):
    """X5"""
    for value, shown in hostile_pages.items():
        for place, answer in shown.items():
            words = LIBRARY_WORDS.search(answer.page.text_content() if answer.body else "")
            assert not words, (place, value, words)


def all_kinds_of_pages(client):
    """One page of each kind."""
    yield "sign-in", client.get("/adfs/ls/", request_for(FIRST))
    yield "wrong password", client.post("/adfs/ls/", credentials(client.lab, password="wrong"), request_for(FIRST))
    yield "error", client.get("/adfs/ls/", request_for("urn:nobody"))
    yield "refusal", client.get("/adfs/ls/", request_for(FIRST, wfresh="x"))
    yield "not found", client.get("/adfs/nothing")
    yield "token", sign_in(client, FIRST)
    yield "home", client.get("/")
    yield "signed out", client.get("/adfs/ls/", {"wa": "wsignout1.0"})


def test_every_page_is_html_in_utf8_and_must_not_be_sniffed(client):
    """X6"""
    for kind, answer in all_kinds_of_pages(client):
        assert answer.header("Content-Type") == "text/html; charset=utf-8", kind
        assert answer.header("X-Content-Type-Options") == "nosniff", kind
        answer.body.decode("utf-8")


@pytest.mark.parametrize("place", ["wctx", "wreply", "username", "client-request-id", "wtrealm", "wa"])
@pytest.mark.parametrize("ending", ["\r\n", "\n", "\r", "\r\n\r\n"])
def test_a_line_end_in_a_parameter_makes_no_new_header(lab, client, place, ending):
    """X7"""
    query = {**request_for(FIRST), place: f"x{ending}Set-Cookie: evil=1{ending}Evil: yes"}
    sign_in(client, SECOND)
    for answer in (client.get("/adfs/ls/", query), client.post("/adfs/ls/", credentials(lab), query),
                   client.get("/adfs/ls/", {**query, "wa": "wsignout1.0"} if place != "wa" else query)):
        assert answer.header("Evil") is None
        assert not any("evil" in line for line in answer.all("Set-Cookie"))


def test_raw_line_ends_in_the_target_of_a_post_reach_no_location(lab):
    """X7: the answer to credentials is a redirect to the target itself."""
    form = urllib.parse.urlencode(credentials(lab))
    target = "/adfs/ls/?" + urllib.parse.urlencode(request_for(FIRST, wctx="x\r\nEvil: yes"))
    received = lab.exchange((f"POST {target} HTTP/1.1\r\nHost: localhost:{lab.port()}\r\nConnection: close\r\n"
                             f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(form)}\r\n\r\n{form}").encode())
    head = received.partition(b"\r\n\r\n")[0]
    assert head.startswith(b"HTTP/1.1 302") and b"\r\nEvil" not in head


# B: what browsers are told ---------------------------------------------------------------------

def directives(answer):
    policy = answer.header("Content-Security-Policy")
    return {words.split()[0]: words.split()[1:] for words in policy.split(";") if words.strip()}


def hashes_of(answer, tag):
    texts = re.findall(rf"<{tag}>(.*?)</{tag}>", answer.text, re.S)
    return [f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in texts]


def test_every_page_has_a_policy_that_runs_nothing_but_what_it_names_by_hash(client):
    """B1"""
    for kind, answer in all_kinds_of_pages(client):
        policy = directives(answer)
        assert policy["default-src"] == ["'none'"], kind
        assert policy["frame-ancestors"] == ["'none'"], kind
        assert policy["base-uri"] == ["'none'"], kind
        assert "unsafe" not in answer.header("Content-Security-Policy"), kind
        assert set(policy.get("script-src", [])) <= set(hashes_of(answer, "script")) | {"'none'"}, kind
        assert set(hashes_of(answer, "style")) <= set(policy.get("style-src", [])), kind
        assert answer.page.xpath("//@*[starts-with(name(), 'on')] | //@style") == [], kind


def test_forms_of_ours_go_to_ourselves_and_the_token_to_whoever_the_settings_name(client):
    """B1, decision 2"""
    for kind, answer in all_kinds_of_pages(client):
        policy = directives(answer)
        if kind == "token":
            assert "form-action" not in policy
            assert policy["script-src"] == hashes_of(answer, "script")
        else:
            assert policy["form-action"][0] in ("'self'", "'none'"), kind
            if kind != "signed out":  # where it asks relying parties, a script says how that goes
                assert "script-src" not in policy or policy["script-src"] == ["'none'"], kind


def test_every_page_refuses_to_be_framed(client):
    """B2"""
    for kind, answer in all_kinds_of_pages(client):
        assert answer.header("X-Frame-Options") == "DENY", kind


class Framing(http.server.BaseHTTPRequestHandler):
    """A stranger's page that frames whatever its query names."""

    def do_GET(self):
        framed = urllib.parse.unquote(self.path.partition("?")[2]).replace('"', "%22")
        page = f'<!DOCTYPE html><title>frame</title><iframe id="framed" src="{framed}" width="800" height="700"></iframe>'
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(page.encode())

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def stranger():
    """The address of another site on this machine."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Framing)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://stranger.test:{server.server_address[1]}/"
    server.shutdown()


def test_a_framed_sign_in_page_shows_nothing_in_a_real_browser(lab, browser, stranger):
    """B2"""
    address = f"{lab.main}/adfs/ls/?{urllib.parse.urlencode(request_for(FIRST))}"
    browser.get(address)
    assert browser.find_elements(By.ID, "loginForm"), "the page itself is there"
    browser.get(f"{stranger}?{urllib.parse.quote(address, safe='')}")
    browser.switch_to.frame("framed")
    assert browser.find_elements(By.ID, "loginForm") == []
    assert "Sign in" not in browser.page_source
    browser.switch_to.default_content()


def test_no_page_of_a_sign_in_is_stored(client):
    """B3"""
    for kind, answer in all_kinds_of_pages(client):
        assert "no-store" in answer.header("Cache-Control"), kind


def test_no_token_and_no_session_is_ever_in_an_address(lab, client):
    """B3"""
    answer = client.post("/adfs/ls/", credentials(lab), request_for(FIRST))
    assert client.cookie() not in answer.location and "Assertion" not in answer.location
    page = client.get(answer.location)
    assert page.page.xpath("//form")[0].get("method") == "POST"


def test_the_referrer_is_the_origin_alone_and_the_server_does_not_name_itself(client):
    """B4, decision 3"""
    for kind, answer in all_kinds_of_pages(client):
        assert answer.header("Referrer-Policy") == "strict-origin", kind
        assert answer.header("Server") is None and answer.header("X-Powered-By") is None, kind


def test_strict_transport_security_is_off_on_localhost_and_a_setting_elsewhere(client, make_lab, make_client):
    """B4, decision 9: it would upgrade every port of the developer's machine."""
    for kind, answer in all_kinds_of_pages(client):
        assert answer.header("Strict-Transport-Security") is None, kind
    lab = make_lab(env={"LANYARD_HSTS_MAX_AGE": "31536000"})
    assert make_client(lab).get("/adfs/ls/", request_for(FIRST)).header("Strict-Transport-Security") is None
    lab.stop()
    lab.start(["--host", "sts.example.test"])
    here = ["--connect-to", f"sts.example.test:{lab.port()}:localhost:{lab.port()}"]
    answer = make_client(lab).get("/adfs/ls/", request_for(FIRST), *here)
    assert answer.header("Strict-Transport-Security").startswith("max-age=31536000")


def test_a_browser_without_scripts_gets_a_button(lab, tmp_path, client):
    """B5"""
    driver = chromium(tmp_path / "no-scripts", lab.root_certificate, scripts=False)
    try:
        driver.get(f"{lab.main}/adfs/ls/?{urllib.parse.urlencode(request_for(FIRST))}")
        driver.find_element(By.ID, "userNameInput").send_keys(lab.upn())
        driver.find_element(By.ID, "passwordInput").send_keys(lab.user()["password"])
        driver.find_element(By.ID, "submitButton").click()
        button = shown(driver, By.CSS_SELECTOR, "form[name=hiddenform] input[type=submit]")
        assert button.is_displayed() and button.get_attribute("value") == "Submit"
        assert "Script is disabled. Click Submit to continue." in driver.find_element(By.TAG_NAME, "body").text
        assert driver.find_element(By.NAME, "hiddenform").get_attribute("action") == FIRST_REPLY
    finally:
        driver.quit()
