// The moment that is looked at, and what every host is like at it (see host_rows.rs).

/** Time, event, and whether everything of the moment has happened. */
const moment = { t: 0, n: 0, rest: true };

function goToTime(t) {
  moment.t = Math.min(Math.max(t, 0), end);
  moment.n = eventAt(moment.t);
  moment.rest = true;
}

function goToEvent(n) {
  if (!events.length) return;
  moment.n = Math.min(Math.max(n, 0), events.length - 1);
  moment.t = events[moment.n].t;
  moment.rest = moment.n + 1 === events.length || events[moment.n + 1].t > moment.t;
}

/** The last of a list of changes that is in force: a row begins with its time and the events before its round. */
function current(changes) {
  let found;
  for (const change of changes) {
    const [t, before] = change;
    if (t > moment.t || (t === moment.t && !moment.rest && before > moment.n)) break;
    found = change;
  }
  return found && found.length > 2 ? found : undefined;
}

function socketLook([local, remote], change) {
  const [since, , state, received, sent, timer, at, fired, rto, srtt, rttvar, backoff, retransmits] = change;
  return {
    local: word(local), remote: word(remote), state: word(state), received, sent, since,
    timer: timer >= 0 ? { name: word(timer), at, left: Math.max(at - moment.t, 0), fired } : undefined,
    rto, srtt, rttvar, backoff, retransmits,
  };
}

function processLook([pid], [, , ppid, name, state, call, within, today, book]) {
  return {
    pid, ppid, name: word(name), state: word(state),
    call: word(call), within: word(within), today: word(today), book: word(book),
  };
}

const looks = (strips, look) => strips.flatMap(([key, changes]) => {
  const change = current(changes);
  return change ? [look(key, change)] : [];
});

const hosts_over_time = table.hosts_over_time.toSorted((one, other) => one.column - other.column);

/** Every host at the moment, left to right; `up` is false for one that is down. */
const hosts = () => hosts_over_time.map((host_rows) => ({
  column: host_rows.column,
  name: columns[host_rows.column],
  up: current(host_rows.power) !== undefined,
  sockets: looks(host_rows.sockets, socketLook),
  processes: looks(host_rows.processes, processLook),
}));

/** When a host was off: pairs of times. */
function dark(host_rows) {
  const spans = [];
  let from;
  for (const change of host_rows.power) {
    if (change.length === 2) from ??= change[0];
    else if (from !== undefined) {
      spans.push([from, change[0]]);
      from = undefined;
    }
  }
  return from === undefined ? spans : [...spans, [from, Infinity]];
}
