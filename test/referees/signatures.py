"""Signs requests anew by botocore and says which of them it would have signed otherwise.

Reads a JSON list of requests as they arrived from standard input, writes a JSON list of differences.
"""

import datetime
import json
import sys
from unittest import mock

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials


def resign(request):
    headers = {name.lower(): value for name, value in request["headers"].items()}
    theirs = headers["authorization"]
    signed = theirs.split("SignedHeaders=")[1].split(",")[0].split(";")
    added = {"x-amz-date", "x-amz-security-token", "host"}
    again = AWSRequest(
        method=request["method"],
        url=request["url"],
        data=request["body"].encode("utf-8"),
        headers={name: headers[name] for name in signed if name not in added},
    )
    at = datetime.datetime.strptime(headers["x-amz-date"], "%Y%m%dT%H%M%SZ")
    credentials = Credentials(
        request["accessKeyId"], request["secretAccessKey"], request.get("sessionToken")
    )
    with mock.patch("botocore.auth.get_current_datetime", lambda: at, create=True):
        SigV4Auth(credentials, request["service"], request["region"]).add_auth(again)
    return {"ours": theirs, "botocore": again.headers["Authorization"]}


print(json.dumps([resign(request) for request in json.load(sys.stdin)]))
