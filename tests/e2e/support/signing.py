"""Signature Version 4 by hand, so that tests can sign what no client would: requests, and HTML forms."""
import base64
import hashlib
import hmac
import json
import time
import urllib.parse

ACCESS, SECRET, REGION = "root-access", "root-secret-0123456789", "us-east-1"
EMPTY = hashlib.sha256(b"").hexdigest()


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def content_md5(body):
    """The header, which requests with a document may need."""
    return {"Content-MD5": base64.b64encode(hashlib.md5(body).digest()).decode()}


def stamp(offset=0):
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(time.time() + offset))


def hmac256(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


class Signer:
    def __init__(self, access=ACCESS, secret=SECRET, region=REGION, offset=0):
        self.access, self.region, self.time = access, region, stamp(offset)
        key = ("AWS4" + secret).encode()
        for part in (self.time[:8], region, "s3", "aws4_request"):
            key = hmac256(key, part)
        self.key = key
        self.scope = f"{self.time[:8]}/{region}/s3/aws4_request"
        self.previous = None

    def sign(self, algorithm, *lines):
        return hmac256(self.key, "\n".join([algorithm, self.time, self.scope, *lines])).hex()

    def canonical(self, method, path, headers, payload):
        path, _, query = path.partition("?")
        pairs = sorted((urllib.parse.quote(k, safe=""), urllib.parse.quote(v, safe=""))
                       for k, v in urllib.parse.parse_qsl(query, keep_blank_values=True))
        names = ";".join(sorted(n.lower() for n in headers))
        lines = [f"{n.lower()}:{v}" for n, v in sorted(headers.items(), key=lambda h: h[0].lower())]
        return "\n".join([method, path, "&".join(f"{k}={v}" for k, v in pairs), *lines, "", names, payload]), names

    def headers(self, method, host, path, payload=EMPTY, **more):
        """The headers of a signed request; underscores in names are hyphens."""
        headers = {"Host": host, "x-amz-date": self.time, "x-amz-content-sha256": payload}
        headers.update({k.replace("_", "-"): str(v) for k, v in more.items()})
        canonical, names = self.canonical(method, path, headers, payload)
        self.previous = self.sign("AWS4-HMAC-SHA256", sha256(canonical.encode()))
        headers["Authorization"] = (f"AWS4-HMAC-SHA256 Credential={self.access}/{self.scope}, SignedHeaders={names}, "
                                    f"Signature={self.previous}")
        return headers

    def presigned(self, method, host, path, seconds=60, **query):
        """The path with its signed query."""
        query = {k.replace("_", "-"): v for k, v in query.items()}
        query.update({"X-Amz-Algorithm": "AWS4-HMAC-SHA256", "X-Amz-Credential": f"{self.access}/{self.scope}",
                      "X-Amz-Date": self.time, "X-Amz-Expires": str(seconds), "X-Amz-SignedHeaders": "host"})
        path += "?" + urllib.parse.urlencode(query, quote_via=urllib.parse.quote)
        canonical, _ = self.canonical(method, path, {"Host": host}, "UNSIGNED-PAYLOAD")
        return path + "&X-Amz-Signature=" + self.sign("AWS4-HMAC-SHA256", sha256(canonical.encode()))

    def chunk(self, data, signed=True):
        """One aws-chunk; after headers(), in order."""
        if not signed:
            return b"%x\r\n" % len(data) + data + (b"\r\n" if data else b"")
        self.previous = self.sign("AWS4-HMAC-SHA256-PAYLOAD", self.previous, EMPTY, sha256(data))
        return b"%x;chunk-signature=%s\r\n" % (len(data), self.previous.encode()) + data + (b"\r\n" if data else b"")

    def trailer(self, text):
        """x-amz-trailer-signature of "name:value\\n"…."""
        return self.sign("AWS4-HMAC-SHA256-TRAILER", self.previous, sha256(text.encode()))


ROOT = (ACCESS, SECRET)


def call(node, method, path, body=b"", key=ROOT, **headers):
    """A request that `key` signs; None: nobody."""
    if key is None:
        return node.request(method, path, body or None, {k.replace("_", "-"): v for k, v in headers.items()})
    signed = Signer(*key).headers(method, f"127.0.0.1:{node.http_port}", path, sha256(body), **headers)
    return node.request(method, path, body or None, signed)


def form(fields, content=b"bytes", file_name="a.txt", boundary="boundary-1"):
    parts = "".join(f'--{boundary}\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n' for k, v in fields.items())
    parts += f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{file_name}"\r\n\r\n'
    return parts.encode() + content + f"\r\n--{boundary}--\r\n".encode()


def post(node, bucket, fields, content=b"bytes", file_name="a.txt", **headers):
    headers = {"Content-Type": "multipart/form-data; boundary=boundary-1"} | {k.replace("_", "-"): v for k, v in headers.items()}
    return node.request("POST", f"/{bucket}", form(fields, content, file_name), headers)


def signed(bucket, conditions, fields, key=ROOT, ends=60):
    """The fields with a policy, which covers those of the signature."""
    signer = Signer(access=key[0], secret=key[1])
    own = {"x-amz-algorithm": "AWS4-HMAC-SHA256", "x-amz-credential": f"{key[0]}/{signer.scope}", "x-amz-date": signer.time}
    document = {"expiration": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + ends)),
                "conditions": [{"bucket": bucket}, *conditions, *({k: v} for k, v in own.items())]}
    policy = base64.b64encode(json.dumps(document).encode()).decode()
    return fields | own | {"policy": policy, "x-amz-signature": hmac256(signer.key, policy).hex()}
