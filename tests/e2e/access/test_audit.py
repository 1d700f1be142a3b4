"""The audit log: a line for each change, before its answer; what happens when its file cannot be written."""
import base64
import http.client
import json
import os
import re
import signal
import threading
import urllib.parse

import pytest

from cairn_node import Node, eventually
from disk_faults import Ballast, small_file_system
from rights import GUARDED, TOKEN, command, key_with
from signing import ACCESS, SECRET, Signer, call, content_md5, sha256
from usage import VERSIONED, lines_of


def node_at(folder, **settings):
    folder.mkdir(parents=True, exist_ok=True)
    wanted = GUARDED | dict(audit_file=str(folder / "audit.log"))
    return Node(folder, **{**wanted, **settings}).start()


@pytest.fixture(scope="module")
def audited(tmp_path_factory):
    n = node_at(tmp_path_factory.mktemp("audited") / "n")
    yield n
    n.stop()


def audit_file(node):
    return node.settings["audit.file"]


class since:
    """The lines that are written within the block; they are there when the answers are."""

    def __init__(self, node):
        self.node = node

    def __enter__(self):
        self.before = len(lines_of(audit_file(self.node)))
        return self

    def __exit__(self, *_):
        self.lines = lines_of(audit_file(self.node))[self.before:]
        self.short = [(line["operation"], line.get("key"), line["status"]) for line in self.lines]


def test_each_change_has_its_line_and_no_read_has(audited):
    n = audited
    with since(n) as log:
        answer = call(n, "PUT", "/first")
        assert answer.status == 200
        call(n, "PUT", "/first/a/b", b"data")
        call(n, "GET", "/first/a/b")
        call(n, "HEAD", "/first/a/b")
        call(n, "GET", "/first?list-type=2")
        call(n, "PUT", "/first/copy", x_amz_copy_source="/first/a%2Fb")
        call(n, "PUT", "/first?tagging", b"<Tagging><TagSet><Tag><Key>k</Key><Value>v</Value></Tag></TagSet></Tagging>")
        call(n, "DELETE", "/first/copy")
        call(n, "DELETE", "/first")
    assert log.short == [("create_bucket", None, 200), ("put_object", "a/b", 200), ("copy_object", "copy", 200),
                         ("write_setting", None, 204), ("delete_object", "copy", 204),
                         ("delete_bucket", None, 409)]
    made = log.lines[0]
    assert made["request"] == answer.header("x-amz-request-id")
    assert (made["who"], made["access_key"], made["signature"]) == ("root", ACCESS, "header")
    assert (made["address"], made["allowed_by"], made["bucket"], made["port"]) == ("127.0.0.1", "root", "first", "s3")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", made["time"])
    assert log.lines[1]["action"] == "s3:PutObject"
    assert log.lines[2]["source"] == "/first/a%2Fb"
    assert log.lines[3]["action"] == "s3:PutBucketTagging"
    assert log.lines[5]["error"] == "BucketNotEmpty"


def test_it_says_who_was_refused_and_what_let_others_in(audited):
    n = audited
    call(n, "PUT", "/rights", x_amz_object_ownership="ObjectWriter")
    writer, stranger = key_with(n, "rights", "write"), key_with(n, "rights")
    statements = [{"Sid": "Team", "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam:::user/{stranger[0]}"},
                   "Action": "s3:PutObject", "Resource": "arn:aws:s3:::rights/team/*"},
                  {"Sid": "Never", "Effect": "Deny", "Principal": "*", "Action": "s3:DeleteObject", "Resource": "arn:aws:s3:::rights/*"}]
    with since(n) as log:
        assert call(n, "PUT", "/rights/k", b"x", writer).status == 200
        assert call(n, "PUT", "/rights/k", b"x", stranger).status == 403
        assert call(n, "PUT", "/rights/k", b"x", None).status == 403
        assert call(n, "PUT", "/rights/k", b"x", (writer[0], "another-secret")).status == 403
        assert call(n, "PUT", "/rights/k", b"x", ("CK" + "A" * 18, "another-secret")).status == 403
    assert [(line["who"], line.get("access_key"), line["status"], line.get("error"), line.get("allowed_by")) for line in log.lines] == [
        ("key", writer[0], 200, None, "grant"),
        ("key", stranger[0], 403, "AccessDenied", None),
        ("anonymous", None, 403, "AccessDenied", None),
        ("unverified", writer[0], 403, "SignatureDoesNotMatch", None),
        ("unverified", "CK" + "A" * 18, 403, "InvalidAccessKeyId", None)]
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements}).encode()
    assert call(n, "PUT", "/rights?policy", policy).status == 204
    with since(n) as log:
        assert call(n, "PUT", "/rights/team/k", b"x", stranger).status == 200
        assert call(n, "DELETE", "/rights/k", b"", writer).status == 403
    assert (log.lines[0]["allowed_by"], log.lines[0]["statement"]) == ("policy", "statement 1 (`Team`)")
    assert (log.lines[1]["statement"], log.lines[1].get("allowed_by")) == ("statement 2 (`Never`)", None)


def test_versions_parts_and_each_entry_of_a_multi_delete(audited):
    n = audited
    call(n, "PUT", "/versions")
    call(n, "PUT", "/versions?versioning", VERSIONED)
    with since(n) as log:
        first = call(n, "PUT", "/versions/k", b"1").header("x-amz-version-id")
        marker = call(n, "DELETE", "/versions/k").header("x-amz-version-id")
        call(n, "DELETE", f"/versions/k?versionId={first}")
        begun = call(n, "POST", "/versions/big?uploads")
        upload = re.search(rb"<UploadId>(.*?)</UploadId>", begun.body).group(1).decode()
        part = call(n, "PUT", f"/versions/big?partNumber=1&uploadId={upload}", b"part").header("etag")
        body = f"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{part}</ETag></Part></CompleteMultipartUpload>".encode()
        whole = call(n, "POST", f"/versions/big?uploadId={upload}", body).header("x-amz-version-id")
        body = f"<Delete><Object><Key>k</Key><VersionId>{marker}</VersionId></Object><Object><Key>big</Key></Object>" \
               "<Object><Key>big</Key><ETag>other</ETag></Object></Delete>".encode()
        removed = call(n, "POST", "/versions?delete", body, **content_md5(body))
        assert removed.status == 200, removed
    versions = [line.get("version") for line in log.lines]
    assert versions[:3] == [first, marker, first]
    assert log.lines[2]["action"] == "s3:DeleteObjectVersion"
    assert (log.lines[4]["part"], log.lines[4]["upload"]) == ("1", upload)
    assert (log.lines[5]["operation"], log.lines[5]["version"]) == ("complete_upload", whole)
    entries = log.lines[6:]
    assert [(e["key"], e["status"], e.get("error")) for e in entries] == [
        ("k", 204, None), ("big", 204, None), ("big", 412, "PreconditionFailed")]
    assert entries[0]["version"] == marker and len(entries[1]["version"]) > 10
    assert len({e["request"] for e in entries}) == 1


def test_no_name_forges_a_line(audited):
    n = audited
    call(n, "PUT", "/names")
    hostile = 'x"}\n{"who":"root","status":200}\r\n\x1b[2J‮ä'
    with since(n) as log:
        answer = call(n, "PUT", "/names/" + urllib.parse.quote(hostile), b"x")
    assert len(log.lines) == 1
    if answer.status == 200:
        assert log.lines[0]["key"] == hostile
    raw = open(audit_file(n), "rb").read()
    assert b"\x1b" not in raw and "‮".encode() not in raw


def test_commands_of_the_admin_port_have_lines_and_no_secrets(audited):
    n = audited
    call(n, "PUT", "/admin")
    with since(n) as log:
        key = json.loads(command(n, "key", "create", "--json", "--label", 'for "the" team').stdout)
        assert command(n, "key", "allow", key["access_key"], "admin", "--read").returncode == 0
        assert command(n, "key", "list").returncode == 0
        assert command(n, "key", "delete", key["access_key"], token="wrong-token-0123456789").returncode != 0
        assert command(n, "key", "delete", "CK" + "B" * 18).returncode != 0
        assert command(n, "key", "delete", key["access_key"]).returncode == 0
    assert [(line["port"], line["operation"], line["who"], line["status"]) for line in log.lines] == [
        ("admin", "createKey", "token", 200), ("admin", "allow", "token", 200), ("admin", "deleteKey", "anonymous", 403),
        ("admin", "deleteKey", "token", 404), ("admin", "deleteKey", "token", 200)]
    assert log.lines[0]["subject"] == key["access_key"]
    assert log.lines[0]["parameters"]["label"] == 'for "the" team'
    assert log.lines[1]["parameters"] == {"bucket": "admin", "rights": "read"}
    assert key["secret_key"] not in open(audit_file(n)).read()
    with since(n) as log:
        credentials = base64.b64encode(f"{ACCESS}:{SECRET}".encode()).decode()
        for sent, status in ((credentials, 200), (base64.b64encode(f"{ACCESS}:wrong".encode()).decode(), 401)):
            connection = http.client.HTTPConnection("127.0.0.1", n.admin_port, timeout=20)
            connection.request("POST", "/v1/session", headers={"Authorization": f"Basic {sent}"})
            answered = connection.getresponse()
            assert answered.status == status, answered.read()
            connection.close()
        eventually(lambda: len(lines_of(audit_file(n))) >= log.before + 2)
    assert [(line["operation"], line["who"], line["access_key"], line["status"]) for line in log.lines] == [
        ("signIn", "root", ACCESS, 200), ("signIn", "unverified", ACCESS, 401)]
    assert SECRET not in open(audit_file(n)).read()


def test_a_parameter_of_the_admin_port_that_comes_twice_takes_no_effect(audited):
    n = audited
    call(n, "PUT", "/twice-one")
    call(n, "PUT", "/twice-two")
    access, _ = key_with(n, "twice-one", "read")
    for method, path in (("POST", f"/keys/command?kind=create&kind=delete&key={access}"),
                         ("POST", f"/keys/command?kind=allow&key={access}&bucket=twice-one&bucket=twice-two&rights=owner"),
                         ("POST", "/cluster/command?kind=repair&kind=holds"),
                         ("PUT", f"/v1/keys/{access}/rights?bucket=twice-one&rights=owner&bucket=twice-two"),
                         ("GET", "/v1/buckets?max=1&max=1000")):
        connection = http.client.HTTPConnection("127.0.0.1", n.admin_port, timeout=20)
        connection.request(method, path, headers={"Cairn-Token": TOKEN})
        answered = connection.getresponse()
        said = answered.read().decode()
        connection.close()
        assert answered.status == 400 and "comes twice" in said, (method, path, answered.status, said)
    keys = json.loads(command(n, "key", "list", "--json").stdout)
    grants = [grant for key in keys if key["access_key"] == access for grant in key["grants"]]
    assert grants == [{"bucket": "twice-one", "read": True, "write": False, "owner": False}]


def test_reads_have_lines_when_they_are_wanted(tmp_path):
    n = node_at(tmp_path / "n", audit_reads=True)
    try:
        call(n, "PUT", "/files")
        call(n, "PUT", "/files/k", b"x" * 200_000)
        before = len(lines_of(audit_file(n)))
        call(n, "GET", "/files/k")
        call(n, "HEAD", "/files/none")
        call(n, "GET", "/files?list-type=2", key=None)
        lines = eventually(lambda: len(lines_of(audit_file(n))) >= before + 3 and lines_of(audit_file(n))[before:])
        # The line of a read comes when its body was sent, and each request has a connection of its own.
        assert sorted((line["operation"], line["status"], line.get("error")) for line in lines) == [
            ("get_object", 200, None), ("head_object", 404, "NoSuchKey"), ("list_objects", 403, "AccessDenied")]
    finally:
        n.stop()


@pytest.mark.parametrize("durable", [False, True])
def test_what_is_acknowledged_is_in_it_after_a_kill(tmp_path, durable):
    n = node_at(tmp_path / "n", audit_durable=durable)
    call(n, "PUT", "/files")
    acknowledged, stop = [[] for _ in range(8)], threading.Event()

    def write(w):
        connection = n.connect()
        for i in range(100_000):
            if stop.is_set():
                return
            path = f"/files/{w}-{i}"
            signed = Signer(access=ACCESS, secret=SECRET).headers("PUT", f"127.0.0.1:{n.http_port}", path, sha256(b"x"))
            try:
                answer = n.request("PUT", path, b"x", signed, connection=connection)
            except (OSError, http.client.HTTPException):
                return
            assert answer.status == 200, answer
            acknowledged[w].append((f"{w}-{i}", answer.header("x-amz-request-id")))

    writers = [threading.Thread(target=write, args=(w,)) for w in range(8)]
    for thread in writers:
        thread.start()
    eventually(lambda: sum(map(len, acknowledged)) > 400, 60)
    n.kill()
    stop.set()
    for thread in writers:
        thread.join()
    raw = open(audit_file(n), "rb").read()
    whole = raw[:raw.rfind(b"\n") + 1]  # what was being written when it was killed is not a line
    known = {(line.get("key"), line["request"]) for line in map(json.loads, whole.decode().splitlines()) if line["status"] == 200}
    missing = [one for of in acknowledged for one in of if one not in known]
    assert missing == []
    with open(audit_file(n), "ab") as torn:
        torn.write(b'{"time":"cut off')
    n.start()
    try:
        call(n, "PUT", "/files/after", b"x")
        last = open(audit_file(n)).read().splitlines()
        assert json.loads(last[-1])["key"] == "after" and last[-2] == '{"time":"cut off'
    finally:
        n.stop()


def test_a_renamed_file_is_left_at_sighup(tmp_path):
    n = node_at(tmp_path / "n")
    try:
        call(n, "PUT", "/files")
        path = audit_file(n)
        os.rename(path, path + ".1")
        call(n, "PUT", "/files/old", b"x")
        n.process.send_signal(signal.SIGHUP)
        eventually(lambda: os.path.exists(path))
        call(n, "PUT", "/files/new", b"x")
        assert [line.get("key") for line in lines_of(path + ".1")] == [None, "old"]
        assert [line.get("key") for line in lines_of(path)] == ["new"]
        assert os.stat(path).st_mode & 0o077 == 0
    finally:
        n.stop()


def test_a_full_disk_refuses_changes_and_loses_no_line(tmp_path):
    with small_file_system(tmp_path / "small", "tmpfs", 4) as small:
        n = node_at(tmp_path / "n", audit_file=str(small / "audit.log"))
        try:
            call(n, "PUT", "/files")
            call(n, "PUT", "/files/before", b"x")
            ballast = Ballast(small)
            ballast.fill()
            answered = {}
            for i in range(200):  # the last page of the file may have room
                answered[f"k{i}"] = call(n, "PUT", f"/files/k{i}", b"x")
                if answered[f"k{i}"].status != 200:
                    break
            refused = answered[f"k{i}"]
            assert (refused.status, refused.code()) == (503, "ServiceUnavailable")
            assert call(n, "DELETE", "/files/before").status == 503
            assert command(n, "key", "create").returncode != 0
            assert call(n, "GET", "/files/before").body == b"x"
            ready = n.admin("/health/ready")
            assert ready.status == 503 and b"audit log" in ready.body
            assert b"cairn_audit_failed 1" in n.admin("/metrics").body
            ballast.remove()
            eventually(lambda: call(n, "PUT", "/files/after", b"x").status == 200)
            assert n.admin("/health/ready").status == 200
            assert b"cairn_audit_failed 0" in n.admin("/metrics").body
            assert call(n, "GET", "/files/before").body == b"x", "nothing was done"
            keys = [line.get("key") for line in lines_of(small / "audit.log")]
            stored = {k.decode() for k in re.findall(rb"<Key>(.*?)</Key>", call(n, "GET", "/files?list-type=2").body)}
            assert stored <= set(keys), "what was carried out is in the log, answered or not"
            assert len(keys) == len(set(keys))
        finally:
            n.stop()


def test_a_node_does_not_start_without_its_audit_log(tmp_path):
    n = Node(tmp_path / "n", audit_file=str(tmp_path / "nowhere" / "audit.log")).spawn()
    assert n.process.wait(20) != 0
    assert "nowhere/audit.log" in n.log()
