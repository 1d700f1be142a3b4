"""`cairn import s3 --minio-admin`: users, keys and quotas by MinIO's admin API. There is no MinIO here: a proxy answers the
requests of that API as MinIO's source says (cmd/admin-handlers-users.go, cmd/admin-bucket-handlers.go), after it has checked
their signatures as MinIO does, and passes all others on to a node."""
import io
import json
import re
import zipfile

import pytest

from identities import iam_of, s3_of
from importing import SIGNED, run
from signing import EMPTY, ROOT, Signer, sha256

boto3 = pytest.importorskip("boto3")

READS = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["arn:aws:s3:::files/*"]}]}
NEVER = "1970-01-01T00:00:00Z"


def exported():
    account = {"parent": "ann", "groups": None, "claims": {"accessKey": "S1", "parent": "ann"}, "sessionPolicy": None, "name": "",
               "description": "", "status": "on"}
    return {
        "policies.json": {"reads": READS, "consoleAdmin": READS},
        "users.json": {"ann": {"secretKey": "ann-secret", "status": "enabled"}, "bob": {"secretKey": "bob-secret", "status": "disabled"}},
        "groups.json": {"devs": {"version": 1, "status": "enabled", "members": ["ann"], "updatedAt": "2026-01-01T00:00:00Z"}},
        "svcaccts.json": {"S1": {**account, "accessKey": "S1", "secretKey": "s1-secret-0", "expiration": NEVER},
                          "S2": {**account, "accessKey": "S2", "secretKey": "s2-secret-0", "expiration": "2030-01-01T00:00:00Z"}},
        "user_mappings.json": {},
        "group_mappings.json": {"devs": {"version": 1, "policy": "reads", "updatedAt": "2026-01-01T00:00:00Z"}},
        "stsuser_mappings.json": {},
    }


class Stream(io.RawIOBase):
    """As a response is: what was written stays, so the sizes of each file come after it."""

    def __init__(self):
        self.bytes = b""

    def writable(self):
        return True

    def write(self, more):
        self.bytes += bytes(more)
        return len(more)


def archive(files):
    stream = Stream()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files.items():
            packed.writestr(f"iam-assets/{name}", json.dumps(content))
    return stream.bytes


def refused(status, code):
    return status, json.dumps({"Code": code, "Message": f"{code} it is", "RequestId": "1"}).encode()


class Minio:
    """Answers of the admin API; `secret`: of the root key that it knows."""

    def __init__(self, between, node, secret=ROOT[1], export=None, quotas=None):
        self.secret, self.export, self.quotas = secret, export, quotas or {}
        self.asked = []
        self.proxy = between(node, self.answer)

    def is_signed(self, method, path):
        headers = self.proxy.current.headers
        sent = headers.get("Authorization", "")
        if headers.get("x-amz-content-sha256") != EMPTY or not sent.startswith("AWS4-HMAC-SHA256 "):
            return False
        names = re.search("SignedHeaders=([^,]+)", sent)[1].split(";")
        signer = Signer(ROOT[0], self.secret)
        signer.time = headers["x-amz-date"]
        canonical, _ = signer.canonical(method, path, {n: headers[n] for n in names}, EMPTY)
        return sent.endswith("Signature=" + signer.sign("AWS4-HMAC-SHA256", sha256(canonical.encode())))

    def answer(self, method, path, _):
        if not path.startswith("/minio/"):
            return None
        self.asked.append(f"{method} {path}")
        if not self.is_signed(method, path):
            return refused(403, "SignatureDoesNotMatch")
        if path == "/minio/admin/v3/export-iam":
            return 200, self.export if self.export is not None else archive(exported())
        bucket = re.fullmatch(r"/minio/admin/v3/get-bucket-quota\?bucket=(.+)", path)
        if not bucket:
            return refused(404, "XMinioInvalid")
        found = self.quotas.get(bucket[1])
        return refused(404, "XMinioAdminNoSuchQuotaConfiguration") if found is None else (200, json.dumps(found).encode())

    def url(self):
        return self.proxy.url()


def test_users_keys_and_quotas_come_by_the_admin_api(guarded_two, between):
    source, target = guarded_two
    for name in ("files", "limited", "unlimited"):
        s3_of(source, ROOT).create_bucket(Bucket=name)
    s3_of(source, ROOT).put_object(Bucket="files", Key="k", Body=b"data")
    minio = Minio(between, source, quotas={"limited": {"size": 10 << 30, "rate": 0, "requests": 0, "quotatype": "hard"},
                                           "unlimited": {"size": 0, "rate": 0, "requests": 0}})
    buckets = ("--bucket", "files", "--bucket", "limited=tight", "--bucket", "unlimited")
    said = run(target, minio.url(), *buckets, "--minio-admin", environment=SIGNED)
    assert minio.asked[0] == "GET /minio/admin/v3/export-iam"
    assert "service account S2 of ann: it expires" in said and "service account S1" not in said
    assert "quota: not carried over: 10.0 GiB; `cairn bucket quota tight --bytes 10737418240` sets it" in said
    assert said.count("quota:") == 1
    for key in (("ann", "ann-secret"), ("S1", "s1-secret-0")):
        assert s3_of(target, key).get_object(Bucket="files", Key="k")["Body"].read() == b"data"
    assert [k["Status"] for k in iam_of(target).list_access_keys(UserName="bob")["AccessKeyMetadata"]] == ["Inactive"]
    names = {p["PolicyName"] for p in iam_of(target).list_policies()["Policies"]}
    assert "reads" in names and "consoleAdmin" not in names, "MinIO's own policy, which nobody has"
    again = json.loads(run(target, minio.url(), *buckets, "--minio-admin", "--json", environment=SIGNED))
    assert again["complete"] and again["copied"]["objects"] == 0


@pytest.mark.parametrize("damage", ["no zip", "cut", "a file is missing", "a flipped bit"])
def test_of_a_broken_export_nothing_is_taken(guarded_two, between, damage):
    source, target = guarded_two
    s3_of(source, ROOT).create_bucket(Bucket="files")
    whole = archive(exported())
    files = {name: content for name, content in exported().items() if name != "group_mappings.json"}
    at = whole.index(b"users.json") + 20
    export = {"no zip": b"<html/>", "cut": whole[:-30], "a file is missing": archive(files),
              "a flipped bit": whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1:]}[damage]
    said = run(target, Minio(between, source, export=export).url(), "--bucket", "files", "--minio-admin", environment=SIGNED, status=1)
    assert "failed: users, groups and policies" in said and "bucket files" in said
    assert not iam_of(target).list_users()["Users"]


def test_what_the_admin_api_refuses_is_said(guarded_two, between):
    source, target = guarded_two
    s3_of(source, ROOT).create_bucket(Bucket="files")
    minio = Minio(between, source, secret="another-secret")
    said = run(target, minio.url(), "--bucket", "files", "--minio-admin", environment=SIGNED, status=1)
    assert "the admin API of the source: SignatureDoesNotMatch: SignatureDoesNotMatch it is" in said
    assert "quota: not readable: the source: SignatureDoesNotMatch" in said
    assert "--minio-admin excludes" in run(target, minio.url(), "--minio-admin", "--users", environment=SIGNED, status=2)
