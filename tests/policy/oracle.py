"""An evaluator of S3 bucket policies, written from AWS's documentation and in other ways than Cairn's: patterns are
regular expressions, addresses those of `ipaddress`, dates those of `datetime`. It takes well-formed policies only."""
import base64
import datetime
import ipaddress
import re

ACCOUNT = "000000000000"
NEGATED = {"StringNotEquals": "StringEquals", "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase", "StringNotLike": "StringLike",
           "NumericNotEquals": "NumericEquals", "DateNotEquals": "DateEquals", "NotIpAddress": "IpAddress",
           "ArnNotEquals": "ArnEquals", "ArnNotLike": "ArnLike"}
UNKNOWN = object()


def listed(value):
    return value if isinstance(value, list) else [value]


def utc(ms):
    return datetime.datetime.fromtimestamp(ms // 1000, datetime.timezone.utc)


class Request:
    def __init__(self, asked):
        self.asked = asked
        self.unknown_used = False

    @property
    def arn(self):
        sender = self.asked["sender"]
        if sender == "anonymous":
            return None
        if sender == "account":
            return f"arn:aws:iam::{ACCOUNT}:root"
        user = self.asked["user"]
        kind = "role" if user and user["session"] else "user"
        return f"arn:aws:iam::{ACCOUNT}:{kind}" + (user["path"] + user["name"] if user else "/" + self.asked["access_key"])

    @property
    def session_arn(self):
        user = self.asked["user"]
        return f"arn:aws:sts::{ACCOUNT}:assumed-role/{user['name']}/{user['session']}" if user and user["session"] else None

    @property
    def resource(self):
        name = self.asked["action"].split(":")[1]
        of_object = "Object" in name or name in ("AbortMultipartUpload", "ListMultipartUploadParts")
        return f"arn:aws:s3:::{self.asked['bucket']}" + (f"/{self.asked['key']}" if of_object else "")

    def values(self, key):
        space, _, rest = key.partition(":")
        word, slash, tag = rest.partition("/")
        name = f"{space}:{word}".lower()
        sender, user = self.asked["sender"], self.asked["user"]
        computed = {
            "aws:currenttime": [utc(self.asked["time"]).strftime("%Y-%m-%dT%H:%M:%SZ")],
            "aws:epochtime": [str(self.asked["time"] // 1000)],
            "aws:principaltype": ["AssumedRole"] if user and user["session"] else [{"key": "User", "account": "Account", "anonymous": "Anonymous"}[sender]],
            "aws:principalarn": [self.arn] if self.arn else [],
            "aws:principalaccount": [] if sender == "anonymous" else [ACCOUNT],
            "aws:userid": [user["id"] + (":" + user["session"] if user["session"] else "")] if user else [{"key": self.asked["access_key"], "account": ACCOUNT, "anonymous": "anonymous"}[sender]],
            "aws:username": [user["name"]] if user and not user["session"] else [] if user else [self.asked["access_key"]] if sender == "key" else [],
            "aws:tokenissuetime": [utc(user["issued"]).strftime("%Y-%m-%dT%H:%M:%SZ")] if user and user["issued"] else [],
            "aws:resourceaccount": [ACCOUNT], "s3:resourceaccount": [ACCOUNT], "aws:viaawsservice": ["false"],
        }
        if name in computed:
            return computed[name]
        if name == "s3:existingobjecttag":
            if self.asked["existing"] is None:
                return UNKNOWN
            return [value for key, value in self.asked["existing"] if key == tag]
        if name == "aws:principaltag":
            return [value for key, value in user["tags"] if key == tag] if user else []
        full = name + slash + tag
        for given, values in self.asked["values"]:
            head, given_slash, given_tag = given.partition("/")
            if head.lower() + given_slash + given_tag == full:
                return values
        return []


def substituted(text, request, variables):
    """The pieces of a text: (is it literal, piece). None: a variable has no value."""
    pieces, at = [], 0
    if not variables:
        return [(False, text)]
    for found in re.finditer(r"\$\{([^}]*)\}", text):
        pieces.append((False, text[at:found.start()]))
        at = found.end()
        inside = found.group(1)
        if inside in ("*", "?", "$"):
            pieces.append((True, inside))
            continue
        key, comma, default = inside.partition(",")
        values = request.values(key.strip())
        if values is UNKNOWN:
            request.unknown_used = True
            values = []
        if len(values) == 1:
            pieces.append((True, values[0]))
        elif comma:
            pieces.append((True, default.strip()[1:-1]))
        else:
            return None
    return pieces + [(False, text[at:])]


def matches(text, value, request, variables, wild, fold=False):
    pieces = substituted(text, request, variables)
    if pieces is None:
        return False
    expression = ""
    for literal, piece in pieces:
        for c in piece:
            expression += ".*" if c == "*" and wild and not literal else "." if c == "?" and wild and not literal else re.escape(c)
    return re.fullmatch(expression, value, re.S | (re.I | re.A if fold else 0)) is not None


def split_arn(text, protect=False):
    if protect:
        text = re.sub(r"\$\{[^}]*\}", lambda m: m.group(0).replace(":", "\x01"), text)
    parts = [part.replace("\x01", ":") for part in text.split(":", 5)]
    return parts if len(parts) == 6 else None


def date_of(text):
    if re.fullmatch(r"-?\d+", text) and len(text) != 4:
        return datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc) + datetime.timedelta(seconds=int(text))
    if re.fullmatch(r"\d{4}", text):
        text += "-01-01"
    elif re.fullmatch(r"\d{4}-\d\d", text):
        text += "-01"
    try:
        read = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return None
    return read if read.tzinfo else read.replace(tzinfo=datetime.timezone.utc)


def number_of(text):
    return float(text) if re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", text) else None


def address_of(text):
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def one_matches(operator, wanted, value, request, variables):
    if isinstance(wanted, bool):
        wanted = "true" if wanted else "false"
    wanted = str(wanted)
    if operator == "StringEquals":
        return matches(wanted, value, request, variables, False)
    if operator == "StringEqualsIgnoreCase":
        return matches(wanted, value, request, variables, False, True)
    if operator == "StringLike":
        return matches(wanted, value, request, variables, True)
    if operator in ("ArnEquals", "ArnLike"):
        parts, values = split_arn(wanted, True), split_arn(value)
        if not values:
            return False
        hits = [known(matches(p, v, request, variables, True), request) for p, v in zip(parts, values)]
        request.unknown_used = UNKNOWN in hits and False not in hits
        return False not in hits
    if operator == "Bool":
        return wanted.lower() == value.lower()
    if operator == "BinaryEquals":
        return base64.b64decode(wanted) == value.encode()
    if operator == "IpAddress":
        address = address_of(value)
        network = ipaddress.ip_network(wanted, strict=False)
        mapped = getattr(network.network_address, "ipv4_mapped", None)
        if mapped and network.prefixlen >= 96:
            network = ipaddress.ip_network(f"{mapped}/{network.prefixlen - 96}")
        return address is not None and address.version == network.version and address in network
    of = date_of if operator.startswith("Date") else number_of
    left, right = of(value), of(wanted)
    if left is None or right is None:
        return False
    order = operator.removeprefix("Date").removeprefix("Numeric")
    return {"Equals": left == right, "LessThan": left < right, "LessThanEquals": left <= right, "GreaterThan": left > right,
            "GreaterThanEquals": left >= right}[order]


def known(hit, request):
    """What a match says, unless a variable in it stood for something unknown."""
    unknown, request.unknown_used = request.unknown_used, False
    return UNKNOWN if unknown else hit


def some(hits):
    return True if any(h is True for h in hits) else UNKNOWN if UNKNOWN in hits else False


def condition_holds(operator, key, wanted, request, variables):
    values = request.values(key)
    if values is UNKNOWN:
        return UNKNOWN
    wanted = listed(wanted)
    if operator == "Null":
        return any((str(w).lower() == "true") == (not values) for w in wanted)
    over, _, plain = operator.rpartition(":")
    if_exists = plain.endswith("IfExists")
    plain = plain.removesuffix("IfExists")
    positive = NEGATED.get(plain, plain)
    if not values:
        if if_exists or over == "ForAllValues":
            return True
        return over == "" and plain in NEGATED
    request.unknown_used = False
    hits = []
    for v in values:
        found = [known(one_matches(positive, w, v, request, variables), request) for w in wanted]
        hit = some(found)
        hits.append(hit if hit is UNKNOWN or plain not in NEGATED else not hit)
    every = over == "ForAllValues" or (over == "" and plain in NEGATED)
    if not every:
        return some(hits)
    return False if any(h is False for h in hits) else UNKNOWN if UNKNOWN in hits else True


def names_sender(named, request, allows, negated):
    if named == "*":
        return True
    sender = request.asked["sender"]
    for kind, entries in named.items():
        for entry in listed(entries):
            if entry == "*":
                return True
            entry = entry.replace("arn:aws:iam:::", f"arn:aws:iam::{ACCOUNT}:")
            if kind == "CanonicalUser" or entry in (ACCOUNT, f"arn:aws:iam::{ACCOUNT}:root"):
                if sender == "account" or (sender == "key" and not allows and not negated):
                    return True
            elif entry in (request.arn, request.session_arn):
                return True
    return False


def in_statement(statement, request, variables):
    """True, False or UNKNOWN."""
    action = request.asked["action"]
    actions = statement.get("Action", statement.get("NotAction"))
    hit = any(matches(a, action, request, False, True, True) for a in listed(actions))
    if hit != ("Action" in statement):
        return False
    if "Principal" in statement or "NotPrincipal" in statement:
        negated = "NotPrincipal" in statement
        named = statement["NotPrincipal" if negated else "Principal"]
        if names_sender(named, request, statement["Effect"] == "Allow", negated) == negated:
            return False
    waits = False
    resources = statement.get("Resource", statement.get("NotResource"))
    request.unknown_used = False
    hit = some([known(matches(r, request.resource, request, variables, True), request) for r in listed(resources)])
    if hit is UNKNOWN:
        waits = True
    elif hit != ("Resource" in statement):
        return False
    for operator, lines in statement.get("Condition", {}).items():
        for key, wanted in lines.items():
            held = condition_holds(operator, key, wanted, request, variables)
            if held is False:
                return False
            waits = waits or held is UNKNOWN
    return UNKNOWN if waits else True


def decide(policy, asked):
    variables = policy.get("Version") == "2012-10-17"
    allowed, waits = None, False
    for number, statement in enumerate(listed(policy["Statement"])):
        found = in_statement(statement, Request(asked), variables)
        if found is UNKNOWN:
            waits = True
        elif found and statement["Effect"] == "Deny":
            return f"deny {number}"
        elif found and allowed is None:
            allowed = number
    if waits:
        return "undecided 0"
    return "none 0" if allowed is None else f"allow {allowed}"
