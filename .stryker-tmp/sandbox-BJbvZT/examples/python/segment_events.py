"""What the author of a Lambda function in Python imports: one file, copied beside the handler.

    from segment_events import DropEvent, each_event

    @each_event
    def handler(event, context):
        if event["type"] == "track":
            store(event)

The handler takes one Segment event at a time; the function takes one or, with Max Batch Size above 1, a list of them.
Needs Python 3.9 or newer and nothing else.
"""

import functools
import traceback
from typing import Any, Callable, Dict, List, Union

SegmentEvent = Dict[str, Any]

_GIVE_UP = ("DropEvent", "EventNotSupported", "InvalidEventPayload", "ValidationError")


class DropEvent(Exception):
    """Give this event up: it is no use, however often it is sent."""


class RetryError(Exception):
    """Bring this event back later. Any other error does the same; this one says that it is meant."""


def each_event(handle: Callable[[SegmentEvent, Any], Any], reserve_ms: int = 500) -> Callable[..., Any]:
    """Makes a handler for one event the handler of a function.

    A single event's return value and error are the function's own. The events of a batch are handled in their order, one
    after the other: one that fails is logged and reported, so that it alone comes back, as do those for which there is no
    time left (``reserve_ms`` before the function's timeout); one that is given up (``DropEvent``) is logged and done.
    """

    @functools.wraps(handle)
    def handler(events: Union[SegmentEvent, List[SegmentEvent]], context: Any) -> Any:
        if not isinstance(events, list):
            return handle(events, context)
        failed = []
        for position, event in enumerate(events):
            if position > 0 and context.get_remaining_time_in_millis() < reserve_ms:
                rest = events[position:]
                print(f"No time is left for {len(rest)} of {len(events)} events: they come back.")
                failed.extend(rest)
                break
            try:
                handle(event, context)
            except Exception as error:
                if type(error).__name__ in _GIVE_UP:
                    print(f"{event['messageId']} is dropped: {error}")
                else:
                    # Carriage returns keep the lines of a trace together in Lambda's log.
                    print(f"{event['messageId']} comes back: {traceback.format_exc().strip()}".replace("\n", "\r"))
                    failed.append(event)
        return {"batchItemFailures": [{"itemIdentifier": event["messageId"]} for event in failed]}

    return handler
