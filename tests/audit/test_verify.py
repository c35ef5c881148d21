import pytest

from scopekey.audit.checkpoint import Checkpoint, sign_checkpoint
from scopekey.audit.merkle import EMPTY_ROOT, leaf_hash
from scopekey.audit.note import sign_note, verifier_key
from scopekey.audit.report import Broken, Intact
from scopekey.audit.verify import verify_log
from tests.audit.logs import KEY, ORIGIN, SEED, Log, body
from tests.audit.trees import plain_root

BODIES = [body(number) for number in range(700)]
SIZES = (1, 100, 256, 300, 512, 699)


def log(**options):
    return Log(BODIES, **({"sizes": SIZES} | options))


def found(source, *heads):
    report = verify_log(source, KEY, heads=heads)
    assert not report, "nothing was found"
    return report.kind, report.index if report.size is None else report.size


def why(source, *heads):
    return verify_log(source, KEY, heads=heads).why


def test_an_untouched_log_is_intact():
    source = log()
    report = verify_log(source, KEY, heads=source.heads())
    assert report
    assert Intact(ORIGIN, 700, plain_root([leaf_hash(one) for one in BODIES]), 0, 7, 7) == report


@pytest.mark.parametrize("size", [0, 1, 2, 255, 256, 257, 512, 513])
def test_logs_of_every_shape_are_intact(size):
    source = Log(BODIES[:size], sizes=range(0, size, 7))
    assert verify_log(source, KEY, heads=source.heads())


@pytest.mark.parametrize("per_run", [1, 7, 255, 256, 257, 10_000])
def test_it_does_not_matter_how_many_entries_come_at_once(per_run):
    source = log(per_run=per_run)
    assert verify_log(source, KEY)
    source.rows[500] = (500, b"{}")
    assert ("entry", 500) == found(source)


@pytest.mark.parametrize("index", [0, 99, 255, 256, 511, 699])
def test_an_entry_that_was_changed_is_named(index):
    source = log()
    source.rows[index] = (index, BODIES[index] + b" ")
    source.rows[699] = (699, b"later")
    assert ("entry", index) == found(source)
    assert f"entry {index} does not fit the hash that was sealed for it: it was changed" == why(source)


@pytest.mark.parametrize("index", [0, 99, 255, 256, 698])
def test_an_entry_that_is_gone_is_named_whether_or_not_the_others_were_renumbered(index):
    source = log()
    del source.rows[index]
    assert ("missing", index) == found(source)
    assert f"entry {index} is gone, of 700 that were sealed" == why(source)
    source.renumber()
    assert index == found(source)[1]


def test_all_that_are_gone_at_once_are_counted():
    source = log()
    del source.rows[10:300]
    assert "the entries from 10 to 299 are gone, of 700 that were sealed" == why(source)
    del source.rows[10:]
    assert "the entries from 10 to 699 are gone, of 700 that were sealed" == why(source)


def test_an_entry_that_was_put_in_is_named():
    source = log()
    source.rows.insert(51, (50, b"{}"))
    assert ("extra", 50) == found(source)
    source = log()
    source.rows.insert(50, (50, b"{}"))
    source.renumber()
    assert ("extra", 50) == found(source)
    source = log()
    source.rows.append((700, b"{}"))
    assert ("extra", 700) == found(source)
    assert "there is an entry 700, and only 700 entries were sealed" == why(source)


def test_an_entry_that_was_moved_is_named_by_the_first_place_that_is_not_right():
    source = log()
    source.rows[40], source.rows[90] = (40, BODIES[90]), (90, BODIES[40])
    assert ("order", 40) == found(source)
    assert "entry 40 was moved: it was sealed as entry 90" == why(source)
    source = log()
    source.rows[40], source.rows[41] = (40, BODIES[41]), (41, BODIES[40])
    assert ("order", 40) == found(source)
    source = log()
    source.rows[40:42] = [source.rows[41], source.rows[40]]
    assert ("missing", 40) == found(source)


def test_a_row_that_says_other_things_than_its_entry_is_found_in_its_turn():
    source = log()
    source.faults = {600: "the key", 300: "the time"}
    assert "the row of entry 300 says other things than the entry: the time" == why(source)
    assert ("row", 300) == found(source)
    source.rows[299] = (299, b"{}")
    assert ("entry", 299) == found(source)
    source.faults[298] = "the key"
    assert ("row", 298) == found(source)
    source = log()
    source.faults = {60: "the time"}
    del source.rows[50]
    assert ("missing", 50) == found(source)


def test_an_entry_whose_hash_was_written_anew_too_is_found_by_the_tile_above():
    source = log()
    source.notes = source.notes[-1:]
    source.rows[300] = (300, b"{}")
    above = source.tiles[1, 0]
    source.hash_anew()
    source.tiles[1, 0] = above
    assert ("tile", 256) == found(source)
    assert "tile/1/000 has another hash for the entries from 256 to 511" in why(source)


def test_a_log_whose_hashes_were_all_written_anew_is_found_by_the_first_checkpoint_that_does_not_fit():
    source = log()
    source.rows[300] = (300, b"{}")
    source.hash_anew()
    assert ("checkpoint", 512) == found(source)
    assert "the checkpoint of 512 entries has another root than these entries: an entry from 300 on" in why(source)
    source.rows[299] = (299, b"{}")
    source.hash_anew()
    assert ("checkpoint", 300) == found(source)


@pytest.mark.parametrize(
    ("level", "number", "hashes", "index"),
    [(0, 0, b"", 0), (0, 1, b"\0" * 33, 256), (0, 2, b"", 512), (1, 0, b"", 0), (1, 0, b"\0" * 64, 0)],
)
def test_stored_hashes_that_are_gone_or_changed_are_found(level, number, hashes, index):
    source = log()
    source.tiles[level, number] = hashes
    assert index == found(source)[1]


def test_a_tile_that_is_cut_off_is_told_as_such():
    source = log()
    source.tiles[0, 1] = source.tiles[0, 1][: 9 * 32]
    assert "tile tile/0/001 has 9 hashes: that of entry 265 is gone" == why(source)
    assert ("tile", 265) == found(source)


def test_tiles_of_a_log_that_has_grown_since_are_as_good():
    source, later = log(), Log([*BODIES, *map(body, range(700, 800))])
    source.tiles = later.tiles
    assert verify_log(source, KEY)


def test_a_tall_tree_is_verified_on_all_its_levels():
    many = [body(number) for number in range(66_000)]
    source = Log(many, sizes=[65_536, 65_537])
    assert verify_log(source, KEY)
    good = dict(source.tiles)
    for level, number, at, index in [(1, 0, 255, 65_280), (1, 1, 0, 65_536), (2, 0, 0, 0)]:
        hashes = bytearray(good[level, number])
        hashes[at * 32] ^= 1
        source.tiles = good | {(level, number): bytes(hashes)}
        assert ("tile", index) == found(source)


def test_a_checkpoint_that_was_signed_by_another_is_found_in_its_turn():
    source = log()
    source.notes[3] = Log(BODIES[:300], seed=bytes(32)).notes[0]
    assert ("checkpoint", 300) == found(source)
    source.rows[299] = (299, b"{}")
    assert ("entry", 299) == found(source)


@pytest.mark.parametrize("later", ["changed", "row", "gone", "cut off", "put in"])
def test_a_checkpoint_that_does_not_fit_comes_before_what_is_wrong_after_it(later):
    source = log()
    source.rows[600] = (600, b"{}")
    source.hash_anew()
    source.notes[6:6] = [(650, Log(BODIES[:650]).notes[0][1])]
    source.notes.sort()
    if later == "changed":
        source.rows[660] = (660, b"{}")
    elif later == "row":
        source.faults = {660: "the key"}
    elif later == "gone":
        del source.rows[660]
    elif later == "cut off":
        del source.rows[660:]
    else:
        source.rows.append((700, b"{}"))
    assert ("checkpoint", 650) == found(source)


def test_a_checkpoint_under_another_size_than_its_own_is_found():
    source = log()
    source.notes[3] = (301, source.notes[3][1])
    assert "the checkpoint stored for 301 entries is of 300" == why(source)


def test_checkpoints_out_of_their_order_are_found():
    source = log()
    source.notes.insert(5, source.notes[1])
    assert "the checkpoint of 100 entries is stored out of its order" == why(source)


def test_a_stored_checkpoint_greater_than_the_newest_tells_that_the_log_was_cut_off():
    source = log()
    source.checkpoint = lambda: source.notes[-2][1]
    del source.rows[-1]
    assert ("checkpoint", 700) == found(source)


@pytest.mark.parametrize("newest", ["", "no note", sign_note("no checkpoint\n", ORIGIN, SEED)])
def test_without_a_newest_checkpoint_nothing_can_be_verified(newest):
    source = log()
    source.checkpoint = lambda: newest
    assert ("checkpoint", None) == found(source)
    assert "checkpoint" in why(source)


def test_a_log_of_another_origin_or_key_is_not_this_one():
    assert not verify_log(log(), verifier_key("other.example/log", SEED))
    assert not verify_log(log(), verifier_key(ORIGIN, bytes(32)))


def test_a_log_that_was_put_back_is_found_with_a_head_kept_elsewhere_and_only_so():
    head = log().heads()[-1]
    back = Log(BODIES[:512], sizes=SIZES[:4])
    assert verify_log(back, KEY)
    assert ("head", 700) == found(back, head)
    assert "a head kept elsewhere is of 700 entries, and the log has 512: it was cut off, or put back" == why(
        back, head
    )


def test_a_log_that_was_written_anew_by_the_holder_of_the_key_is_found_with_a_head_and_only_so():
    heads = log().heads()
    rewritten = Log([*BODIES[:200], b"{}", *BODIES[201:], body(700)])
    assert verify_log(rewritten, KEY)
    assert ("head", 256) == found(rewritten, *heads)
    assert "a head kept elsewhere of 256 entries has another root" in why(rewritten, *reversed(heads))


def test_a_head_that_cannot_be_believed_is_told_by_its_number():
    source = log()
    assert "head 2 of 2 that were kept elsewhere cannot be believed" in why(source, source.heads()[0], "no note")
    assert ("head", None) == found(source, sign_checkpoint(Checkpoint("o", 1, EMPTY_ROOT), SEED))


@pytest.mark.parametrize("begins", [1, 255, 256, 300, 512, 600, 699, 700, 900])
def test_hashes_stand_in_for_entries_that_are_not_kept(begins):
    source = log(begins=begins)
    report = verify_log(source, KEY)
    assert (True, min(begins, 700)) == (bool(report), report.read_from)
    if begins < 699:
        source.rows[1] = (begins + 1, b"{}")
        assert ("entry", begins + 1) == found(source)
        del source.rows[0]
        assert ("missing", begins) == found(source)


def test_a_hash_that_stands_in_is_not_believed_either():
    source = log(begins=300)
    source.tiles[0, 0] = leaf_hash(b"{}") + source.tiles[0, 0][32:]
    assert ("checkpoint", 1) == found(source)
    source = log(begins=300)
    source.tiles[0, 0] = source.tiles[0, 0][:-32]
    assert "neither entry 255 nor its hash is there: tile/0/000 is too short" == why(source)


def test_whoever_waits_is_told_how_far_it_has_come():
    told = []
    verify_log(Log([b"{}"] * 40_000), KEY, told=told.append)
    assert [16_384, 32_768, 40_000] == told


def test_a_report_says_what_it_is():
    assert bool(Intact(ORIGIN, 0, EMPTY_ROOT, 0, 0, 0)) is True
    assert bool(Broken("entry", "why", index=1)) is False
