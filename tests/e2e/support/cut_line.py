"""A line to the admin port of a node that breaks in the middle of an answer."""
import socket
import threading


class CutLine:
    """Stands for the node where its admin port is asked. cut(text, bytes): of the next answer to a request whose head has the text,
    only so many bytes arrive. `heads`: of the requests, one a connection."""

    def __init__(self, node):
        self.node, self.heads, self.planned, self.lock = node, [], None, threading.Lock()
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.admin_port = self.listening.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def cut(self, text, bytes_max):
        with self.lock:
            self.planned = (text, bytes_max)

    def accept(self):
        while True:
            try:
                client, _ = self.listening.accept()
            except OSError:
                return  # stopped
            threading.Thread(target=self.carry, args=(client,), daemon=True).start()

    def carry(self, client):
        node = socket.create_connection(("127.0.0.1", self.node.admin_port))
        head = client.recv(1 << 16)
        bytes_max = None
        with self.lock:
            self.heads.append(head)
            if self.planned and self.planned[0] in head:
                bytes_max, self.planned = self.planned[1], None
        node.sendall(head)
        threading.Thread(target=pump, args=(client, node), daemon=True).start()
        pump(node, client, bytes_max)

    def stop(self):
        self.listening.close()


def pump(source, target, bytes_max=None):
    carried = 0
    try:
        while (part := source.recv(1 << 16)) and (bytes_max is None or carried < bytes_max):
            target.sendall(part)
            carried += len(part)
    except OSError:
        pass  # the other direction has ended both
    for end in (source, target):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
