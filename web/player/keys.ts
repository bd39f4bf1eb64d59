// Keys that work while the player has the focus, as in other players. Menus and buttons keep their own.

/** Commands are what keys do. */
export interface Commands {
  toggle(): void;
  seek(seconds: number): void;
  mute(): void;
  captions(): void;
  fullscreen(): void;
  live(): void;
}

const step = 5; // seconds

/** keyCommand returns what a key does, if anything. */
export function keyCommand(key: string, commands: Commands): (() => void) | undefined {
  const map: Record<string, () => void> = {
    " ": commands.toggle,
    k: commands.toggle,
    ArrowLeft: () => commands.seek(-step),
    ArrowRight: () => commands.seek(step),
    m: commands.mute,
    c: commands.captions,
    f: commands.fullscreen,
    l: commands.live,
  };
  return Object.hasOwn(map, key.length == 1 ? key.toLowerCase() : key) ? map[key.length == 1 ? key.toLowerCase() : key] : undefined;
}

/** listen obeys keys that reach the element. */
export function listen(element: HTMLElement, commands: Commands): void {
  element.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented) return;
    const { target, key } = event;
    if (target instanceof HTMLSelectElement || (target instanceof HTMLButtonElement && key == " ")) return;
    const command = keyCommand(key, commands);
    if (!command) return;
    event.preventDefault();
    command();
  });
}
