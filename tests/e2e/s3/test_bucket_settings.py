"""What a bucket is made with: its list, its tags, whose its objects are; made again; lists in bodies."""
import json

from rights import command, new_key
from signing import ACCESS, SECRET, Signer, sha256

ALL_USERS = ('<Grant><Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="Group">'
             "<URI>http://acs.amazonaws.com/groups/global/AllUsers</URI></Grantee><Permission>{}</Permission></Grant>")


def call(node, method, path, body=b"", signer=None, **headers):
    signed = (signer or Signer()).headers(method, f"127.0.0.1:{node.http_port}", path, sha256(body), **headers)
    return node.request(method, path, body or None, signed)


def code(answer):
    return answer.status, answer.code()


def public(node, path):
    body = call(node, "GET", path + "?acl").body.decode()
    assert "FULL_CONTROL" in body
    return [p for p in ("READ", "WRITE") if "AllUsers</URI></Grantee><Permission>" + p + "<" in body]


def key_of(node, *arguments):
    key = new_key(node, *arguments)
    return key[0], Signer(*key)


def test_a_bucket_is_made_with_its_list_and_tags(guarded):
    body = b"<CreateBucketConfiguration><Tags><Tag><Key>a</Key><Value>1</Value></Tag></Tags></CreateBucketConfiguration>"
    assert call(guarded, "PUT", "/tagged", body, x_amz_acl="public-read").status == 200
    assert b"<Key>a</Key><Value>1</Value>" in call(guarded, "GET", "/tagged?tagging").body
    assert public(guarded, "/tagged") == ["READ"]
    assert guarded.get("/tagged").status == 200
    assert code(call(guarded, "PUT", "/tagged", body.replace(b">1<", b">2<"))) == (409, "BucketAlreadyOwnedByYou")
    assert public(guarded, "/tagged") == ["READ"]


def test_a_bucket_that_is_made_again_gets_the_list_that_is_asked_for(guarded):
    assert call(guarded, "PUT", "/again", x_amz_acl="public-read-write").status == 200
    assert public(guarded, "/again") == ["READ", "WRITE"]
    assert call(guarded, "PUT", "/again/k", b"x").status == 200
    assert call(guarded, "PUT", "/again", x_amz_acl="private").status == 200
    assert public(guarded, "/again") == [] and guarded.get("/again").status == 403
    assert call(guarded, "PUT", "/again", x_amz_acl="public-read").status == 200
    assert public(guarded, "/again") == ["READ"]
    assert call(guarded, "PUT", "/again").status == 200
    assert public(guarded, "/again") == []
    assert call(guarded, "GET", "/again/k").body == b"x"


def test_only_an_owner_makes_a_bucket_again(guarded):
    assert call(guarded, "PUT", "/theirs").status == 200
    name, signer = key_of(guarded, "--create-buckets")
    assert code(call(guarded, "PUT", "/theirs", signer=signer, x_amz_acl="public-read")) == (409, "BucketAlreadyExists")
    command(guarded, "key", "allow", name, "theirs", "--read", "--write")
    assert code(call(guarded, "PUT", "/theirs", signer=signer, x_amz_acl="public-read")) == (409, "BucketAlreadyExists")
    assert public(guarded, "/theirs") == []
    command(guarded, "key", "allow", name, "theirs", "--owner")
    assert call(guarded, "PUT", "/theirs", signer=signer, x_amz_acl="public-read").status == 200
    assert public(guarded, "/theirs") == ["READ"]


def test_its_owner_is_told_why_a_bucket_is_not_made_public_again(guarded):
    assert call(guarded, "PUT", "/shut").status == 200
    block = b"<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls></PublicAccessBlockConfiguration>"
    assert call(guarded, "PUT", "/shut?publicAccessBlock", block).status == 200
    assert code(call(guarded, "PUT", "/shut", x_amz_acl="public-read")) == (403, "AccessDenied")
    name, signer = key_of(guarded, "--create-buckets")
    assert code(call(guarded, "PUT", "/shut", signer=signer, x_amz_acl="public-read")) == (409, "BucketAlreadyExists")
    command(guarded, "key", "allow", name, "shut", "--owner")
    assert code(call(guarded, "PUT", "/shut", signer=signer, x_amz_acl="public-read")) == (403, "AccessDenied")


def test_where_the_owner_is_enforced_no_list_makes_anything_public(guarded):
    enforced = {"x_amz_object_ownership": "BucketOwnerEnforced"}
    assert code(call(guarded, "PUT", "/enforced", x_amz_acl="public-read", **enforced)) == (400, "InvalidBucketAclWithObjectOwnership")
    assert call(guarded, "PUT", "/enforced", **enforced).status == 200
    assert b"<ObjectOwnership>BucketOwnerEnforced<" in call(guarded, "GET", "/enforced?ownershipControls").body
    assert b"<Name>enforced</Name>" in call(guarded, "GET", "/").body
    refused = (400, "AccessControlListNotSupported")
    assert call(guarded, "PUT", "/enforced/k", b"x", x_amz_acl="bucket-owner-full-control").status == 200
    assert code(call(guarded, "PUT", "/enforced/k", b"y", x_amz_acl="public-read")) == refused
    assert code(call(guarded, "PUT", "/enforced/large", b"y" * 3_000_000, x_amz_acl="public-read")) == refused
    assert code(call(guarded, "PUT", "/enforced/l", x_amz_copy_source="/enforced/k", x_amz_acl="public-read")) == refused
    assert code(call(guarded, "POST", "/enforced/m?uploads", x_amz_acl="public-read")) == refused
    assert code(call(guarded, "PUT", "/enforced/k?acl", x_amz_acl="public-read")) == refused
    assert code(call(guarded, "PUT", "/enforced?acl", x_amz_acl="public-read-write")) == refused
    assert code(call(guarded, "PUT", "/enforced", x_amz_acl="public-read")) == refused
    assert command(guarded, "bucket", "public-read", "enforced", "on").returncode != 0
    assert call(guarded, "GET", "/enforced/k").body == b"x"
    assert guarded.get("/enforced/k").status == 403 and guarded.get("/enforced").status == 403
    assert code(call(guarded, "PUT", "/enforced", x_amz_object_ownership="ObjectWriter")) == (409, "BucketAlreadyOwnedByYou")
    assert call(guarded, "DELETE", "/enforced?ownershipControls").status == 204
    assert call(guarded, "GET", "/enforced?ownershipControls").code() == "OwnershipControlsNotFoundError"
    assert call(guarded, "PUT", "/enforced?acl", x_amz_acl="public-read").status == 200
    assert guarded.get("/enforced").status == 200


def controls(ownership):
    return f"<OwnershipControls><Rule><ObjectOwnership>{ownership}</ObjectOwnership></Rule></OwnershipControls>".encode()


def test_the_ownership_of_a_bucket_is_put_read_and_removed(guarded):
    assert call(guarded, "PUT", "/owned", x_amz_acl="public-read").status == 200
    assert code(call(guarded, "GET", "/owned?ownershipControls")) == (404, "OwnershipControlsNotFoundError")
    assert call(guarded, "PUT", "/owned/k", b"x", x_amz_acl="public-read").status == 200
    assert guarded.get("/owned/k").status == 200
    enforced = controls("BucketOwnerEnforced")
    assert code(call(guarded, "PUT", "/owned?ownershipControls", enforced)) == (400, "InvalidBucketAclWithObjectOwnership")
    for ownership in ("ObjectWriter", "BucketOwnerPreferred"):
        assert call(guarded, "PUT", "/owned?ownershipControls", controls(ownership)).status == 200
        assert f"<ObjectOwnership>{ownership}<".encode() in call(guarded, "GET", "/owned?ownershipControls").body
    assert code(call(guarded, "PUT", "/owned?ownershipControls", controls("Nobody"))) == (400, "MalformedXML")
    assert call(guarded, "PUT", "/owned?acl", x_amz_acl="private").status == 200
    assert call(guarded, "PUT", "/owned?ownershipControls", enforced).status == 200

    # The object's own list has no effect, and is not shown.
    assert guarded.get("/owned/k").status == 403 and guarded.head("/owned/k").status == 403
    assert public(guarded, "/owned/k") == []
    tags = b"<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>"
    assert call(guarded, "PUT", "/owned/k?tagging", tags).status == 200
    _, stranger = key_of(guarded)
    assert code(call(guarded, "GET", "/owned/k", signer=stranger)) == (403, "AccessDenied")
    for query in ("/owned?acl", "/owned/k?acl"):
        assert code(call(guarded, "PUT", query, x_amz_acl="private")) == (400, "AccessControlListNotSupported")
        assert call(guarded, "PUT", query, x_amz_acl="bucket-owner-full-control").status == 200
    assert code(call(guarded, "PUT", "/owned/l", b"x", x_amz_acl="private")) == (400, "AccessControlListNotSupported")
    assert code(call(guarded, "PUT", "/owned/k?acl", x_amz_acl="public-read")) == (400, "AccessControlListNotSupported")
    assert code(call(guarded, "PUT", "/owned?acl", x_amz_acl="public-read")) == (400, "AccessControlListNotSupported")

    assert call(guarded, "PUT", "/owned/k2", b"x").status == 200
    assert call(guarded, "DELETE", "/owned?ownershipControls").status == 204
    assert call(guarded, "DELETE", "/owned?ownershipControls").status == 204
    assert code(call(guarded, "GET", "/owned?ownershipControls")) == (404, "OwnershipControlsNotFoundError")
    assert call(guarded, "PUT", "/owned/k2?acl", x_amz_acl="public-read").status == 200
    assert guarded.get("/owned/k2").status == 200


def test_the_ownership_of_a_bucket_is_its_owners(guarded):
    assert call(guarded, "PUT", "/whose").status == 200
    name, signer = key_of(guarded)
    command(guarded, "key", "allow", name, "whose", "--read", "--write")
    enforced = controls("BucketOwnerEnforced")
    assert call(guarded, "GET", "/whose?ownershipControls", signer=signer).code() == "OwnershipControlsNotFoundError"
    assert code(call(guarded, "PUT", "/whose?ownershipControls", enforced, signer)) == (403, "AccessDenied")
    assert code(call(guarded, "DELETE", "/whose?ownershipControls", signer=signer)) == (403, "AccessDenied")
    rule = {"Effect": "Allow", "Principal": "*", "Action": "s3:PutBucketOwnershipControls", "Resource": "arn:aws:s3:::whose"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [rule]}).encode()
    assert call(guarded, "PUT", "/whose?policy", policy).status == 204
    assert call(guarded, "PUT", "/whose?ownershipControls", enforced, signer).status == 200
    assert call(guarded, "PUT", "/whose?policy", policy.replace(b"Allow", b"Deny")).status == 204
    for who in (signer, None):
        assert code(call(guarded, "DELETE", "/whose?ownershipControls", signer=who)) == (403, "AccessDenied")
    assert b"BucketOwnerEnforced" in call(guarded, "GET", "/whose?ownershipControls").body


def test_boto3_puts_the_ownership_of_a_bucket(node, s3):
    node.bucket("boto3-owned")
    rules = [{"ObjectOwnership": "BucketOwnerEnforced"}]
    s3.put_bucket_ownership_controls(Bucket="boto3-owned", OwnershipControls={"Rules": rules})
    assert s3.get_bucket_ownership_controls(Bucket="boto3-owned")["OwnershipControls"]["Rules"] == rules
    s3.delete_bucket_ownership_controls(Bucket="boto3-owned")


def test_an_enforced_owner_survives_a_restart(start_node):
    node = start_node(auth_anonymous="none", auth_root_access_key=ACCESS, auth_root_secret_key=SECRET)
    assert call(node, "PUT", "/kept", x_amz_object_ownership="BucketOwnerEnforced").status == 200
    node.stop()
    node.start()
    assert code(call(node, "PUT", "/kept?acl", x_amz_acl="public-read")) == (400, "AccessControlListNotSupported")


def test_lists_in_bodies_that_say_what_a_canned_list_says_are_taken(guarded):
    assert call(guarded, "PUT", "/lists").status == 200
    assert call(guarded, "PUT", "/lists/k", b"data").status == 200
    for path in ("/lists/k", "/lists"):
        own = call(guarded, "GET", path + "?acl").body
        assert call(guarded, "PUT", path + "?acl", own).status == 200 and public(guarded, path) == []
        readable = own.replace(b"</AccessControlList>", ALL_USERS.format("READ").encode() + b"</AccessControlList>")
        assert call(guarded, "PUT", path + "?acl", readable).status == 200 and public(guarded, path) == ["READ"]
        assert guarded.get(path).status == 200
        other = readable.replace(b"global/AllUsers", b"s3/LogDelivery")
        assert code(call(guarded, "PUT", path + "?acl", other)) == (501, "NotImplemented")
        assert code(call(guarded, "PUT", path + "?acl", readable, x_amz_acl="private")) == (400, "UnexpectedContent")
        assert code(call(guarded, "PUT", path + "?acl")) == (400, "MissingSecurityHeader")
        assert public(guarded, path) == ["READ"]
        assert call(guarded, "PUT", path + "?acl", own).status == 200 and guarded.get(path).status == 403


def test_an_upload_is_not_begun_whose_condition_does_not_hold(guarded):
    assert call(guarded, "PUT", "/begun").status == 200
    etag = call(guarded, "PUT", "/begun/k", b"data").header("etag")
    assert call(guarded, "POST", "/begun/k?uploads", If_None_Match="*").code() == "PreconditionFailed"
    assert call(guarded, "POST", "/begun/k?uploads", If_None_Match=etag).code() == "PreconditionFailed"
    assert call(guarded, "POST", "/begun/k?uploads", If_Match='"00"').code() == "PreconditionFailed"
    assert call(guarded, "POST", "/begun/absent?uploads", If_Match="*").code() == "NoSuchKey"
    assert call(guarded, "POST", "/begun/k?uploads", If_Match=etag).status == 200
    assert call(guarded, "POST", "/begun/absent?uploads", If_None_Match="*").status == 200
    assert call(guarded, "POST", "/absent/k?uploads", If_None_Match="*").code() == "NoSuchBucket"


def test_buckets_of_another_region_are_neither_made_nor_listed(guarded):
    body = b"<CreateBucketConfiguration><LocationConstraint>mars-north-1</LocationConstraint></CreateBucketConfiguration>"
    assert code(call(guarded, "PUT", "/faraway", body)) == (400, "IllegalLocationConstraintException")
    assert call(guarded, "HEAD", "/faraway").status == 404
    assert call(guarded, "PUT", "/near").status == 200
    assert b"<Name>near<" in call(guarded, "GET", "/?bucket-region=us-east-1").body
    assert b"<Name>" not in call(guarded, "GET", "/?bucket-region=mars-north-1").body
