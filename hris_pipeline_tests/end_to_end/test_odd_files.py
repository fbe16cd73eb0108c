"""Whole nights of companies whose nightly file is written as spreadsheets and old systems write
them.
"""

import contextlib
import datetime as dt
import io
import os

import openpyxl
import pytest

from hris_pipeline_tests.end_to_end.deployment import NIGHT, deployed, manager_id

HEADER = (
    "ID",
    "E-Mail",
    "Preferred",
    "First",
    "Last",
    "Boss",
    "Team",
    "CC",
    "Status",
    "Entry",
    "Exit",
)
COLUMNS = {
    "id": "ID",
    "email": "E-Mail",
    "given_name": ["Preferred", "First"],
    "family_name": {"column": "Last", "empty": []},
    "manager_id": "Boss",
    "status": "Status",
    "start_date": "Entry",
    "end_date": "Exit",
    "groups": {"team": {"name": "Team", "separator": ","}, "cost_center": {"id": "CC"}},
}
OPTIONS = {
    "columns": COLUMNS,
    "statuses": {"": "active", "X": "ended"},
    "empty": ["NULL", "N/A", "-", "0000-00-00", "31-DEC-4712"],
    "settle_seconds": 0,
}
EVENING = dt.datetime(2026, 3, 1, 22, 30, tzinfo=dt.UTC)  # 23:30 in Berlin


class Company:
    """A company, and the folder that its files come into."""

    def __init__(self, deployment):
        self.deployment = deployment
        self.inbox = deployment.folder / "inbox"
        self.inbox.mkdir()

    def say(self, path, **options):
        """Write the company file."""
        account = {
            "system": "files",
            "options": {**OPTIONS, "path": str(self.inbox / path), **options},
        }
        self.deployment.more |= {
            "hris": {"hr": account},
            "sync": {"groups": ["team", "cost_center"]},
        }
        self.deployment.write_file()

    def put(self, name, content, at=NIGHT):
        path = self.inbox / name
        path.write_bytes(content)
        os.utime(path, (at.timestamp(), at.timestamp()))

    @property
    def users(self):
        return {user["userName"]: user for user in self.deployment.deskbird.desk.users()}

    @property
    def groups(self):
        refs = {user["id"]: user["externalId"] for user in self.users.values()}
        return {
            group["displayName"]: sorted(
                refs[member["value"]] for member in group.get("members") or ()
            )
            for group in self.deployment.deskbird.desk.groups()
        }


@pytest.fixture
def company(tmp_path, monkeypatch):
    with deployed(tmp_path) as deployment:
        monkeypatch.setenv("HRIS_PIPELINE_NOW", NIGHT.isoformat())
        yield Company(deployment)


def workbook(*rows):
    book = openpyxl.Workbook()
    for row in (HEADER, *rows):
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def csv(*rows, encoding="utf-8", end=""):
    return ("\r\n".join(";".join(row) for row in (HEADER, *rows)) + "\r\n" + end).encode(encoding)


def test_c94_c96_c98_c99_c100_c101_c102_a_file_as_old_systems_write_it(company):
    desk = company.deployment.deskbird.desk
    umlaut = desk.add_user("di@xn--mller-kva.example", "Di", "Fall")
    apostrophe = desk.add_user("o'neill@acme.test", "Shane", "O\u2019Neill")
    rows = [
        ("1001", "lz@acme.test", "", "\u0141ukasz", "\u017bak", "NULL", "Sales, Support", "4711"),
        (
            "1002",
            "di@m\u00fcller.example",
            "N/A",
            "Di",
            "Fall",
            "1001.0",
            "Support",
            "-",
            "",
            "2020-01-01",
            "0000-00-00",
        ),
        (
            "1003",
            "o\u2019neill@acme.test",
            "Shane",
            "Sean",
            "O\u2019Neill",
            "Z (1001)",
            "-",
            "NULL",
            "",
            "",
            "31-DEC-4712",
        ),
        (
            "1004",
            "null@acme.test",
            "-",
            '"Anna \\"Ace\\" B."',
            "Null",
            "01002",
            "Sales",
            "4711",
            "",
            "2020-01-01",
        ),
        ("1005", "gone@acme.test", "", "Gone", "By", "", "", "", "X", "2020-01-01", "2026-01-31"),
        ("1006", "two@acme.test", "", "Two", "Rows", "1001", "Sales", "", "", "2020-01-01"),
        ("1006", "two@acme.test", "", "Two", "Rows", "1002", "Sales", "", "", "2020-01-01"),
        ("1007", "dots..in@acme.test", "", "Dots", "Within", "", "", "", "", "2020-01-01"),
        ("TOTAL", "8"),
    ]
    company.put("people_20260301.csv", csv(*rows, encoding="windows-1250", end="\x1a"), EVENING)
    company.put("~$people_20260302.csv", b"lock")
    told = {"date_in_name": "%Y%m%d", "proof": {"trailer": {"starts_with": "TOTAL"}}}
    company.say("*.csv", encoding="windows-1250", escape="\\", **told)
    ended = company.deployment.sync()
    assert ended.code == 0, ended.out + ended.err
    assert company.deployment.ask(
        "select proof from state.extracts where resource = 'employees'"
    ) == [("proven",)]

    users = company.users
    assert len(users) == 4
    assert users["lz@acme.test"]["displayName"] == "\u0141ukasz \u017bak"
    assert users["null@acme.test"]["displayName"] == 'Anna "Ace" B. Null'
    assert (
        users["di@xn--mller-kva.example"]["id"],
        users["di@xn--mller-kva.example"]["externalId"],
    ) == (umlaut, "hr:1002")
    assert (users["o'neill@acme.test"]["id"], users["o'neill@acme.test"]["externalId"]) == (
        apostrophe,
        "hr:1003",
    )
    managers = {user["externalId"]: manager_id(user) for user in users.values()}
    boss = users["lz@acme.test"]["id"]
    assert managers == {"hr:1001": None, "hr:1002": boss, "hr:1003": boss, "hr:1004": umlaut}
    assert company.groups == {
        "Sales": ["hr:1001", "hr:1004"],
        "Support": ["hr:1001", "hr:1002"],
        "4711": ["hr:1001", "hr:1004"],
    }
    held = company.deployment.ask("select hris_ref, rule from core.quarantine order by all")
    assert held == [("hr:1006", "rows_agree"), ("hr:1007", "email_is_valid")]

    company.deployment.forget_requests()
    assert company.deployment.sync(night=0.1).code == 0
    assert company.deployment.writes() == []


def test_c94_c95_c97_c99_a_spreadsheet_as_people_save_it(company):
    rows = [
        (17, "ada@acme.test", "Ada\nMaria", None, "Van\tDyk", None, "Sales\nEMEA"),
        (
            18,
            "bob@acme.test",
            None,
            "Bob",
            "Cra\u00adne",
            17.0,
            "Sales EMEA",
            4711,
            None,
            dt.datetime.fromisoformat("2020-01-01"),
            dt.datetime.fromisoformat("2026-03-01 23:59:17"),
        ),
        (19, "c\u200by@acme.test", None, "Cy", "Dale", 17, "Sales\u00a0EMEA"),
        (20, "eve@acme.test", None, "Eve", "Eich"),
    ]
    company.put("people.xlsx", workbook(*rows))
    company.put("people.xlsx.done", b"")
    company.put("~$people.xlsx", b"lock")
    company.say("*.xlsx", proof={"marker": "{name}.done"})
    ended = company.deployment.sync()
    assert ended.code == 0, ended.out + ended.err
    users = company.users
    assert {name: user["displayName"] for name, user in users.items()} == {
        "ada@acme.test": "Ada Maria Van Dyk",
        "bob@acme.test": "Bob Crane",
        "eve@acme.test": "Eve Eich",
    }
    assert users["bob@acme.test"]["active"]  # the last day is today
    assert company.groups == {"Sales EMEA": ["hr:17", "hr:18"], "4711": ["hr:18"]}
    assert company.deployment.ask("select hris_ref, rule from core.quarantine") == [
        ("hr:19", "email_is_valid")
    ]

    before = company.deployment.tables()
    company.put(
        "people.xlsx",
        workbook(*rows, (dt.datetime(2026, 1, 3), "x@acme.test", None, "X", "Y")),  # noqa: DTZ001
    )
    company.put("people.xlsx.done", b"")
    for command in ("doctor", "sync"):
        ended = company.deployment.run(command, "acme")
        assert ended.code == 1
        said = " ".join((ended.out + ended.err).split())
        assert "column 'ID' holds a date in row 6 (cell A6)" in said
        assert "format it as text" in said
    assert company.deployment.tables() == before


def test_c96_c100_c101_c102_the_doctor_tells_all_of_it_first(company):
    rows = [
        ("0001", "a@acme.test", "", "Ada", "NULL", "", "-", "", "", "2020-01-01", "0000-00-00"),
        ("0002", "b@acme.test", "", "Bob", "Crane", "1", "Sales", "", "", "2020-01-01"),
        ("0002", "b@acme.test", "", "Bob", "Crane", "3", "Sales", "", "", "2020-01-01"),
        *(
            (
                f"1{n:03}",
                f"p{n}@acme.test",
                "",
                "P",
                "Q",
                "1",
                "Sales",
                "",
                "",
                "2020-01-01",
                "2030-12-31",
            )
            for n in range(12)
        ),
    ]
    company.put("people.csv", csv(*rows))
    company.say("people.csv", empty=[], statuses={"X": "ended"})
    said = " ".join(company.deployment.run("doctor", "acme").out.split())
    for sentence in (
        "15 rows have a status that options.statuses does not explain",
        '"" stands for a blank status',
        "1 of 13 in column 'Exit' are none",
        "name them in options.empty",
        'set options.empty: ["-", "NULL"]',
        "1 people have several rows that contradict each other (ids 0002)",
        "map options.columns.employment_id",
        "managers are found by an id that is written otherwise",
    ):
        assert sentence in said
    company.put(
        "people.csv",
        csv(("1", "lz@acme.test", "", "\u0141ukasz", "\u017bak"), encoding="windows-1250"),
    )
    ended = company.deployment.run("doctor", "acme")
    assert ended.code == 1
    assert "Set options.encoding to cp1250" in " ".join(ended.out.split())
    with contextlib.suppress(FileNotFoundError):
        assert not any((company.deployment.data).glob("*.arrow"))


def test_c101_the_doctor_the_night_and_status_say_the_same_of_managers(company):
    def night(number, *bosses):
        people = [
            (f"{n:04}", f"p{n}@acme.test", "", "P", f"Q{n}", boss)
            for n, boss in enumerate(("", *bosses), start=1)
        ]
        company.put(
            "people.csv",
            csv(*people, ("TOTAL", str(len(people)))),
            NIGHT + dt.timedelta(days=number),
        )
        found = company.deployment.run("doctor", "acme"), company.deployment.sync(night=number)
        told = company.deployment.run("status", "acme", night=number).out
        return (
            [ended.code for ended in found],
            " ".join(found[0].out.split()),
            " ".join(told.split()),
        )

    columns = {
        name: COLUMNS[name] for name in ("id", "email", "given_name", "family_name", "manager_id")
    }
    company.say(
        "people.csv",
        proof={"trailer": {"starts_with": "TOTAL"}},
        columns=columns,
        statuses={},
        empty=[],
    )
    company.deployment.more["sync"] = {"groups": []}
    company.deployment.more["guards"] = {"create_user": None}
    company.deployment.write_file()

    # written otherwise, and found
    codes, said, told = night(0, *["1.0"] * 10, *["P Q1 (0001)"] * 10)
    assert codes == [0, 0]
    assert "20 managers are found by an id that is written otherwise" in said
    assert "lead to nobody" not in told
    bosses = {user["externalId"]: manager_id(user) for user in company.users.values()}
    assert set(bosses.values()) == {None, company.users["p1@acme.test"]["id"]}

    codes, said, told = night(0.1, *["NULL"] * 6, *["1"] * 14)  # few: no guard, and not silent
    assert codes == [0, 0]
    assert 'set options.empty: ["NULL"]' in said
    assert "6 of 20 references of connection hr lead to nobody" in told

    codes, said, told = night(0.2, *["PX-7"] * 14, *["1"] * 6)
    assert codes == [1, 3]
    assert "20 people name a manager, and 14 of these references lead to nobody" in said
    assert "Look at the file's column 'Boss'" in said
    assert "far fewer manager references of connection hr lead to somebody" in told
    assert {user["externalId"]: manager_id(user) for user in company.users.values()} == bosses
