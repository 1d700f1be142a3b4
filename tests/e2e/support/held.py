"""A request whose body is kept back."""
from signing import Signer, content_md5, sha256
from wire import Wire


class Held:
    """A request all of whose bytes but the last were sent."""

    def __init__(self, node, method, path, body, key=None, **headers):
        self.wire, self.last = Wire(node), body[-1:]
        lines = {"Host": f"127.0.0.1:{node.http_port}"} | {k.replace("_", "-"): v for k, v in headers.items()}
        if key:
            lines = Signer(access=key[0], secret=key[1]).headers(method, lines["Host"], path, sha256(body), **headers)
        lines["Content-Length"] = str(len(body))
        if path.endswith("?delete"):
            lines |= content_md5(body)
        head = f"{method} {path} HTTP/1.1\r\n" + "".join(f"{n}: {v}\r\n" for n, v in lines.items()) + "\r\n"
        self.wire.send(head.encode() + body[:-1])

    def finish(self):
        with self.wire:
            return self.wire.send(self.last).answer()
