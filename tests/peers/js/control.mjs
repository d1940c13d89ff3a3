// The benchmark's connection to a server; see tests/peers/src/instruction.rs.
import { readFileSync } from "node:fs";
import { createServer } from "node:net";

// The room that all clients are in.
export const EVERYONE = "customer-room";

export const pingInterval = Number(process.env.PING_SECONDS) * 1000;

export const version = (name) => {
  const path = new URL(`./node_modules/${name}/package.json`, import.meta.url);
  return `${name} ${JSON.parse(readFileSync(path)).version}`;
};

export const runtime = process.versions.bun
  ? `Bun ${process.versions.bun}`
  : `Node ${process.versions.node}`;

// Listens for the benchmark, prints both ports and the versions, and calls `publish` with a room and
// a number for each event that it is asked for. The process ends when the benchmark leaves.
export const control = (clientPort, versions, publish) => {
  let published = 0;
  const follow = (line) => {
    const [kind, first, count] = line.split(" ");
    if (kind === "everyone") {
      for (let time = 0; time < Number(first); time++) publish(EVERYONE, published++);
      return;
    }
    const end = Number(first) + Number(count);
    for (let user = Number(first); user < end; user++) publish(`user-${user}`, published++);
  };
  const server = createServer((socket) => {
    let partial = "";
    socket.setEncoding("utf8");
    socket.on("data", (text) => {
      const lines = (partial + text).split("\n");
      partial = lines.pop();
      lines.forEach(follow);
    });
    socket.on("close", () => process.exit(0));
  });
  server.listen(0, "127.0.0.1", () => {
    console.log(`listening ${clientPort} ${server.address().port} ${versions}`);
  });
};
