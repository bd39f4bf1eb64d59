// The map of the mesh: a picture, its words, and the same as a table.
import { byId, fill, make, row, svg, table } from "./dom.js";
import * as format from "./format.js";
import { alone, between, kindWords, picture, side, type Dot, type Kind, type Mesh } from "./mesh.js";

const size = 5;

/** mark draws a peer; kinds differ in their form too. */
function mark({ x, y, kind }: Dot): SVGElement {
  if (kind == "viewer") return svg("circle", { class: "peer viewer", cx: String(x), cy: String(y), r: String(size) });
  if (kind == "gateway") return svg("path", { class: "peer gateway", d: `M${x} ${y - 1.5 * size}l${1.5 * size} ${1.5 * size}l${-1.5 * size} ${1.5 * size}l${-1.5 * size} ${-1.5 * size}z` });
  return svg("rect", { class: "peer seeder", x: String(x - 1.4 * size), y: String(y - 1.4 * size), width: String(2.8 * size), height: String(2.8 * size) });
}

function legend(kind: Kind, n: number): HTMLElement {
  const icon = svg("svg", { viewBox: "0 0 20 20", "aria-hidden": "true", focusable: "false" });
  icon.append(mark({ x: 10, y: 10, kind }));
  return make("li", {}, icon, `${kindWords[kind]}: `, make("b", {}, format.count(n)));
}

/** showMesh shows a mesh; null: the tracker does not tell it. */
export function showMesh(mesh: Mesh | null): void {
  if (!mesh) {
    fill("mesh", make("p", { class: "panel empty" }, "The tracker does not tell who is connected."));
    return;
  }
  if (mesh.peers.length == 0) {
    fill("mesh", make("p", { class: "panel empty" }, "No peer is connected to the tracker."));
    return;
  }
  const { dots, lines, labels } = picture(mesh);
  const single = alone(mesh);
  const words = `${format.plural(mesh.peers.length, "peer")} with ${format.plural(mesh.links.length, "connection")}${single > 0 ? `, ${format.count(single)} without one` : ""}`;
  const map = svg("svg", { class: "mesh", viewBox: `0 0 ${side} ${side}`, role: "img", "aria-label": `Map of the mesh: ${words}. The table below has the connections between sites.` });
  for (const line of lines) {
    map.append(svg("line", { class: line.across ? "across" : "inside", x1: String(line.from.x), y1: String(line.from.y), x2: String(line.to.x), y2: String(line.to.y) }));
  }
  map.append(...dots.map(mark));
  for (const label of labels) {
    const text = svg("text", { x: String(label.x), y: String(label.y), "text-anchor": label.end ? "end" : "start", "dominant-baseline": "middle" });
    text.textContent = label.text;
    map.append(text);
  }
  const kinds = (Object.keys(kindWords) as Kind[]).map((kind): [Kind, number] => [kind, dots.filter((d) => d.kind == kind).length]).filter(([, n]) => n > 0);
  const open = byId("mesh").querySelector("details")?.open ?? false;
  const details = make("details", open ? { open: "" } : {}, make("summary", {}, "Connections between sites as a table"),
    table("Connections between sites, now", ["From", "To", "Connections"], between(mesh).map((b) => row(b.from, b.to, format.count(b.connections)))));
  fill("mesh", make("div", { class: "panel" },
    make("p", { class: "note" }, `${words}, now${mesh.more > 0 ? `; ${format.plural(mesh.more, "more peer")} not shown` : ""}. Dashed lines leave a site. A connection counts once an offer was answered; source: the tracker`),
    make("ul", { class: "legend" }, ...kinds.map(([kind, n]) => legend(kind, n))), map, details));
}
