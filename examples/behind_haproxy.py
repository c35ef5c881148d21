"""An API that knows nothing of keys (api.py), behind HAProxy, which asks Scopekey about each request, says who calls.

Run: python behind_haproxy.py --port 8000
"""

import subprocess
import sys

from processes import behind

# h11 drops the trailers that HAProxy hands on; httptools would take a client's for header fields.
with behind("haproxy", "haproxy.cfg", "scopekey.lua", port=sys.argv[2], http="h11") as folder:
    subprocess.run(["haproxy", "-db", "-f", f"{folder}/haproxy.cfg"], check=True)  # noqa: S603, S607
