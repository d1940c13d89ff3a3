"""python-socketio's client, driven by one JSON object per line on standard input; see tests/src/clients/driver.rs.

Each event is passed to a handler with exactly one parameter, as in users' programs: a second argument is a
TypeError there, and is reported as the event "broken".
"""

import json
import sys
import threading

import engineio
import socketio

EVENTS = [
    "new_notification", "order_update", "payment_update", "tailor_status_update", "notification_read",
    "rt:ready", "rt:reset", "rt:position", "rt:error", "rt:room_left", "rt:drain", "rt:expiring", "test:fence", "load",
]

# By default the client polls and upgrades.
TRANSPORTS = next(([name] for name in ("websocket", "polling") if f"--{name}" in sys.argv), None)

sockets = {}
lock = threading.Lock()


def say(line):
    with lock:
        print(json.dumps(line), flush=True)


class InOrder(engineio.Client):
    """Handles messages in order. python-engineio starts a thread for each message, so that handlers overtake each
    other, but the tests check the order in which messages arrive."""

    def _trigger_event(self, event, *args, **kwargs):
        return super()._trigger_event(event, *args, **{**kwargs, "run_async": False})


class Guarded(socketio.Client):
    def _engineio_client_class(self):
        return InOrder

    def _trigger_event(self, event, namespace, *args):
        try:
            return super()._trigger_event(event, namespace, *args)
        except TypeError as error:
            say({"as": self.name, "event": "broken", "args": [f"{event}: {error}"]})


def connect(command):
    name, opts = command["as"], command["opts"]
    client = Guarded(reconnection_delay=0.05, reconnection_delay_max=0.2, randomization_factor=0)
    client.name = name
    sockets[name] = client
    client.on("connect", lambda: say({"as": name, "event": "connect", "args": []}))
    client.on("connect_error", lambda data: say({"as": name, "event": "connect_error", "args": [data]}))
    client.on("disconnect", lambda reason: say({"as": name, "event": "disconnect", "args": [reason]}))

    # `resume` works as in docs/clients.md: every CONNECT sends the last position.
    resume = opts.get("resume")
    seen = {"since": resume["since"]} if resume and "since" in resume else {}
    auth = (lambda: {**resume, **seen}) if resume else opts.get("auth")

    def take(event, data):
        say({"as": name, "event": event, "args": [data]})
        if isinstance(data, dict) and "at" in data.get("_rt", {}):
            seen["since"] = data["_rt"]["at"]

    for event in EVENTS:
        client.on(event, lambda data, event=event: take(event, data))
    try:
        client.connect(command["url"], headers=opts.get("extraHeaders", {}), auth=auth, transports=TRANSPORTS)
    except socketio.exceptions.ConnectionError as error:
        say({"as": name, "event": "refused", "args": [str(error)]})


def emit(command):
    sockets[command["as"]].emit(command["event"], command["data"])


def call(command):
    answer = lambda *args: say({"ack": command["id"], "args": list(args)})
    sockets[command["as"]].emit(command["event"], command["data"], callback=answer)


def disconnect(command):
    sockets[command["as"]].disconnect()


def drop(command):
    sockets[command["as"]].eio.ws.close()


COMMANDS = {"connect": connect, "emit": emit, "call": call, "disconnect": disconnect, "drop": drop}

for line in sys.stdin:
    command = json.loads(line)
    COMMANDS[command["do"]](command)
