"""The folder of a data plane alone: its replica, its name, and what its follower says of itself."""

from pathlib import Path

import msgspec

from scopekey.replica.status import Status
from scopekey.settings import Settings

_STATUS = "follower.json"
_decode = msgspec.json.Decoder(Status).decode


class StartRefusedError(RuntimeError):
    """This node must not start as it is set up; says what does not fit, and what to do."""


def prepare(settings: Settings) -> None:
    """Make the folder, and see that it is nobody else's. Raises StartRefusedError."""
    if (settings.home / "scopekey.db").exists():
        raise StartRefusedError(
            f"{settings.home} is the home folder of a control plane: give this node a folder of its own in "
            "SCOPEKEY_HOME"
        )
    try:
        settings.replica_path.mkdir(mode=0o700, parents=True, exist_ok=True)
        settings.node_id()
        _try_disk(settings.replica_path)
    except OSError as error:
        raise StartRefusedError(
            f"nothing can be written in {settings.home} ({error.strerror}): see to its disk and its permissions, "
            "or name another folder in SCOPEKEY_HOME"
        ) from error


def write_status(settings: Settings, status: Status) -> None:
    """Keep what the follower says of itself where every process of this machine can read it."""
    file = settings.replica_path / _STATUS
    fresh = file.with_suffix(".new")
    fresh.write_bytes(msgspec.json.encode(status))
    fresh.replace(file)


def read_status(settings: Settings) -> Status | None:
    """What the follower last said, or None."""
    try:
        return _decode((settings.replica_path / _STATUS).read_bytes())
    except (OSError, msgspec.MsgspecError):
        return None


_ROOM = 256 * 1024


def _try_disk(folder: Path) -> None:
    """A full disk is found out now, not by the first change."""
    trial = folder / "trial"
    try:
        trial.write_bytes(bytes(_ROOM))
    finally:
        trial.unlink(missing_ok=True)
