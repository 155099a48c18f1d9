"""Entry of the process in which the embedded AWS runs a function in Python: a Lambda execution environment.

Reads lines of JSON from standard input, first the settings, then one per run, and writes messages, a line of JSON each,
to file descriptor 3: see worker-messages.ts. What a function sees, and what is said of its errors, is as in Lambda.
"""

import importlib.util
import io
import json
import logging
import os
import sys
import threading
import time
import traceback

THIS_FILE = os.path.abspath(__file__)


class Messages:
    def __init__(self, descriptor):
        os.set_inheritable(descriptor, False)
        self._file = os.fdopen(descriptor, "wb", buffering=0)
        self._lock = threading.Lock()

    def send(self, **message):
        data = json.dumps(message).encode() + b"\n"
        with self._lock:
            while data:
                data = data[self._file.write(data):]


class LogLines(io.RawIOBase):
    """Takes what is written to a stream, and sends it by the line."""

    def __init__(self, messages):
        self._messages = messages
        self._rest = b""

    def writable(self):
        return True

    def write(self, data):
        *lines, self._rest = (self._rest + bytes(data)).split(b"\n")
        for line in lines:
            self._send(line)
        return len(data)

    def end_line(self):
        if self._rest:
            line, self._rest = self._rest, b""
            self._send(line)

    def _send(self, line):
        self._messages.send(type="log", line=line.decode("utf-8", "replace"))


class Fields:
    def __init__(self, given, names):
        for name in names:
            setattr(self, name, given.get(name))


class ClientContext(Fields):
    def __init__(self, given):
        super().__init__(given, ("custom", "env"))
        client = given.get("client")
        names = ("installation_id", "app_title", "app_version_name", "app_version_code", "app_package_name")
        self.client = Fields(client, names) if isinstance(client, dict) else None


class LambdaContext:
    def __init__(self, settings, run):
        invocation = run["invocation"]
        client_context = json.loads(invocation.get("clientContext") or "null")
        self._deadline = run["deadline"]
        self.aws_request_id = invocation["requestId"]
        self.invoked_function_arn = invocation["invokedFunctionArn"]
        self.function_name = settings["functionName"]
        self.function_version = settings["functionVersion"]
        self.memory_limit_in_mb = str(settings["memoryMb"])
        self.log_group_name = settings["logGroupName"]
        self.log_stream_name = settings["logStreamName"]
        self.client_context = ClientContext(client_context) if client_context is not None else None
        self.identity = Fields({}, ("cognito_identity_id", "cognito_identity_pool_id"))
        self.tenant_id = invocation.get("tenantId")

    def get_remaining_time_in_millis(self):
        return max(0, int(self._deadline - time.time() * 1000))

    def log(self, message):
        sys.stdout.write(str(message))


class RequestIdFilter(logging.Filter):
    request_id = None

    def filter(self, record):
        record.aws_request_id = RequestIdFilter.request_id or ""
        return True


def set_up_logging():
    handler = logging.StreamHandler(sys.stdout)
    line = "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s"
    formatter = logging.Formatter(line, "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    write = formatter.format
    # One entry of the log, whatever lines it has.
    formatter.format = lambda record: write(record).replace("\n", "\r")
    handler.setFormatter(formatter)
    handler.addFilter(RequestIdFilter())
    logging.getLogger().addHandler(handler)


def error_of(error_type, message, stack_trace=(), request_id=""):
    return {"errorMessage": message, "errorType": error_type, "requestId": request_id, "stackTrace": list(stack_trace)}


def thrown(error, request_id=""):
    frames = traceback.extract_tb(error.__traceback__)
    while frames and (os.path.abspath(frames[0].filename) == THIS_FILE or frames[0].filename.startswith("<frozen importlib")):
        frames = frames[1:]
    return error_of(type(error).__name__, str(error), traceback.format_list(frames), request_id)


def log_error(error):
    lines = ["[ERROR] {errorType}: {errorMessage}".format(**error), "Traceback (most recent call last):"]
    for frame in error["stackTrace"]:
        lines += [line.replace("  ", "\u00a0\u00a0") for line in frame.splitlines()]
    print("\r".join(line.replace("\n", "\r") for line in lines))


def load(settings):
    """The handler. Raises LookupError with the error that Lambda has for it."""
    path = settings["file"]
    module_name = os.path.splitext(os.path.basename(path))[0]
    sys.path.insert(0, os.path.dirname(path))
    try:
        spec = importlib.util.spec_from_file_location(module_name, path)
        module = importlib.util.module_from_spec(spec)
        sys.modules[module_name] = module
        spec.loader.exec_module(module)
    except (ImportError, FileNotFoundError) as error:
        message = "Unable to import module '{}': {}".format(module_name, error)
        raise LookupError(error_of("Runtime.ImportModuleError", message, thrown(error)["stackTrace"]))
    except SyntaxError as error:
        message = "Syntax error in module '{}': {}".format(module_name, error)
        where = '  File "{}" Line {}\n    {}'.format(error.filename, error.lineno, (error.text or "").strip())
        raise LookupError(error_of("Runtime.UserCodeSyntaxError", message, [where]))
    for name in (settings["handler"], "lambda_handler"):
        if callable(getattr(module, name, None)):
            return getattr(module, name)
    message = "Handler '{}' missing on module '{}'".format(settings["handler"], module_name)
    raise LookupError(error_of("Runtime.HandlerNotFound", message))


def memory_mb():
    try:
        import resource

        used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return max(1, used // (1024 * 1024 if sys.platform == "darwin" else 1024))
    except ImportError:
        return 1


def main():
    messages = Messages(3)
    orders = os.fdopen(os.dup(0), "r", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    streams = [LogLines(messages), LogLines(messages)]
    # Written by the line: what a function that crashes has logged before is not lost.
    sys.stdout, sys.stderr = (
        io.TextIOWrapper(io.BufferedWriter(each), encoding="utf-8", errors="replace", line_buffering=True)
        for each in streams
    )

    def end_lines():
        for wrapper, stream in zip((sys.stdout, sys.stderr), streams):
            wrapper.flush()
            stream.end_line()

    settings = json.loads(orders.readline())
    set_up_logging()
    try:
        handler = load(settings)
    except LookupError as failure:
        error = failure.args[0]
    except Exception as raised:
        error = thrown(raised)
    else:
        error = None
    if error:
        log_error(error)
        end_lines()
        messages.send(type="initError", error=error)
        return
    end_lines()
    messages.send(type="ready")

    for line in orders:
        run = json.loads(line)
        request_id = RequestIdFilter.request_id = run["invocation"]["requestId"]
        error = payload = None
        try:
            result = handler(json.loads(run["invocation"]["payload"]), LambdaContext(settings, run))
            try:
                payload = json.dumps(result, ensure_ascii=False)
            except (TypeError, ValueError) as reason:
                error = error_of("Runtime.MarshalError", "Unable to marshal response: {}".format(reason), (), request_id)
        except Exception as raised:
            error = thrown(raised, request_id)
        if error:
            log_error(error)
        end_lines()
        if error:
            messages.send(type="error", error=error, memoryMb=memory_mb(), fatal=False)
        else:
            messages.send(type="result", payload=payload, memoryMb=memory_mb())


main()
