"""A user, a group or a policy that was changed through one node is so on all others once the change is answered."""
from cairn_node import KIB
from held import Held
from identities import allow, iam_of
from rights import GUARDED, denied
from s3_client import once_all_nodes_know
from signing import call


def test_a_change_of_an_identity_holds_on_every_node_once_it_is_answered(make_cluster):
    cluster = make_cluster(3, **GUARDED)
    first, second, third = cluster.nodes
    assert call(first, "PUT", "/vault").status == 200 and call(first, "PUT", "/vault/k", b"bytes").status == 200
    once_all_nodes_know(iam_of(second).create_user, 30, UserName="ann")
    made = iam_of(third).create_access_key(UserName="ann")["AccessKey"]
    key = made["AccessKeyId"], made["SecretAccessKey"]
    policy = iam_of(first).create_policy(PolicyName="all", PolicyDocument=allow("s3:*"))["Policy"]["Arn"]
    assert iam_of(second).get_policy(PolicyArn=policy)["Policy"]["PolicyName"] == "all"
    for changed_at, asked_at in ((first, second), (second, third), (third, first)) * 3:
        assert denied(call(asked_at, "GET", "/vault/k", key=key))
        iam_of(changed_at).attach_user_policy(UserName="ann", PolicyArn=policy)
        assert call(asked_at, "GET", "/vault/k", key=key).body == b"bytes"
        held = Held(asked_at, "PUT", "/vault/held", b"x" * 10 * KIB, key=key)
        iam_of(changed_at).detach_user_policy(UserName="ann", PolicyArn=policy)
        assert denied(call(asked_at, "GET", "/vault/k", key=key)) and denied(call(asked_at, "PUT", "/vault/new", b"x", key))
        assert held.finish().status == 403
    iam_of(first).update_access_key(UserName="ann", AccessKeyId=key[0], Status="Inactive")
    assert call(third, "GET", "/vault/k", key=key).code() == "InvalidAccessKeyId"
