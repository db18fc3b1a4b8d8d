"""Settings for trying the course on a hub, on this machine alone; ``jupyterhub`` gives ``get_config``."""

import os
import sys
from pathlib import Path

c = get_config()  # noqa: F821
HERE = Path(__file__).resolve().parent
USERS = Path(os.environ.get("CONVBP_HUB_USERS", HERE / "users"))

# Nobody else's machine reaches it. For a class, put a server with TLS before it, and real accounts into it.
c.JupyterHub.bind_url = "http://127.0.0.1:8000"
c.JupyterHub.authenticator_class = "dummy"  # any name
c.DummyAuthenticator.password = os.environ["CONVBP_HUB_PASSWORD"]
c.Authenticator.allow_all = True

# Each user's server is a process of whoever started the hub, in a folder of its own: for trying, not for a class.
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = str(USERS / "{username}")
c.Spawner.cmd = [str(Path(sys.executable).with_name("jupyterhub-singleuser"))]
c.Spawner.default_url = "/lab"
c.Spawner.http_timeout = c.Spawner.start_timeout = 120  # when a whole class begins at once
c.Spawner.args = [
    "--ServerApp.jpserver_extensions={'jupyter_lsp': False, 'notebook_shim': False, 'jupyter_server_terminals': False}",
    "--ServerApp.terminals_enabled=False",
    "--MappingKernelManager.cull_idle_timeout=1800",  # a kernel that nobody uses for half an hour gives its memory back
    "--LabApp.news_url=None",
    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    *(["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []),
]
# NumPy's threads cost memory, and gain nothing on arrays of this size.
c.Spawner.environment = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}

# What load.py may do.
if "CONVBP_HUB_TOKEN" in os.environ:
    c.JupyterHub.services = [{"name": "load", "api_token": os.environ["CONVBP_HUB_TOKEN"]}]
    scopes = ["admin:users", "admin:servers", "admin:server_state", "access:servers"]
    c.JupyterHub.load_roles = [{"name": "load", "services": ["load"], "scopes": scopes}]
