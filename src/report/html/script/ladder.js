// The ladder: only what can be seen of it is in the document.

const SVG = "http://www.w3.org/2000/svg";
const ladder = document.getElementById("ladder");
const rungs = document.getElementById("rungs");
const heads = document.getElementById("heads");
const LETTER = 6.65;

function draw(name, attributes, ...children) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

// Where the columns stand: remade when the ladder's width changes.
let page = { width: 0, gutter: 0, wide: false, x: [] };

function measure() {
  const width = ladder.clientWidth;
  const wide = width >= 660;
  const gutter = wide ? 92 : 58;
  const side = wide ? Math.min(250, (width - gutter) * 0.27) : 16;
  const [first, last] = [gutter + (wide ? side - 30 : side), width - side];
  const step = columns.length > 1 ? (last - first) / (columns.length - 1) : 0;
  page = { width, gutter, wide, x: columns.map((_, n) => first + n * step) };
  rungs.setAttribute("width", width);
  heads.replaceChildren(...columns.map((name, n) => {
    const head = document.createElement("span");
    head.textContent = name;
    head.style.left = `${page.x[n]}px`;
    if (n === 0 && !wide) head.className = "first";
    if (n === columns.length - 1 && !wide) head.className = "last";
    return head;
  }));
}

/** As much of a text as there is room for. */
function fit(text, room) {
  const letters = Math.max(Math.floor(room / LETTER), 4);
  return text.length > letters ? `${text.slice(0, letters - 1)}…` : text;
}

function textAt(x, y, text, attributes = {}) {
  return draw("text", { x, y, ...attributes }, text);
}

function stamp(y, t) {
  const text = page.wide ? seconds(t) : `${+(t / 1e6).toFixed(3)}`;
  return textAt(page.gutter - 12, y + 4, text, { class: "stamp", "text-anchor": "end" });
}

/** The group of an event: found by keyboard, pointer and screen reader. */
function rung(event, kind, ...children) {
  const at = event.n === moment.n;
  return draw("g", {
    class: `rung ${kind}${at ? " at" : ""}`, "data-n": event.n, tabindex: at ? 0 : -1,
    role: "button", "aria-label": sentence(event),
  }, ...children);
}

function drawFlight({ event, y, below, mute }) {
  const { out, end: ending } = event.flight;
  const toEnd = ending ? ending.column : farEnd(out);
  const [x1, x2] = [page.x[out.column], endOf(out, ending, toEnd)];
  const lost = ending?.kind === "lost";
  const way = x2 < x1 ? -1 : 1;
  const kind = `flight ${out.kind}${lost ? " gone" : ""}${ending ? "" : " air"}${out.nth > 0 ? " again" : ""}`
    + `${/R/.test(out.flags ?? "") ? " reset" : ""}`;
  const parts = [
    draw("line", { class: "reach", x1, y1: y, x2, y2: below }),
    draw("line", { class: "way", x1, y1: y, x2: x2 - way * (lost ? 0 : 6), y2: below }),
  ];
  const angle = Math.atan2(below - y, x2 - x1);
  if (lost) {
    parts.push(draw("path", { class: "cross", d: `M${x2 - 5} ${below - 5}l10 10m0 -10l-10 10` }));
    if (!mute) parts.push(textAt(x2 + way * 11, below + 4, fit(ending.reason, 120),
      { class: "reason", "text-anchor": way > 0 ? "start" : "end" }));
  } else if (ending) {
    const tip = (turn) => `${x2 - 9 * Math.cos(angle + turn)} ${below - 9 * Math.sin(angle + turn)}`;
    parts.push(draw("path", { class: "head", d: `M${x2} ${below}L${tip(0.36)}L${tip(-0.36)}Z` }));
  }
  if (!mute) parts.push(label(out, { x1, x2, y, below, angle }));
  return rung(event, kind, ...parts);
}

/** What stands along the arrow: never upside down. */
function label(out, { x1, x2, y, below, angle }) {
  const [x, at] = [(x1 + x2) / 2, (y + below) / 2];
  const turn = (x2 < x1 ? angle + Math.PI : angle) * 180 / Math.PI;
  const room = Math.abs(x2 - x1) - 26;
  const [text] = out.kind === "segment" ? brief(out) : [out.text.replace(/^(ICMP6?|ARP),? /, "")];
  const note = out.kind === "segment" ? again(out) : "";
  const parts = [fit(text, room)];
  const left = room - text.length * LETTER - 14;
  const short = note.replace("retransmission ", "↻ ").replace("tail loss probe", "probe");
  if (note && left > short.length * LETTER * 0.7) {
    parts.push(draw("tspan", { class: "note", dx: 7 }, left > note.length * LETTER ? note : fit(short, left)));
  }
  return draw("text", { class: "label", "text-anchor": "middle", transform: `translate(${x} ${at - 5}) rotate(${turn})` },
    ...parts);
}

/** Where a packet was going that has not got there: to the host that it is addressed to, as far as is known. */
function farEnd(out) {
  const other = flights.find(({ out: it, end: ending }) =>
    ending && ending.kind !== "lost" && it.column === out.column && it.dst === out.dst);
  return other?.end.column ?? (out.column === 0 ? columns.length - 1 : 0);
}

function endOf(out, ending, column) {
  const [from, to] = [page.x[out.column], page.x[column]];
  if (!ending) return from + (to - from) * 0.4;
  // Lost where it was sent: a little way out.
  return ending.column === out.column ? from + (out.column === 0 ? 40 : -40) : to;
}

function drawStray({ event, y, mute }) {
  const x = page.x[event.column] ?? page.x[0];
  const [text] = brief(event);
  return rung(event, `stray ${event.kind}`, draw("circle", { cx: x, cy: y, r: 3.5 }),
    ...(mute ? [] : [textAt(x + 9, y + 4, fit(text, 220))]));
}

function drawNote({ event, y, mute }) {
  const [text, kind] = brief(event);
  const x = page.x[event.column] ?? page.x[0];
  const leftmost = event.column === 0;
  const outwards = page.wide && (leftmost || event.column === columns.length - 1);
  // Beside the ladder where there is room, inside it where there is none.
  const towardsLeft = outwards ? leftmost : event.column === columns.length - 1 && columns.length > 1;
  const room = outwards ? (leftmost ? x - page.gutter - 8 : page.width - x - 10) : (page.width - page.gutter) * 0.62;
  const middle = y + ROW / 2;
  const parts = [draw("circle", { cx: x, cy: middle, r: 2.4 })];
  if (!mute) {
    parts.push(textAt(x + (towardsLeft ? -10 : 10), middle + 4, fit(text, room - 14),
      { class: "word", "text-anchor": towardsLeft ? "end" : "start" }));
  }
  return rung(event, `mark ${kind}`, ...parts);
}

function drawFault({ event, y, mute }) {
  const [text] = brief(event);
  const x = page.gutter;
  return rung(event, "fault",
    draw("rect", { x, y: y + 5, width: page.width - x - 14, height: mute ? 2 : 22, rx: 4 }),
    ...(mute ? [] : [textAt(x + 12, y + 20, fit(text, page.width - x - 30))]));
}

function drawSilence({ y, below, gap }) {
  const middle = (y + below) / 2;
  return draw("g", { class: "silence" },
    ...page.x.map((x) => draw("line", { x1: x, x2: x, y1: y + 8, y2: below - 8 })),
    textAt((page.x[0] + page.x.at(-1)) / 2, middle + 4, `⋮  ${span(gap)}  ⋮`, { "text-anchor": "middle" }));
}

function drawFold({ y, group }) {
  const { times, pace, length } = group;
  const what = length === 1 ? "" : `${length} events `;
  const text = `${what}×${count(times)}, every ${span(pace)}`;
  const wide = Math.min(text.length * 7.4 + 50, page.width - page.gutter - 20);
  const x = (page.x[0] + page.x.at(-1)) / 2 - wide / 2;
  return draw("g", { class: "again-and-again", tabindex: 0, role: "button", "data-fold": folds.indexOf(group),
    "aria-label": `${text}: show all` },
    draw("rect", { x, y: y + 4, width: wide, height: 30, rx: 15 }),
    textAt(x + wide / 2, y + 24, `⟳ ${text}`, { "text-anchor": "middle" }));
}

const DRAW = {
  flight: drawFlight, stray: drawStray, note: drawNote, fault: drawFault, silence: drawSilence, fold: drawFold,
};

/** Lifelines: thick while the host is up, dotted while it is down. */
function lifelines(top, bottom) {
  const lines = page.x.map((x) => draw("line", { class: "life", x1: x, x2: x, y1: top, y2: bottom }));
  for (const host_rows of table.hosts_over_time) {
    const x = page.x[host_rows.column];
    for (const [from, to] of dark(host_rows)) {
      // From the middle of one fault to the middle of the other.
      const y1 = Math.max((plan.y[eventAt(from - 1) + 1] ?? 0) + 17, top);
      const y2 = Math.min(to === Infinity ? plan.height : plan.y[eventAt(to - 1) + 1] + 17, bottom);
      if (y2 > y1) lines.push(...["dark", "down"].map((name) => draw("line", { class: name, x1: x, x2: x, y1, y2 })));
    }
  }
  return lines;
}

function cursor() {
  const event = events[moment.n];
  const y = yOf(moment.t, moment.n) + (event && event.t === moment.t && isShown(event) && height(event) === ROW && !event.flight ? ROW / 2 : 0);
  return draw("g", { class: "cursor" },
    draw("line", { x1: page.gutter - 6, x2: page.width, y1: y, y2: y }),
    draw("rect", { x: 2, y: y - 10, width: page.gutter - 8, height: 20, rx: 4 }),
    stamp(y, moment.t));
}

/** What lies between two heights. */
function between(top, bottom) {
  const seen = plan.items.filter((item) => item.below + 20 >= top && item.y - 20 <= bottom);
  const stamps = [];
  let [last, lastY] = [-1, -Infinity];
  for (const { event, y, type } of seen) {
    if (!event || event.t === last || (event.flight && event.flight.out !== event) || y - lastY < 14) continue;
    stamps.push(stamp(type === "note" ? y + ROW / 2 : type === "fault" ? y + 16 : y, event.t));
    [last, lastY] = [event.t, y];
  }
  return [...lifelines(Math.max(top, 0), Math.min(bottom, plan.height)), ...stamps, cursor(),
    ...seen.map((item) => DRAW[item.type](item))];
}

/** Draws what lies in the window, and a little above and below it. */
function paint() {
  const focused = rungs.contains(document.activeElement);
  rungs.replaceChildren(...between(ladder.scrollTop - 400, ladder.scrollTop + ladder.clientHeight + 400));
  if (focused) rungs.querySelector(".rung.at")?.focus({ preventScroll: true });
}

/** All of the ladder in pieces that fit a sheet of paper each. */
function sheets(width, tall) {
  const count = Math.ceil(plan.height / tall);
  return Array.from({ length: count }, (_, n) => {
    const top = n * tall;
    const height = Math.min(tall, plan.height - top);
    return draw("svg", { class: "sheet", width, height, viewBox: `0 ${top} ${width} ${height}` }, ...between(top, top + height));
  });
}

/** Brings the moment into sight, if it is not. */
function reveal() {
  const y = yOf(moment.t, moment.n);
  const margin = Math.min(90, ladder.clientHeight / 4);
  if (y < ladder.scrollTop + margin || y > ladder.scrollTop + ladder.clientHeight - margin) {
    ladder.scrollTop = y - ladder.clientHeight * 0.4;
  }
}
