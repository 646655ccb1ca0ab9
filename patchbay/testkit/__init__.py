"""The test kit: the whole deployed app in the test's process, on virtual time.

Each name is imported from its module at first use, because pytest loads the plugin also in projects
whose tests do not use the kit.
"""

from typing import TYPE_CHECKING

from patchbay import load_on_use

if TYPE_CHECKING:
    from patchbay.testkit.clock import NeverIdle as NeverIdle
    from patchbay.testkit.cloud import Cloud as Cloud
    from patchbay.testkit.cloud import HttpAnswer as HttpAnswer
    from patchbay.testkit.errors import NotDeployable as NotDeployable
    from patchbay.testkit.errors import NotInTheKit as NotInTheKit
    from patchbay.testkit.faults import CrashesAfterEffect as CrashesAfterEffect
    from patchbay.testkit.faults import Duplicated as Duplicated
    from patchbay.testkit.faults import DynamoDBThrottled as DynamoDBThrottled
    from patchbay.testkit.faults import Fault as Fault
    from patchbay.testkit.faults import Raises as Raises
    from patchbay.testkit.faults import RefusesEntries as RefusesEntries
    from patchbay.testkit.faults import Reordered as Reordered
    from patchbay.testkit.faults import ReturnsGarbage as ReturnsGarbage
    from patchbay.testkit.faults import Slow as Slow
    from patchbay.testkit.faults import Throttled as Throttled
    from patchbay.testkit.faults import TimesOut as TimesOut
    from patchbay.testkit.faults import Undeliverable as Undeliverable
    from patchbay.testkit.history import Published as Published
    from patchbay.testkit.states.state_faults import AnswerLost as AnswerLost
    from patchbay.testkit.states.state_faults import Fails as Fails
    from patchbay.testkit.states.state_faults import Hangs as Hangs
    from patchbay.testkit.templates import Templates as Templates
    from patchbay.testkit.view import DeadLetter as DeadLetter
    from patchbay.testkit.view import DeadLetters as DeadLetters
    from patchbay.testkit.view import Mail as Mail

_MODULES = {
    "AnswerLost": "states.state_faults",
    "Cloud": "cloud",
    "CrashesAfterEffect": "faults",
    "DeadLetter": "view",
    "DeadLetters": "view",
    "Duplicated": "faults",
    "DynamoDBThrottled": "faults",
    "Fails": "states.state_faults",
    "Fault": "faults",
    "Hangs": "states.state_faults",
    "HttpAnswer": "cloud",
    "Mail": "view",
    "NeverIdle": "clock",
    "NotDeployable": "errors",
    "NotInTheKit": "errors",
    "Published": "history",
    "Raises": "faults",
    "RefusesEntries": "faults",
    "Reordered": "faults",
    "ReturnsGarbage": "faults",
    "Slow": "faults",
    "Templates": "templates",
    "Throttled": "faults",
    "TimesOut": "faults",
    "Undeliverable": "faults",
}

__all__ = list(_MODULES)

__getattr__ = load_on_use(__name__, _MODULES)
