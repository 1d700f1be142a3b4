"""`cairn import s3` from one node into another: what arrives, what does not, and what is said about it."""
import base64
import hashlib
import json
import os
import pty
import random
import re
import shutil
import subprocess
import time
import urllib.parse

import pytest

from cairn_node import KIB, MIB, Node, in_threads
from importing import ODD, command, contents, history, put_in_parts, run, same_versions, spawn, versioning


def test_versions_delete_markers_and_headers_arrive_in_their_order(two):
    source, target = two
    source.bucket("vault")
    source.put("/vault/null", b"from before", content_type="text/x")
    versioning(source, "vault", "Enabled")
    for i in range(5):
        digest = base64.b64encode(hashlib.sha256(b"v%d" % i).digest()).decode()
        crc = {"x-amz-checksum-sha256": digest} if i == 3 else {}
        source.request("PUT", "/vault/doc", b"v%d" % i, {"Content-Type": f"text/{i}", "x-amz-meta-Number": str(i), "x-amz-tagging": f"n={i}&%C3%BC=a+b",
                                                         "Cache-Control": "no-cache", "Content-Disposition": "attachment", **crc})
    source.delete("/vault/doc")
    source.put("/vault/doc", b"v1")
    source.put("/vault/null", b"after")
    source.delete("/vault/never-there")
    for key in ODD[:-4]:
        source.put("/vault/" + urllib.parse.quote(key), key.encode(), content_encoding="gzip", x_amz_meta_k="é")
    put_in_parts(source, "/vault/in%20parts", [b"1" * 5 * MIB, b"2" * 6 * MIB, b"3"])
    said = run(target, source, "--bucket", "vault")
    assert "versioning enabled" in said and " 0 differ, 0 only in the target, 0 failed" in said
    assert "the version id null" in said
    same_versions(source, target, "vault")
    assert b"Enabled" in target.get("/vault?versioning").body
    assert "copied 0 objects" in run(target, source, "--bucket", "vault")

    # What came in meanwhile follows; what was deleted for good at the source stays in the target.
    first = history(source, "vault")["doc"][-1][0]
    source.delete(f"/vault/doc?versionId={first}")
    source.put("/vault/doc", b"newest")
    versioning(source, "vault", "Suspended")
    said = run(target, source, "--bucket", "vault")
    assert "copied 1 object (6 B)" in said and "1 version is only in the target" in said
    assert contents(target, "vault")["doc"][:-1] == contents(source, "vault")["doc"]
    assert b"Suspended" in target.get("/vault?versioning").body


def test_three_thousand_small_objects_and_odd_keys(two):
    source, target = two
    source.bucket("many")
    bodies = {f"dir{i % 7}/object-{i:04d}": b"%d" % i * (i % 50) for i in range(3000)} | {k: k.encode() for k in ODD}
    names = sorted(bodies)
    in_threads(4, lambda t: [source.put("/many/" + urllib.parse.quote(k), bodies[k]) for k in names[t::4]])
    assert source.keys("many") == sorted(bodies, key=str.encode)
    began = time.monotonic()
    said = run(target, source, "--bucket", "many=moved", "--json")
    print(f"3,014 objects in {time.monotonic() - began:.1f} s")
    report = json.loads(said)
    assert report["complete"] and report["copied"]["objects"] == len(bodies) and report["same"] == len(bodies)
    assert report["copied"]["unproven"] == 0
    assert contents(target, "moved") == contents(source, "many")
    again = json.loads(run(target, source, "--bucket", "many=moved", "--json"))
    assert again["copied"] == {"objects": 0, "delete_markers": 0, "bytes": 0, "unproven": 0} and again["same"] == len(bodies)


def peak_memory(process):
    peak = 0
    while process.poll() is None:
        try:
            for line in open(f"/proc/{process.pid}/status"):
                if line.startswith("VmHWM:"):
                    peak = max(peak, int(line.split()[1]) * KIB)
        except (FileNotFoundError, ProcessLookupError):
            pass
        time.sleep(0.02)
    return peak


def test_a_large_object_in_parts_keeps_its_etag_and_needs_little_memory(two):
    source, target = two
    source.bucket("large")
    parts = [os.urandom(20 * MIB) for _ in range(5)] + [os.urandom(3 * MIB)]
    etag = put_in_parts(source, "/large/parts", parts)
    source.put("/large/whole", parts[0] * 5)
    process = spawn(target, source, "--bucket", "large", "--jobs", "4")
    peak = peak_memory(process)
    said = process.stdout.read().decode()
    assert process.returncode == 0, said
    print(f"peak memory {peak / MIB:.0f} MiB")
    assert peak < 64 * MIB, f"{peak / MIB:.0f} MiB"
    assert target.head("/large/parts").header("etag") == etag and etag.endswith('-6"')
    assert hashlib.sha256(target.get("/large/parts").body).digest() == hashlib.sha256(b"".join(parts)).digest()
    assert target.head("/large/parts?partNumber=6").header("content-length") == str(3 * MIB)
    assert target.head("/large/parts").header("x-amz-meta-cairn-origin-etag") is None
    same_versions(source, target, "large")


def test_a_source_without_part_numbers_still_gives_the_same_etag(two, between):
    source, target = two
    source.bucket("parts")
    etag = put_in_parts(source, "/parts/usual", [os.urandom(8 * MIB), os.urandom(8 * MIB), b"end"])
    put_in_parts(source, "/parts/unusual", [os.urandom(6 * MIB), os.urandom(11 * MIB), b"end"])
    way = between(source, lambda method, path, number: 501 if "partNumber" in path else None)
    assert "2 without a digest" not in run(target, way.url(), "--bucket", "parts")
    assert target.head("/parts/usual").header("etag") == etag
    assert target.get("/parts/unusual").body == source.get("/parts/unusual").body
    assert "copied 0 objects" in run(target, way.url(), "--bucket", "parts"), "recognized by the ETag of its origin"


def test_where_the_etag_proves_nothing_a_checksum_does(two, between, tmp_path):
    source, target = two
    source.bucket("kms")
    (tmp_path / "large").write_bytes(os.urandom(23 * MIB))
    assert source.cairn("cp", "--part-size", "5MiB", tmp_path / "large", "s3://kms/large").returncode == 0
    source.put("/kms/small", b"x" * 1000)
    etag = source.head("/kms/large").header("etag")
    assert etag.endswith('-5"') and source.head("/kms/large", x_amz_checksum_mode="ENABLED").header("x-amz-checksum-crc64nvme")
    flip, bare = [True], [False]

    def hook(method, path, number):
        if flip[0] and "/large?" in path and "partNumber=3" in path:
            return lambda body: body[:-1] + bytes([body[-1] ^ 1])
        checksum = {"x-amz-checksum-crc64nvme": None} if bare[0] else {}
        return {"x-amz-server-side-encryption": "aws:kms", "content-encoding": "aws-chunked, gzip"} | checksum

    way = between(source, hook)
    assert "the bytes that came do not have the source's checksum" in run(target, way.url(), "--bucket", "kms", status=1)
    assert target.keys("kms") == ["small"]
    flip[0] = False
    said = run(target, way.url(), "--bucket", "kms")
    assert "not carried over: encryption by the server (1 object)" in said and "without a digest" not in said
    assert target.head("/kms/small").header("content-encoding") == "gzip", "the encoding of an upload's transfer is none of the object"
    assert target.get("/kms/large").body == (tmp_path / "large").read_bytes()
    assert target.head("/kms/large").header("x-amz-meta-cairn-origin-etag") == etag.strip('"')
    bare[0] = True
    assert "1 without a digest of the source" in run(target, way.url(), "--bucket", "kms=other")
    assert "copied 0 objects" in run(target, way.url(), "--bucket", "kms=other")


def test_a_source_without_tags_is_asked_once(two, between):
    source, target = two
    source.bucket("files3")
    for i in range(30):
        source.put(f"/files3/k{i}", b"x", x_amz_tagging="a=b")
    asked = []

    def hook(method, path, number):
        if "/k" in path and "tagging" in path:
            asked.append(path)
            return 501

    said = run(target, between(source, hook).url(), "--bucket", "files3", "--jobs", "1")
    assert len(asked) == 1 and "not carried over: tags, for which the source has no answer (30 objects)" in said
    run(target, between(source, hook).url(), "--bucket", "files3=again", "--no-tags")
    assert len(asked) == 1


def test_tags_of_the_provider_stay_behind(two, between):
    source, target = two
    source.bucket("provided")
    tags = "<Tagging><TagSet><Tag><Key>us-stack</Key><Value>x</Value></Tag><Tag><Key>mine</Key><Value>y</Value></Tag></TagSet></Tagging>"
    source.request("PUT", "/provided?tagging", tags)
    for key in ("k", "l"):
        source.put(f"/provided/{key}", b"x")
    source.request("PUT", "/provided/k?tagging", tags)

    def hook(method, path, number):
        return (lambda body: body.replace(b"us-stack", b"aws:stac")) if method == "GET" and "tagging" in path else None

    said = run(target, between(source, hook).url(), "--bucket", "provided")
    assert "not carried over: system tags (aws:*) (1 object)" in said
    assert "system tags (aws:*): not carried over" in said and "carried over: tags\n" in said
    for path in ("/provided", "/provided/k"):
        assert re.findall(rb"<Key>(.*?)</Key><Value>(.*?)<", target.get(path + "?tagging").body) == [(b"mine", b"y")]


def test_a_listing_in_another_order_is_compared_key_by_key(two, between):
    source, target = two
    source.bucket("mixed")
    target.bucket("mixed")
    for i in range(9):
        source.put(f"/mixed/k{i}", b"%d" % i)
    target.put("/mixed/k05", b"only here")
    target.put("/mixed/k3", b"3")

    def shuffle(body):
        entries = re.findall(rb"<Contents>.*?</Contents>", body)
        random.Random(3).shuffle(entries)
        return body[:body.index(b"<Contents>")] + b"".join(entries) + body[body.rindex(b"</Contents>") + len(b"</Contents>"):]

    way = between(source, lambda method, path, number: shuffle if "list-type" in path else None)
    said = run(target, way.url(), "--bucket", "mixed")
    assert "does not list in the order of keys" in said and "9 keys are the same" in said
    assert target.keys("mixed") == ["k0", "k05"] + [f"k{i}" for i in range(1, 9)]
    assert "copied 0 objects" in run(target, way.url(), "--bucket", "mixed")


def test_a_dry_run_changes_nothing(two):
    source, target = two
    source.bucket("vault")
    versioning(source, "vault", "Enabled")
    for i in range(3):
        source.put("/vault/k", b"%d" % i)
    source.request("PUT", "/vault?tagging", "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>")
    said = run(target, source, "--dry-run", "--bucket", "vault")
    assert "would copy vault/k to vault/k (3 versions)" in said and "nothing was changed: would copy 3 objects (3 B)" in said
    assert target.head("/vault").status == 404


def test_what_the_target_has_newer_stays_unless_told_otherwise(two):
    source, target = two
    source.bucket("both")
    source.put("/both/k", b"source")
    source.put("/both/same", b"s")
    time.sleep(3.1)  # clocks are compared by seconds
    target.bucket("both")
    target.put("/both/k", b"target")
    target.put("/both/mine", b"m")
    said = run(target, source, "--bucket", "both", status=1)
    assert "differs: both/k: the target has something newer" in said and "only in the target: both/mine" in said
    assert target.get("/both/k").body == b"target" and target.get("/both/same").body == b"s"
    assert "1 failed" not in said and "1 differ" in said
    run(target, source, "--bucket", "both", "--overwrite")
    assert target.get("/both/k").body == b"source" and target.get("/both/mine").body == b"m"
    assert "deleted 1" in run(target, source, "--bucket", "both", "--delete")
    assert target.keys("both") == ["k", "same"]
    for key in ("k", "same"):
        source.delete(f"/both/{key}")
    run(target, source, "--bucket", "both", "--delete")
    assert target.keys("both") == ["k", "same"], "an empty source deletes nothing"


def test_other_headers_alone_are_copied_too(two):
    source, target = two
    source.bucket("meta")
    source.put("/meta/k", b"x", content_type="text/plain")
    run(target, source, "--bucket", "meta")
    source.request("PUT", "/meta/k", headers={"x-amz-copy-source": "/meta/k", "x-amz-metadata-directive": "REPLACE",
                                              "Content-Type": "text/html", "x-amz-meta-new": "1"})
    assert "copied 1 object" in run(target, source, "--bucket", "meta")
    same_versions(source, target, "meta")
    assert "copied 0 objects" in run(target, source, "--bucket", "meta")


def test_settings_are_carried_over_and_what_is_not_is_said(two, between):
    source, target = two
    source.bucket("set")
    documents = {
        "lifecycle": "<LifecycleConfiguration><Rule><ID>r</ID><Filter><Prefix>logs/</Prefix></Filter><Status>Enabled</Status>"
                     "<Expiration><Days>9</Days></Expiration></Rule></LifecycleConfiguration>",
        "cors": "<CORSConfiguration><CORSRule><AllowedMethod>GET</AllowedMethod><AllowedOrigin>*</AllowedOrigin></CORSRule></CORSConfiguration>",
        "tagging": "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>",
        "policy": json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject",
                                                                     "Resource": "arn:aws:s3:::set/*"}]}),
    }
    for query, document in documents.items():
        assert source.request("PUT", f"/set?{query}", document).status in (200, 204)
    said = run(target, source, "--bucket", "set")
    assert "carried over: lifecycle, CORS, tags, policy" in said
    for query in documents:
        assert source.get(f"/set?{query}").body == target.get(f"/set?{query}").body
    # Under another name the policy names another bucket's objects.
    said = json.loads(run(target, source, "--bucket", "set=renamed", "--json"))
    outcomes = {s["setting"]: s["outcome"] for s in said["buckets"][0]["settings"]}
    assert outcomes == {"lifecycle": "carried over", "CORS": "carried over", "tags": "carried over", "policy": "refused by the target"}



    def hook(method, path, number):
        if path.startswith("/set?cors"):
            return 403

    said = run(target, between(source, hook).url(), "--bucket", "set")
    assert "CORS: not readable" in said
    source.request("PUT", "/set?acl", headers={"x-amz-acl": "public-read"})
    said = run(target, source, "--bucket", "set")
    assert "carried over: lifecycle, CORS, tags, access control list, policy" in said


def test_the_terminal_shows_a_bar_and_the_time_left(two, between):
    source, target = two
    source.bucket("some")
    for i in range(40):
        source.put(f"/some/k{i:02d}", os.urandom(100 * KIB))
    way = between(source, lambda method, path, number: time.sleep(0.1) if path.startswith("/some/") else None)
    controller, terminal = pty.openpty()
    process = subprocess.Popen(command(target, way.url(), "--bucket", "some", "--jobs", "4"), env=target.command_environment(),
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=terminal)
    os.close(terminal)
    shown = b""
    while True:
        try:
            piece = os.read(controller, 65536)
        except OSError:
            break
        if not piece:
            break
        shown += piece
    os.close(controller)
    assert process.wait(60) == 0
    assert re.search(rb"\[=+ *\] +\d+%  \d+/40 objects  [\d.]+ [KM]iB/3.9 MiB  [\d.]+ .iB/s  ETA 0:0\d", shown), shown[-500:]


ROOT = {"auth_anonymous": "none", "auth_root_access_key": "root-key", "auth_root_secret_key": "root-secret-0123456789"}
OTHER = {"auth_anonymous": "none", "auth_root_access_key": "other-key", "auth_root_secret_key": "other-secret-0123456789"}
KEYS = {"AWS_ACCESS_KEY_ID": "root-key", "AWS_SECRET_ACCESS_KEY": "root-secret-0123456789",
        "CAIRN_FROM_ACCESS_KEY_ID": "other-key", "CAIRN_FROM_SECRET_ACCESS_KEY": "other-secret-0123456789"}


def test_both_sides_signed_and_encrypted_with_all_buckets(tmp_path):
    source = Node(tmp_path / "source", **OTHER).encrypt().start()
    target = Node(tmp_path / "target", **ROOT).encrypt().start()
    try:
        own = {"AWS_ACCESS_KEY_ID": "other-key", "AWS_SECRET_ACCESS_KEY": "other-secret-0123456789", "CAIRN_CA": str(tmp_path / "source/node.pem")}
        url = {n: f"https://127.0.0.1:{n.http_port}" for n in (source, target)}
        for bucket in ("one", "two"):
            assert source.cairn("mb", bucket, environment=own | {"CAIRN_ENDPOINT": url[source]}).returncode == 0
            assert source.cairn("put", "-", f"{bucket}/ü k", environment=own | {"CAIRN_ENDPOINT": url[source]}, input=b"data").returncode == 0
        environment = KEYS | {"CAIRN_ENDPOINT": url[target], "CAIRN_CA": str(tmp_path / "target/node.pem")}
        said = run(target, url[source], "--from-ca", tmp_path / "source/node.pem", environment=environment)
        assert "bucket one" in said and "bucket two" in said and "copied 2 objects (8 B)" in said
        untrusted = run(target, url[source], environment=environment, status=1)
        assert "--ca FILE" in untrusted or "certificate" in untrusted
        refused = run(target, url[source], "--from-ca", tmp_path / "source/node.pem", status=1,
                      environment=environment | {"CAIRN_FROM_SECRET_ACCESS_KEY": "wrong"})
        assert "SignatureDoesNotMatch" in refused
        missing = {k: v for k, v in environment.items() if k != "CAIRN_FROM_SECRET_ACCESS_KEY"}
        assert "CAIRN_FROM_SECRET_ACCESS_KEY" in run(target, url[source], environment=missing, status=2)
    finally:
        source.stop()
        target.stop()


def test_buckets_named_in_the_host(start_node, tmp_path):
    source, target = start_node("source", http_domains=["s3.test"], **OTHER), start_node("target")
    hosts = tmp_path / "hosts"
    hosts.write_text("127.0.0.1 localhost s3.test photos.s3.test\n")
    within = ["unshare", "--mount", "sh", "-c", 'mount --bind "$0" /etc/hosts && exec "$@"', str(hosts)]
    if not shutil.which("unshare") or subprocess.run([*within, "true"], capture_output=True).returncode != 0:
        pytest.skip("no mount name space of one's own here")
    own = {"AWS_ACCESS_KEY_ID": "other-key", "AWS_SECRET_ACCESS_KEY": "other-secret-0123456789"}
    assert source.cairn("mb", "photos", environment=own).returncode == 0
    for key in ("a", "ü b/c"):
        assert source.cairn("put", "-", f"photos/{key}", environment=own, input=b"data").returncode == 0
    arguments = command(target, f"http://s3.test:{source.http_port}", "--from-addressing", "virtual", "--bucket", "photos")
    done = subprocess.run([*within, *arguments], env=target.command_environment() | KEYS | {"AWS_ACCESS_KEY_ID": ""},
                          capture_output=True, timeout=100)
    assert done.returncode == 0 and b"copied 2 objects" in done.stdout, done
    assert target.keys("photos") == ["a", "ü b/c"]
    assert "numeric address" in run(target, source, "--from-addressing", "virtual", "--bucket", "photos", status=1)


def test_called_wrongly(two):
    source, target = two
    for arguments in (["--bucket", "a/b"], ["--bucket", "=b"], ["--bucket", "a=x", "--bucket", "b=x"], ["--continuous", "--dry-run"], ["--jobs", "0"], ["--pause", "5"]):
        run(target, source, *arguments, status=2)
    run(target, "ftp://x/y", status=2)
    assert "NoSuchBucket" in run(target, source, "--bucket", "not-there", status=1)
    run(target, "http://127.0.0.1:1", "--bucket", "x", status=1)
