"""What the system is told when it is deployed to the local cloud, and what is asked of its bus."""

import json

from patchbay.events.event import namespace

STAGE: str = "local"
MAIL_FROM = "shop@example.com"
EVERY_EVENT = json.dumps({"source": [{"prefix": f"{namespace()}."}]})  # the pattern that passes all
