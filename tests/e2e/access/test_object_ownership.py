"""Who owns an object, by the ownership of its bucket, and what its owner may do."""
import pytest

from identities import allow, iam_of, person, s3_of
from rights import GUARDED, bucket_of, cairn, denied, key_with, new_key, put_policy, statement
from s3_client import refusal
from signing import ROOT, call, post

DENIED = (403, "AccessDenied")
EVERYBODY = "http://acs.amazonaws.com/groups/global/AllUsers"


@pytest.fixture(scope="module")
def iam(guarded):
    return iam_of(guarded)


@pytest.fixture(scope="module")
def root(guarded):
    return s3_of(guarded, ROOT)


def owned_bucket(root, name, ownership="ObjectWriter", **lists):
    root.create_bucket(Bucket=name, ObjectOwnership=ownership, **lists)
    return name


def owner_of(client, bucket, key):
    return client.get_object_acl(Bucket=bucket, Key=key)["Owner"]["ID"]


def grants_of(answer):
    return sorted((g["Grantee"].get("ID") or g["Grantee"]["URI"], g["Permission"]) for g in answer["Grants"])


def test_a_writer_owns_what_it_writes_for_itself(guarded, iam, root):
    ann, client = person(guarded, iam, "own-ann")
    _, other = person(guarded, iam, "own-other")
    b = owned_bucket(root, "own-writer", GrantWrite=f"id={ann}")
    client.put_object(Bucket=b, Key="k", Body=b"bytes")
    root.put_object(Bucket=b, Key="of-the-account", Body=b"x")
    assert owner_of(client, b, "k") == owner_of(root, b, "k") == ann and owner_of(root, b, "of-the-account") == "cairn"
    assert grants_of(client.get_object_acl(Bucket=b, Key="k")) == [(ann, "FULL_CONTROL")]
    assert client.get_object(Bucket=b, Key="k")["Body"].read() == b"bytes" == root.get_object(Bucket=b, Key="k")["Body"].read()
    assert {o["Key"]: o["Owner"]["ID"] for o in root.list_objects(Bucket=b)["Contents"]} == {"k": ann, "of-the-account": "cairn"}
    assert [v["Owner"]["ID"] for v in root.list_object_versions(Bucket=b)["Versions"]] == [ann, "cairn"]
    for refused in (lambda: other.get_object(Bucket=b, Key="k"), lambda: other.get_object_acl(Bucket=b, Key="k"),
                    lambda: client.get_object(Bucket=b, Key="of-the-account"), lambda: client.get_object_tagging(Bucket=b, Key="k"),
                    lambda: client.put_object_acl(Bucket=b, Key="of-the-account", ACL="public-read")):
        assert refusal(refused) == DENIED
    # It decides who else may read it, and cannot lock itself out of the list.
    client.put_object_acl(Bucket=b, Key="k", ACL="public-read")
    assert guarded.get(f"/{b}/k").body == b"bytes"
    client.put_object_acl(Bucket=b, Key="k", AccessControlPolicy={"Owner": {"ID": ann}, "Grants": []})
    assert refusal(client.get_object, Bucket=b, Key="k") == DENIED and client.get_object_acl(Bucket=b, Key="k")["Grants"] == []
    assert refusal(client.put_object_acl, Bucket=b, Key="k", AccessControlPolicy={"Owner": {"ID": "cairn"}, "Grants": []}) == DENIED
    client.put_object_acl(Bucket=b, Key="k", ACL="bucket-owner-read")
    assert grants_of(root.get_object_acl(Bucket=b, Key="k")) == sorted([(ann, "FULL_CONTROL"), ("cairn", "READ")])
    # A denial is stronger than owning it, and where the bucket's owner owns all objects nobody else does.
    put_policy(guarded, b, statement(b, "s3:PutObjectAcl", effect="Deny"))
    assert refusal(client.put_object_acl, Bucket=b, Key="k", ACL="private") == DENIED
    assert call(guarded, "DELETE", f"/{b}?policy").status == 204
    root.put_bucket_acl(Bucket=b, ACL="private")
    root.put_bucket_ownership_controls(Bucket=b, OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]})
    assert refusal(client.get_object, Bucket=b, Key="k") == DENIED and owner_of(root, b, "k") == "cairn"


def test_who_acts_for_the_account_owns_nothing(guarded, iam, root):
    b = owned_bucket(root, "own-account", ACL="public-read-write")
    ann, client = person(guarded, iam, "own-acting")
    iam.put_user_policy(UserName="own-acting", PolicyName="put", PolicyDocument=allow("s3:PutObject", f"arn:aws:s3:::{b}/*"))
    client.put_object(Bucket=b, Key="k", Body=b"x")
    writer = key_with(guarded, b, "write")
    assert call(guarded, "PUT", f"/{b}/l", b"x", writer).status == 200
    assert owner_of(root, b, "k") == owner_of(root, b, "l") == "cairn"
    assert refusal(client.get_object, Bucket=b, Key="k") == DENIED
    for refused in (call(guarded, "PUT", f"/{b}/l", b"x", writer, x_amz_acl="public-read"), call(guarded, "PUT", f"/{b}/l?acl", b"", writer, x_amz_acl="public-read")):
        assert denied(refused)
    assert refusal(client.put_object, Bucket=b, Key="k", Body=b"x", ACL="public-read") == DENIED
    # Without an ownership, and where it was given none, the account owns what anybody writes.
    plain = bucket_of(guarded, "own-plain", acl="public-read-write")
    stranger = new_key(guarded)
    assert call(guarded, "PUT", f"/{plain}/k", b"x", stranger).status == 200 and owner_of(root, plain, "k") == "cairn"
    assert denied(call(guarded, "GET", f"/{plain}/k", key=stranger))


def test_bucket_owner_preferred_gives_the_bucket_owner_what_is_meant_for_it(guarded, iam, root):
    b = owned_bucket(root, "own-preferred", "BucketOwnerPreferred")
    put_policy(guarded, b, statement(b, ["s3:PutObject", "s3:ListMultipartUploadParts"]))
    ann, client = person(guarded, iam, "own-preferring")
    for list_, owner in (({}, ann), ({"ACL": "private"}, ann), ({"ACL": "bucket-owner-read"}, ann), ({"ACL": "bucket-owner-full-control"}, "cairn")):
        client.put_object(Bucket=b, Key="k", Body=b"x", **list_)
        assert owner_of(root, b, "k") == owner, list_
        begun = client.create_multipart_upload(Bucket=b, Key="parts", **list_)["UploadId"]
        shown = client.list_parts(Bucket=b, Key="parts", UploadId=begun)
        assert shown["Owner"]["ID"] == shown["Initiator"]["ID"] == owner
        assert root.list_multipart_uploads(Bucket=b)["Uploads"][0]["Owner"]["ID"] == owner
        part = client.upload_part(Bucket=b, Key="parts", UploadId=begun, PartNumber=1, Body=b"part")
        client.complete_multipart_upload(Bucket=b, Key="parts", UploadId=begun, MultipartUpload={"Parts": [{"ETag": part["ETag"], "PartNumber": 1}]})
        assert owner_of(root, b, "parts") == owner
        client.put_object(Bucket=b, Key="source", Body=b"x")
        client.copy_object(Bucket=b, Key="copy", CopySource=f"{b}/source", **list_)
        assert owner_of(root, b, "copy") == owner
    assert refusal(client.get_object, Bucket=b, Key="k") == DENIED


def test_writers_publish_and_tag_what_they_write_until_the_bucket_blocks_it(guarded, root):
    b = owned_bucket(root, "own-public", ACL="public-read-write")
    plain = bucket_of(guarded, "own-not-public", acl="public-read-write")
    fields = {"key": "form", "acl": "public-read", "tagging": "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>"}
    assert post(guarded, b, fields).status == 204 and guarded.get(f"/{b}/form").body == b"bytes"
    assert root.get_object_tagging(Bucket=b, Key="form")["TagSet"] == [{"Key": "a", "Value": "b"}]
    assert owner_of(root, b, "form") == "cairn" and denied(guarded.request("PUT", f"/{b}/form?acl", b"", {"x-amz-acl": "private"}))
    assert guarded.request("PUT", f"/{b}/put", b"put", {"x-amz-acl": "public-read-write"}).status == 200
    assert grants_of(root.get_object_acl(Bucket=b, Key="put")) == sorted([(EVERYBODY, "READ"), (EVERYBODY, "WRITE"), ("cairn", "FULL_CONTROL")])
    assert guarded.get(f"/{b}/put").body == b"put"
    assert denied(post(guarded, plain, fields)) and denied(guarded.request("PUT", f"/{plain}/put", b"put", {"x-amz-acl": "public-read"}))
    root.put_public_access_block(Bucket=b, PublicAccessBlockConfiguration={"BlockPublicAcls": True})
    assert denied(post(guarded, b, fields)) and post(guarded, b, {"key": "form"}).status == 204


def test_a_list_for_the_account_alone_needs_no_right_to_set_lists(guarded, iam, root):
    b = bucket_of(guarded, "own-given")
    put_policy(guarded, b, statement(b, "s3:PutObject", Condition={"StringEquals": {"s3:x-amz-grant-full-control": "id=cairn"}}))
    _, client = person(guarded, iam, "own-giver")
    client.put_object(Bucket=b, Key="k", Body=b"x", GrantFullControl="id=cairn")
    assert grants_of(root.get_object_acl(Bucket=b, Key="k")) == [("cairn", "FULL_CONTROL")]
    assert refusal(client.put_object, Bucket=b, Key="k", Body=b"x") == DENIED
    assert refusal(client.put_object, Bucket=b, Key="k", Body=b"x", GrantFullControl="id=cairn", GrantRead=f"uri={EVERYBODY}") == DENIED


def test_new_buckets_get_the_ownership_of_the_configuration(start_node):
    node = start_node(**GUARDED, auth_object_ownership="BucketOwnerEnforced")
    root = s3_of(node, ROOT)

    def ownership(bucket):
        return root.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]["Rules"][0]["ObjectOwnership"]

    root.create_bucket(Bucket="plain")
    root.create_bucket(Bucket="told", ObjectOwnership="ObjectWriter", ACL="public-read")
    assert ownership("plain") == "BucketOwnerEnforced" and ownership("told") == "ObjectWriter"
    assert refusal(root.create_bucket, Bucket="listed", ACL="public-read") == (400, "InvalidBucketAclWithObjectOwnership")
    root.put_bucket_ownership_controls(Bucket="plain", OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerPreferred"}]})
    root.create_bucket(Bucket="plain")  # again: it stays
    assert ownership("plain") == "BucketOwnerPreferred"
    key = new_key(node, "--create-buckets")
    assert call(node, "PUT", "/keys", key=key).status == 200 and ownership("keys") == "BucketOwnerEnforced"
    cairn(node, "key", "delete", key[0])
    node.stop()
    node.start()
    assert ownership("told") == "ObjectWriter"
