"""Ranges (RFC 9110 section 14) and conditions (section 13) end to end."""
import base64
import email.message
import email.parser
import email.utils
import hashlib
import os
import random
import time

import pytest

from cairn_node import MIB

SIZE = 3 * MIB + 777


@pytest.fixture(scope="module")
def big(node):
    body = os.urandom(SIZE)
    node.bucket("ranges")
    answer = node.put("/ranges/big", body, Content_Type="video/mp4")
    node.put("/ranges/small", b"0123456789")
    node.put("/ranges/empty", b"")
    return body, answer.header("etag")


@pytest.mark.parametrize("text,first,last", [
    ("bytes=0-0", 0, 0), ("bytes=0-99", 0, 99), ("bytes=65535-65536", 65535, 65536), ("bytes=1048570-1048590", 1048570, 1048590),
    ("bytes=100-", 100, SIZE - 1), (f"bytes={SIZE - 1}-", SIZE - 1, SIZE - 1), ("bytes=-1", SIZE - 1, SIZE - 1),
    ("bytes=-1048577", SIZE - 1048577, SIZE - 1), (f"bytes=-{SIZE + 5}", 0, SIZE - 1), (f"bytes=5-{SIZE * 9}", 5, SIZE - 1),
])
def test_a_single_range_is_answered_with_exactly_its_bytes(node, big, text, first, last):
    body, etag = big
    answer = node.get("/ranges/big", Range=text)
    assert answer.status == 206
    assert answer.header("content-range") == f"bytes {first}-{last}/{SIZE}"
    assert answer.header("content-length") == str(last - first + 1)
    assert answer.header("etag") == etag
    assert answer.header("content-type") == "video/mp4"
    assert answer.body == body[first:last + 1]


def test_random_ranges_are_exact(node, big):
    body, _ = big
    rng = random.Random(1)
    connection = node.connect()
    for _ in range(200):
        first = rng.randrange(SIZE)
        last = min(SIZE - 1, first + int(rng.expovariate(1 / 100000)))
        answer = node.request("GET", "/ranges/big", headers={"Range": f"bytes={first}-{last}"}, connection=connection)
        assert answer.status == 206 and answer.body == body[first:last + 1], (first, last)
    connection.close()


def test_small_inline_objects_have_ranges_too(node, big):
    assert node.get("/ranges/small", Range="bytes=2-4").body == b"234"
    assert node.get("/ranges/small", Range="bytes=-3").body == b"789"


@pytest.mark.parametrize("text", [f"bytes={SIZE}-", f"bytes={SIZE + 10}-{SIZE + 20}", "bytes=-0"])
def test_ranges_outside_are_416_with_the_size(node, big, text):
    answer = node.get("/ranges/big", Range=text)
    assert (answer.status, answer.code()) == (416, "InvalidRange")
    assert answer.header("content-range") == f"bytes */{SIZE}"


def test_no_range_of_an_empty_object_can_be_satisfied(node, big):
    assert node.get("/ranges/empty", Range="bytes=0-").status == 416
    assert node.get("/ranges/empty").status == 200


@pytest.mark.parametrize("text", ["bytes=5-2", "bytes=", "bytes=a-b", "lines=1-2", "bytes=1", "bytes 1-2", "bytes=--1"])
def test_ranges_that_are_no_byte_ranges_are_ignored(node, big, text):
    answer = node.get("/ranges/small", Range=text)
    assert (answer.status, answer.body) == (200, b"0123456789")


def parts_of(answer):
    parser = email.parser.BytesParser()
    message = parser.parsebytes(b"Content-Type: " + answer.header("content-type").encode() + b"\r\n\r\n" + answer.body)
    assert message.is_multipart()
    return [(p["Content-Range"], p["Content-Type"], p.get_payload(decode=True)) for p in message.get_payload()]


def test_several_ranges_come_as_multipart(node, big):
    answer = node.get("/ranges/small", Range="bytes=0-1,4-5,-1")
    assert answer.status == 206
    assert answer.header("content-type").startswith("multipart/byteranges; boundary=")
    assert int(answer.header("content-length")) == len(answer.body)
    assert [(r, b) for r, _, b in parts_of(answer)] == [
        ("bytes 0-1/10", b"01"), ("bytes 4-5/10", b"45"), ("bytes 9-9/10", b"9")]


def test_several_ranges_of_a_chunked_object_are_exact(node, big):
    body, _ = big
    boundary_free = node.get("/ranges/big", Range="bytes=10-1048600,2000000-2000100,-5")
    assert boundary_free.status == 206
    assert int(boundary_free.header("content-length")) == len(boundary_free.body)
    assert body[10:1048601] in boundary_free.body
    assert body[2000000:2000101] in boundary_free.body
    assert b"Content-Range: bytes 2000000-2000100/" in boundary_free.body


def test_of_several_ranges_those_outside_are_left_out(node, big):
    answer = node.get("/ranges/small", Range="bytes=0-1,50-60")
    assert answer.status == 206
    assert answer.header("content-range") == "bytes 0-1/10"
    assert answer.body == b"01"


def test_a_flood_of_ranges_costs_no_more_than_the_object(node, big):
    many = "bytes=" + ",".join("0-" for _ in range(500))
    answer = node.get("/ranges/big", Range=many)
    assert answer.status in (200, 206, 416)
    assert len(answer.body) < 2 * SIZE


def test_head_with_a_range_answers_what_get_would(node, big):
    answer = node.head("/ranges/big", Range="bytes=0-9")
    get = node.get("/ranges/big", Range="bytes=0-9")
    assert answer.status == get.status
    assert answer.header("content-length") == get.header("content-length")


def test_if_range_gives_the_range_only_of_the_same_object(node, big):
    body, etag = big
    assert node.get("/ranges/big", Range="bytes=0-4", If_Range=etag).body == body[:5]
    assert node.get("/ranges/big", Range="bytes=0-4", If_Range='"other"').status == 200
    assert node.get("/ranges/big", Range="bytes=0-4", If_Range="W/" + etag).status == 200


def test_if_range_with_a_date_holds_only_for_that_very_date(node, big):
    modified = node.head("/ranges/small").header("last-modified")
    time.sleep(1.1)  # a date is a strong validator only once it lies in the past
    assert node.get("/ranges/small", Range="bytes=0-1", If_Range=modified).status in (200, 206)
    assert node.get("/ranges/small", Range="bytes=0-1", If_Range="Thu, 01 Jan 1970 00:00:00 GMT").status == 200


def test_ranges_are_announced(node, big):
    assert node.get("/ranges/small").header("accept-ranges") == "bytes"


PAST, FUTURE = "Thu, 01 Jan 1998 00:00:00 GMT", "Fri, 01 Jan 2055 00:00:00 GMT"


@pytest.mark.parametrize("headers,status", [
    ({"If-None-Match": "E"}, 304), ({"If-None-Match": "*"}, 304), ({"If-None-Match": 'W/E, "x"'}, 304),
    ({"If-None-Match": '"x"'}, 200), ({"If-Match": "E"}, 200), ({"If-Match": "*"}, 200), ({"If-Match": '"x", E'}, 200),
    ({"If-Match": '"x"'}, 412), ({"If-Match": "W/E"}, 412),
    ({"If-Modified-Since": PAST}, 200), ({"If-Modified-Since": FUTURE}, 304), ({"If-Modified-Since": "garbage"}, 200),
    ({"If-Unmodified-Since": PAST}, 412), ({"If-Unmodified-Since": FUTURE}, 200), ({"If-Unmodified-Since": "garbage"}, 200),
    # RFC 9110 13.2.2: If-Match wins over If-Unmodified-Since, If-None-Match over If-Modified-Since.
    ({"If-Match": "E", "If-Unmodified-Since": PAST}, 200), ({"If-Match": '"x"', "If-Unmodified-Since": FUTURE}, 412),
    ({"If-None-Match": '"x"', "If-Modified-Since": FUTURE}, 200), ({"If-None-Match": "E", "If-Modified-Since": PAST}, 304),
    ({"If-Match": '"x"', "If-None-Match": "E"}, 412), ({"If-Match": "E", "If-None-Match": "E"}, 304),
])
def test_conditions_follow_the_rfc(node, big, headers, status):
    etag = node.head("/ranges/small").header("etag")
    headers = {k: v.replace("E", etag, 1) if k.endswith("Match") and "E" in v else v for k, v in headers.items()}
    for method in ("GET", "HEAD"):
        answer = node.request(method, "/ranges/small", headers=headers)
        assert answer.status == status, (method, headers)
        if status == 304:
            assert answer.body == b"" and answer.header("etag") == etag


def test_an_object_that_is_not_there_is_404_whatever_the_condition(node, big):
    assert node.get("/ranges/missing", If_Match="*").status in (404, 412)
    assert node.get("/ranges/missing", If_None_Match="*").status == 404


def test_a_failed_condition_comes_before_the_range(node, big):
    assert node.get("/ranges/small", Range="bytes=99-", If_None_Match="*").status == 304
    assert node.get("/ranges/small", Range="bytes=0-1", If_Match='"x"').status == 412


def test_put_if_absent_stores_once(node, bucket):
    assert node.put(f"/{bucket}/k", b"first", If_None_Match="*").status == 200
    again = node.put(f"/{bucket}/k", b"second", If_None_Match="*")
    assert (again.status, again.code()) == (412, "PreconditionFailed")
    assert node.get(f"/{bucket}/k").body == b"first"
    big_body = os.urandom(2 * MIB)
    assert node.put(f"/{bucket}/k", big_body, If_None_Match="*").status == 412
    node.delete(f"/{bucket}/k")
    assert node.put(f"/{bucket}/k", big_body, If_None_Match="*").status == 200


def test_put_if_match_replaces_only_what_the_writer_saw(node, bucket):
    etag = node.put(f"/{bucket}/k", b"one").header("etag")
    assert node.put(f"/{bucket}/k", b"two", If_Match=etag).status == 200
    assert node.put(f"/{bucket}/k", b"three", If_Match=etag).status == 412
    assert node.put(f"/{bucket}/missing", b"x", If_Match=etag).status in (404, 412)
    assert node.get(f"/{bucket}/k").body == b"two"
    assert node.keys(bucket) == ["k"]


def test_put_unless_it_is_the_one_that_the_writer_saw(node, bucket):
    assert node.put(f"/{bucket}/k", b"one", If_None_Match='"00"').status == 200
    etag = node.head(f"/{bucket}/k").header("etag")
    assert node.put(f"/{bucket}/k", b"two", If_None_Match=etag).status == 412
    assert node.put(f"/{bucket}/k", b"two", If_None_Match='"00"').status == 200
    assert node.put(f"/{bucket}/k", b"three", If_None_Match=f'{etag}, "00"').status == 501
    assert node.get(f"/{bucket}/k").body == b"two"


def test_delete_only_what_the_client_means(node, bucket):
    path = f"/{bucket}/k"
    etag = node.put(path, b"12345").header("etag")
    modified = node.head(path).header("last-modified")
    wrong = [{"If-Match": '"00"'}, {"x-amz-if-match-size": "4"}, {"x-amz-if-match-last-modified-time": "Thu, 01 Jan 2015 00:00:00 GMT"},
             {"If-Match": etag, "x-amz-if-match-size": "6"}]
    for headers in wrong:
        assert node.request("DELETE", path, headers=headers).code() == "PreconditionFailed", headers
    for headers in ({"x-amz-if-match-size": "many"}, {"x-amz-if-match-last-modified-time": "now"}):
        assert node.request("DELETE", path, headers=headers).status == 400
    right = {"If-Match": etag, "x-amz-if-match-size": "5", "x-amz-if-match-last-modified-time": modified}
    assert node.request("DELETE", path, headers=right).status == 204 and node.get(path).status == 404
    for headers in wrong:
        assert node.request("DELETE", path, headers=headers).status == 204, "nothing is there to be another"
    node.put(path, b"12345")
    entry = "<Delete><Object><Key>k</Key><Size>%d</Size></Object></Delete>"
    def remove(body):
        md5 = base64.b64encode(hashlib.md5(body).digest()).decode()
        return node.request("POST", f"/{bucket}?delete", body, {"Content-MD5": md5}).body
    assert b"PreconditionFailed" in remove((entry % 4).encode())
    assert b"<Deleted>" in remove((entry % 5).encode()) and node.keys(bucket) == []


def test_of_many_writers_of_an_absent_key_exactly_one_wins(node, bucket):
    from cairn_node import in_threads
    statuses = []
    in_threads(16, lambda i: statuses.append((node.put(f"/{bucket}/lock", b"%d" % i, If_None_Match="*").status, i)))
    winners = [i for status, i in statuses if status == 200]
    assert len(winners) == 1 and all(s in (200, 412) for s, _ in statuses), statuses
    assert node.get(f"/{bucket}/lock").body == b"%d" % winners[0]


def test_compare_and_swap_loses_no_increment(node, bucket):
    from cairn_node import in_threads
    node.put(f"/{bucket}/counter", b"0")

    def increments(_):
        for _ in range(10):
            while True:
                seen = node.get(f"/{bucket}/counter")
                new = b"%d" % (int(seen.body) + 1)
                if node.put(f"/{bucket}/counter", new, If_Match=seen.header("etag")).status == 200:
                    break

    in_threads(5, increments)
    assert node.get(f"/{bucket}/counter").body == b"50"
