"""Schedule expressions and their due times, by EventBridge Scheduler's rules."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from patchbay.testkit.errors import NotDeployable, NotInTheKit

_MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
_DAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
_UNITS = {"minute": 60, "hour": 3600, "day": 86400}

Next = Callable[[datetime], datetime]
"""Return the first due time after the given time, both in UTC."""


def expression(text: str, time_zone: str) -> Next:
    """Parse an expression. Raise NotDeployable if Scheduler would refuse it."""
    if rate := re.fullmatch(r"rate\((\d+) (minute|hour|day)(s?)\)", text):
        number, plural = int(rate[1]), bool(rate[3])
        if number < 1 or (number == 1) == plural:
            raise NotDeployable(f"The schedule expression {text!r} is invalid.")
        step = timedelta(seconds=number * _UNITS[rate[2]])
        return lambda after: after + step
    fields = re.fullmatch(r"cron\((\S+) (\S+) (\S+) (\S+) (\S+) (\S+)\)", text)
    if not fields or (fields[3] == "?") == (fields[5] == "?"):
        raise NotDeployable(f"The schedule expression {text!r} is invalid.")
    return _Cron(text, ZoneInfo(time_zone), *fields.groups()).next


class _Cron:
    def __init__(
        self, text: str, zone: ZoneInfo, minutes: str, hours: str, days: str, months: str,
        weekdays: str, years: str,
    ) -> None:  # fmt: skip
        self._text = text
        self._zone = zone
        self._times = [
            time(hour, minute)
            for hour in self._values(hours, 0, 23)
            for minute in self._values(minutes, 0, 59)
        ]
        self._days = self._values(days, 1, 31)
        self._months = self._values(months, 1, 12, _MONTHS)
        self._weekdays = self._values(weekdays, 1, 7, _DAYS)  # 1 is Sunday
        self._years = self._values(years, 1970, 2199)

    def next(self, after: datetime) -> datetime:
        for moment in self._moments(after.astimezone(self._zone).date()):
            if moment > after:
                return moment
        raise NotInTheKit(f"The schedule expression {self._text!r} is never due again.")

    def _moments(self, since: date) -> Iterator[datetime]:
        day = since
        while day.year <= max(self._years):
            if self._is_due_on(day):
                yield from (moment for each in self._times if (moment := self._at(day, each)))
            day += timedelta(days=1)

    def _is_due_on(self, day: date) -> bool:
        return (
            day.year in self._years
            and day.month in self._months
            and day.day in self._days
            and day.isoweekday() % 7 + 1 in self._weekdays
        )

    def _at(self, day: date, wanted: time) -> datetime | None:
        """Return a local time of a day in UTC; None if a change of the clocks skips it.

        A time that occurs twice because of a change is the first of the two.
        """
        there = datetime.combine(day, wanted, self._zone)
        moment = there.astimezone(UTC)
        return moment if moment.astimezone(self._zone).time() == wanted else None

    def _values(
        self, field: str, least: int, most: int, words: list[str] | None = None
    ) -> list[int]:
        found: set[int] = set()
        for part in field.upper().split(","):
            bounds, _, step = part.partition("/")
            for number, word in enumerate(words or ()):
                bounds = bounds.replace(word, str(number + 1))
            if bounds in ("*", "?"):
                low, high = least, most
            elif match := re.fullmatch(r"(\d+)(?:-(\d+))?", bounds):
                low = int(match[1])
                high = int(match[2] or (most if step else low))
            else:
                raise NotInTheKit(f"The kit can't read {part!r} in {self._text!r}.")
            if not least <= low <= high <= most:
                raise NotDeployable(f"The schedule expression {self._text!r} is invalid.")
            found |= set(range(low, high + 1, int(step or 1)))
        return sorted(found)
