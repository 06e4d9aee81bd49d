"""Runs a Lambda function written in Python: asks the Runtime API for events, calls the handler that
`_HANDLER` names, and posts what came of each. It needs the standard library alone.

Errors, log lines and the context are those of AWS's own runtime, as far as a function can tell.
"""

import http.client
import importlib
import json
import logging
import os
import select
import sys
import time
import traceback
from decimal import Decimal

API = os.environ["AWS_LAMBDA_RUNTIME_API"]
ROOT = os.environ["LAMBDA_TASK_ROOT"]
PREFIX = "/2018-06-01/runtime/"


class InitError(Exception):
    """Why the handler cannot be called at all, with the type that AWS gives such an error."""

    def __init__(self, kind, message, trace=()):
        super().__init__(message)
        self.kind = kind
        self.trace = list(trace)


class Identity:
    cognito_identity_id = None
    cognito_identity_pool_id = None


class Context:
    """What a handler gets as its second argument."""

    def __init__(self, headers):
        self.aws_request_id = headers.get("lambda-runtime-aws-request-id", "")
        self.invoked_function_arn = headers.get("lambda-runtime-invoked-function-arn", "")
        self.function_name = os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "")
        self.function_version = os.environ.get("AWS_LAMBDA_FUNCTION_VERSION", "")
        self.memory_limit_in_mb = os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "")
        self.log_group_name = os.environ.get("AWS_LAMBDA_LOG_GROUP_NAME", "")
        self.log_stream_name = os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME", "")
        self.client_context = None
        self.identity = Identity()
        # Counted by the clock that measures time: the one that shows it may be the scenario's, and be moved.
        left = int(headers.get("lambda-runtime-deadline-ms", "0")) / 1000 - time.time()
        self._deadline = time.monotonic() + left

    def get_remaining_time_in_millis(self):
        return max(int((self._deadline - time.monotonic()) * 1000), 0)

    def log(self, text):
        sys.stdout.write(str(text))

    def __repr__(self):
        fields = ", ".join(f"{name}={value}" for name, value in vars(self).items() if name[0] != "_")
        return f"LambdaContext([{fields}])"


class Log(logging.Handler):
    """Writes records as AWS does; without it `logging` would show warnings only."""

    request_id = ""

    def emit(self, record):
        try:
            record.aws_request_id = Log.request_id
            sys.stdout.write(self.format(record) + "\n")
        except Exception:
            self.handleError(record)


def listen_to_logging():
    handler = Log()
    pattern = "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s"
    formatter = logging.Formatter(pattern, "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    logging.getLogger().addHandler(handler)


class Api:
    """The Runtime API, over one connection that is kept."""

    def __init__(self):
        self.connection = http.client.HTTPConnection(API)

    def call(self, method, path, body=None, headers=None):
        self.connection.request(method, PREFIX + path, body, headers or {})
        answer = self.connection.getresponse()
        return answer.status, answer.headers, answer.read()

    def next(self):
        status, headers, body = self.call("GET", "invocation/next")
        if status != 200:
            # The function is being stopped.
            sys.exit(0)
        return headers, body

    def answer(self, request_id, body):
        self.call("POST", f"invocation/{request_id}/response", body)

    def fail(self, path, error):
        headers = {
            "Content-Type": "application/json",
            "Lambda-Runtime-Function-Error-Type": error["errorType"],
        }
        self.call("POST", path, json.dumps(error).encode(), headers)


def default(value):
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def report(kind, message, trace):
    """Writes an error to the log and returns it as the Runtime API takes it."""
    lines = [f"[ERROR] {kind}: {message}"]
    if trace:
        lines += ["Traceback (most recent call last):", *"".join(trace).rstrip().split("\n")]
    print("\n".join(lines), flush=True)
    return {"errorType": kind, "errorMessage": message, "stackTrace": list(trace)}


def own_frames(error):
    """The stack trace without the frames of this file and of the import machinery."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if f.filename != __file__ and "importlib" not in f.filename]
    return traceback.format_list(own)


def load():
    """The handler that `_HANDLER` names: `app.handler`, `package.module.handler`, `folder/app.handler`."""
    name = os.environ.get("_HANDLER", "")
    module_name, dot, function = name.rpartition(".")
    if not dot or not module_name or not function:
        raise InitError("Runtime.MalformedHandlerName", f"Bad handler '{name}': not MODULE.FUNCTION")
    # `python FILE` put this file's folder first.
    sys.path[0] = ROOT
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as error:
        message = f"Unable to import module '{module_name}': {error}"
        raise InitError("Runtime.ImportModuleError", message, own_frames(error)) from error
    except SyntaxError as error:
        message = f"Syntax error in module '{module_name}': {error}"
        where = f'  File "{error.filename}", line {error.lineno}\n    {(error.text or "").strip()}\n'
        raise InitError("Runtime.UserCodeSyntaxError", message, [where]) from error
    except Exception as error:
        raise InitError(type(error).__name__, str(error), own_frames(error)) from error
    handler = getattr(module, function, None)
    if handler is None:
        message = f"Handler '{function}' missing on module '{module_name}'"
        raise InitError("Runtime.HandlerNotFound", message)
    return handler


def run(handler, api):
    headers, body = api.next()
    request_id = Log.request_id = headers["lambda-runtime-aws-request-id"]
    os.environ["_X_AMZN_TRACE_ID"] = headers.get("lambda-runtime-trace-id", "")
    failed = f"invocation/{request_id}/error"
    try:
        result = handler(json.loads(body), Context(headers))
    except Exception as error:
        failure = report(type(error).__name__, str(error), own_frames(error))
        return api.fail(failed, failure)
    try:
        text = json.dumps(result, ensure_ascii=False, default=default)
    except (TypeError, ValueError) as error:
        message = f"Unable to marshal response: {error}"
        return api.fail(failed, report("Runtime.MarshalError", message, ()))
    sys.stdout.flush()
    return api.answer(request_id, text.encode())


def sleep(seconds):
    """`time.sleep` under libfaketime, whose own fails: it takes a moment of one clock for one of another."""
    if seconds < 0:
        raise ValueError("sleep length must be non-negative")
    select.select([], [], [], seconds)


def main():
    if "FAKETIME_TIMESTAMP_FILE" in os.environ:
        time.sleep = sleep
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True, errors="backslashreplace")
    listen_to_logging()
    api = Api()
    try:
        handler = load()
    except InitError as error:
        api.fail("init/error", report(error.kind, str(error), error.trace))
        sys.exit(1)
    while True:
        run(handler, api)


main()
