"""What bin/up and bin/manage read from the environment, and what they hand to the processes they start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pipelime.running import CannotStart

ROOT = Path(__file__).resolve().parent.parent.parent
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Config:
    data: Path
    host: str
    port: int
    brings_broker: bool
    demo: bool = True

    @classmethod
    def read(cls, environ: Mapping[str, str], *, demo: bool = True) -> Config:
        return cls(
            data=Path(environ.get("PIPELIME_DATA") or ROOT / "var").resolve(),
            host=environ.get("HOST") or LOOPBACK,
            port=port_number("PORT", environ.get("PORT") or "8000"),
            brings_broker=bool(environ.get("BROKER_URL")),
            demo=demo,
        )

    @property
    def secrets(self) -> Path:
        return self.data / "secrets"

    @property
    def logs(self) -> Path:
        return self.data / "logs"

    @property
    def local_url(self) -> str:
        """Where this machine reaches the web process: a wildcard address cannot be connected to."""
        host = {"0.0.0.0": LOOPBACK, "::": "[::1]"}.get(self.host, self.host)  # noqa: S104  compared, not bound
        return f"http://{host}:{self.port}"


def port_number(name: str, raw: str) -> int:
    if raw.isascii() and raw.isdigit() and 0 < int(raw) < 65536:
        return int(raw)
    raise CannotStart(f"{name}={raw} is not a port: use a number from 1 to 65535, for instance {name}=8001.")


def child_environment(
    config: Config, environ: Mapping[str, str], secrets: Mapping[str, str], sink_port: int | None
) -> dict[str, str]:
    """The caller's environment, completed: what the operator has set always wins."""
    ours = {
        "DJANGO_SETTINGS_MODULE": "pipelime.settings",
        "PORT": str(config.port),
        "PYTHONUNBUFFERED": "1",
        **secrets,
    }
    if sink_port:
        ours["PIPELIME_SINK_PORT"] = str(sink_port)
        ours["PIPELIME_OUTBOUND_ALLOW"] = f"{LOOPBACK}:{sink_port}"
    return {**ours, **environ, "PIPELIME_DATA": str(config.data)}
