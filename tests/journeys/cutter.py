"""A network that breaks: TCP passed on between loopback ports, cut, held or refused when a test says so."""

import contextlib
import socket
import threading


class Cutter:
    """Listens on a port of its own and passes everything on to another one, both ways.

    `refuse` closes new connections at once; `hold` keeps all bytes back without closing anything (a
    partition: nobody is told); `cut` closes what is open.
    """

    def __init__(self, upstream):
        self.upstream = upstream
        self.refuse = False
        self.passing = threading.Event()
        self.passing.set()
        self._open = set()
        self._halves = {}
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._ended = False
        self._threads = []
        self._start(self._accept)

    def hold(self):
        self.passing.clear()

    def go_on(self):
        self.passing.set()

    def cut(self):
        with self._lock:
            pairs = list(self._open)
        for one in pairs:
            _shut(one)

    def close(self):
        self._ended = True
        self.go_on()
        _shut(self._listener)
        self._listener.close()
        self.cut()
        for thread in self._threads:
            thread.join(5)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _start(self, target, *arguments):
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self):
        while not self._ended:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                if self.refuse:
                    raise ConnectionRefusedError
                server = socket.create_connection(("127.0.0.1", self.upstream), timeout=10)
                server.settimeout(None)
            except OSError:
                client.close()
                continue
            with self._lock:
                self._open |= {client, server}
            for source, target in ((client, server), (server, client)):
                self._start(self._pass_on, source, target)

    def _pass_on(self, source, target):
        with contextlib.suppress(OSError):
            while data := source.recv(65_536):
                self.passing.wait()
                target.sendall(data)
        _shut(target)
        with self._lock:
            self._halves[source, target] = True
            both = (target, source) in self._halves
        if both:
            # Only now does nobody read or write on either any more.
            for one in (source, target):
                one.close()
            with self._lock:
                self._open -= {source, target}


def _shut(one):
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
