type Verdicts = { right: number; wrong: number; unknown: number; unproven: number };
type Pass = () => boolean | Promise<boolean>;
type Range = { start: number; end: number };
export const checker: (
  engine: { core: any; addEventListener(name: string, listener: (details: any) => void): void; removeEventListener(name: string, listener: (details: any) => void): void },
  config: { telemetry: { url: string; session: string; configURL?: string; guarded?: boolean } },
  checks: Partial<Verdicts>,
) => (pass: Pass, kind: "P2P" | "HTTP", url: string, range: Range | undefined, data: Uint8Array) => Promise<boolean>;
