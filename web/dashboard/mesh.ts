// From who is connected to whom to a picture: seeders in the middle, around them viewers, those of one site beside each other.

export type Kind = "seeder" | "edge" | "gateway" | "viewer";

/** What a tracker answers at v1/mesh: see runtime/tracker/stats/mesh.go. */
export interface Mesh {
  peers: { kind: Kind; site?: string }[];
  links: [number, number][];
  more: number;
}

export interface Dot {
  x: number;
  y: number;
  kind: Kind;
}

export interface Picture {
  dots: Dot[];
  lines: { from: Dot; to: Dot; across: boolean }[];
  labels: { x: number; y: number; text: string; end: boolean }[];
}

/** The picture is as wide and as high as this. */
export const side = 720;
const inner = 70;
const outer = 250;
const mostLabels = 16;
const longestLabel = 18;

export const kindWords: Record<Kind, string> = { seeder: "seeder", edge: "seeder in a site", gateway: "gateway of a site", viewer: "viewer" };

/** placeOf names where a peer is. Seeders that serve all sites are a place of their own. */
export const placeOf = (p: Mesh["peers"][number]): string => (p.site ? p.site : p.kind == "seeder" ? "Seeders" : "Outside of all sites");

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** shorten cuts a label, which is whole in the table. */
const shorten = (text: string): string => (text.length > longestLabel ? `${text.slice(0, longestLabel - 1)}…` : text);

/** picture places the peers. Numbers are rounded, so that the same mesh is the same picture. */
export function picture(mesh: Mesh): Picture {
  const at = (radius: number, turn: number): [number, number] => {
    const angle = 2 * Math.PI * turn - Math.PI / 2;
    return [Math.round(10 * (side / 2 + radius * Math.cos(angle))) / 10, Math.round(10 * (side / 2 + radius * Math.sin(angle))) / 10];
  };
  const dots: Dot[] = mesh.peers.map(({ kind }) => ({ x: 0, y: 0, kind }));
  const numbers = mesh.peers.map((_, i) => i);
  const middle = numbers.filter((i) => mesh.peers[i]!.kind == "seeder");
  middle.forEach((i, n) => ([dots[i]!.x, dots[i]!.y] = middle.length == 1 ? [side / 2, side / 2] : at(inner, n / middle.length)));
  const around = numbers.filter((i) => mesh.peers[i]!.kind != "seeder").sort((a, b) => compare(placeOf(mesh.peers[a]!), placeOf(mesh.peers[b]!)) || a - b);
  const places = [...new Set(around.map((i) => placeOf(mesh.peers[i]!)))];
  // A gap of one peer divides sites.
  const seats = around.length + (places.length > 1 ? places.length : 0);
  const labels: Picture["labels"] = [];
  let seat = 0;
  for (const place of places) {
    const here = around.filter((i) => placeOf(mesh.peers[i]!) == place);
    for (const i of here) [dots[i]!.x, dots[i]!.y] = at(outer, seat++ / seats);
    if (places.length <= mostLabels) {
      const [x, y] = at(outer + 18, (seat - (here.length + 1) / 2) / seats);
      labels.push({ x, y, text: shorten(place), end: x < side / 2 });
    }
    seat++;
  }
  const lines = mesh.links
    .filter(([a, b]) => dots[a] && dots[b])
    .map(([a, b]) => ({ from: dots[a]!, to: dots[b]!, across: placeOf(mesh.peers[a]!) != placeOf(mesh.peers[b]!) }));
  return { dots, lines, labels };
}

export interface Between {
  from: string;
  to: string;
  connections: number;
}

/** between counts the connections from place to place, the most first. */
export function between(mesh: Mesh): Between[] {
  const sums = new Map<string, Between>();
  for (const [a, b] of mesh.links) {
    const [one, two] = [mesh.peers[a], mesh.peers[b]];
    if (!one || !two) continue;
    const [from, to] = [placeOf(one), placeOf(two)].sort(compare) as [string, string];
    const key = JSON.stringify([from, to]);
    const sum = sums.get(key) ?? { from, to, connections: 0 };
    sum.connections++;
    sums.set(key, sum);
  }
  return [...sums.values()].sort((a, b) => b.connections - a.connections || compare(a.from, b.from) || compare(a.to, b.to));
}

/** alone counts the peers that have no connection. */
export function alone(mesh: Mesh): number {
  const linked = new Set(mesh.links.flat());
  return mesh.peers.filter((_, i) => !linked.has(i)).length;
}
