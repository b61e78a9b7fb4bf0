"""`bin/manage`: manage.py with the data folder, keys and mail sink that bin/up uses."""

from __future__ import annotations

import os
import sys

from pipelime.running import CannotStart, folder
from pipelime.running.config import ROOT, Config, child_environment
from pipelime.running.secret_files import ensure_secrets


def main() -> None:
    try:
        config = Config.read(os.environ)
        folder.ensure_writable(config.data)
        sink_port = folder.known_sink_port(config.data, os.environ)
    except CannotStart as error:
        sys.exit(str(error))
    secrets = ensure_secrets(config.secrets, os.environ)
    environment = child_environment(config, os.environ, secrets, sink_port)
    manage = str(ROOT / "manage.py")
    os.execve(sys.executable, [sys.executable, manage, *sys.argv[1:]], environment)  # noqa: S606  no shell wanted


if __name__ == "__main__":
    main()
