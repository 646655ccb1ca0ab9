"""The page of the dead letters, on the whole deployed system in the test's process."""

import json
import re
from typing import Any

import pytest

from patchbay.console.pages import dead_letters
from patchbay.processes.waiting import wait_until
from tests.patchbay.console.conftest import Browser, Open
from tests.shop import Shop

HOSTILE = "<script>alert(1)</script>\x1b[31m\u202e"
QUEUE = "records-dev-payments-dead-letters"
DEADLINE = 30  # seconds


def dead(cloud: Shop, *bodies: str) -> None:
    """Have payments reject each of them."""
    for body in bodies:
        cloud.send("payments", body)
    cloud.settle()


def ids(text: str) -> list[str]:
    return re.findall(r'name="id" value="([^"]+)"', text)


def done(browser: Browser, answer: Any) -> str:
    """What is said once the work is over."""
    said: list[str] = [answer.text]

    def is_over() -> bool:
        if again := re.search(r'hx-get="(/dead-letters/jobs/[^"]+)"', said[-1]):
            said.append(browser.get(again[1]).text)
        return "/jobs/" not in said[-1]

    assert answer.status_code == 200
    wait_until(is_over, "the work to be over", DEADLINE)
    return said[-1]


def test_where_there_are_none_it_says_so(browse: Open, cloud: Shop) -> None:
    assert "There are no dead letters." in browse(cloud).get("/dead-letters").text


def test_letters_stand_by_consumer_and_reason_each_with_the_way_back(
    browse: Open, cloud: Shop
) -> None:
    cloud.break_("notifications", with_=ConnectionError("the mail service is down"))
    cloud.place_order()
    cloud.settle()
    dead(cloud, "nonsense", "rubbish")
    page = browse(cloud).get("/dead-letters").text
    assert "ConnectionError: the mail service is down" in page
    assert "is no event of ours" in page
    assert len(ids(page)) == 3
    assert "Redrive target: queue records-dev-payments" in page


def test_one_consumers_letters_can_be_shown_alone(browse: Open, cloud: Shop) -> None:
    dead(cloud, "nonsense")
    browser = browse(cloud)
    assert len(ids(browser.get("/dead-letters?consumer=payments").text)) == 1
    assert ids(browser.get("/dead-letters?consumer=notifications").text) == []


def test_a_letter_is_shown_in_full_and_its_page_can_be_opened_by_itself(
    browse: Open, cloud: Shop
) -> None:
    cloud.break_("payments", with_=ConnectionError("the provider is down"))
    order = cloud.place_order()
    cloud.settle()
    browser = browse(cloud)
    (id,) = ids(browser.get("/dead-letters").text)  # noqa: A001
    page = browser.get(f"/dead-letters/{QUEUE}/{id}")
    assert "<html" in page.text
    for part in (order.event_id, "the provider is down", "Traceback", "attempt 12"):
        assert part in page.text
    alone = browser.get(f"/dead-letters/{QUEUE}/{id}", headers={"HX-Request": "true"})
    assert "<html" not in alone.text


@pytest.mark.parametrize(
    "body",
    [
        HOSTILE.replace("\x1b", ""),
        json.dumps({"detail-type": HOSTILE, "source": 7, "detail": {"data": [HOSTILE]}}),
        json.dumps({"detail": {"metadata": {"id": HOSTILE}, "data": {"order_id": HOSTILE}}}),
        "[" * 20_000,
        "x" * 1_000_000,
        '"><img src=x onerror=alert(1)>',
        '{"detail": {"metadata": {"id": "\\ud800", "correlation_id": "\\ud800"}}}',
    ],
    ids=["script", "types", "names", "depth", "size", "quotes", "surrogate"],
)
def test_what_is_hostile_is_shown_as_text(browse: Open, cloud: Shop, body: str) -> None:
    dead(cloud, body)
    browser = browse(cloud)
    page = browser.get("/dead-letters")
    (id,) = ids(page.text)  # noqa: A001
    dead_letter = browser.get(f"/dead-letters/{QUEUE}/{id}")
    for answer in (page, dead_letter):
        assert answer.status_code == 200
        assert "<script>alert" not in answer.text
        assert "<img" not in answer.text.replace('<img src="/static/icon.svg"', "")
        assert "\x1b" not in answer.text
        assert "\u202e" not in answer.text
        assert len(answer.text) < 200_000


def test_a_letter_that_was_mended_is_put_back_and_handled(browse: Open, cloud: Shop) -> None:
    cloud.break_("payments", with_=ConnectionError("down"))
    order = cloud.place_order()
    cloud.settle()
    cloud.mend("payments")
    browser = browse(cloud)
    (id,) = ids(browser.get("/dead-letters").text)  # noqa: A001
    answer = browser.change("/dead-letters/redrive", queue=QUEUE, which="checked", id=id)
    said = done(browser, answer)
    assert "1 of 1 redriven to queue records-dev-payments; 0 in the queue now" in said
    cloud.settle()
    assert cloud.order(order.order_id).status == "shipped"


def test_those_of_a_reason_go_back_and_the_others_stay(browse: Open, cloud: Shop) -> None:
    cloud.break_("payments", with_=ConnectionError("down"))
    cloud.place_order()
    cloud.settle()
    cloud.mend("payments")
    dead(cloud, "nonsense")
    browser = browse(cloud)
    answer = browser.change(
        "/dead-letters/redrive", queue=QUEUE, which="reason", reason="ConnectionError: down"
    )
    assert "1 of 2 redriven" in done(browser, answer)
    cloud.settle()
    assert "is no event of ours" in browser.get("/dead-letters").text


def test_all_of_a_queue_go_back(browse: Open, cloud: Shop) -> None:
    dead(cloud, *(f"nonsense {number}" for number in range(25)))
    browser = browse(cloud)
    said = done(browser, browser.change("/dead-letters/redrive", queue=QUEUE, which="all"))
    assert "25 of 25 redriven" in said


@pytest.mark.parametrize(
    ("form", "why"),
    [
        ({"queue": QUEUE, "which": "checked"}, "None was checked."),
        ({"which": "all"}, "It is not said which dead letters are meant."),
        ({"queue": "", "which": "all"}, "It is not said which dead letters are meant."),
        ({"queue": QUEUE}, "It is not said which dead letters are meant."),
        ({"queue": QUEUE, "which": "reason"}, "It is not said which dead letters are meant."),
        ({"queue": QUEUE, "which": "reason", "reason": ""}, "It is not said which dead letters"),
    ],
)
def test_what_names_no_letters_puts_none_back(
    browse: Open, cloud: Shop, form: dict[str, str], why: str
) -> None:
    dead(cloud, "nonsense")
    browser = browse(cloud)
    for what in ("redrive", "discard", "discarded"):
        assert why in browser.change(f"/dead-letters/{what}", **form).text
    assert len(ids(browser.get("/dead-letters").text)) == 1


def test_a_queue_that_nobody_has_is_named(browse: Open, cloud: Shop) -> None:
    dead(cloud, "nonsense")
    browser = browse(cloud)
    said = done(browser, browser.change("/dead-letters/redrive", queue="no-such", which="all"))
    assert "no-such" in said


def test_letters_are_discarded_only_where_their_number_was_typed(
    browse: Open, cloud: Shop, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    dead(cloud, "nonsense", "rubbish")
    browser = browse(cloud)
    form = {"queue": QUEUE, "which": "all"}
    assert "Type 2 to delete them" in browser.change("/dead-letters/discard", **form).text
    for typed in ({}, {"typed": ""}, {"typed": "1", "count": "1"}):
        wrong = browser.change("/dead-letters/discarded", **form, **typed)
        assert "Nothing was discarded" in wrong.text
    assert len(ids(browser.get("/dead-letters").text)) == 2
    right = browser.change("/dead-letters/discarded", **form, typed="2")
    said = done(browser, right)
    assert "2 of 2 discarded" in said
    (file,) = tmp_path.glob("dead-letters-dev-*.jsonl")
    assert str(file) in said
    assert sorted(json.loads(line)["body"] for line in file.read_text().splitlines()) == [
        "nonsense",
        "rubbish",
    ]
    assert "There are no dead letters." in browser.get("/dead-letters").text


def test_of_very_many_a_part_is_looked_at_and_all_are_counted(
    browse: Open, cloud: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dead_letters, "LOOK_AT", 30)
    dead(cloud, *(f"nonsense {number}" for number in range(80)))
    page = browse(cloud).get("/dead-letters").text
    assert "Shown: the first 30 of 80" in page
    assert "… and 10 more of them." in page


def test_of_those_of_one_reason_just_these_are_counted_before_they_are_discarded(
    browse: Open, cloud: Shop
) -> None:
    cloud.break_("payments", with_=ConnectionError("down"))
    cloud.place_order()
    cloud.settle()
    cloud.mend("payments")
    dead(cloud, "nonsense", "rubbish")
    form = {"queue": QUEUE, "which": "reason", "reason": "ConnectionError: down"}
    assert "Type 1 to delete them" in browse(cloud).change("/dead-letters/discard", **form).text
