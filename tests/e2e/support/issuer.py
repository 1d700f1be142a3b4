"""An OpenID Connect issuer: serves its configuration and its keys by TLS, and signs tokens."""
import base64
import hashlib
import hmac
import http.server
import json
import ssl
import threading
import time

import pytest

from cairn_node import certificate

pytest.importorskip("cryptography")
from cryptography.hazmat.primitives import hashes, serialization  # noqa: E402
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa  # noqa: E402
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature  # noqa: E402


def base64url(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def number(value, size=None):
    return base64url(value.to_bytes(size or (value.bit_length() + 7) // 8, "big"))


class Key:
    """RS256, PS256 or ES256."""

    def __init__(self, kid, algorithm="RS256"):
        self.kid, self.algorithm = kid, algorithm
        self.private = ec.generate_private_key(ec.SECP256R1()) if algorithm == "ES256" else rsa.generate_private_key(65537, 2048)

    def public(self):
        numbers = self.private.public_key().public_numbers()
        own = {"kid": self.kid, "use": "sig", "alg": self.algorithm}
        if self.algorithm == "ES256":
            return own | {"kty": "EC", "crv": "P-256", "x": number(numbers.x, 32), "y": number(numbers.y, 32)}
        return own | {"kty": "RSA", "n": number(numbers.n), "e": number(numbers.e)}

    def pem(self):
        return self.private.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)

    def sign(self, text):
        if self.algorithm == "ES256":
            r, s = decode_dss_signature(self.private.sign(text, ec.ECDSA(hashes.SHA256())))
            return r.to_bytes(32, "big") + s.to_bytes(32, "big")
        pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
        return self.private.sign(text, pss if self.algorithm == "PS256" else padding.PKCS1v15(), hashes.SHA256())


def token_of(header, claims, sign):
    text = f"{base64url(json.dumps(header).encode())}.{base64url(json.dumps(claims).encode())}"
    return f"{text}.{base64url(sign(text.encode()))}"


class Issuer:
    def __init__(self, folder):
        self.certificate, key = certificate(folder, "issuer")
        self.keys = [Key("one")]
        self.requests, self.down = [], False
        issuer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                issuer.requests.append(self.path)
                documents = {"/team/.well-known/openid-configuration": {"issuer": issuer.url, "jwks_uri": f"{issuer.url}/keys"},
                             "/team/keys": {"keys": [key.public() for key in issuer.keys]}}
                body = json.dumps(documents.get(self.path, {})).encode()
                self.send_response(503 if issuer.down else 200 if self.path in documents else 404)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, key)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = f"https://127.0.0.1:{self.server.server_port}/team"
        self.name = self.url.removeprefix("https://")
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def settings(self, audience="cairn"):
        """An entry of auth.oidc."""
        return {"issuer": self.url, "audiences": [audience], "ca_file": str(self.certificate)}

    def fetches(self):
        return self.requests.count("/team/keys")

    def claims(self, **more):
        now = int(time.time())
        return {"iss": self.url, "sub": "repo:team/app", "aud": "cairn", "iat": now, "exp": now + 300} | more

    def token(self, key=None, header=None, **claims):
        key = key or self.keys[0]
        return token_of({"alg": key.algorithm, "kid": key.kid, "typ": "JWT"} | (header or {}), self.claims(**claims), key.sign)

    def unsigned(self):
        return token_of({"alg": "none"}, self.claims(), lambda _: b"")

    def confused(self):
        """Signed with the public key as if it were a secret."""
        key = self.keys[0]
        return token_of({"alg": "HS256", "kid": key.kid}, self.claims(), lambda text: hmac.new(key.pem(), text, hashlib.sha256).digest())

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
