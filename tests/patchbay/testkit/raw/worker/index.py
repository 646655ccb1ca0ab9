"""A handler of a team that does not use Patchbay."""

import json
import logging
import os

import boto3
import greetings  # type: ignore[import-not-found]

logging.getLogger().setLevel("INFO")


def handler(event, context):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    for record in event["Records"]:
        body = json.loads(record["body"])
        ask = body.get("detail", body).get("ask")
        if ask == "fail":
            raise ValueError("the pump is stuck")
        if ask == "secret":
            found = boto3.client("secretsmanager").get_secret_value(SecretId=os.environ["SECRET"])
            print(json.dumps({"message": "secret", "value": found["SecretString"]}))
        if ask == "parameter":
            found = boto3.client("ssm").get_parameter(Name=os.environ["PARAMETER"])
            print(json.dumps({"message": "parameter", "value": found["Parameter"]["Value"]}))
        if ask == "write":
            boto3.resource("dynamodb").Table(os.environ["TABLE"]).put_item(Item={"id": "1"})
        if ask == "forbidden":
            boto3.client("ssm").get_parameter(Name="/not/granted")
        if ask == "cache":
            boto3.client("s3").get_object(Bucket="cache", Key=os.environ["CACHE"])
        logging.info("%s, bed %s", greetings.HELLO, context.function_name)
