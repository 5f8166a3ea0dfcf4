"""Private Debian root, sandbox and supervision: how Reading Room runs on a bare machine.

Standard library only and Python 3.11 or newer, because it runs before anything is installed.

    scripts/serve ── serve ── ground (root, venv, web app: made once, kept) ── sandbox ── leash ── supervisor
                                                                                                ├── Orthanc
                                                                                                └── nginx

Other commands run their Python inside the same sandbox: `launch.run_module("readingroom.cases.import_cli",
argv, data=…)`.
"""

from __future__ import annotations

import sys

if sys.version_info < (3, 11):  # noqa: UP036  # a machine's own Python may be older than ours
    sys.exit(
        f"Python 3.11 or newer is needed to start Reading Room; this is {sys.version.split()[0]} (apt-get "
        f"install python3)."
    )
