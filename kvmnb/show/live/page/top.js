// Draws the live table of guests. Each message from the kernel holds all rows:
// [uuid, name, colour, gap, then a number or null for each column].
const FIRST = 4;
const STEPS = [[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"]];

function short(value) {
  if (value === 0) return "0";
  return Math.abs(value) >= 9.95 ? value.toFixed(0) : Math.abs(value) >= 1 ? value.toFixed(1) : `${+value.toPrecision(2)}`;
}

function told(value, column) {
  if (value === null) return "–";
  const [step, letter] = (column.steps && STEPS.find(([size]) => Math.abs(value) >= size)) || [1, ""];
  return letter ? `${short(value / step)} ${letter}${column.suffix.trim()}` : `${short(value)} ${column.suffix.trim()}`;
}

function made(tag, text, attributes = {}) {
  const node = document.createElement(tag);
  if (text) node.textContent = text;
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
}

function render({ model, el }) {
  const spec = model.get("spec");
  el.innerHTML = `<section class="kvmnb-top"><p class="kvmnb-question"></p><p class="kvmnb-subject" aria-live="off"></p>
    <div class="kvmnb-wide"><table><thead><tr></tr></thead><tbody></tbody></table></div></section>`;
  const part = (name) => el.querySelector(name);
  const body = part("tbody");
  part(".kvmnb-question").textContent = spec.question;
  part("table").setAttribute("aria-label", spec.question);

  const sorted = { column: 0, down: true };
  const titles = [{ title: "guest", help: "the guest's name; opens its card and chart" }, ...spec.columns];
  let rows = [];
  let shown = new Map();
  let stale = false;
  let note = "";

  const heads = titles.map((column, number) => {
    const head = made("th", "", { scope: "col" });
    const button = made("button", column.title, { type: "button", title: column.help });
    button.addEventListener("click", () => {
      const place = number - 1;
      Object.assign(sorted, { down: sorted.column === place ? !sorted.down : place >= 0, column: place });
      draw();
    });
    head.append(button);
    return head;
  });
  part("thead tr").append(...heads, made("th", "", { scope: "col", "aria-label": "why values are missing" }));

  function compared(one, other) {
    const way = sorted.down ? -1 : 1;
    const names = one[1] < other[1] ? -1 : one[1] > other[1] ? 1 : 0;
    if (sorted.column < 0) return names * way;
    const [a, b] = [one[FIRST + sorted.column], other[FIRST + sorted.column]];
    if (a === null || b === null) return (a === null) - (b === null) || names;
    return (a - b) * way || names;
  }

  function line(row) {
    const node = made("tr");
    const name = made("th", "", { scope: "row" });
    if (row[2]) {
      const swatch = made("span", "", { class: "kvmnb-swatch", "aria-hidden": "true" });
      swatch.style.background = row[2];
      name.append(swatch);
    }
    const button = made("button", row[1], { type: "button", title: row[1] });
    button.addEventListener("click", () => model.send({ kind: "open", guest: row[0] }));
    name.append(button);
    node.append(name, ...spec.columns.map(() => made("td")), made("td"));
    return node;
  }

  // Rows are kept and moved, so that the keyboard's place stays on its guest.
  function draw() {
    if (document.hidden) {
      stale = true;
      return;
    }
    stale = false;
    const held = document.activeElement;
    rows.sort(compared);
    const before = shown;
    shown = new Map(rows.map((row) => [row[0], before.get(row[0]) ?? line(row)]));
    rows.forEach((row) => {
      const cells = shown.get(row[0]).querySelectorAll("td");
      spec.columns.forEach((column, number) => { cells[number].textContent = told(row[FIRST + number], column); });
      cells[spec.columns.length].textContent = row[3] ?? "";
    });
    const order = [...shown.values()];
    if (order.length !== body.children.length || order.some((node, number) => node !== body.children[number])) {
      body.replaceChildren(...order);
      if (held && body.contains(held) && document.activeElement !== held) held.focus({ preventScroll: true });
    }
    heads.forEach((head, number) => {
      const sorts = number - 1 === sorted.column;
      head.setAttribute("aria-sort", sorts ? (sorted.down ? "descending" : "ascending") : "none");
      head.firstChild.textContent = titles[number].title + (sorts ? (sorted.down ? " ▼" : " ▲") : "");
    });
    part(".kvmnb-subject").textContent = `${rows.length} guest${rows.length === 1 ? "" : "s"} · ${spec.note}${note}`;
  }

  function take(message) {
    if (message.stopped) note = " · stopped; run its cell to go on";
    if (message.rows) {
      rows = message.rows;
      note = message.problem ? ` · ${message.problem}` : "";
    }
    draw();
  }
  const seen = () => stale && draw();
  model.on("msg:custom", take);
  document.addEventListener("visibilitychange", seen);
  model.send({ kind: "ready" });
  return () => {
    model.off("msg:custom", take);
    document.removeEventListener("visibilitychange", seen);
  };
}

export default { render };
