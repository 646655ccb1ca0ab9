"""What the commands say to who asks for what can't be done."""

import pytest

from patchbay.cli.__main__ import main

TIMES = ["--from", "2026-01-31T09:00", "--to", "2026-01-31T10:00", "--again"]


def test_without_credentials_it_says_how_to_get_some(
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
def test_what_makes_no_sense_is_refused_by_name(
    arguments: list[str], why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert why in capsys.readouterr().err


def test_what_ends_before_it_begins_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    times = ["--from", "2026-01-31T10:00", "--to", "2026-01-31T09:00"]
    assert main(["replay", *times, "--again"]) == 1
    assert (
        "--from (2026-01-31 10:00:00+00:00) must be before --to (2026-01-31 09:00:00+00:00)."
        in capsys.readouterr().err
    )


def test_aws_that_can_not_be_reached_is_told_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    assert main(["replay", *TIMES]) == 1
    said = capsys.readouterr().err
    assert said.startswith("http://127.0.0.1:9/ does not answer. Check the network")
    assert "Traceback" not in said


def test_what_is_past_remembering_is_replayed_only_on_purpose(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["replay", *TIMES[:-1]]) == 1
    assert "would be handled again" in capsys.readouterr().err
