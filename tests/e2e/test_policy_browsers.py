"""wauth x wfresh (and mfa_max_age) x session x network in real browsers: what somebody has to give before
the relying party gets its token, or what they read where it gets none. (tests/policy.test is the table of
the decision alone.)
"""
import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from support.browser import chromium, own, shown, trust
from support.certificates import TLS_METHOD, at
from support.identity import of_user
from support.lab import Lab, copy_lab, free_port
from support.settings import party, set_setting, write_parties
from support.sign_in import PASSWORD_METHOD
from support.visitor import ENGINES, Visitor, driver_of
from support.webkit import webkit_with_certificates

OWN = "urn:lanyard:rp"
MULTIPLE = "http://schemas.microsoft.com/claims/multipleauthn"
REFERENCES = "http://schemas.microsoft.com/claims/authnmethodsreferences"
INSIDE = "http://schemas.microsoft.com/ws/2012/01/insidecorporatenetwork"
TLS_CLIENT = "http://schemas.microsoft.com/ws/2008/06/identity/authenticationmethod/tlsclient"

WAUTH = {"any": None, "password": PASSWORD_METHOD, "certificate": TLS_METHOD, "multipleauthn": MULTIPLE,
         "wiaormultiauthn": "http://schemas.microsoft.com/claims/wiaormultiauthn",
         "windows": "urn:federation:authentication:windows", "unknown": "urn:test:by-heart"}
# How fresh: the sign-in, or its second factor.
FRESH = {"-": {}, "0": {"wfresh": "0"}, "long": {"wfresh": "100000"}, "factor": {"mfa_max_age": "0"}}
# What a token says of how they signed in.
SHOWN = {"password": [PASSWORD_METHOD], "certificate": [TLS_CLIENT], "both": [PASSWORD_METHOD, TLS_CLIENT, MULTIPLE]}

CLAIMS = """
return [...document.querySelectorAll('#claims tbody tr')].map(function (row) {
  return [row.querySelector('code').innerText, row.querySelector('td bdi').innerText];
});
"""

# Which of these somebody would have to look for: outside the window, or too small to be read.
IN_SIGHT = """
return arguments[0].filter(function (each) {
  const box = document.getElementById(each).getBoundingClientRect();
  const size = parseFloat(getComputedStyle(document.getElementById(each)).fontSize);
  return box.left < 0 || box.top < 0 || box.right > innerWidth || box.bottom > innerHeight || box.height === 0 || size < 12;
});
"""

# What has to be given from inside, and from outside, where no certificate is taken as the first factor: "token" is
# nothing at all. Or what is refused. The session is by which method somebody is signed in already.
TABLE = """
wauth            fresh   session      inside           outside
any              -       -            password         password
any              -       password     token            token
any              -       certificate  token            token
any              -       both         token            token
any              0       -            password         password
any              0       password     password         password
any              0       certificate  password         password
any              0       both         password         password
any              long    -            password         password
any              long    password     token            token
any              long    certificate  token            token
any              long    both         token            token
any              factor  both         token            token
password         -       -            password         password
password         -       password     token            token
password         -       certificate  password         password
password         -       both         token            token
password         0       -            password         password
password         0       password     password         password
password         0       certificate  password         password
password         long    -            password         password
password         long    password     token            token
password         long    certificate  password         password
certificate      -       -            certificate      not-outside
certificate      -       password     certificate      not-outside
certificate      -       certificate  token            not-outside
certificate      -       both         certificate      not-outside
certificate      0       -            certificate      not-outside
certificate      0       password     certificate      not-outside
certificate      0       certificate  certificate      not-outside
certificate      long    -            certificate      not-outside
certificate      long    password     certificate      not-outside
certificate      long    certificate  token            not-outside
multipleauthn    -       -            password+second  password+second
multipleauthn    -       password     second           second
multipleauthn    -       certificate  password+second  password+second
multipleauthn    -       both         token            token
multipleauthn    0       -            password+second  password+second
multipleauthn    0       password     password+second  password+second
multipleauthn    0       certificate  password+second  password+second
multipleauthn    0       both         password+second  password+second
multipleauthn    long    -            password+second  password+second
multipleauthn    long    password     second           second
multipleauthn    long    certificate  password+second  password+second
multipleauthn    long    both         token            token
multipleauthn    factor  -            password+second  password+second
multipleauthn    factor  password     second           second
multipleauthn    factor  both         second           second
wiaormultiauthn  -       -            password         password+second
wiaormultiauthn  -       password     token            second
wiaormultiauthn  -       certificate  token            password+second
wiaormultiauthn  -       both         token            token
wiaormultiauthn  0       password     password         password+second
wiaormultiauthn  0       certificate  password         password+second
wiaormultiauthn  long    password     token            second
wiaormultiauthn  factor  both         token            second
windows          -       -            no-windows       no-windows
windows          -       password     no-windows       no-windows
windows          0       certificate  no-windows       no-windows
windows          long    both         no-windows       no-windows
unknown          -       -            unknown          unknown
unknown          -       password     unknown          unknown
unknown          0       certificate  unknown          unknown
unknown          long    both         unknown          unknown
"""
ROWS = [line.split() for line in TABLE.strip().splitlines()[1:]]

# Of each refusal: what the person reads, and what only a lab says of it.
NOT_OFFERED = ("The application asks for a way of signing in that is not offered here. "
               "Give your administrator the activity ID below.")
REFUSALS = {
    "not-outside": ("Certificate sign-in is not allowed for the extranet, that is from outside the company's network. "
                    "Go back and sign in in another way, or sign in from inside.",
                    "certificate sign-in is not allowed for the extranet"),
    "no-windows": (NOT_OFFERED, "wauth asks for a sign-in by Windows, which nobody here does"),
    "unknown": (NOT_OFFERED, "wauth asks for a method that nobody here knows"),
}
GREETING = "For security reasons, we require additional information to verify your account."
MSIS7102 = "MSIS7102: Requested Authentication Method is not supported on the STS."


@pytest.fixture(scope="module")
def lab(first_made, tmp_path_factory):
    """Certificates as the first factor from inside only, as the second from everywhere; the lab's own relying
    party shows every claim it gets."""
    lab = Lab(copy_lab(first_made, tmp_path_factory.mktemp("policy") / "lab"), "--extranet-port", free_port(),
              "--no-loop-detection", ports=())
    (lab.folder / "rules" / "all.rules").write_text("c:[] => issue(claim = c);\n")
    write_parties(lab.settings_file, [party("Own", OWN, "/lanyard/rp", issuance_transform_rules="rules/all.rules")])
    set_setting(lab.settings_file, "primary_extranet_authentication_providers", "[FormsAuthentication]")
    set_setting(lab.settings_file, "additional_authentication_providers", "[CertificateAuthentication]")
    lab.restart()
    yield lab
    lab.stop()


def reached(session, steps):
    """The kind of session after these steps."""
    return "both" if "second" in steps else session if steps == "token" else steps


class Policy(Visitor):
    """Somebody who has, or had, a session of each kind, and begins each sign-in with the one it says."""

    def __init__(self, driver, lab):
        super().__init__(driver, lab)
        self.sessions = {"-": None}

    def begin(self, kind):
        """Signs in by that kind if they are not, or not any more."""
        self.session = self.sessions.get(kind)
        if kind in self.sessions:
            return
        wauth = {"password": None, "certificate": TLS_METHOD, "both": MULTIPLE}[kind]
        assert self.sign_in(at(self.lab, "main", OWN, wauth=wauth))[0] == "verdict"
        self.sessions[kind] = self.session

    def outcome(self, wauth, fresh, kind, network):
        """What came, as the table says it."""
        self.begin(kind)
        page, given = self.sign_in(at(self.lab, network, OWN, wauth=WAUTH[wauth], **FRESH[fresh]))
        if page == "errorDetails":
            return self.refusal() if not given else f"{given}, and then a refusal"
        if page != "verdict":
            return f"{given}, and then {page}"
        steps = "+".join(given) or "token"
        if given:  # the session has another in its place, and is over
            self.sessions = {each: cookie for each, cookie in self.sessions.items() if each != kind or each == "-"}
            self.sessions[reached(kind, steps)] = self.session
        return steps

    def told(self):
        """What the token says: the kind of session, and whether it is from inside."""
        claims = self.driver.execute_script(CLAIMS)
        shown = [value for claim, value in claims if claim == REFERENCES]
        kinds = [kind for kind, methods in SHOWN.items() if methods == shown]
        return kinds[0] if kinds else shown, *(value for claim, value in claims if claim == INSIDE)

    def refusal(self):
        """Which one the page tells; all of it where it is none of them."""
        message, details, told = self.text("advice"), self.text("errorDetails"), self.text("labDetails")
        found = [name for name, (words, why) in REFUSALS.items() if message == words and MSIS7102 in details and why in told]
        return found[0] if found else "\n".join((message, details, told))


@pytest.fixture(scope="module", params=ENGINES)
def somebody(request, lab, shown_on, tmp_path_factory):
    with driver_of(request.param, lab, tmp_path_factory.mktemp(request.param) / "home", shown_on) as driver:
        policy = Policy(driver, lab)
        policy.go(lab.main + "/lanyard/rp")  # a cookie is put where one is
        yield policy


@pytest.mark.parametrize("wauth", WAUTH)
def test_every_row_of_the_table(somebody, wauth):
    """What the token says is checked wherever one came: how they signed in at last, and from where."""
    rows, wrong = [row for row in ROWS if row[0] == wauth], []
    assert rows
    for row in rows:
        for network, expected in (("main", row[3]), ("extranet", row[4])):
            found = somebody.outcome(*row[:3], network)
            if expected not in REFUSALS:
                found = (found, *somebody.told())
                expected = (expected, reached(row[2], expected), "true" if network == "main" else "false")
            if found != expected:
                wrong.append((row[:3], network, expected, found))
    assert wrong == []


def test_the_refusal_of_the_extranet_is_to_be_read_and_followed(somebody):
    """Whoever goes back, as it says, may sign in in another way."""
    driver, lab = somebody.driver, somebody.lab
    somebody.session = None
    assert somebody.go(at(lab, "extranet", OWN)) == "loginForm"
    assert driver.find_elements(By.ID, "CertificateAuthentication") == [], "what is refused is not offered"
    assert somebody.go(at(lab, "extranet", OWN, wauth=TLS_METHOD)) == "errorDetails"
    assert somebody.refusal() == "not-outside" and somebody.text("openingMessage") == "An error occurred"
    assert driver.title.startswith("An error occurred - ")
    assert driver.execute_script(IN_SIGHT, ["openingMessage", "advice", "activityId"]) == []
    event = lab.event_where(activity_id=somebody.text("activityId"), event="request")
    assert (event["code"], event["why"]) == ("MSIS7102", REFUSALS["not-outside"][1])
    somebody.leave()
    driver.back()
    assert somebody.arrive() == "loginForm" and somebody.fill_in() == "verdict"


# The page in between, which the rows above only pass --------------------------------------------------

def test_webkit_shows_what_the_certificate_is_for_while_its_person_thinks(lab, shown_on, tmp_path):
    with webkit_with_certificates(tmp_path / "home", shown_on, patient=False) as (driver, choice):
        choice.write_text("wait")
        person = Visitor(driver, lab)
        assert person.go(at(lab, "main", OWN, wauth=MULTIPLE)) == "loginForm"
        person.send_password()
        WebDriverWait(driver, 30).until(lambda _: choice.with_name("choice.asked").exists(), "it was never asked")
        assert person.text("mfaGreeting") == GREETING
        asked = "Your browser was asked for a certificate"
        WebDriverWait(driver, 30).until(lambda _: person.text("waiting").startswith(asked), "the page does not say so")
        choice.write_text(str(of_user(lab.user()).pem()))
        assert person.arrive() == "verdict"


def test_chromium_without_scripts_comes_to_that_page_and_goes_on_by_its_buttons(lab, tmp_path):
    user, home = lab.user(), tmp_path / "home"
    own(trust(home, lab.root_certificate), user["pkcs12"], user["pkcs12_password"])
    driver = chromium(home, lab.root_certificate, scripts=False, unasked="https://localhost")
    try:
        person = Visitor(driver, lab)
        assert person.go(at(lab, "main", OWN, wauth=MULTIPLE)) == "loginForm"
        person.send_password()
        assert shown(driver, By.ID, "mfaGreeting").text == GREETING
        driver.find_element(By.ID, "submitButton").click()
        shown(driver, By.CSS_SELECTOR, "noscript input").click()
        assert person.arrive() == "verdict"
    finally:
        driver.quit()
