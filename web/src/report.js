// p2pstream-report.mjs: sends the reports of a page. p2pstream.js loads it from the tracker. Reports travel over the
// WebSocket that the library has to the tracker, or over one of their own: the tracker counts viewers by their sockets.
// Without any they go over HTTP.

const patience = 3000; // ms until a report goes over HTTP instead
const grace = 1e4; // ms in which the library is expected to open its socket
const most = 4096; // bytes of a report that the tracker takes
const head = '{"action":"announce","info_hash":"p2pstream-reports-v1","report":';

const clock = () => performance.now();

// exchange sends a report over a socket and waits for the answer. To the library the answer looks like that of another
// swarm, which it ignores.
const exchange = (socket, body) =>
  new Promise((resolve, reject) => {
    const hear = ({ data }) => {
      if (typeof data == "string" && data.startsWith(head)) end(() => resolve(JSON.parse(data).report));
    };
    const fail = () => end(() => reject(Error("no answer")));
    const timer = setTimeout(fail, patience);
    const end = (then) => {
      clearTimeout(timer);
      socket.removeEventListener("message", hear);
      socket.removeEventListener("close", fail);
      then();
    };
    socket.addEventListener("message", hear);
    socket.addEventListener("close", fail);
    socket.send(body.replace("{", '{"action":"report",'));
  });

const post = async (url, body) => {
  const answer = await fetch(url, { method: "POST", body, keepalive: !!body, credentials: "omit" });
  return answer.json(); // a string is sent as text/plain, which needs no preflight
};

// reporter(config, announce, sockets, sample) starts reporting. announce is the tracker's URL, sockets has the last socket
// that the page used by URL, sample() returns what is reported. The returned object has leave(), which sends a report while the page goes, and stop().
export const reporter = ({ telemetry, settings }, announce, sockets, sample) => {
  const begun = clock();
  let { session, intervalMs } = telemetry;
  let wait = intervalMs;
  let sequence = 0;
  let base, receipts, voucher, timer, stopped, own;

  const report = () => {
    const all = { v: 1, session, sequence: ++sequence, role: "viewer", base, receipts, voucher, ...sample() };
    const text = JSON.stringify(all);
    return text.length > most ? JSON.stringify({ ...all, played: undefined }) : text;
  };
  const plan = (ms) => {
    if (!stopped) timer = setTimeout(send, ms * (0.9 + Math.random() / 5));
  };
  const isOpen = (socket) => socket?.readyState == 1;

  // socket returns an open socket, undefined if there is none.
  const socket = async () => {
    const theirs = sockets.get(announce);
    if (theirs != own && isOpen(theirs)) {
      own?.close();
      own = undefined;
      return theirs;
    }
    if (isOpen(own)) return own;
    own?.close();
    const mine = (own = new WebSocket(announce));
    await new Promise((resolve) => {
      mine.onopen = mine.onerror = resolve;
      setTimeout(resolve, patience);
    });
    return isOpen(mine) ? mine : undefined;
  };

  const send = async () => {
    // A page that has not begun to play has no socket yet.
    if (!sockets.get(announce) && !settings.core.isP2PDisabled && clock() - begun < grace) return plan(1000);
    try {
      const over = await socket();
      const body = report();
      const told = await (over ? exchange(over, body).catch(() => post(telemetry.url, body)) : post(telemetry.url, body));
      intervalMs = told.nextMs || intervalMs;
      if (told.reason == "Unsigned" || told.reason == "Expired") session = (await post(telemetry.configURL)).telemetry.session;
      else if (told.error) throw 0;
      else ({ acked: base, receipts, voucher } = told); // for the next report, which may go to another tracker
      wait = intervalMs;
    } catch {
      wait = Math.max(intervalMs, Math.min(wait * 2, 6e4)); // counters are cumulative, so nothing is lost meanwhile
    }
    plan(wait);
  };
  // With a large audience, pages that come at the same time must not report at the same time.
  plan(Math.min(2000, intervalMs) + Math.random() * Math.max(0, intervalMs - 5000));

  return {
    leave: () => navigator.sendBeacon(telemetry.url, report()),
    stop() {
      stopped = true;
      clearTimeout(timer);
      own?.close();
    },
  };
};
