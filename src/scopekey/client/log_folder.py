"""A log as a folder of files, in the layout of C2SP tlog-tiles: what `audit archive` writes, or a copy of any such log."""

from pathlib import Path

from scopekey.audit.tiles import TILE_WIDTH, bundle_path, decode_bundle, tile_path


class LogFolderError(Exception):
    """A file that the log must have is not in the folder, or is no file of a log; names it."""


class LogFolder:
    """Reads `checkpoint`, `tile/…` and `tile/entries/…`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def checkpoint(self) -> str:
        """The note in the file `checkpoint`. Raises LogFolderError."""
        return self._read("checkpoint").decode("utf-8", "replace")

    def tile(self, level: int, number: int) -> bytes:
        """The hashes of a tile, the widest that is there. Raises LogFolderError."""
        whole = tile_path(level, number)
        return self._read(self._widest(whole))

    def bundle(self, number: int, width: int) -> list[bytes]:
        """The first `width` entries of a bundle, whole ones or parts of it. Raises LogFolderError."""
        for path in (bundle_path(number, width), bundle_path(number), self._widest(bundle_path(number))):
            if (self._folder / path).is_file():
                return self._decoded(path, width)
        raise LogFolderError(f"there is no {self._folder / bundle_path(number, width)}")

    def _decoded(self, path: str, width: int) -> list[bytes]:
        try:
            entries = decode_bundle(self._read(path))
        except ValueError as error:
            raise LogFolderError(f"{self._folder / path}: {error}") from None
        if len(entries) < width:
            raise LogFolderError(f"{self._folder / path} holds {len(entries)} entries of {width}")
        return entries[:width]

    def _widest(self, whole: str) -> str:
        """The path of the whole tile, or of the widest part of it that is there."""
        if (self._folder / whole).is_file():
            return whole
        parts = self._folder / f"{whole}.p"
        widths = [int(part.name) for part in parts.iterdir() if part.name.isdecimal()] if parts.is_dir() else []
        widest = max((width for width in widths if 0 < width < TILE_WIDTH), default=0)
        return f"{whole}.p/{widest}" if widest else whole

    def _read(self, path: str) -> bytes:
        file = self._folder / path
        try:
            return file.read_bytes()
        except OSError as error:
            raise LogFolderError(f"{file} cannot be read: {error.strerror}") from None
