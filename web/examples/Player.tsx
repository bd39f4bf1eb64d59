// A component that plays a stream, and says how.
import { useEffect, useRef, useState } from "react";
import { play, type State } from "@p2pstream/viewer";

export function Player({ url, source }: { url: string; source?: string }) {
  const video = useRef<HTMLVideoElement>(null);
  const [state, setState] = useState<State>();
  useEffect(() => {
    const viewer = play(video.current!, { url, source });
    viewer.on("state", setState);
    return () => viewer.stop();
  }, [url, source]);
  return (
    <figure>
      <video ref={video} controls muted playsInline />
      <figcaption role="status">{state?.message}</figcaption>
    </figure>
  );
}
