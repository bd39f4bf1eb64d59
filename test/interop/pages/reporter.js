// Loads the tracker's own /p2pstream.js, as a page of a customer would, and attaches it.
import { report } from "./report.js";

/** Loads the script when this tab is to use it. It must be there before the player is made. */
export async function loadReporter(page) {
  if (!page.reporter) return;
  await new Promise((resolve) => {
    const script = document.createElement("script");
    script.src = page.reporter;
    script.onload = resolve;
    script.onerror = () => {
      report.errors.push(`reporter: ${page.reporter} could not be loaded`);
      resolve();
    };
    document.head.append(script);
  });
}

/** Attaches it to an engine that has not loaded anything yet. */
export function attachReporter(viewer, engine, video) {
  if (!globalThis.P2PStream) return;
  const reporter = globalThis.P2PStream.attach(engine, viewer, video);
  window.reporter = reporter;
  report.reporter = true;
  report.reported = reporter.counters; // the same object, so always what it would report now
}
