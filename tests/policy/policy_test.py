#!/usr/bin/env python3
"""Cairn's evaluator of policies (policy_cases.cpp) against oracle.py on random policies and requests.

policy_test.py PROGRAM [--requests N] [--seed S]
"""
import argparse
import collections
import json
import random
import subprocess
import sys

import oracle

BUCKETS = ["logs", "photos"]
KEYS = ["a", "home/CK1/a", "home/ck1/a", "home/*/b", "public/a", "public/ä", "a?b", "a$b", "a/b/c", "A"]
SENDERS = [("key", "CK1"), ("key", "CK2"), ("account", ""), ("anonymous", "")]
ACTIONS = ["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject", "s3:DeleteObject", "s3:ListBucket", "s3:PutObjectTagging", "s3:GetBucketAcl",
           "s3:AbortMultipartUpload"]
ACTION_PATTERNS = ACTIONS + ["s3:*", "*", "s3:Get*", "S3:getobject", "s3:*Object", "s3:?etObject", "s3:List*", "s3:Put*"]
RESOURCE_TAILS = ["", "/*", "/a", "/home/${aws:username}/*", "/home/?K1/*", "/public/*", "/public/?", "/${aws:PrincipalTag/team, 'public'}/*",
                  "/home/${*}/b", "/a${?}b", "/a${$}b", "/${s3:ExistingObjectTag/where}/*", "*", "/*/*", "/A"]
PRINCIPALS = ["*", {"AWS": "*"}, {"AWS": "arn:aws:iam:::user/CK1"}, {"AWS": ["arn:aws:iam::000000000000:user/CK2", "arn:aws:iam::123456789012:root"]},
              {"AWS": "arn:aws:iam::000000000000:root"}, {"AWS": "000000000000"}, {"CanonicalUser": "cairn"}, {"AWS": "arn:aws:iam::other:user/CK1"},
              {"AWS": "arn:aws:iam:::user/public"}, {"AWS": "arn:aws:iam:::user/team/CK1"},
              {"AWS": "arn:aws:iam:::role/public"}, {"AWS": ["arn:aws:sts::000000000000:assumed-role/CK1/night", "arn:aws:iam:::role/team/a"]}]
TEXTS = ["public", "PUBLIC", "pub*", "p?blic", "private", "${aws:username}", "CK1", "ck1", "", "a", "*", "${aws:PrincipalTag/team}", "ä"]
NUMBERS = ["0", "10", "10.0", "1e1", "-5", "1000", "99.5"]
DATES = ["2026-11-29T17:41:29Z", "2026-11-29", "2026", "1796000000", "2026-11-29T18:41:29+01:00", "2030-01-01T00:00:00.500Z", "2026-11"]
ADDRESSES = ["10.1.2.3", "10.0.0.0/8", "10.1.2.3/31", "2001:db8::1", "2001:db8::/32", "0.0.0.0/0", "::/0", "::ffff:10.1.2.3", "192.168.0.0/16"]
ARNS = ["arn:aws:iam::*:user/CK?", "arn:aws:iam::000000000000:user/*", "arn:*:*:*:*:*", "arn:aws:iam::000000000000:root", "arn:aws:iam::*:user/${aws:username}",
        "arn:aws:s3:::*"]
TEXT_KEYS = ["s3:prefix", "s3:delimiter", "aws:UserAgent", "aws:Referer", "aws:username", "aws:userid", "s3:x-amz-acl", "s3:ExistingObjectTag/where",
             "s3:ExistingObjectTag/Where", "s3:RequestObjectTag/team", "s3:RequestObjectTagKeys", "aws:PrincipalTag/team", "AWS:principaltype",
             "s3:x-amz-storage-class", "s3:VersionId", "aws:PrincipalArn"]
GIVEN_KEYS = ["s3:prefix", "s3:delimiter", "aws:UserAgent", "aws:Referer", "s3:x-amz-acl", "s3:RequestObjectTag/team",
              "s3:x-amz-storage-class", "s3:VersionId"]


class Maker:
    def __init__(self, seed):
        self.r = random.Random(seed)

    def some(self, values, most=3):
        chosen = self.r.sample(values, self.r.randint(1, min(most, len(values))))
        return chosen[0] if len(chosen) == 1 and self.r.random() < 0.7 else chosen

    def arn(self, bucket):
        tail = self.r.choice(RESOURCE_TAILS)
        return "arn:aws:s3:::" + (bucket if self.r.random() < 0.8 else "*") + tail

    def condition(self):
        r, pick = self.r, self.r.choice
        kind = pick(["text", "text", "text", "number", "date", "bool", "ip", "arn", "null", "binary"])
        if kind == "text":
            base = pick(["StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "StringLike", "StringNotLike"])
            key, values = pick(TEXT_KEYS), TEXTS
        elif kind == "number":
            base = pick(["NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals", "NumericGreaterThan", "NumericGreaterThanEquals"])
            key, values = pick(["s3:max-keys", "s3:signatureAge", "aws:EpochTime"]), NUMBERS + [10, 0.5]
        elif kind == "date":
            base = pick(["DateEquals", "DateNotEquals", "DateLessThan", "DateLessThanEquals", "DateGreaterThan", "DateGreaterThanEquals"])
            key, values = pick(["aws:CurrentTime", "aws:EpochTime", "aws:TokenIssueTime"]), DATES
        elif kind == "bool":
            base, key, values = "Bool", pick(["aws:SecureTransport", "aws:MultiFactorAuthPresent"]), ["true", "false", "True", True, False]
        elif kind == "ip":
            base, key, values = pick(["IpAddress", "NotIpAddress"]), "aws:SourceIp", ADDRESSES
        elif kind == "arn":
            base, key, values = pick(["ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike"]), pick(["aws:PrincipalArn", "aws:Referer"]), ARNS
        elif kind == "binary":
            base, key, values = "BinaryEquals", pick(["s3:prefix", "aws:username"]), ["cHVibGlj", "Q0sx", "YQ=="]
        else:
            return "Null", pick(TEXT_KEYS + ["s3:max-keys"]), self.some(["true", "false", True, False], 2)
        if r.random() < 0.25:
            base = pick(["ForAllValues:", "ForAnyValue:"]) + base
        if r.random() < 0.2:
            base += "IfExists"
        return base, key, self.some(values)

    def statement(self, bucket, number, of):
        r = self.r
        s = {"Effect": r.choice(["Allow", "Allow", "Deny"])}
        if r.random() < 0.7:
            s["Sid"] = f"s{number}"
        if of == "bucket":
            negated = s["Effect"] == "Deny" and r.random() < 0.2
            s["NotPrincipal" if negated else "Principal"] = r.choice(PRINCIPALS)
        s["NotAction" if r.random() < 0.15 else "Action"] = self.some(ACTION_PATTERNS)
        resources = [self.arn(bucket) for _ in range(r.randint(1, 3))]
        s["NotResource" if r.random() < 0.15 else "Resource"] = resources[0] if len(resources) == 1 else resources
        for _ in range(r.choice([0, 0, 1, 1, 2, 3])):
            how, key, values = self.condition()
            s.setdefault("Condition", {}).setdefault(how, {})[key] = values
        return s

    def policy(self, bucket, of):
        r = self.r
        p = {"Statement": [self.statement(bucket, n, of) for n in range(r.randint(1, 5))]}
        if len(p["Statement"]) == 1 and r.random() < 0.5:
            p["Statement"] = p["Statement"][0]
        if r.random() < 0.9:
            p["Version"] = r.choice(["2012-10-17"] * 4 + ["2008-10-17"])
        return p

    def request(self, bucket):
        r = self.r
        values = [[key, [r.choice(TEXTS)]] for key in GIVEN_KEYS if r.random() < 0.4]
        if r.random() < 0.5:
            values.append(["aws:SourceIp", [r.choice(["10.1.2.3", "10.1.2.2", "2001:db8::1", "192.168.1.1", "::ffff:10.1.2.3"])]])
        for key, texts in (("s3:max-keys", NUMBERS + ["many", "0x10"]), ("s3:signatureAge", NUMBERS), ("aws:SecureTransport", ["true", "false"])):
            if r.random() < 0.4:
                values.append([key, [r.choice(texts)]])
        if r.random() < 0.4:
            values.append(["s3:RequestObjectTagKeys", r.sample(TEXTS, r.randint(1, 3))])
        sender, key = r.choice(SENDERS)
        user = None
        if sender == "key" and r.random() < 0.5:
            tags = [["team", r.choice(TEXTS)]] if r.random() < 0.6 else []
            user = {"name": r.choice(["CK1", "public", "a"]), "id": r.choice(["AIDA1", "CK1"]), "path": r.choice(["/", "/team/"]), "tags": tags,
                    "session": r.choice(["", "", "night", "CK1"]), "issued": r.choice([0, 1795974089000, 1796000000000])}
            if user["session"] and not user["issued"]:
                user["issued"] = 1764438089123
        existing = r.choice([None, [], [["where", r.choice(TEXTS)]], [["Where", "public"], ["where", "private"]]])
        return {"action": r.choice(ACTIONS), "bucket": bucket if r.random() < 0.9 else r.choice(BUCKETS), "key": r.choice(KEYS), "sender": sender,
                "access_key": key, "time": r.choice([1796000000000, 1795974089000, 1764438089123]), "values": values,
                "existing": existing, "user": user}


def run(program, requests, seed):
    maker = Maker(seed)
    process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    counts, differ, done = collections.Counter(), 0, 0
    while done < requests:
        lines, cases = [], []
        for _ in range(50):
            bucket, of = maker.r.choice(BUCKETS), maker.r.choice(["bucket", "bucket", "identity"])
            policy = maker.policy(bucket, of)
            lines.append({"policy": json.dumps(policy), "of": of, "bucket": bucket})
            cases.append((policy, None))
            for _ in range(20):
                asked = maker.request(bucket)
                lines.append(asked)
                cases.append((policy, asked))
        process.stdin.write("".join(json.dumps(line) + "\n" for line in lines))
        process.stdin.flush()
        for policy, asked in cases:
            answer = process.stdout.readline().strip()
            if asked is None:
                expected = answer if answer.startswith("accepted") else "accepted"
            else:
                expected = oracle.decide(policy, asked)
                counts[answer.split()[0]] += 1
                done += 1
            if answer != expected:
                differ += 1
                if differ <= 5:
                    print(f"{answer!r} instead of {expected!r}:\n  {json.dumps(policy)}\n  {json.dumps(asked)}", file=sys.stderr)
    process.stdin.close()
    return process.wait() == 0 and differ == 0, counts, differ


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("--requests", type=int, default=40_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    good, counts, differ = run(options.program, options.requests, options.seed)
    print(f"seed {options.seed}: {sum(counts.values())} requests, {dict(counts)}, {differ} differences")
    # A generator whose requests all end alike would prove little.
    if good and options.requests >= 10_000 and min(counts[kind] for kind in ("allow", "deny", "none", "undecided")) < options.requests // 200:
        sys.exit("too few of one outcome")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
