// What both engines share: the reader's clock, the theme's colours, words, and the one stretch of time of a page.

// All charts of a page share one stretch of time, in seconds since the epoch; null: each follows its newest values.
// A chart may be shown at several places: who takes its messages, by its address.
const page = (globalThis.__kvmnb_page ??= { charts: new Set(), range: null, takes: new Map() });

function share(range, from) {
  page.range = range;
  for (const chart of page.charts) if (chart !== from) chart();
}

const HEIGHTS = { 1: 330, 2: 450, 3: 600 };
// With more lines than this a legend would hide the chart, and a list of all values the page.
const MOST_NAMED = 24;
const NEWEST_MARKS = 5;

// plotly reads a few tags in any text; names of guests and devices are hostile.
const plain = (text) => String(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

// plotly shows a number as UTC, a text without a zone as it stands: the reader's own clock.
function clock(seconds) {
  const at = new Date(seconds * 1000);
  return new Date(at - at.getTimezoneOffset() * 60000).toISOString().slice(0, -1);
}

const seconds = (text) => new Date(String(text).replace(" ", "T")).getTime() / 1000;
const shortClock = (at) => clock(at).slice(11, 19);

function dark() {
  const told = document.body.dataset.jpThemeLight;
  return told ? told === "false" : matchMedia("(prefers-color-scheme: dark)").matches;
}

function shades(el) {
  const style = getComputedStyle(el);
  const colour = (name, otherwise) => style.getPropertyValue(name).trim() || otherwise;
  const text = colour("--jp-ui-font-color1", dark() ? "#e0e0e0" : "#212121");
  return {
    text,
    faint: colour("--jp-ui-font-color2", text),
    grid: colour("--jp-border-color2", dark() ? "#555555" : "#dddddd"),
    page: colour("--jp-layout-color1", dark() ? "#111111" : "#ffffff"),
    family: style.fontFamily,
  };
}

// Events and gaps that lie in the rows' time.
function marked(state) {
  const begin = state.rows.length ? state.rows[0][0] : Infinity;
  const now = state.rows.length ? state.rows[state.rows.length - 1][0] : 0;
  return {
    gaps: state.gaps.filter((gap) => (gap[1] ?? now) > begin).map((gap) => [Math.max(gap[0], begin), gap[1] ?? now, gap[2]]),
    events: state.events.filter((event) => event[0] > begin),
  };
}
