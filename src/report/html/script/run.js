// The run: rows of numbers (see table.rs) read into events, flights and folds.

const table = JSON.parse(document.getElementById("run").textContent);
const { columns, words } = table;
const word = (place) => (place >= 0 ? words[place] : undefined);

// In the order of `RowKind` in row.rs, each with the names of its numbers; `$` marks a place in `words`.
const KINDS = [
  ["segment", ["out", "$src", "$dst", "$flags", "seq", "ack", "win", "len", "nth", "limit", "next", "$note"]],
  ["icmp", ["out", "$src", "$dst", "$text", "type", "code", "$about"]],
  ["lost", ["$reason", "$text"]],
  ["call", ["pid", "$process", "$call", "$within", "$args", "$result", "$errno", "since"]],
  ["state", ["$local", "$remote", "$from", "$to"]],
  ["process", ["pid", "$process", "$change", "killed"]],
  ["signal", ["pid", "$process", "$signal", "$became"]],
  ["line", ["pid", "$process", "stream", "$text"]],
  ["fault", ["$fault", "$target", "$detail"]],
  ["neighbour", ["out", "$src", "$dst", "$text", "$mac"]],
];

function read([t, column, kind, ...numbers], n) {
  const [name, fields] = KINDS[kind];
  const event = { n, t, column, kind: name };
  fields.forEach((field, place) => {
    const number = numbers[place] ?? -1;
    if (field[0] === "$") event[field.slice(1)] = word(number);
    else event[field] = number;
  });
  return event;
}

const isOfWire = (event) => ["segment", "icmp", "neighbour"].includes(event.kind);

const events = table.rows.map(read);
const end = events.length ? events[events.length - 1].t : 0;

// A flight leaves with one event and ends with another; a departure without an end is still on its way.
const flights = [];
for (let i = 0; i < table.flights.length; i += 2) {
  const flight = { out: events[table.flights[i]], end: events[table.flights[i + 1]] };
  flight.out.flight ??= flight;
  flight.end.flight = flight;
  flights.push(flight);
}
for (const event of events) {
  if (isOfWire(event) && event.out && !event.flight) {
    event.flight = { out: event, end: undefined };
    flights.push(event.flight);
  }
}

const folds = [];
for (let i = 0; i < table.folds.length; i += 3) {
  const [first, length, times] = table.folds.slice(i, i + 3);
  const last = first + length * (times - 1);
  const pace = (events[last].t - events[first].t) / (times - 1);
  folds.push({ first, length, times, last, pace, open: false });
}

/** The last event at or before a moment. */
function eventAt(t) {
  let [low, high] = [0, events.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (events[middle].t <= t) low = middle + 1;
    else high = middle;
  }
  return Math.max(low - 1, 0);
}

/** Both ends of the connection that an event is about, in one order whichever of them sends; `undefined` if there is none. */
function connectionOf(event) {
  const it = event.kind === "lost" && event.flight ? event.flight.out : event;
  const ends = it.kind === "segment" ? [it.src, it.dst]
    : it.kind === "state" ? [it.local, it.remote]
    : it.kind === "icmp" ? it.about.split(" > ") : [];
  if (ends.length !== 2 || ends.includes(undefined)) return undefined;
  // An address is written with a colon before its port in one place and with a dot in the other.
  return ends.map((end) => end.replace(/[[\]]/g, "").replace(/[.:](\d+)$/, ":$1")).sort().join(" – ");
}

const connections = [...new Set(events.map(connectionOf))].filter((it) => it !== undefined);
