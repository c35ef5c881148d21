"""A log as a folder of files, in the layout of C2SP tlog-tiles: what `audit archive` writes, or a copy of a log."""

from pathlib import Path

from scopekey.audit.tiles import TILE_WIDTH, bundle_path, decode_bundle, encode_bundle, tile_path


class LogFolderError(Exception):
    """A file of the log cannot be read; names it."""


class LogFolder:
    """Reads `checkpoint`, `tile/…` and `tile/entries/…`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def checkpoint(self) -> str:
        """The note in the file `checkpoint`. Raises LogFolderError."""
        return self._read("checkpoint").decode("utf-8", "replace")

    def reaches(self, size: int) -> int:
        """Where the entries of a log of this size end of which there are bundles, by their names: gaps do not count."""
        numbers = range(-(-size // TILE_WIDTH))
        last = next((number for number in reversed(numbers) if self._widest(bundle_path(number))), -1)
        return min(size, (last + 1) * TILE_WIDTH)

    def hashes(self, level: int, number: int, width: int = TILE_WIDTH) -> bytes:  # noqa: ARG002 - all there are
        """The hashes of a tile, the widest that is there; empty where there is none. Raises LogFolderError."""
        path = self._widest(tile_path(level, number))
        return b"" if path is None else self._read(path)

    def entries(self, number: int, width: int) -> list[bytes] | None:
        """The first `width` entries of a bundle; None where they are not all there.

        Raises ValueError for a file that is no bundle, and LogFolderError.
        """
        path = self._widest(bundle_path(number))
        found = [] if path is None else decode_bundle(self._read(path))
        return found[:width] if len(found) >= width else None

    def encoded_bundle(self, number: int, width: int) -> bytes | None:
        """The same as it stands in a bundle of that width; None where there is none that can be read."""
        try:
            entries = self.entries(number, width)
        except (LogFolderError, ValueError):
            return None
        return None if entries is None else encode_bundle(entries)

    def _widest(self, whole: str) -> str | None:
        """The path of the whole tile, or of the widest part of it that is there."""
        if (self._folder / whole).is_file():
            return whole
        parts = self._folder / f"{whole}.p"
        widths = [int(part.name) for part in parts.iterdir() if part.name.isdecimal()] if parts.is_dir() else []
        widest = max((width for width in widths if 0 < width < TILE_WIDTH), default=0)
        return f"{whole}.p/{widest}" if widest else None

    def _read(self, path: str) -> bytes:
        file = self._folder / path
        try:
            return file.read_bytes()
        except OSError as error:
            raise LogFolderError(f"{file} cannot be read: {error.strerror}") from None
