"""Changing the settings file of a lab."""
import json
import re

PERMIT_EVERYONE = "rules/permit-everyone.rules"


def party(name, realm, endpoint, **more):
    """A relying party as the settings file has it; a key given as None is left out."""
    keys = {"name": name, "identifiers": [realm], "wsfed_endpoint": endpoint,
            "issuance_authorization_rules": PERMIT_EVERYONE, **more}
    return {key: value for key, value in keys.items() if value is not None}


def without(text, key):
    """The settings less one key of the top level, with all that is indented beneath it."""
    return re.sub(rf"^{key}:.*\n(?:[ \t]+.*\n|-.*\n|[ \t]*\n)*", "", text, flags=re.M)


def write_parties(settings_file, parties):
    """Puts these relying parties in place of those the settings file has (JSON is YAML)."""
    set_setting(settings_file, "relying_party_trusts", "".join(f"\n  - {json.dumps(each)}" for each in parties))


def set_setting(settings_file, key, value):
    """Sets one key of the settings file."""
    settings_file.write_text(f"{without(settings_file.read_text(), key).rstrip()}\n{key}: {value}\n")
