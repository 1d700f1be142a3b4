"""A proxy between a client and a node that lets a test meddle with requests and answers."""
import http.client
import http.server
import threading


class Between:
    """hook(method, path, number), called before request `number` (from 1) is passed on, may answer:
    None                    pass it on
    int                     answer with this status instead
    (int, bytes)            answer with this status and body instead
    (bytes) -> bytes        pass it on, and change the answer's body; a shorter one ends the connection
    dict                    pass it on, with these headers in the answer; those that are None are left out
    "lose"                  pass it on, and end the connection without an answer
    Meanwhile current.headers are the request's.
    """

    def __init__(self, node, hook):
        self.node, self.hook, self.count, self.lock = node, hook, 0, threading.Lock()
        self.current = threading.local()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def forward(self):
                with outer.lock:
                    outer.count += 1
                    number = outer.count
                outer.current.headers = self.headers
                act = outer.hook(self.command, self.path, number)
                if isinstance(act, int):
                    act = act, b"<Error><Code>Planned</Code><Message>by the test</Message></Error>"
                if isinstance(act, tuple):
                    status, body = act
                    self.send_response_only(status)
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(b"" if self.command == "HEAD" else body)
                    return
                c = http.client.HTTPConnection("127.0.0.1", outer.node.http_port, timeout=30)
                c.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
                for name, value in self.headers.items():
                    c.putheader(name, value)
                c.endheaders(self.rfile.read(int(self.headers.get("Content-Length", 0))) or None)
                r = c.getresponse()
                body = r.read()
                if act == "lose":
                    self.close_connection = True
                    return
                self.send_response_only(r.status)
                changes = act if isinstance(act, dict) else {}
                for name, value in [h for h in r.getheaders() if h[0].lower() not in changes] + [c for c in changes.items() if c[1]]:
                    self.send_header(name, value)
                self.end_headers()
                if callable(act):
                    changed = act(body)
                    if len(changed) < len(body):
                        self.close_connection = True
                    body = changed
                self.wfile.write(body)
                c.close()

            do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = forward

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, request, client_address):
                pass  # clients come and go

        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def url(self):
        return f"http://127.0.0.1:{self.server.server_port}"

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
