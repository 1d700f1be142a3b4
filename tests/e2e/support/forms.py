"""Uploads by HTML forms, and the policies that sign them."""
import base64
import json
import time

from signing import ROOT, Signer, hmac256


def form(fields, content=b"bytes", file_name="a.txt", boundary="boundary-1"):
    parts = "".join(f'--{boundary}\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n' for k, v in fields.items())
    parts += f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{file_name}"\r\n\r\n'
    return parts.encode() + content + f"\r\n--{boundary}--\r\n".encode()


def post(node, bucket, fields, content=b"bytes", file_name="a.txt", **headers):
    headers = {"Content-Type": "multipart/form-data; boundary=boundary-1"} | {k.replace("_", "-"): v for k, v in headers.items()}
    return node.request("POST", f"/{bucket}", form(fields, content, file_name), headers)


def signed(bucket, conditions, fields, key=ROOT, ends=60):
    """The fields with a policy, which covers those of the signature."""
    signer = Signer(access=key[0], secret=key[1])
    own = {"x-amz-algorithm": "AWS4-HMAC-SHA256", "x-amz-credential": f"{key[0]}/{signer.scope}", "x-amz-date": signer.time}
    document = {"expiration": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + ends)),
                "conditions": [{"bucket": bucket}, *conditions, *({k: v} for k, v in own.items())]}
    policy = base64.b64encode(json.dumps(document).encode()).decode()
    return fields | own | {"policy": policy, "x-amz-signature": hmac256(signer.key, policy).hex()}
