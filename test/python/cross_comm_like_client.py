"""A client in the manner of pywayne's cross_comm on the `websockets` library of Debian (10.4).

Driven by a test: one JSON command per line on stdin, one JSON event per line on stdout. What matters is kept as the
original does it: login answered True without waiting, a heartbeat right behind it and then every interval, json.dumps
spelling with escaped non-ASCII, seven keys decoded strictly, one receive loop, 1000 and 1001 taken for an orderly end,
a client list polled from a single slot, permessage-deflate offered as the library does by default.
"""

import asyncio
import base64
import dataclasses
import inspect
import json
import sys
import time
import uuid

import websockets

TYPES = {
    "text", "json", "dict", "bytes", "image", "file", "folder",
    "heartbeat", "login", "logout", "list_clients", "list_clients_response", "login_response",
}


@dataclasses.dataclass
class Message:
    msg_id: str
    from_client_id: str
    to_client_id: str
    msg_type: str
    content: object
    timestamp: float
    oss_key: object = None

    @classmethod
    def decode(cls, text):
        message = cls(**json.loads(text))
        if message.msg_type not in TYPES:
            raise ValueError(message.msg_type)
        return message


def emit(event, **fields):
    sys.stdout.write(json.dumps({"ev": event, **fields}) + "\n")
    sys.stdout.flush()


def printable(content):
    if isinstance(content, bytes):
        return {"bytes": content.hex()}
    if isinstance(content, str) and len(content) > 1000:
        return {"length": len(content), "utf8": len(content.encode("utf-8", "surrogatepass")), "set": sorted(set(content))}
    return {"python": repr(content)}


class CrossCommLikeClient:
    def __init__(self, url, client_id, heartbeat_interval):
        self.url = url
        self.client_id = client_id
        self.heartbeat_interval = heartbeat_interval
        self.websocket = None
        self.is_connected = False
        self.listeners = []
        self.client_list = None

    async def login(self):
        self.websocket = await websockets.connect(self.url)
        await self.put("login", {}, "server")
        self.is_connected = True
        asyncio.ensure_future(self.receive())
        asyncio.ensure_future(self.heartbeat())
        return True

    async def put(self, msg_type, content, to, oss_key=None):
        message = Message(
            f"{self.client_id}_{int(time.time() * 1000)}_{uuid.uuid4().hex[:8]}",
            self.client_id, to, msg_type, content, time.time(), oss_key,
        )
        await self.websocket.send(json.dumps(dataclasses.asdict(message)))

    async def heartbeat(self):
        while self.is_connected:
            try:
                await self.put("heartbeat", {}, "server")
            except websockets.ConnectionClosed:
                break
            await asyncio.sleep(self.heartbeat_interval)

    async def send_message(self, msg_type, content, to="all", oss_key=None):
        if not self.is_connected:
            return False
        try:
            if msg_type == "text":
                content = str(content)
            elif msg_type == "json":
                if isinstance(content, str):
                    json.loads(content)
                else:
                    content = json.dumps(content)
            elif msg_type == "bytes" and isinstance(content, (bytes, bytearray)):
                content = base64.b64encode(content).decode()
            await self.put(msg_type, content, to, oss_key)
            return True
        except (ValueError, TypeError, websockets.ConnectionClosed):
            return False

    async def list_clients(self, only_show_online=True, timeout=5.0):
        self.client_list = None
        await self.put("list_clients", json.dumps({"only_show_online": only_show_online}), "server")
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if self.client_list is not None:
                return self.client_list
            await asyncio.sleep(0.1)
        return None

    def message_listener(self, msg_type=None, from_client_id=None):
        def register(function):
            self.listeners.append((msg_type, from_client_id, function))
            return function
        return register

    async def receive(self):
        try:
            async for text in self.websocket:
                try:
                    await self.dispatch(Message.decode(text))
                except Exception as error:
                    emit("undecodable", error=repr(error), text=text[:300])
            # the original leaves is_connected as it is: the loop ended "in order"
            emit("loop-ended", code=self.websocket.close_code, is_connected=self.is_connected)
        except websockets.ConnectionClosed as closed:
            self.is_connected = False
            emit("closed", code=closed.code, reason=closed.reason, is_connected=False)

    async def dispatch(self, message):
        if message.msg_type == "list_clients_response":
            self.client_list = json.loads(message.content)
            return
        if message.from_client_id == self.client_id:
            return
        if message.msg_type == "bytes" and isinstance(message.content, str):
            try:
                message.content = base64.b64decode(message.content)
            except ValueError:
                pass
        for msg_type, from_client_id, function in self.listeners:
            if msg_type is not None and msg_type != message.msg_type:
                continue
            if from_client_id is not None and from_client_id != message.from_client_id:
                continue
            result = function(message)
            if inspect.isawaitable(result):
                await result

    async def logout(self):
        self.is_connected = False
        await self.put("logout", {}, "server")
        await self.websocket.close()


def listen(client, name, msg_type, from_client_id):
    @client.message_listener(msg_type, from_client_id)
    async def on_message(message):
        emit("message", listener=name, type=message.msg_type, frm=message.from_client_id, to=message.to_client_id,
             oss_key=message.oss_key, timestamp=type(message.timestamp).__name__, **printable(message.content))


def content_of(command):
    if "expression" in command:
        # what JSON cannot carry is named: bytes, NaN, big integers
        return {
            "bytes": bytes(range(256)),
            "nan": {"x": float("nan"), "y": float("inf")},
            "big": {"n": 2 ** 64 + 1, "f": 1.0, "z": -0.0},
            "cjk": "\u754c" * 174000,
            "surrogate": "\ud83d",
        }[command["expression"]]
    return command["content"]


async def main():
    client = None
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    emit("ready", websockets=websockets.version.version)
    while True:
        line = await reader.readline()
        if not line:
            return
        command = json.loads(line)
        do = command["do"]
        value = None
        if do == "login":
            client = client or CrossCommLikeClient(command["url"], command["id"], command.get("heartbeat_interval", 30))
            value = await client.login()
        elif do == "listen":
            client = client or CrossCommLikeClient(command["url"], command["id"], command.get("heartbeat_interval", 30))
            listen(client, command["name"], command.get("type"), command.get("from"))
        elif do == "send":
            value = await client.send_message(command["type"], content_of(command), command.get("to", "all"), command.get("oss_key"))
        elif do == "list":
            value = await client.list_clients(command["only_show_online"])
        elif do == "state":
            value = {"is_connected": client.is_connected, "open": client.websocket.open, "extensions": [e.name for e in client.websocket.extensions]}
        elif do == "ping":
            await asyncio.wait_for(await client.websocket.ping(), 5)
        elif do == "logout":
            await client.logout()
        emit("done", do=do, value=value)


asyncio.run(main())
