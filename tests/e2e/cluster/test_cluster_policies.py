"""A policy that was put through one node holds on all others once it is answered."""
from cairn_node import KIB, eventually
from held import Held
from rights import GUARDED, denied, key_with, policy_of, statement, user
from signing import ROOT, call


def put_everywhere_known(node, bucket, rules):
    """A new cluster takes a moment to know that all its nodes are of this version."""
    def put():
        answer = call(node, "PUT", f"/{bucket}?policy", rules)
        assert answer.status == 204 or answer.code() == "NotImplemented", answer
        return answer.status == 204
    eventually(put, seconds=30, every=0.2, what="all nodes are known to be of this version")


def test_a_policy_holds_on_every_node_once_it_is_answered(make_cluster):
    cluster = make_cluster(3, **GUARDED)
    first, second, third = cluster.nodes
    assert call(first, "PUT", "/vault").status == 200 and call(first, "PUT", "/vault/k", b"bytes").status == 200
    key = key_with(first, "vault")
    put_everywhere_known(first, "vault", policy_of(statement("vault", "s3:GetObject")))
    for put_at, asked_at in ((first, second), (second, third), (third, first)) * 3:
        rules = policy_of(statement("vault", ["s3:GetObject", "s3:PutObject"], principal=user(key)))
        assert call(put_at, "PUT", "/vault?policy", rules).status == 204
        assert call(asked_at, "GET", "/vault/k", key=key).body == b"bytes" and denied(call(asked_at, "GET", "/vault/k", key=None))
        held = Held(asked_at, "PUT", "/vault/held", b"x" * 10 * KIB, key=key)
        assert call(put_at, "PUT", "/vault?policy", policy_of(statement("vault", "s3:*", "Deny"))).status == 204
        for who in (key, None, ROOT):
            assert denied(call(asked_at, "GET", "/vault/k", key=who)) and denied(call(asked_at, "PUT", "/vault/new", b"x", who))
        assert held.finish().status == 403
        assert call(asked_at, "DELETE", "/vault?policy").status == 204
        assert denied(call(put_at, "GET", "/vault/k", key=key)) and call(put_at, "GET", "/vault/k").body == b"bytes"
