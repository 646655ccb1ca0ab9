"""The errors of the commands."""

import pytest

from patchbay.cli.__main__ import main

TIMES = ["--from", "2026-01-31T09:00", "--to", "2026-01-31T10:00", "--again"]


def test_without_credentials_the_error_says_how_to_sign_in(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    assert main(["journey", "order-1"]) == 1
    assert "No AWS credentials: sign in" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (
            ["replay", "--from", "yesterday", "--to", "now"],
            "'yesterday' is not a time: write it as",
        ),
        (["replay", "--from", "2026-01-31T09:00"], "--to"),
        (["journey", "reading-1", "--stage", "Prod!"], "'Prod!'"),
    ],
)
def test_an_invalid_argument_is_named(
    arguments: list[str], why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert why in capsys.readouterr().err


def test_a_period_that_ends_before_it_begins_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    times = ["--from", "2026-01-31T10:00", "--to", "2026-01-31T09:00"]
    assert main(["replay", *times, "--again"]) == 1
    assert (
        "--from (2026-01-31 10:00:00+00:00) must be before --to (2026-01-31 09:00:00+00:00)."
        in capsys.readouterr().err
    )


def test_an_endpoint_that_does_not_answer_is_named_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    assert main(["replay", *TIMES]) == 1
    error = capsys.readouterr().err
    assert error.startswith("http://127.0.0.1:9/ does not answer. Check the network")
    assert "Traceback" not in error


def test_events_older_than_the_handled_ids_are_replayed_only_with_again(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["replay", *TIMES[:-1]]) == 1
    assert "would be handled again" in capsys.readouterr().err
