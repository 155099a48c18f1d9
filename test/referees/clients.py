"""Calls Lambda by boto3, and prints what came of each call as it understood that."""

import json
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

client = boto3.client("lambda", config=Config(retries={"total_max_attempts": 1}))


def call(operation, arguments):
    try:
        answer = getattr(client, operation)(**arguments)
    except ClientError as error:
        return {"error": error.response["Error"], "status": error.response["ResponseMetadata"]["HTTPStatusCode"]}
    told = {key: value for key, value in answer.items() if key not in ("Payload", "ResponseMetadata")}
    return {**told, "payload": answer["Payload"].read().decode() if "Payload" in answer else None}


print(json.dumps([call(*each) for each in json.load(sys.stdin)]))
