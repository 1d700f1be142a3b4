"""Sealed secrets in a cluster: a key that one node made works on all that have the sealing key; one that lacks it says so."""
import os

from cairn_node import eventually
from rights import GUARDED, lacks_sealing_key, sealed_key
from signing import call


def test_a_key_works_on_every_node_that_has_the_sealing_key(make_cluster, tmp_path):
    sealing = tmp_path / "sealing.keys"
    sealing.write_text(os.urandom(32).hex() + "\n")
    cluster = make_cluster(3, auth_sealing_key_file=sealing, **GUARDED)
    first, second, third = cluster.nodes

    key = sealed_key(first)
    for node in cluster.nodes:
        assert call(node, "GET", "/", key=key).status == 200
        assert key[1] not in node.log()
    third.stop()
    del third.settings["auth.sealing_key_file"]
    third.write_config()
    third.spawn()
    eventually(lambda: lacks_sealing_key(third), seconds=60, what="a node that says why it is not ready")
    refused = call(third, "GET", "/", key=key)
    assert (refused.status, refused.code()) == (503, "ServiceUnavailable")
    assert call(third, "GET", "/").status == 200, "the root key is not sealed"
    for node in (first, second):
        assert call(node, "PUT", "/vault", key=key).status == 200
    third.stop()
    third.settings["auth.sealing_key_file"] = str(sealing)
    third.write_config()
    third.start(seconds=60)
    assert call(third, "GET", "/vault", key=key).status == 200
