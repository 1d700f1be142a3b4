"""put, get, ls, rm, mb, rb, stat against a node."""
import json
import os
import pty
import signal
import subprocess
import time

import pytest

from cairn_node import BINARY, MIB, eventually, free_port, in_threads


def succeed(node, *arguments, **options):
    done = node.cairn(*arguments, **options)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def test_a_file_goes_in_and_comes_back(node, bucket, tmp_path):
    source, back = tmp_path / "a.bin", tmp_path / "b.bin"
    source.write_bytes(os.urandom(5 * MIB + 1))
    succeed(node, "put", source, f"{bucket}/dir/a.bin")
    assert succeed(node, "get", f"{bucket}/dir/a.bin", back) == b""
    assert back.read_bytes() == source.read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.bin", "b.bin"]


def test_folders_as_target_keep_the_name(node, bucket, tmp_path):
    source = tmp_path / "a.bin"
    source.write_bytes(b"hello")
    succeed(node, "put", source, f"{bucket}/")
    assert node.keys(bucket) == ["a.bin"]
    (tmp_path / "out").mkdir()
    succeed(node, "get", f"{bucket}/a.bin", tmp_path / "out")
    assert (tmp_path / "out/a.bin").read_bytes() == b"hello"


@pytest.mark.parametrize("size", [0, 5, 3 * MIB + 7])
def test_standard_input_and_output(node, bucket, size):
    body = os.urandom(size)
    succeed(node, "put", "-", f"{bucket}/k", input=body)
    assert succeed(node, "get", f"{bucket}/k", "-") == body


def test_put_keeps_headers_and_does_not_overwrite_when_told(node, bucket, tmp_path):
    source = tmp_path / "a"
    source.write_bytes(b"hello")
    succeed(node, "put", source, f"{bucket}/k", "--content-type", "text/plain", "--meta", "owner=Ada", "--meta", "a=b=c")
    answer = node.head(f"/{bucket}/k")
    assert answer.header("content-type") == "text/plain"
    assert answer.header("x-amz-meta-owner") == "Ada" and answer.header("x-amz-meta-a") == "b=c"
    again = node.cairn("put", source, f"{bucket}/k", "--no-overwrite")
    assert again.returncode == 1 and b"PreconditionFailed" in again.stderr


def test_put_sends_the_type_that_the_name_says(node, bucket, tmp_path):
    def type_of(name, target, *more, **options):
        (tmp_path / name).write_bytes(b"hello")
        succeed(node, "put", "-" if options else tmp_path / name, f"{bucket}/{target}", *more, **options)
        return node.head(f"/{bucket}/{target or name}").header("content-type")

    assert type_of("photo.jpg", "") == "image/jpeg"
    assert type_of("PAGE.HTML", "p") == "text/html", "the file's name, not the key's"
    assert type_of("backup.tar.gz", "b") == "application/gzip"
    assert type_of("README", "r.txt") == "binary/octet-stream"
    assert type_of("photo.jpg", "c", "--content-type", "image/x-mine") == "image/x-mine"
    assert type_of("unused", "data.json", input=b"{}") == "application/json", "standard input: the key's name"


def test_stat_shows_the_object(node, bucket, tmp_path):
    node.put(f"/{bucket}/k", b"hello", Content_Type="text/plain")
    text = succeed(node, "stat", f"{bucket}/k").decode()
    assert "size:" in text and "5d41402abc4b2a76b9719d911017c592" in text and "text/plain" in text
    facts = json.loads(succeed(node, "stat", "--json", f"{bucket}/k"))
    assert (facts["size"], facts["key"], facts["content-type"]) == (5, "k", "text/plain")
    missing = node.cairn("stat", f"{bucket}/missing")
    assert missing.returncode == 1 and b"404" in missing.stderr


def test_ls_shows_buckets_folders_and_objects(node, bucket):
    for key in ("a/1", "a/2", "b", "c%0Ad"):
        node.put(f"/{bucket}/{key}", b"x" * 2048)
    assert bucket in succeed(node, "ls").decode().split()
    assert succeed(node, "ls", bucket).decode().splitlines() == ["a/", "b", "c\\x0Ad"]
    assert succeed(node, "ls", "-r", bucket).decode().splitlines() == ["a/1", "a/2", "b", "c\\x0Ad"]
    assert succeed(node, "ls", f"{bucket}/a/").decode().splitlines() == ["a/1", "a/2"]
    assert "2.0 KiB" in succeed(node, "ls", "-l", f"{bucket}/b").decode()
    assert "2048" in succeed(node, "ls", "-lb", f"{bucket}/b").decode()
    entries = [json.loads(line) for line in succeed(node, "ls", "-r", "--json", bucket).splitlines()]
    assert [e["key"] for e in entries] == ["a/1", "a/2", "b", "c\nd"] and entries[0]["size"] == 2048


def test_ls_pages_through_many_keys(node, bucket):
    def store(thread):
        connection = node.connect()
        for i in range(thread, 1205, 16):
            node.request("PUT", f"/{bucket}/{i:05}", b"", connection=connection)
        connection.close()
    in_threads(16, store)
    assert succeed(node, "ls", bucket).decode().split() == [f"{i:05}" for i in range(1205)]
    piped = subprocess.run(f"{BINARY} ls --endpoint {node.url()} {bucket} | head -n 3", shell=True, capture_output=True, timeout=30)
    assert piped.stdout.decode().split() == ["00000", "00001", "00002"] and piped.stderr == b""


def test_rm_mb_and_rb(node):
    succeed(node, "mb", "cli-bucket")
    again = node.cairn("mb", "cli-bucket")
    assert again.returncode == 1 and b"BucketAlreadyOwnedByYou" in again.stderr
    for i in range(5):
        node.put(f"/cli-bucket/dir/{i}", b"x")
    node.put("/cli-bucket/other", b"x")
    assert node.cairn("rb", "cli-bucket").returncode == 1
    succeed(node, "rm", "cli-bucket/other")
    succeed(node, "rm", "cli-bucket/other")
    asked = node.cairn("rm", "--recursive", "cli-bucket/dir/")
    assert asked.returncode == 2 and b"--yes" in asked.stderr
    assert len(node.keys("cli-bucket")) == 5
    assert b"5 objects" in succeed(node, "rm", "--recursive", "--yes", "cli-bucket/dir/")
    succeed(node, "rb", "cli-bucket")
    assert node.head("/cli-bucket").status == 404


def test_failures_say_why_and_exit_with_1_or_2(node, bucket, tmp_path):
    for arguments, code, text in (
            (("get", f"{bucket}/missing", tmp_path / "x"), 1, b"NoSuchKey"),
            (("get", "no-such-bucket/k", "-"), 1, b"NoSuchBucket"),
            (("put", tmp_path / "missing", f"{bucket}/k"), 1, b"No such file"),
            (("put", tmp_path, f"{bucket}/k"), 2, b"directory"),
            (("put", "-", bucket), 2, b"BUCKET/KEY"),
            (("ls", "--endpoint", "ftp://x"), 2, b"https://HOST:PORT"),
            (("ls", "--endpoint", f"127.0.0.1:{free_port()}"), 1, b"Connection refused"),
    ):
        done = node.cairn(*arguments)
        assert done.returncode == code and text in done.stderr, (arguments, done)
    assert list(tmp_path.iterdir()) == []


def test_commands_sign_with_the_key_of_the_usual_environment(start_node, tmp_path):
    n = start_node(auth_anonymous="none", auth_root_access_key="root-key", auth_root_secret_key="root-secret-0123456789")
    environment = {"AWS_ACCESS_KEY_ID": "root-key", "AWS_SECRET_ACCESS_KEY": "root-secret-0123456789"}
    file, back = tmp_path / "a b+ü", tmp_path / "back"
    file.write_bytes(os.urandom(3 * MIB + 1))
    for command in (("mb", "vault"), ("put", file, "vault/folder/", "--meta", "color=two  words"), ("stat", "vault/folder/a b+ü"),
                    ("get", "vault/folder/a b+ü", back)):
        done = n.cairn(*command, environment=environment)
        assert done.returncode == 0, done
    assert back.read_bytes() == file.read_bytes()
    listed = n.cairn("ls", "vault/folder/", "--access-key", "root-key", environment={"AWS_SECRET_ACCESS_KEY": "root-secret-0123456789"})
    assert "a b+ü" in listed.stdout.decode(), listed
    for command in (("rm", "vault/folder/a b+ü"), ("put", file, "vault/x"), ("rm", "--recursive", "--yes", "vault"), ("rb", "vault")):
        assert n.cairn(*command).returncode == 1, command
        assert n.cairn(*command, environment=environment).returncode == 0, command
    for refused in (n.cairn("ls"), n.cairn("ls", environment=environment | {"AWS_SECRET_ACCESS_KEY": "another"}),
                    n.cairn("ls", "--access-key", "", environment=environment)):
        assert refused.returncode == 1 and (b"AccessDenied" in refused.stderr or b"SignatureDoesNotMatch" in refused.stderr), refused
    assert n.cairn("ls", environment={"AWS_ACCESS_KEY_ID": "root-key"}).returncode == 2  # the secret is missing


def start_get(node, path, target):
    return subprocess.Popen([BINARY, "get", "--endpoint", node.url(), path, str(target)], stderr=subprocess.PIPE)


def test_an_interrupted_get_is_continued_not_repeated(start_node, tmp_path):
    node = start_node(debug_read_delay="100ms", download_window_min=1, download_window_max=1)
    body = os.urandom(20 * MIB)
    node.put("/files/k", body)
    target, part = tmp_path / "k", tmp_path / "k.part"
    get = start_get(node, "files/k", target)
    eventually(lambda: part.exists() and part.stat().st_size > 5 * MIB, 20, what="5 MiB came")
    get.send_signal(signal.SIGKILL)
    get.wait()
    assert not target.exists()
    have = part.stat().st_size
    eventually(lambda: node.metric("cairn_active_downloads") == 0)
    before = node.metric("cairn_http_sent_bytes_total")
    assert start_get(node, "files/k", target).wait(60) == 0
    assert node.metric("cairn_http_sent_bytes_total") - before < len(body) - have + MIB
    assert target.read_bytes() == body
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith("k")] == ["k"]


def test_an_interrupted_get_of_a_changed_object_starts_over(start_node, tmp_path):
    node = start_node(debug_read_delay="100ms", download_window_min=1, download_window_max=1)
    node.put("/files/k", os.urandom(20 * MIB))
    target, part = tmp_path / "k", tmp_path / "k.part"
    get = start_get(node, "files/k", target)
    eventually(lambda: part.exists() and part.stat().st_size > 2 * MIB, 20, what="2 MiB came")
    get.kill()
    get.wait()
    body = os.urandom(3 * MIB)
    node.put("/files/k", body)
    assert start_get(node, "files/k", target).wait(60) == 0
    assert target.read_bytes() == body


def test_a_get_cut_off_by_the_node_says_how_to_go_on(start_node, tmp_path):
    node = start_node(debug_read_delay="100ms", download_window_min=1, download_window_max=1)
    body = os.urandom(10 * MIB)
    node.put("/files/k", body)
    target = tmp_path / "k"
    get = start_get(node, "files/k", target)
    eventually(lambda: (tmp_path / "k.part").exists() and (tmp_path / "k.part").stat().st_size > MIB, 20, what="1 MiB came")
    node.kill()
    _, errors = get.communicate(timeout=30)
    assert get.returncode == 1 and b"same command continues" in errors
    node.start()
    assert start_get(node, "files/k", target).wait(60) == 0
    assert target.read_bytes() == body


def on_a_terminal(node, *arguments):
    """Runs with a pseudo terminal as standard error; answers what was drawn there."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen([BINARY, *map(str, arguments)], stderr=theirs, stdout=subprocess.DEVNULL,
                               env=dict(os.environ, CAIRN_ENDPOINT=node.url()))
    os.close(theirs)
    drawn = b""
    while True:
        try:
            data = os.read(ours, 65536)
        except OSError:
            break
        if not data:
            break
        drawn += data
    os.close(ours)
    assert process.wait(60) == 0, drawn
    return drawn


def test_progress_is_drawn_on_terminals_only(start_node, tmp_path):
    node = start_node(debug_read_delay="50ms", download_window_min=1, download_window_max=1)
    source = tmp_path / "a.bin"
    source.write_bytes(os.urandom(8 * MIB))
    assert node.cairn("put", source, "files/k").stderr == b""
    drawn = on_a_terminal(node, "get", "files/k", tmp_path / "b.bin")
    assert b"%" in drawn and b"/s" in drawn and b"ETA" in drawn
    assert on_a_terminal(node, "get", "--quiet", "files/k", tmp_path / "c.bin") == b""
    assert b"/s" in on_a_terminal(node, "put", source, "files/k2")


def test_put_of_a_large_file_stops_early_when_the_node_refuses(start_node, tmp_path):
    node = start_node(limits_object_size="1MiB")
    source = tmp_path / "a.bin"
    with open(source, "wb") as f:
        f.truncate(8 << 30)
    start = time.monotonic()
    done = node.cairn("put", source, "files/k")
    assert done.returncode == 1 and b"EntityTooLarge" in done.stderr
    assert time.monotonic() - start < 5
