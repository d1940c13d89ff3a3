// Socket.IO with a verified token and two rooms for each client, and nothing else: on Node with its
// `ws`, on Bun with the engine that Socket.IO has for it.
import { createServer } from "node:http";
import { Server } from "socket.io";
import { EVERYONE, control, pingInterval, runtime, version } from "./control.mjs";
import { NAME, numbered } from "./notification.mjs";
import { verify } from "./token.mjs";

const authenticate = (socket, next) => {
  try {
    socket.data.user = verify(socket.handshake.auth.token).userId;
    next();
  } catch {
    next(new Error("invalid token"));
  }
};

const start = (io, port, versions) => {
  io.use(authenticate);
  io.on("connection", (socket) => socket.join([EVERYONE, socket.data.user]));
  control(port, versions, (room, n) => io.to(room).emit(NAME, numbered(n)));
};

const onNode = () => {
  const server = createServer();
  const io = new Server(server, { pingInterval, serveClient: false });
  server.listen(0, "127.0.0.1", () => {
    start(io, server.address().port, `${version("socket.io")}, ${runtime}`);
  });
};

const onBun = async () => {
  const { Server: Engine } = await import("@socket.io/bun-engine");
  const io = new Server();
  const engine = new Engine({ path: "/socket.io/", pingInterval });
  io.bind(engine);
  const server = Bun.serve({
    ...engine.handler(),
    hostname: "127.0.0.1",
    port: 0,
    // In seconds: more than a ping interval.
    idleTimeout: 60,
  });
  start(io, server.port, `${version("socket.io")}, ${version("@socket.io/bun-engine")}, ${runtime}`);
};

if (process.versions.bun) await onBun();
else onNode();
