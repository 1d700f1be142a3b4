"""Requests of the console about objects, through the admin port: whose rights they have, what browsers get, what is refused."""
import hashlib
import http.client
import json
import re
import socket
import ssl
import urllib.parse

import pytest

from browser import KEY, SECRET, SIGNED_ONLY, Client
from cairn_node import MIB, certificate, eventually, in_threads
from rights import key_with
from signing import call
from usage import lines_of

ROOT = (KEY, SECRET)
PAGE = b"<!doctype html><script>document.title = 'owned'</script>"


class Browser(Client):
    """A signed-in page that asks about objects."""

    def __init__(self, node, key=KEY, secret=SECRET):
        super().__init__(node)
        assert self.sign_in(key, secret) == 200

    def headers_of(self, method, given):
        sent = {"Cookie": self.cookie, "Sec-Fetch-Site": "same-origin"}
        if method not in ("GET", "HEAD"):
            sent |= {"Origin": self.origin, "Cairn-CSRF": self.csrf}
        sent |= {k.replace("_", "-"): v for k, v in given.items()}
        return {k: v for k, v in sent.items() if v is not None}

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.node.admin_port, timeout=40)

    def objects(self, method, bucket, query=None, body=None, **headers):
        path = f"/v1/s3/{bucket}?" + urllib.parse.urlencode(query or {})
        c = self.connect()
        try:
            c.request(method, path, body=body, headers=self.headers_of(method, headers))
            r = c.getresponse()
            self.headers = r.headers
            return r.status, r.read()
        finally:
            c.close()

    def object(self, method, key, body=None, bucket="papers", **headers):
        return self.objects(method, bucket, {"key": key}, body, **headers)


@pytest.fixture
def node(start_node):
    made = start_node(**SIGNED_ONLY)
    assert call(made, "PUT", "/papers", key=ROOT).status == 200
    return made


def new_key(node, *rights):
    return key_with(node, "papers", *rights)


def test_an_object_goes_up_and_down(node):
    browser = Browser(node)
    body = hashlib.sha256(b"seed").digest() * (MIB // 2)  # 16 MiB
    status, answer = browser.object("PUT", "a/b c", body, Content_Type="text/plain")
    assert status == 200, answer
    assert call(node, "GET", "/papers/a/b%20c", key=ROOT).body == body
    status, found = browser.object("GET", "a/b c")
    assert status == 200 and found == body
    assert browser.object("HEAD", "a/b c")[0] == 200
    assert browser.headers["Content-Type"] == "text/plain" and browser.headers["Content-Length"] == str(len(body))
    status, listed = browser.objects("GET", "papers", {"list-type": "2", "prefix": "", "delimiter": "/"})
    assert status == 200 and b"<Prefix>a/</Prefix>" in listed
    assert browser.object("DELETE", "a/b c")[0] == 204
    assert call(node, "GET", "/papers/a/b%20c", key=ROOT).status == 404


def test_a_download_resumes(node):
    browser = Browser(node)
    body = bytes(range(256)) * 4096
    assert browser.object("PUT", "k", body)[0] == 200
    assert browser.object("GET", "k")[0] == 200
    assert browser.headers["Accept-Ranges"] == "bytes"
    etag = browser.headers["ETag"]
    status, rest = browser.object("GET", "k", Range="bytes=1000-", If_Range=etag)
    assert status == 206 and rest == body[1000:]
    assert browser.object("PUT", "k", b"another")[0] == 200
    status, whole = browser.object("GET", "k", Range="bytes=1000-", If_Range=etag)
    assert status == 200 and whole == b"another"


def test_each_session_has_the_rights_of_its_key(node):
    assert call(node, "PUT", "/papers/k", b"text", key=ROOT).status == 200
    reader, writer, stranger = (Browser(node, *new_key(node, *rights)) for rights in (["read"], ["write"], []))
    assert [b.object("GET", "k")[0] for b in (reader, writer, stranger)] == [200, 403, 403]
    assert [b.objects("GET", "papers", {"list-type": "2"})[0] for b in (reader, writer, stranger)] == [200, 403, 403]
    assert [b.object("PUT", "new", b"x")[0] for b in (reader, writer, stranger)] == [403, 200, 403]
    assert [b.objects("PUT", "papers", {"key": "k", "tagging": ""}, b"<Tagging><TagSet/></Tagging>")[0]
            for b in (reader, writer, stranger)] == [403, 200, 403]
    copy = {"x_amz_copy_source": "/papers/k"}
    assert [b.object("PUT", "copy", **copy)[0] for b in (reader, writer, stranger)] == [403, 403, 403]
    assert [b.object("DELETE", "k")[0] for b in (reader, writer, stranger)] == [403, 204, 403]
    for browser, rights in ((reader, "list list_versions read read_tags"), (writer, "write delete write_tags"), (stranger, "")):
        may = browser.done("GET", "/v1/buckets/papers/may?key=k")
        assert [name for name, has in may.items() if has] == rights.split()


def test_the_policy_of_the_bucket_sees_the_address_of_the_browser(node):
    policy = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::papers/open/*",
         "Condition": {"IpAddress": {"aws:SourceIp": "127.0.0.1/32"}}},
        {"Effect": "Deny", "Principal": "*", "Action": "s3:DeleteObject", "Resource": "arn:aws:s3:::papers/kept/*"}]}
    assert call(node, "PUT", "/papers?policy=", json.dumps(policy).encode(), key=ROOT).status == 204
    for key in ("open/a", "kept/a", "a"):
        assert call(node, "PUT", f"/papers/{key}", b"text", key=ROOT).status == 200
    stranger, root = Browser(node, *new_key(node)), Browser(node)
    assert [stranger.object("GET", k)[0] for k in ("open/a", "a")] == [200, 403]
    assert stranger.done("GET", "/v1/buckets/papers/may?key=open/a")["read"]
    assert not stranger.done("GET", "/v1/buckets/papers/may?key=a")["read"]
    assert [root.object("DELETE", k)[0] for k in ("kept/a", "a")] == [403, 204]
    assert not root.done("GET", "/v1/buckets/papers/may?key=kept/a")["delete"]


def test_a_user_may_do_what_its_policies_say(node):
    from identities import allow, iam_of, user_with_key
    iam = iam_of(node, ROOT)
    key = user_with_key(iam, "ann")
    browser = Browser(node, *key)
    assert browser.object("PUT", "ann/a", b"text")[0] == 403
    iam.put_user_policy(UserName="ann", PolicyName="own", PolicyDocument=allow(["s3:PutObject", "s3:GetObject"], "arn:aws:s3:::papers/${aws:username}/*"))
    assert browser.object("PUT", "ann/a", b"text")[0] == 200
    assert browser.object("GET", "ann/a") == (200, b"text")
    assert [browser.object(*one)[0] for one in (("DELETE", "ann/a"), ("PUT", "bob/a", b"x"), ("GET", "bob/a"))] == [403, 403, 403]
    for about, rights in (("ann/", ["read", "write"]), ("bob/", []), ("", [])):
        may = browser.done("GET", "/v1/buckets/papers/may?key=" + about)
        assert [name for name, has in may.items() if has] == rights, about
    iam.update_access_key(UserName="ann", AccessKeyId=key[0], Status="Inactive")
    assert browser.object("GET", "ann/a")[0] in (401, 403)


def test_the_admin_token_has_no_rights_on_objects(node):
    assert call(node, "PUT", "/papers/k", b"text", key=ROOT).status == 200
    client = Client(node)
    assert client.ask("GET", "/v1/s3/papers?key=k", Cairn_Token=node.admin_token())[0] == 401
    status, answer = client.ask("POST", "/v1/session", Cairn_Token=node.admin_token())
    assert status == 200
    client.cookie, client.csrf = client.headers["Set-Cookie"].split(";")[0], answer["csrf"]
    for method, path in (("GET", "/v1/s3/papers?key=k"), ("DELETE", "/v1/s3/papers?key=k"), ("GET", "/v1/buckets/papers/may"),
                         ("POST", "/v1/buckets/papers/links?key=k&seconds=60")):
        status, answer = client.ask(method, path)
        assert status == 403 and "sign in with an access key" in answer["message"], (method, path)
    assert call(node, "GET", "/papers/k", key=ROOT).status == 200


def test_pages_of_others_can_do_nothing(node):
    assert call(node, "PUT", "/papers/k", b"text", key=ROOT).status == 200
    browser = Browser(node)
    forged = [{"Cairn_CSRF": None}, {"Cairn_CSRF": "x"}, {"Origin": None}, {"Origin": f"http://127.0.0.1:{node.http_port}"},
              {"Origin": "https://elsewhere.example"}, {"Origin": "null"}]
    for headers in forged:
        for method, key in (("PUT", "forged"), ("DELETE", "k")):
            assert browser.object(method, key, b"" if method == "PUT" else None, **headers)[0] == 403, headers
        assert browser.objects("POST", "papers", {"delete": ""}, b"<Delete/>", **headers)[0] == 403, headers
        assert browser.objects("POST", "papers", {"key": "forged", "uploads": ""}, **headers)[0] == 403, headers
    for site in ("cross-site", "same-site"):
        for method in ("GET", "DELETE"):
            assert browser.object(method, "k", Sec_Fetch_Site=site)[0] == 401, site
    assert browser.object("GET", "k", Host="elsewhere.example")[0] == 403, "DNS rebinding"
    assert browser.object("GET", "k", Cookie=None)[0] == 401
    assert browser.object("OPTIONS", "k", Origin="https://elsewhere.example")[0] in (400, 401, 403)
    found = call(node, "GET", "/papers?list-type=2", key=ROOT).body
    assert re.findall(rb"<Key>(.*?)</Key>", found) == [b"k"]


def test_no_answer_runs_in_a_browser(node):
    cors = b"<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod></CORSRule></CORSConfiguration>"
    assert call(node, "PUT", "/papers?cors=", cors, key=ROOT).status == 200
    stored = {"Content_Type": "text/html", "Content_Disposition": "inline", "Cache_Control": "public", "Content_Encoding": "gzip"}
    assert call(node, "PUT", "/papers/page.html", PAGE, key=ROOT, **stored).status == 200
    browser = Browser(node)
    answers = {("GET", "page.html", ""): 200, ("HEAD", "page.html", ""): 200, ("GET", "absent", ""): 404,
               ("GET", "page.html", "bytes=0-9"): 206, ("GET", "page.html", "bytes=999-"): 416,
               ("GET", "page.html", "bytes=0-1,4-5"): 206}
    for (method, key, wanted), expected in answers.items():
        assert browser.object(method, key, Origin="https://elsewhere.example", Range=wanted or None)[0] == 401
        status, _ = browser.object(method, key, Origin=browser.origin, Range=wanted or None)
        assert status == expected, (method, key, wanted)
        for name, value in (("Content-Security-Policy", "default-src 'none'; sandbox"), ("X-Content-Type-Options", "nosniff"),
                            ("X-Frame-Options", "DENY"), ("Cross-Origin-Resource-Policy", "same-origin")):
            assert browser.headers[name].startswith(value), (method, key, name)
        assert not [n for n in browser.headers if n.lower().startswith("access-control-")]
        assert "text/html" not in browser.headers["Content-Type"] or method == "HEAD"
    assert browser.object("GET", "page.html") == (200, PAGE)
    for name, value in (("Content-Type", "application/octet-stream"), ("Content-Disposition", "attachment; filename*=UTF-8''page.html"),
                        ("Cache-Control", "no-store"), ("Content-Encoding", "identity")):
        assert browser.headers.get_all(name) == [value]
    assert browser.objects("GET", "papers", {"list-type": "2"})[0] == 200
    assert "sandbox" in browser.headers["Content-Security-Policy"]
    status, refused = browser.objects("GET", "papers", {"key": "page.html", "response-content-type": "text/html"})
    assert status == 400 and b"response-content-type" in refused


def test_only_the_offered_operations_pass(node):
    browser = Browser(node)
    assert call(node, "PUT", "/papers/k", b"text", key=ROOT).status == 200
    refused = [("DELETE", "papers", {}), ("PUT", "other", {}), ("PUT", "papers", {"policy": ""}), ("GET", "papers", {"policy": ""}),
               ("PUT", "papers", {"versioning": ""}), ("GET", "papers", {"key": "k", "acl": ""}), ("POST", "papers", {}),
               ("GET", "papers", {"key": "k", "X-Amz-Signature": "x"}), ("DELETE", "papers", {"key": ""})]
    for method, bucket, query in refused:
        status, answer = browser.objects(method, bucket, query, b"" if method in ("PUT", "POST") else None)
        assert status == 400 and json.loads(answer)["code"] == "invalid_argument", (method, query)
    for path in ("/v1/s3/", "/v1/s3/papers/k", "/v1/s3"):
        assert browser.ask("GET", path)[0] == 404, path
    assert call(node, "GET", "/papers/k", key=ROOT).status == 200


ODD = ["<img src=x onerror=alert(1)>\"'&", "a/../../papers/b", "../x", ".", "/slash", "a//b", "line\r\nX: y", "\u202egpj.exe", "%2e%2e/%00",
       "k?versionId=x&delete", "+ +", "ü" * 512, "\x01\x1f\x7f"]


def test_every_key_is_one_object(node):
    browser = Browser(node)
    for key in ODD:
        assert browser.object("PUT", key, key.encode())[0] == 200, key
        assert browser.object("GET", key) == (200, key.encode()), key
        quoted = urllib.parse.quote(key, safe="")
        assert call(node, "GET", f"/papers/{quoted}", key=ROOT).body == key.encode(), key
        source = {"x_amz_copy_source": f"/papers/{quoted}"}
        assert browser.object("PUT", "copy", **source)[0] == 200, key
        assert call(node, "GET", "/papers/copy", key=ROOT).body == key.encode(), key
    assert browser.object("DELETE", "copy")[0] == 204
    listed = call(node, "GET", "/papers?list-type=2&encoding-type=url", key=ROOT).body.decode()
    assert sorted(urllib.parse.unquote(k) for k in re.findall("<Key>(.*?)</Key>", listed)) == sorted(ODD)


def raw(node, text, wait=5):
    """All that comes back until the node closes."""
    with socket.create_connection(("127.0.0.1", node.admin_port), timeout=wait) as s:
        s.sendall(text)
        s.shutdown(socket.SHUT_WR)
        out = b""
        while part := s.recv(65536):
            out += part
        return out


def test_a_connection_carries_one_request(node):
    browser = Browser(node)
    assert call(node, "PUT", "/papers/k", b"text", key=ROOT).status == 200

    def head(method, path, *more):
        lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{node.admin_port}", f"Cookie: {browser.cookie}",
                 f"Origin: {browser.origin}", f"Cairn-CSRF: {browser.csrf}", *more]
        return "\r\n".join(lines).encode() + b"\r\n\r\n"
    get, smuggled = head("GET", "/v1/s3/papers?key=k"), b"GET /papers/k HTTP/1.1\r\nHost: x\r\n\r\n"
    answer = raw(node, get + get)
    assert answer.count(b"HTTP/1.1 ") == 1 and answer.startswith(b"HTTP/1.1 200") and answer.endswith(b"\r\n\r\ntext")
    answer = raw(node, head("PUT", "/v1/s3/papers?key=new", "Content-Length: 3") + b"abc" + smuggled)
    assert answer.count(b"HTTP/1.1 ") == 1 and answer.startswith(b"HTTP/1.1 200")
    assert call(node, "GET", "/papers/new", key=ROOT).body == b"abc"
    for framing in (["Transfer-Encoding: chunked"], ["Transfer-Encoding: chunked", "Content-Length: 3"],
                    ["Content-Length: 3", "Content-Length: 4"], ["Content-Length: 3, 3"]):
        answer = raw(node, head("PUT", "/v1/s3/papers?key=smuggled", *framing) + b"3\r\nabc\r\n0\r\n\r\n" + smuggled)
        assert answer.count(b"HTTP/1.1 ") == 1 and answer.startswith(b"HTTP/1.1 400"), (framing, answer)
    assert call(node, "GET", "/papers/smuggled", key=ROOT).status == 404
    answer = raw(node, head("GET", "/v1/s3/papers?key=k", "Connection: keep-alive", "Keep-Alive: timeout=60"))
    assert b"\r\nConnection: close\r\n" in answer


def test_the_session_of_a_deleted_key_ends(node):
    key, secret = new_key(node, "read")
    assert call(node, "PUT", "/papers/k", b"text", key=ROOT).status == 200
    browser = Browser(node, key, secret)
    assert browser.object("GET", "k")[0] == 200
    assert Client.ask(browser, "DELETE", f"/v1/keys/{key}", Cairn_Token=node.admin_token(), Cookie=None)[0] == 200
    assert browser.object("GET", "k")[0] == 401
    other = Browser(node)
    assert other.done("DELETE", "/v1/session")
    assert other.object("GET", "k")[0] == 401, "signed out"


def test_the_audit_log_has_the_key_and_the_address(start_node, tmp_path):
    log = tmp_path / "audit.log"
    node = start_node(**SIGNED_ONLY, audit_file=str(log))
    assert call(node, "PUT", "/papers", key=ROOT).status == 200
    browser = Browser(node)
    assert browser.object("PUT", "k", b"text")[0] == 200
    assert browser.ask("POST", "/v1/buckets/papers/links?key=k&seconds=60")[0] == 200
    lines = eventually(lambda: [e for e in lines_of(log) if e["operation"] in ("put_object", "shareObject")][1:] and lines_of(log), what="the lines")
    put = next(e for e in lines if e["operation"] == "put_object")
    assert (put["port"], put["address"], put["access_key"], put["key"]) == ("s3", "127.0.0.1", KEY, "k")
    share = next(e for e in lines if e["operation"] == "shareObject")
    assert (share["port"], share["subject"]) == ("admin", "papers")
    assert "X-Amz-Signature" not in log.read_text()


def test_a_link_reads_until_it_ends(node):
    assert call(node, "PUT", "/papers/a%20b", b"text", key=ROOT).status == 200
    browser = Browser(node)

    def link(**query):
        return browser.done("POST", "/v1/buckets/papers/links?" + urllib.parse.urlencode({"key": "a b", "seconds": 60} | query))["url"]
    url = link()
    begin = f"http://127.0.0.1:{node.http_port}"
    assert url.startswith(begin + "/papers/a%20b?")
    path = url.removeprefix(begin)
    assert node.get(path).body == b"text"
    assert node.put(path, b"x").status == 403 and node.delete(path).status == 403
    assert node.get(path.replace("a%20b", "other")).status == 403
    assert node.get(link(endpoint=f"http://localhost:{node.http_port}").split(str(node.http_port), 1)[1],
                    Host=f"localhost:{node.http_port}").status == 200
    short = link(seconds=1).removeprefix(begin)
    eventually(lambda: node.get(short).status == 403, what="it ends")
    for wrong in ({"seconds": 0}, {"seconds": 604801}, {"endpoint": "javascript:alert(1)"}, {"key": ""}, {"version": "x"}):
        query = urllib.parse.urlencode({"key": "a b", "seconds": 60} | wrong)
        assert browser.ask("POST", "/v1/buckets/papers/links?" + query)[0] == 400, wrong
    assert browser.ask("POST", "/v1/buckets/papers/links?key=k&seconds=60", Cairn_CSRF="x")[0] == 403
    stranger = Browser(node, *new_key(node))
    made = stranger.done("POST", "/v1/buckets/papers/links?key=a+b&seconds=60")["url"]
    assert node.get(made.removeprefix(begin)).status == 403, "a link has no more rights than its key"


def test_downloads_do_not_use_up_the_admin_port(node):
    body = b"0123456789abcdef" * (4 * MIB // 16)
    assert call(node, "PUT", "/papers/large", body, key=ROOT).status == 200
    browser = Browser(node)
    slow = []
    try:
        for _ in range(80):  # more than the admin port's connections
            c = browser.connect()
            c.request("GET", "/v1/s3/papers?key=large", headers=browser.headers_of("GET", {}))
            slow.append(c)
        answers = [c.getresponse() for c in slow]
        assert [a.status for a in answers] == [200] * len(slow)
        assert node.admin("/health/ready").status == 200
        in_threads(4, lambda i: [a.read() for a in answers[i::4]])
    finally:
        for c in slow:
            c.close()


def test_a_node_stops_while_the_console_downloads(start_node):
    node = start_node(**SIGNED_ONLY, node_stop_timeout="2s")
    assert call(node, "PUT", "/papers", key=ROOT).status == 200
    assert call(node, "PUT", "/papers/large", bytes(32 * MIB), key=ROOT).status == 200
    browser = Browser(node)
    c = browser.connect()
    c.request("GET", "/v1/s3/papers?key=large", headers=browser.headers_of("GET", {}))
    assert c.getresponse().read(1000)
    node.stop()
    c.close()


def test_objects_pass_through_tls(start_node, tmp_path):
    cert, key = certificate(tmp_path, "admin")
    node = start_node(wait=False, **SIGNED_ONLY)
    node.kill()
    node.config.write_text(node.config.read_text() + f'\n[admin.tls]\ncert = "{cert}"\nkey = "{key}"\n')
    node.spawn()
    trust = ssl.create_default_context(cafile=cert)

    class Secure(Browser):
        def connect(self):
            return http.client.HTTPSConnection("127.0.0.1", node.admin_port, timeout=40, context=trust)

        def ask(self, method, path, **headers):
            self.origin = f"https://{self.host}"
            sent = {"Origin": self.origin, "Cookie": self.cookie, "Cairn-CSRF": self.csrf} | {k.replace("_", "-"): v for k, v in headers.items()}
            c = self.connect()
            c.request(method, path, headers={k: v for k, v in sent.items() if v is not None})
            r = c.getresponse()
            self.headers, body = r.headers, r.read()
            c.close()
            return r.status, json.loads(body)

    def ready():
        try:
            c = http.client.HTTPSConnection("127.0.0.1", node.admin_port, timeout=5, context=trust)
            c.request("GET", "/health/ready")
            return c.getresponse().status == 200
        except OSError:
            return False
    eventually(ready, 20, what="ready")
    assert call(node, "PUT", "/papers", key=ROOT).status == 200
    browser = Secure(node)
    body = hashlib.sha256(b"tls").digest() * (MIB // 4)
    assert browser.object("PUT", "k", body)[0] == 200
    assert browser.object("GET", "k") == (200, body)
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::papers/*",
                                                      "Condition": {"Bool": {"aws:SecureTransport": "false"}}}]}
    assert call(node, "PUT", "/papers?policy=", json.dumps(policy).encode(), key=ROOT).status == 204
    assert browser.object("GET", "k")[0] == 200, "it came by TLS"
    assert call(node, "GET", "/papers/k", key=ROOT).status == 403
