"""Two recordings compared as a user compares them."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from rpcscope.store import open_store
from tests.support.cli import Cli, new_cli
from tests.support.dashboard import import_captures
from tests.unit.compare.planted import NEW, with_a_new_call

CAPTURES = Path(__file__).parents[1] / "captures"
BOOTS = CAPTURES / "nova34" / "02_boot_10_serial.jsonl.zst"


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    return new_cli(tmp_path)


def test_an_import_keeps_the_labels_and_a_second_one_changes_them(cli: Cli) -> None:
    cli.ok("import", BOOTS, "--label", "release=2026.1", "--label", "driver=fake")
    assert "stored before" in cli.ok("import", BOOTS, "--label", "release=2026.2")
    (recording,) = cli.json("db", "status")["recordings"]
    assert recording["labels"] == {"driver": "fake", "release": "2026.2"}
    assert "driver=fake release=2026.2" in cli.ok("db", "status")


@pytest.mark.parametrize(
    "label", ["release", "=2026.2", "re lease=1", "release=", "release=\x1b[31m", "a=" + "x" * 256]
)
def test_a_label_that_is_none_is_refused_in_a_sentence(cli: Cli, label: str) -> None:
    assert "--label wants KEY=VALUE such as release=2026.2" in cli.refused(2, "import", BOOTS, "--label", label)


def test_a_label_with_two_values_is_refused(cli: Cli) -> None:
    words = ("--label", "a=1", "--label", "a=2")
    assert cli.refused(2, "import", BOOTS, *words) == "--label gives a two values: give it one"


@pytest.fixture(scope="module")
def boots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("boots") / "boots.sqlite"
    with open_store(str(path), create=True) as store:
        import_captures(store, BOOTS)
    return path


@pytest.fixture(scope="module")
def planted(boots: Path) -> Path:
    return with_a_new_call(boots, boots.with_name("planted.sqlite"))


def test_a_capture_is_equal_to_its_database_and_ends_well(cli: Cli, boots: Path) -> None:
    out = cli.ok("diff", BOOTS, boots, "--fail-on", "any,untold")
    assert "No difference found: create: 10 in A, 10 in B." in out
    assert "at most 5 of 100 such comparisons would find anything by a test" in out


def test_a_new_rpc_is_told_in_a_sentence_and_fails_when_asked_to(cli: Cli, boots: Path, planted: Path) -> None:
    out = cli.ok("diff", boots, planted)
    assert f"In all 10 of A 15 RPCs, in all 10 of B 16: conductor {NEW} is new." in out
    assert cli.run("diff", boots, planted, "--fail-on", "slower,gone").code == 0
    failed = cli.run("diff", boots, planted, "--fail-on", "slower", "--fail-on", "added")
    assert (failed.code, failed.err) == (1, "")


def test_the_json_has_the_numbers_of_each_finding(cli: Cli, boots: Path, planted: Path) -> None:
    found = cli.json("diff", boots, planted)
    (added,) = (one for one in found["findings"] if one["change"] == "added")
    assert (added["kind"], added["service"], added["method"], added["sent_as"]) == ("create", "conductor", NEW, "call")
    assert (added["a"]["mean"], added["b"]["mean"], added["p"]) == (0, 1, None)
    assert added["examples"]["b"][0].startswith("req-")
    assert (found["equal"], found["a"]["operations"], found["b"]["operations"]) == (False, 10, 10)
    assert found["tests"]["made"] >= found["tests"]["telling"]


def test_markdown_is_a_table_in_which_names_are_no_markup(cli: Cli, boots: Path, planted: Path) -> None:
    out = cli.ok("diff", boots, planted, "--format", "markdown")
    assert "| added | call conductor object\\_action(Planted.save) | 0 | 1 | without exception, no test |" in out


def test_junit_has_a_case_for_each_method_and_fails_the_new_one(cli: Cli, boots: Path, planted: Path) -> None:
    root = ElementTree.fromstring(cli.ok("diff", boots, planted, "--format", "junit"))
    cases = root.findall("testsuite[@name='create']/testcase")
    failed = {case.get("name") for case in cases if case.find("failure") is not None}
    assert failed == {"the operation", f"call conductor {NEW}"}
    assert (root.get("tests"), root.get("failures")) == (str(len(cases)), "2")


def test_two_labels_of_one_database_are_compared(cli: Cli) -> None:
    cli.ok("import", BOOTS, "--label", "release=2026.1")
    cli.ok("import", BOOTS.with_name("10_drain_setup_boot6_on_compute-1.jsonl.zst"), "--label", "release=2026.2")
    words = ("diff", cli.database, "--label-a", "release=2026.1", "--label-b", "release=2026.2")
    found = cli.json(*words)
    assert [kind["kind"] for kind in found["kinds"]] == ["create"]
    assert [found[side]["operations"] for side in "ab"] == [10, 6]
    assert found["a"]["labels"] == ["release=2026.1"]
    sentence = cli.refused(2, "diff", cli.database, "--label-a", "release=3", "--label-b", "release=2026.2")
    assert sentence == "no recording has the label release=3; choose one of release=2026.1, release=2026.2"


def test_a_side_may_be_a_time_of_a_database(cli: Cli, boots: Path) -> None:
    started = sorted(one["started_at"] for one in cli.json("operations", "--db", boots, "--kind", "create"))
    found = cli.json("diff", f"{boots}@..{started[4]}", f"{boots}@{started[4]}..")
    assert [found[side]["operations"] for side in "ab"] == [4, 6]
    assert f"..{started[4][:19]}Z" in found["a"]["name"]


def test_notifications_that_were_switched_on_are_seen_and_in_one_boot_not_sure(cli: Cli) -> None:
    noisy = CAPTURES / "nova34-notifications" / "01_boot_1.jsonl.zst"
    out = cli.ok("diff", BOOTS, noisy)
    assert "too few operations to be sure: 10 in A, 1 in B; 5 on each side are wanted" in out
    assert "added notification versioned_notifications.info instance.update: in all 10 of A 0, in the one of B 7" in out
    assert cli.run("diff", BOOTS, noisy, "--fail-on", "any").code == 0
    assert cli.run("diff", BOOTS, noisy, "--fail-on", "untold").code == 1
    assert cli.run("diff", BOOTS, noisy, "--least-operations", "1", "--fail-on", "added").code == 1


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("none.sqlite", "none.sqlite"), "there is nothing to read at 'none.sqlite': name a database or a capture"),
        ((BOOTS,), "diff wants two sides: name A and B, or one database with --label-a and --label-b"),
        ((BOOTS, BOOTS, "--fail-on", "worse"), "--fail-on does not know 'worse': write some of added, gone"),
        ((f"{BOOTS}@yesterday..", BOOTS), "the time behind @ wants a time such as 2026-11-20T03:10"),
        ((BOOTS, f"{BOOTS}@2026-01-02..2026-01-01"), "the time of a side ends before it begins: exchange its two ends"),
        ((BOOTS, BOOTS, "--label-a", "x"), "--label-a wants KEY=VALUE such as release=2026.2"),
    ],
)
def test_what_can_not_be_compared_is_refused_in_a_sentence(
    cli: Cli, words: tuple[str | Path, ...], sentence: str
) -> None:
    assert cli.refused(2, "diff", *words).startswith(sentence)


def test_a_password_of_a_database_is_never_shown(cli: Cli) -> None:
    url = "postgresql://me:PS7q-secret@127.0.0.1:1/none"
    done = cli.run("diff", url, BOOTS)
    assert done.code == 4
    assert "PS7q" not in done.out + done.err


def test_a_boot_budget_gates_a_ci_job_and_names_the_rpc_that_is_new(cli: Cli, boots: Path, planted: Path) -> None:
    assert cli.ok("budget", "write", boots, "-o", "budgets.yaml") == ""
    assert "all 6 bounds hold" in cli.ok("budget", "check", "budgets.yaml", BOOTS)
    done = cli.run("budget", "check", "budgets.yaml", planted, "--junit", "result.xml")
    assert (done.code, done.err) == (1, "")
    sentence = f"create: rpcs at most 15, but 16 in 10 of 10 operations: conductor {NEW} (1) is new"
    assert f"{sentence}." in done.out
    root = ElementTree.parse(cli.folder / "result.xml").getroot()
    failures = {case.get("name"): case.find("failure") for case in root.iter("testcase")}
    assert {name for name, failure in failures.items() if failure is not None} == {
        "rpcs at most 15",
        "messages at most 27",
    }
    assert (failures["rpcs at most 15"].attrib, root.get("failures")) == ({"message": sentence}, "2")  # type: ignore[union-attr]


def test_a_baseline_stands_in_for_a_list_of_what_is_usual(cli: Cli, planted: Path) -> None:
    (cli.folder / "b.yaml").write_text("budgets: {create: {rpcs: {at_most: 15}, new_rpcs: {at_most: 0}}}")
    done = cli.run("budget", "check", "b.yaml", planted, "--baseline", BOOTS, "--format", "json")
    found = json.loads(done.out)["checks"]
    assert (done.code, [one["holds"] for one in found]) == (1, [True, False, False])
    assert all(NEW in one["failure"] for one in found[1:])


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("budgets: {create: {rpcs: {at_moist: 15}}}", "b.yaml is wrong at budgets.create.rpcs: there is no word `at_m"),
        ("budgets: [", "the budgets file b.yaml can not be read: "),
        (
            "budgets: {create: {rpcs: {at_most: 1}, rpcs: {at_most: 2}}}",
            "the budgets file b.yaml can not be read: the ",
        ),
    ],
)
def test_a_budgets_file_that_is_wrong_is_refused_with_the_place(cli: Cli, text: str, sentence: str) -> None:
    (cli.folder / "b.yaml").write_text(text)
    assert cli.refused(2, "budget", "check", "b.yaml", BOOTS).startswith(sentence)


def test_a_budget_of_nothing_recorded_is_refused_in_a_sentence(cli: Cli) -> None:
    (cli.folder / "b.yaml").write_text("budgets: {create: {rpcs: {at_most: 15}}}")
    assert cli.refused(2, "budget", "check", "b.yaml").startswith("there is nothing to read at")
    assert cli.refused(2, "budget", "check", "none.yaml", BOOTS) == (
        "the budgets file none.yaml can not be read: No such file or directory"
    )
