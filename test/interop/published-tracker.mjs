// The published bittorrent-tracker server, WebSocket only. Prints {"port": N} once it listens, and
// ends when its standard input closes, so that it never outlives the test that started it.
// usage: node published-tracker.mjs [PORT [HOST]]
import Server from "bittorrent-tracker/server";
import process from "node:process";

const server = new Server({ http: false, udp: false, ws: true, stats: false });
server.on("error", (e) => {
  console.error(e.message);
  process.exit(1);
});
server.on("warning", (e) => console.error(e.message));
server.on("listening", () => console.log(JSON.stringify({ port: server.ws.address().port })));
server.listen(Number(process.argv[2] ?? 0), process.argv[3] ?? "127.0.0.1");
process.stdin.on("end", () => process.exit(0)).resume();
