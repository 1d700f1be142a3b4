"""ListObjectsV2: order, prefixes, delimiters, pages."""
import random
import re
import urllib.parse

import pytest

from cairn_node import in_threads


def page_of(node, bucket, **query):
    answer = node.get(f"/{bucket}?" + urllib.parse.urlencode({"list-type": "2", **{k.replace("_", "-"): v for k, v in query.items()}}))
    assert answer.status == 200, answer
    text = answer.body.decode()
    field = lambda name: (re.search(f"<{name}>(.*?)</{name}>", text, re.S) or [None, None])[1]  # noqa: E731
    return {
        "keys": re.findall(r"<Contents>.*?<Key>(.*?)</Key>", text, re.S),
        "prefixes": re.findall(r"<CommonPrefixes>\s*<Prefix>(.*?)</Prefix>", text, re.S),
        "truncated": field("IsTruncated") == "true",
        "token": field("NextContinuationToken"),
        "count": int(field("KeyCount")),
        "text": text,
    }


def all_pages(node, bucket, **query):
    keys, prefixes, pages = [], [], 0
    while True:
        page = page_of(node, bucket, **query)
        keys += page["keys"]
        prefixes += page["prefixes"]
        pages += 1
        assert page["truncated"] == (page["token"] is not None)
        if not page["truncated"]:
            return keys, prefixes, pages
        query["continuation_token"] = page["token"]


@pytest.fixture(scope="module")
def tree(node):
    """2,500 keys in a few folders, and some awkward ones."""
    bucket = node.bucket("listing")
    keys = [f"dir{i % 7}/sub{i % 3}/{i:04}" for i in range(2400)] + [f"top{i:02}" for i in range(90)]
    keys += ["dir", "dir/", "dir0", "a/b/c", "a//c", "Z", "é", "日本", "~", "dir0/sub0", "a b"]
    keys += ["deep/" + "x" * 395, "deep/" + "x" * 396, "deep/" + "x" * 795 + "/tail", "deep/" + "x" * 1019]

    def store(i):
        connection = node.connect()
        for key in keys[i::8]:
            assert node.request("PUT", f"/{bucket}/" + urllib.parse.quote(key), key.encode(), connection=connection).status == 200
        connection.close()

    in_threads(8, store)
    return bucket, sorted(keys, key=str.encode)


def test_keys_come_in_byte_order_whole_and_once(node, tree):
    bucket, keys = tree
    assert all_pages(node, bucket)[0] == keys


@pytest.mark.parametrize("size", [1000, 999, 100, 7])
def test_pages_of_any_size_add_up(node, tree, size):
    bucket, keys = tree
    listed, _, pages = all_pages(node, bucket, max_keys=size)
    assert listed == keys
    assert pages == -(-len(keys) // size)


def test_a_page_never_exceeds_a_thousand(node, tree):
    bucket, _ = tree
    page = page_of(node, bucket, max_keys=100000)
    assert len(page["keys"]) == page["count"] == 1000 and page["truncated"]


def test_max_keys_zero_is_an_empty_page_and_nonsense_is_refused(node, tree):
    bucket, _ = tree
    page = page_of(node, bucket, max_keys=0)
    assert page["keys"] == [] and not page["truncated"]
    for text in ("-1", "x", ""):
        assert node.get(f"/{bucket}?list-type=2&max-keys={text}").status == (200 if text == "" else 400)


@pytest.mark.parametrize("prefix", ["dir", "dir0", "dir0/", "dir0/sub0", "a/", "é", "deep/" + "x" * 396, "zzz", "dir6/sub2/2"])
def test_prefix_selects_exactly_its_keys(node, tree, prefix):
    bucket, keys = tree
    assert all_pages(node, bucket, prefix=prefix)[0] == [k for k in keys if k.startswith(prefix)]


def expected_fold(keys, prefix, delimiter):
    objects, prefixes = [], []
    for key in keys:
        if not key.startswith(prefix):
            continue
        cut = key.find(delimiter, len(prefix))
        if cut < 0:
            objects.append(key)
        elif key[:cut + len(delimiter)] not in prefixes:
            prefixes.append(key[:cut + len(delimiter)])
    return objects, prefixes


@pytest.mark.parametrize("prefix,delimiter", [("", "/"), ("dir0/", "/"), ("dir", "/"), ("", "sub"), ("a", "/"), ("top", "0"), ("deep/", "x/"), ("", "é")])
@pytest.mark.parametrize("size", [1000, 3])
def test_delimiter_folds_common_prefixes(node, tree, prefix, delimiter, size):
    bucket, keys = tree
    objects, prefixes, _ = all_pages(node, bucket, prefix=prefix, delimiter=delimiter, max_keys=size)
    assert (objects, prefixes) == expected_fold(keys, prefix, delimiter)


def test_start_after_begins_behind_the_key_whether_it_exists_or_not(node, tree):
    bucket, keys = tree
    rng = random.Random(2)
    for start in rng.sample(keys, 10) + ["", "dir3", "m", "zzzz", "dir0/sub0/", "deep/" + "x" * 500]:
        wanted = [k for k in keys if k.encode() > start.encode()][:20]
        assert page_of(node, bucket, start_after=start, max_keys=20)["keys"] == wanted, start


def test_entries_carry_size_etag_and_time(node, bucket):
    etag = node.put(f"/{bucket}/k", b"12345").header("etag")
    text = page_of(node, bucket)["text"]
    assert "<Size>5</Size>" in text
    assert re.search(r"<ETag>(&quot;|\")(\w+)(&quot;|\")</ETag>", text).group(2) == etag.strip('"')
    assert re.search(r"<LastModified>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z</LastModified>", text)
    assert "<StorageClass>STANDARD</StorageClass>" in text


def test_encoding_type_url_carries_keys_that_xml_cannot(node, bucket):
    for key in ("a\x01b", "a+b c&d", "é/日"):
        node.put(f"/{bucket}/" + urllib.parse.quote(key, safe=""), b"x")
    page = page_of(node, bucket, encoding_type="url")
    assert sorted(urllib.parse.unquote_plus(k) for k in page["keys"]) == sorted(["a\x01b", "a+b c&d", "é/日"])
    folded = page_of(node, bucket, encoding_type="url", delimiter="/")
    assert [urllib.parse.unquote_plus(p) for p in folded["prefixes"]] == ["é/"]


def test_a_listing_after_an_answered_change_shows_it(node, bucket):
    for i in range(30):
        node.put(f"/{bucket}/k{i:02}", b"x")
        assert len(node.keys(bucket)) == i + 1
    for i in range(30):
        node.delete(f"/{bucket}/k{i:02}")
        assert len(node.keys(bucket)) == 29 - i


def test_a_broken_continuation_token_is_refused(node, tree):
    bucket, _ = tree
    answer = node.get(f"/{bucket}?list-type=2&continuation-token=%21%21")
    assert (answer.status, answer.code()) == (400, "InvalidArgument")


def test_pages_go_on_although_the_key_they_ended_at_was_deleted(node, bucket):
    for i in range(10):
        node.put(f"/{bucket}/k{i}", b"x")
    page = page_of(node, bucket, max_keys=5)
    node.delete(f"/{bucket}/k4")
    assert page_of(node, bucket, max_keys=100, continuation_token=page["token"])["keys"] == [f"k{i}" for i in range(5, 10)]
