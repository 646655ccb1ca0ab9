"""Apps in this process, for tests that change what they are made of."""

import json
from collections.abc import Mapping
from pathlib import Path

from aws_cdk import App

from tests.patchbay.greenhouse import SAMPLE


def app_for(stage: str, out: Path, context: Mapping[str, str] | None = None) -> App:
    """Return an empty app, with the context that the CDK CLI would give it."""
    given = json.loads((SAMPLE / "cdk.json").read_text())["context"]
    given |= {"stage": stage, **(context or {})}
    return App(outdir=str(out), context=given, analytics_reporting=False)
