"""A relying party in a few lines, which believes every token: whoever brought one is signed in until their
browser asks it, with the cookie, to clean up. Each listens under an address of its own, over TLS.
"""
import ssl
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlencode, urlsplit

from support.sign_in import request_for

CLEAN_UP = "wa=wsignoutcleanup1.0"
PAGE = '<!DOCTYPE html><title>{0}</title><p id="application">{0}</p>'


class PatientServer(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """A browser that closes a connection is none."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class Application:
    """A context. `heard` is, for each time it was asked to clean up, whether somebody's cookie came along."""

    def __init__(self, name, identity, sign_in_at, host="localhost", answers=True):
        self.name, self.realm, self.heard = name, f"urn:test:{name}", []
        self.sign_in_at, self.answers, self.over = sign_in_at, answers, threading.Event()
        self.server = PatientServer(("127.0.0.1", 0), handler_of(self))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(identity.chain, identity.key)
        # a browser may connect before it needs to: nobody waits for its handshake
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        port = self.server.server_address[1]
        self.address = f"https://{host}:{port}/app/"
        self.signed_in = f"application{port}=somebody"  # the cookie: it is the host's, whatever the port

    def __enter__(self):
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,))
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def cookie(self, seconds):
        return {"Set-Cookie": f"{self.signed_in}; Path=/app; Max-Age={seconds}; Secure; HttpOnly; SameSite=None"}

    def answer_get(self, query, known):
        """Status, headers and the words of the page."""
        if query == CLEAN_UP:
            self.heard.append(known)
            self.over.wait(0 if self.answers else 60)
            return 200, self.cookie(0), "Bye"
        if query == "bye" or known:
            return 200, {}, "Back again" if query else f"Signed in at {self.name}"
        return 302, {"Location": f"{self.sign_in_at}?{urlencode(request_for(self.realm))}"}, ""

    def answer_post(self, form):
        if "wresult=" not in form:
            return 400, {}, "No token"
        return 303, {**self.cookie(600), "Location": self.address}, ""


def handler_of(application):
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            known = application.signed_in in self.headers.get("Cookie", "")
            self.answer(*application.answer_get(urlsplit(self.path).query, known))

        def do_POST(self):
            form = self.rfile.read(int(self.headers["Content-Length"]))
            self.answer(*application.answer_post(form.decode("ascii")))

        def answer(self, status, headers, words):
            self.send_response(status)
            for name, value in {"Content-Type": "text/html", "Cache-Control": "no-store", **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(PAGE.format(words).encode())

        def log_message(self, *_):
            pass

    return Handler
