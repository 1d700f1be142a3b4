"""Users and their policies, through IAM's API."""
import json

import pytest

from signing import ROOT

boto3 = pytest.importorskip("boto3")
from botocore.config import Config  # noqa: E402

ACCOUNT = "000000000000"


def iam_of(node, key=ROOT, region="us-east-1"):
    return boto3.client("iam", endpoint_url=node.url(), region_name=region, aws_access_key_id=key[0], aws_secret_access_key=key[1],
                        config=Config(retries={"max_attempts": 1}))


def s3_of(node, key, **settings):
    return boto3.client("s3", endpoint_url=node.url(), region_name="us-east-1", aws_access_key_id=key[0], aws_secret_access_key=key[1],
                        config=Config(**{"s3": {"addressing_style": "path"}, "retries": {"max_attempts": 1}, **settings}))


def allow(actions, resource="*", effect="Allow", **more):
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": effect, "Action": actions, "Resource": resource, **more}]})


def arn(resource):
    return f"arn:aws:iam::{ACCOUNT}:{resource}"


def user_with_key(iam, name, **more):
    iam.create_user(UserName=name, **more)
    made = iam.create_access_key(UserName=name)["AccessKey"]
    return made["AccessKeyId"], made["SecretAccessKey"]


def person(node, iam, name):
    """Its id as lists name it, and a client with its key. It has no policies."""
    key = user_with_key(iam, name)
    return iam.get_user(UserName=name)["User"]["UserId"], s3_of(node, key)
