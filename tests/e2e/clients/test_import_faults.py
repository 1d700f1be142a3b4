"""`cairn import s3` when something goes wrong: kills, failures of the source, changes meanwhile, damage on the way."""
import os
import random
import re
import signal
import subprocess
import time

from cairn_node import KIB, MIB, eventually, in_threads
from importing import contents, history, put_in_parts, run, same_versions, spawn, versioning


def test_killed_in_the_middle_it_goes_on_without_a_version_twice(two):
    source, target = two
    source.bucket("vault")
    versioning(source, "vault", "Enabled")
    rng = random.Random(7)
    for round_ in range(12):
        for key in range(40):
            if rng.random() < 0.2:
                source.delete(f"/vault/k{key}")
            else:
                source.put(f"/vault/k{key}", b"same" if rng.random() < 0.4 else b"%d" % rng.randrange(1000))
    whole = contents(source, "vault")
    kills = 0
    while kills < 30:
        process = spawn(target, source, "--bucket", "vault", stdout=subprocess.DEVNULL)
        time.sleep(0.05 + 0.01 * kills)
        if process.poll() is not None:
            break
        process.kill()
        process.wait()
        kills += 1
        if target.head("/vault").status == 200:
            for key, versions in contents(target, "vault").items():
                assert versions == whole[key][len(whole[key]) - len(versions):], "not the oldest ones, in their order"
    assert kills > 1
    run(target, source, "--bucket", "vault")
    assert contents(target, "vault") == whole


def uploads(node, bucket):
    return re.findall(r"<UploadId>(.*?)<", node.get(f"/{bucket}?uploads").body.decode())


def test_killed_in_the_middle_of_a_large_object_it_goes_on_with_the_missing_parts(two, between):
    source, target = two
    source.bucket("large")
    parts = [os.urandom(10 * MIB) for _ in range(10)]
    etag = put_in_parts(source, "/large/object", parts)
    asked = []

    def slow(method, path, number):
        if method == "GET" and "partNumber" in path:
            asked.append(path)
            time.sleep(0.3)

    way = between(source, slow)
    process = spawn(target, way.url(), "--bucket", "large", "--jobs", "2", stdout=subprocess.DEVNULL)
    eventually(lambda: uploads(target, "large") and len(asked) >= 5, seconds=60)
    process.kill()
    process.wait()
    upload = uploads(target, "large")
    stored = target.get(f"/large/object?uploadId={upload[0]}").body.count(b"<Part>")
    assert stored >= 2
    asked.clear()
    run(target, way.url(), "--bucket", "large")
    assert len(asked) == 10 - stored
    assert target.head("/large/object").header("etag") == etag and target.get("/large/object").body == b"".join(parts)
    assert uploads(target, "large") == []


def test_parts_of_another_object_that_were_left_do_not_get_in(two):
    source, target = two
    source.bucket("large")
    target.bucket("large")
    etag = put_in_parts(source, "/large/object", [b"a" * 5 * MIB, b"b" * 5 * MIB, b"c"])
    made = target.request("POST", "/large/object?uploads", b"")
    upload = re.search(rb"<UploadId>(.*?)<", made.body).group(1).decode()
    target.put(f"/large/object?partNumber=2&uploadId={upload}", b"x" * 5 * MIB)
    run(target, source, "--bucket", "large")
    assert target.head("/large/object").header("etag") == etag and target.get("/large/object").body[5 * MIB:5 * MIB + 1] == b"b"


def test_the_source_fails_midway_and_comes_back(two):
    source, target = two
    source.bucket("files2")
    in_threads(4, lambda t: [source.put(f"/files2/{t}-{i}", os.urandom(300 * KIB)) for i in range(60)])
    process = spawn(target, source, "--bucket", "files2", "--jobs", "2")
    eventually(lambda: target.head("/files2").status == 200 and len(target.keys("files2")) > 5, seconds=30)
    source.kill()
    said = process.communicate(timeout=200)[0].decode()
    assert process.returncode == 1 and "the source" in said and "failed" in said, said
    assert len(target.keys("files2")) < 240
    source.start()
    run(target, source, "--bucket", "files2")
    assert contents(target, "files2") == contents(source, "files2")


def test_a_broken_connection_and_an_overload_are_retried(two, between):
    source, target = two
    source.bucket("some")
    for i in range(20):
        source.put(f"/some/k{i}", os.urandom(100 * KIB))
    broken = set()

    def hook(method, path, number):
        if path.startswith("/some/k") and "tagging" not in path and path not in broken and number % 3 == 0:
            broken.add(path)
            return 503 if number % 2 else lambda body: body[:50 * KIB]

    said = run(target, between(source, hook).url(), "--bucket", "some")
    assert len(broken) > 3 and "copied 20 objects" in said
    same_versions(source, target, "some")


def test_bytes_that_change_on_the_way_are_not_stored(two, between):
    source, target = two
    source.bucket("bits")
    source.put("/bits/one", os.urandom(100 * KIB))
    put_in_parts(source, "/bits/parts", [os.urandom(5 * MIB), os.urandom(5 * MIB)])
    flip = [True]

    def hook(method, path, number):
        part = "partNumber=2" in path
        if flip[0] and method == "GET" and (part or path == "/bits/one"):
            return lambda body: body[:1000] + bytes([body[1000] ^ 1]) + body[1001:]

    way = between(source, hook)
    said = run(target, way.url(), "--bucket", "bits", status=1)
    assert "2 failed" in said and "BadDigest" in said and "do not have the source's ETag" in said
    assert target.keys("bits") == [] and uploads(target, "bits") == []
    flip[0] = False
    run(target, way.url(), "--bucket", "bits")
    same_versions(source, target, "bits")


def test_an_object_that_changes_while_it_is_copied_is_copied_as_it_is_then(two, between):
    source, target = two
    source.bucket("live")
    put_in_parts(source, "/live/parts", [b"1" * 5 * MIB, b"2" * 5 * MIB])
    source.put("/live/whole", b"old")
    etag, changed = [], []

    def hook(method, path, number):
        if "partNumber=2" in path and not etag:
            etag.append(put_in_parts(source, "/live/parts", [b"3" * 5 * MIB, b"4" * 5 * MIB, b"5"]))
        if path == "/live/whole" and not changed:
            changed.append(put_in_parts(source, "/live/whole", [b"6" * 5 * MIB, b"7"]))  # from one piece into parts

    run(target, between(source, hook).url(), "--bucket", "live", "--jobs", "1")
    assert etag and changed
    assert target.head("/live/parts").header("etag") == etag[0] and target.head("/live/whole").header("etag") == changed[0]
    source.put("/live/whole", b"new")
    run(target, source, "--bucket", "live")
    assert target.get("/live/whole").body == b"new"


def test_an_object_that_changes_during_a_long_copy_does_not_pass_for_newer(two, between):
    source, target = two
    source.bucket("live")
    source.put("/live/k", b"old" * 1000)
    put_in_parts(source, "/live/p", [b"1" * 5 * MIB, b"2"])
    changed = []

    def hook(method, path, number):
        def change(body):
            changed.append(path)
            if path == "/live/k":
                source.put("/live/k", b"new" * 1000)
            else:
                put_in_parts(source, "/live/p", [b"3" * 5 * MIB, b"4"])
            time.sleep(4)
            return body

        if method == "GET" and (path == "/live/k" or "/live/p?" in path and "partNumber=2" in path) and path not in changed:
            return change

    run(target, between(source, hook).url(), "--bucket", "live")
    assert len(changed) == 2
    same_versions(source, target, "live")


def test_an_answer_that_is_lost_makes_no_version_twice(two, between):
    source, target = two
    source.bucket("vault")
    versioning(source, "vault", "Enabled")
    for i in range(4):
        for key in "abc":
            source.put(f"/vault/{key}", b"same")
            source.delete(f"/vault/{key}")
        source.put("/vault/b", b"%d" % i)
    put_in_parts(source, "/vault/parts", [b"1" * 5 * MIB, b"2"])
    lost = []

    def hook(method, path, number):
        if method in ("PUT", "DELETE", "POST") and path.startswith("/vault/") and number % 3 == 0 and len(lost) < 12:
            lost.append(path)
            return "lose"

    way = between(target, hook)
    said = run(target, source, "--bucket", "vault", environment={"CAIRN_ENDPOINT": way.url()})
    assert len(lost) > 5 and "only in the target, behind" not in said
    same_versions(source, target, "vault")


def test_an_object_that_is_deleted_between_listing_and_reading_is_no_failure(two, between):
    source, target = two
    source.bucket("gone")
    for i in range(5):
        source.put(f"/gone/k{i}", b"x")
    versioning(source, "gone", "Enabled")
    source.put("/gone/k4", b"y")

    def hook(method, path, number):
        if path.startswith("/gone/k2"):
            versions = history(source, "gone").get("k2", [])
            for version, _ in versions:
                source.delete(f"/gone/k2?versionId={version}")

    said = run(target, between(source, hook).url(), "--bucket", "gone")
    assert "1 vanished from the source" in said and target.keys("gone") == ["k0", "k1", "k3", "k4"]


def test_a_listing_that_fails_stops_only_its_bucket_and_deletes_nothing(two, between):
    source, target = two
    for bucket in ("aaa", "bbb"):
        source.bucket(bucket)
        source.put(f"/{bucket}/k", b"x")
        target.bucket(bucket)
        target.put(f"/{bucket}/mine", b"m")
    way = between(source, lambda method, path, number: 500 if path.startswith("/aaa?list-type") else None)
    said = run(target, way.url(), "--delete", "--bucket", "aaa", "--bucket", "bbb", status=1)
    assert "failed: aaa: listing the source's aaa" in said
    assert target.keys("aaa") == ["mine"] and target.keys("bbb") == ["k"]
    # Whether there are versions must be known: 500 is no answer, 501 says that there are none.
    for status, outcome in ((500, 1), (501, 0)):
        way = between(source, lambda method, path, number: status if "?versioning" in path else None)
        said = run(target, way.url(), "--bucket", f"bbb=new-{status}", status=outcome)
        assert "Planned" in said and (target.head(f"/new-{status}").status == 200) == (outcome == 0)


def test_continuous_copies_what_changes_until_it_is_told_to_stop(two):
    source, target = two
    source.bucket("live")
    source.put("/live/a", b"1")
    process = spawn(target, source, "--bucket", "live", "--continuous", "--pause", "0")
    eventually(lambda: target.get("/live/a").body == b"1")
    for i in range(2, 5):
        time.sleep(0.3)
        source.put("/live/a", b"%d" % i)
        source.put(f"/live/n{i}", b"n")
        eventually(lambda: target.get("/live/a").body == b"%d" % i and target.head(f"/live/n{i}").status == 200)
    source.put("/live/big", os.urandom(50 * MIB))
    eventually(lambda: target.head("/live/big").status == 200, every=0.01)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=60)[0].decode()
    assert process.returncode == 0, said
    assert "pass 1: 1 copied so far" in said and "0 failed" in said.splitlines()[-2]


def test_an_interrupt_ends_after_the_current_objects(two, between):
    source, target = two
    source.bucket("slow")
    for i in range(100):
        source.put(f"/slow/k{i:03d}", b"x" * 1000)
    way = between(source, lambda method, path, number: time.sleep(0.1) if path.startswith("/slow/") else None)
    process = spawn(target, way.url(), "--bucket", "slow", "--jobs", "2")
    eventually(lambda: target.head("/slow").status == 200 and target.keys("slow"), seconds=30)
    process.send_signal(signal.SIGTERM)
    said = process.communicate(timeout=30)[0].decode()
    assert process.returncode == 1 and "interrupted; the same command goes on from here" in said
    assert 0 < len(target.keys("slow")) < 100
    for key in target.keys("slow"):
        assert target.get(f"/slow/{key}").body == b"x" * 1000
    run(target, source, "--bucket", "slow")
    assert len(target.keys("slow")) == 100


def test_an_interrupt_ends_between_the_pages_of_a_key_with_many_versions(two, between):
    source, target = two
    source.bucket("deep")
    versioning(source, "deep", "Enabled")
    for _ in range(9):
        source.put("/deep/z", b"x")
    pages = []

    def page(body):
        """One more version of the key, and never the last."""
        pages.append(len(pages))
        return (f"<ListVersionsResult><Version><Key>k</Key><VersionId>{len(pages)}</VersionId><ETag>&quot;{'0' * 32}&quot;</ETag><Size>1</Size></Version>"
                f"<IsTruncated>true</IsTruncated><NextKeyMarker>k{len(pages)}</NextKeyMarker></ListVersionsResult>").encode().ljust(len(body))

    def hook(method, path, number):
        if path.startswith("/deep?versions"):
            time.sleep(0.1)
            return page

    process = spawn(target, between(source, hook).url(), "--bucket", "deep")
    eventually(lambda: len(pages) > 20, seconds=30)
    process.send_signal(signal.SIGTERM)
    said = process.communicate(timeout=10)[0].decode()
    assert process.returncode == 1 and "interrupted; the same command goes on from here" in said and " 0 failed" in said
    run(target, source, "--bucket", "deep")
    assert contents(target, "deep") == contents(source, "deep")
