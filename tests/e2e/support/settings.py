"""Changing the settings file of a lab."""
import json
import re

PERMIT_EVERYONE = "rules/permit-everyone.rules"


def party(name, realm, endpoint, **more):
    """A relying party as the settings file has it; a key given as None is left out."""
    keys = {"name": name, "identifiers": [realm], "wsfed_endpoint": endpoint,
            "issuance_authorization_rules": PERMIT_EVERYONE, **more}
    return {key: value for key, value in keys.items() if value is not None}


def write_parties(settings_file, parties):
    """Puts these relying parties in place of those the settings file has (JSON is YAML)."""
    kept = re.sub(r"^relying_party_trusts:\n(?:(?:[ #].*)?\n)*", "", settings_file.read_text(), flags=re.M)
    lines = "".join(f"  - {json.dumps(each)}\n" for each in parties)
    settings_file.write_text(f"{kept.rstrip()}\nrelying_party_trusts:\n{lines}")


def set_setting(settings_file, key, value):
    """Sets one key of the settings file, in the place it has or at the end."""
    lines = [line for line in settings_file.read_text().splitlines() if not line.startswith(f"{key}:")]
    settings_file.write_text("\n".join([*lines, f"{key}: {value}", ""]))
