"""The admin API: its document against real answers, who may ask what, sessions of the console."""
import json
import re
import time

import pytest

from browser import SIGNED_ONLY, Client
from cairn_cluster import admin_of
from cairn_node import eventually


def with_token(node):
    client = Client(node)
    client.ask = lambda method, path, **headers: Client.ask(client, method, path, Cairn_Token=node.admin_token(), **headers)
    return client


def conforms(value, schema, document, where):
    """What is wrong with a value, by the part of JSON Schema that the document uses."""
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if "anyOf" in schema:
        problems = [conforms(value, one, document, where) for one in schema["anyOf"]]
        return min(problems, key=len)
    types = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool, "null": type(None)}
    if type(value) is not types[schema["type"]]:
        return [f"{where}: {value!r} is no {schema['type']}"]
    if schema["type"] == "array":
        return [p for i, one in enumerate(value) for p in conforms(one, schema["items"], document, f"{where}[{i}]")]
    if schema["type"] == "object" and "properties" in schema:
        names = schema["properties"].keys()
        problems = [f"{where}: {n} is {'missing' if n in names else 'not documented'}" for n in names ^ value.keys()]
        return problems + [p for n in names & value.keys()
                           for p in conforms(value[n], schema["properties"][n], document, f"{where}.{n}")]
    if "enum" in schema and value not in schema["enum"]:
        return [f"{where}: {value!r} is none of {schema['enum']}"]
    return []


def check(document, path, method, status, answer):
    responses = document["paths"][path][method.lower()]["responses"]
    response = responses["200" if status == 200 else "default"]
    assert conforms(answer, response["content"]["application/json"]["schema"], document, f"{method} {path}") == []


def test_the_checker_finds_what_is_wrong():
    document = {"components": {"schemas": {"a": {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}}}}
    reference = {"$ref": "#/components/schemas/a"}
    assert conforms({"n": 1}, reference, document, "") == []
    for wrong in ({}, {"n": True}, {"n": "1"}, {"n": 1, "m": 2}, [], None):
        assert conforms(wrong, reference, document, "")
    assert conforms(None, {"anyOf": [{"type": "null"}, reference]}, document, "") == []
    assert conforms([{"n": 1}, {}], {"type": "array", "items": reference}, document, "")
    assert conforms("c", {"type": "string", "enum": ["a", "b"]}, document, "")


def test_every_operation_answers_as_documented(make_cluster):
    cluster = make_cluster(2, cluster_replicas=2, auth_sealing_key="5" * 64, **SIGNED_ONLY)
    node = cluster.nodes[0]
    client = with_token(node)
    document = client.done("GET", "/v1/openapi.json")
    assert document["openapi"].startswith("3.1")
    eventually(lambda: client.ask("POST", "/v1/keys?label=first")[0] == 200, seconds=60, what="all nodes are known to be of this version")
    key = client.done("GET", "/v1/keys")["keys"][0]["access_key"]
    signed = Client(node)
    signed.sign_in("rootkey", "root-secret-0123456789")
    made = node.cairn("mb", "papers", environment={"AWS_ACCESS_KEY_ID": "rootkey", "AWS_SECRET_ACCESS_KEY": "root-secret-0123456789"})
    assert made.returncode == 0, made.stderr
    voters = ",".join(map(str, client.done("GET", "/v1/cluster")["voters"]))
    subjects = {"node": "1", "key": key, "bucket": "papers", "user": key}
    of_keys = ("session", "signOut", "objectRights", "shareObject")  # the token has no rights on objects
    queries = {"weight": "value=200", "zone": "value=rack-1", "voters": "node=" + voters, "deletions": "value=hold",
               "invite": "value=60", "createKey": "label=x&create_buckets=yes", "allow": "bucket=papers&rights=read,owner",
               "deny": "bucket=papers&rights=owner", "publicRead": "value=on", "setQuota": "bytes=20000000000&objects=5",
               "setOwner": f"user={key}", "setUserQuota": "bytes=20000000000", "shareObject": "key=a&seconds=60"}
    client.done("PUT", "/v1/buckets/papers/quota?bytes=10000000000")
    eventually(lambda: client.ask("PUT", f"/v1/users/{key}/quota?objects=5")[0] == 200, seconds=60, what="the buckets are counted")
    last = ["deny", "deleteKey", "remove", "drain", "activate", "signOut"]  # in this order
    rows = [(path, method.upper(), o) for path, methods in document["paths"].items() for method, o in methods.items()]
    rows.sort(key=lambda row: last.index(row[2]["operationId"]) if row[2]["operationId"] in last else -1)
    assert len(rows) >= 30
    for path, method, operation in rows:
        name = operation["operationId"]
        url = re.sub(r"\{(\w+)\}", lambda m: subjects[m.group(1)], path)
        if name in queries:
            url += "?" + queries[name]
        asking = signed if name in of_keys else client
        status, answer = asking.ask(method, url)
        assert (status == 200) == (name != "remove"), (name, answer)  # the node owns partitions
        check(document, path, method, status, answer)
    for method, path in (("PUT", "/v1/nodes/1/weight"), ("GET", "/v1/keys?max=0"), ("GET", "/v1/keys?max=x"),
                         ("PUT", "/v1/buckets/papers/quota"), ("PUT", "/v1/buckets/papers/quota?bytes=1GiB"),
                         ("PUT", "/v1/buckets/papers/quota?objects=12345678901234567890"), ("PUT", f"/v1/users/{key}/quota"),
                         ("PUT", "/v1/buckets/papers/owner"), ("PUT", "/v1/buckets/papers/owner?user="), ("GET", "/v1/users?max=0"),
                         ("GET", "/v1/disks?all=yes"), ("POST", "/v1/nodes/1/drain?force=yes")):
        status, answer = client.ask(method, path)
        assert status == 400 and answer["code"] == "invalid_argument", (path, answer)
    status, answer = client.ask("GET", "/v1/nodes/1/drain")
    assert status == 405 and client.headers["Allow"] == "POST"
    assert client.ask("GET", "/v1/other")[0] == 404
    assert client.ask("GET", "/v1/cluster?format=text")[1].startswith(b"Cluster blue")


def test_lists_page(start_node):
    node = start_node()
    client = with_token(node)
    for i in range(5):
        client.done("POST", f"/v1/keys?label=k{i}")
        assert node.request("PUT", f"/bucket-{i}").status == 200
    for path, name, key in (("/v1/keys", "keys", "access_key"), ("/v1/buckets", "buckets", "name")):
        everything = client.done("GET", path)
        assert everything["next"] is None
        pages, after = [], ""
        while after is not None:
            page = client.done("GET", f"{path}?max=2" + (f"&after={after}" if after else ""))
            assert len(page[name]) <= 2
            pages += page[name]
            after = page["next"]
        assert pages == everything[name] and len(pages) >= 5
    assert [b["name"] for b in client.done("GET", "/v1/buckets?prefix=bucket-3")["buckets"]] == ["bucket-3"]


def test_a_node_tells_about_itself(start_node):
    node = start_node()
    client = Client(node)
    before = client.done("GET", "/v1/node")
    assert before["ready"] and not before["clustered"] and before["reasons"] == []
    assert node.cairn("version").stdout.decode().split()[1] == before["version"]
    node.put("/files/a", b"x" * 100_000)
    assert node.get("/files/nothing").status == 404
    time.sleep(0.01)
    after = client.done("GET", "/v1/node")
    assert after["requests"]["total"] == before["requests"]["total"] + 2
    assert after["requests"]["client_errors"] == before["requests"]["client_errors"] + 1
    assert after["requests"]["bytes_received"] >= before["requests"]["bytes_received"] + 100_000
    assert after["uptime_ms"] > before["uptime_ms"]
    disk, = client.done("GET", "/v1/disks")["disks"]
    assert disk["state"] == "healthy" and disk["chunks"] == 1 and disk["data_bytes"] >= 100_000
    assert client.ask("GET", "/v1/cluster")[0] == 404


@pytest.fixture
def guarded(start_node):
    return start_node(**SIGNED_ONLY)


def test_a_session_begins_with_credentials_and_ends(guarded):
    client = Client(guarded)
    assert client.ask("GET", "/v1/session")[0] == 401
    for key, secret in (("rootkey", "wrong"), ("rootkey", ""), ("other", "root-secret-0123456789"), ("", ""), ("a b", "x")):
        began = time.monotonic()
        assert client.sign_in(key, secret) == 401
        assert time.monotonic() - began > 0.4, "guessing takes time"
    assert client.ask("POST", "/v1/session", Cairn_Token="x")[0] in (401, 403)
    assert client.sign_in("rootkey", "root-secret-0123456789") == 200
    line = client.headers["Set-Cookie"]
    assert re.match(rf"cairn-console-{guarded.admin_port}=[0-9a-f]{{64}}; ", line)
    for attribute in ("HttpOnly", "SameSite=Strict", "Path=/v1", "Max-Age=43200"):
        assert attribute in line
    assert client.headers["Cache-Control"] == "no-store"
    session = client.done("GET", "/v1/session")
    assert session == {"access_key": "rootkey", "operator": True, "csrf": client.csrf}
    kept = client.cookie
    client.done("DELETE", "/v1/session")
    assert "Max-Age=0" in client.headers["Set-Cookie"]
    client.cookie = kept
    assert client.ask("GET", "/v1/session")[0] == 401, "ended on the server too"
    assert "root-secret" not in guarded.log() and kept.split("=")[1] not in guarded.log()


def test_a_sign_in_takes_no_session_of_others(guarded):
    planted = "0" * 64
    client = Client(guarded)
    client.cookie = f"cairn-console-{guarded.admin_port}={planted}"
    client.sign_in("rootkey", "root-secret-0123456789")
    assert planted not in client.cookie
    first = client.cookie
    client.sign_in("rootkey", "root-secret-0123456789")
    assert client.cookie != first
    second, client.cookie = client.cookie, first
    assert client.ask("GET", "/v1/session")[0] == 401, "the earlier session of this browser ended"
    client.cookie = f"cairn-console-{guarded.admin_port}={planted}"
    assert client.ask("GET", "/v1/session")[0] == 401
    client.cookie = second
    assert client.ask("GET", "/v1/session")[0] == 200


def test_pages_of_others_change_and_read_nothing(guarded):
    client = Client(guarded)
    client.sign_in("rootkey", "root-secret-0123456789")
    create = "/v1/keys?label=forged"
    http_port = f"http://127.0.0.1:{guarded.http_port}"  # it serves objects, that is, pages of others
    for change in ({"Origin": http_port}, {"Origin": "https://evil.example"}, {"Origin": "null"}, {"Origin": None},
                   {"Cairn_CSRF": None}, {"Cairn_CSRF": ""}, {"Cairn_CSRF": "0" * 64}):
        status, answer = client.ask("POST", create, **change)
        assert status == 403 and answer["code"] == "access_denied", (change, answer)
    for site in ("same-site", "cross-site"):
        assert client.ask("POST", create, Sec_Fetch_Site=site)[0] == 401
        assert client.ask("GET", "/v1/keys", Sec_Fetch_Site=site)[0] == 401
    for origin in (http_port, "https://evil.example", "null"):  # over plain HTTP to another machine there is no Sec-Fetch-Site
        assert client.ask("GET", "/v1/keys", Origin=origin)[0] == 401
    assert client.ask("POST", "/v1/session", Origin=http_port, Authorization="Basic cm9vdGtleTpyb290")[0] == 403
    assert client.ask("OPTIONS", create, Access_Control_Request_Method="POST")[0] == 405, "no preflight is answered"
    assert "Access-Control-Allow-Origin" not in client.headers
    assert client.ask("GET", "/v1/keys", Host="rebound.example:9001")[0] == 403
    assert client.done("GET", "/v1/keys")["keys"] == []
    client.done("POST", create, Sec_Fetch_Site="same-origin")
    assert len(client.done("GET", "/v1/keys")["keys"]) == 1


def test_a_key_sees_what_is_its_own_and_changes_nothing(guarded):
    root = Client(guarded)
    root.sign_in("rootkey", "root-secret-0123456789")
    mine, other = (root.done("POST", f"/v1/keys?label={label}&create_buckets=yes") for label in ("mine", "other"))
    for key, bucket in ((mine, "mine"), (other, "theirs")):
        made = guarded.cairn("mb", bucket, environment={"AWS_ACCESS_KEY_ID": key["access_key"], "AWS_SECRET_ACCESS_KEY": key["secret_key"]})
        assert made.returncode == 0, made.stderr
    client = Client(guarded)
    assert client.sign_in(mine["access_key"], other["secret_key"]) == 401
    assert client.sign_in(mine["access_key"], mine["secret_key"]) == 200
    assert client.done("GET", "/v1/session")["operator"] is False
    assert [k["access_key"] for k in client.done("GET", "/v1/keys")["keys"]] == [mine["access_key"]]
    assert [b["name"] for b in client.done("GET", "/v1/buckets")["buckets"]] == ["mine"]
    assert [k["access_key"] for k in client.done("GET", "/v1/buckets/mine")["keys"]] == [mine["access_key"]]
    assert client.ask("GET", "/v1/buckets/theirs")[0] == 404
    document = client.done("GET", "/v1/openapi.json")
    tried = 0
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if method == "get" or path == "/v1/session" or operation["operationId"] == "shareObject":  # the key's own right
                continue
            url = path.replace("{node}", "0").replace("{key}", mine["access_key"]).replace("{bucket}", "mine").replace("{user}", mine["access_key"])
            query = "&".join(f"{p['name']}={p['schema'].get('enum', ['1'])[0]}" for p in operation["parameters"]
                             if p["in"] == "query" and p["required"])
            status, answer = client.ask(method.upper(), f"{url}?{query}" if query else url)
            assert status == 403 and answer["code"] == "access_denied", (path, answer)
            tried += 1
    assert tried >= 14
    root.done("DELETE", f"/v1/keys/{mine['access_key']}")
    assert client.ask("GET", "/v1/buckets")[0] == 401, "its sessions end with the key"
    assert client.sign_in(mine["access_key"], mine["secret_key"]) == 401


def test_without_a_session_only_what_has_no_secrets_is_shown(guarded):
    client = Client(guarded)
    for path in ("/v1/keys", "/v1/buckets", "/v1/buckets/files", "/v1/session"):
        assert client.ask("GET", path)[0] == 401
    shown = json.dumps([client.done("GET", path) for path in ("/v1/node", "/v1/disks", "/v1/openapi.json")])
    assert "rootkey" not in shown and guarded.admin_token() not in shown


def test_the_console_is_served_with_a_policy(guarded):
    client = Client(guarded)
    status, page = client.ask("GET", "/console/")
    assert status == 200 and b"console.js" in page
    policy = client.headers["Content-Security-Policy"]
    for rule in ("default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'", "form-action 'none'"):
        assert rule in policy
    assert "unsafe" not in policy
    sizes = 0
    for name in re.findall(rb'(?:src|href)="([^"]+)"', page):
        status, content = client.ask("GET", "/console/" + name.decode())
        assert status == 200 and client.headers["X-Content-Type-Options"] == "nosniff"
        assert b"http://" not in content.replace(b"http://www.w3.org/", b"") and b"https://" not in content, "nothing from outside"
        sizes += len(content)
    assert sizes < 150 * 1024
    assert client.ask("GET", "/console")[0] == 308
    assert client.ask("GET", "/console/../admin.token")[0] == 404
    assert client.ask("GET", "/console/", Host="rebound.example")[0] == 403


def test_the_command_and_paths_of_older_builds_do_the_same(make_cluster):
    cluster = make_cluster(2)
    node = cluster.nodes[0]
    client = with_token(node)
    secret = re.search(r"access key +(\S+)", node.cairn("key", "create", "--label", "old ways", *admin_of(node)).stdout.decode()).group(1)
    listed = json.loads(node.cairn("key", "list", "--json", *admin_of(node)).stdout)
    assert [k["access_key"] for k in listed] == [secret]
    assert client.done("POST", "/keys/command?kind=list&format=json") == listed
    assert client.done("GET", "/cluster")["nodes"] == client.done("GET", "/v1/nodes")["nodes"]
    assert client.ask("POST", "/cluster/command?kind=zone&node=1&value=rack-7")[0] == 200
    assert cluster.command("zone", "0", "rack-8").returncode == 0
    assert eventually(lambda: [n["zone"] for n in client.done("GET", "/v1/nodes")["nodes"]] == ["rack-8", "rack-7"], what="both zones")
    refused = cluster.command("remove", "1", check=False)
    assert refused.returncode == 1 and "partition" in refused.stderr
