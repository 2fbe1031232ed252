// Beside the ladder: the event, and every host at the moment.

function element(name, className, ...children) {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(...children.filter((child) => child !== undefined));
  return made;
}

/** Names and values, those that have one. */
function list(rows) {
  const made = element("dl");
  for (const [name, value] of rows) {
    if (value !== undefined && value !== "") made.append(element("dt", "", name), element("dd", "", String(value)));
  }
  return made;
}

const TIMERS = {
  on: "retransmits", persist: "probes the window", keepalive: "sends a keepalive", timewait: "leaves TIME_WAIT",
  finwait2: "leaves FIN_WAIT_2", delack: "acknowledges",
};

function timerLine({ name, at, left, fired }, since) {
  const says = element("span", "", `${TIMERS[name] ?? name} in `, element("b", "", span(left)), fired > 0 ? `, fired ${fired}×` : "");
  const line = element("div", "timer", says);
  const bar = element("i");
  bar.style.width = `${(100 * left) / Math.max(at - since, 1)}%`;
  line.append(element("span", "bar", bar));
  return line;
}

function socketCard(it) {
  const listens = it.remote === undefined;
  const card = element("div", "socket");
  card.append(element("span", `badge ${it.state}`, it.state),
    element("span", "ends", listens ? it.local : `${it.local} → ${it.remote}`));
  const facts = [];
  if (listens) facts.push(`${it.received} wait for accept, ${it.sent} may`);
  else if (it.state !== "TIME_WAIT") {
    if (it.received) facts.push(`${it.received} octets unread`);
    if (it.sent) facts.push(`${it.sent} octets unacknowledged`);
    facts.push(`RTO ${span(it.rto)}`);
    if (it.srtt >= 0) facts.push(`RTT ${span(it.srtt)} ± ${span(it.rttvar)}`);
    if (it.backoff) facts.push(`backed off ${it.backoff}×`);
    if (it.retransmits) facts.push(`sent again ${it.retransmits}×`);
  }
  card.append(element("div", "facts", facts.join(" · ")));
  if (it.timer) card.append(timerLine(it.timer, it.since));
  card.dataset.state = it.state;
  card.dataset.ends = `${it.local} ${it.remote ?? "*"}`;
  if (it.timer) card.dataset.timer = `${it.timer.name} ${it.timer.left} ${it.timer.fired}`;
  return card;
}

function processLine(it) {
  const what = it.state === "Z" ? "zombie" : it.call ? `asleep in ${it.within ?? it.call}` : "running";
  const line = element("div", `process ${it.state}`, element("b", "", `${it.pid}`), ` ${it.name} `,
    element("span", "what", what), it.today ? element("code", "", it.today) : undefined);
  if (it.today) line.title = `${it.today} today, ${it.book} in the book; its parent is ${it.ppid}`;
  return line;
}

/** What a host's terminals show: the last lines, typed and printed. */
function screen(column) {
  const lines = [];
  for (let n = moment.n; n >= 0 && lines.length < 8; n -= 1) {
    const it = events[n];
    if (it.kind === "line" && it.column === column) {
      lines.unshift(element("div", ["in", "out", "err"][it.stream], it.text === "" ? "\u00a0" : it.text));
    }
  }
  return lines.length ? element("pre", "screen", ...lines) : undefined;
}

/** The last call that returned, and the last signal. */
function lately(column) {
  const rows = [];
  for (let n = moment.n; n >= 0 && rows.length < 3; n -= 1) {
    const it = events[n];
    if (it.column !== column || !["call", "signal"].includes(it.kind)) continue;
    const [text, kind] = it.kind === "call"
      ? [`${it.call}(${it.args ?? ""}) = ${it.errno ?? it.result}`, it.errno ? "errno" : ""] : brief(it);
    rows.unshift(element("div", kind, element("time", "", seconds(it.t)), ` [${it.pid}] ${it.kind === "signal" ? text.replace(/, \[.*/, "") : text}`));
  }
  return rows.length ? element("div", "calls", ...rows) : undefined;
}

function hostCard({ column, name, up, sockets, processes }) {
  const card = element("article", up ? "host" : "host off", element("h2", "", name, element("small", "", up ? "" : "down")));
  card.dataset.host = name;
  if (up) {
    const many = sockets.length > 12;
    card.append(...sockets.slice(0, 12).map(socketCard));
    if (many) card.append(element("p", "more", `and ${sockets.length - 12} more sockets`));
    if (!sockets.length) card.append(element("p", "more", "no sockets"));
    card.append(...processes.slice(0, 12).map(processLine));
    if (processes.length > 12) card.append(element("p", "more", `and ${processes.length - 12} more processes`));
  }
  card.append(...[lately(column), screen(column)].filter(Boolean));
  return card;
}

function eventCard() {
  const it = events[moment.n];
  if (!it) return [element("p", "more", "Nothing happened.")];
  const [title, rows] = fields(it);
  const place = element("span", "place", `${count(moment.n + 1)} of ${count(events.length)}`);
  const since = moment.t > it.t ? [["then", `nothing for ${span(moment.t - it.t)}`]] : [];
  return [element("h2", "", title, place), list([...rows, ...since])];
}

function fillPanel() {
  document.getElementById("event").replaceChildren(...eventCard());
  const cards = hosts().map(hostCard);
  document.getElementById("looks").replaceChildren(
    ...(cards.length ? cards : [element("p", "more", "Nobody looked into the hosts of this run.")]));
}
