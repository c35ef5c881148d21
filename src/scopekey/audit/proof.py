"""The proof that an entry is in the log: one file that says it all, and that anybody can check offline."""

from base64 import b64encode

import msgspec

from scopekey.audit.checkpoint import CheckpointError, read_checkpoint
from scopekey.audit.entry import Entry, read_entry
from scopekey.audit.merkle import ProofError, leaf_hash, verify_inclusion
from scopekey.audit.note import VerifierKey, read_base64

FORMAT = "scopekey-proof/1"


class EntryProof(msgspec.Struct, frozen=True):
    """An entry's place and bytes, the hashes that lead from it to a root, and the signed checkpoint of that root."""

    index: int
    entry: bytes
    hashes: tuple[bytes, ...]
    checkpoint: str


class _Document(msgspec.Struct, frozen=True):
    format: str
    index: int
    entry: str
    proof: list[str]
    checkpoint: str


_DECODER = msgspec.json.Decoder(_Document)


def write_proof(proof: EntryProof) -> bytes:
    """Write a proof as JSON that people can read too."""
    hashes = [b64encode(one).decode() for one in proof.hashes]
    document = _Document(FORMAT, proof.index, proof.entry.decode(), hashes, proof.checkpoint)
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def read_proof(written: bytes) -> EntryProof:
    """Read a proof as it was written, without checking it. Raises ProofError for anything else."""
    try:
        document = _DECODER.decode(written)
        hashes = tuple(map(read_base64, document.proof))
        proof = EntryProof(document.index, document.entry.encode(), hashes, document.checkpoint)
    except ValueError as error:
        raise ProofError(f"the document is no proof: {error}") from None
    if document.format != FORMAT:
        raise ProofError(f"the document is in another format than {FORMAT}, the only one that this version reads")
    return proof


def check_proof(proof: EntryProof, key: VerifierKey) -> Entry:
    """Check that the log whose key this is holds the entry, and give it. Raises ProofError where that is not shown."""
    try:
        checkpoint = read_checkpoint(proof.checkpoint, key)
    except CheckpointError as error:
        raise ProofError(str(error)) from None
    verify_inclusion(proof.index, checkpoint.size, leaf_hash(proof.entry), proof.hashes, checkpoint.root)
    try:
        return read_entry(proof.entry)
    except msgspec.DecodeError:
        raise ProofError(f"entry {proof.index} is in the log, but is none that this version can read") from None


def write_tlog_proof(proof: EntryProof) -> str:
    """Write the same for other tools, without the entry itself (C2SP tlog-proof, ``.tlog-proof``)."""
    hashes = "".join(f"{b64encode(one).decode()}\n" for one in proof.hashes)
    return f"c2sp.org/tlog-proof@v1\nindex {proof.index}\n{hashes}\n{proof.checkpoint}"
