"""How much one caller may ask of the platform. Every bound that a caller can meet is here."""

from dataclasses import dataclass, replace

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on bodies, rows, time, memory and waiting work."""

    body_bytes: int = 10 * MEBIBYTE
    upload_rows: int = 200_000
    # A small Parquet file can unpack to any size: this is what may come out of it.
    unpacked_bytes: int = 64 * MEBIBYTE
    statement_seconds: float = 10.0
    query_seconds: float = 10.0
    query_megabytes: int = 256
    result_rows: int = 10_000
    result_bytes: int = 2 * MEBIBYTE
    store_megabytes: int = 1024
    threads: int = 2
    workers: int = 2
    waiting_jobs: int = 50
    kept_jobs: int = 100
    running_workflows: int = 2
    waiting_runs: int = 20
    kept_runs: int = 100
    kept_deliveries: int = 100

    def for_upload(self) -> "Limits":
        """The same bounds for reading an uploaded file: one row more than may be stored, so that more is noticed."""
        return replace(self, result_rows=self.upload_rows + 1, result_bytes=self.unpacked_bytes)
