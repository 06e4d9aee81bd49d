"""The control API of a running world."""

import json
import os
import urllib.error
import urllib.request

# Longer than the world takes for any call: a delivery with all its retries.
PATIENCE = 120


class Refused(AssertionError):
    """The world refused a call. The message says what is wrong and what to do."""

    def __init__(self, status, error, help=None):
        self.status = status
        self.error = error
        self.help = help
        super().__init__(f"{error}\n{help}" if help else error)


class World:
    """A running world, by default the one that `rehearse exec` started this process in."""

    def __init__(self, control=None):
        url = control or os.environ.get("REHEARSE_CONTROL")
        if not url:
            raise RuntimeError("no world is here: run the tests as `rehearse exec -- pytest`")
        self.url = url.rstrip("/")
        # Loopback is never behind a proxy.
        self._http = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        self._pending = []
        self.phone = Phone(self)

    def call(self, method, path, body=None):
        """Calls the API and returns its JSON. Raises `Refused` for an error."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, method=method)
        request.add_header("Content-Type", "application/json")
        try:
            with self._http.open(request, timeout=PATIENCE) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as refused:
            with refused:
                said = json.load(refused)
            raise Refused(refused.code, said["error"], said.get("help")) from None

    def reset(self):
        """Puts the world back to its start: tables, texts, scripts, faults, journal."""
        self._pending.clear()
        self.phone = Phone(self)
        self.call("POST", "/reset")

    def when(self, text=None, person=None):
        """Begins a script of the model for a text, or for any text. It is armed before the next text."""
        script = Script(text, person)
        self._pending.append(script)
        return script

    def arm(self):
        """Arms the scripts that were begun. `Phone.text` does it by itself."""
        pending, self._pending = self._pending, []
        for script in pending:
            self.call("POST", "/scripts", script.body())

    def finish(self):
        """Removes the scripts and returns what is unmet of them as text; `None` when nothing is."""
        self.arm()
        return self.call("DELETE", "/scripts")["report"]

    def rows(self, table):
        """All rows of a table, by its logical id."""
        return self.call("GET", f"/tables/{table}")["rows"]

    def fail(self, on, fail, **more):
        """Lets calls fail, in the words of a scenario's `faults:`."""
        return self.call("POST", "/faults", {"on": on, "fail": fail, **more})["faults"][0]

    def move(self, length):
        """Moves business time forward, such as by `15m`; what is due meanwhile happens."""
        return self.call("POST", "/clock", {"advance": length})


class Script:
    """The rounds of the model after one text, in the words of a scenario's `model:`."""

    def __init__(self, text, person):
        self._text = text
        self._person = person
        self._rounds = []
        self._sees = None

    def sees(self, **expected):
        """What the request of the next round must have: `input`, `instructions`, `tools`, `results`."""
        self._sees = expected
        return self

    def call(self, tool, **arguments):
        """A round in which the model calls a tool."""
        return self._round(call=[{tool: arguments}])

    def say(self, text):
        """A round in which the model answers."""
        return self._round(say=text)

    def fail(self, how):
        """A round that fails: a status, `"empty"`, `"malformed"`, or `{"cut": "mid-stream"}`."""
        return self._round(fail=how)

    def _round(self, **keys):
        if self._sees is not None:
            keys, self._sees = {"sees": self._sees, **keys}, None
        self._rounds.append(keys)
        return self

    def body(self):
        if self._sees is not None:
            raise AssertionError("sees(...) is followed by the round that responds")
        body = {"model": self._rounds}
        if self._text is not None:
            body["text"] = self._text
        if self._person is not None:
            body["from"] = self._person
        return body


class Phone:
    """A person's phone."""

    def __init__(self, world, person="customer"):
        self._world = world
        self._person = person
        self._after = None

    def of(self, person):
        """The phone of somebody else, by name or number."""
        return Phone(self._world, person)

    def text(self, body, media=()):
        """Sends a text, waits until it is delivered, and returns what came of it."""
        self._world.arm()
        sent = self._world.call(
            "POST", "/sms", {"from": self._person, "body": body, "media": list(media)}
        )
        self._after = sent["seq"]
        return Text(sent)

    def expect_reply(self, body=None, timeout="10s", **matcher):
        """Waits for a text to this phone, after the last one that was sent or expected, and returns it.

        `body` is what it must be; `contains="..."` and `matches="..."` are matchers of scenarios.
        """
        wanted = matcher if matcher else body
        wait = {"to": self._person, "timeout": timeout}
        if wanted is not None:
            wait["body"] = wanted
        if self._after is not None:
            wait["after"] = self._after
        came = self._world.call("POST", "/messages/wait", wait)
        self._after = came["seq"]
        return came["body"]


class Text:
    """A text that was delivered."""

    def __init__(self, sent):
        self.sid = sent["sid"]
        self.attempts = sent["attempts"]
        self.replies = [reply["body"] for reply in sent["replies"]]
