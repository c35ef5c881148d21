"""A proof that one entry is in the log: all that is needed to check it, with the log's public key and nothing else."""

import binascii
from base64 import b64decode, b64encode
from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from scopekey.audit.checkpoint import Checkpoint, CheckpointError, parse_checkpoint, read_checkpoint
from scopekey.audit.entry import MAX_ENTRY_SIZE, Entry, read_entry
from scopekey.audit.merkle import ProofError, leaf_hash, verify_inclusion
from scopekey.audit.note import VerifierKey

FORMAT: Literal["scopekey-entry-proof/1"] = "scopekey-entry-proof/1"
_MAX_HASHES = 64
_TLOG_PROOF = "c2sp.org/tlog-proof@v1"


class EntryProof(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One entry, its canonical bytes read as text; the hashes up to the root, its sibling first; and a checkpoint."""

    format: Literal["scopekey-entry-proof/1"] = FORMAT
    index: Annotated[int, Meta(ge=0)]
    entry: Annotated[str, Meta(max_length=MAX_ENTRY_SIZE)]
    proof: Annotated[list[str], Meta(max_length=_MAX_HASHES)]
    checkpoint: str

    @property
    def hashes(self) -> list[bytes]:
        """The hashes as bytes. Raises ProofError."""
        try:
            return [b64decode(one, validate=True) for one in self.proof]
        except (ValueError, binascii.Error):
            raise ProofError("a hash of the proof is not written in base64") from None


class ProvedEntry(msgspec.Struct, frozen=True):
    """An entry that is in the log, and the checkpoint that says so."""

    entry: Entry
    index: int
    checkpoint: Checkpoint


def make_proof(index: int, entry: bytes, hashes: Sequence[bytes], checkpoint: str) -> EntryProof:
    """Put a proof together."""
    return EntryProof(
        index=index, entry=entry.decode(), proof=[b64encode(one).decode() for one in hashes], checkpoint=checkpoint
    )


def write_proof(proof: EntryProof) -> bytes:
    """Write it as JSON, for files."""
    return msgspec.json.format(msgspec.json.encode(msgspec.structs.asdict(proof)), indent=2) + b"\n"


def read_proof(encoded: bytes) -> EntryProof:
    """Read what `write_proof` wrote. Raises ProofError."""
    try:
        return msgspec.json.decode(encoded, type=EntryProof)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise ProofError(f"this is no proof of an entry in the form {FORMAT}") from None


def check_proof(proof: EntryProof, key: VerifierKey) -> ProvedEntry:
    """Check that the log of this key holds the entry at its place. Raises ProofError."""
    try:
        checkpoint = read_checkpoint(proof.checkpoint, key)
        body = proof.entry.encode()
        verify_inclusion(proof.index, checkpoint.size, leaf_hash(body), proof.hashes, checkpoint.root)
        return ProvedEntry(read_entry(body), proof.index, checkpoint)
    except CheckpointError as error:
        raise ProofError(f"the checkpoint is not this log's: {error}") from None
    except UnicodeEncodeError:
        raise ProofError("the entry is no text that can have been logged") from None
    except msgspec.MsgspecError:
        raise ProofError("what is proved is no entry of an audit log") from None


def write_tlog_proof(proof: EntryProof) -> str:
    """Write the same as C2SP tlog-proof, without the entry: for tools that know that form."""
    parse_checkpoint(proof.checkpoint.rpartition("\n\n")[0] + "\n")
    lines = [_TLOG_PROOF, f"index {proof.index}", *proof.proof, "", proof.checkpoint]
    return "\n".join(lines)
