"""Grants of access control lists: who is granted what may do that and no more, as long as it is granted."""
import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config

from identities import allow, iam_of, person, s3_of
from rights import bucket_of, cairn, denied, key_with, new_key
from s3_client import refusal
from signing import ROOT, call, post, signed

GROUPS = "http://acs.amazonaws.com/groups/global/"
DENIED = (403, "AccessDenied")
ENFORCED = b"<OwnershipControls><Rule><ObjectOwnership>BucketOwnerEnforced</ObjectOwnership></Rule></OwnershipControls>"


@pytest.fixture(scope="module")
def iam(guarded):
    return iam_of(guarded)


@pytest.fixture(scope="module")
def root(guarded):
    return s3_of(guarded, ROOT)


def grants_of(answer):
    return sorted((g["Grantee"].get("ID") or g["Grantee"]["URI"], g["Permission"]) for g in answer["Grants"])


def document(*grants, owner="cairn"):
    def grantee(who):
        return {"Type": "Group", "URI": who} if who.startswith("http") else {"Type": "CanonicalUser", "ID": who}
    return {"Owner": {"ID": owner}, "Grants": [{"Grantee": grantee(who), "Permission": permission} for who, permission in grants]}


def may(call, **arguments):
    try:
        call(**arguments)
        return True
    except call.__self__.exceptions.ClientError as error:
        assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 403, error
        return False


def rights_in(client, bucket, key):
    """Which of the permissions a client has, by what it may do."""
    return {name for name, allowed in (
        ("READ", may(client.list_objects_v2, Bucket=bucket)),
        ("WRITE", may(client.put_object, Bucket=bucket, Key="written", Body=b"x")),
        ("READ_ACP", may(client.get_bucket_acl, Bucket=bucket)),
        ("WRITE_ACP", may(client.put_bucket_acl, Bucket=bucket, AccessControlPolicy=client_list(client, bucket))),
        ("object READ", may(client.get_object, Bucket=bucket, Key=key)),
        ("object READ_ACP", may(client.get_object_acl, Bucket=bucket, Key=key)),
    ) if allowed}


LISTS = {}


def client_list(_, bucket):
    """The bucket's present list, so that who may set it changes nothing."""
    return LISTS[bucket]


def test_each_permission_of_a_bucket_allows_what_it_says_and_at_once_no_more(guarded, iam, root):
    b = bucket_of(guarded, "acl-permissions")
    root.put_object(Bucket=b, Key="k", Body=b"bytes")
    ann, client = person(guarded, iam, "acl-ann")
    _, other = person(guarded, iam, "acl-other")
    everything = {"READ", "WRITE", "READ_ACP", "WRITE_ACP"}
    for permission in ("READ", "WRITE", "READ_ACP", "WRITE_ACP", "FULL_CONTROL"):
        LISTS[b] = document(("cairn", "FULL_CONTROL"), (ann, permission))
        root.put_bucket_acl(Bucket=b, AccessControlPolicy=LISTS[b])
        assert grants_of(root.get_bucket_acl(Bucket=b)) == sorted([(ann, permission), ("cairn", "FULL_CONTROL")])
        assert rights_in(client, b, "k") == (everything if permission == "FULL_CONTROL" else {permission}), permission
        assert rights_in(other, b, "k") == set()
        header = "Grant" + permission.title().replace("_", "").replace("Acp", "ACP")
        root.put_bucket_acl(Bucket=b, **{header: f'id="{ann}"'})
        assert grants_of(root.get_bucket_acl(Bucket=b)) == [(ann, permission)]
        LISTS[b] = document((ann, permission))
        assert rights_in(client, b, "k") == (everything if permission == "FULL_CONTROL" else {permission}), permission
    root.put_bucket_acl(Bucket=b, ACL="private")
    LISTS[b] = document(("cairn", "FULL_CONTROL"))
    assert rights_in(client, b, "k") == set()
    root.put_bucket_acl(Bucket=b, AccessControlPolicy=document())
    assert root.get_bucket_acl(Bucket=b)["Grants"] == [] and root.list_objects_v2(Bucket=b)["KeyCount"] == 2


def test_each_permission_of_an_object_is_about_this_object(guarded, iam, root):
    b = bucket_of(guarded, "acl-objects", "Enabled")
    ann, client = person(guarded, iam, "acl-reader")
    made = root.put_object(Bucket=b, Key="k", Body=b"one", GrantRead=f"id={ann}", GrantFullControl="id=cairn")
    root.put_object(Bucket=b, Key="private", Body=b"x")
    assert client.get_object(Bucket=b, Key="k")["Body"].read() == b"one" and client.head_object(Bucket=b, Key="k")["ContentLength"] == 3
    assert client.get_object_attributes(Bucket=b, Key="k", ObjectAttributes=["ObjectSize"])["ObjectSize"] == 3
    for refused in (lambda: client.get_object(Bucket=b, Key="private"), lambda: client.get_object(Bucket=b, Key="absent"),
                    lambda: client.get_object_acl(Bucket=b, Key="k"), lambda: client.get_object_tagging(Bucket=b, Key="k"),
                    lambda: client.put_object_acl(Bucket=b, Key="k", ACL="public-read"), lambda: client.delete_object(Bucket=b, Key="k")):
        assert refusal(refused) == DENIED
    # Versions have lists of their own.
    root.put_object(Bucket=b, Key="k", Body=b"two")
    assert refusal(client.get_object, Bucket=b, Key="k") == DENIED
    assert client.get_object(Bucket=b, Key="k", VersionId=made["VersionId"])["Body"].read() == b"one"
    root.put_object_acl(Bucket=b, Key="k", AccessControlPolicy=document((ann, "WRITE_ACP"), (ann, "READ_ACP")))
    assert grants_of(client.get_object_acl(Bucket=b, Key="k")) == [(ann, "READ_ACP"), (ann, "WRITE_ACP")]
    assert refusal(client.get_object, Bucket=b, Key="k") == DENIED
    client.put_object_acl(Bucket=b, Key="k", GrantRead=f'id="{ann}"')
    assert client.get_object(Bucket=b, Key="k")["Body"].read() == b"two"
    assert refusal(client.put_object_acl, Bucket=b, Key="k", ACL="private") == DENIED


def test_all_that_sign_are_authenticated_users(guarded, iam, root):
    b = bucket_of(guarded, "acl-signers", acl="authenticated-read")
    assert grants_of(root.get_bucket_acl(Bucket=b)) == [("cairn", "FULL_CONTROL"), (GROUPS + "AuthenticatedUsers", "READ")]
    root.put_object(Bucket=b, Key="k", Body=b"bytes", ACL="authenticated-read")
    _, client = person(guarded, iam, "acl-signer")
    stranger = new_key(guarded)
    assert client.list_objects_v2(Bucket=b)["KeyCount"] == 1 and client.get_object(Bucket=b, Key="k")["Body"].read() == b"bytes"
    assert call(guarded, "GET", f"/{b}/k", key=stranger).body == b"bytes"
    assert denied(guarded.get(f"/{b}/k")) and denied(guarded.get(f"/{b}"))
    unsigned = boto3.client("s3", endpoint_url=f"http://127.0.0.1:{guarded.http_port}", region_name="us-east-1", config=Config(signature_version=UNSIGNED))
    assert refusal(unsigned.get_object, Bucket=b, Key="k") == DENIED
    cairn(guarded, "key", "delete", stranger[0])
    assert call(guarded, "GET", f"/{b}/k", key=stranger).code() == "InvalidAccessKeyId"


def test_keys_of_nobody_are_grantees_and_the_deleted_are_nobody(guarded, iam, root):
    b = bucket_of(guarded, "acl-keys")
    key, other = new_key(guarded), key_with(guarded, b)
    root.put_bucket_acl(Bucket=b, GrantRead=f"id={key[0]}")
    assert call(guarded, "GET", f"/{b}", key=key).status == 200 and denied(call(guarded, "GET", f"/{b}", key=other))
    ann, client = person(guarded, iam, "acl-leaver")
    root.put_bucket_acl(Bucket=b, GrantRead=f"id={ann}")
    assert client.list_objects_v2(Bucket=b)["KeyCount"] == 0
    for name in (k["AccessKeyId"] for k in iam.list_access_keys(UserName="acl-leaver")["AccessKeyMetadata"]):
        iam.delete_access_key(UserName="acl-leaver", AccessKeyId=name)
    iam.delete_user(UserName="acl-leaver")
    again, client = person(guarded, iam, "acl-leaver")
    assert again != ann and refusal(client.list_objects_v2, Bucket=b) == DENIED
    assert grants_of(root.get_bucket_acl(Bucket=b)) == [(ann, "READ")]
    assert refusal(root.put_bucket_acl, Bucket=b, GrantRead=f"id={ann}") == (400, "InvalidArgument")


def test_a_denial_is_stronger_and_public_grants_can_be_blocked(guarded, iam, root):
    b = bucket_of(guarded, "acl-blocked")
    ann, client = person(guarded, iam, "acl-denied")
    root.put_bucket_acl(Bucket=b, GrantRead=f'id={ann}, uri="{GROUPS}AuthenticatedUsers"')
    _, other = person(guarded, iam, "acl-one-more")
    assert other.list_objects_v2(Bucket=b)["KeyCount"] == 0
    root.put_public_access_block(Bucket=b, PublicAccessBlockConfiguration={"IgnorePublicAcls": True})
    assert refusal(other.list_objects_v2, Bucket=b) == DENIED and client.list_objects_v2(Bucket=b)["KeyCount"] == 0
    root.put_public_access_block(Bucket=b, PublicAccessBlockConfiguration={"BlockPublicAcls": True})
    for public in ({"ACL": "authenticated-read"}, {"GrantReadACP": f"uri={GROUPS}AllUsers"}):
        assert refusal(root.put_bucket_acl, Bucket=b, **public) == DENIED
        assert refusal(root.put_object, Bucket=b, Key="k", Body=b"x", **public) == DENIED
    root.put_object(Bucket=b, Key="k", Body=b"x", GrantRead=f"id={ann}")
    iam.put_user_policy(UserName="acl-denied", PolicyName="never", PolicyDocument=allow("s3:*", effect="Deny"))
    assert refusal(client.list_objects_v2, Bucket=b) == DENIED and refusal(client.get_object, Bucket=b, Key="k") == DENIED


def test_the_bucket_owner_that_owns_all_objects_knows_no_grants(guarded, iam, root):
    b = bucket_of(guarded, "acl-enforced")
    ann, client = person(guarded, iam, "acl-void")
    root.put_object(Bucket=b, Key="k", Body=b"x", GrantRead=f"id={ann}")
    root.put_bucket_acl(Bucket=b, GrantRead=f"id={ann}")
    assert call(guarded, "PUT", f"/{b}?ownershipControls", ENFORCED).code() == "InvalidBucketAclWithObjectOwnership"
    root.put_bucket_acl(Bucket=b, ACL="private")
    assert client.get_object(Bucket=b, Key="k")["Body"].read() == b"x"
    assert call(guarded, "PUT", f"/{b}?ownershipControls", ENFORCED).status == 200
    assert refusal(client.get_object, Bucket=b, Key="k") == DENIED
    assert grants_of(root.get_object_acl(Bucket=b, Key="k")) == [("cairn", "FULL_CONTROL")]
    for change in (lambda: root.put_bucket_acl(Bucket=b, GrantRead=f"id={ann}"), lambda: root.put_object(Bucket=b, Key="l", GrantRead=f"id={ann}"),
                   lambda: root.put_object_acl(Bucket=b, Key="k", AccessControlPolicy=document((ann, "READ")))):
        assert refusal(change) == (400, "AccessControlListNotSupported")


def test_uploads_and_copies_carry_the_grants_of_their_request(guarded, iam, root):
    b = bucket_of(guarded, "acl-carried")
    ann, client = person(guarded, iam, "acl-carried")
    upload = root.create_multipart_upload(Bucket=b, Key="parts", GrantRead=f"id={ann}")["UploadId"]
    part = root.upload_part(Bucket=b, Key="parts", UploadId=upload, PartNumber=1, Body=b"part")
    root.complete_multipart_upload(Bucket=b, Key="parts", UploadId=upload, MultipartUpload={"Parts": [{"ETag": part["ETag"], "PartNumber": 1}]})
    assert client.get_object(Bucket=b, Key="parts")["Body"].read() == b"part"
    root.copy_object(Bucket=b, Key="plain", CopySource=f"{b}/parts")
    assert grants_of(root.get_object_acl(Bucket=b, Key="plain")) == [("cairn", "FULL_CONTROL")]
    root.copy_object(Bucket=b, Key="granted", CopySource=f"{b}/parts", GrantReadACP=f"id={ann}")
    assert grants_of(client.get_object_acl(Bucket=b, Key="granted")) == [(ann, "READ_ACP")]
    # What is granted can be copied by who may write elsewhere.
    own = bucket_of(guarded, "acl-own")
    iam.put_user_policy(UserName="acl-carried", PolicyName="own", PolicyDocument=allow("s3:PutObject", f"arn:aws:s3:::{own}/*"))
    client.copy_object(Bucket=own, Key="copy", CopySource=f"{b}/parts")
    assert refusal(client.copy_object, Bucket=own, Key="copy", CopySource=f"{b}/plain") == DENIED
    # Who may write may not grant.
    for grants in ({"GrantRead": f"id={ann}"}, {"ACL": "authenticated-read"}):
        assert refusal(client.put_object, Bucket=own, Key="k", Body=b"x", **grants) == DENIED
        assert refusal(client.create_multipart_upload, Bucket=own, Key="k", **grants) == DENIED
    made = root.create_bucket(Bucket="acl-made", GrantWrite=f"id={ann}", GrantReadACP=f"id={ann}")
    assert made["Location"] == "/acl-made" and grants_of(client.get_bucket_acl(Bucket="acl-made")) == [(ann, "READ_ACP"), (ann, "WRITE")]


def test_forms_and_presigned_urls_carry_grants(guarded, iam, root):
    b = bucket_of(guarded, "acl-forms")
    ann, client = person(guarded, iam, "acl-former")
    grant = {"x-amz-grant-read": f'id="{ann}"'}
    assert post(guarded, b, signed(b, [{"key": "k"}, grant], {"key": "k"} | grant)).status == 204
    assert client.get_object(Bucket=b, Key="k")["Body"].read() == b"bytes"
    nobody = {"x-amz-grant-read": "id=_nobody"}
    assert post(guarded, b, signed(b, [{"key": "k"}, nobody], {"key": "k"} | nobody)).code() == "InvalidArgument"
    writer = key_with(guarded, b, "write")
    assert denied(post(guarded, b, signed(b, [{"key": "k"}, grant], {"key": "k"} | grant, writer)))
    url = s3_of(guarded, ROOT, signature_version="s3v4").generate_presigned_url("put_object", Params={"Bucket": b, "Key": "by-url", "GrantRead": f"id={ann}"})
    path = url.partition(f":{guarded.http_port}")[2]
    assert guarded.request("PUT", path, b"by url").status in (200, 403)  # 403: the client signed it as a header
    assert guarded.request("PUT", path, b"by url", {"x-amz-grant-read": f"id={ann}"}).status == 200
    assert client.get_object(Bucket=b, Key="by-url")["Body"].read() == b"by url"


def test_lists_outlive_a_restart(start_node):
    from rights import GUARDED
    node = start_node(**GUARDED)
    b, key = bucket_of(node, "acl-kept"), new_key(node)
    assert call(node, "PUT", f"/{b}/k", b"x", x_amz_grant_read=f"id={key[0]}").status == 200
    assert call(node, "PUT", f"/{b}?acl", x_amz_grant_read_acp=f"id={key[0]}").status == 200
    node.stop()
    node.start()
    assert call(node, "GET", f"/{b}/k", key=key).body == b"x" and b"READ_ACP" in call(node, "GET", f"/{b}?acl", key=key).body


def test_grantees_that_do_not_exist_are_refused_by_name(guarded, iam, root):
    b = bucket_of(guarded, "acl-refused")
    root.put_object(Bucket=b, Key="k", Body=b"x")
    for change in ({"GrantRead": "id=_nobody"}, {"GrantRead": "name=ann"}, {"GrantRead": f"uri={GROUPS}Everybody"}):
        for where in (root.put_bucket_acl, lambda **c: root.put_object_acl(Key="k", **c), lambda **c: root.put_object(Key="new", **c)):
            assert refusal(where, Bucket=b, **change) == (400, "InvalidArgument")
    assert refusal(root.put_bucket_acl, Bucket=b, AccessControlPolicy=document(("_nobody", "READ"))) == (400, "InvalidArgument")
    assert refusal(root.put_bucket_acl, Bucket=b, GrantRead='emailAddress="a@example.com"') == (400, "UnresolvableGrantByEmailAddress")
    assert refusal(root.put_bucket_acl, Bucket=b, GrantWrite="uri=http://acs.amazonaws.com/groups/s3/LogDelivery") == (501, "NotImplemented")
    assert refusal(root.put_bucket_acl, Bucket=b, ACL="log-delivery-write") == (501, "NotImplemented")
    assert refusal(root.put_bucket_acl, Bucket=b, ACL="private", GrantRead="id=cairn") == (400, "InvalidRequest")
    assert refusal(root.put_bucket_acl, Bucket=b, AccessControlPolicy=document(("cairn", "READ"), owner="somebody")) == DENIED
    assert grants_of(root.get_bucket_acl(Bucket=b)) == [("cairn", "FULL_CONTROL")]
