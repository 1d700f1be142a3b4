"""boto3 without credentials against a node. A test that needs it is skipped where it is not installed."""
import pytest

from cairn_node import eventually

boto3 = pytest.importorskip("boto3")
botocore = pytest.importorskip("botocore")
from botocore.config import Config  # noqa: E402
from botocore.exceptions import ClientError  # noqa: E402


def once_all_nodes_know(call, seconds, **arguments):
    """A new cluster takes a moment to know that all its nodes are of this version."""
    def answered():
        try:
            call(**arguments)
        except ClientError as failed:
            assert failed.response["Error"]["Code"] == "NotImplemented", failed
            return False
        return True
    eventually(answered, seconds=seconds, every=0.2, what="all nodes are known to be of this version")


def client_of(node):
    config = Config(signature_version=botocore.UNSIGNED, s3={"addressing_style": "path"}, retries={"max_attempts": 1})
    return boto3.client("s3", endpoint_url=node.url(), region_name="us-east-1", config=config)


def refusal(call, **arguments):
    """Status and code of a call that must be refused."""
    with pytest.raises(ClientError) as failed:
        call(**arguments)
    answer = failed.value.response
    return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"]
