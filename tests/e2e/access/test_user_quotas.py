"""Quotas of users: all buckets of a user together, by every way to write and through every node; who owns a bucket; who may set
quotas, and how they are shown."""
import json
import os
import re
import subprocess
import threading

import pytest

from cairn_cluster import admin_of
from cairn_node import BINARY, KIB, MIB, eventually, in_threads
from identities import allow, iam_of, s3_of, user_with_key
from rights import GUARDED, cairn, command, new_key
from s3_client import ClientError, refusal
from signing import ROOT, call, post, signed
from usage import held, lines_of, usage_of

EXCEEDED = (403, "QuotaExceeded")


@pytest.fixture(scope="module")
def iam(guarded):
    return iam_of(guarded)


@pytest.fixture
def user(guarded, iam, request):
    """Name, key and client of a user that may do everything with S3, and makes buckets of its own."""
    name = re.sub(r"\W", "-", request.node.name)[5:40].strip("-")
    key = user_with_key(iam, name)
    iam.put_user_policy(UserName=name, PolicyName="all", PolicyDocument=allow("s3:*"))
    return name, key, s3_of(guarded, key)


def buckets_of(name, s3, count=2):
    made = [f"{name}-{n}".lower().replace("_", "-") for n in range(count)]
    for bucket in made:
        s3.create_bucket(Bucket=bucket)
    return made


def limit(node, name, *options):
    return cairn(node, "user", "quota", name, *options)


def of_user(node, name):
    shown, = json.loads(cairn(node, "user", "usage", name, "--json"))
    return shown


def owner(node, bucket):
    return json.loads(cairn(node, "bucket", "owner", bucket, "--json"))["owner"]


# What is counted


def test_all_buckets_of_a_user_count_together(guarded, user):
    name, key, s3 = user
    first, second = buckets_of(name, s3)
    limit(guarded, name, "--bytes", "3MiB")
    s3.put_object(Bucket=first, Key="large", Body=b"x" * (2 * MIB))
    refused = call(guarded, "PUT", f"/{second}/b", b"x" * (MIB + 1), key)
    assert (refused.status, refused.code()) == EXCEEDED
    assert b"all buckets of this bucket's owner together may hold at most 3145728 bytes" in refused.body
    s3.put_object(Bucket=second, Key="b", Body=b"x" * MIB)
    assert call(guarded, "PUT", f"/{first}/c", b"x", ROOT).status == 403, "whoever writes"
    s3.put_object(Bucket=second, Key="b", Body=b"y" * MIB)
    assert of_user(guarded, name) == {"name": name, "buckets": 2, "usage": held(2, 2, 0, 3 * MIB), "quota": {"bytes": 3 * MIB, "objects": None}}
    s3.delete_object(Bucket=first, Key="large")
    s3.put_object(Bucket=first, Key="c", Body=b"x")
    sums = [usage_of(guarded, bucket) for bucket in (first, second)]
    assert of_user(guarded, name)["usage"] == {what: sum(one[what] for one in sums) for what in sums[0]}


def test_versions_copies_forms_and_uploads_in_parts_count(guarded, user):
    name, key, s3 = user
    first, second = buckets_of(name, s3)
    s3.put_bucket_versioning(Bucket=first, VersioningConfiguration={"Status": "Enabled"})
    limit(guarded, name, "--objects", "3")
    for _ in range(2):
        s3.put_object(Bucket=first, Key="k", Body=b"12345")
    s3.delete_object(Bucket=first, Key="k")
    version = s3.list_object_versions(Bucket=first)["Versions"][0]["VersionId"]
    s3.copy_object(Bucket=second, Key="copy", CopySource={"Bucket": first, "Key": "k", "VersionId": version})
    assert refusal(s3.copy_object, Bucket=second, Key="more", CopySource={"Bucket": second, "Key": "copy"}) == EXCEEDED
    upload = s3.create_multipart_upload(Bucket=first, Key="parts")["UploadId"]
    part = s3.upload_part(Bucket=first, Key="parts", UploadId=upload, PartNumber=1, Body=b"p" * 1000)
    completion = dict(Bucket=first, Key="parts", UploadId=upload, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]})
    assert refusal(s3.complete_multipart_upload, **completion) == EXCEEDED
    s3.delete_object(Bucket=first, Key="k", VersionId=version)
    s3.complete_multipart_upload(**completion)
    refused = post(guarded, second, signed(second, [["starts-with", "$key", ""]], {"key": "form"}, key), b"x")
    assert (refused.status, refused.code()) == EXCEEDED
    assert of_user(guarded, name)["usage"] == held(2, 3, 1, 1010)


def test_of_racing_uploads_to_several_buckets_as_many_are_taken_as_fit(guarded, user):
    name, key, s3 = user
    buckets = buckets_of(name, s3, 4)
    limit(guarded, name, "--bytes", str(10 * 3000))
    together, taken = threading.Barrier(16), []

    def put(i):
        together.wait()
        for n in range(2):
            answer = call(guarded, "PUT", f"/{buckets[i % 4]}/{i}-{n}", b"x" * 3000, key)
            assert answer.status == 200 or (answer.status, answer.code()) == EXCEEDED, answer
            taken.append(answer.status == 200)

    in_threads(16, put)
    assert sum(taken) == 10 and of_user(guarded, name)["usage"] == held(10, 10, 0, 30000)


def test_a_key_of_nobody_has_a_quota_too(guarded):
    key = new_key(guarded, "--create-buckets")
    s3 = s3_of(guarded, key)
    first, second = buckets_of("of-a-key", s3)
    assert owner(guarded, first) == key[0]
    limit(guarded, key[0], "--bytes", "10")
    s3.put_object(Bucket=first, Key="a", Body=b"123456")
    assert refusal(s3.put_object, Bucket=second, Key="a", Body=b"12345") == EXCEEDED
    cairn(guarded, "key", "delete", key[0])
    assert call(guarded, "PUT", f"/{second}/a", b"12345").status == 200, "the quota went with the key"
    assert owner(guarded, first) == key[0], "the buckets stay"


# Who owns a bucket


def test_a_bucket_gets_another_owner(guarded, user):
    name, _, s3 = user
    mine, other = buckets_of(name, s3)
    assert call(guarded, "PUT", "/of-root").status == 200 and owner(guarded, "of-root") is None and owner(guarded, mine) == name
    call(guarded, "PUT", "/of-root/a", b"x" * 100)
    limit(guarded, name, "--bytes", "50")
    assert cairn(guarded, "bucket", "owner", "of-root") == "of-root belongs to nobody\n"
    assert cairn(guarded, "bucket", "owner", "of-root", name) == f"of-root belongs to {name}\n"
    assert of_user(guarded, name)["buckets"] == 3 and of_user(guarded, name)["usage"] == held(1, 1, 0, 100)
    assert refusal(s3.put_object, Bucket=mine, Key="a", Body=b"x") == EXCEEDED, "it may be above the quota then"
    assert json.loads(cairn(guarded, "bucket", "owner", "of-root", "--none", "--json")) == {"done": "of-root belongs to nobody"}
    s3.put_object(Bucket=mine, Key="a", Body=b"x")
    s3.delete_bucket(Bucket=other)
    assert of_user(guarded, name)["buckets"] == 1
    for wrong, says in ((["of-root", "nobody-such"], "no user nobody-such"), (["none-such", name], "there is no such bucket")):
        done = command(guarded, "bucket", "owner", *wrong)
        assert done.returncode == 1 and says in done.stderr, done


def test_a_user_takes_its_quota_along_and_leaves_its_buckets(guarded, iam, user):
    name, key, s3 = user
    bucket, = buckets_of(name, s3, 1)
    limit(guarded, name, "--objects", "1")
    renamed = name[:20] + "-renamed"
    iam.update_user(UserName=name, NewUserName=renamed)
    s3.put_object(Bucket=bucket, Key="a", Body=b"x")
    assert refusal(s3.put_object, Bucket=bucket, Key="b", Body=b"x") == EXCEEDED
    assert owner(guarded, bucket) == renamed
    identity = iam.get_user(UserName=renamed)["User"]["UserId"]
    iam.delete_access_key(UserName=renamed, AccessKeyId=key[0])
    iam.delete_user_policy(UserName=renamed, PolicyName="all")
    iam.delete_user(UserName=renamed)
    assert call(guarded, "PUT", f"/{bucket}/b", b"x").status == 200
    assert owner(guarded, bucket) == identity
    assert {"name": identity, "buckets": 1, "usage": held(2, 2, 0, 2), "quota": None} in json.loads(cairn(guarded, "user", "usage", "--json"))


# Who sets it, and how it is shown


def test_the_command_sets_shows_and_removes_it(guarded, user):
    name, _, s3 = user
    assert limit(guarded, name) == f"{name} has no quota\n"
    assert limit(guarded, name, "--bytes", "10KiB") == f"the buckets of {name} may hold at most 10240 bytes\n"
    assert json.loads(limit(guarded, name, "--objects", "4", "--json")) == {"done": f"the buckets of {name} may hold at most 4 objects"}
    bucket, _ = buckets_of(name, s3)
    s3.put_object(Bucket=bucket, Key="k", Body=b"x" * (5 * KIB))
    assert limit(guarded, name) == f"{name}: 5.0 KiB of 10.0 KiB, 1 of 4 objects (50%)\n"
    head, row = (line.split() for line in cairn(guarded, "user", "usage", name).splitlines())
    assert dict(zip(head, row)) == {"USER": name, "BUCKETS": "2", "OBJECTS": "1", "VERSIONS": "1", "MARKERS": "0", "BYTES": "5120",
                                    "BYTES-MAX": "10240", "OBJECTS-MAX": "4", "USED": "50%"}
    s3.put_object(Bucket=bucket, Key="k", Body=b"x" * (10 * KIB))
    eventually(lambda: guarded.metric("cairn_users_near_quota") >= 1, what="the metric is a moment old")
    assert name.encode() not in guarded.admin("/metrics").body
    limit(guarded, name, "--bytes", "0")
    assert limit(guarded, name) == f"{name}: 1 of 4 objects (25%)\n"
    limit(guarded, name, "--clear")
    assert of_user(guarded, name)["quota"] is None
    for wrong, status in ((["--bytes", "much"], 2), (["--clear", "--objects", "2"], 2)):
        assert command(guarded, "user", "quota", name, *wrong).returncode == status
    missing = command(guarded, "user", "quota", "none-such", "--bytes", "5")
    assert missing.returncode == 1 and "There is no user none-such" in missing.stderr
    assert command(guarded, "user", "usage", "none-such").returncode == 1


def test_only_operators_set_it_and_it_is_the_same_after_a_kill(start_node, tmp_path):
    audit = tmp_path / "audit.log"
    n = start_node(**GUARDED, audit_file=str(audit))
    iam = iam_of(n)
    key = user_with_key(iam, "ann")
    iam.put_user_policy(UserName="ann", PolicyName="all", PolicyDocument=allow("*"))
    s3 = s3_of(n, key)
    s3.create_bucket(Bucket="vault")
    limit(n, "ann", "--bytes", "1000")
    environment = {name: value for name, value in os.environ.items() if name != "CAIRN_ADMIN_TOKEN"}
    for words in (["user", "quota", "ann", "--clear"], ["user", "usage"], ["bucket", "owner", "vault", "--none"]):
        done = subprocess.run([BINARY, *words, "--admin", f"http://127.0.0.1:{n.admin_port}"], capture_output=True, text=True,
                              env=environment, cwd=tmp_path, timeout=30)
        assert done.returncode == 1, done
    s3.put_object(Bucket="vault", Key="a", Body=b"x" * 900)
    n.kill()
    n.start()
    assert refusal(s3.put_object, Bucket="vault", Key="b", Body=b"x" * 101) == EXCEEDED
    s3.put_object(Bucket="vault", Key="b", Body=b"x" * 100)
    changed = [line["status"] for line in lines_of(audit) if line["operation"] == "setUserQuota"]
    assert changed == [200]


# Directories of older builds, and clusters


def test_an_older_directory_gets_owners(older_node):
    node = older_node
    assert owner(node, "files") is None
    key = new_key(node)
    eventually(lambda: command(node, "user", "quota", key[0], "--bytes", str(10 * MIB)).returncode == 0, what="the buckets are counted")
    cairn(node, "bucket", "owner", "files", key[0])
    assert of_user(node, key[0])["usage"] == usage_of(node, "files")
    limit(node, key[0], "--bytes", str(usage_of(node, "files")["bytes"] + 5))
    assert (node.put("/files/more", b"123456").status, node.put("/files/more", b"12345").status) == (403, 200)


def test_it_holds_through_every_node_of_a_cluster(make_cluster):
    cluster = make_cluster(3, auth_root_access_key=ROOT[0], auth_root_secret_key=ROOT[1])
    leader = cluster.leader()
    follower = next(n for n in cluster.nodes if n is not leader)
    iam = iam_of(follower)
    s3_of(follower, ROOT).create_bucket(Bucket="of-root")
    eventually(lambda: follower.cairn("bucket", "owner", "of-root", "--none", *admin_of(follower)).returncode == 0, seconds=60, every=0.5,
               what="all nodes are known to be of this version")
    key = user_with_key(iam, "ann")
    iam.put_user_policy(UserName="ann", PolicyName="all", PolicyDocument=allow("s3:*"))
    clients = [s3_of(n, key) for n in cluster.nodes]
    for i in range(3):
        clients[i].create_bucket(Bucket=f"of-ann-{i}")

    def set_quota():
        return follower.cairn("user", "quota", "ann", "--bytes", "20000", *admin_of(follower)).returncode == 0

    eventually(set_quota, seconds=60, every=0.5, what="the buckets are counted")
    taken = []

    def put(i):
        for n in range(4):
            try:
                clients[i % 3].put_object(Bucket=f"of-ann-{(i + n) % 3}", Key=f"{i}-{n}", Body=b"x" * 1000)
                taken.append((i, n))
            except ClientError as why:
                assert why.response["Error"]["Code"] == "QuotaExceeded", why

    in_threads(9, put)
    assert len(taken) == 20
    for n in cluster.nodes:
        eventually(lambda n=n: of_user(n, "ann")["usage"] == held(20, 20, 0, 20000), seconds=30, what=f"{of_user(n, 'ann')}")
    leader.kill()
    i, n = taken[0]
    s3 = s3_of(follower, key)

    def deleted():
        try:
            s3.delete_object(Bucket=f"of-ann-{(i + n) % 3}", Key=f"{i}-{n}")
        except ClientError:
            return False
        return True

    eventually(deleted, seconds=60, every=0.5, what="the others go on")
    assert refusal(s3.put_object, Bucket="of-ann-1", Key="more", Body=b"x" * 1001) == EXCEEDED
    s3.put_object(Bucket="of-ann-2", Key="more", Body=b"x" * 1000)
