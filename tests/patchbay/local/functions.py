"""Functions on a local cloud, made of a few lines of Python, without the CDK."""

import io
import json
import sys
import zipfile
from collections.abc import Mapping
from typing import Any

from patchbay.local.cloud import LocalCloud

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}


def create_function(
    cloud: LocalCloud, name: str, files: Mapping[str, str], *, timeout: int = 30
) -> None:
    """Create a function whose handler is `handler` in handler.py."""
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    role = cloud.client("iam").create_role(
        RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST)
    )["Role"]["Arn"]
    cloud.client("lambda").create_function(
        FunctionName=name,
        Runtime=f"python{sys.version_info[0]}.{sys.version_info[1]}",
        Handler="handler.handler",
        Role=role,
        Timeout=timeout,
        Code={"ZipFile": code.getvalue()},
    )


def invoke(cloud: LocalCloud, name: str, event: Mapping[str, Any] | None = None) -> Any:
    """Invoke a function and return its answer."""
    answer = cloud.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event or {}))
    payload = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, payload
    return payload
