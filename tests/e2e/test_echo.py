"""The lab's own relying party: it believes what it may, refuses everything else, and says why."""
import html
import json
import re
import subprocess
import urllib.parse

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from support.browser import chromium, element_trees, policy_breaches, shown
from support.echo import RP, SECOND_RP, bring, claims, failed, findings, token_for
from support.settings import party, set_setting, write_parties
from support.sign_in import TokenPage, is_sign_in_page, sign_in
from test_pages import HOSTILE

UPN = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn"
GROUP = "http://schemas.xmlsoap.org/claims/Group"
CHECKS = {"signature", "issuer", "audience", "times", "replay"}


# What it believes ------------------------------------------------------------------------------

def test_a_token_is_believed_and_everything_about_it_is_shown(lab, client):
    token = token_for(client)
    assert token.action == lab.main + RP and token.wctx.startswith("rp-")
    answer = bring(client, token.wresult, wctx=token.wctx)
    assert answer.status == 200 and answer.text_of("verdict") == f"Signed in as {lab.upn()}"
    assert CHECKS <= set(findings(answer)) and failed(answer) == set()
    assert answer.text_of("context") == token.wctx
    assert answer.text_of("tokenId") in token.wresult
    assert answer.page.xpath("//textarea[@id='raw']")[0].text_content() == token.wresult
    pretty = answer.page.xpath("//pre[@id='pretty']")[0].text_content()
    assert "\n" in pretty and re.sub(r">\s+<", "><", pretty).count("<saml:Attribute ") == token.wresult.count("<saml:Attribute ")


def test_each_claim_names_the_rule_that_made_it_and_what_it_was_made_from(lab, client):
    shown = claims(bring(client, token_for(client).wresult))
    assert [(kind, value) for kind, value, _ in shown if kind == UPN] == [(UPN, lab.upn())]
    how = next(how for kind, _, how in shown if kind == GROUP)
    assert "rule 5 “Groups from the directory” of rules/rp.issuance.rules, line 21" in how
    assert "from windowsaccountname = LAB\\alice" in how
    assert "rule 1 “Accept the Windows account name” of rules/active-directory.rules, line 1" in how
    assert all("not remembered" not in how for _, _, how in shown)


def test_the_decision_and_the_activity_stand_beside_the_claims(client):
    token_for(client)  # so that the next one is single sign-on
    answer = bring(client, token_for(client).wresult)
    events = answer.page.xpath("//ol[@id='events']/li")
    assert "the session is good enough" in events[0].text_content()
    link = answer.page.xpath("//a[@id='activity']")[0]
    story = client.get(link.get("href"))
    assert story.status == 200 and story.text_of("activityId") == link.text_content()
    assert answer.text_of("tokenId") in story.page.text_content()


def test_the_second_relying_party_gets_a_token_without_anybody_being_asked(client):
    bring(client, token_for(client).wresult)
    begun = client.get(SECOND_RP)
    answer = client.get(begun.location)
    assert not is_sign_in_page(answer)
    answer = bring(client, TokenPage(answer).wresult, SECOND_RP)
    assert answer.status == 200 and "urn:lanyard:rp:second" in findings(answer)["audience"][1]


@pytest.mark.parametrize("start, expected", [
    ("fresh", {"wfresh": "0"}), ("prompt", {"prompt": "login"}),
    ("password", {"wauth": "urn:oasis:names:tc:SAML:1.0:am:password"}),
    ("certificate", {"wauth": "urn:ietf:rfc:2246"}), ("", {}), ("nothing known", {})])
def test_a_sign_in_can_be_begun_in_several_ways(client, start, expected):
    query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(client.get(RP, {"start": start}).location).query))
    assert query.pop("wctx").startswith("rp-")
    assert query == {"wa": "wsignin1.0", "wtrealm": "urn:lanyard:rp", **expected}


def test_every_link_of_the_page_leads_somewhere(client):
    answer = bring(client, token_for(client).wresult)
    links = [link.get("href") for link in answer.page.xpath("//ul[@id='again']//a")]
    assert len(links) >= 7 and SECOND_RP in links
    assert all(client.get(link).status in (200, 302) for link in links)


def test_every_link_of_the_front_page_leads_where_it_says(client):
    home = client.get("/").page
    links = {link.text_content(): link.get("href") for link in home.xpath("//main//a")}
    assert {RP, f"{RP}?start=fresh", "/lanyard/activity"} <= set(links.values())
    for words, link in links.items():
        expected = {500} if "nobody knows" in words else {200, 302}
        assert client.get(link).status in expected, (words, link)
    command = next(code.text_content() for code in home.xpath("//code[@class='block']") if "curl" in code.text_content())
    shown = subprocess.run(command.split(), check=True, capture_output=True, text=True, env={"no_proxy": "*"}).stdout
    assert "activities" in json.loads(shown)


def test_saml_20_is_read_as_well(make_lab, make_client):
    lab = make_lab()
    write_parties(lab.settings_file, [party("Twenty", "urn:twenty", "/lanyard/rp", token_type="saml20",
                                            issuance_transform_rules="rules/rp.issuance.rules")])
    lab.restart()
    client = make_client(lab)
    answer = bring(client, token_for(client).wresult)
    assert answer.status == 200 and "SAML 2.0" in answer.text_of("facts")
    assert (UPN, lab.upn()) in [(kind, value) for kind, value, _ in claims(answer)]


# What it refuses -------------------------------------------------------------------------------

def refused(answer, check, words):
    """Asserts that the page is a refusal which names that check, with these words in its reason."""
    assert answer.status == 403 and answer.text_of("verdict") == "This token was refused"
    assert check in failed(answer), findings(answer)
    assert words in findings(answer)[check][1]
    assert answer.text_of("reason")
    return True


def test_the_same_token_a_second_time_is_a_replay(client):
    token = token_for(client)
    assert bring(client, token.wresult).status == 200
    for _ in range(3):
        answer = bring(client, token.wresult)
        assert refused(answer, "replay", "used before") and failed(answer) == {"replay"}
        assert "used before" in answer.text_of("reason")


def test_a_changed_claim_is_noticed_and_nothing_of_the_token_is_believed(lab, client):
    token = token_for(client)
    tampered = token.wresult.replace(lab.upn("alice"), lab.upn("bob"))
    assert tampered != token.wresult
    answer = bring(client, tampered)
    assert refused(answer, "signature", "")
    assert claims(answer) == [] and answer.text_of("tokenId") is None
    assert bring(client, token.wresult).status == 200, "the real one is still good"


@pytest.mark.parametrize("before, after", [
    ("<saml:Audience>urn:lanyard:rp<", "<saml:Audience>urn:lanyard:rp:second<"),
    (" NotOnOrAfter=\"20", " NotOnOrAfter=\"29"), ("<ds:SignatureValue>", "<ds:SignatureValue>AAAA")])
def test_whatever_is_changed_under_the_signature_is_noticed(client, before, after):
    wresult = token_for(client).wresult
    assert before in wresult
    assert refused(bring(client, wresult.replace(before, after, 1)), "signature", "")


def test_a_token_without_a_signature_is_refused(client):
    wresult = token_for(client).wresult
    stripped = re.sub(r"<ds:Signature .*?</ds:Signature>", "", wresult, flags=re.S)
    assert stripped != wresult
    answer = bring(client, stripped)
    assert answer.status == 403 and "signature" in failed(answer) and claims(answer) == []


def test_a_token_for_another_relying_party_is_refused(client):
    """O2"""
    token = token_for(client)
    answer = bring(client, token.wresult, SECOND_RP)
    assert refused(answer, "audience", "urn:lanyard:rp:second")
    assert findings(answer)["signature"][0], "it is a good token, only not for this one"
    assert bring(client, token.wresult).status == 200, "and is not used up by having been shown there"


def test_an_expired_token_and_one_of_tomorrow_are_refused(make_lab, make_client):
    lab = make_lab()
    client = make_client(lab)
    token = token_for(client)
    lab.move_clock("+61m")
    answer = bring(client, token.wresult)
    assert refused(answer, "times", "The token ended at") and failed(answer) >= {"times"}
    lab.move_clock("-1h")
    assert refused(bring(client, token.wresult), "times", "not valid before")
    lab.move_clock("+59m")
    assert bring(client, token.wresult).status == 200


def test_a_token_of_another_lab_is_a_strangers(lab, client, fresh_lab, make_client):
    theirs = token_for(make_client(fresh_lab))
    answer = bring(client, theirs.wresult)
    assert refused(answer, "signature", "") and claims(answer) == []


def test_a_token_with_the_strangers_own_key_in_it_is_refused(client, tmp_path):
    """M13: signed well, by a key that nobody here knows, whose certificate it brings along."""
    wresult = token_for(client).wresult
    assertion = re.search(r"<saml:Assertion.*</saml:Assertion>", wresult, re.S).group(0)
    emptied = re.sub(r"(<ds:DigestValue>).*?(</ds:DigestValue>)", r"\1\2", assertion, flags=re.S)
    emptied = re.sub(r"(<ds:SignatureValue>).*?(</ds:SignatureValue>)", r"\1\2", emptied, flags=re.S)
    emptied = re.sub(r"(<X509Certificate>|<ds:X509Certificate>).*?(</)", r"\1\2", emptied, flags=re.S)
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=ADFS Signing",
                    "-keyout", tmp_path / "key.pem", "-out", tmp_path / "certificate.pem"], check=True, capture_output=True)
    (tmp_path / "template.xml").write_text(emptied)
    subprocess.run(["xmlsec1", "--sign", "--id-attr:AssertionID", "urn:oasis:names:tc:SAML:1.0:assertion:Assertion",
                    "--privkey-pem", f"{tmp_path}/key.pem,{tmp_path}/certificate.pem",
                    "--output", tmp_path / "signed.xml", tmp_path / "template.xml"], check=True, capture_output=True)
    signed = re.sub(r"<\?xml.*?\?>\s*", "", (tmp_path / "signed.xml").read_text())
    answer = bring(client, wresult.replace(assertion, signed.strip()))
    assert refused(answer, "signature", "") and claims(answer) == []


@pytest.mark.parametrize("sent", [
    "", "nothing", "<a>", "<t:RequestSecurityTokenResponse xmlns:t='http://schemas.xmlsoap.org/ws/2005/02/trust'/>",
    "<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>", "\u0001", "<" * 5000, "<a>" * 5000])
def test_what_is_no_token_is_refused_with_a_page(client, sent):
    answer = bring(client, sent)
    assert answer.status == 403 and answer.text_of("verdict") == "This token was refused"
    assert answer.text_of("reason") and claims(answer) == [] and "root:" not in answer.text


def test_a_form_without_a_token_is_refused_with_a_page(client):
    answer = client.post(RP, {"wa": "wsignin1.0"})
    assert answer.status == 403 and answer.text_of("reason")


def test_a_refusal_is_an_event_and_an_acceptance_too(lab, client):
    token = token_for(client)
    bring(client, token.wresult)
    assert lab.event_where(event="rp", outcome="done")["party"] == "urn:lanyard:rp"
    bring(client, token.wresult)
    assert "used before" in lab.event_where(event="rp", outcome="refused")["why"]


# Where it is -----------------------------------------------------------------------------------

def test_it_is_there_in_a_lab_only(make_lab, make_client):
    lab = make_lab()
    set_setting(lab.settings_file, "lab", "false")
    write_parties(lab.settings_file, [party("Mine", "urn:mine", f"{lab.main}/lanyard/rp")])
    lab.restart()
    client = make_client(lab)
    for path in (RP, SECOND_RP, "/lanyard/activity", "/lanyard/api/activity", "/lanyard/api/activity/x"):
        assert client.get(path).status == 404
    assert client.post(RP, {"wa": "wsignin1.0", "wresult": "x"}).status == 404


def test_outside_a_lab_a_path_is_no_endpoint(make_lab):
    lab = make_lab()
    set_setting(lab.settings_file, "lab", "false")
    lab.signal(1)
    event = lab.event_where(event="reload", outcome="refused")
    assert "/lanyard/rp" in event["why"]


def test_a_path_that_no_relying_party_has_says_what_to_write(client):
    answer = client.get("/lanyard/rp/third")
    assert answer.status == 404 and "wsfed_endpoint /lanyard/rp/third" in answer.text_of("labDetails")


def test_it_moves_with_the_port(make_lab, make_client):
    lab = make_lab()
    lab.stop()
    lab.start(["--port", "0"])
    client = make_client(lab)
    assert {each["reply"] for each in lab.ready["relying_parties"]} >= {lab.main + RP, lab.main + SECOND_RP}
    assert bring(client, token_for(client).wresult).status == 200


def test_a_clean_up_after_a_sign_out_does_not_begin_a_sign_in(client):
    answer = client.get(RP, {"wa": "wsignoutcleanup1.0"})
    assert answer.status == 200 and answer.header("Location") is None


# In a browser ----------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def browser(lab, tmp_path_factory):
    driver = chromium(tmp_path_factory.mktemp("echo"), lab.root_certificate)
    yield driver
    driver.quit()


def hostile_page(client, value, place):
    if place == "wresult":
        return bring(client, value)
    if place == "wctx":
        return bring(client, "nothing", wctx=value)
    if place == "a tampered claim":
        return bring(client, f"<a>{html.escape(value)}</a>")
    return client.post(RP, {"wa": value, "wresult": "nothing", value: value})


def test_no_value_adds_an_element_or_an_attribute_to_the_page(client, browser):
    """X1, X2"""
    browser.get("about:blank")
    differing = []
    for place in ("wresult", "wctx", "a tampered claim", "another field"):
        plain = element_trees(browser, [hostile_page(client, "harmless", place).text])
        for value in HOSTILE:
            answer = hostile_page(client, value, place)
            assert answer.status == 403
            if element_trees(browser, [answer.text]) != plain:
                differing.append((place, value))
    assert differing == []


def test_markup_in_a_persons_name_is_shown_and_not_run(make_lab, make_client, tmp_path):
    """X4, C14"""
    lab = make_lab()
    name = "<img src=x onerror=alert(1)> & \"Co\" ]]> 'x' 𝒳"
    user_file = lab.settings_file.parent / "users" / "alice.yaml"
    quoted = "".join(f"\\U{ord(each):08X}" for each in name)
    user_file.write_text(re.sub(r"^displayName:.*$", lambda _: f'displayName: "{quoted}"', user_file.read_text(), flags=re.M))
    lab.restart()
    client = make_client(lab)
    answer = bring(client, token_for(client).wresult)
    assert answer.status == 200 and name in [value for _, value, _ in claims(answer)]
    story = client.get(answer.page.xpath("//a[@id='activity']")[0].get("href"))
    assert name in [value for _, value, _ in claims(story, "issued")]
    assert answer.page.xpath("//img") == [] and story.page.xpath("//img") == []


def shown_at(browser, width, dark):
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia",
                            {"features": [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]})
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                            {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500})


def look_at(browser, folder, name):
    """Screenshots on a desk and on a phone, light and dark; nothing may be wider than the window."""
    for width, dark in ((1100, False), (390, True)):
        shown_at(browser, width, dark)
        browser.save_screenshot(str(folder / f"{name}-{width}.png"))
        assert browser.execute_script("return document.documentElement.scrollWidth") <= width, (name, width)
    shown_at(browser, 1100, False)


def test_the_first_hour_in_a_browser(lab, browser, tmp_path):
    """product.md: open the address, sign in, see the token, go to the next, see what happened."""
    browser.delete_all_cookies()
    browser.get(lab.main + "/")
    look_at(browser, tmp_path, "home")
    browser.find_element(By.PARTIAL_LINK_TEXT, "own relying party").click()
    shown(browser, By.ID, "userNameInput").send_keys(lab.upn())
    browser.find_element(By.ID, "passwordInput").send_keys(lab.user()["password"])
    look_at(browser, tmp_path, "sign-in")
    browser.find_element(By.ID, "submitButton").click()
    wait = WebDriverWait(browser, 20)
    wait.until(lambda _: browser.current_url == lab.main + RP)
    assert shown(browser, By.ID, "verdict").text == f"Signed in as {lab.upn()}"
    look_at(browser, tmp_path, "relying-party")
    browser.find_element(By.LINK_TEXT, "Go to A second relying party").click()
    wait.until(lambda _: browser.current_url == lab.main + SECOND_RP)
    assert shown(browser, By.ID, "verdict").text == f"Signed in as {lab.upn()}"
    browser.find_element(By.ID, "activity").click()
    shown(browser, By.ID, "activityId")
    look_at(browser, tmp_path, "story")
    browser.get(lab.main + "/lanyard/activity?paused=1")
    look_at(browser, tmp_path, "activity")
    assert policy_breaches(browser) == []


def test_the_page_needs_no_script_but_the_one_that_posts_the_token(lab, tmp_path):
    driver = chromium(tmp_path, lab.root_certificate, scripts=False)
    try:
        driver.get(lab.main + RP)
        driver.find_element(By.ID, "userNameInput").send_keys(lab.upn())
        driver.find_element(By.ID, "passwordInput").send_keys(lab.user()["password"])
        driver.find_element(By.ID, "submitButton").click()
        shown(driver, By.CSS_SELECTOR, "form[name=hiddenform] input[type=submit]").click()
        assert shown(driver, By.ID, "verdict").text == f"Signed in as {lab.upn()}"
        summary = driver.find_elements(By.TAG_NAME, "summary")[-1]
        summary.click()
        assert driver.find_element(By.ID, "raw").is_displayed()
    finally:
        driver.quit()


def test_the_pages_are_light(client):
    """Markup without what stands in it; the token itself is shown twice."""
    answer = bring(client, token_for(client).wresult)
    words = sum(len(text) for text in answer.page.xpath("//body//text()"))
    assert len(answer.text) - words < 30000
    for page in (client.get("/lanyard/activity"), client.get("/")):
        assert len(page.text) < 40000


def test_signing_in_at_the_front_page_works_too(client):
    """As home.html links it: without a wctx."""
    answer = sign_in(client, "urn:lanyard:rp")
    token = TokenPage(answer)
    assert token.wctx is None and bring(client, token.wresult).status == 200
