"""Follow a feed: apply what comes in order, load a snapshot where the place is not known, and say what goes wrong.

Nothing is applied that does not follow. Whatever breaks, the replica stays as it was and grows older:
freshness is what judges it, not this.
"""

import logging
import random
import threading
from collections.abc import Callable, Iterable, Iterator

import lmdb

from scopekey.core.change import Change
from scopekey.core.ids import PepperId
from scopekey.core.keyformat import KeyFormat
from scopekey.replica.freshness import Level, milliseconds_since_boot
from scopekey.replica.index import NotNextError, Place
from scopekey.replica.leader import Leadership
from scopekey.replica.lmdb_index import LmdbIndex
from scopekey.replica.record import UnreadableRecordError
from scopekey.replica.status import State, Status
from scopekey.replica.upstream import (
    RefusedError,
    SnapshotNeededError,
    Stream,
    Upstream,
    UpstreamAwayError,
)
from scopekey.wire.feed import Complete, End, Header, Heartbeat, Line, UnreadableFeedError, read_header, read_line

_log = logging.getLogger(__name__)

FIRST_WAIT, LONGEST_WAIT = 0.1, 5.0
"""Seconds between two tries: doubled each time, never longer than the second."""
_BATCH = 500


class Follower:
    """Keeps one replica level with an upstream, in the thread that calls `run`.

    `peppers` are the ids of those that this node has, `key_format` the form of the keys it reads. `replace`
    lets a snapshot of another feed take the place of what is there: only somebody who knows that it is the
    right one may say so.
    """

    def __init__(
        self,
        index: LmdbIndex,
        upstream: Upstream,
        *,
        peppers: Iterable[PepperId],
        key_format: KeyFormat | None = None,
        leadership: Leadership,
        clock: Callable[[], int],
        tell: Callable[[Status], None] = lambda _: None,
        replace: bool = False,
    ) -> None:
        self.index = index
        self._upstream = upstream
        self._peppers = frozenset(peppers)
        self._key_format = key_format
        self.leadership = leadership
        self._clock = clock
        self._tell = tell
        self._replace = replace
        self._stop = threading.Event()
        self._in_use: tuple[PepperId, ...] = ()
        self._complained: set[str] = set()
        self._status = Status(State.CONNECTING, clock())

    def probe(self) -> None:
        """Look once whether the upstream can be followed at all.

        Raises RefusedError where somebody must do something first, and UpstreamAwayError.
        """
        place = self._readable_place()
        try:
            if place is not None:
                with self._upstream.open(place) as stream:
                    self._accept(read_header(stream.first()))
                return
        except SnapshotNeededError:
            pass
        with self._upstream.snapshot() as stream:
            self._accept(read_header(stream.first()))

    def run(self) -> None:
        """Follow until `stop`. Whatever happens is told, and tried again."""
        wait = FIRST_WAIT
        while not self._stop.is_set():
            if not self.leadership.try_take():
                # Not told: what the leader says of itself is what matters, and it says so itself.
                self._status = Status(State.STANDBY, self._clock(), "another process of this machine follows")
                self._stop.wait(1.0)
                continue
            if self._status.state in {State.CONNECTING, State.STANDBY}:
                self._say(State.CONNECTING, "", anew=True)
            try:
                self._follow_once()
                wait = FIRST_WAIT
            except Exception as error:  # noqa: BLE001 - a follower never gives up: the next try may find it mended
                if self._stop.is_set():
                    break
                followed = self._status.state is State.FOLLOWING
                self._say(*_told(error))
                wait = FIRST_WAIT if followed else min(2 * wait, LONGEST_WAIT)
                self._stop.wait(wait * random.uniform(0.5, 1.0))  # noqa: S311 - spreads followers, hides nothing
        self.leadership.release()

    def stop(self) -> None:
        """End `run`, from any thread."""
        self._stop.set()
        self._upstream.cut()

    @property
    def status(self) -> Status:
        """What it does now."""
        return self._status

    def _known_place(self) -> Place | None:
        """Where the replica is, None where it is empty, damaged, or of an earlier boot."""
        with self.index.writing() as writer:
            return writer.place()

    def _readable_place(self) -> Place | None:
        """Where the replica is as far as it can be read: one that is damaged is of no deployment any more."""
        try:
            return self.index.place()
        except (lmdb.Error, UnreadableRecordError):
            return None

    def _follow_once(self) -> None:
        """Follow one stream to its end."""
        place = self._known_place()
        if place is None:
            self._load()
            return
        try:
            with self._upstream.open(place) as stream:
                asked = stream.asked
                self._accept(read_header(stream.first()), place)
                self._say(State.FOLLOWING)
                for lines in stream.lines():
                    if self._take(lines, asked) or self._stop.is_set():
                        return
                raise UpstreamAwayError("the stream ended without saying why")
        except SnapshotNeededError:
            self._load()

    def _take(self, lines: list[bytes], asked: int) -> bool:
        """Apply what came at once, as one transaction. Tells whether the stream has ended as it should."""
        changes: list[Change] = []
        beat: Heartbeat | None = None
        end: Line | None = None
        for line in map(read_line, lines):
            if isinstance(line, Change):
                changes.append(line)
            elif isinstance(line, Heartbeat):
                beat = self._beaten(line, changes)
            else:
                end = line
                break
        self._apply(changes)
        if beat is not None:
            self._level(beat, asked)
        return end is not None and _ended(end)

    def _beaten(self, beat: Heartbeat, changes: list[Change]) -> Heartbeat:
        """A heartbeat says where the sender is: everything up to there must have come."""
        place = Place("", changes[-1].position, changes[-1].mark) if changes else self.index.place()
        if place is None or (place.position, place.mark.hex()) != (beat.position, beat.mark):
            raise NotNextError(
                f"the feed says that it has told everything up to position {beat.position}; here it ends at "
                f"{place.position if place else 'nothing'}"
            )
        return beat

    def _apply(self, changes: list[Change]) -> None:
        if changes:
            with self.index.writing() as writer:
                if writer.place() is None:
                    raise SnapshotNeededError("the replica was lost while it was followed")
                writer.apply(changes)

    def _level(self, beat: Heartbeat, asked: int) -> None:
        """The sender was level, less its own age, at the moment the beat was made; at the latest now.

        The stream began no earlier than it was asked for: so both clocks may run apart a little, and
        however long the beat lay in a buffer, it is never taken for a younger one.
        """
        if not self.index.sound():
            raise SnapshotNeededError("the replica was damaged while it was followed")
        if beat.age < 0:
            return
        boot = milliseconds_since_boot()
        behind = max(boot - (asked + beat.elapsed), 0) + beat.age
        self.index.leveled(Level(self._clock() - behind, boot - behind))

    def _load(self) -> None:
        """Replace everything by a snapshot; until it is whole, the old copy is read on."""
        with self._upstream.snapshot() as stream:
            header = read_header(stream.first())
            self._accept(header)
            self._say(State.LOADING)
            place = Place(header.feed_id, header.position, bytes.fromhex(header.mark))
            with self.index.writing() as writer:
                writer.load(place, self._until_stopped(_everything(stream, place)))
        self._replace = False

    def _until_stopped(self, changes: Iterator[Change]) -> Iterator[Change]:
        for change in changes:
            if self._stop.is_set():
                raise UpstreamAwayError("the snapshot was not waited for")
            yield change

    def _accept(self, header: Header, place: Place | None = None) -> None:
        """Refuse what must not be followed: another deployment, or keys whose peppers are not here."""
        known = place or self._readable_place()
        if known is not None and known.feed_id != header.feed_id and not self._replace:
            raise RefusedError(
                f"the replica here is of another deployment (feed {known.feed_id}, the upstream's is "
                f"{header.feed_id}): name the right upstream; where it was restored or set up anew, start once "
                "with --replace-replica"
            )
        self._accept_form(header)
        self._in_use = tuple(map(PepperId, header.peppers))
        lacking = sorted(set(header.peppers) - self._peppers)
        if lacking:
            raise RefusedError(
                f"keys of the upstream were digested with the pepper {', '.join(lacking)}, which is not here "
                f"(here: {', '.join(sorted(self._peppers)) or 'none'}): copy the pepper of the control plane"
            )

    def _accept_form(self, header: Header) -> None:
        """Refuse where keys of the upstream would all be malformed here, or decisions could not be handed in."""
        own = self._key_format
        lacking = sorted(set(header.environments) - set(own.environments)) if own else []
        if own and header.prefix and (header.prefix != own.prefix or lacking):
            raise RefusedError(
                f"keys of the upstream are written {header.prefix}_ and {'/'.join(header.environments)}, here they "
                f"are {own.prefix}_ and {'/'.join(own.environments)}: set SCOPEKEY_KEY_PREFIX and "
                "SCOPEKEY_ENVIRONMENTS as there"
            )
        if not header.journal:
            raise RefusedError(
                "this node's key may not hand in decisions: give it scopekey_journal:write beside scopekey_changes:read"
            )

    def _say(self, state: State, detail: str = "", *, anew: bool = False) -> None:
        said = self._status
        if not anew and (state, detail, self._in_use) == (said.state, said.detail, said.peppers):
            return
        self._status = Status(state, self._clock(), detail, self._in_use)
        self._tell(self._status)
        if state in {State.REFUSED, State.AWAY}:
            # Each kind of trouble once, until it is over: it is tried again every few seconds.
            if detail not in self._complained:
                self._complained.add(detail)
                _log.warning("the feed is not followed: %s", detail)
        elif state is State.FOLLOWING and self._complained:
            self._complained.clear()
            _log.warning("the feed is followed again")


def _everything(stream: Stream, place: Place) -> Iterator[Change]:
    """The changes of a snapshot. Raises where it was cut, or is not of one place."""
    count = 0
    for lines in stream.lines():
        for line in map(read_line, lines):
            if isinstance(line, Change):
                if line.position > place.position:
                    raise UnreadableFeedError("the snapshot holds something newer than its own place")
                count += 1
                yield line
            elif isinstance(line, Complete):
                if line.count != count:
                    raise UnreadableFeedError(f"the snapshot has {count} lines and should have {line.count}")
                return
            else:
                _ended(line)
    raise UpstreamAwayError("the snapshot was cut off")


def _ended(line: Line) -> bool:
    """An end that was announced: go on with a new request, or say why that would not help."""
    if not isinstance(line, End):
        raise UnreadableFeedError(f"the feed holds a {type(line).__name__.lower()} where none belongs")
    if line.code in {"renew", "draining"}:
        return True
    if line.code == "snapshot_needed":
        raise SnapshotNeededError(line.detail)
    raise RefusedError(f"the upstream ended the feed ({line.code}): {line.detail}")


def _told(error: Exception) -> tuple[State, str]:
    """What people are told about a failure. Words of other libraries are left out: they may hold anything."""
    if isinstance(error, UpstreamAwayError):
        return State.AWAY, str(error)
    if isinstance(error, (RefusedError, UnreadableFeedError, NotNextError, SnapshotNeededError)):
        return State.REFUSED, str(error)
    if isinstance(error, OSError) or type(error).__module__.startswith("lmdb"):
        return State.REFUSED, f"the replica cannot be written ({error}): see to its disk and its permissions"
    return State.REFUSED, f"an unexpected {type(error).__name__} while following; it is tried again"
