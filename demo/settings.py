"""What the system is told when it is deployed to the local cloud, and what is asked of its bus."""

import json

from patchbay.events.event import NAMESPACE
from patchbay.project.naming import StageName

STAGE: StageName = "local"
MAIL_FROM = "shop@example.com"
EVERY_EVENT = json.dumps({"source": [{"prefix": f"{NAMESPACE}."}]})  # the pattern that passes all
