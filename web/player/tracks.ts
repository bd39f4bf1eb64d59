// Qualities, audio tracks and captions of a player, whichever it is.

/** One entry of a menu. */
export interface Choice {
  id: string;
  label: string;
  chosen: boolean;
}

export type Kind = "quality" | "audio" | "captions";

/** Tracks are what can be chosen now. An empty menu is not shown. */
export interface Tracks {
  choices(kind: Kind): Choice[];
  choose(kind: Kind, id: string): void;
  /** Where the live edge is that a player keeps to, in seconds of the video; undefined: not live. */
  edge(): number | undefined;
  /** How far behind the newest media the page plays, in seconds. */
  behind(): number | undefined;
}

const auto = "auto";
const off = "off";
const keptSeconds = 3; // of buffered audio, when another track is chosen
const rate = (bits: number) => `${bits >= 1e6 ? (bits / 1e6).toFixed(1) + " Mbit/s" : Math.round(bits / 1e3) + " kbit/s"}`;
const qualityName = (height: number | null | undefined, bits: number) => (height ? `${height}p, ${rate(bits)}` : rate(bits));

/** menu names entries that would be named alike by their number too. One entry is no choice. */
function menu(entries: Choice[]): Choice[] {
  const seen = new Map<string, number>();
  for (const entry of entries) {
    const n = (seen.get(entry.label) ?? 0) + 1;
    seen.set(entry.label, n);
    if (n > 1) entry.label += ` (${n})`;
  }
  return entries.length > 1 ? entries : [];
}

const automatic = (chosen: boolean, now?: string): Choice => ({ id: auto, label: now ? `Auto (${now})` : "Auto", chosen });

/** hlsTracks are those of hls.js. */
export function hlsTracks(hls: any, video: HTMLVideoElement): Tracks {
  const shown = () => [...video.textTracks].filter(({ kind }) => kind == "subtitles" || kind == "captions");
  const details = () => hls.levels[hls.currentLevel]?.details;
  return {
    choices(kind) {
      if (kind == "audio") return menu(hls.audioTracks.map((t: any, i: number) => ({ id: String(i), label: t.name || t.lang || `Track ${i + 1}`, chosen: i == hls.audioTrack })));
      if (kind == "captions") {
        const tracks = shown();
        const choices = tracks.map((t, i) => ({ id: String(i), label: t.label || t.language || `Captions ${i + 1}`, chosen: t.mode == "showing" }));
        return menu([{ id: off, label: "Off", chosen: choices.every((c) => !c.chosen) }, ...choices]);
      }
      const levels: any[] = hls.levels;
      if (levels.length < 2) return [];
      const entries = levels.map((l, i) => ({ id: String(i), label: qualityName(l.height, l.bitrate), chosen: !hls.autoLevelEnabled && i == hls.loadLevel }));
      const now = levels[hls.currentLevel];
      return menu([automatic(hls.autoLevelEnabled, hls.autoLevelEnabled && now ? qualityName(now.height, now.bitrate) : undefined), ...entries.reverse()]);
    },
    choose(kind, id) {
      if (kind == "quality") hls.nextLevel = id == auto ? -1 : Number(id);
      else if (kind == "audio") hls.nextAudioTrack = Number(id); // unlike audioTrack, it keeps what is buffered until there is other audio
      else shown().forEach((t, i) => (t.mode = String(i) == id ? "showing" : "disabled"));
    },
    edge: () => (details()?.live ? (hls.liveSyncPosition ?? undefined) : undefined),
    behind: () => (details()?.live ? details().edge - video.currentTime : undefined),
  };
}

/** shakaTracks are those of Shaka Player. */
export function shakaTracks(player: any, video: HTMLVideoElement): Tracks {
  const variants = (): any[] => player.getVariantTracks();
  const audioOf = (t: any) => `${t.language} ${t.label ?? ""}`;
  const playing = () => variants().find((t) => t.active);
  const distinct = (tracks: any[], key: (t: any) => string) => [...new Map(tracks.map((t) => [key(t), t])).values()];
  // Variants of one quality differ in their audio.
  const qualities = () => {
    const active = playing();
    const same = variants().filter((t) => !active || audioOf(t) == audioOf(active));
    return distinct(same.sort((a, b) => Number(a.active) - Number(b.active)), (t) => `${t.height} ${t.videoBandwidth ?? t.bandwidth}`).sort((a, b) => b.bandwidth - a.bandwidth);
  };
  const name = (t: any) => qualityName(t.height, t.videoBandwidth ?? t.bandwidth);
  const adapts = () => player.getConfiguration().abr.enabled;
  return {
    choices(kind) {
      if (kind == "audio") {
        const active = playing();
        const tracks = distinct(variants(), audioOf);
        return menu(tracks.map((t) => ({ id: String(t.id), label: t.label || t.language || "Unknown", chosen: !!active && audioOf(t) == audioOf(active) })));
      }
      if (kind == "captions") {
        const visible = player.isTextTrackVisible();
        const choices = (player.getTextTracks() as any[]).map((t) => ({ id: String(t.id), label: t.label || t.language || "Captions", chosen: visible && t.active }));
        return menu([{ id: off, label: "Off", chosen: choices.every((c) => !c.chosen) }, ...choices]);
      }
      const tracks = qualities();
      if (tracks.length < 2) return [];
      const now = tracks.find((t) => t.active);
      return menu([automatic(adapts(), adapts() && now ? name(now) : undefined), ...tracks.map((t) => ({ id: String(t.id), label: name(t), chosen: !adapts() && t.active }))]);
    },
    choose(kind, id) {
      const tracks: any[] = kind == "captions" ? player.getTextTracks() : variants();
      const track = tracks.find((t) => String(t.id) == id);
      if (kind == "captions") {
        if (track) player.selectTextTrack(track);
        player.setTextTrackVisibility(!!track);
      } else if (kind == "audio") {
        // The first segment of another track has no peer yet: what is buffered is kept for as long as that takes.
        if (track?.label) player.selectVariantsByLabel(track.label, true, keptSeconds);
        else if (track) player.selectAudioLanguage(track.language, "", 0, keptSeconds);
      } else {
        player.configure("abr.enabled", !track);
        if (track) player.selectVariantTrack(track, false);
      }
    },
    edge: () => (player.isLive() ? player.seekRange().end : undefined),
    behind: () => (player.isLive() ? player.getManifest().presentationTimeline.getSegmentAvailabilityEnd() - video.currentTime : undefined),
  };
}

/** tracksOf are the tracks of the player that the SDK has made. */
export const tracksOf = (player: any, video: HTMLVideoElement): Tracks => ("getVariantTracks" in player ? shakaTracks(player, video) : hlsTracks(player, video));
