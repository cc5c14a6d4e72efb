"""Pages in the language the browser asks for, as far as an operator has translated them."""
import re
import urllib.parse
from pathlib import Path

import lxml.html
import pytest
from selenium.webdriver.common.by import By

from conftest import FIRST
from support.browser import chromium, policy_breaches, shown
from support.lab import run
from support.settings import set_setting
from support.sign_in import credentials, request_for

LIST = Path(__file__).parents[2] / "templates" / "words.en"
GERMAN = """# as far as we got
Sign in
= Anmelden
Sign in with your organizational account
= Melden Sie sich mit Ihrem Konto der Organisation an
Password
= Kennwort
Signed in
= Angemeldet
as
= als
Incorrect user ID or password. Type the correct user ID and password, and try again.
= Benutzername oder Kennwort ist falsch. Bitte geben Sie beides noch einmal ein.
"""


@pytest.fixture
def translated(make_lab, tmp_path):
    """A lab that also speaks some German, and a language in which every sentence is «marked»."""
    folder = tmp_path / "templates"
    folder.mkdir()
    (folder / "words.de").write_text(GERMAN)
    (folder / "words.qaa").write_text(re.sub(r"^(?!#)(.+)\n=$", r"\1\n= «\1»", LIST.read_text(), flags=re.M))
    lab = make_lab()
    set_setting(lab.settings_file, "templates", folder)
    lab.restart()
    return lab


def in_language(language):
    return "-H", f"Accept-Language: {language}"


def sign_in_page(client, *arguments):
    return client.get("/adfs/ls/", request_for(FIRST), *arguments)


@pytest.mark.parametrize("asked, language, heading", [
    ("de", "de", "Melden Sie sich mit Ihrem Konto der Organisation an"),
    ("fr, de-AT;q=0.5, en;q=0.1", "de", "Melden Sie sich mit Ihrem Konto der Organisation an"),
    ("en, de", "en", "Sign in with your organizational account"),
    ("fr", "en", "Sign in with your organizational account"),
    ("de;q=0", "en", "Sign in with your organizational account"),
    (";;;q=,\t*;q=x, \"de\"", "en", "Sign in with your organizational account"),
    ("de-" + "a" * 3000 + ", " + "x," * 3000, "en", "Sign in with your organizational account"),
])
def test_the_language_is_the_one_asked_for_or_english(translated, make_client, asked, language, heading):
    answer = sign_in_page(make_client(translated), *in_language(asked))
    assert answer.status == 200 and answer.text_of("loginMessage") == heading
    assert answer.page.get("lang") == language and answer.page.get("dir") == "ltr"
    assert answer.header("Cache-Control") == "no-store"  # so no cache can mix languages up


def test_a_program_that_asks_for_no_language_gets_what_it_always_got(translated, make_client):
    """Scripts look for English sentences."""
    client = make_client(translated)
    shown_first = sign_in_page(client)
    assert shown_first.page.get("lang") == "en" and shown_first.text_of("submitButton") == "Sign in"
    answer = client.post("/adfs/ls/?" + urllib.parse.urlencode(request_for(FIRST)),
                         {**credentials(translated), "Password": "wrong"})
    assert answer.text_of("errorText").startswith("Incorrect user ID or password.")


def test_the_sentences_of_ad_fs_with_a_number_are_the_same_in_all_languages(translated, make_client):
    answer = make_client(translated).get("/adfs/ls/", request_for("urn:nobody"), *in_language("qaa"))
    assert answer.page.get("lang") == "qaa" and answer.text_of("openingMessage") == "«An error occurred»"
    assert "MSIS7007: The requested relying party trust 'urn:nobody'" in answer.text_of("errorDetails")


def words_of(answer):
    """What a person reads that is neither a value nor code: text and the attributes that are read out."""
    for node in answer.page.xpath("//text()[not(ancestor::script or ancestor::style or ancestor::code or ancestor::bdi)]"):
        yield node.strip()
    for attribute in answer.page.xpath("//@title | //@aria-label | //@alt | //@data-asked | //@data-late"):
        yield attribute.strip()


def test_no_word_of_ours_is_left_out_of_the_list_for_translators(translated, make_client):
    client, marked = make_client(translated), in_language("qaa")
    here = "/adfs/ls/?" + urllib.parse.urlencode(request_for(FIRST))
    pages = [sign_in_page(client, *marked), client.get("/", None, *marked), client.get("/nowhere", None, *marked),
             client.get("/adfs/ls/", request_for("urn:nobody"), *marked)]
    for form in ({"UserName": "alice", "Password": "x"}, {"UserName": "alice@lab.test", "Password": ""},
                 {"UserName": "alice@lab.test", "Password": "x" * 200}, {"UserName": "alice@lab.test", "Password": "x"}):
        pages.append(client.post(here, {**form, "AuthMethod": "FormsAuthentication"}, None, *marked))
        assert pages[-1].text_of("errorText").startswith("«")
    client.post(here, credentials(translated))
    pages.append(client.get("/adfs/ls/?wa=wsignout1.0", None, *marked))
    display_name = pages[0].text_of("header")
    for answer in pages:
        left = [words for words in words_of(answer) if re.search("[A-Za-z]{2}", words) and "«" not in words
                and words not in (display_name, "lanyard", FIRST) and not words.startswith(("curl ", "http", "MSIS"))]
        values = answer.page.xpath("//dd//text() | //a[@class='choice']/text() | //strong/text()")
        assert [words for words in left if words not in [value.strip() for value in values]] == [], answer.address


def test_a_person_with_a_german_browser_is_spoken_to_in_german(translated, tmp_path):
    driver = chromium(tmp_path / "home", translated.root_certificate)
    try:
        driver.execute_cdp_cmd("Network.setUserAgentOverride", {
            "userAgent": driver.execute_script("return navigator.userAgent"), "acceptLanguage": "de-AT,de,en"})
        driver.get(translated.main + "/lanyard/rp")
        assert driver.find_element(By.ID, "submitButton").text == "Anmelden"
        assert driver.find_element(By.ID, "userNameInputLabel").text == "User account"  # nobody has translated it
        driver.find_element(By.ID, "userNameInput").send_keys(translated.upn())
        driver.find_element(By.ID, "passwordInput").send_keys("falsch\n")
        shown(driver, By.CSS_SELECTOR, "#error:not([hidden])")
        assert driver.find_element(By.ID, "errorText").text.startswith("Benutzername oder Kennwort ist falsch.")
        driver.find_element(By.ID, "passwordInput").send_keys(translated.user()["password"] + "\n")
        assert shown(driver, By.ID, "verdict").text == f"Angemeldet als {translated.upn()}"
        assert driver.find_element(By.TAG_NAME, "html").get_attribute("lang") == "de"
        assert policy_breaches(driver) == []
    finally:
        driver.quit()


def test_a_translation_that_makes_no_sense_is_told_with_its_place(translated):
    words = translated.settings_file.parent / "words"
    words.mkdir(mode=0o755)
    (words / "words.de").write_text("Sign in\n= {anmelden}\n")
    set_setting(translated.settings_file, "templates", words)
    finished = run("check", "-c", translated.settings_file)
    assert finished.returncode == 1 and "words.de:2:1: the page knows no value \"anmelden\"" in finished.stderr


def test_markup_in_a_translation_is_text(translated, make_client):
    folder = Path(re.search(r"^templates: *(.*)$", translated.settings_file.read_text(), re.M).group(1).strip("\"'"))
    (folder / "words.de").write_text("Sign in\n= <img src=x onerror=alert(1)>\" onload=\"x\n")
    translated.restart()
    answer = sign_in_page(make_client(translated), *in_language("de"))
    assert answer.text_of("submitButton").startswith("<img src=x")
    assert lxml.html.document_fromstring(answer.text).xpath("//img | //*[@onload]") == []
