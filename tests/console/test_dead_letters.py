"""The page "Dead letters", on the whole system in the test's process."""

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


def send_unreadable(cloud: Shop, *bodies: str) -> None:
    """Send messages to payments that it rejects."""
    for body in bodies:
        cloud.send("payments", body)
    cloud.settle()


def ids(text: str) -> list[str]:
    return re.findall(r'name="id" value="([^"]+)"', text)


def outcome(browser: Browser, answer: Any) -> str:
    """Wait until the job is over, and return its last page."""
    pages: list[str] = [answer.text]

    def is_over() -> bool:
        if again := re.search(r'hx-get="(/dead-letters/jobs/[^"]+)"', pages[-1]):
            pages.append(browser.get(again[1]).text)
        return "/jobs/" not in pages[-1]

    assert answer.status_code == 200
    wait_until(is_over, "the job to be over", DEADLINE)
    return pages[-1]


def test_without_dead_letters_the_page_says_so(browse: Open, cloud: Shop) -> None:
    assert "There are no dead letters." in browse(cloud).get("/dead-letters").text


def test_dead_letters_are_grouped_by_consumer_and_reason_with_the_redrive_target(
    browse: Open, cloud: Shop
) -> None:
    cloud.break_("notifications", with_=ConnectionError("the mail service is down"))
    cloud.place_order()
    cloud.settle()
    send_unreadable(cloud, "nonsense", "rubbish")
    page = browse(cloud).get("/dead-letters").text
    assert "ConnectionError: the mail service is down" in page
    assert "is not a valid event" in page
    assert len(ids(page)) == 3
    assert "Redrive target: queue records-dev-payments" in page


def test_one_consumers_dead_letters_can_be_shown_alone(browse: Open, cloud: Shop) -> None:
    send_unreadable(cloud, "nonsense")
    browser = browse(cloud)
    assert len(ids(browser.get("/dead-letters?consumer=payments").text)) == 1
    assert ids(browser.get("/dead-letters?consumer=notifications").text) == []


def test_a_dead_letter_is_shown_in_full_on_its_page_and_in_the_panel(
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
def test_hostile_content_is_shown_as_text(browse: Open, cloud: Shop, body: str) -> None:
    send_unreadable(cloud, body)
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


def test_a_dead_letter_is_redriven_and_handled_after_the_repair(browse: Open, cloud: Shop) -> None:
    cloud.break_("payments", with_=ConnectionError("down"))
    order = cloud.place_order()
    cloud.settle()
    cloud.mend("payments")
    browser = browse(cloud)
    (id,) = ids(browser.get("/dead-letters").text)  # noqa: A001
    answer = browser.change("/dead-letters/redrive", queue=QUEUE, which="checked", id=id)
    result = outcome(browser, answer)
    assert "1 of 1 redriven to queue records-dev-payments; 0 in the queue now" in result
    cloud.settle()
    assert cloud.order(order.order_id).status == "shipped"


def test_the_dead_letters_of_a_reason_are_redriven_and_the_others_stay(
    browse: Open, cloud: Shop
) -> None:
    cloud.break_("payments", with_=ConnectionError("down"))
    cloud.place_order()
    cloud.settle()
    cloud.mend("payments")
    send_unreadable(cloud, "nonsense")
    browser = browse(cloud)
    answer = browser.change(
        "/dead-letters/redrive", queue=QUEUE, which="reason", reason="ConnectionError: down"
    )
    assert "1 of 2 redriven" in outcome(browser, answer)
    cloud.settle()
    assert "is not a valid event" in browser.get("/dead-letters").text


def test_all_dead_letters_of_a_queue_are_redriven(browse: Open, cloud: Shop) -> None:
    send_unreadable(cloud, *(f"nonsense {number}" for number in range(25)))
    browser = browse(cloud)
    result = outcome(browser, browser.change("/dead-letters/redrive", queue=QUEUE, which="all"))
    assert "25 of 25 redriven" in result


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({"queue": QUEUE, "which": "checked"}, "No dead letter is checked: check at least one."),
        ({"which": "all"}, "The request does not say which dead letters to use: reload the page."),
        (
            {"queue": "", "which": "all"},
            "The request does not say which dead letters to use: reload the page.",
        ),
        ({"queue": QUEUE}, "The request does not say which dead letters to use: reload the page."),
        (
            {"queue": QUEUE, "which": "reason"},
            "The request does not say which dead letters to use: reload the page.",
        ),
        (
            {"queue": QUEUE, "which": "reason", "reason": ""},
            "The request does not say which dead letters",
        ),
    ],
)
def test_a_form_without_a_selection_changes_nothing(
    browse: Open, cloud: Shop, form: dict[str, str], message: str
) -> None:
    send_unreadable(cloud, "nonsense")
    browser = browse(cloud)
    for what in ("redrive", "discard", "discarded"):
        assert message in browser.change(f"/dead-letters/{what}", **form).text
    assert len(ids(browser.get("/dead-letters").text)) == 1


def test_an_unknown_queue_is_reported(browse: Open, cloud: Shop) -> None:
    send_unreadable(cloud, "nonsense")
    browser = browse(cloud)
    result = outcome(browser, browser.change("/dead-letters/redrive", queue="no-such", which="all"))
    assert "no-such" in result


def test_dead_letters_are_discarded_only_if_their_number_was_typed(
    browse: Open, cloud: Shop, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    send_unreadable(cloud, "nonsense", "rubbish")
    browser = browse(cloud)
    form = {"queue": QUEUE, "which": "all"}
    assert "Type 2 to delete them" in browser.change("/dead-letters/discard", **form).text
    for typed in ({}, {"typed": ""}, {"typed": "1", "count": "1"}):
        wrong = browser.change("/dead-letters/discarded", **form, **typed)
        assert "Nothing was discarded" in wrong.text
    assert len(ids(browser.get("/dead-letters").text)) == 2
    right = browser.change("/dead-letters/discarded", **form, typed="2")
    result = outcome(browser, right)
    assert "2 of 2 discarded" in result
    (file,) = tmp_path.glob("dead-letters-dev-*.jsonl")
    assert str(file) in result
    assert sorted(json.loads(line)["body"] for line in file.read_text().splitlines()) == [
        "nonsense",
        "rubbish",
    ]
    assert "There are no dead letters." in browser.get("/dead-letters").text


def test_of_many_dead_letters_a_part_is_browsed_and_all_are_counted(
    browse: Open, cloud: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dead_letters, "DEFAULT_LIMIT", 30)
    send_unreadable(cloud, *(f"nonsense {number}" for number in range(80)))
    page = browse(cloud).get("/dead-letters").text
    assert "Shown: the first 30 of 80" in page
    assert "… and 10 more." in page


def test_the_confirmation_counts_the_dead_letters_of_the_reason_only(
    browse: Open, cloud: Shop
) -> None:
    cloud.break_("payments", with_=ConnectionError("down"))
    cloud.place_order()
    cloud.settle()
    cloud.mend("payments")
    send_unreadable(cloud, "nonsense", "rubbish")
    form = {"queue": QUEUE, "which": "reason", "reason": "ConnectionError: down"}
    assert "Type 1 to delete them" in browse(cloud).change("/dead-letters/discard", **form).text
