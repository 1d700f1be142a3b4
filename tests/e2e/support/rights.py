"""A node that answers nobody without a signature, and the `cairn` command of its operator: keys and their rights."""
import json
import os
import subprocess

from cairn_node import BINARY, eventually
from signing import ACCESS, SECRET, call, content_md5

TOKEN = "operators-token-0123456789"
GUARDED = dict(auth_anonymous="none", auth_root_access_key=ACCESS, auth_root_secret_key=SECRET, admin_token=TOKEN)
VERSIONING = "<VersioningConfiguration><Status>%s</Status></VersioningConfiguration>"


def command(node, *arguments, token=None):
    """The command against the node's admin port, however it ends."""
    return subprocess.run([BINARY, *arguments, "--admin", f"http://127.0.0.1:{node.admin_port}"], capture_output=True, text=True, timeout=30,
                          env=dict(os.environ, CAIRN_ADMIN_TOKEN=token or node.admin_token()))


def cairn(node, *arguments):
    """The output of a command that must succeed."""
    done = command(node, *arguments)
    assert done.returncode == 0, done
    return done.stdout


def new_key(node, *arguments):
    made = json.loads(cairn(node, "key", "create", "--json", *arguments))
    return made["access_key"], made["secret_key"]


def sealed_key(node):
    """A new key of a node of a cluster, once the cluster's feature level allows it."""
    def made():
        done = command(node, "key", "create", "--json", "--create-buckets")
        return done.returncode == 0 and json.loads(done.stdout)
    answer = eventually(made, seconds=60, every=0.5, what="a sealed key")
    return answer["access_key"], answer["secret_key"]


def lacks_sealing_key(node):
    """Whether the node says that it is not ready because of it."""
    try:
        return b"sealed with the key" in node.admin("/health/ready").body
    except OSError:
        return False


def key_with(node, bucket, *rights):
    key = new_key(node)
    if rights:
        cairn(node, "key", "allow", key[0], bucket, *(f"--{r}" for r in rights))
    return key


def bucket_of(node, name, versioning=None, acl="private"):
    assert call(node, "PUT", f"/{name}", x_amz_acl=acl).status == 200
    if versioning:
        assert call(node, "PUT", f"/{name}?versioning", (VERSIONING % versioning).encode()).status == 200
    return name


def delete_many(node, bucket, entries, key):
    body = ("<Delete>" + "".join(f"<Object><Key>{k}</Key><VersionId>{v}</VersionId></Object>" for k, v in entries) + "</Delete>").encode()
    return call(node, "POST", f"/{bucket}?delete", body, key, **content_md5(body))


def denied(answer):
    return answer.status == 403 and answer.code() in ("AccessDenied", None)


# Bucket policies


def statement(bucket, action, effect="Allow", principal="*", resource=None, **more):
    both = [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]
    return {"Effect": effect, "Principal": principal, "Action": action, "Resource": resource or both, **more}


def policy_of(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)}).encode()


def put_policy(node, bucket, *statements):
    answer = call(node, "PUT", f"/{bucket}?policy", policy_of(*statements))
    assert answer.status == 204, answer


def user(key):
    return {"AWS": f"arn:aws:iam:::user/{key[0]}"}
