"""What the server saw: every request and every silence, with the reason of each decision, and
never a secret. For people and for programs."""
import http.client
import json
import re
import ssl
import time
import urllib.parse

import pytest
from selenium.webdriver.common.by import By

from conftest import FIRST
from support.browser import chromium, element_trees, policy_breaches
from support.echo import bring, claims, token_for
from support.secrets import ledger
from support.sign_in import TokenPage, credentials, request_for, sign_in
from test_pages import HOSTILE

PAGE = "/lanyard/activity"
API = "/lanyard/api/activity"
UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"


def activities(client):
    """All that is remembered, newest first."""
    answer = client.get(API)
    assert answer.status == 200 and answer.header("Content-Type") == "application/json"
    return json.loads(answer.text)["activities"]


def activity(client, identifier):
    answer = client.get(f"{API}/{identifier}")
    assert answer.status == 200
    return json.loads(answer.text)


def newest(client, **fields):
    """Waits for an activity with these fields, and gives the newest with everything."""
    def search():
        fitting = [each for each in activities(client) if all(each[name] == value for name, value in fields.items())]
        return fitting[0]["id"] if fitting else None
    return activity(client, client.lab.wait_for(search))


def events(story):
    return {event["event"]: event for event in story["events"]}


# Stories ---------------------------------------------------------------------------------------

def test_a_sign_in_is_told_step_by_step(lab, client):
    context = f"story-{time.time()}"
    query = request_for(FIRST, wctx=context)
    target = "/adfs/ls/?" + urllib.parse.urlencode(query)
    client.get("/adfs/ls/", query, "--user-agent", "a curious test")
    client.get(client.post("/adfs/ls/", credentials(lab), query).location)
    issued, posted, asked = [activity(client, each["id"]) for each in activities(client) if each["target"] == target][:3]

    assert (asked["method"], asked["status"], asked["user_agent"]) == ("GET", 200, "a curious test")
    assert events(asked)["decision"]["why"] == "nobody has signed in yet"
    assert asked["remote"] in ("127.0.0.1", "::1") and asked["port"] == "https" and asked["kind"] == "request"
    assert (posted["method"], posted["status"]) == ("POST", 302)
    assert events(posted)["sign-in"]["outcome"] == "done" and events(posted)["sign-in"]["user"] == "alice"
    assert (issued["method"], issued["status"]) == ("GET", 200)
    assert events(issued)["decision"]["why"] == "the session is good enough"
    assert events(issued)["token"]["detail"] == issued["token_id"]
    assert all(0 <= each["took_ms"] < 60000 for each in (asked, posted, issued))
    assert asked["time"] <= posted["time"] <= issued["time"]


def test_a_token_is_found_by_its_claims_and_they_by_their_rules(lab, client):
    token = TokenPage(sign_in(client, FIRST))
    story = next(activity(client, each["id"]) for each in activities(client) if each["token_id"] and each["token_id"] in token.wresult)
    issued = {claim["type"].rsplit("/", 1)[-1]: claim for claim in story["claims_issued"]}
    origin = issued["upn"]["origin"]
    assert issued["upn"]["value"] == lab.upn() and origin["name"] == "Pass through the UPN"
    assert origin["file"].endswith("rp.issuance.rules") and (origin["rule"], origin["line"]) == (1, 1)
    source = origin["from"][0]
    assert source["value"] == lab.upn() and source["origin"]["name"] == "Accept the UPN"
    given = {claim["type"].rsplit("/", 1)[-1] for claim in story["claims_in"]}
    assert {"upn", "groupsid", "x-ms-client-ip", "insidecorporatenetwork"} <= given
    assert story["claims_not_kept"] == 0 and story["events_not_kept"] == 0


@pytest.mark.parametrize("name, why", [("alice", "wrong password"), ("nobody", "no such user")])
def test_a_refused_password_says_here_why(lab, client, name, why):
    """The page says the same for both (P1); the lab's own journal does not."""
    client.post("/adfs/ls/", {**credentials(lab), "UserName": lab.upn(name), "Password": "not this one"}, request_for(FIRST))
    story = newest(client, method="POST", status=200)
    assert events(story)["sign-in"]["why"] == why and events(story)["sign-in"]["outcome"] == "refused"


def test_the_activity_id_of_an_error_page_leads_to_its_story(client):
    refused = client.get("/adfs/ls/", request_for("urn:nobody"))
    identifier = refused.text_of("activityId")
    assert re.fullmatch(UUID, identifier)
    story = client.get(PAGE, {"id": identifier})
    assert story.status == 200 and "MSIS7007" in story.text_of("events") and story.text_of("activityId") == identifier
    assert activity(client, identifier)["events"][-1]["code"] == "MSIS7007"
    assert json.loads(client.get(API, {"id": identifier}).text) == activity(client, identifier)


def test_somebody_without_permission_is_shown_with_what_was_known_of_them(make_lab, make_client):
    lab = make_lab()
    rules = lab.settings_file.parent / "rules" / "permit-everyone.rules"
    rules.write_text('@RuleName = "Nobody"\n => issue(Type = "http://schemas.microsoft.com/authorization/claims/deny", Value = "true");\n')
    lab.restart()
    client = make_client(lab)
    refused = sign_in(client, "urn:lanyard:rp")
    assert refused.status == 500
    story = activity(client, refused.text_of("activityId"))
    assert "denies alice" in story["events"][-1]["why"] and story["token_id"] is None
    assert lab.upn() in [claim["value"] for claim in story["claims_in"]] and story["claims_issued"] == []


def test_the_page_tells_the_whole_story_in_words(lab, client):
    bring(client, token_for(client).wresult)
    row = client.get(PAGE).page.xpath("//ol[@id='activities']//a[starts-with(., 'GET /adfs/ls')]")[0]
    story = client.get(row.get("href"))
    assert "the session is good enough" in story.text_of("events")
    assert (lab.upn() in [value for kind, value, _ in claims(story, "issued") if kind.endswith("/upn")])
    how = next(how for kind, _, how in claims(story, "issued") if kind.endswith("/upn"))
    assert "rule 1 “Pass through the UPN” of rules/rp.issuance.rules, line 1" in how
    assert claims(story, "incoming")
    assert {"curl" in story.text_of("facts"), "200" in story.text_of("facts")} == {True}


def test_a_reload_stands_in_the_list(fresh_lab, make_client):
    client = make_client(fresh_lab)
    fresh_lab.signal(1)
    story = newest(client, kind="server")
    assert events(story)["reload"]["outcome"] == "done" and story["remote"] is None


def test_who_fetched_the_crl_and_the_cas_certificate_is_seen(client):
    for name in ("root.crl", "issuing.crt"):
        client.request(f"{client.lab.plain}/lanyard/pki/{name}", "--user-agent", "CryptoAPI")
        story = newest(client, target=f"/lanyard/pki/{name}")
        assert story["port"] == "plain http" and story["user_agent"] == "CryptoAPI" and story["status"] == 200


# Silence ---------------------------------------------------------------------------------------

def silent(client, words):
    """Waits for a connection that was told in these words."""
    def search():
        return [each for each in activities(client)
                if each["kind"] == "connection" and words in each["events"][0]["why"]]
    return client.lab.wait_for(search)[0]


def test_a_connection_that_says_nothing_is_seen(lab, client):
    lab.connect_plain().close()
    story = silent(client, "said nothing that is TLS")
    assert story["remote"] == "127.0.0.1" and story["port"] == "https" and story["target"] is None
    lab.connect_plain("plain").close()
    assert silent(client, "said nothing that is HTTP")["port"] == "plain http"


def test_a_handshake_that_was_begun_and_never_finished_is_seen(lab, client):
    """As of a client that does not trust the lab's root."""
    with pytest.raises(ssl.SSLError):
        lab.connect(ssl.create_default_context())
    assert "may not trust" in silent(client, "begun and never finished")["events"][0]["why"]


def test_half_a_hello_is_no_handshake(lab, client):
    with lab.connect_plain() as connection:
        connection.sendall(b"\x16\x03\x01\x02\x00\x01\x00")
    silent(client, "said nothing that is TLS")


def test_a_handshake_after_which_nothing_was_asked_is_seen(lab, client):
    lab.connect().close()
    silent(client, "finished, but no request came")


def test_a_request_that_is_never_finished_gets_no_answer(lab, client):
    with lab.connect() as connection:
        connection.sendall(b"GET /never-finished HTTP/1.1\r\nHost: localhost\r\nX-Half: ")
        time.sleep(0.5)  # a connection that is reset at once takes what was sent with it
    story = newest(client, target="/never-finished")
    assert story["status"] is None and story["took_ms"] is not None


def test_what_breaks_the_rules_of_http_is_seen(lab, client):
    lab.exchange(b"GET /strange-host HTTP/1.1\r\nHost: evil.test\r\nConnection: close\r\n\r\n")
    story = newest(client, target="/strange-host")
    assert story["status"] == 421 and story["events"][0]["outcome"] == "refused"


# The list --------------------------------------------------------------------------------------

def test_the_list_loads_itself_anew_until_it_is_paused(client):
    live, paused = client.get(PAGE), client.get(PAGE, {"paused": "1"})
    assert live.header("Refresh") == "5" and paused.header("Refresh") is None
    assert live.page.xpath("//a[@id='pause']/@href") == [f"{PAGE}?paused=1"]
    assert paused.page.xpath("//a[@id='resume']/@href") == [PAGE]
    assert live.page.xpath("//script | //meta[@http-equiv]") == []


def test_looking_at_it_leaves_no_trace_in_it(client):
    client.get("/adfs/probe-that-is-not-here")
    for _ in range(3):
        client.get(PAGE), client.get(API), client.get(f"{API}/x"), client.get("/LANYARD/Activity")
    assert activities(client)[0]["target"] == "/adfs/probe-that-is-not-here"
    assert not any("/activity" in (each["target"] or "").lower() for each in activities(client))


@pytest.mark.parametrize("identifier", ["00000000-0000-4000-8000-000000000000", "x", "'", "..%2f", "%ff", "a" * 5000])
def test_what_is_not_remembered_is_not_found(client, identifier):
    assert client.get(PAGE, f"id={identifier}").status in (400, 404)
    answer = client.get(API, f"id={identifier}")
    assert answer.status in (400, 404)


def test_a_program_gets_json_for_what_is_not_there(client):
    answer = client.get(f"{API}/00000000-0000-4000-8000-000000000000")
    assert answer.status == 404 and "error" in json.loads(answer.text)


def test_it_is_read_and_not_written(client):
    for path in (PAGE, API, f"{API}/x"):
        answer = client.post(path, {"a": "b"})
        assert answer.status == 405 and answer.header("Allow") == "GET, HEAD"
        assert client.request(path, "--head").header("Content-Type")


def test_it_remembers_the_last_thousand_and_no_more(fresh_lab, make_client):
    connection = http.client.HTTPSConnection("localhost", fresh_lab.port(), context=fresh_lab.tls_context())
    for number in range(1200):
        connection.request("GET", f"/nothing/{number}")
        connection.getresponse().read()
    connection.close()
    client = make_client(fresh_lab)
    targets = [each["target"] for each in activities(client) if each["kind"] == "request"]
    assert len(activities(client)) == 1000 and targets[:2] == ["/nothing/1199", "/nothing/1198"]
    assert len(client.get(PAGE).page.xpath("//ol[@id='activities']/li")) == 50
    assert len(client.get(PAGE, {"all": "1"}).page.xpath("//ol[@id='activities']/li")) == 1000
    assert len(client.get(PAGE).text) < 40000


# Secrets ---------------------------------------------------------------------------------------

def test_no_secret_is_remembered(lab, make_client):
    client = make_client(lab)
    password = lab.user()["password"]
    token = token_for(client)
    bring(client, token.wresult)
    client.get("/adfs/ls/", {"Password": password, **request_for(FIRST)})
    client.get("/lanyard/rp", {"wresult": token.wresult[:1500]})
    client.post("/adfs/ls/", {**credentials(lab), "Password": password + "x"}, request_for(FIRST))
    cookie, signature = client.cookie(), re.search(r"SignatureValue>([^<]+)", token.wresult).group(1)
    assert cookie and password
    everything = [client.get(API).text, client.get(PAGE, {"all": "1"}).text]
    for each in activities(client):
        everything += [client.get(f"{API}/{each['id']}").text]
    told = "\n".join(everything)
    assert "(not kept)" in told
    for secret in (password, cookie, signature[:40], "RequestSecurityTokenResponse", lab.ready["api_key"]):
        assert secret not in told
    assert ledger.found_in(told.encode()) == []


# Strangers' words ------------------------------------------------------------------------------

def test_no_value_adds_an_element_or_an_attribute(client, browser):
    """X1: the page of an activity, and the list, for a hostile value in each place it comes from."""
    browser.get("about:blank")

    def pages(value, place):
        header = value.encode("ascii", "ignore").decode() or "x"
        answer = {
            "wctx": lambda: client.get("/adfs/ls/", request_for("urn:nobody", wctx=value)),
            "wtrealm": lambda: client.get("/adfs/ls/", request_for(value)),
            "path": lambda: client.request("/nothing/" + urllib.parse.quote(value, safe="")),
            "user agent": lambda: client.get("/adfs/ls/", request_for("urn:nobody"), "--header", f"User-Agent: {header}"),
            "client-request-id": lambda: client.get("/adfs/ls/", {"client-request-id": value, **request_for("urn:nobody")}),
            "user name": lambda: client.post("/adfs/ls/", {**credentials(client.lab), "UserName": value, "Password": "x"},
                                             request_for(FIRST)),
        }[place]()
        assert answer.status
        identifier = activities(client)[0]["id"]
        row = client.get(PAGE).page.xpath("//ol[@id='activities']/li")[0]
        return client.get(PAGE, {"id": identifier}).text, len(row.xpath(".//*"))

    differing = []
    for place in ("wctx", "wtrealm", "path", "user agent", "client-request-id", "user name"):
        plain, plain_row = pages("harmless", place)
        for value in HOSTILE:
            story, row = pages(value, place)
            if element_trees(browser, [story]) != element_trees(browser, [plain]) or row != plain_row:
                differing.append((place, value))
    # Paths that are no path at all are refused with other words in the story.
    assert [each for each in differing if each[0] != "path"] == []


@pytest.fixture(scope="module")
def browser(lab, tmp_path_factory):
    driver = chromium(tmp_path_factory.mktemp("activity"), lab.root_certificate)
    yield driver
    driver.quit()


def test_hostile_values_do_not_run_when_the_pages_are_opened(lab, client, browser):
    for value in HOSTILE:
        client.get("/adfs/ls/", request_for(value, wctx=value))
        client.request("/nothing/" + urllib.parse.quote(value, safe=""))
    browser.get(f"{lab.main}{PAGE}?paused=1")
    assert browser.find_elements(By.CSS_SELECTOR, "script, img, svg, iframe, [onfocus], [onerror]") == []
    links = [link.get_attribute("href") for link in browser.find_elements(By.CSS_SELECTOR, "#activities a")]
    assert len(links) >= 2 * len(HOSTILE) and all(link.startswith(f"{lab.main}{PAGE}?id=") for link in links)
    for link in links[:2 * len(HOSTILE)]:
        browser.get(link)
        assert browser.find_elements(By.ID, "activityId")
        assert browser.find_elements(By.CSS_SELECTOR, "script, img, svg, iframe, [onfocus], [onerror]") == []
    assert policy_breaches(browser) == []


def test_bytes_that_are_no_text_do_not_spoil_the_json(lab, client):
    lab.exchange(b"GET /bytes?x=%ff HTTP/1.1\r\nHost: localhost\r\nUser-Agent: \xff\xfe\x80\r\nConnection: close\r\n\r\n")
    assert newest(client, target="/bytes?x=%ff")
    assert client.get(PAGE).body.decode("utf-8")


def test_the_page_renews_itself_in_a_browser(lab, client, browser):
    browser.get(f"{lab.main}{PAGE}")
    client.get("/nothing/is-seen-without-a-click")
    deadline = time.monotonic() + 15
    while "is-seen-without-a-click" not in browser.page_source:
        assert time.monotonic() < deadline
        time.sleep(0.5)
