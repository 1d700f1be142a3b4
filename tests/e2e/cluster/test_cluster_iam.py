"""A user, a group or a policy that was changed through one node is so on all others once the change is answered."""
from cairn_node import KIB, eventually
from held import Held
from identities import allow, iam_of
from rights import GUARDED, denied
from signing import call

from botocore.exceptions import ClientError


def user_everywhere_known(node, name):
    """A new cluster takes a moment to know that all its nodes are of this version."""
    def create():
        try:
            iam_of(node).create_user(UserName=name)
        except ClientError as problem:
            assert problem.response["Error"]["Code"] == "NotImplemented", problem
            return False
        return True
    eventually(create, seconds=30, every=0.2, what="all nodes are known to be of this version")


def test_a_change_of_an_identity_holds_on_every_node_once_it_is_answered(make_cluster):
    cluster = make_cluster(3, **GUARDED)
    first, second, third = cluster.nodes
    assert call(first, "PUT", "/vault").status == 200 and call(first, "PUT", "/vault/k", b"bytes").status == 200
    user_everywhere_known(second, "ann")
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
