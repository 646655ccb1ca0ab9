"""Writes a new consumer: its handler, its stack and its test.

python -m patchbay.cli.develop.add NAME EVENT[,EVENT…]
"""

import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from patchbay.errors import UserError
from patchbay.events.catalogue import UnknownEvent, event_named
from patchbay.events.event import Event
from patchbay.events.examples import NoExample
from patchbay.project.root import ROOT
from patchbay.templates.consumer import files
from patchbay.templates.naming import check_free, check_length, parse

USAGE = "usage: make consumer NAME=loyalty ON=OrderPlaced (or several: ON=OrderPlaced,PaymentTaken)"
BAD_USAGE = 2  # the exit code


def main(arguments: Sequence[str], root: Path = ROOT) -> int:
    """Write the consumer, or say in a line why not."""
    match [argument.strip() for argument in arguments]:
        case [str(name), str(on)] if name and on:
            pass
        case _:
            return _fail(USAGE)
    try:
        new = consumer(name, on, root)
        write(new, root)
    except (UserError, UnknownEvent, NoExample) as refused:
        return _fail(str(refused))
    except OSError as error:
        return _fail(f"The new consumer can't be written: {error}.")
    _tell(f"wrote {path}" for path in new)
    _tell(
        [
            "",
            f"Put your own code into {next(iter(new))}. Then:",
            "  make test   checks all of it",
            "  make demo   shows it at work, among the others",
        ]
    )
    return 0


def consumer(name: str, on: str, root: Path = ROOT) -> dict[Path, str]:
    """The files of a consumer of these events; raises UserError and UnknownEvent."""
    parsed = parse(name)
    check_free(parsed, root)
    subscribed = _events(on)
    check_length(parsed, subscribed)
    return files(parsed, subscribed)


def write(new: Mapping[Path, str], root: Path) -> None:
    """Write all of the files, or none; raises OSError."""
    begun: list[Path] = []
    try:
        for path, text in new.items():
            for folder in reversed((root / path).parents):
                if not folder.exists():
                    folder.mkdir()
                    begun.append(folder)
            with (root / path).open("x") as file:
                begun.append(root / path)
                file.write(text)
    except BaseException:
        for path in reversed(begun):
            path.rmdir() if path.is_dir() else path.unlink()
        raise


def _events(on: str) -> list[type[Event]]:
    names = [name.strip() for name in on.split(",") if name.strip()]
    if not names:
        raise UserError(USAGE)
    return [event_named(name) for name in dict.fromkeys(names)]


def _fail(reason: str) -> int:
    sys.stderr.write(f"{reason}\n")
    return BAD_USAGE


def _tell(lines: Iterable[str]) -> None:
    sys.stdout.writelines(f"{line}\n" for line in lines)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
