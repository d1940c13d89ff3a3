// The official Socket.IO client, driven by one JSON object per line on standard input; see tests/src/clients/driver.rs.
import { createInterface } from "node:readline";
import { io } from "socket.io-client";

const sockets = new Map();
const say = (line) => process.stdout.write(JSON.stringify(line) + "\n");

const commands = {
  connect({ as, url, opts }) {
    const { resume, ...rest } = opts;
    // `resume` works as in docs/clients.md: every CONNECT sends the last position.
    let since = resume?.since;
    if (resume) rest.auth = (cb) => cb({ ...resume, since });
    const socket = io(url, { reconnectionDelay: 50, reconnectionDelayMax: 200, forceNew: true, ...rest });
    sockets.set(as, socket);
    const tell = (event) => (...args) => say({ as, event, args });
    socket.on("connect", tell("connect"));
    socket.on("connect_error", (error) => say({ as, event: "connect_error", args: [error.message] }));
    socket.on("disconnect", (reason) => say({ as, event: "disconnect", args: [reason] }));
    socket.onAny((event, ...args) => {
      say({ as, event, args });
      if (args[0]?._rt) since = args[0]._rt.at;
    });
    socket.io.engine?.on("upgrade", (transport) => say({ as, event: "upgrade", args: [transport.name] }));
  },
  emit({ as, event, data }) {
    sockets.get(as).emit(event, data);
  },
  call({ as, id, event, data }) {
    sockets.get(as).emit(event, data, (...args) => say({ ack: id, args }));
  },
  binary({ as, id, event }) {
    sockets.get(as).emit(event, Buffer.from("bytes"), (...args) => say({ ack: id, args }));
  },
  burst({ as, calls }) {
    for (const { id, event, data } of calls) commands.call({ as, id, event, data });
  },
  disconnect({ as }) {
    sockets.get(as).disconnect();
  },
  drop({ as }) {
    sockets.get(as).io.engine.close();
  },
};

createInterface({ input: process.stdin }).on("line", (line) => {
  const command = JSON.parse(line);
  commands[command.do](command);
}).on("close", () => process.exit(0));
