"""Secrets of access keys that are sealed in the metadata: they work as others, and neither the disk nor a backup has them in clear."""
import json
import os
import pathlib

from cairn_node import eventually
from identities import iam_of, user_with_key
from rights import GUARDED, cairn, command, lacks_sealing_key, new_key, sealed_key
from signing import call


def key_file(folder, *keys):
    path = folder / "sealing.keys"
    path.touch(mode=0o600)
    path.write_text("".join(f"{k}\n" for k in keys))
    return path


def fresh():
    return os.urandom(32).hex()


def restarted(node, *keys):
    """With these sealing keys."""
    node.stop()
    key_file(node.folder.parent, *keys)
    return node.start()


def is_on_disk(node, secret):
    return any(secret.encode() in path.read_bytes() for path in pathlib.Path(node.data_dir()).rglob("*") if path.is_file())


def backup_of(node):
    path = node.folder / f"backup-{os.urandom(4).hex()}"
    done = node.cairn("cluster", "backup", "--config", node.config, path)
    assert done.returncode == 0, done
    return path


def lists(node, key):
    return call(node, "GET", "/", key=key)


def test_a_sealed_secret_signs_and_is_nowhere_in_clear(start_node, tmp_path):
    node = start_node(auth_sealing_key_file=key_file(tmp_path, fresh()), **GUARDED)
    keys = [new_key(node), user_with_key(iam_of(node), "ann")]
    for key in keys:
        assert lists(node, key).status in (200, 403) and lists(node, key).code() != "SignatureDoesNotMatch"
        assert lists(node, (key[0], key[1][:-1] + "*")).code() == "SignatureDoesNotMatch"
        assert key[1] not in cairn(node, "key", "list", "--json") and key[1] not in node.log()
        assert key[1].encode() not in backup_of(node).read_bytes()
    node.stop()
    assert not any(is_on_disk(node, key[1]) for key in keys)
    node.start()
    assert lists(node, keys[0]).status == 200


def test_keys_that_are_there_already_are_sealed_by_a_command(start_node, tmp_path):
    node = start_node(**GUARDED)
    clear = new_key(node)
    assert clear[1].encode() in backup_of(node).read_bytes(), "so the test would see it"
    refused = command(node, "key", "seal")
    assert refused.returncode != 0 and "auth.sealing_key_file" in refused.stderr
    node.stop()
    node.settings["auth.sealing_key_file"] = str(key_file(tmp_path, fresh()))
    node.write_config()
    node.start()
    assert lists(node, clear).status == 200
    assert "sealed 1 secret with" in cairn(node, "key", "seal")
    assert "sealed 0 secrets with" in json.loads(cairn(node, "key", "seal", "--json"))["done"]
    assert lists(node, clear).status == 200
    assert clear[1].encode() not in backup_of(node).read_bytes()


def test_the_sealing_key_is_replaced_while_all_keys_work(start_node, tmp_path):
    first, second = fresh(), fresh()
    node = start_node(auth_sealing_key_file=key_file(tmp_path, first), **GUARDED)
    key = new_key(node)
    restarted(node, second, first)
    assert lists(node, key).status == 200
    assert "sealed 1 secret with" in cairn(node, "key", "seal")
    restarted(node, second)
    assert lists(node, key).status == 200


def test_a_node_without_the_key_says_so_and_refuses_no_signature_as_wrong(start_node, tmp_path):
    right = fresh()
    node = start_node(auth_sealing_key_file=key_file(tmp_path, right), **GUARDED)
    key = new_key(node)
    for keys in ([fresh()], None):
        node.stop()
        if keys:
            key_file(tmp_path, *keys)
        else:
            del node.settings["auth.sealing_key_file"]
            node.write_config()
        node.spawn()
        eventually(lambda: lacks_sealing_key(node), seconds=30, what="a node that says why it is not ready")
        answer = lists(node, key)
        assert (answer.status, answer.code()) == (503, "ServiceUnavailable")
        assert call(node, "GET", "/").status == 200, "the root key is not sealed"
        assert "auth.sealing_key_file" in node.log()
    node.stop()
    node.environment["CAIRN_SEALING_KEY"] = right
    node.start()
    assert lists(node, key).status == 200


def test_a_key_file_that_cannot_be_read_ends_the_start(start_node, tmp_path):
    for path, reason in ((tmp_path / "none", "not_found"), (key_file(tmp_path, "not-a-key"), "line 1")):
        node = start_node(wait=False, auth_sealing_key_file=path, **GUARDED)
        assert node.process.wait(timeout=30) == 1
        node.process = None
        said = node.log().rsplit("cairn: cannot start", 1)[-1]
        assert "auth.sealing_key_file" in said and reason in said and "not-a-key" not in said


def test_a_backup_is_restored_with_its_key(make_cluster, tmp_path):
    node = make_cluster(1, auth_sealing_key_file=key_file(tmp_path, fresh()), **GUARDED).nodes[0]
    key = sealed_key(node)
    backup = backup_of(node)
    cairn(node, "key", "delete", key[0])
    node.stop()
    for verb, *more in (["rejoin"], ["restore", backup]):
        done = node.cairn("cluster", verb, "--config", node.config, *more)
        assert done.returncode == 0, done
    node.start(seconds=60)
    eventually(lambda: lists(node, key).status == 200, what="the key is there again")
