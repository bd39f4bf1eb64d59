// Plays HLS on the player page, with hls.js and p2p-media-loader-hlsjs.
import Hls from "hls.js";
import { HlsJsP2PEngine } from "p2p-media-loader-hlsjs";
import P2PStream from "../p2pstream.mjs";

/** Starts to play. The result has the player, the reporter, and how far behind the live edge it plays, in seconds. */
export async function play(config, video, say) {
  if (!Hls.isSupported()) throw new Error("This browser does not support Media Source Extensions, which hls.js requires.");
  const HlsWithP2P = HlsJsP2PEngine.injectMixin(Hls);
  const hls = new HlsWithP2P({ ...config.settings.hlsjs, p2p: { core: config.settings.core } });
  hls.on(Hls.Events.ERROR, (_, data) => {
    if (!data.fatal) return;
    say(`Playback error: ${data.details}. Retrying…`);
    // A fatal error stops hls.js for good, but the origin may recover soon.
    setTimeout(() => {
      if (data.type === Hls.ErrorTypes.MEDIA_ERROR) hls.recoverMediaError();
      else if (hls.levels.length) hls.startLoad();
      else hls.loadSource(config.streamURL);
    }, 2000);
  });
  const reporter = P2PStream.attach(hls.p2pEngine, config, video);
  hls.attachMedia(video);
  hls.loadSource(config.streamURL);
  const behind = () => {
    const details = hls.levels[hls.currentLevel]?.details;
    return details?.live ? details.edge - video.currentTime : undefined;
  };
  return { player: hls, reporter, behind };
}
