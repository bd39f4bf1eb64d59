// The picture before playback.

/**
 * posterOf is the URL of the picture that a link names, relative to the stream. Whoever wrote the link chooses the picture, but
 * not from where: only the origin of the stream is the operator's.
 */
export function posterOf(poster: string | null, streamURL: string): string | undefined {
  if (!poster) return undefined;
  try {
    const url = new URL(poster, streamURL);
    return url.origin == new URL(streamURL).origin ? url.href : undefined;
  } catch {
    return undefined;
  }
}
