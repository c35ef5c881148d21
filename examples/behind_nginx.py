"""An API that knows nothing of keys (api.py), behind nginx, which asks Scopekey about each request and says who calls.

Run: python behind_nginx.py --port 8000
"""

import subprocess
import sys

from processes import behind

with behind("nginx", "nginx.conf", port=sys.argv[2]) as folder:
    files = ["-e", f"{folder}/nginx.log", "-c", f"{folder}/nginx.conf"]
    subprocess.run(["nginx", *files, "-g", "daemon off; master_process off;"], check=True)  # noqa: S603, S607
