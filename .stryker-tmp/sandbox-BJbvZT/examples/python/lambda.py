"""Receives every call type in Python. Try it: npm start -- --functions examples/python"""

from segment_events import DropEvent, each_event


@each_event
def handler(event, context):
    who = event.get("userId") or event.get("anonymousId")
    if not who:
        raise DropEvent("an event of nobody")
    what = event.get("event") or event.get("name") or event.get("groupId") or ""
    print(f"{who}: {event['type']} {what} ({context.get_remaining_time_in_millis()} ms left)")
    return {"stored": event["messageId"]}
