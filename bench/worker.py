"""One worker of a gateway, with any application: `python -m bench.worker MODULE:FACTORY HOST:PORT`."""

import sys

from bench.serving import cores, pin
from scopekey.cli.processes import listen, serve_worker

if __name__ == "__main__":
    factory, address = sys.argv[1:3]
    if "--beside" in sys.argv:
        pin(cores()[1])
    host, _, port = address.rpartition(":")
    serve_worker(factory, listen(host, int(port)))
