"""Apps in this process, for tests that change what they are made of."""

import json
from pathlib import Path

from aws_cdk import App

from patchbay.project.root import ROOT
from tests.synthesis import SETTINGS


def app_for(stage: str, out: Path, **settings: str | None) -> App:
    """Return an empty app, with the context that the CDK CLI would give it."""
    context = json.loads((ROOT / "cdk.json").read_text())["context"] | SETTINGS.get(stage, {})
    context |= {"stage": stage} | settings
    given = {key: value for key, value in context.items() if value is not None}
    return App(outdir=str(out), context=given, analytics_reporting=False)
