"""Secrets Manager's secrets, with values from the templates and from tests."""

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from patchbay.testkit.errors import NotInTheKit
from patchbay.testkit.reading.arns import secret_arn
from patchbay.testkit.reading.stack import secret_string
from patchbay.testkit.templates import Templates


class Secrets:
    """Every secret of the templates, and those that a test adds, by their names."""

    def __init__(self, templates: Templates) -> None:
        self._values = {
            each.name: secret_string(each) for each in templates.all("AWS::SecretsManager::Secret")
        }

    def put(self, name: str, value: str) -> None:
        """Set the value of a secret, and create it if it does not exist."""
        self._values[name] = value

    def answer(self, client: Any, operation: str, parameters: Mapping[str, Any]) -> Any:
        """Answer a call of a function or a test. Raise botocore's ClientError as AWS would."""
        match operation:
            case "GetSecretValue":
                name = self._name(client, operation, parameters["SecretId"])
                return {**_about(name), "SecretString": self._values[name]}
            case "BatchGetSecretValue" if "SecretIdList" in parameters:
                ids = parameters["SecretIdList"]
                names = [each for each in map(self._find, ids) if each is not None]
                found = [{**_about(each), "SecretString": self._values[each]} for each in names]
                return {"SecretValues": found, "Errors": []}
            case "DescribeSecret":
                return _about(self._name(client, operation, parameters["SecretId"]))
            case "PutSecretValue" | "UpdateSecret":
                name = self._name(client, operation, parameters["SecretId"])
                self.put(name, parameters["SecretString"])
                return _about(name)
            case "CreateSecret":
                self.put(parameters["Name"], parameters["SecretString"])
                return _about(parameters["Name"])
        raise NotInTheKit(
            f"Something calls secretsmanager:{operation}, which the test kit can't answer."
        )

    def _find(self, name_or_arn: str) -> str | None:
        for name in self._values:
            arn = secret_arn(name)
            # AWS also finds a secret by its ARN without the last characters.
            if name_or_arn in (name, arn, arn[:-7]):
                return name
        return None

    def _name(self, client: Any, operation: str, name_or_arn: str) -> str:
        name = self._find(name_or_arn)
        if name is None:
            code = "ResourceNotFoundException"
            message = "Secrets Manager can't find the specified secret."
            kind: type[ClientError] = client.exceptions.from_code(code)
            raise kind({"Error": {"Code": code, "Message": message}}, operation)
        return name


def _about(name: str) -> dict[str, Any]:
    return {"ARN": secret_arn(name), "Name": name, "VersionId": "0" * 32}
