"""Bucket policies and public access blocks: who is let in, who is kept out, and when."""
import json
import re
import shlex
import subprocess
import urllib.parse

from cairn_node import BINARY, KIB, REPOSITORY, Node
from held import Held
from identities import s3_of
from rights import bucket_of, cairn, delete_many, denied, key_with, policy_of, put_policy, statement, user
from s3_client import refusal
from signing import ROOT, Signer, call, content_md5, sha256

MANY_TAGS = "<Tagging><TagSet>{}</TagSet></Tagging>"


def tags_of(**tags):
    return MANY_TAGS.format("".join(f"<Tag><Key>{k}</Key><Value>{v}</Value></Tag>" for k, v in tags.items())).encode()


def test_a_policy_is_kept_as_it_was_put(guarded):
    b = bucket_of(guarded, "kept-policy")
    s3 = s3_of(guarded, ROOT)
    assert refusal(s3.get_bucket_policy, Bucket=b) == (404, "NoSuchBucketPolicy")
    text = '{ "Version" : "2012-10-17",\n "Statement":[%s] }' % json.dumps(statement(b, "s3:GetObject"))
    s3.put_bucket_policy(Bucket=b, Policy=text)
    assert s3.get_bucket_policy(Bucket=b)["Policy"] == text
    assert s3.get_bucket_policy_status(Bucket=b)["PolicyStatus"]["IsPublic"] is True
    guarded.stop()
    guarded.start()
    assert s3.get_bucket_policy(Bucket=b)["Policy"] == text
    s3.delete_bucket_policy(Bucket=b)
    s3.delete_bucket_policy(Bucket=b)
    assert refusal(s3.get_bucket_policy, Bucket=b) == (404, "NoSuchBucketPolicy")
    assert s3.get_bucket_policy_status(Bucket=b)["PolicyStatus"]["IsPublic"] is False


def test_what_is_no_policy_is_refused_with_the_reason(guarded):
    b = bucket_of(guarded, "malformed")
    put_policy(guarded, b, statement(b, "s3:GetObject"))
    before = call(guarded, "GET", f"/{b}?policy").body
    good = statement(b, "s3:GetObject")
    for wrong, why in ((b"", b"JSON"), (b"[]", b"JSON"), (b"{", b"JSON"), (b'{"Statement":[]}', b"statements"), (policy_of(dict(good, effect="Allow")), b"effect"),
                       (policy_of(dict(good, Effect="allow")), b"Effect"), (policy_of(dict(good, Action="s3:Fly")), b"s3:Fly"),
                       (policy_of(dict(good, Resource="arn:aws:s3:::other/*")), b"not in the bucket"),
                       (policy_of(dict(good, Resource=f"arn:aws:s3:::{b.upper()}/*")), b"not in the bucket"),
                       (policy_of(dict(good, Principal={"Service": "s3.amazonaws.com"})), b"Service"),
                       (policy_of(dict(good, Principal={"AWS": "arn:aws:iam:::user/C*"})), b"neither"),
                       (policy_of(dict(good, Condition={"StringEquals": {"aws:SourceVpce": "v"}})), b"aws:SourceVpce"),
                       (policy_of(dict(good, Condition={"StringEqual": {"aws:Referer": "v"}})), b"StringEqual"),
                       (policy_of(good).replace(b'"Effect"', b'"Effect": "Deny", "Effect"'), b"twice"),
                       (policy_of(good) + b" " * 20480, b"20480")):
        answer = call(guarded, "PUT", f"/{b}?policy", wrong)
        assert answer.status == 400 and answer.code() == "MalformedPolicy" and why in answer.body, (wrong[:200], answer)
    assert call(guarded, "GET", f"/{b}?policy").body == before


def test_a_policy_lets_in_keys_and_anybody_as_far_as_it_says(guarded):
    b = bucket_of(guarded, "lets-in")
    reader, other = key_with(guarded, b), key_with(guarded, b)
    assert call(guarded, "PUT", f"/{b}/open/a", b"bytes").status == 200 and call(guarded, "PUT", f"/{b}/closed", b"bytes").status == 200
    put_policy(guarded, b, statement(b, "s3:GetObject", resource=f"arn:aws:s3:::{b}/open/*"),
               statement(b, ["s3:ListBucket", "s3:PutObject"], principal=user(reader)))
    for who in (reader, other, None):
        assert call(guarded, "GET", f"/{b}/open/a", key=who).body == b"bytes"
        assert denied(call(guarded, "GET", f"/{b}/closed", key=who)) and denied(call(guarded, "HEAD", f"/{b}/closed", key=who))
        assert denied(call(guarded, "DELETE", f"/{b}/open/a", key=who)) and denied(call(guarded, "GET", f"/{b}?acl", key=who))
    assert call(guarded, "GET", f"/{b}", key=reader).status == 200 and denied(call(guarded, "GET", f"/{b}", key=other))
    assert call(guarded, "PUT", f"/{b}/new", b"x", reader).status == 200 and denied(call(guarded, "PUT", f"/{b}/new", b"x", other))
    assert denied(call(guarded, "PUT", f"/{b}/new", b"x", reader, x_amz_acl="public-read"))
    upload = re.search(rb"<UploadId>(.*?)<", call(guarded, "POST", f"/{b}/m?uploads", key=reader).body).group(1).decode()
    part = call(guarded, "PUT", f"/{b}/m?partNumber=1&uploadId={upload}", b"part", reader)
    assert part.status == 200 and denied(call(guarded, "GET", f"/{b}/m?uploadId={upload}", key=reader))
    body = f"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{part.header('etag')}</ETag></Part></CompleteMultipartUpload>".encode()
    assert denied(call(guarded, "POST", f"/{b}/m?uploadId={upload}", body, other))
    assert call(guarded, "POST", f"/{b}/m?uploadId={upload}", body, reader).status == 200


def test_a_deny_is_stronger_than_all_rights_but_the_owner_can_remove_it(guarded):
    b = bucket_of(guarded, "denies")
    owner, writer = key_with(guarded, b, "read", "write", "owner"), key_with(guarded, b, "read", "write")
    assert call(guarded, "PUT", f"/{b}/k", b"bytes").status == 200
    put_policy(guarded, b, statement(b, "s3:*", "Deny", Sid="Locked"))
    for who in (ROOT, owner, writer, None):
        refused = call(guarded, "GET", f"/{b}/k", key=who)
        assert refused.status == 403 and b"Locked" in refused.body
        for method, path in (("GET", f"/{b}"), ("PUT", f"/{b}/k"), ("DELETE", f"/{b}/k"), ("GET", f"/{b}?acl"), ("GET", f"/{b}/k?tagging"),
                             ("POST", f"/{b}/k?uploads"), ("GET", f"/{b}?uploads"), ("GET", f"/{b}?versions"), ("DELETE", f"/{b}")):
            assert denied(call(guarded, method, path, b"x" if method == "PUT" else b"", who)), (method, path, who)
    assert denied(call(guarded, "DELETE", f"/{b}?policy", key=writer)) and denied(call(guarded, "DELETE", f"/{b}?policy", key=None))
    assert call(guarded, "GET", f"/{b}?policy", key=owner).status == 200 and call(guarded, "GET", f"/{b}?policy").status == 200
    assert call(guarded, "DELETE", f"/{b}?policy", key=owner).status == 204
    assert call(guarded, "GET", f"/{b}/k", key=writer).body == b"bytes"


def test_what_the_configuration_allows_a_policy_denies(tmp_path):
    """auth.anonymous lets everybody in, but not past a policy."""
    node = Node(tmp_path / "open", auth_anonymous="read-write").start()
    try:
        assert node.request("PUT", "/free").status == 200
        for key in ("a", "kept/a"):
            assert node.request("PUT", f"/free/{key}", b"bytes").status == 200
        rules = policy_of(statement("free", "s3:*", "Deny", resource="arn:aws:s3:::free/kept/*"), statement("free", "s3:ListBucketVersions", "Deny"))
        assert node.request("PUT", "/free?policy", rules).status == 204
        assert node.request("GET", "/free/a").body == b"bytes" and node.request("GET", "/free/absent").status == 404
        for method, path in (("GET", "kept/a"), ("HEAD", "kept/a"), ("GET", "kept/absent"), ("HEAD", "kept/absent"), ("PUT", "kept/a"), ("PUT", "kept/b"),
                             ("DELETE", "kept/a"), ("GET", "kept/a?tagging"), ("GET", "kept/a?acl"), ("POST", "kept/a?uploads")):
            answer = node.request(method, f"/free/{path}", b"x" if method == "PUT" else None)
            assert answer.status == 403, (method, path, answer)
        assert node.request("GET", "/free?versions").status == 403 and node.request("GET", "/free").status == 200
        many = b"<Delete><Object><Key>a</Key></Object><Object><Key>kept/a</Key></Object></Delete>"
        answer = node.request("POST", "/free?delete", many, content_md5(many))
        assert b"<Deleted><Key>a</Key>" in answer.body and b"<Error><Key>kept/a</Key>" in answer.body
        assert node.request("DELETE", "/free?policy").status == 204
        assert node.request("GET", "/free/kept/a").body == b"bytes"
    finally:
        node.stop()


def test_a_policy_that_changes_while_a_body_arrives_acts_on_it(guarded):
    b = bucket_of(guarded, "held-policy")
    writer, stranger = key_with(guarded, b, "write"), key_with(guarded, b)
    held = Held(guarded, "PUT", f"/{b}/denied", b"x" * 10 * KIB, key=writer)
    put_policy(guarded, b, statement(b, "s3:PutObject", "Deny"))
    answer = held.finish()
    assert answer.status == 403 and answer.code() == "AccessDenied"
    assert call(guarded, "HEAD", f"/{b}/denied").status == 404
    put_policy(guarded, b, statement(b, "s3:PutObject", principal=user(stranger)))
    held = Held(guarded, "PUT", f"/{b}/allowed", b"x" * 10 * KIB, key=stranger)
    put_policy(guarded, b, statement(b, ["s3:PutObject", "s3:GetObject"], principal=user(stranger)))
    assert held.finish().status == 200
    held = Held(guarded, "PUT", f"/{b}/too-late", b"x" * 10 * KIB, key=stranger)
    assert call(guarded, "DELETE", f"/{b}?policy").status == 204
    assert held.finish().status == 403 and call(guarded, "HEAD", f"/{b}/too-late").status == 404
    held = Held(guarded, "PUT", f"/{b}/root", b"x" * 10 * KIB, key=ROOT)
    put_policy(guarded, b, statement(b, "s3:PutObject", "Deny"))
    assert held.finish().status == 403 and call(guarded, "HEAD", f"/{b}/root").status == 404


def test_conditions_about_tags_are_about_the_object_that_is_there(guarded):
    b = bucket_of(guarded, "tagged")
    stranger = key_with(guarded, b)
    for key, team in (("mine", "blue"), ("theirs", "red"), ("plain", None)):
        assert call(guarded, "PUT", f"/{b}/{key}", b"bytes", **({"x_amz_tagging": f"team={team}"} if team else {})).status == 200
    put_policy(guarded, b, statement(b, ["s3:GetObject", "s3:GetObjectTagging", "s3:PutObjectTagging", "s3:GetObjectAcl", "s3:GetObjectAttributes"],
                                     Condition={"StringEquals": {"s3:ExistingObjectTag/team": "blue"}}),
               statement(b, "s3:PutObjectTagging", "Deny", Condition={"StringEquals": {"s3:RequestObjectTag/team": "root"}}))
    for path in ("", "?tagging", "?acl"):
        assert call(guarded, "GET", f"/{b}/mine{path}", key=stranger).status == 200, path
        for key in ("theirs", "plain", "absent"):
            assert denied(call(guarded, "GET", f"/{b}/{key}{path}", key=stranger)), (key, path)
    assert call(guarded, "GET", f"/{b}/mine?attributes", key=stranger, x_amz_object_attributes="ETag").status == 200
    assert denied(call(guarded, "GET", f"/{b}/theirs?attributes", key=stranger, x_amz_object_attributes="ETag"))
    assert call(guarded, "PUT", f"/{b}/mine?tagging", tags_of(team="blue", x="1"), stranger).status == 200
    assert denied(call(guarded, "PUT", f"/{b}/mine?tagging", tags_of(team="root"), stranger))
    assert denied(call(guarded, "PUT", f"/{b}/mine?tagging", tags_of(team="root")))
    assert denied(call(guarded, "PUT", f"/{b}/theirs?tagging", tags_of(team="blue"), stranger))
    assert call(guarded, "PUT", f"/{b}/mine?tagging", tags_of(team="red"), stranger).status == 200
    assert denied(call(guarded, "GET", f"/{b}/mine", key=stranger))


def test_names_of_objects_are_compared_as_they_are(guarded):
    b = bucket_of(guarded, "names")
    stranger = key_with(guarded, b)
    keys = ["a", "A", "sub/a", "sub/../a", "sub//a", "é/a", "e\u0301/a", "a?b", "a*b", "%61", "日本/a", "sub/a b+c"]
    for key in keys:
        assert call(guarded, "PUT", "/" + b + "/" + urllib.parse.quote(key, safe="/"), b"bytes").status == 200, key

    def readable(pattern, **more):
        put_policy(guarded, b, statement(b, "s3:GetObject", principal=user(stranger), resource=f"arn:aws:s3:::{b}/{pattern}", **more))
        return [k for k in keys if call(guarded, "GET", "/" + b + "/" + urllib.parse.quote(k, safe="/"), key=stranger).status == 200]
    assert readable("a") == ["a"] and readable("A") == ["A"] and readable("%61") == ["%61"]
    assert readable("sub/*") == ["sub/a", "sub/../a", "sub//a", "sub/a b+c"] and readable("sub/?") == ["sub/a"]
    assert readable("é/a") == ["é/a"] and readable("?/a") == ["é/a"] and readable("??/a") == ["e\u0301/a", "日本/a"]
    assert readable("a${*}b") == ["a*b"] and readable("a${?}b") == ["a?b"] and readable("a?b") == ["a?b", "a*b"]
    assert readable("sub/a b+c") == ["sub/a b+c"]
    assert readable("*") == keys
    # The same object by another spelling of its path.
    put_policy(guarded, b, statement(b, "s3:GetObject", "Deny", resource=f"arn:aws:s3:::{b}/a"))
    assert denied(call(guarded, "GET", f"/{b}/%61")) and call(guarded, "GET", f"/{b}/%2561").status == 200


def test_lists_are_let_in_by_their_prefix(guarded):
    b = bucket_of(guarded, "prefixes")
    stranger = key_with(guarded, b)
    assert call(guarded, "PUT", f"/{b}/home/a", b"x").status == 200
    put_policy(guarded, b, statement(b, ["s3:ListBucket", "s3:GetObject"], Condition={"StringLikeIfExists": {"s3:prefix": "home/*"}}),
               statement(b, "s3:ListBucket", "Deny", Condition={"NumericGreaterThan": {"s3:max-keys": "10"}}))
    assert call(guarded, "GET", f"/{b}?prefix=home/&max-keys=5", key=stranger).status == 200
    assert denied(call(guarded, "GET", f"/{b}?prefix=other/", key=stranger)) and denied(call(guarded, "GET", f"/{b}?prefix=home/&max-keys=11", key=stranger))
    assert call(guarded, "GET", f"/{b}/home/absent", key=stranger).status == 404  # may be listed
    assert denied(call(guarded, "GET", f"/{b}/other/absent", key=stranger))


def test_deletions_are_judged_one_by_one(guarded):
    b = bucket_of(guarded, "deletions", "Enabled")
    stranger = key_with(guarded, b)
    versions = {k: call(guarded, "PUT", f"/{b}/{k}", b"x").header("x-amz-version-id") for k in ("tmp/a", "tmp/b", "kept")}
    put_policy(guarded, b, statement(b, "s3:DeleteObject", resource=f"arn:aws:s3:::{b}/tmp/*"))
    body = b"<Delete><Object><Key>tmp/a</Key></Object><Object><Key>kept</Key></Object></Delete>"
    answer = call(guarded, "POST", f"/{b}?delete", body, stranger, **content_md5(body))
    assert answer.status == 200 and b"<Deleted><Key>tmp/a</Key>" in answer.body and b"<Key>kept</Key><Code>AccessDenied</Code>" in answer.body
    many = delete_many(guarded, b, [("tmp/b", versions["tmp/b"])], stranger)
    assert b"<Code>AccessDenied</Code>" in many.body and b"<Deleted>" not in many.body
    put_policy(guarded, b, statement(b, "s3:DeleteObjectVersion", Condition={"StringEquals": {"s3:VersionId": versions["tmp/b"]}}))
    assert b"<Deleted>" in delete_many(guarded, b, [("tmp/b", versions["tmp/b"])], stranger).body
    assert denied(call(guarded, "DELETE", f"/{b}/kept?versionId={versions['kept']}", key=stranger))
    assert denied(call(guarded, "DELETE", f"/{b}/kept", key=stranger))


def test_copies_need_their_source_and_may_be_bound_to_it(guarded):
    source, target = bucket_of(guarded, "copy-source"), bucket_of(guarded, "copy-target")
    stranger = key_with(guarded, target)
    for key in ("public/a", "private/a"):
        assert call(guarded, "PUT", f"/{source}/{key}", b"bytes").status == 200
    put_policy(guarded, target, statement(target, "s3:PutObject", principal=user(stranger),
                                          Condition={"StringLike": {"s3:x-amz-copy-source": f"{source}/public/*"}}))
    assert denied(call(guarded, "PUT", f"/{target}/a", key=stranger, x_amz_copy_source=f"/{source}/public/a"))
    put_policy(guarded, source, statement(source, "s3:GetObject", principal=user(stranger)))
    assert call(guarded, "PUT", f"/{target}/a", key=stranger, x_amz_copy_source=f"/{source}/public/a").status == 200
    assert denied(call(guarded, "PUT", f"/{target}/b", key=stranger, x_amz_copy_source=f"/{source}/private/a"))
    assert denied(call(guarded, "PUT", f"/{target}/c", b"x", key=stranger))
    put_policy(guarded, source, statement(source, "s3:GetObject", "Deny", resource=f"arn:aws:s3:::{source}/public/*"))
    assert denied(call(guarded, "PUT", f"/{target}/a", key=stranger, x_amz_copy_source=f"/{source}/public/a"))
    assert denied(call(guarded, "PUT", f"/{target}/a", x_amz_copy_source=f"/{source}/public/a"))


def test_tags_of_a_copy_are_read_and_written_by_right(guarded):
    b = bucket_of(guarded, "copied-tags")
    writer = key_with(guarded, b, "read", "write")
    stranger = key_with(guarded, b)
    source = {"x_amz_copy_source": f"/{b}/source"}
    assert call(guarded, "PUT", f"/{b}/source", b"bytes", x_amz_tagging="class=secret").status == 200
    assert call(guarded, "PUT", f"/{b}/plain", b"bytes").status == 200

    def copies(key, **headers):
        return call(guarded, "PUT", f"/{b}/copy", key=key, **{**source, **headers})
    assert copies(writer).status == 200
    for deny in (statement(b, "s3:PutObjectTagging", "Deny"),
                 statement(b, "s3:PutObject", "Deny", Condition={"StringEquals": {"s3:RequestObjectTag/class": "secret"}})):
        put_policy(guarded, b, deny)
        assert denied(copies(writer)) and denied(copies(ROOT)) and denied(copies(writer, x_amz_tagging="class=open"))
        assert copies(writer, x_amz_copy_source=f"/{b}/plain").status == 200
        assert copies(writer, x_amz_tagging_directive="REPLACE").status == 200
    put_policy(guarded, b, statement(b, ["s3:GetObject", "s3:PutObject"], principal=user(stranger)))
    assert denied(copies(stranger))
    assert copies(stranger, x_amz_tagging_directive="REPLACE").status == 200, "no tag of the source is read"
    upload = re.search(rb"<UploadId>(.*?)<", call(guarded, "POST", f"/{b}/m?uploads", key=stranger).body).group(1).decode()
    assert call(guarded, "PUT", f"/{b}/m?partNumber=1&uploadId={upload}", key=stranger, **source).status == 200
    put_policy(guarded, b, statement(b, ["s3:GetObject", "s3:PutObject", "s3:PutObjectTagging"], principal=user(stranger)))
    assert denied(copies(stranger))
    put_policy(guarded, b, statement(b, ["s3:GetObject*", "s3:PutObject*"], principal=user(stranger)))
    assert copies(stranger).status == 200 and b"secret" in call(guarded, "GET", f"/{b}/copy?tagging").body


def test_a_policy_that_wants_objects_written_once_is_obeyed(guarded):
    b = bucket_of(guarded, "write-once")
    writer = key_with(guarded, b, "read", "write")
    put_policy(guarded, b, statement(b, "s3:PutObject", "Deny", Condition={"Null": {"s3:if-none-match": "true"}}))
    assert call(guarded, "PUT", f"/{b}/k", b"first", writer, If_None_Match="*").status == 200
    for other in ({}, {"If_None_Match": '"00"'}, {"If_None_Match": '"*"'}, {"If_None_Match": 'W/"*"'}, {"If_None_Match": ""}):
        assert denied(call(guarded, "PUT", f"/{b}/k", b"second", writer, **other)), other
    assert call(guarded, "PUT", f"/{b}/k", b"second", writer, If_None_Match="*").status == 412
    assert call(guarded, "GET", f"/{b}/k").body == b"first"


def test_who_is_named_and_who_is_not(guarded):
    b = bucket_of(guarded, "principals")
    one, two = key_with(guarded, b, "read"), key_with(guarded, b, "read")
    assert call(guarded, "PUT", f"/{b}/k", b"bytes").status == 200

    def readers():
        return [who for who in (ROOT, one, two, None) if call(guarded, "GET", f"/{b}/k", key=who).status == 200]
    put_policy(guarded, b, {"Effect": "Deny", "NotPrincipal": user(one), "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{b}/*"})
    assert readers() == [one]
    put_policy(guarded, b, statement(b, "s3:GetObject", "Deny", principal={"AWS": "000000000000"}))
    assert readers() == []
    put_policy(guarded, b, statement(b, "s3:GetObject", "Deny", Condition={"StringEquals": {"aws:PrincipalType": "User"}}))
    assert readers() == [ROOT]
    put_policy(guarded, b, {"Effect": "Deny", "Principal": "*", "NotAction": ["s3:Put*", "s3:DeleteBucketPolicy"], "Resource": f"arn:aws:s3:::{b}/*"})
    assert readers() == [] and call(guarded, "PUT", f"/{b}/k", b"bytes").status == 200
    put_policy(guarded, b, statement(b, "s3:GetObject", principal={"AWS": "arn:aws:iam::123456789012:root"}))
    assert readers() == [ROOT, one, two]


def test_a_request_is_what_it_came_as(guarded):
    b = bucket_of(guarded, "contexts")
    stranger = key_with(guarded, b)
    assert call(guarded, "PUT", f"/{b}/k", b"bytes").status == 200

    def allowed(condition, **headers):
        put_policy(guarded, b, statement(b, "s3:GetObject", Condition=condition))
        return call(guarded, "GET", f"/{b}/k", key=stranger, **headers).status == 200
    assert allowed({"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}}) and not allowed({"NotIpAddress": {"aws:SourceIp": "127.0.0.1"}})
    assert allowed({"Bool": {"aws:SecureTransport": "false"}}) and not allowed({"Bool": {"aws:SecureTransport": "true"}})
    assert allowed({"StringLike": {"aws:Referer": "http://example.com/*"}}, Referer="http://example.com/a")
    assert not allowed({"StringLike": {"aws:Referer": "http://example.com/*"}}, Referer="http://example.org/a")
    assert allowed({"StringEquals": {"aws:UserAgent": "tool/1"}}, User_Agent="tool/1")
    assert allowed({"StringEquals": {"aws:username": stranger[0], "aws:userid": stranger[0]}})
    assert allowed({"StringEquals": {"s3:authType": "REST-HEADER", "s3:signatureversion": "AWS4-HMAC-SHA256"}})
    assert allowed({"NumericLessThan": {"s3:signatureAge": "600000"}}) and not allowed({"NumericGreaterThan": {"s3:signatureAge": "600000"}})
    assert allowed({"DateGreaterThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}}) and not allowed({"DateLessThan": {"aws:EpochTime": "1577836800"}})
    assert allowed({"Null": {"aws:TokenIssueTime": "true"}}) and allowed({"StringEquals": {"s3:x-amz-content-sha256": sha256(b"")}})
    put_policy(guarded, b, statement(b, "s3:GetObject", Condition={"StringEquals": {"s3:authType": "REST-QUERY-STRING"}}))
    url = Signer(access=stranger[0], secret=stranger[1]).presigned("GET", f"127.0.0.1:{guarded.http_port}", f"/{b}/k")
    assert guarded.request("GET", url).body == b"bytes" and denied(call(guarded, "GET", f"/{b}/k", key=stranger))


def test_a_public_access_block_does_what_its_settings_say(guarded):
    b = bucket_of(guarded, "blocked")
    s3 = s3_of(guarded, ROOT)
    names = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    anybody = policy_of(statement(b, "s3:GetObject")).decode()
    named = policy_of(statement(b, "s3:GetObject", principal=user(key_with(guarded, b)))).decode()

    def block(*chosen):
        s3.put_public_access_block(Bucket=b, PublicAccessBlockConfiguration={n: n in chosen for n in names})
    assert refusal(s3.get_public_access_block, Bucket=b) == (404, "NoSuchPublicAccessBlockConfiguration")
    s3.put_object(Bucket=b, Key="public", Body=b"bytes", ACL="public-read")
    s3.put_object(Bucket=b, Key="private", Body=b"bytes")
    s3.put_bucket_acl(Bucket=b, ACL="public-read")
    block("BlockPublicAcls")
    assert s3.get_public_access_block(Bucket=b)["PublicAccessBlockConfiguration"] == {n: n == "BlockPublicAcls" for n in names}
    for change, arguments in ((s3.put_bucket_acl, {}), (s3.put_object_acl, {"Key": "private"}), (s3.put_object, {"Key": "new", "Body": b"x"}),
                              (s3.create_multipart_upload, {"Key": "new"}), (s3.copy_object, {"Key": "new", "CopySource": f"{b}/private"})):
        assert refusal(change, Bucket=b, ACL="public-read", **arguments) == (403, "AccessDenied")
        change(Bucket=b, ACL="private", **arguments) if change not in (s3.put_bucket_acl,) else None
    assert call(guarded, "GET", f"/{b}/public", key=None).body == b"bytes"  # what is public stays so
    block("IgnorePublicAcls")
    assert denied(call(guarded, "GET", f"/{b}/public", key=None)) and denied(call(guarded, "GET", f"/{b}", key=None))
    assert s3.get_bucket_policy_status(Bucket=b)["PolicyStatus"]["IsPublic"] is False
    block("BlockPublicPolicy")
    assert refusal(s3.put_bucket_policy, Bucket=b, Policy=anybody) == (403, "AccessDenied")
    s3.put_bucket_policy(Bucket=b, Policy=named)
    block()
    s3.put_bucket_policy(Bucket=b, Policy=anybody)
    stranger = key_with(guarded, b)
    assert call(guarded, "GET", f"/{b}/private", key=None).body == b"bytes"
    block("RestrictPublicBuckets")
    assert denied(call(guarded, "GET", f"/{b}/private", key=None)) and call(guarded, "GET", f"/{b}/private", key=stranger).body == b"bytes"
    s3.delete_public_access_block(Bucket=b)
    assert call(guarded, "GET", f"/{b}/private", key=None).body == b"bytes"
    assert refusal(s3.get_public_access_block, Bucket=b) == (404, "NoSuchPublicAccessBlockConfiguration")
    assert call(guarded, "PUT", f"/{b}?publicAccessBlock", b"<PublicAccessBlockConfiguration><Colour>red</Colour></PublicAccessBlockConfiguration>").status == 400


def test_the_settings_of_a_policy_need_the_right_to_make_them(guarded):
    b = bucket_of(guarded, "settings-rights", acl="public-read-write")
    writer, owner = key_with(guarded, b, "read", "write"), key_with(guarded, b, "owner")
    rules, block = policy_of(statement(b, "s3:GetObject")), b"<PublicAccessBlockConfiguration></PublicAccessBlockConfiguration>"
    for path, body in (("?policy", rules), ("?publicAccessBlock", block)):
        for who in (writer, None):
            assert denied(call(guarded, "PUT", f"/{b}{path}", body, who)) and denied(call(guarded, "DELETE", f"/{b}{path}", key=who))
        assert denied(call(guarded, "GET", f"/{b}{path}", key=None))
        assert call(guarded, "PUT", f"/{b}{path}", body, owner).status in (200, 204)
        assert call(guarded, "DELETE", f"/{b}{path}", key=owner).status == 204


def test_the_command_says_what_a_policy_says(tmp_path):
    rules = tmp_path / "policy.json"
    rules.write_bytes(policy_of(statement("files", "s3:GetObject", Sid="Open"), statement("files", "s3:GetObject", "Deny", Condition={"StringEquals": {"s3:ExistingObjectTag/secret": "yes"}})))

    def tested(*more):
        done = subprocess.run([BINARY, "policy", "test", "--policy", str(rules), *more], capture_output=True, text=True, timeout=30)
        return done.returncode, done.stdout + done.stderr
    get = ("--action", "s3:GetObject", "--resource", "arn:aws:s3:::files/a")
    assert tested(*get) == (0, "allow, by statement 1 (`Open`)\n")
    code, text = tested(*get, "--context", "s3:ExistingObjectTag/secret=yes", "--json")
    assert code == 1 and json.loads(text) == {"outcome": "deny", "explicit": True, "statement": 2, "sid": ""}
    code, text = tested("--action", "s3:PutObject", "--resource", "arn:aws:s3:::files/a", "--principal", "CK1", "--json")
    assert code == 1 and json.loads(text) == {"outcome": "deny", "explicit": False}
    for wrong in (("--action", "s3:Fly", "--resource", "arn:aws:s3:::files/a"), ("--action", "s3:GetObject", "--resource", "files/a"),
                  ("--action", "s3:GetObject", "--resource", "arn:aws:s3:::files"), (*get, "--context", "aws:Moon=full"), (*get, "--principal", "arn:aws:iam::1:user/a")):
        assert tested(*wrong)[0] == 2, wrong
    rules.write_text("{}")
    code, text = tested(*get)
    assert code == 2 and "no Statement" in text
    help_text = subprocess.run([BINARY, "policy", "test", "--help"], capture_output=True, text=True, timeout=30).stdout
    assert "exit code" in help_text and "cairn policy test --policy" in help_text


def test_the_examples_of_the_page_are_answered_as_it_says(tmp_path):
    page = (REPOSITORY / "docs/access.md").read_text()
    rules, tried = tmp_path / "policy.json", 0
    for kind, text in re.findall(r"```(json|console)\n(.*?)```", page, re.S):
        if kind == "json":
            rules.write_text(text)
            continue
        for command, answer in re.findall(r"\$ cairn (.*)\n(.*)\n", text):
            done = subprocess.run([BINARY, *shlex.split(command.replace("FILE", str(rules)))], capture_output=True, text=True, timeout=30)
            assert done.stdout == answer + "\n", (command, done)
            tried += 1
    assert tried == 7


def test_awscli_manages_policies(guarded, tmp_path):
    from client_programs import client as debian_client, signed_environment
    aws = debian_client("aws")
    b = bucket_of(guarded, "by-awscli")
    rules = tmp_path / "policy.json"
    rules.write_bytes(policy_of(statement(b, "s3:GetObject")))

    def run(command):
        done = subprocess.run([aws, "--endpoint-url", guarded.url(), "s3api", *shlex.split(command), "--bucket", b], capture_output=True, text=True, timeout=60,
                              env=signed_environment())
        assert done.returncode == 0, done
        return done.stdout
    run(f"put-bucket-policy --policy file://{rules}")
    assert json.loads(run("get-bucket-policy --query Policy --output text")) == json.loads(rules.read_bytes())
    assert json.loads(run("get-bucket-policy-status"))["PolicyStatus"]["IsPublic"] is True
    run("put-public-access-block --public-access-block-configuration BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true")
    assert json.loads(run("get-public-access-block"))["PublicAccessBlockConfiguration"]["RestrictPublicBuckets"] is True
    run("delete-public-access-block")
    run("delete-bucket-policy")


def test_keys_of_the_command_line_and_policies_are_one(guarded):
    """A key that gets a right is let in without a policy; a deleted key is nobody's, whatever a policy says."""
    b = bucket_of(guarded, "one-key")
    key = key_with(guarded, b)
    put_policy(guarded, b, statement(b, "s3:PutObject", principal=user(key)))
    assert call(guarded, "PUT", f"/{b}/a", b"x", key).status == 200
    held = Held(guarded, "PUT", f"/{b}/b", b"x" * 10 * KIB, key=key)
    cairn(guarded, "key", "delete", key[0])
    answer = held.finish()
    assert answer.status == 403 and answer.code() == "InvalidAccessKeyId"
    assert call(guarded, "PUT", f"/{b}/a", b"x", key).code() == "InvalidAccessKeyId"
