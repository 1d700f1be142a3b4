"""boto3 without credentials against a node. A test that needs it is skipped where it is not installed."""
import pytest

boto3 = pytest.importorskip("boto3")
botocore = pytest.importorskip("botocore")
from botocore.config import Config  # noqa: E402
from botocore.exceptions import ClientError  # noqa: E402


def client_of(node):
    config = Config(signature_version=botocore.UNSIGNED, s3={"addressing_style": "path"}, retries={"max_attempts": 1})
    return boto3.client("s3", endpoint_url=node.url(), region_name="us-east-1", config=config)


def refusal(call, **arguments):
    """Status and code of a call that must be refused."""
    with pytest.raises(ClientError) as failed:
        call(**arguments)
    answer = failed.value.response
    return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"]
