"""put -r, get -r, cp and sync against a node: which files go, stay and are deleted."""
import os
import pathlib
import random
import re

import pytest


KEYS = {"AWS_ACCESS_KEY_ID": "root-key", "AWS_SECRET_ACCESS_KEY": "root-secret-0123456789"}


def run(node, *arguments, status=0, environment=None):
    done = node.cairn(*arguments, environment=environment or {}, timeout=300)
    assert done.returncode == status, done
    return done.stdout.decode() + done.stderr.decode()


def make(root, files):
    for name, body in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
    return root


def tree(root):
    """Contents by name; unfinished downloads would show up too."""
    return {str(p.relative_to(root)): p.read_bytes() for p in pathlib.Path(root).rglob("*") if not p.is_dir()}


def times(root):
    return {str(p.relative_to(root)): p.stat().st_mtime_ns for p in pathlib.Path(root).rglob("*") if not p.is_dir()}


FILES = {"a": b"1", "a-b/x": b"2", "a.b": b"", "deep/er/file.txt": b"three" * 1000, "ü ñ/日本 %2F+&.bin": b"4", "new\nline": b"5"}


@pytest.mark.parametrize("keys", [False, True], ids=["anonymous", "signed"])
def test_a_folder_goes_in_and_comes_back_with_its_times(start_node, tmp_path, keys):
    settings = {"auth_anonymous": "none", "auth_root_access_key": KEYS["AWS_ACCESS_KEY_ID"],
                "auth_root_secret_key": KEYS["AWS_SECRET_ACCESS_KEY"]} if keys else {}
    environment = KEYS if keys else {}
    node = start_node(**settings)
    source, back = make(tmp_path / "in", FILES), tmp_path / "new/out"
    run(node, "mb", "vault", environment=environment)
    assert f"{len(FILES)} files copied" in run(node, "put", "-r", source, "vault/p", environment=environment)
    assert set(run(node, "ls", "-r", "vault", environment=environment).splitlines()) == \
        {"p/" + n.replace("\n", "\\x0A") for n in FILES}
    stat = run(node, "stat", "vault/p/deep/er/file.txt", environment=environment)
    assert "text/plain" in stat and re.search(r"x-amz-meta-mtime: +\d+\.\d{9}\n", stat)
    run(node, "get", "-r", "vault/p/", back, environment=environment)
    assert tree(back) == FILES and times(back) == times(source)
    for direction in ((source, "s3://vault/p"), ("s3://vault/p", back)):
        assert f"0 files copied (0 B), {len(FILES)} unchanged" in run(node, "sync", *direction, environment=environment)


def test_sync_stores_what_is_new_or_changed_and_deletes_only_when_told(node, bucket, tmp_path):
    source, place = make(tmp_path / "in", {"a": b"1", "b/c": b"2", "b/d": b"3"}), f"s3://{bucket}/p"
    run(node, "sync", source, place)
    node.put(f"/{bucket}/other", b"x")
    (source / "a").write_bytes(b"9")  # the same size
    os.utime(source / "a", ns=(0, (source / "b/c").stat().st_mtime_ns + 7))
    (source / "b/d").unlink()
    (source / "e").write_bytes(b"new")
    said = run(node, "sync", "-v", source, place)
    assert "2 files copied" in said and "1 unchanged" in said and f"copied to {place}/a\n" in said
    assert node.keys(bucket) == ["other", "p/a", "p/b/c", "p/b/d", "p/e"]
    assert node.get(f"/{bucket}/p/a").body == b"9"
    assert "1 deleted" in run(node, "sync", "--delete", source, place)
    assert node.keys(bucket) == ["other", "p/a", "p/b/c", "p/e"]


def test_a_dry_run_changes_nothing(node, bucket, tmp_path):
    source, place = make(tmp_path / "in", {"a": b"1", "b": b"2"}), f"s3://{bucket}/p"
    node.put(f"/{bucket}/p/gone", b"x")
    node.put(f"/{bucket}/p/a", b"other size")
    said = run(node, "sync", "--dry-run", "--delete", source, place)
    assert "would delete" in said and said.count("would copy") == 2 and "nothing was changed" in said
    assert node.keys(bucket) == ["p/a", "p/gone"] and node.get(f"/{bucket}/p/a").body == b"other size"
    run(node, "sync", "-n", place, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    make(tmp_path / "out", {"mine": b"m"})
    assert "would delete" in run(node, "sync", "-n", "--delete", place, tmp_path / "out")
    assert tree(tmp_path / "out") == {"mine": b"m"}
    run(node, "put", "-r", "-n", source, f"{bucket}/q")
    assert node.keys(bucket, "q") == []


def test_what_is_excluded_is_neither_stored_nor_deleted(node, bucket, tmp_path):
    source, place = make(tmp_path / "in", {"a.jpg": b"1", "b.tmp": b"2", "cache/x.jpg": b"3", "d.txt": b"4"}), f"s3://{bucket}"
    for key in ("old.tmp", "cache/old", "old.jpg"):
        node.put(f"/{bucket}/{key}", b"x")
    run(node, "sync", "--delete", "--exclude", "*.tmp", "--exclude", "cache/", source, place)
    assert node.keys(bucket) == ["a.jpg", "cache/old", "d.txt", "old.tmp"]
    run(node, "sync", "--delete", "--exclude", "*", "--include", "*.jpg", "--exclude", "cache/", tmp_path / "in", place)
    assert node.keys(bucket) == ["a.jpg", "cache/old", "d.txt", "old.tmp"]
    back = make(tmp_path / "back", {"keep.tmp": b"k", "drop": b"d"})
    run(node, "sync", "--delete", "--exclude", "*.tmp", place, back)
    assert set(tree(back)) == {"a.jpg", "cache/old", "d.txt", "keep.tmp"}
    without = node.cairn("put", "--exclude", "x", source, f"{bucket}/")
    assert without.returncode == 2, "a pattern says nothing about one file"


def test_checksum_compares_contents_and_size_only_sizes(node, bucket, tmp_path):
    source, place = make(tmp_path / "in", {"a": b"1", "b": b"2"}), f"s3://{bucket}"
    run(node, "sync", source, place)
    before = (source / "a").stat().st_mtime_ns
    (source / "a").write_bytes(b"9")
    os.utime(source / "a", ns=(before, before))
    os.utime(source / "b", ns=(5, 5))
    assert "0 files copied" in run(node, "sync", "--size-only", source, place)
    assert "1 file copied" in run(node, "sync", "--checksum", source, place)
    assert node.get(f"/{bucket}/a").body == b"9"
    (source / "a").write_bytes(b"8")
    assert "1 file copied" in run(node, "sync", "--checksum", place, source)
    assert tree(source) == {"a": b"9", "b": b"2"}


def test_objects_of_other_tools_are_compared_by_when_they_were_stored(node, bucket, tmp_path):
    node.put(f"/{bucket}/a", b"1")
    out = tmp_path / "out"
    assert "1 file copied" in run(node, "sync", f"s3://{bucket}", out)
    assert "1 unchanged" in run(node, "sync", f"s3://{bucket}", out)
    assert "1 unchanged" in run(node, "sync", out, f"s3://{bucket}")
    (out / "a").write_bytes(b"2")
    os.utime(out / "a", (2e9, 2e9))
    assert "1 file copied" in run(node, "sync", out, f"s3://{bucket}")


def test_keys_that_are_no_local_paths_are_refused_and_the_rest_is_fetched(node, bucket, tmp_path):
    for key in ("../up", "p/../../up", "p/./x", "p//x", "p/../x", "p/file", "p/file/below", "p/file-2", "p/marker/"):
        node.put(f"/{bucket}/{key}", b"" if key.endswith("/") else b"x")
    said = run(node, "get", "-r", f"{bucket}/p", tmp_path / "out", status=1)
    assert "2 files copied" in said and "5 failed" in said and "file and a folder" in said
    assert set(tree(tmp_path)) == {"out/file", "out/file-2"}
    run(node, "get", "-r", bucket, tmp_path / "deep/out", status=1)
    assert not (tmp_path / "deep/up").exists() and not (tmp_path / "up").exists()


def test_nothing_is_written_or_deleted_through_a_link_out_of_the_folder(node, bucket, tmp_path):
    for key in ("link/new", "x"):
        node.put(f"/{bucket}/{key}", b"x")
    outside, out = make(tmp_path / "outside", {"mine": b"m"}), make(tmp_path / "out", {})
    out.mkdir()
    (out / "link").symlink_to(outside)
    said = run(node, "sync", "--delete", f"s3://{bucket}", out, status=1)
    assert "leads out of" in said and tree(outside) == {"mine": b"m"} and (out / "x").exists()


def test_links_are_followed_or_left_out(node, bucket, tmp_path):
    source = make(tmp_path / "in", {"a/file": b"1"})
    (source / "b").symlink_to("a")
    (source / "a/loop").symlink_to("..")
    (source / "link").symlink_to("a/file")
    said = run(node, "sync", source, f"s3://{bucket}/p", status=1)
    assert "leads back" in said and "2 failed" in said  # a/loop and b/loop
    assert node.keys(bucket) == ["p/a/file", "p/b/file", "p/link"]
    said = run(node, "sync", "--no-follow-symlinks", source, f"s3://{bucket}/q")
    assert "3 skipped" in said and node.keys(bucket, "q") == ["q/a/file"]


def test_what_cannot_be_read_is_reported_and_kept_on_the_other_side(node, bucket, tmp_path):
    source = make(tmp_path / "in", {"a": b"1", "z": b"2"})
    (source / "gone").symlink_to("nowhere")
    node.put(f"/{bucket}/gone", b"kept")
    node.put(f"/{bucket}/gone-too", b"x")
    said = run(node, "sync", "--delete", source, f"s3://{bucket}", status=1)
    assert "1 failed" in said and node.keys(bucket) == ["a", "gone", "z"]


def test_an_empty_remote_source_deletes_nothing(node, bucket, tmp_path):
    out = make(tmp_path / "out", {"mine": b"m"})
    assert "no object" in run(node, "sync", "--delete", f"s3://{bucket}/typo", out, status=1)
    assert tree(out) == {"mine": b"m"}
    assert "No such file" in run(node, "sync", "--delete", tmp_path / "typo", f"s3://{bucket}", status=1)
    run(node, "sync", out, tmp_path / "x", status=2)


def test_within_the_server(node, bucket, tmp_path):
    other = node.bucket(bucket + "-b")
    make(tmp_path / "in", {"a": b"1", "ü/b": b"2", "c": b"3"})
    run(node, "put", "-r", tmp_path / "in", f"{bucket}/p")
    assert "3 files copied" in run(node, "sync", f"s3://{bucket}/p", f"s3://{other}/q")
    assert node.keys(other) == ["q/a", "q/c", "q/ü/b"]
    assert node.head(f"/{other}/q/a").header("x-amz-meta-mtime") == node.head(f"/{bucket}/p/a").header("x-amz-meta-mtime")
    node.put(f"/{bucket}/p/a", b"9")
    node.delete(f"/{bucket}/p/c")
    said = run(node, "sync", "--delete", f"s3://{bucket}/p", f"s3://{other}/q")
    assert "1 file copied" in said and "1 deleted" in said and node.get(f"/{other}/q/a").body == b"9"
    run(node, "sync", f"s3://{bucket}/p", f"s3://{bucket}/p/inner", status=2)
    run(node, "cp", f"s3://{bucket}/p/a", f"s3://{other}/")
    assert node.get(f"/{other}/a").body == b"9"
    run(node, "rm", "-r", "-y", other)


def test_cp_names_the_target_as_cp_does(node, bucket, tmp_path):
    make(tmp_path, {"a.txt": b"hello"})
    run(node, "cp", tmp_path / "a.txt", f"s3://{bucket}/dir/")
    run(node, "cp", tmp_path / "a.txt", f"s3://{bucket}/b")
    assert node.keys(bucket) == ["b", "dir/a.txt"]
    run(node, "cp", f"s3://{bucket}/dir/a.txt", tmp_path / "c")
    (tmp_path / "out").mkdir()
    run(node, "cp", f"s3://{bucket}/b", tmp_path / "out")
    assert (tmp_path / "c").read_bytes() == b"hello" == (tmp_path / "out/b").read_bytes()
    run(node, "cp", "-r", tmp_path / "out", f"s3://{bucket}/r")
    assert node.keys(bucket, "r") == ["r/b"]
    assert "directory" in run(node, "cp", tmp_path / "out", f"s3://{bucket}/", status=2)
    run(node, "cp", tmp_path / "a.txt", tmp_path / "d", status=2)
    assert "404" in run(node, "cp", f"s3://{bucket}/missing", tmp_path / "d", status=1) and not (tmp_path / "d").exists()
    run(node, "cp", f"s3://{bucket}/b", "-", status=2)


def test_a_thousand_files(node, bucket, tmp_path):
    chance = random.Random(1)
    files = {f"{chance.randrange(9)}/{chance.randrange(9)}/{i}": b"%d" % i for i in range(1050)}
    source, back = make(tmp_path / "in", files), tmp_path / "out"
    run(node, "sync", source, f"s3://{bucket}")
    assert node.keys(bucket) == sorted(files, key=str.encode)
    run(node, "sync", f"s3://{bucket}", back)
    assert tree(back) == files
    assert "1050 unchanged" in run(node, "sync", "--delete", source, f"s3://{bucket}")
    assert b"1050 objects deleted" in node.cairn("rm", "-r", "-y", bucket).stdout
    assert node.keys(bucket) == []


def test_a_file_that_fails_stops_no_other(node, bucket, tmp_path):
    source = make(tmp_path / "in", {f"{i}": b"x" for i in range(50)})
    make(source, {"x" * 200 + "/" + "y" * 200 + "/" + "z" * 200 + "/" + "w" * 200 + "/" + "v" * 200 + "/" + "u" * 200: b"key of 1,205 bytes"})
    said = run(node, "sync", source, f"s3://{bucket}", status=1)
    assert "50 files copied" in said and "1 failed" in said and "KeyTooLong" in said
    assert len(node.keys(bucket)) == 50
