"""Multipart uploads, copies, tags and attributes by boto3 and by hand, against the real node."""
import base64
import hashlib
import os
import zlib

import pytest

from cairn_node import MIB, eventually
from s3_client import client_of, refusal

from boto3.s3.transfer import TransferConfig  # installed: s3_client skips otherwise

PART = 5 * MIB


def etag_of(bodies):
    return '"' + hashlib.md5(b"".join(hashlib.md5(b).digest() for b in bodies)).hexdigest() + f'-{len(bodies)}"'


class Upload:
    def __init__(self, s3, bucket, key, **more):
        self.s3, self.name = s3, {"Bucket": bucket, "Key": key}
        self.name["UploadId"] = s3.create_multipart_upload(**self.name, **more)["UploadId"]
        self.parts = {}

    def part(self, number, body, **more):
        answer = self.s3.upload_part(**self.name, PartNumber=number, Body=body, **more)
        assert answer["ETag"] == f'"{hashlib.md5(body).hexdigest()}"'
        self.parts[number] = {"PartNumber": number, "ETag": answer["ETag"]}
        return self

    def choice(self, *numbers):
        return {"Parts": [self.parts[n] for n in numbers or sorted(self.parts)]}

    def complete(self, *numbers, **more):
        return self.s3.complete_multipart_upload(**self.name, MultipartUpload=self.choice(*numbers), **more)

    def refused(self, *numbers, **more):
        return refusal(self.s3.complete_multipart_upload, **self.name, MultipartUpload=self.choice(*numbers), **more)


def test_parts_in_any_order_become_one_object(s3, bucket):
    bodies = [os.urandom(PART), os.urandom(PART + 77), os.urandom(1000)]
    upload = Upload(s3, bucket, "a/b c+é", ContentType="text/plain", Metadata={"who": "me"}, Tagging="x=1&y=a%20b")
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0
    for number in (3, 1, 2):
        upload.part(number * 10, bodies[number - 1])
    listed = s3.list_parts(**upload.name)
    assert [(p["PartNumber"], p["Size"]) for p in listed["Parts"]] == [(10, PART), (20, PART + 77), (30, 1000)]
    assert [p["PartNumber"] for page in s3.get_paginator("list_parts").paginate(**upload.name, PaginationConfig={"PageSize": 2})
            for p in page["Parts"]] == [10, 20, 30]
    assert upload.complete()["ETag"] == etag_of(bodies)

    whole = b"".join(bodies)
    got = s3.get_object(Bucket=bucket, Key="a/b c+é")
    assert got["Body"].read() == whole and got["ETag"] == etag_of(bodies)
    assert (got["ContentType"], got["Metadata"], got["TagCount"]) == ("text/plain", {"who": "me"}, 2)
    for first, last in ((0, 0), (PART - 1, PART), (PART - 10, 2 * PART + 100), (len(whole) - 1, len(whole) - 1)):
        part = s3.get_object(Bucket=bucket, Key="a/b c+é", Range=f"bytes={first}-{last}")
        assert part["Body"].read() == whole[first:last + 1]
    second = s3.get_object(Bucket=bucket, Key="a/b c+é", PartNumber=20)
    assert second["Body"].read() == bodies[1] and second["PartsCount"] == 3
    assert second["ResponseMetadata"]["HTTPStatusCode"] == 206
    assert s3.head_object(Bucket=bucket, Key="a/b c+é", PartNumber=30)["ContentLength"] == 1000
    assert refusal(s3.get_object, Bucket=bucket, Key="a/b c+é", PartNumber=2) == (400, "InvalidPart")
    told = s3.get_object_attributes(Bucket=bucket, Key="a/b c+é", ObjectAttributes=["ETag", "ObjectParts", "ObjectSize"])
    assert told["ETag"] == etag_of(bodies).strip('"') and told["ObjectSize"] == len(whole)
    assert [p["Size"] for p in told["ObjectParts"]["Parts"]] == [len(b) for b in bodies]
    assert refusal(s3.list_parts, **upload.name) == (404, "NoSuchUpload")


def test_completing_again_answers_the_same(s3, bucket):
    upload = Upload(s3, bucket, "k").part(1, b"only")
    first = upload.complete()
    assert upload.complete()["ETag"] == first["ETag"]
    s3.put_object(Bucket=bucket, Key="k", Body=b"other")
    assert upload.refused() == (404, "NoSuchUpload")


def test_only_the_upload_that_made_the_object_is_completed_again(s3, bucket):
    made = Upload(s3, bucket, "k").part(1, b"same")
    made.complete()
    aborted = Upload(s3, bucket, "k").part(1, b"same")
    s3.abort_multipart_upload(**aborted.name)
    assert aborted.refused() == (404, "NoSuchUpload")
    aborted.name["UploadId"] = "0123456789abcdef" * 2
    assert aborted.refused() == (404, "NoSuchUpload")
    assert made.complete()["ETag"] == etag_of([b"same"])


@pytest.mark.parametrize("body", [b"same", b""])
def test_an_aborted_upload_is_not_completed_by_a_later_one_with_the_same_parts(s3, bucket, body):
    aborted = Upload(s3, bucket, "k").part(1, body)
    s3.abort_multipart_upload(**aborted.name)
    made = Upload(s3, bucket, "k").part(1, body)
    made.complete()
    assert aborted.refused() == (404, "NoSuchUpload")
    assert made.complete()["ETag"] == etag_of([body])
    aborted.name["UploadId"] = made.name["UploadId"][:16] + "0" * 16
    assert aborted.refused() == (404, "NoSuchUpload"), "an invented one"
    s3.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": "k"})
    made.name["Key"] = "copy"
    assert made.refused() == (404, "NoSuchUpload"), "a copy"


def test_completing_again_checks_what_is_said_about_the_object(node, s3, bucket):
    upload = Upload(s3, bucket, "k").part(1, b"only")
    upload.complete()
    body = f"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{upload.parts[1]['ETag']}</ETag></Part></CompleteMultipartUpload>"

    def again(**headers):
        return node.request("POST", f"/{bucket}/k?uploadId={upload.name['UploadId']}", body, {k.replace("_", "-"): v for k, v in headers.items()})
    assert again(x_amz_mp_object_size="4").status == 200
    assert again(x_amz_mp_object_size="5").code() == "InvalidRequest"
    assert again(x_amz_checksum_crc32="AAAAAA==").code() == "BadDigest"
    assert again(x_amz_checksum_algorithm="CRC7").code() == "InvalidRequest"


def test_wrong_completions_are_refused_and_leave_the_upload(s3, bucket):
    upload = Upload(s3, bucket, "k").part(1, os.urandom(PART)).part(2, b"small").part(3, os.urandom(PART))
    assert upload.refused(1, 2, 3) == (400, "EntityTooSmall")
    assert upload.refused(3, 1) == (400, "InvalidPartOrder")
    upload.parts[4] = {"PartNumber": 4, "ETag": upload.parts[1]["ETag"]}
    assert upload.refused(1, 4) == (400, "InvalidPart")
    del upload.parts[4]
    good = dict(upload.parts[1])
    upload.parts[1]["ETag"] = '"' + "0" * 32 + '"'
    assert upload.refused(1, 3) == (400, "InvalidPart")
    upload.parts[1] = good
    assert refusal(s3.complete_multipart_upload, **upload.name) == (400, "MalformedXML")
    assert refusal(s3.upload_part, **{**upload.name, "UploadId": "nonsense"}, PartNumber=1, Body=b"x") == (404, "NoSuchUpload")
    assert refusal(s3.upload_part, **upload.name, PartNumber=10001, Body=b"x") == (400, "InvalidArgument")
    assert refusal(s3.upload_part, **{**upload.name, "Key": "other"}, PartNumber=1, Body=b"x") == (404, "NoSuchUpload")
    wrong = base64.b64encode(hashlib.md5(b"y").digest()).decode()
    assert refusal(s3.upload_part, **upload.name, PartNumber=5, Body=b"x", ContentMD5=wrong) == (400, "BadDigest")
    assert upload.complete(1, 3)["ETag"].endswith('-2"')


def test_conditions_hold_for_completions(node, s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"there")
    upload = Upload(s3, bucket, "k").part(1, b"new")
    body = f"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{upload.parts[1]['ETag']}</ETag></Part></CompleteMultipartUpload>"
    path = f"/{bucket}/k?uploadId={upload.name['UploadId']}"
    refused = node.request("POST", path, body, {"If-None-Match": "*"})
    assert (refused.status, refused.code()) == (412, "PreconditionFailed")
    refused = node.request("POST", path, body, {"If-Match": '"00"'})
    assert (refused.status, refused.code()) == (412, "PreconditionFailed")
    there = hashlib.md5(b"there").hexdigest()
    assert node.request("POST", path, body, {"If-Match": f'"{there}"'}).status == 200
    assert node.get(f"/{bucket}/k").body == b"new"


def test_uploads_are_listed_and_aborted(s3, bucket):
    uploads = [Upload(s3, bucket, key).part(1, b"x" * 100_000) for key in ("a/1", "a/1", "a/2", "b")]
    ids = [u.name["UploadId"] for u in uploads]
    for size in (1, 2, 1000):
        pages = s3.get_paginator("list_multipart_uploads").paginate(Bucket=bucket, PaginationConfig={"PageSize": size})
        assert [u["UploadId"] for page in pages for u in page["Uploads"]] == ids
    folded = s3.list_multipart_uploads(Bucket=bucket, Delimiter="/")
    assert [p["Prefix"] for p in folded["CommonPrefixes"]] == ["a/"] and len(folded["Uploads"]) == 1
    assert len(s3.list_multipart_uploads(Bucket=bucket, Prefix="a/2")["Uploads"]) == 1
    for upload in uploads:
        s3.abort_multipart_upload(**upload.name)
        assert refusal(s3.abort_multipart_upload, **upload.name) == (404, "NoSuchUpload")
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)


def test_space_of_aborted_and_replaced_parts_comes_back(start_node):
    node = start_node()
    s3 = client_of(node)
    upload = Upload(s3, "files", "k").part(1, os.urandom(8 * MIB)).part(1, os.urandom(8 * MIB)).part(2, os.urandom(8 * MIB))
    s3.abort_multipart_upload(**upload.name)
    other = Upload(s3, "files", "k").part(1, os.urandom(6 * MIB)).part(2, os.urandom(6 * MIB))
    other.complete(1)
    s3.delete_object(Bucket="files", Key="k")
    eventually(lambda: node.metric("cairn_chunks_reaped_total") >= 36, 30, what="36 chunks reaped")


def test_uploads_survive_a_kill(start_node):
    node = start_node()
    s3 = client_of(node)
    bodies = [os.urandom(PART), os.urandom(PART)]
    upload = Upload(s3, "files", "k").part(1, bodies[0])
    node.kill()
    node.start()
    upload.part(2, bodies[1])
    node.kill()
    node.start()
    upload.complete()
    node.kill()
    node.start()
    assert s3.get_object(Bucket="files", Key="k")["Body"].read() == b"".join(bodies)
    assert upload.complete()["ETag"] == etag_of(bodies)


def test_boto3_transfers_files_in_parts(s3, bucket, tmp_path):
    source = tmp_path / "source"
    source.write_bytes(os.urandom(100 * MIB + 5))
    config = TransferConfig(multipart_threshold=8 * MIB, multipart_chunksize=PART, max_concurrency=4)
    s3.upload_file(str(source), bucket, "big", Config=config)
    assert s3.head_object(Bucket=bucket, Key="big")["ETag"].endswith('-21"')  # more parts than a look-up brings along
    s3.download_file(bucket, "big", str(tmp_path / "back"), Config=config)
    assert (tmp_path / "back").read_bytes() == source.read_bytes()


def crc(data):
    return zlib.crc32(data).to_bytes(4, "big")


def b64(data):
    return base64.b64encode(data).decode()


@pytest.mark.parametrize("kind", ["COMPOSITE", "FULL_OBJECT"])
def test_checksums_of_parts_make_that_of_the_object(node, s3, bucket, kind):
    bodies = [os.urandom(PART), os.urandom(PART + 1), b"end"]
    begun = node.request("POST", f"/{bucket}/k?uploads", headers={"x-amz-checksum-algorithm": "CRC32", "x-amz-checksum-type": kind})
    assert begun.header("x-amz-checksum-type") == kind
    name = {"Bucket": bucket, "Key": "k", "UploadId": begun.body.split(b"<UploadId>")[1].split(b"<")[0].decode()}
    path = f"/{bucket}/k?uploadId={name['UploadId']}"
    parts = ""
    for number, body in enumerate(bodies, 1):
        headers = {"x-amz-checksum-crc32": b64(crc(body))} if number < 3 else {}  # the last one's is made here
        answer = node.request("PUT", f"{path}&partNumber={number}", body, headers)
        assert answer.status == 200 and answer.header("x-amz-checksum-crc32") == b64(crc(body)), answer
        parts += (f"<Part><PartNumber>{number}</PartNumber><ETag>{answer.header('etag')}</ETag>"
                  f"<ChecksumCRC32>{b64(crc(body))}</ChecksumCRC32></Part>")
    wrong = node.request("PUT", f"{path}&partNumber=4", b"x", {"x-amz-checksum-sha1": b64(hashlib.sha1(b"x").digest())})
    assert (wrong.status, wrong.code()) == (400, "InvalidRequest")
    assert s3.list_parts(**name)["Parts"][0]["ChecksumCRC32"] == b64(crc(bodies[0]))
    document = f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>"
    lying = node.request("POST", path, document.replace(b64(crc(bodies[0])), b64(b"0000")))
    assert (lying.status, lying.code()) == (400, "InvalidPart")
    lying = node.request("POST", path, document, {"x-amz-checksum-crc32": b64(b"0000")})
    assert (lying.status, lying.code()) == (400, "BadDigest")
    whole = b64(crc(b"".join(bodies))) if kind == "FULL_OBJECT" else b64(crc(b"".join(map(crc, bodies)))) + "-3"
    done = node.request("POST", path, document, {"x-amz-checksum-crc32": whole})
    assert done.status == 200 and f"<ChecksumCRC32>{whole}</ChecksumCRC32>".encode() in done.body, done
    told = node.head(f"/{bucket}/k", x_amz_checksum_mode="ENABLED")
    assert (told.header("x-amz-checksum-crc32"), told.header("x-amz-checksum-type")) == (whole, kind)
    for number, body in enumerate(bodies, 1):
        part = node.get(f"/{bucket}/k?partNumber={number}", x_amz_checksum_mode="ENABLED")
        assert part.body == body and part.header("x-amz-checksum-crc32") == b64(crc(body))
    parts = s3.get_object_attributes(Bucket=bucket, Key="k", ObjectAttributes=["ObjectParts"])["ObjectParts"]["Parts"]
    assert [p["ChecksumCRC32"] for p in parts] == [b64(crc(body)) for body in bodies]


def crc64nvme(data, table=[]):
    if not table:
        for byte in range(256):
            for _ in range(8):
                byte = byte >> 1 ^ (0x9a6c9329ac4bc9b5 if byte & 1 else 0)
            table.append(byte)
    state = 2**64 - 1
    for byte in data:
        state = state >> 8 ^ table[(state ^ byte) & 0xff]
    return b64((state ^ (2**64 - 1)).to_bytes(8, "big"))


@pytest.mark.parametrize("size", [0, 9, 100_000, MIB + 7])
def test_a_body_without_a_checksum_gets_crc64nvme(node, bucket, size):
    body = os.urandom(size)
    put = node.request("PUT", f"/{bucket}/k", body)
    assert put.header("x-amz-checksum-crc64nvme") == crc64nvme(body), put
    assert put.header("x-amz-checksum-type") == "FULL_OBJECT"
    told = node.head(f"/{bucket}/k", x_amz_checksum_mode="ENABLED")
    assert told.header("x-amz-checksum-crc64nvme") == crc64nvme(body)
    assert node.head(f"/{bucket}/k").header("x-amz-checksum-crc64nvme") is None
    node.request("PUT", f"/{bucket}/k", body, {"x-amz-checksum-crc32": b64(crc(body))})
    assert node.head(f"/{bucket}/k", x_amz_checksum_mode="ENABLED").header("x-amz-checksum-crc64nvme") is None


def test_an_upload_without_an_algorithm_gets_crc64nvme_of_the_whole_object(node, s3, bucket):
    bodies = [os.urandom(PART), b"end"]
    begun = node.request("POST", f"/{bucket}/k?uploads")
    upload = begun.body.split(b"<UploadId>")[1].split(b"<")[0].decode()
    parts = ""
    for number, body in enumerate(bodies, 1):
        answer = node.request("PUT", f"/{bucket}/k?uploadId={upload}&partNumber={number}", body)
        parts += f"<Part><PartNumber>{number}</PartNumber><ETag>{answer.header('etag')}</ETag></Part>"
    done = node.request("POST", f"/{bucket}/k?uploadId={upload}", f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>")
    whole = crc64nvme(b"".join(bodies))
    assert f"<ChecksumCRC64NVME>{whole}</ChecksumCRC64NVME>".encode() in done.body, done
    told = node.head(f"/{bucket}/k", x_amz_checksum_mode="ENABLED")
    assert (told.header("x-amz-checksum-crc64nvme"), told.header("x-amz-checksum-type")) == (whole, "FULL_OBJECT")


def test_empty_files_can_be_uploaded_in_parts(s3, bucket):
    Upload(s3, bucket, "empty").part(1, b"").complete()
    got = s3.get_object(Bucket=bucket, Key="empty")
    assert got["Body"].read() == b"" and got["ETag"].endswith('-1"')


# Copies

@pytest.mark.parametrize("size", [0, 1000, 3 * MIB + 7])
def test_copies_have_the_bytes_and_outlive_their_source(s3, bucket, size):
    body = os.urandom(size)
    s3.put_object(Bucket=bucket, Key="a+ é", Body=body, ContentType="a/b", Metadata={"m": "1"}, Tagging="t=1")
    source = {"Bucket": bucket, "Key": "a+ é"}
    done = s3.copy_object(Bucket=bucket, Key="copy", CopySource=source)
    assert done["CopyObjectResult"]["ETag"] == f'"{hashlib.md5(body).hexdigest()}"'
    s3.copy_object(Bucket=bucket, Key="changed", CopySource=source, MetadataDirective="REPLACE", ContentType="c/d",
                   TaggingDirective="REPLACE", Tagging="u=2")
    s3.delete_object(**source)
    copy = s3.get_object(Bucket=bucket, Key="copy")
    assert copy["Body"].read() == body and copy["ContentType"] == "a/b" and copy["Metadata"] == {"m": "1"}
    changed = s3.get_object(Bucket=bucket, Key="changed")
    assert changed["Body"].read() == body and changed["ContentType"] == "c/d" and changed["Metadata"] == {}
    tags = [s3.get_object_tagging(Bucket=bucket, Key=k)["TagSet"] for k in ("copy", "changed")]
    assert tags == [[{"Key": "t", "Value": "1"}], [{"Key": "u", "Value": "2"}]]


def test_copies_to_itself_need_a_change(s3, bucket):
    body = os.urandom(2 * MIB)
    s3.put_object(Bucket=bucket, Key="k", Body=body)
    me = {"Bucket": bucket, "Key": "k"}
    assert refusal(s3.copy_object, **me, CopySource=me) == (400, "InvalidRequest")
    s3.copy_object(**me, CopySource=me, StorageClass="STANDARD")  # which counts as one
    for i in range(3):
        s3.copy_object(**me, CopySource=me, MetadataDirective="REPLACE", Metadata={"n": str(i)})
    got = s3.get_object(**me)
    assert got["Body"].read() == body and got["Metadata"] == {"n": "2"}


def test_conditions_on_the_source_and_the_target_of_a_copy(node, s3, bucket):
    etag = s3.put_object(Bucket=bucket, Key="k", Body=b"x")["ETag"]
    copy = {"Bucket": bucket, "Key": "c", "CopySource": {"Bucket": bucket, "Key": "k"}}
    assert refusal(s3.copy_object, **copy, CopySourceIfMatch='"no"') == (412, "PreconditionFailed")
    assert refusal(s3.copy_object, **copy, CopySourceIfNoneMatch=etag) == (412, "PreconditionFailed")
    s3.copy_object(**copy, CopySourceIfMatch=etag)
    headers = {"x-amz-copy-source": f"/{bucket}/k", "If-None-Match": "*"}
    refused = node.request("PUT", f"/{bucket}/c", headers=headers)
    assert (refused.status, refused.code()) == (412, "PreconditionFailed")
    copy["CopySource"]["Key"] = "absent"
    assert refusal(s3.copy_object, **copy) == (404, "NoSuchKey")
    copy["CopySource"]["Bucket"] = "absent-" + bucket
    assert refusal(s3.copy_object, **copy) == (404, "NoSuchBucket")


def test_parts_are_copied_from_objects(s3, bucket):
    big, small = os.urandom(12 * MIB + 3), os.urandom(900)
    s3.put_object(Bucket=bucket, Key="big", Body=big)
    s3.put_object(Bucket=bucket, Key="small", Body=small)
    Upload(s3, bucket, "made").part(1, big[:6 * MIB]).part(2, big[6 * MIB:]).complete()
    upload = Upload(s3, bucket, "k")
    ranges = [("big", 3, 6 * MIB), ("made", 5 * MIB, 11 * MIB), ("small", 100, 899)]
    for number, (key, first, last) in enumerate(ranges, 1):
        done = s3.upload_part_copy(**upload.name, PartNumber=number, CopySource={"Bucket": bucket, "Key": key},
                                   CopySourceRange=f"bytes={first}-{last}")
        upload.parts[number] = {"PartNumber": number, "ETag": done["CopyPartResult"]["ETag"]}
    source = {"Bucket": bucket, "Key": "big"}
    assert refusal(s3.upload_part_copy, **upload.name, PartNumber=9, CopySource=source,
                   CopySourceRange=f"bytes=0-{len(big)}") == (416, "InvalidRange")
    for key in ("big", "small", "made"):
        s3.delete_object(Bucket=bucket, Key=key)
    upload.complete()
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == big[3:6 * MIB + 1] + big[5 * MIB:11 * MIB + 1] + small[100:]
    part = s3.get_object(Bucket=bucket, Key="k", PartNumber=2)
    assert part["Body"].read() == big[5 * MIB:11 * MIB + 1] and part["PartsCount"] == 3


@pytest.mark.parametrize("kind", ["COMPOSITE", "FULL_OBJECT"])
def test_copied_parts_have_checksums_in_uploads_that_want_them(node, s3, bucket, kind):
    big, small = os.urandom(12 * MIB + 3), os.urandom(900)
    s3.put_object(Bucket=bucket, Key="big", Body=big)
    s3.put_object(Bucket=bucket, Key="small", Body=small)
    begun = node.request("POST", f"/{bucket}/k?uploads", headers={"x-amz-checksum-algorithm": "CRC32", "x-amz-checksum-type": kind})
    path = f"/{bucket}/k?uploadId={begun.body.split(b'<UploadId>')[1].split(b'<')[0].decode()}"
    parts, bodies = "", [big[3:6 * MIB + 1], big, small[100:]]
    for number, (key, first) in enumerate((("big", 3), ("big", 0), ("small", 100)), 1):
        headers = {"x-amz-copy-source": f"/{bucket}/{key}", "x-amz-copy-source-range": f"bytes={first}-{first + len(bodies[number - 1]) - 1}"}
        answer = node.request("PUT", f"{path}&partNumber={number}", headers=headers)
        told = f"<ChecksumCRC32>{b64(crc(bodies[number - 1]))}</ChecksumCRC32>"
        assert answer.status == 200 and told.encode() in answer.body, answer
        etag = answer.body.split(b"<ETag>")[1].split(b"<")[0].decode()
        parts += f"<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag>{told}</Part>"
    done = node.request("POST", path, f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>")
    whole = b64(crc(b"".join(bodies))) if kind == "FULL_OBJECT" else b64(crc(b"".join(map(crc, bodies)))) + "-3"
    assert done.status == 200 and f"<ChecksumCRC32>{whole}</ChecksumCRC32>".encode() in done.body, done
    assert node.get(f"/{bucket}/k").body == b"".join(bodies)


def test_boto3_copies_large_objects_in_parts(s3, bucket):
    body = os.urandom(40 * MIB)
    s3.put_object(Bucket=bucket, Key="a", Body=body)
    config = TransferConfig(multipart_threshold=8 * MIB, multipart_chunksize=8 * MIB)
    s3.copy({"Bucket": bucket, "Key": "a"}, bucket, "b", Config=config)
    assert s3.get_object(Bucket=bucket, Key="b")["Body"].read() == body


# Tags

def test_tags_are_kept_replaced_and_removed(s3, bucket):
    me = {"Bucket": bucket, "Key": "k"}
    s3.put_object(**me, Body=b"x", Tagging="a=1&b=x%20y")
    assert s3.get_object_tagging(**me)["TagSet"] == [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "x y"}]
    tags = [{"Key": "é", "Value": "<&>"}]
    s3.put_object_tagging(**me, Tagging={"TagSet": tags})
    assert s3.get_object_tagging(**me)["TagSet"] == tags
    assert s3.get_object(**me)["TagCount"] == 1
    too_many = [{"Key": str(i), "Value": ""} for i in range(11)]
    assert refusal(s3.put_object_tagging, **me, Tagging={"TagSet": too_many}) == (400, "BadRequest")
    twice = [{"Key": "a", "Value": "1"}] * 2
    assert refusal(s3.put_object_tagging, **me, Tagging={"TagSet": twice}) == (400, "InvalidTag")
    s3.delete_object_tagging(**me)
    assert s3.get_object_tagging(**me)["TagSet"] == []
    assert "TagCount" not in s3.get_object(**me)
    assert refusal(s3.get_object_tagging, Bucket=bucket, Key="absent") == (404, "NoSuchKey")


def test_buckets_have_tags(s3, bucket):
    assert refusal(s3.get_bucket_tagging, Bucket=bucket) == (404, "NoSuchTagSet")
    tags = [{"Key": f"k{i}", "Value": "é &"} for i in range(50)]
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": tags})
    assert s3.get_bucket_tagging(Bucket=bucket)["TagSet"] == tags
    assert refusal(s3.put_bucket_tagging, Bucket=bucket, Tagging={"TagSet": tags + [{"Key": "l", "Value": ""}]})[0] == 400
    s3.delete_bucket_tagging(Bucket=bucket)
    assert refusal(s3.get_bucket_tagging, Bucket=bucket) == (404, "NoSuchTagSet")
