// What the page says to a person who watches: what happened, and what to do about it.
import type { State } from "../sdk/index.js";

/** Words are for one state. With what, they are an alert. */
export interface Words {
  /** One line below the player. */
  status: string;
  what?: string;
  todo?: string;
  /** The name of a button that tries again, or plays. */
  act?: "Play" | "Try again";
}

const wait = "The page tries again by itself. If this goes on, tell whoever sent you the link.";

const troubles: Record<string, { what: string; todo: string; act?: Words["act"] }> = {
  "config-unreachable": { what: "The stream's server does not answer.", todo: `Check your connection to the network. ${wait}`, act: "Try again" },
  "config-refused": { what: "You may not watch this stream with this link.", todo: "The link may have expired. Ask whoever sent it for a new one." },
  "config-invalid": { what: "There is no stream at this address.", todo: "Check the address, or ask whoever sent you the link." },
  "no-mse": { what: "This browser cannot play the stream.", todo: "Update the browser, or use a current Chrome, Edge, Firefox or Safari." },
  "player-blocked": { what: "The player could not be loaded.", todo: "Load the page again. A content blocker may have stopped it: allow this site.", act: "Try again" },
  unplayable: { what: "The video stopped with an error.", todo: wait, act: "Try again" },
};

const plain: Record<string, string> = {
  joining: "Playing from the origin, looking for other viewers.",
  "p2p-off": "Playing from the origin. Sharing with other viewers is switched off for you.",
  "no-webrtc": "Playing from the origin: this browser does not share with other viewers (no WebRTC).",
  "no-mse": "Playing from the origin: this browser plays the stream itself.",
  "player-blocked": "Playing from the origin: the player could not be loaded, so this browser plays the stream itself.",
  "engine-blocked": "Playing from the origin: the part that shares with other viewers could not be loaded.",
  "tracker-unreachable": "Playing from the origin: other viewers cannot be found at the moment.",
};

/** Flows are what has moved lately between this page and its peers. */
export interface Flows {
  seeder: boolean;
  viewer: boolean;
  uploaded: boolean;
}

const still: Flows = { seeder: false, viewer: false, uploaded: false };

/** sharing says what a page that is connected to peers does with them. */
function sharing({ seeder, viewer, uploaded }: Flows): string {
  const from = [...(seeder ? ["seeders"] : []), ...(viewer ? ["other viewers"] : [])].join(" and ");
  if (from) return `Playing, getting video from ${from}${uploaded ? ", giving to others" : ""}.`;
  return uploaded ? "Playing, giving to others." : "Playing from the origin, connected to peers.";
}

/** wordsFor are what to say in a state of the SDK. without is why there are no settings yet, if there are none. */
export function wordsFor(state: State, without?: string, flows: Flows = still): Words {
  const { mode, reason, autoplayRefused } = state;
  if (mode == "failed") {
    const trouble = troubles[(reason == "no-source" && without) || reason || ""] ?? troubles.unplayable!;
    const detail = reason == "unplayable" && state.detail ? ` (${state.detail})` : "";
    return { status: "Not playing.", ...trouble, what: trouble.what.replace(/\.$/, `${detail}.`) };
  }
  const status =
    mode == "starting" ? "Loading…" : mode == "stopped" ? "Stopped." : mode == "p2p" ? sharing(flows) : (plain[reason ?? ""] ?? "Playing from the origin.");
  if (autoplayRefused) return { status: "Paused.", what: "The browser waits for you.", todo: "It does not start videos by itself.", act: "Play" };
  return { status };
}
