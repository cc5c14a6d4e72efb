"""Every secret the tests came across, and every place where none of them may be found (G2).

Whoever starts a server or talks to one notes here what it learned; test_secrets.py looks at the
end. Kept in one object for the whole run, since it is about the whole run.
"""
import hashlib
import re
from pathlib import Path


class Ledger:
    def __init__(self):
        self.secrets = {}  # bytes -> what it is
        self.logs = set()  # files whose every byte is searched
        self.labs = set()  # folders of labs
        self.pages = []  # (address, body) of every page that is not a token page
        self.searched = {}  # what was searched before -> what was found: labs are copies of each other

    def note_secret(self, kind, value):
        value = value if isinstance(value, bytes) else value.encode()
        if len(value) >= 8:  # shorter ones would be found by accident
            self.secrets[value] = kind

    def note_private_keys(self, folder):
        """A line from the middle of each key is enough to know it by."""
        for path in Path(folder).rglob("*.key"):
            lines = [line for line in path.read_bytes().split() if re.fullmatch(rb"[A-Za-z0-9+/=]{60,}", line)]
            if lines:
                self.note_secret(f"private key {path.name}", lines[len(lines) // 2])

    def found_in(self, data):
        key = hashlib.sha256(data).digest(), len(self.secrets)
        if key not in self.searched:
            self.searched[key] = [kind for secret, kind in self.secrets.items() if secret in data]
        return self.searched[key]


ledger = Ledger()
