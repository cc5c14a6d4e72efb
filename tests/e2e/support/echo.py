"""The lab's own relying party, as curl meets it: bringing it a token, and reading what it shows."""
from support.sign_in import TokenPage, credentials, is_sign_in_page

RP = "/lanyard/rp"
SECOND_RP = "/lanyard/rp/second"


def token_for(client, path=RP, name="alice", **query):
    """Begins at the relying party, signs in where asked, and gives the page that posts the token."""
    begun = client.get(path, query)
    assert begun.status == 302, begun.text[:500]
    answer = client.get(begun.location)
    if is_sign_in_page(answer):
        answer = client.post(begun.location, credentials(client.lab, name))
        answer = client.get(answer.location) if answer.status == 302 else answer
    return TokenPage(answer)


def bring(client, wresult, path=RP, **form):
    """Posts a token as a browser would."""
    return client.post(path, {"wa": "wsignin1.0", "wresult": wresult, **form})


def findings(answer):
    """What the page says of each check: {check: (passed, sentence)}."""
    found = {}
    for item in answer.page.xpath("//ul[@id='findings']/li"):
        check = item.xpath("./strong")[0].text_content()
        mark = item.xpath("./span")[0].text_content()
        assert mark in ("passed", "failed") and (mark == "failed") == (item.get("class") == "failed")
        found[check] = (mark == "passed", item.xpath("./bdi")[0].text_content())
    return found


def failed(answer):
    return {check for check, (passed, _) in findings(answer).items() if not passed}


def claims(answer, table="claims"):
    """The rows of a table of claims: [(type, value, how it came about)]."""
    return [(row.xpath("./th/code")[0].text_content(), row.xpath("./td[1]")[0].text_content(),
             row.xpath("./td[2]")[0].text_content()) for row in answer.page.xpath(f"//table[@id='{table}']/tbody/tr")]
