"""Real headless Chromium, driven by WebDriver, in a home of its own on a closed network."""
import json
import os
import subprocess
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.support.wait import WebDriverWait

FLAGS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage",
         "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions",
         "--disable-default-apps", "--no-default-browser-check", "--no-proxy-server", "--window-size=1000,900",
         "--host-resolver-rules=MAP *.test 127.0.0.1"]


def trust(home, certificate):
    """Makes an NSS database in `home` that trusts that root: the browser checks as it always does."""
    database = Path(home) / ".pki" / "nssdb"
    database.mkdir(parents=True, exist_ok=True)
    certutil = ["certutil", "-d", f"sql:{database}"]
    if not (database / "cert9.db").exists():
        subprocess.run([*certutil, "-N", "--empty-password"], check=True, capture_output=True)
    subprocess.run([*certutil, "-A", "-n", "lab root", "-t", "CT,C,C", "-i", certificate], check=True, capture_output=True)
    return database


def own(database, pkcs12, password):
    """Puts an identity into the database: the browser may show it."""
    subprocess.run(["pk12util", "-d", f"sql:{database}", "-i", pkcs12, "-W", password, "-K", ""], check=True,
                   capture_output=True)


def settings_of(scripts, unasked):
    """What an administrator may set for a browser: no scripts, and an address where it shows the one
    certificate it has without asking its person."""
    settings = {}
    if not scripts:
        settings["profile.managed_default_content_settings.javascript"] = 2
    if unasked:
        settings["profile.managed_auto_select_certificate_for_urls"] = [json.dumps({"pattern": unasked, "filter": {}})]
    return settings


def chromium(home, root_certificate, scripts=True, shown_on=None, unasked=None, patient=True):
    """A browser that trusts the lab's root and nothing else it would not trust anyway; on that display, where
    its own dialogues are to be seen. Its driver waits until a page is loaded, if it is patient."""
    trust(home, root_certificate)
    options = Options()
    options.binary_location = "/usr/bin/chromium"
    for flag in [*FLAGS[shown_on is not None:], f"--user-data-dir={home}/profile"]:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    options.add_experimental_option("prefs", settings_of(scripts, unasked))
    if shown_on or not patient:
        options.page_load_strategy = "none"  # a page whose browser shows a dialogue is never loaded
    display = {"DISPLAY": shown_on} if shown_on else {}
    service = Service("/usr/bin/chromedriver", env={**os.environ, **display, "HOME": str(home)},
                      log_path=str(Path(home) / "driver.log"))
    driver = webdriver.Chrome(service=service, options=options)
    driver.set_page_load_timeout(30)
    driver.set_script_timeout(30)
    return driver


def shown(driver, how, what):
    """The element of a page that is yet to come: right after a click, the old one may still be searched."""
    return WebDriverWait(driver, 30).until(lambda _: driver.find_elements(how, what), f"no {what}")[0]


def policy_breaches(driver):
    """What the browser's console says of things its policy kept from loading or running."""
    return [entry["message"] for entry in driver.get_log("browser") if "Content Security Policy" in entry["message"]]


# Element and attribute names of a page, as a real browser's parser sees them; values left out.
TREE = """
const tree = (node) => [node.tagName, [...node.attributes].map((each) => each.name).sort().join(' '),
                        [...node.children].map(tree)];
return arguments[0].map((page) => JSON.stringify(
  tree(new DOMParser().parseFromString(page, 'text/html').documentElement)));
"""


def element_trees(driver, pages):
    """One text for each page; equal texts mean the same elements with the same attributes."""
    return driver.execute_script(TREE, pages)
