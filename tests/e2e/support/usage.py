"""What a bucket holds, and what a log says about it."""
import json

from rights import VERSIONING, cairn

VERSIONED = (VERSIONING % "Enabled").encode()


def usage_of(node, bucket):
    """None: not counted yet."""
    return json.loads(cairn(node, "bucket", "usage", bucket, "--json"))[0]["usage"]


def held(objects, versions, markers, size):
    return {"objects": objects, "versions": versions, "delete_markers": markers, "bytes": size}


def lines_of(path):
    """Of a log of JSON lines."""
    return [json.loads(line) for line in open(path, encoding="utf-8")]
