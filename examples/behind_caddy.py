"""An API that knows nothing of keys (api.py), behind Caddy, which asks Scopekey about each request and says who calls.

Run: python behind_caddy.py --port 8000
"""

import subprocess
import sys

from processes import behind

with behind("caddy", "Caddyfile", port=sys.argv[2]) as folder:
    config = ["--config", f"{folder}/Caddyfile", "--adapter", "caddyfile"]
    subprocess.run(["caddy", "run", *config], check=True)  # noqa: S603, S607
