"""Receives Segment events, one by one or in batches (Max Batch Size above 1), in Python.

Events listed in batchItemFailures are sent again. An error named DropEvent gives an event up, any other brings it back.
"""


class DropEvent(Exception):
    """This event can't be used, however often it is sent."""


def handler(event, context):
    if not isinstance(event, list):
        return receive(event)
    failures = []
    for each in event:
        try:
            receive(each)
        except DropEvent as reason:
            print(f"{each['messageId']} dropped: {reason}")
        except Exception as error:
            print(f"{each['messageId']}: {error}")
            failures.append({"itemIdentifier": each["messageId"]})
    return {"batchItemFailures": failures}


def receive(event):
    who = event.get("userId") or event.get("anonymousId")
    if not who:
        raise DropEvent("an event of nobody")
    what = event.get("event") or event.get("name") or event.get("groupId") or ""
    print(f"{who}: {event['type']} {what}")
