"""Hostile names in certificates: the page that explains and the activity it leads to have, for a real browser's
parser, the elements and attributes they have for a harmless name (security.md X1, X2)."""
import pytest

from conftest import FIRST
from support.browser import chromium, element_trees
from support.certificates import refusal, show
from support.identity import Authority

HARMLESS = "harmless"
HOSTILE = ["<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "' onfocus='alert(1)' autofocus='",
           "</code></bdi></li></ol><form action=https://evil.test/>", "&lt;b&gt;&#x3c;b&#x3e;", "{{reason}}{{#lab}}{{{",
           "--><!--", "\u202e\u2066gnihton"]


@pytest.fixture(scope="module")
def browser(lab, tmp_path_factory):
    driver = chromium(tmp_path_factory.mktemp("names"), lab.root_certificate)
    driver.get("about:blank")  # whose policy lets a page be parsed
    yield driver
    driver.quit()


def der(tag, content):
    return bytes([tag, len(content)]) + content


def certificate_of(ca, folder, name):
    """With that name as its CN and in its UPN."""
    number = bytes.fromhex("060A2B060104018237140203")
    upn = der(0xA0, number + der(0xA0, der(0x0C, f"{name}@lab.test".encode())))
    subject = name.replace("/", "\\/").replace("+", "\\+")
    return ca.issue(folder, "leaf", subject=f"/CN={subject}", subjectAltName="DER:" + der(0x30, upn).hex(":"))


def pages_of(client, identity, code):
    """The page that explains, and the story of the request."""
    answer = show(client, FIRST, identity)
    assert refusal(answer) == code, refusal(answer)
    return answer.text, client.get(f"/lanyard/activity?id={answer.text_of('activityId')}").text


@pytest.mark.parametrize("kind, code", [("stranger", "chain.issuer-missing"), ("known", "account.none")])
def test_X1_no_name_in_a_certificate_adds_an_element_or_an_attribute(lab, client, browser, tmp_path, kind, code):
    ca = Authority.stranger(tmp_path / "ca", "CA") if kind == "stranger" else Authority.of_lab(lab)
    plain = pages_of(client, certificate_of(ca, tmp_path / "plain", HARMLESS), code)
    trees = element_trees(browser, plain)
    for number, name in enumerate(HOSTILE):
        pages = pages_of(client, certificate_of(ca, tmp_path / str(number), name), code)
        assert element_trees(browser, pages) == trees, name
        assert name not in "".join(pages) or "<" not in name
    assert HARMLESS in plain[0] and HARMLESS in plain[1]


def test_X1_no_name_of_an_authority_does_either(client, browser, tmp_path):
    """Of one that is missing, it is all that the page has."""
    trees = None
    for number, name in enumerate([HARMLESS, *HOSTILE]):
        ca = Authority.stranger(tmp_path / f"ca{number}", name.replace("/", "\\/").replace("+", "\\+"))
        pages = pages_of(client, ca.issue(tmp_path / f"leaf{number}", "leaf", upn="alice@lab.test"), "chain.issuer-missing")
        trees = trees or element_trees(browser, pages)
        assert element_trees(browser, pages) == trees, name
