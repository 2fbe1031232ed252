// How events are worded: briefly beside the ladder, in full beside the pointer and to who listens.

const FLAGS = { S: "SYN", F: "FIN", R: "RST" };

/** Microseconds as seconds with six digits. */
const seconds = (micros) => (micros / 1e6).toFixed(6);

/** A length of time for people: `5 ms`, `0.21 s`, `64.0 s`, `9 min 2.5 s`. */
function span(micros) {
  if (micros < 1e3) return `${+micros.toFixed(0)} µs`;
  if (micros < 1e5) return `${+(micros / 1e3).toFixed(3)} ms`;
  const whole = micros / 1e6;
  if (whole < 1) return `${+whole.toFixed(3)} s`;
  if (whole < 600) return `${whole.toFixed(whole % 1 && whole < 100 && !Number.isInteger(whole * 10) ? 2 : 1)} s`;
  const minutes = Math.floor(whole / 60);
  const rest = +(whole - minutes * 60).toFixed(1);
  if (minutes < 120) return rest ? `${minutes} min ${rest} s` : `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

const count = (n) => n.toLocaleString("en").replaceAll(",", "\u202f");

/** Flags and numbers as the book draws them: `SYN 0, ack 1`, `7:13(6), ack 7`. */
function segment(it) {
  const parts = [];
  const names = [...(it.flags ?? "")].map((letter) => FLAGS[letter]).filter(Boolean);
  if (it.len > 0) parts.push(`${names.map((name) => `${name} `).join("")}${it.seq}:${it.seq + it.len}(${it.len})`);
  else if (names.length) parts.push(`${names.join(" ")} ${it.seq}`);
  if (it.ack >= 0) parts.push(`ack ${it.ack}`);
  return parts.join(", ");
}

function again(it) {
  if (it.nth < 1) return it.note ?? "";
  const limit = it.limit > 0 ? `/${it.limit}` : "";
  return [it.note, `retransmission ${it.nth}${limit}`].filter(Boolean).join(", ");
}

const who = (it) => `${it.process}[${it.pid}]`;

/** What is written beside the ladder: text, and the class that colours it. */
function brief(it) {
  switch (it.kind) {
    case "segment": return [segment(it), ""];
    case "icmp":
    case "neighbour": return [it.text, it.kind];
    case "lost": return [`lost: ${it.reason}`, "lost"];
    case "call": {
      const result = it.errno ?? it.result;
      return [`${it.within ?? it.call} = ${result}`, it.errno ? "errno" : "call"];
    }
    case "state": return [it.to, "state"];
    case "process": return [`[${it.pid}] ${it.change}`, it.killed > 0 ? "errno" : "process"];
    case "signal": return [`${it.signal} ${it.became}, [${it.pid}]`, it.became === "kills" ? "errno" : "signal"];
    case "line": return [it.stream === 0 ? `▸ ${it.text}` : it.text, it.stream === 2 ? "line errno" : "line"];
    case "fault": return [[it.fault, it.target, it.detail && `(${it.detail})`].filter(Boolean).join(" "), "fault"];
  }
}

/** A title and rows of names and values, for the tip and the panel. */
function fields(it) {
  const when = it.flight && it.flight.out === it && it.flight.end
    ? [["left", `${seconds(it.t)} s`], [it.flight.end.kind === "lost" ? "lost" : "arrived",
        `${seconds(it.flight.end.t)} s, ${span(it.flight.end.t - it.t)} later`]]
    : [["at", `${seconds(it.t)} s`]];
  const on = columns[it.column];
  switch (it.kind) {
    case "segment": return [`${it.out ? "sent by" : "received by"} ${on}`, [
      ["from", it.src], ["to", it.dst], ["flags", `[${it.flags ?? ""}]  ${names(it.flags)}`],
      ["seq", it.len ? `${it.seq}:${it.seq + it.len}` : it.seq], ["ack", it.ack >= 0 ? it.ack : "–"],
      ["win", it.win], ["length", it.len], ["note", it.note],
      ["retransmission", it.nth > 0 ? `${it.nth}${it.limit > 0 ? ` of ${it.limit}` : ""}` : undefined],
      ["next in", it.next > 0 ? span(it.next) : undefined], ...when,
      ["why", it.flight?.end?.kind === "lost" ? it.flight.end.reason : undefined]]];
    case "icmp": return [`ICMP ${it.out ? "sent by" : "received by"} ${on}`, [
      ["says", it.text], ["from", it.src], ["to", it.dst], ["type, code", `${it.type}, ${it.code}`],
      ["about", it.about], ...when]];
    case "neighbour": return [`${it.out ? "sent by" : "received by"} ${on}`, [
      ["says", it.text], ["sender", it.src], ["its Ethernet address", it.mac], ["target", it.dst], ...when]];
    case "lost": return [`lost: ${it.reason}`, [["packet", it.text], ["where", on], ...when]];
    case "call": return [`${who(it)} on ${on}`, [
      ["call", `${it.call}(${it.args ?? ""})`], ["returned", it.result], ["in", it.within],
      ["blocked", it.t > it.since ? span(it.t - it.since) : "not at all"], ...when]];
    case "state": return [`${it.from} → ${it.to}`, [
      ["host", on], ["local", it.local], ["remote", it.remote ?? "*"], ...when]];
    case "process": return [`${who(it)} on ${on}`, [["process", it.change], ...when]];
    case "signal": return [`${who(it)} on ${on}`, [["signal", it.signal], ["became", it.became], ...when]];
    case "line": return [`${["typed at", "printed by", "complained by"][it.stream]} ${who(it)}`, [
      ["text", it.text], ["host", on], ...when]];
    case "fault": return [`${it.fault} ${it.target ?? ""}`, [["detail", it.detail], ...when]];
  }
}

const names = (flags) => [...(flags ?? "")]
  .map((letter) => ({ ...FLAGS, P: "PSH", ".": "ACK" })[letter]).filter(Boolean).join(", ");

/** One sentence, to be read aloud. */
function sentence(it) {
  const [title, rows] = fields(it);
  return [title, ...rows.filter(([, value]) => value !== undefined).map(([name, value]) => `${name} ${value}`)].join(", ");
}
