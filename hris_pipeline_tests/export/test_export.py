"""The CSV for deskbird's import: exact columns, only what differs, nothing that could do harm."""

import csv
import io
import stat
from pathlib import Path
from typing import Any

import pytest
from plan.world import UNGUARDED, World

from hris_pipeline import cli, export, settings
from hris_pipeline.export import HEADER, Choice, ExportRules
from hris_pipeline.rules import Rule, Vocabulary, parse

WORDS = Vocabulary(("p",), ("team", "location"))


def choice(value: str, **when: Any) -> Choice:
    rule, mistakes = parse(when, WORDS) if when else (Rule(), [])
    assert not mistakes
    return Choice(rule, value)


RULES = ExportRules(
    (choice("officeAdmin", team="Office Managers"), choice("user")),
    (choice("Berlin HQ", location="Berlin"), choice("Wien", location=["Vienna", "Linz"])),
)


@pytest.fixture(scope="module")
def three() -> World:
    """Ada runs the office in Berlin, Ben works there, Eve works in Vienna; all three are in
    deskbird.
    """
    world = World(guards=UNGUARDED)
    berlin, vienna = world.unit("location", "1", "Berlin"), world.unit("location", "2", "Vienna")
    managers = world.unit("team", "7", "Office Managers")
    world.hire("ada", given_name="Ada", family_name="Ångström", groups=(berlin, managers))
    world.hire("ben", given_name="Ben", family_name='van "B", jr.', groups=(berlin,))
    world.hire("eve", given_name="Eve", family_name="Evans", groups=(vienna,))
    world.night()
    return world


@pytest.fixture
def world(three: World) -> World:
    return three.copy()


def chosen(
    world: World, rules: ExportRules = RULES, *, everybody: bool = False, keep: bool = True
) -> export.Selection:
    with world.warehouse.write(["p"]) as con:
        selection = export.select(con, rules, ["p"], world.now, everybody=everybody)
        if keep:
            export.remember(con, selection.rows, world.now)
    return selection


def lines(selection: export.Selection) -> dict[str, tuple[str, str]]:
    return {row.hris_ref.removeprefix("p:"): (row.role, row.main_office) for row in selection.rows}


EVERYBODY = {
    "ada": ("officeAdmin", "Berlin HQ"),
    "ben": ("user", "Berlin HQ"),
    "eve": ("user", "Wien"),
}


# --- the file -------------------------------------------------------------------------------------


def test_the_file_has_deskbirds_columns_in_their_order(world: World) -> None:
    text = export.as_csv(chosen(world).rows)
    assert (
        text == "Email,New email,First name,Last name,Status,Role,Main office name\r\n"
        "ada@acme.test,,Ada,Ångström,active,officeAdmin,Berlin HQ\r\n"
        'ben@acme.test,,Ben,"van ""B"", jr.",active,user,Berlin HQ\r\n'
        "eve@acme.test,,Eve,Evans,active,user,Wien\r\n"
    )


def test_what_is_written_is_read_back_as_it_was(world: World) -> None:
    selection = chosen(world)
    header, *rows = csv.reader(io.StringIO(export.as_csv(selection.rows), newline=""))
    assert tuple(header) == HEADER
    assert [tuple(row) for row in rows] == [row.cells for row in selection.rows]


def test_a_row_changes_nothing_but_role_and_office(world: World) -> None:
    """An address or a name that the sync has not carried over yet, or may not, stays as deskbird
    has it.
    """
    user = world.user_of("ben")
    user.email, user.given_name = "Ben.Old@acme.test", "Benjamin"
    world.make_plan()
    (row,) = [row for row in chosen(world).rows if row.hris_ref == "p:ben"]
    assert row.cells[:4] == ("Ben.Old@acme.test", "", "Benjamin", 'van "B", jr.')


# --- only what differs ----------------------------------------------------------------------------


def test_the_second_file_holds_only_what_differs_from_the_first(world: World) -> None:
    first = chosen(world)
    assert (lines(first), first.unchanged) == (EVERYBODY, 0)
    second = chosen(world)
    assert (lines(second), second.unchanged) == ({}, 3)
    assert export.as_csv(second.rows) == ",".join(HEADER) + "\r\n"
    world.people["eve"].groups = (("location", "1"),)
    world.hire("new", groups=(("location", "1"),))
    world.night()
    third = chosen(world)
    assert (lines(third), third.unchanged) == (
        {"eve": ("user", "Berlin HQ"), "new": ("user", "Berlin HQ")},
        2,
    )
    assert lines(chosen(world)) == {}


def test_a_new_name_or_address_is_the_syncs_to_carry(world: World) -> None:
    chosen(world)
    world.people["ben"].family_name, world.people["ben"].email = "Other", "other@acme.test"
    world.night()
    assert lines(chosen(world)) == {}


def test_a_changed_rule_is_a_difference(world: World) -> None:
    chosen(world)
    rules = ExportRules(
        RULES.roles,
        (choice("Berlin HQ", location="Berlin"), choice("Wien Mitte", location="Vienna")),
    )
    assert lines(chosen(world, rules)) == {"eve": ("user", "Wien Mitte")}


def test_another_user_for_the_same_person_is_a_difference(world: World) -> None:
    chosen(world)
    world.users.pop(world.user_of("eve").id)
    world.night()
    assert lines(chosen(world)) == {"eve": EVERYBODY["eve"]}


def test_everybody_can_be_asked_for(world: World) -> None:
    chosen(world)
    assert lines(chosen(world, everybody=True)) == EVERYBODY
    assert world.query("select count(*), count(distinct hris_ref) from state.exports") == [(3, 3)]


def test_what_was_not_kept_is_written_again(world: World) -> None:
    chosen(world, keep=False)
    assert lines(chosen(world)) == EVERYBODY


# --- who is left out ------------------------------------------------------------------------------


def test_nothing_is_written_for_people_who_are_not_to_be_in_deskbird(world: World) -> None:
    world.people["ada"].status = "inactive"
    world.people["eve"].start_date = "2030-01-01"
    world.make_plan()
    selection = chosen(world)
    assert set(lines(selection)) == {"ben"}
    assert selection.left_out == {}


def test_an_inactive_user_is_the_syncs_to_bring_back_first(world: World) -> None:
    world.user_of("ben").active = False
    world.make_plan()
    selection = chosen(world)
    assert set(lines(selection)) == {"ada", "eve"}
    assert selection.left_out == {export.REASONS["no_user"]: ("p:ben",)}


def test_each_obstacle_leaves_people_out_and_is_named(world: World) -> None:
    world.hire("office", groups=(("location", "2"),))
    world.units["location", "3"] = "Moon"
    world.people["ben"].groups = (("location", "3"),)
    world.people["eve"].given_name = None
    world.user_of("eve").given_name = None
    world.make_plan()
    assert chosen(world).left_out == {
        export.REASONS["no_user"]: ("p:office",),
        export.REASONS["no_office"]: ("p:ben",),
        export.REASONS["no_name"]: ("p:eve",),
    }
    roles = ExportRules((choice("admin", team="Board"),), RULES.main_office)
    assert chosen(world, roles).left_out[export.REASONS["no_role"]] == ("p:ada", "p:ben", "p:eve")


@pytest.mark.parametrize("name", ["=1+1", "+49", "-x", "@SUM(A1)", "\t=1", '=HYPERLINK("x")'])
def test_no_cell_is_a_formula_and_no_name_is_spoilt(world: World, name: str) -> None:
    world.user_of("ben").family_name = name
    world.make_plan()
    selection = chosen(world)
    assert set(lines(selection)) == {"ada", "eve"}
    assert selection.left_out == {export.REASONS["formula"]: ("p:ben",)}


def test_who_is_frozen_is_left_out(world: World) -> None:
    for frozen in ("p:ben", "BEN@acme.test"):
        selection = chosen(
            world, ExportRules(RULES.roles, RULES.main_office, (frozen,)), keep=False
        )
        assert set(lines(selection)) == {"ada", "eve"}
        assert selection.left_out == {export.REASONS["frozen"]: ("p:ben",)}


def test_the_first_rule_that_matches_decides_and_an_unknown_value_decides_nothing(
    world: World,
) -> None:
    rules = ExportRules(
        (
            choice("manager", team="*"),
            choice("officeAdmin", team="Office Managers"),
            choice("user"),
        ),
        RULES.main_office,
    )
    assert lines(chosen(world, rules, keep=False))["ada"] == ("manager", "Berlin HQ")
    world.people["ada"].absent = ("team",)
    world.make_plan()
    assert "ada" not in lines(chosen(world, rules))


# --- the command ----------------------------------------------------------------------------------

FILE = """
hris: {p: {system: personio, client_id: x, client_secret: "${PERSONIO_SECRET}"}}
deskbird: {scim_token: "${DESKBIRD_TOKEN}"}
"""
EXPORT = """
export:
  roles: [{when: {team: Office Managers}, role: officeAdmin}, {role: user}]
  main_office: [{when: {location: Berlin}, office: Berlin HQ}]
"""


@pytest.fixture(scope="module")
def on_disk(tmp_path_factory: pytest.TempPathFactory) -> World:
    world = World(tmp_path_factory.mktemp("export"), guards=UNGUARDED)
    berlin, managers = (
        world.unit("location", "1", "Berlin"),
        world.unit("team", "7", "Office Managers"),
    )
    world.hire("ada", groups=(berlin, managers))
    world.hire("ben", groups=(berlin,))
    world.hire("eve")
    world.night()
    return world


@pytest.fixture
def home(on_disk: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The company ``acme`` with its file, and Ada and Ben in its warehouse and in deskbird."""
    (tmp_path / "acme.yaml").write_text(FILE + EXPORT)
    monkeypatch.setenv(settings.COMPANIES_VARIABLE, str(tmp_path))
    monkeypatch.setenv(settings.DATA_VARIABLE, str(tmp_path / "data"))
    monkeypatch.setenv("HRIS_PIPELINE_NOW", "2026-03-03T04:00:00Z")
    on_disk.copy(tmp_path / "data")
    return tmp_path


def test_the_command_writes_a_file_for_its_owner_and_then_only_what_differs(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = home / "users.csv"
    assert cli.run(["export-csv", "acme", "--out", str(out)]) == 2
    assert out.read_bytes().decode().splitlines() == [
        ",".join(HEADER),
        "ada@acme.test,,Given,Family,active,officeAdmin,Berlin HQ",
        "ben@acme.test,,Given,Family,active,user,Berlin HQ",
    ]
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    said = capsys.readouterr()
    assert said.out == ""
    assert "2 rows for deskbird" in said.err
    assert f"Left out: 1 person who {export.REASONS['no_office']}: p:eve." in said.err
    assert "@acme.test" not in said.err

    assert cli.run(["export-csv", "acme", "--out", str(out)]) == 0
    assert out.read_text() == ",".join(HEADER) + "\n"
    assert "Nothing differs" in capsys.readouterr().err

    assert cli.run(["export-csv", "acme", "--all"]) == 2
    assert capsys.readouterr().out.count("\r\n") == 3


def test_a_file_that_cannot_be_written_counts_for_nothing(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["export-csv", "acme", "--out", str(home / "nowhere" / "users.csv")]) == 1
    assert "No row counts as exported" in capsys.readouterr().err
    assert cli.run(["export-csv", "acme", "--out", str(home / "users.csv")]) == 2


def test_without_rules_or_data_the_command_says_what_to_do(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "acme.yaml").write_text(FILE)
    assert cli.run(["export-csv", "acme"]) == 1
    assert "has no rules under export" in capsys.readouterr().err
    (home / "globex.yaml").write_text(FILE + EXPORT)
    assert cli.run(["export-csv", "globex"]) == 1
    assert "hris-pipeline sync globex" in capsys.readouterr().err
    assert not (home / "data" / "globex.duckdb").exists()
