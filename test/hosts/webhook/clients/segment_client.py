"""Sends one call of each type by Segment's Python library: host, write key, "gzip" or "plain"."""

import sys

import segment.analytics as analytics

host, write_key, encoding = sys.argv[1:]
failures = []
analytics.host = host
analytics.write_key = write_key
analytics.gzip = encoding == "gzip"
analytics.on_error = lambda error, items: failures.append(str(error))

analytics.track("u", "By Segment's Python", {"plan": "pro"})
analytics.identify("u", {"plan": "pro"})
analytics.page("u", "Docs", "Home")
analytics.screen("u", "Docs", "Home")
analytics.group("u", "g", {"employees": 7})
analytics.alias("anonymous", "u")
analytics.flush()

if failures:
    sys.exit("\n".join(failures))
