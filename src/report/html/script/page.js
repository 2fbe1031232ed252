// The page: what is turned, pressed and pointed at.

const slider = document.getElementById("slider");
const now = document.getElementById("now");
const tip = document.getElementById("tip");

document.querySelector("h1").textContent = table.scenario;
document.querySelector("h1").append(element("span", "stack", table.stack));
document.getElementById("sentence").textContent = table.sentence;
document.querySelector("#command code").textContent = table.command;
slider.max = String(end);

/** Everything that depends on the moment. */
function update({ show = true } = {}) {
  slider.value = String(moment.t);
  now.replaceChildren(seconds(moment.t), element("small", "", " s"));
  slider.setAttribute("aria-valuetext", `${seconds(moment.t)} seconds`);
  if (show) reveal();
  paint();
  fillPanel();
  tip.hidden = true;
}

function refresh() {
  layOut();
  measure();
  rungs.setAttribute("height", plan.height);
  update();
}

/** The next event that is shown, forwards or backwards; of those that `also` holds for. */
function step(way, also = () => true) {
  const { steps } = plan;
  if (!steps.length) return;
  let place = plan.stepAt[moment.n];
  if (place < 0) {
    place = steps.findIndex((n) => n > moment.n);
    if (place < 0) place = steps.length;
    if (way > 0) place -= 1;
  } else if (way < 0 && moment.t > events[moment.n].t) place += 1;
  do place += way; while (place >= 0 && place < steps.length && !also(events[steps[place]]));
  if (place < 0 || place >= steps.length) return;
  goToEvent(steps[place]);
  update();
}

const isPacket = (event) => event.flight !== undefined;

const KEYS = {
  ArrowRight: (shift) => step(1, shift ? isPacket : undefined),
  ArrowDown: (shift) => step(1, shift ? isPacket : undefined),
  ArrowLeft: (shift) => step(-1, shift ? isPacket : undefined),
  ArrowUp: (shift) => step(-1, shift ? isPacket : undefined),
  Home: () => { goToEvent(plan.steps[0] ?? 0); update(); },
  End: () => { goToEvent(plan.steps.at(-1) ?? 0); update(); },
};

addEventListener("keydown", (key) => {
  if (key.ctrlKey || key.metaKey || key.altKey) return;
  if (key.target.matches?.("[type=radio], select") && key.key.startsWith("Arrow")) return;
  if ((key.key === "Enter" || key.key === " ") && key.target.closest?.("[data-fold], .rung")) {
    key.preventDefault();
    press(key.target);
    return;
  }
  const act = KEYS[key.key];
  if (!act) return;
  key.preventDefault();
  act(key.shiftKey);
});

slider.addEventListener("input", () => { goToTime(Number(slider.value)); update(); });
document.getElementById("back").addEventListener("click", () => step(-1));
document.getElementById("on").addEventListener("click", () => step(1));

/** A press on the ladder: unfolds, or goes to an event. */
function press(target) {
  const fold = target.closest("[data-fold]");
  if (fold) {
    folds[Number(fold.dataset.fold)].open = true;
    layOut();
    rungs.setAttribute("height", plan.height);
    update({ show: false });
    return true;
  }
  const on = target.closest(".rung");
  if (!on) return false;
  goToEvent(Number(on.dataset.n));
  update({ show: false });
  return true;
}

ladder.addEventListener("click", (click) => {
  if (press(click.target)) return;
  const n = eventNear(click.clientY - rungs.getBoundingClientRect().top);
  if (n === undefined) return;
  goToEvent(n);
  update({ show: false });
});

let painting = false;
ladder.addEventListener("scroll", () => {
  if (painting) return;
  painting = true;
  requestAnimationFrame(() => { painting = false; paint(); });
});

// -- the fields of what is pointed at or focused --------------------------------------------------

function showTip(on, x, y) {
  const [title, rows] = fields(events[Number(on.dataset.n)]);
  tip.replaceChildren(element("h3", "", title), list(rows));
  tip.hidden = false;
  const { width, height: tall } = tip.getBoundingClientRect();
  tip.style.left = `${Math.max(8, Math.min(x + 16, innerWidth - width - 8))}px`;
  tip.style.top = `${y + 18 + tall > innerHeight ? Math.max(8, y - tall - 14) : y + 18}px`;
}

ladder.addEventListener("pointermove", (move) => {
  const on = move.pointerType === "touch" ? null : move.target.closest(".rung");
  if (on) showTip(on, move.clientX, move.clientY);
  else tip.hidden = true;
});
ladder.addEventListener("pointerleave", () => { tip.hidden = true; });
ladder.addEventListener("focusin", (focus) => {
  const on = focus.target.closest(".rung");
  if (!on) return;
  const box = on.getBoundingClientRect();
  showTip(on, box.left + box.width / 2, box.top + box.height / 2);
});
ladder.addEventListener("focusout", () => { tip.hidden = true; });

// -- filters --------------------------------------------------------------------------------------

function filter(parent, text, set, key) {
  const box = element("input");
  box.type = "checkbox";
  box.checked = true;
  box.name = text;
  box.addEventListener("change", () => {
    if (box.checked) set.add(key);
    else set.delete(key);
    refresh();
  });
  document.getElementById(parent).append(element("label", "", box, text));
}

columns.forEach((name, column) => filter("hosts", name, shown.columns, column));
Object.keys(FILTERS).forEach((kind) => filter("kinds", kind, shown.kinds, kind));
// Of many connections one is easier to follow: its packets and its states.
const MANY = 8;
const choice = document.querySelector("#connections select");
document.getElementById("connections").hidden = connections.length < 2;
choice.append(...["", ...connections].map((it) => new Option(it || `all ${count(connections.length)}`, it)));
choice.value = shown.connection = connections.length > MANY ? connections[0] : "";
choice.addEventListener("change", () => { shown.connection = choice.value; refresh(); });

document.getElementById("scale").addEventListener("change", (change) => {
  shown.folded = change.target.value !== "true";
  for (const group of folds) group.open = change.target.value === "repeats";
  refresh();
});

const fold = document.getElementById("fold");
fold.addEventListener("click", () => {
  const open = document.body.classList.toggle("small");
  fold.setAttribute("aria-expanded", String(!open));
  refresh();
});

// -- the whole run at a glance, to scale ----------------------------------------------------------

function overview() {
  const svg = document.getElementById("overview");
  svg.setAttribute("viewBox", "0 0 1000 20");
  const lanes = { sent: [], lost: [], icmp: [], fault: [], error: [] };
  const marks = {
    segment: (it) => it.out && "sent", lost: () => "lost", icmp: (it) => it.out && "icmp", fault: () => "fault",
    call: (it) => it.errno && "error",
  };
  const seen = new Set();
  for (const event of events) {
    const lane = marks[event.kind]?.(event);
    if (!lane) continue;
    const x = ((event.t / Math.max(end, 1)) * 1000).toFixed(1);
    const upper = event.column === 0;
    const key = `${lane}${x}${upper}`;
    if (seen.has(key)) continue;
    seen.add(key);
    const [y, tall] = { sent: [upper ? 0 : 14, 6], lost: [7, 6], icmp: [14, 6], fault: [0, 20], error: [0, 20] }[lane];
    lanes[lane].push(`M${x} ${y}v${tall}`);
  }
  svg.replaceChildren(...Object.entries(lanes).map(([lane, path]) =>
    draw("path", { class: lane, d: path.join(""), "vector-effect": "non-scaling-stroke" })));
}

// -- the address: #t=20.010 ----------------------------------------------------------------------

function goToAddress() {
  const asked = /^#t=(\d+(?:\.\d+)?)$/.exec(location.hash);
  if (asked) goToTime(Math.round(Number(asked[1]) * 1e6));
  return asked !== null;
}
addEventListener("hashchange", () => { if (goToAddress()) update(); });

// On paper there is no scrolling: all of it is drawn, sheet by sheet (of A4 or letter, whichever is smaller).
const SHEET = [700, 880];
let printing = false;

function onPaper(yes) {
  printing = yes;
  ladder.style.width = yes ? `${SHEET[0]}px` : "";
  measure();
  if (yes) ladder.append(...sheets(...SHEET));
  else {
    for (const sheet of ladder.querySelectorAll(".sheet")) sheet.remove();
    paint();
  }
}
addEventListener("beforeprint", () => onPaper(true));
addEventListener("afterprint", () => onPaper(false));
new ResizeObserver(() => {
  if (printing) return;
  measure();
  paint();
}).observe(ladder);

overview();
goToEvent(0);
goToAddress();
refresh();

// To be asked from the console.
globalThis.echosim = { events, flights, folds, moment, hosts, get plan() { return plan; } };
