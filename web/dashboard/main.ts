// The dashboard of one stream, or of many.
import { ChartView } from "./chart.js";
import { byId } from "./dom.js";
import { clock } from "./format.js";
import { ask, live, range } from "./live.js";
import type { Mesh } from "./mesh.js";
import { showMesh } from "./meshview.js";
import type { Answer, History, Now } from "./model.js";
import { network } from "./network.js";
import { showWords } from "./page.js";
import { charts, type Chart } from "./series.js";

const views = new Map<string, ChartView>();

/** draw shows charts of a history. */
function draw(shown: Chart[], history: History): void {
  for (const chart of shown) {
    let view = views.get(chart.id);
    if (!view) {
      view = new ChartView();
      views.set(chart.id, view);
      byId("charts").append(view.element);
    }
    view.show(chart, history.time, history.stepSeconds);
  }
}

/** about says at the end of the page of which time its numbers are. */
function about(now: Pick<Now, "now" | "startedAt">, who: string): void {
  byId("about").textContent = `As of ${clock(Date.parse(now.now) / 1000, true)}, all times are of this device. ${who} remembers 24 h and began at ${new Date(now.startedAt).toLocaleString("en-GB")}; where it knows nothing, charts have gaps.`;
}

function stream(answer: Answer): void {
  const { now, history } = answer;
  const name = now.stream ?? "";
  byId("stream").textContent = name + (now.live === null ? "" : now.live ? " · live" : " · film");
  document.title = `${name ? `${name} · ` : ""}p2pstream dashboard`;
  showWords(answer, range());
  draw(charts(history, now), history);
  about(now, "The tracker");
  void mesh();
}

let asking = 0;

/** mesh asks for the mesh after the figures, which matter more. */
async function mesh(): Promise<void> {
  const mine = ++asking;
  let told: Mesh | null = null;
  try {
    told = (await (await ask("v1/mesh", 1, "")).json()) as Mesh;
  } catch {
    // The line of status says what is wrong: the next figures fail too.
  }
  if (mine == asking) showMesh(told);
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => views.forEach((view) => view.redraw()));
if (document.body.dataset.page == "network") network(draw, about);
else live(stream);
