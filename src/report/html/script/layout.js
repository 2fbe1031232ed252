// Where everything stands: time runs down the page, to scale while packets fly, folded while nothing happens.

const ROW = 17;
const FLIGHT = 44;
const TOP = 14;
const LONGEST_LADDER = 6000;

// What is shown: hosts by column, kinds by the name of their filter.
const FILTERS = {
  packets: ["segment", "icmp", "neighbour", "lost"],
  calls: ["call"],
  states: ["state"],
  processes: ["process", "signal"],
  screens: ["line"],
  faults: ["fault"],
};
const shown = { columns: new Set(columns.keys()), kinds: new Set(Object.keys(FILTERS)), folded: true, connection: "" };
const filterOf = Object.fromEntries(
  Object.entries(FILTERS).flatMap(([filter, kinds]) => kinds.map((kind) => [kind, filter])));

function isShown(event) {
  if (!shown.kinds.has(filterOf[event.kind])) return false;
  if (shown.connection && event.kind !== "fault" && connectionOf(event) !== shown.connection) return false;
  if (event.column < 0) return true;
  if (shown.columns.has(event.column)) return true;
  const { flight } = event;
  return flight !== undefined && [flight.out, flight.end].some((it) => it && shown.columns.has(it.column));
}

/** How tall an event is in the ladder. */
function height(event) {
  switch (event.kind) {
    case "segment":
    case "neighbour":
    case "icmp": return event.out ? ROW : 5;
    case "lost": return 5;
    case "fault": return 34;
    default: return ROW;
  }
}

/** The usual time of flight: what the scale is made for. */
const usual = (() => {
  const times = flights.filter(({ end }) => end).map(({ out, end }) => end.t - out.t).sort((a, b) => a - b);
  return Math.max(times[times.length >> 1] ?? 5000, 1);
})();

/** Pixels for a silence: more for a longer one, but not in proportion. */
const silenceHeight = (gap) => Math.min(34 + 7 * Math.log2(gap / (3 * usual)), 120);

// The ladder as it is laid out: `y` of every event, the visible items in order, and the whole height.
let plan = { y: new Float64Array(0), items: [], steps: [], height: 0 };

function layOut() {
  plan = shown.folded ? folded() : toScale();
}

function folded() {
  const y = new Float64Array(events.length);
  const items = [];
  const steps = [];
  let t = events[0]?.t ?? 0;
  // What happens at one moment on different hosts stands side by side: `free` is how far down each column is taken.
  const free = new Float64Array(columns.length + 1).fill(TOP);
  const lowest = () => Math.max(...free);
  let fold = 0;
  for (let n = 0; n < events.length; n += 1) {
    while (fold < folds.length && folds[fold].first + folds[fold].length < n) fold += 1;
    const group = folds[fold];
    if (group && !group.open && n === group.first + group.length) {
      const said = [...range(group.first, n)].some((it) => isShown(events[it]));
      const at = lowest();
      y.fill(at + 26, n, group.last);
      if (said) {
        items.push({ type: "fold", y: at + 8, below: at + 46, group });
        free.fill(at + 54);
      }
      n = group.last;
      t = events[n].t;
    }
    const event = events[n];
    if (!isShown(event)) {
      y[n] = lowest();
      continue;
    }
    const gap = event.t - t;
    if (gap > 3 * usual) {
      const [at, tall] = [lowest(), silenceHeight(gap)];
      items.push({ type: "silence", y: at, below: at + tall, gap, from: t });
      free.fill(at + tall);
    } else if (gap > 0) {
      free.fill(lowest() + (gap / usual) * FLIGHT);
    }
    t = event.t;
    const everywhere = event.kind === "fault" || event.column < 0;
    const at = everywhere ? lowest() : free[event.column];
    y[n] = at;
    steps.push(n);
    place(items, event, at);
    if (everywhere) free.fill(at + height(event));
    else free[event.column] += height(event);
  }
  return finish({ y, items, steps, height: lowest() + 40 });
}

/** One scale from the first event to the last; what would stand on something else goes without words. */
function toScale() {
  const y = new Float64Array(events.length);
  const items = [];
  const steps = [];
  const scale = Math.min(LONGEST_LADDER, Math.max(900, (end / usual) * FLIGHT)) / Math.max(end, 1);
  const written = new Map();
  for (const event of events) {
    const at = TOP + event.t * scale;
    y[event.n] = at;
    if (!isShown(event)) continue;
    steps.push(event.n);
    const side = isOfWire(event) ? "flight" : event.column;
    const free = at - (written.get(side) ?? -ROW) >= ROW - 3;
    if (free) written.set(side, at);
    place(items, event, at, !free);
  }
  return finish({ y, items, steps, height: TOP + end * scale + 60 });
}

function place(items, event, at, mute = false) {
  switch (event.kind) {
    case "segment":
    case "icmp":
    case "neighbour":
    case "lost":
      if (!event.flight) items.push({ type: "stray", event, y: at, below: at + ROW, mute });
      else if (event.flight.out === event) items.push({ type: "flight", event, y: at, below: at, mute });
      // A second copy has a line of its own, from the same departure.
      else if (event.flight.out.flight !== event.flight) {
        items.push({ type: "flight", event, copy: true, y: at, below: at, mute });
      }
      break;
    case "fault":
      items.push({ type: "fault", event, y: at, below: at + 30, mute });
      break;
    default:
      items.push({ type: "note", event, y: at, below: at + ROW, mute });
  }
}

/** Flights reach as far down as they end, which is known when everything has its place. */
function finish(made) {
  for (const item of made.items) {
    if (item.type !== "flight") continue;
    const { out, end: ending } = item.event.flight;
    item.y = made.y[out.n];
    item.below = ending ? made.y[ending.n] : item.y + FLIGHT / 2;
  }
  made.stepAt = new Int32Array(events.length).fill(-1);
  made.steps.forEach((n, place) => { made.stepAt[n] = place; });
  return made;
}

function* range(from, to) {
  for (let n = from; n < to; n += 1) yield n;
}

/** Where a moment stands: at its event, or on the way to the next one. */
function yOf(t, n) {
  const here = plan.y[n] ?? TOP;
  const next = plan.steps.find((step) => step > n);
  if (t <= events[n]?.t || next === undefined || events[next].t <= events[n].t) return here;
  const part = (t - events[n].t) / (events[next].t - events[n].t);
  const from = here + (isShown(events[n]) ? height(events[n]) / 2 : 0);
  return from + (plan.y[next] - from) * Math.min(part, 1);
}

/** The event nearest to a height: the other way round. */
function eventNear(height) {
  const off = (n) => Math.abs(plan.y[n] - height);
  return plan.steps.reduce((best, n) => (best === undefined || off(n) < off(best) ? n : best), undefined);
}
