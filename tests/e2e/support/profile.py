"""Judges Apple configuration profiles as `plutil` and a device would: the property list itself, then every key.

The keys, their types and which of them must be there are those Apple publishes for each payload in its repository
"device-management" (TopLevel, CommonPayloadKeys and the payloads' own pages).
"""
import plistlib
import re
import uuid

import lxml.etree as etree

REQUIRED, OPTIONAL = True, False
UUID = re.compile(r"[0-9A-Za-z]{8}-[0-9A-Za-z]{4}-[0-9A-Za-z]{4}-[0-9A-Za-z]{4}-[0-9A-Za-z]{12}")
DOCTYPE = ('<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" '
           '"http://www.apple.com/DTDs/PropertyList-1.0.dtd">')

COMMON = {"PayloadIdentifier": (str, REQUIRED), "PayloadUUID": (str, REQUIRED), "PayloadType": (str, REQUIRED),
          "PayloadVersion": (int, REQUIRED), "PayloadDescription": (str, OPTIONAL), "PayloadDisplayName": (str, OPTIONAL),
          "PayloadOrganization": (str, OPTIONAL)}
TOP = {**COMMON, "PayloadContent": (list, REQUIRED), "IsEncrypted": (bool, OPTIONAL), "HasRemovalPasscode": (bool, OPTIONAL),
       "PayloadRemovalDisallowed": (bool, OPTIONAL), "PayloadScope": (str, OPTIONAL), "TargetDeviceType": (int, OPTIONAL),
       "ConsentText": (dict, OPTIONAL), "DurationUntilRemoval": (float, OPTIONAL)}
CERTIFICATE = {"PayloadCertificateFileName": (str, OPTIONAL), "PayloadContent": (bytes, REQUIRED)}
PAYLOADS = {
    "com.apple.security.root": CERTIFICATE,
    "com.apple.security.pkcs1": CERTIFICATE,
    "com.apple.security.pkcs12": {**CERTIFICATE, "Password": (str, OPTIONAL), "AllowAllAppsAccess": (bool, OPTIONAL),
                                  "KeyIsExtractable": (bool, OPTIONAL)},
    "com.apple.eas.account": {"EmailAddress": (str, OPTIONAL), "Host": (str, OPTIONAL), "SSL": (bool, OPTIONAL),
                              "OAuth": (bool, OPTIONAL), "UserName": (str, OPTIONAL), "Password": (str, OPTIONAL),
                              "Certificate": (bytes, OPTIONAL), "CertificateName": (str, OPTIONAL),
                              "CertificatePassword": (str, OPTIONAL), "PreventMove": (bool, OPTIONAL),
                              "PreventAppSheet": (bool, OPTIONAL), "PayloadCertificateUUID": (str, OPTIONAL),
                              "MailNumberOfPastDaysToSync": (int, OPTIONAL), "allowMailDrop": (bool, OPTIONAL),
                              "disableMailRecentsSyncing": (bool, OPTIONAL)},
}


class Bad(AssertionError):
    """What is wrong with a profile."""


def demand(condition, words):
    if not condition:
        raise Bad(words)


def check_keys(dictionary, keys, where):
    for key, value in dictionary.items():
        demand(key in keys, f"{where}: Apple knows no key {key}")
        wanted = keys[key][0]
        demand(type(value) is wanted, f"{where}: {key} is {type(value).__name__}, not {wanted.__name__}")
    for key, (_, presence) in keys.items():
        demand(presence == OPTIONAL or key in dictionary, f"{where}: {key} is missing")


def check_common(dictionary, where):
    demand(UUID.fullmatch(dictionary["PayloadUUID"]), f"{where}: PayloadUUID is none")
    demand(uuid.UUID(dictionary["PayloadUUID"]).variant == uuid.RFC_4122, f"{where}: the UUID's variant is odd")
    demand(dictionary["PayloadVersion"] == 1, f"{where}: PayloadVersion")
    demand(re.fullmatch(r"[A-Za-z0-9._-]+", dictionary["PayloadIdentifier"]), f"{where}: PayloadIdentifier")


def check_doubles(xml):
    """Of a key that stands twice one reader takes the first, another the last."""
    for dictionary in etree.fromstring(xml).iter("dict"):
        keys = [child.text for child in dictionary if child.tag == "key"]
        demand(len(keys) == len(set(keys)), "a key stands twice")
        demand([child.tag for child in dictionary][::2] == ["key"] * len(keys), "a key without a value")


def check_profile(xml):
    """Gives the profile as a dictionary, or raises Bad."""
    demand(DOCTYPE.encode() in xml, "no property list's DOCTYPE")
    try:
        check_doubles(xml)
        profile = plistlib.loads(xml)
    except Bad:
        raise
    except Exception as problem:
        raise Bad(f"no property list: {problem}") from None
    demand(type(profile) is dict, "no dictionary")
    check_keys(profile, TOP, "profile")
    check_common(profile, "profile")
    demand(profile["PayloadType"] == "Configuration", "PayloadType of the profile")
    payloads = profile["PayloadContent"]
    for payload in payloads:
        kind = payload.get("PayloadType")
        demand(kind in PAYLOADS, f"Apple knows no payload {kind}")
        check_keys(payload, {**COMMON, **PAYLOADS[kind]}, kind)
        check_common(payload, kind)
        demand(payload["PayloadIdentifier"].startswith(profile["PayloadIdentifier"] + "."), f"{kind}: an identifier elsewhere")
    for key in ("PayloadUUID", "PayloadIdentifier"):
        values = [payload[key] for payload in payloads] + [profile[key]]
        demand(len(values) == len(set(values)), f"{key} stands twice")
    check_references(payloads)
    return profile


def check_references(payloads):
    """An account's certificate is an identity in the same profile."""
    identities = {payload["PayloadUUID"] for payload in payloads if payload["PayloadType"] == "com.apple.security.pkcs12"}
    for payload in payloads:
        reference = payload.get("PayloadCertificateUUID")
        demand(reference is None or reference in identities, "PayloadCertificateUUID names no identity of this profile")


def payloads_of(profile):
    """type -> payload."""
    return {payload["PayloadType"]: payload for payload in profile["PayloadContent"]}
