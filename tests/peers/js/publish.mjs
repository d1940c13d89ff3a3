// Bun's own WebSocket server and `publish`, without Socket.IO: each client has subscribed to two
// topics.
import { EVERYONE, control, pingInterval, runtime } from "./control.mjs";
import { NAME, numbered } from "./notification.mjs";

// Bun pings a client before its idle time-out: 4 s before a short one, 16 s before a long one. The
// shortest is 8 s.
const pingSeconds = pingInterval / 1000;
const idleTimeout = pingSeconds < 12 ? Math.max(8, pingSeconds + 4) : pingSeconds + 16;

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  fetch(request, server) {
    const user = new URL(request.url).searchParams.get("user");
    if (server.upgrade(request, { data: { user } })) return undefined;
    return new Response(null, { status: 400 });
  },
  websocket: {
    idleTimeout,
    open(socket) {
      socket.subscribe(EVERYONE);
      socket.subscribe(socket.data.user);
    },
    message() {},
  },
});

control(server.port, runtime, (room, n) => {
  server.publish(room, `42${JSON.stringify([NAME, numbered(n)])}`);
});
