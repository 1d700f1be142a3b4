"""RenameObject: two names that change at one moment, for whom may change both."""
import os
import urllib.parse

from cairn_node import MIB
from rights import bucket_of, denied, key_with, put_policy, statement, user
from signing import ROOT, call


def rename(node, bucket, source, key, by=ROOT, **more):
    headers = {"x_amz_rename_source": urllib.parse.quote(source)} if source is not None else {}
    return call(node, "PUT", f"/{bucket}/{urllib.parse.quote(key)}?renameObject", key=by, **headers, **more)


def get(node, bucket, key):
    return call(node, "GET", f"/{bucket}/{urllib.parse.quote(key)}")


def test_everything_but_the_name_stays(guarded):
    b = bucket_of(guarded, "renamed")
    for size in (100, 3 * MIB + 17):
        body = os.urandom(size)
        assert call(guarded, "PUT", f"/{b}/a", body, x_amz_meta_colour="blue", Content_Type="text/x", x_amz_tagging="k=v").status == 200
        before = get(guarded, b, "a")
        answer = rename(guarded, b, "a", "folder/b \u00fc")
        assert (answer.status, answer.body) == (200, b"")
        after = get(guarded, b, "folder/b \u00fc")
        assert after.body == body
        for header in ("etag", "last-modified", "content-type", "x-amz-meta-colour", "x-amz-tagging-count"):
            assert after.headers[header] == before.headers[header]
        assert get(guarded, b, "a").status == 404
        listed = call(guarded, "GET", f"/{b}?list-type=2").body
        assert listed.count(b"<Key>") == 1
        assert rename(guarded, b, f"/{b}/folder/b \u00fc", "a").status == 200
        assert get(guarded, b, "a").body == body
    guarded.stop()
    guarded.start()
    assert get(guarded, b, "a").body == body


def test_what_is_asked_is_checked(guarded):
    b = bucket_of(guarded, "checked-renames")
    for name in "ab":
        assert call(guarded, "PUT", f"/{b}/{name}", name.encode()).status == 200
    etag = get(guarded, b, "a").headers["etag"]

    def refused(source, key, **more):
        answer = rename(guarded, b, source, key, **more)
        return answer.status, answer.code()

    assert refused("none", "c") == (404, "NoSuchKey")
    assert refused(None, "c") == (400, "InvalidArgument")
    assert refused("a", "b", If_None_Match="*") == (412, "PreconditionFailed")
    assert refused("a", "c", If_Match="*") == (404, "NoSuchKey")
    assert refused("a", "b", If_Match=etag) == (412, "PreconditionFailed")
    assert refused("a", "c", x_amz_rename_source_if_match='"other"') == (412, "PreconditionFailed")
    assert refused("a", "c", x_amz_rename_source_if_none_match=etag) == (412, "PreconditionFailed")
    assert refused("a", "c", x_amz_rename_source_if_unmodified_since="Mon, 01 Jan 2001 00:00:00 GMT") == (412, "PreconditionFailed")
    assert refused("a", "c", x_amz_rename_source_if_modified_since="soon") == (400, "InvalidArgument")
    assert refused("a", "c", If_Modified_Since="Mon, 01 Jan 2001 00:00:00 GMT") == (501, "NotImplemented")
    assert refused("a", "c", x_amz_copy_source=f"/{b}/b") == (501, "NotImplemented")
    assert refused("a", "c", x_amz_meta_x="y") == (501, "NotImplemented")
    answer = call(guarded, "PUT", f"/{b}/c?renameObject", b"a body", x_amz_rename_source="a")
    assert (answer.status, answer.code()) == (400, "InvalidRequest")
    assert [get(guarded, b, name).body for name in "ab"] == [b"a", b"b"]
    assert rename(guarded, b, "a", "a").status == 200
    assert rename(guarded, b, "a", "b", x_amz_rename_source_if_match=etag, x_amz_client_token="t").status == 200
    assert rename(guarded, b, "a", "b", x_amz_rename_source_if_match=etag, x_amz_client_token="t").status == 200
    assert refused("a", "b", x_amz_client_token="another") == (404, "NoSuchKey")
    assert get(guarded, b, "b").body == b"a"
    versioned = bucket_of(guarded, "versioned-renames", "Enabled")
    assert call(guarded, "PUT", f"/{versioned}/a", b"x").status == 200
    answer = rename(guarded, versioned, "a", "b")
    assert (answer.status, answer.code()) == (409, "InvalidBucketState")
    assert rename(guarded, "no-such-bucket", "a", "b").code() == "NoSuchBucket"


def test_both_names_need_a_right(guarded):
    b = bucket_of(guarded, "rights-of-renames", acl="public-read-write")
    assert call(guarded, "PUT", f"/{b}/in/a", b"x").status == 200
    assert call(guarded, "PUT", f"/{b}/in/b", b"x", x_amz_acl="public-read").status == 200
    for rights in ((), ("read",), ("write",)):
        assert denied(rename(guarded, b, "in/a", "in/c", by=key_with(guarded, b, *rights)))
    for name in ("in/a", "in/b"):
        assert denied(rename(guarded, b, name, "in/c", by=None))
    assert rename(guarded, b, "in/b", "in/b2", by=key_with(guarded, b, "write")).status == 200  # everybody may read it
    both = key_with(guarded, b, "read", "write")
    assert rename(guarded, b, "in/a", "out/a", by=both).status == 200
    put_policy(guarded, b, dict(statement(b, "s3:DeleteObject"), Effect="Deny", Resource=f"arn:aws:s3:::{b}/out/*", Principal=user(both)))
    assert denied(rename(guarded, b, "out/a", "in/a", by=both))
    assert get(guarded, b, "out/a").body == b"x"
    assert rename(guarded, b, "in/b2", "in/c", by=both).status == 200
